//go:build !unix

package cache

import "io/fs"

// foreign returns false: only the user can write to the cache folder.
func foreign(fs.FileInfo) bool { return false }
