//go:build unix

package cache

import (
	"io/fs"
	"os"
	"syscall"
)

// foreign is whether another user can have written the file: what it says is
// taken for what a layer holds.
func foreign(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm()&0o022 != 0 || ok && s.Uid != uint32(os.Geteuid()) && s.Uid != 0
}
