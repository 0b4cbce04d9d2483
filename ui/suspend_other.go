//go:build !unix

package ui

// suspend does nothing where there is no job control.
func (s *session) suspend() {}

// continued has nothing to wait for there.
func (s *session) continued() {}
