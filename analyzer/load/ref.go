package load

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	dockerref "github.com/distribution/reference"
)

// reference is an IMAGE argument taken apart.
type reference struct {
	path  string // of a file or folder; "-" is standard input
	image string // which image of it, or ""

	// Where path is "", it is an image's name, to be asked for at the place
	// that scheme names, or at all of them in turn.
	scheme string
	name   string
}

func (r reference) title() string {
	switch {
	case r.path == "-":
		return "standard input"
	case r.path != "":
		return r.path
	case r.scheme != "":
		return r.scheme + ":" + r.name
	}
	return r.name
}

// parse takes a reference apart. A path that exists is never cut; where it does
// not, the longest existing path before a ':' or '@' is taken, and the rest
// chooses an image in it.
func parse(ref string) (reference, error) {
	switch {
	case ref == "":
		return reference{}, errors.New("the image reference is empty")
	case ref == "-":
		return reference{path: "-"}, nil
	case len(ref) > 4096:
		return reference{}, fmt.Errorf("the image reference is %d bytes long", len(ref))
	case strings.IndexByte(ref, 0) >= 0:
		return reference{}, errors.New("the image reference has a NUL byte")
	}
	scheme, rest, ok := strings.Cut(ref, ":")
	if ok {
		rest = strings.TrimPrefix(rest, "//")
		switch scheme {
		case "docker", "podman", "registry":
			if rest == "" {
				return reference{}, fmt.Errorf("%s names no image", ref)
			}
			return reference{scheme: scheme, name: rest}, nil
		case "archive", "oci":
			if rest == "" {
				return reference{}, fmt.Errorf("%s names no file or folder", ref)
			}
			return split(ref, rest, "file")
		}
	}
	if filepath.IsAbs(ref) || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") {
		return split(ref, ref, "file")
	}
	return split(ref, ref, "")
}

// split parts a path from the choice behind it.
func split(ref, path, scheme string) (reference, error) {
	_, err := os.Stat(path)
	if err == nil {
		return reference{path: path}, nil
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != ':' && path[i] != '@' {
			continue
		}
		// A bare "node:22" is a name, unless the file or folder "node" beside
		// it is something that can hold an image.
		info, err := os.Stat(path[:i])
		if err != nil || scheme == "" && !plausible(path[:i], info) {
			continue
		}
		image := path[i:]
		if image[0] == ':' {
			image = image[1:]
		}
		if image == "" {
			return reference{}, fmt.Errorf("opening %s: no image is named after %q", ref, path[:i+1])
		}
		return reference{path: path[:i], image: image}, nil
	}
	if scheme == "" && errors.Is(err, fs.ErrNotExist) {
		if imageName(path) {
			return reference{name: path}, nil
		}
		return reference{}, &NotFoundError{Reference: ref, Name: path}
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	return reference{}, &NotFoundError{Reference: ref, Scheme: "file", Name: path, Err: fmt.Errorf("opening %s: %w", path, err)}
}

// fileName is what can only be meant for a file.
var fileName = regexp.MustCompile(`(?i)\.(tar|tgz|tzst|txz|gz|zst|xz|bz2|json|oci)$`)

// imageName is whether an engine or a registry could have an image of that
// name; "registry:" in front asks for one that looks like a file's.
func imageName(s string) bool {
	if fileName.MatchString(s) {
		return false
	}
	_, err := dockerref.ParseNormalizedNamed(s)
	return err == nil || hexID.MatchString(s)
}

// hexID is an image ID as engines take it, whole or its beginning.
var hexID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{1,64}$`)

// plausible is whether a path looks like a place for images.
func plausible(path string, info fs.FileInfo) bool {
	if info.IsDir() {
		for _, name := range []string{"oci-layout", "index.json", "manifest.json"} {
			if _, err := os.Stat(filepath.Join(path, name)); err == nil {
				return true
			}
		}
		return false
	}
	if !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 1024)
	n, _ := f.ReadAt(head, 0)
	form := sniff(head[:n])
	return form == formTar || form.compressed()
}
