package storage

import (
	"errors"
	"path"
)

// errLink says that a symlink has taken the place of a folder or a file.
var errLink = errors.New("there is a symlink in its path")

// errNotRegular says that something else has taken the place of a file.
var errNotRegular = errors.New("it is not a regular file")

// info describes a file.
type info struct {
	regular bool
	size    int64
	mtime   int64 // in whole seconds
}

// beneath returns where the content of a tar's entry is: its name as engines
// clean it, never above the root.
func beneath(name string) string { return path.Clean("/" + name)[1:] }
