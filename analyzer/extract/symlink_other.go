//go:build !unix

package extract

import (
	"os"
	"time"
)

// symlinkTime does nothing: this system has no call that sets a symlink's time.
func symlinkTime(*os.Root, string, time.Time) error { return nil }
