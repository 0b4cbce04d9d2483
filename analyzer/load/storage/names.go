package storage

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/distribution/reference"
)

// name is the full name of an image.
type name struct{ host, repository, tag, digest string }

// parseName parses a name as docker does: the default host is docker.io, and
// the default tag, if there is no digest either, is "latest".
func parseName(s string) (n name, ok bool) {
	r, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		return name{}, false
	}
	n = name{host: reference.Domain(r), repository: reference.Path(r)}
	r = reference.TagNameOnly(r)
	if t, ok := r.(reference.Tagged); ok {
		n.tag = t.Tag()
	}
	if d, ok := r.(reference.Digested); ok {
		n.digest = d.Digest().String()
	}
	return n, true
}

// same reports whether two names mean one image. Where there is a digest, tags
// are not compared.
func (n name) same(o name) bool {
	return n.host == o.host && n.repository == o.repository && n.digest == o.digest && (n.digest != "" || n.tag == o.tag)
}

// openRegular opens a file that the engine keeps about its images. It never
// blocks, whatever stands in the file's place.
func openRegular(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "read", Path: file, Err: errNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// read returns the content of a file that the engine keeps about its images.
// More than limit bytes are an error.
func read(file string, limit int64) ([]byte, error) {
	f, err := openRegular(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, &os.PathError{Op: "read", Path: file, Err: fmt.Errorf("it has more than %d bytes", limit)}
	}
	return b, nil
}
