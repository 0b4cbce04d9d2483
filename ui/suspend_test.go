//go:build linux

package ui

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// shell runs the UI as a job. Each time the job stops, shell does what shells do: it
// takes the terminal, sets its own modes, and continues the job in the foreground.
func shell() int {
	const tty = 0
	own, err := unix.IoctlGetTermios(tty, unix.TCGETS)
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), child+"=plain")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: tty}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	signal.Ignore(syscall.SIGTTOU) // the shell takes the terminal from the background
	job := cmd.Process.Pid
	fmt.Printf("job %d.\n", job)
	for n := 1; ; n++ {
		var status unix.WaitStatus
		if _, err := unix.Wait4(job, &status, unix.WUNTRACED, nil); err != nil {
			panic(err)
		}
		if !status.Stopped() {
			fmt.Printf("done: %d\n", status.ExitStatus())
			return 0
		}
		unix.IoctlSetPointerInt(tty, unix.TIOCSPGRP, unix.Getpgrp())
		unix.IoctlSetTermios(tty, unix.TCSETS, own)
		fmt.Printf("stopped %d.\n", n)
		unix.IoctlSetPointerInt(tty, unix.TIOCSPGRP, job)
		unix.Kill(-job, unix.SIGCONT)
	}
}

// TestSuspend stops the UI, with ctrl-z and from outside, and continues it. Each time
// the UI takes the terminal again and goes on.
func TestSuspend(t *testing.T) {
	x := startTerminal(t, "shell")
	before := x.modes()
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Kill(-x.cmd.Process.Pid, unix.SIGKILL) })
	x.expect("Layers")
	const rounds = 50
	for n := 1; n <= rounds; n++ {
		x.send("\x1a")
		mark := fmt.Sprintf("stopped %d.", n)
		x.expect(mark)
		x.expectAfter(mark, "\x1b[?1049h")
		if m := x.modes(); m.Lflag&(unix.ICANON|unix.ECHO) != 0 {
			t.Fatalf("round %d: the terminal is not raw", n)
		}
		word := fmt.Sprintf("Q%dX", n)
		x.send("/\x15\x1b[200~" + word + "\x1b[201~")
		x.expectAfter(mark, word)
		x.send("\r")
	}
	var job int
	x.mu.Lock()
	got := x.written.String()
	x.mu.Unlock()
	if _, err := fmt.Sscanf(got[strings.Index(got, "job "):], "job %d.", &job); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(job, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	mark := fmt.Sprintf("stopped %d.", rounds+1)
	x.expect(mark)
	x.expectAfter(mark, "\x1b[?1049h")
	x.send("\x03")
	x.expect("done: 0")
	x.cmd.Wait()
	if after := x.modes(); *after != *before {
		t.Errorf("the terminal's modes changed from %+v to %+v", before, after)
	}
}
