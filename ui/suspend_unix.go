//go:build unix

package ui

import "syscall"

// suspend gives the terminal back and stops the process until its shell
// continues it.
func (s *session) suspend() {
	s.app.Suspend(func() {
		// An error leaves the process running: then there is nothing to wait for.
		_ = syscall.Kill(syscall.Getpid(), syscall.SIGTSTP)
	})
}
