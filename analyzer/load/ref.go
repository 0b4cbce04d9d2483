package load

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	dockerref "github.com/distribution/reference"

	"fathom/analyzer"
)

// reference is an IMAGE argument taken apart.
type reference struct {
	path  string // of a file or folder; "-" is standard input
	image string // which image of it, or ""

	// If path is "", name is an image's name. It is looked for where scheme says,
	// or everywhere in turn.
	scheme string
	name   string
	said   string // the scheme as written, if it is another tool's
}

func (r reference) title() string {
	switch {
	case r.path == "-":
		return "standard input"
	case r.path != "":
		return r.path
	case r.scheme != "":
		return cmp.Or(r.said, r.scheme) + ":" + r.name
	}
	return r.name
}

// schemes are the schemes of a reference: fathom's own, and those of skopeo and
// syft. The value is what they mean: an engine, a registry, a file or folder, or
// "" for what fathom can't read.
var schemes = map[string]string{
	"docker":             "docker",
	"docker-daemon":      "docker",
	"podman":             "podman",
	"containers-storage": "podman",
	"registry":           "registry",
	"archive":            "file",
	"docker-archive":     "file",
	"oci-archive":        "file",
	"oci":                "file",
	"oci-dir":            "file",
	"dir":                "file",
	"file":               "file",
	"containerd":         "",
	"ostree":             "",
	"sif":                "",
	"singularity":        "",
	"snap":               "",
	"tarball":            "",
}

// Scheme returns the scheme of ref and what follows it. Without a scheme it
// returns "" and ref.
func Scheme(ref string) (scheme, rest string) {
	scheme, rest, ok := strings.Cut(ref, ":")
	if _, known := schemes[scheme]; !ok || !known {
		return "", ref
	}
	return scheme, strings.TrimPrefix(rest, "//")
}

// parse parses a reference. If it is an existing path, it is not split. Otherwise
// it is split after the longest existing path before a ':' or '@'; the rest
// chooses an image in that file or folder.
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
	if said, rest := Scheme(ref); said != "" {
		scheme := schemes[said]
		if rest == "" {
			what := "image"
			if scheme == "file" {
				what = "file or folder"
			}
			return reference{}, fmt.Errorf("%s names no %s", ref, what)
		}
		r := reference{scheme: scheme, name: rest}
		if said != scheme {
			r.said = said
		}
		switch scheme {
		case "file":
			return split(ref, rest, scheme)
		case "":
			return reference{}, &SchemeError{Scheme: said, Name: rest, Why: "the scheme " + said + ": is not supported"}
		}
		if said == "containers-storage" {
			if rest[0] == '[' {
				return reference{}, &SchemeError{Scheme: said, Name: rest, Why: "a store of its own is not supported"}
			}
			r.name = strings.TrimPrefix(rest, "@")
		}
		return r, nil
	}
	if filepath.IsAbs(ref) || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") {
		return split(ref, ref, "file")
	}
	return split(ref, ref, "")
}

// split separates a path from the choice after it.
func split(ref, path, scheme string) (reference, error) {
	_, err := os.Stat(path)
	if err == nil {
		return reference{path: path}, nil
	}
	for i := len(path) - 1; i > 0; i-- {
		if path[i] != ':' && path[i] != '@' {
			continue
		}
		// "node:22" is a name, unless there is a file or folder "node" that can
		// hold an image.
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
	return reference{}, &NotFoundError{Reference: ref, Scheme: "file", Name: path, Err: fmt.Errorf("opening %s: %w", path, analyzer.WithoutPath(err))}
}

// fileName matches what can only be the name of a file.
var fileName = regexp.MustCompile(`(?i)\.(tar|tgz|tzst|txz|gz|zst|xz|bz2|json|oci)$`)

// imageName reports whether an engine or a registry can have an image of that
// name. A name like that of a file needs a scheme such as "registry:".
func imageName(s string) bool {
	if fileName.MatchString(s) {
		return false
	}
	_, err := dockerref.ParseNormalizedNamed(s)
	return err == nil || hexID.MatchString(s)
}

// hexID matches an image ID or a prefix of one, as engines accept it.
var hexID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{1,64}$`)

// plausible reports whether a file or folder looks like one that holds images.
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
