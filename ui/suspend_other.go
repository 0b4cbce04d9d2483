//go:build !unix

package ui

// suspend does nothing: there is no job control on this system.
func (s *session) suspend() {}

// continued does nothing, as the process can't be suspended.
func (s *session) continued() {}
