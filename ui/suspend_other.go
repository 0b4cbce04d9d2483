//go:build !unix

package ui

// suspend does nothing where there is no job control.
func (s *session) suspend() {}
