//go:build !unix

package cache

import "io/fs"

// foreign: the user's cache folder is the user's.
func foreign(fs.FileInfo) bool { return false }
