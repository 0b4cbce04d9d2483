package storage

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// Upper returns the upper folder of an overlay, the one that holds its changes.
// path is the merged folder or the upper folder itself. For any other path Upper
// returns "".
func Upper(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err == nil {
		defer mounts.Close()
		upper := upperOf(bufio.NewScanner(mounts), path)
		if filepath.IsAbs(upper) {
			return upper, nil
		}
		// Docker mounts with relative paths where the options would be too long.
		for _, from := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
			if _, err := os.Stat(filepath.Join(from, upper)); upper != "" && err == nil {
				return filepath.Join(from, upper), nil
			}
		}
	}
	parent, base := filepath.Split(path)
	has := func(name string) bool {
		_, err := os.Lstat(filepath.Join(parent, name))
		return err == nil
	}
	switch {
	case base == "merged" && has("diff"): // of docker or podman, in another mount namespace
		return filepath.Join(parent, "diff"), nil
	case (base == "diff" || base == "upper") && (has("link") || has("work")):
		return path, nil
	}
	return "", nil
}

// upperOf returns the upper folder of the overlay that is mounted at path, as
// the mount option names it; see proc_pid_mountinfo(5).
func upperOf(mounts *bufio.Scanner, path string) string {
	upper := ""
	for mounts.Scan() {
		mount, fs, _ := strings.Cut(mounts.Text(), " - ")
		where, what := strings.Fields(mount), strings.Fields(fs)
		if len(where) < 5 || len(what) < 3 || what[0] != "overlay" || unescape(where[4]) != path {
			continue
		}
		for option := range strings.SplitSeq(what[2], ",") {
			if dir, ok := strings.CutPrefix(option, "upperdir="); ok {
				upper = unescape(dir) // the last mount hides those before it
			}
		}
	}
	return upper
}

// unescape decodes \OOO, three octal digits, as which the kernel writes white
// space.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			n := 0
			for _, c := range s[i+1 : i+4] {
				n = n*8 + int(c-'0')
			}
			if n > 0 && n < 256 {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
