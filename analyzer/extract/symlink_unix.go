//go:build unix

package extract

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// symlinkTime sets the time of a symlink itself.
func symlinkTime(dir *os.Root, name string, mod time.Time) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	ts, err := unix.TimeToTimespec(mod)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(int(f.Fd()), name, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW)
}
