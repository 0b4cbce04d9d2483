package gate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// CheckGlob says what is wrong with a glob. `*` and `?` stand for anything but
// a slash, `**` for any number of folders, `[a-z]` and `{a,b}` as in a shell, a
// backslash takes the meaning away from what follows. One that begins with a
// slash is matched against the whole path from the root, any other at every
// depth: `*.pem` is `/**/*.pem`.
func CheckGlob(glob string) error {
	if glob == "" || glob == "/" {
		return errors.New("the glob is empty")
	}
	if !doublestar.ValidatePattern(rooted(glob)) {
		return fmt.Errorf("%q is no glob: a bracket or a brace isn't closed, or a backslash ends it", glob)
	}
	return nil
}

// rooted is the glob as it is matched. What ends in a slash means the folder.
func rooted(glob string) string {
	if trimmed := strings.TrimRight(glob, "/"); !strings.HasSuffix(trimmed, `\`) {
		glob = trimmed
	}
	if strings.HasPrefix(glob, "/") {
		return glob
	}
	return "/**/" + glob
}

// matcher is the glob, which CheckGlob found good, as a question about rooted
// paths.
func matcher(glob string) func(path string) bool {
	pattern := rooted(glob)
	return func(path string) bool { return doublestar.MatchUnvalidated(pattern, path) }
}
