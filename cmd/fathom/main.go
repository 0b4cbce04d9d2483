// Command fathom opens a container image and shows what each layer did, what the
// image ships and which of its bytes are wasted.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"

	"fathom/analyzer"
)

func main() {
	// The entries of a large image are short-lived. Collecting them sooner saves a
	// quarter of the memory and costs next to nothing.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// The exit codes are documented in docs/cli.md and must not change. After a signal
// the exit code is 128 plus its number.
const (
	exitOK    = 0
	exitRule  = 1 // a rule of the gate failed
	exitError = 2 // the command failed, or the image could not be evaluated
)

// run runs the program and returns its exit code. Results go to stdout, everything
// else to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{args: args, stdin: stdin, stdout: &output{w: stdout}, stderr: stderr, getenv: os.Getenv}
	ctx, stop := a.signals.context(ctx, a.force)
	defer stop()
	root := newRoot(a)
	root.SetArgs(append([]string{}, args...)) // nil would mean os.Args
	root.SetIn(stdin)
	root.SetOut(a.stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.stdout.err // cobra ignores the errors of its writes
	}
	return a.exit(ctx, err)
}

// app is the environment that the commands share.
type app struct {
	args   []string // without the program's name
	stdin  io.Reader
	stdout *output
	stderr io.Writer
	getenv func(string) string
	signals
}

// force ends the program while some of its work still runs. It restores the
// terminal, prints the error and exits. Most temporary files need no cleanup, as they
// have no names.
func (a *app) force(sig signalError) {
	if undo := a.undo.Load(); undo != nil {
		(*undo)()
	}
	said := make(chan struct{})
	go func() {
		a.report(sig, "")
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(lastGrace): // the reader of stderr may be what blocks
	}
	os.Exit(sig.exitCode())
}

// output is standard output. It keeps the first error.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	if err != nil {
		o.err = &outputError{err}
	}
	return n, o.err
}

// outputError is a failed write to standard output.
type outputError struct{ err error }

func (e *outputError) Error() string {
	return "writing standard output: " + analyzer.WithoutPath(e.err).Error()
}

func (e *outputError) Unwrap() error { return e.err }

// closed reports whether the reader of standard output is gone. If so, no error is
// printed.
func (e *outputError) closed() bool { return errors.Is(e.err, syscall.EPIPE) }

// isTerminal reports whether v is a terminal that understands escape codes.
func (a *app) isTerminal(v any) bool {
	if o, ok := v.(*output); ok {
		v = o.w
	}
	f, ok := v.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false
	}
	name := a.getenv("TERM")
	return name != "" && name != "dumb"
}
