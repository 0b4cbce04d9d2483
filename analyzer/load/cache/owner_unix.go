//go:build unix

package cache

import (
	"io/fs"
	"os"
	"syscall"
)

// foreign reports whether another user can have written the file, which is then not
// to be trusted.
func foreign(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm()&0o022 != 0 || ok && s.Uid != uint32(os.Geteuid()) && s.Uid != 0
}
