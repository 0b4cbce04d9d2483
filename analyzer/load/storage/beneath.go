package storage

import (
	"errors"
	"path"
)

// errLink says that a link stands where a folder or a file was.
var errLink = errors.New("a link leads there")

// errOther says that something else stands where a file was.
var errOther = errors.New("it is no regular file")

// info is what is asked about a file.
type info struct {
	regular bool
	size    int64
	mtime   int64 // in whole seconds
}

// beneath is where the content of a member of the tar lies: its name as engines
// clean it, never above the root.
func beneath(name string) string { return path.Clean("/" + name)[1:] }
