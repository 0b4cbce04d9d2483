package storage

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// name is a reference to an image, in full.
type name struct{ host, repository, tag, digest string }

// parseName reads a name as docker does: without a host it is docker.io's,
// without a tag or digest its tag is "latest".
func parseName(s string) name {
	var n name
	s, n.digest, _ = strings.Cut(s, "@")
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s, n.tag = s[:i], s[i+1:]
	}
	n.host, n.repository = "docker.io", s
	if host, rest, ok := strings.Cut(s, "/"); ok && isHost(host) {
		n.host, n.repository = host, rest
	}
	if n.host == "index.docker.io" {
		n.host = "docker.io"
	}
	if n.host == "docker.io" && !strings.Contains(n.repository, "/") {
		n.repository = "library/" + n.repository
	}
	if n.tag == "" && n.digest == "" {
		n.tag = "latest"
	}
	return n
}

// isHost is whether the first part of a name is a host.
func isHost(s string) bool {
	return strings.ContainsAny(s, ".:") || s == "localhost" || strings.ToLower(s) != s
}

// same is whether two names are of one image. A digest leaves no choice to a tag.
func (n name) same(o name) bool {
	return n.host == o.host && n.repository == o.repository && n.digest == o.digest && (n.digest != "" || n.tag == o.tag)
}

func (n name) String() string {
	s := n.host + "/" + n.repository
	if n.tag != "" {
		s += ":" + n.tag
	}
	if n.digest != "" {
		s += "@" + n.digest
	}
	return s
}

// openRegular opens a file of the storage's own, and never waits for one that
// is something else.
func openRegular(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "read", Path: file, Err: errOther}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// read is the content of a file of the storage's own, of at most that size.
func read(file string, most int64) ([]byte, error) {
	f, err := openRegular(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, &os.PathError{Op: "read", Path: file, Err: fmt.Errorf("it has more than %d bytes", most)}
	}
	return b, nil
}
