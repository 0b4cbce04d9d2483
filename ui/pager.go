package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// pager runs $PAGER, or less or more, in the terminal, with the content on its
// standard input. The content goes through a pipe, so nothing is left on disk.
func (s *session) pager(open func(context.Context) (io.ReadCloser, error)) error {
	command, err := pagerCommand(os.Getenv, exec.LookPath)
	if err != nil {
		return err
	}
	if s.hold != nil { // ctrl-c goes to the pager
		defer s.hold()()
	}
	if !s.app.Suspend(func() { err = s.runPager(command, open) }) {
		return errors.New("the terminal can't be given away")
	}
	return err
}

func (s *session) runPager(command string, open func(context.Context) (io.ReadCloser, error)) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	// Without a trap ctrl-c would end the shell and leave the pager behind.
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "trap : INT\n"+command)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Second
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("starting the pager: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the pager: %w", err)
	}
	var failed error
	copied := s.start(func() {
		defer stdin.Close()
		r, err := open(ctx)
		if err == nil {
			_, err = io.Copy(stdin, r)
			r.Close()
		}
		if ctx.Err() == nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, os.ErrClosed) {
			failed = err
		}
	})
	err = cmd.Wait()
	cancel()
	<-copied
	switch {
	case failed != nil:
		return failed
	case err != nil && s.ctx.Err() == nil:
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// pagerCommand returns the command line of the pager.
func pagerCommand(getenv func(string) string, look func(string) (string, error)) (string, error) {
	if p := getenv("PAGER"); p != "" {
		return p, nil
	}
	for _, name := range []string{"less", "more"} {
		if path, err := look(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no pager: PAGER is not set, and neither less nor more is there")
}
