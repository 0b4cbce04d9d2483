//go:build linux

package ui

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

// child is the environment variable that turns the test binary into a program that
// shows an image. TestRun starts it under a pseudo terminal.
const child = "FATHOM_UI_CHILD"

func TestMain(m *testing.M) {
	switch mode := os.Getenv(child); mode {
	case "":
	case "shell":
		os.Exit(shell())
	default:
		os.Exit(show(mode))
	}
	os.Exit(m.Run())
}

// show runs the UI as a program would, and prints how it ended.
func show(mode string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	img, err := imagetest.Parse([]byte("layer one\n  file a text=\"hello there\"\nlayer two\n  file a 3xb\n"))
	if err != nil {
		panic(err)
	}
	a, err := analyzer.Analyze(ctx, img.Image(), analyzer.Options{})
	if err != nil {
		panic(err)
	}
	switch mode {
	case "worker": // reading a file panics
		for i := range a.Image.Layers {
			a.Image.Layers[i].Blob.At = trap{}
		}
	case "keys": // showing the history of a panics
		a.Report.Layers, a.Report.History = a.Report.Layers[:1], nil
	}
	var p analyzer.Progress
	switch mode {
	case "loading", "late", "fails", "loader":
		p.Start("layer 0", 100)
		more := make(chan os.Signal, 1)
		signal.Notify(more, syscall.SIGUSR1)
		err = Open(ctx, "slow", &p, func(ctx context.Context) (*analyzer.Analysis, error) {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-more:
			}
			switch mode {
			case "fails":
				return nil, errors.New("reading layer 0: it is broken")
			case "loader":
				panic("the trap")
			}
			return a, nil
		}, Options{})
	case "stuck": // the UI's goroutine blocks when it starts a pager
		leave := make(chan struct{})
		err = Open(ctx, "image", &p, func(context.Context) (*analyzer.Analysis, error) { return a, nil }, Options{
			Hold: func() func() {
				close(leave)
				select {}
			},
			Taken: func(giveBack func()) func() {
				go func() {
					<-leave
					giveBack()
					fmt.Printf("\nended: given back\n")
					os.Exit(0)
				}()
				return func() {}
			},
		})
	case "wrong":
		err = Open(ctx, "wrong", &p, func(context.Context) (*analyzer.Analysis, error) { return nil, errors.New("no such image") }, Options{})
	case "choose", "chooser":
		err = Choose(ctx, []Engine{{"engine", func(ctx context.Context) ([]Candidate, error) {
			if mode == "chooser" {
				panic("the trap")
			}
			return []Candidate{{Name: "app:1", Ref: "engine:app:1"}, {Name: "app:2", Ref: "engine:app:2"}, {Name: "slow:1", Ref: "engine:slow:1"}}, nil
		}}, {"silent", func(ctx context.Context) ([]Candidate, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}}, Options{}, func(ctx context.Context, c Candidate) error {
			fmt.Printf("\nchosen: %s, demo %v\n", c.Ref, c.Demo)
			if c.Demo {
				return nil
			}
			var p analyzer.Progress
			return Open(ctx, c.Ref, &p, func(ctx context.Context) (*analyzer.Analysis, error) {
				if c.Ref == "engine:slow:1" {
					p.Start("layer 0", 100)
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return a, nil
			}, Options{Chosen: true})
		})
	case "saved":
		err = RunReport(ctx, a.Report, Options{})
	case "searching", "searcher":
		ended := false
		err = open(ctx, "image", &p, Options{}, func(context.Context) (func(*session, setup), error) {
			return func(s *session, set setup) {
				set.find = func(ctx context.Context, _ *analyzer.Analysis, opt advice.Options) ([]facts.Finding, int64, error) {
					switch {
					case opt.Quick:
						return []facts.Finding{{Rule: "r", Severity: facts.SeverityWarn, Title: "quick"}}, 0, nil
					case mode == "searcher":
						panic("the trap")
					}
					<-ctx.Done()
					sha256.Sum256(make([]byte, 100_000_000)) // longer than the UI takes to end
					ended = true
					return nil, 0, ctx.Err()
				}
				s.show(a, nil, set)
			}, nil
		})
		fmt.Printf("\nsearch ended: %v\n", ended)
	default:
		err = Open(ctx, "quick", &p, func(context.Context) (*analyzer.Analysis, error) { return a, nil }, Options{})
	}
	var crash *Crash
	switch {
	case errors.As(err, &crash):
		fmt.Printf("\nended: %v, stack of %v bytes\n", err, len(crash.Stack) > 100)
	default:
		fmt.Printf("\nended: %v\n", err)
	}
	return 0
}

type trap struct{}

func (trap) ReadAt([]byte, int64) (int, error) { panic("the trap") }

// terminal is a program under a pseudo terminal, and what the program has written.
type terminal struct {
	t       *testing.T
	cmd     *exec.Cmd
	pty     *os.File
	tty     *os.File
	mu      sync.Mutex
	written bytes.Buffer
	more    chan struct{}
	answer  string // to the query for the background
}

func startTerminal(t *testing.T, mode string) *terminal {
	t.Helper()
	p, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); tty.Close() })
	if err := pty.Setsize(p, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, pty: p, tty: tty, more: make(chan struct{}, 1)}
	x.cmd = exec.Command(os.Args[0])
	x.cmd.Env = append(os.Environ(), child+"="+mode, "TERM=xterm-256color", "TMUX=", "STY=", "PAGER=sed s/hello/howdy/", "GOCOVERDIR="+t.TempDir())
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = tty, tty, tty
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := p.Read(b)
			x.mu.Lock()
			if bytes.Contains(b[:n], []byte("\x1b[c")) { // every terminal answers this
				io.WriteString(p, x.answer+"\x1b[?62;22c")
			}
			x.written.Write(b[:n])
			x.mu.Unlock()
			select {
			case x.more <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return x
}

// expect waits until the program has written text.
func (x *terminal) expect(text string) {
	x.t.Helper()
	x.expectTimes(1, text)
}

// expectTimes waits until the program has written text n times.
func (x *terminal) expectTimes(n int, text string) {
	x.t.Helper()
	late := time.After(30 * time.Second)
	for {
		x.mu.Lock()
		got := x.written.String()
		x.mu.Unlock()
		if strings.Count(got, text) >= n {
			return
		}
		select {
		case <-x.more:
		case <-late:
			x.t.Fatalf("no %q in\n%q", text, got)
		}
	}
}

// expectAfter waits until the program has written text after the last mark.
func (x *terminal) expectAfter(mark, text string) {
	x.t.Helper()
	late := time.After(30 * time.Second)
	for {
		x.mu.Lock()
		got := x.written.String()
		x.mu.Unlock()
		if i := strings.LastIndex(got, mark); i >= 0 && strings.Contains(got[i:], text) {
			return
		}
		select {
		case <-x.more:
		case <-late:
			x.t.Fatalf("no %q after the last %q in\n%q", text, mark, got)
		}
	}
}

func (x *terminal) send(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.pty, keys); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) signal(sig syscall.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(sig); err != nil {
		x.t.Fatal(err)
	}
}

func (x *terminal) modes() *unix.Termios {
	x.t.Helper()
	m, err := unix.IoctlGetTermios(int(x.tty.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return m
}

// TestRun ends the UI in every possible way, and checks that the terminal is
// restored.
func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, mode string
		do         func(x *terminal)
		want       string
	}{
		{"q", "plain", func(x *terminal) { x.send("q") }, "ended: <nil>"},
		{"ctrl-c", "plain", func(x *terminal) { x.send("\x03") }, "ended: <nil>"},
		{"view and quit", "plain", func(x *terminal) {
			x.send("[3\r")
			x.expect("hello there")
			x.send("\x03")
		}, "ended: <nil>"},
		{"bytes that are not UTF-8", "plain", func(x *terminal) {
			x.send("[3\xff\x80\xe9\xe2\x82")
			x.send("\r")
			x.expect("hello there")
			x.send("\x03")
		}, "ended: <nil>"},
		{"pager and quit", "plain", func(x *terminal) {
			x.send("[3o")
			x.expect("howdy there")
			x.expectTimes(2, "\x1b[?1049h") // the UI has the terminal again
			x.send("\x03")
		}, "ended: <nil>"},
		{"sigterm", "plain", func(x *terminal) { x.signal(syscall.SIGTERM) }, "ended: context canceled"},
		{"panic beside the UI", "worker", func(*terminal) {}, "ended: the terminal UI crashed: the trap, stack of true bytes"},
		{"panic in the UI", "keys", func(x *terminal) { x.send("32") }, "ended: the terminal UI crashed: "},
		{"loaded at once", "quick", func(x *terminal) { x.expect("Layers"); x.send("q") }, "ended: <nil>"},
		{"loaded late", "late", func(x *terminal) {
			x.send("wjG") // has no effect
			x.signal(syscall.SIGUSR1)
			x.expect("Layers")
			x.send("q")
		}, "ended: <nil>"},
		{"ctrl-c while loading", "loading", func(x *terminal) { x.send("\x03") }, "ended: cancelled"},
		{"stuck", "stuck", func(x *terminal) { x.send("3o") }, "ended: given back"},
		{"q while loading", "loading", func(x *terminal) { x.send("q") }, "ended: cancelled"},
		{"sigterm while loading", "loading", func(x *terminal) { x.signal(syscall.SIGTERM) }, "ended: context canceled"},
		{"a load that fails", "fails", func(x *terminal) { x.signal(syscall.SIGUSR1) }, "ended: reading layer 0: it is broken"},
		{"leave an image with q", "choose", func(x *terminal) {
			x.send("app\x1b[B\r")
			x.expect(" back\x1b") // the hint of q
			x.send("q")
			x.expectAfter(" back\x1b", "2 of 3") // the filter is as it was
			x.send("\r")
			x.expectTimes(2, "chosen: engine:app:2, demo false") // and so is the cursor
			x.expectTimes(2, " back\x1b")
			x.send("\x03")
		}, "ended: <nil>"},
		{"leave an image with esc", "choose", func(x *terminal) {
			x.send("\r")
			x.expect(" back\x1b")
			x.send("\x1b")
			x.expectTimes(2, "choose an image")
			x.send("\x1b")
			x.expect("q quits")
			x.send("q")
		}, "ended: <nil>"},
		{"leave a load", "choose", func(x *terminal) {
			x.send("slow\r")
			x.expect("Opening")
			x.send("q")
			x.expectAfter("Opening", "1 of 3")
			x.send("\r")
			x.expectTimes(2, "Opening")
			x.send("\x03")
		}, "ended: cancelled"},
		{"choose the demo", "choose", func(x *terminal) { x.send("demo\r"); x.expect("chosen: , demo true") }, "ended: <nil>"},
		{"choose nothing", "choose", func(x *terminal) { x.send("q") }, "ended: <nil>"},
		{"ctrl-c while choosing", "choose", func(x *terminal) { x.send("a\x03") }, "ended: cancelled"},
		{"sigterm while choosing", "choose", func(x *terminal) { x.signal(syscall.SIGTERM) }, "ended: context canceled"},
		{"panic of an engine", "chooser", func(x *terminal) {}, "ended: the terminal UI crashed: the trap, stack of true bytes"},
		{"a saved report", "saved", func(x *terminal) { x.send("3vq") }, "ended: <nil>"},
		{"q while searching", "searching", func(x *terminal) {
			x.send("!")
			x.expect("quick")
			x.send("q")
			x.expect("search ended: true")
		}, "\nended: <nil>"},
		{"ctrl-c while searching", "searching", func(x *terminal) { x.send("!"); x.expect("quick"); x.send("\x03"); x.expect("search ended: true") }, "\nended: <nil>"},
		{"sigterm while searching", "searching", func(x *terminal) {
			x.send("!")
			x.expect("quick")
			x.signal(syscall.SIGTERM)
			x.expect("search ended: true")
		}, "\nended: context canceled"},
		{"panic while searching", "searcher", func(x *terminal) {}, "\nended: the terminal UI crashed: the trap, stack of true bytes"},
		{"panic while loading", "loader", func(x *terminal) { x.signal(syscall.SIGUSR1) }, "ended: the terminal UI crashed: the trap, stack of true bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := startTerminal(t, c.mode)
			before := x.modes()
			if err := x.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { x.cmd.Process.Kill() })
			x.expect("\x1b[?1049h")
			switch c.mode {
			case "loading", "late", "fails", "loader":
				x.expect("Opening")
			case "choose":
				x.expect("app:1")
			case "chooser", "searcher", "worker": // they may crash before the first frame
			default:
				x.expect("Layers")
			}
			c.do(x)
			x.expect(c.want)
			if err := x.cmd.Wait(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(before, x.modes()); diff != "" {
				t.Errorf("the terminal's modes changed (-before +after):\n%s", diff)
			}
			x.mu.Lock()
			defer x.mu.Unlock()
			end := bytes.LastIndex(x.written.Bytes(), []byte("ended:"))
			for _, seq := range []struct{ on, off string }{
				{"\x1b[?1049h", "\x1b[?1049l"}, // the alternate screen
				{"\x1b[?1000h", "\x1b[?1000l"}, // the mouse
				{"\x1b[?2004h", "\x1b[?2004l"}, // paste
			} {
				on, off := bytes.LastIndex(x.written.Bytes(), []byte(seq.on)), bytes.LastIndex(x.written.Bytes()[:end], []byte(seq.off))
				if on < 0 || off < on {
					t.Errorf("%q at %d is not undone before the end: %q at %d", seq.on, on, seq.off, off)
				}
			}
		})
	}
}

// TestQuickLoad checks that an image that loads at once shows no loading screen, and
// that an error at once does not switch to the alternate screen.
func TestQuickLoad(t *testing.T) {
	for mode, want := range map[string]string{"quick": "Layers", "wrong": "ended: no such image"} {
		t.Run(mode, func(t *testing.T) {
			x := startTerminal(t, mode)
			if err := x.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { x.cmd.Process.Kill() })
			x.expect(want)
			x.send("q")
			x.expect("ended:")
			if err := x.cmd.Wait(); err != nil {
				t.Error(err)
			}
			x.mu.Lock()
			defer x.mu.Unlock()
			if bytes.Contains(x.written.Bytes(), []byte("Opening")) {
				t.Errorf("the loading is shown: %q", x.written.Bytes())
			}
			if mode == "wrong" && bytes.Contains(x.written.Bytes(), []byte("\x1b[?1049h")) {
				t.Errorf("the other screen came: %q", x.written.Bytes())
			}
		})
	}
}

// TestFlood pastes a long text into a terminal that doesn't mark pastes. The first q
// quits, even though more text follows.
func TestFlood(t *testing.T) {
	x := startTerminal(t, "plain")
	x.cmd.Env = append(x.cmd.Env, "TERM=vt220")
	before := x.modes()
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.cmd.Process.Kill() })
	x.expect("Layers")
	x.send(strings.Repeat("jq", 1500))
	x.expect("ended: <nil>")
	if err := x.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, x.modes()); diff != "" {
		t.Errorf("the terminal's modes changed (-before +after):\n%s", diff)
	}
}

// TestAskBackground runs the UI on terminals that report a light background, at once
// and late, and on one that doesn't answer. Keys that were typed early count, and the
// answer never reaches the next program.
func TestAskBackground(t *testing.T) {
	const light = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"
	for name, c := range map[string]struct {
		answer, late, want string
	}{
		"at once":  {answer: light, want: "\x1b[38;5;25m"},
		"late":     {late: light, want: "\x1b[38;5;25m"},
		"no reply": {want: "\x1b[38;5;80m"},
	} {
		t.Run(name, func(t *testing.T) {
			x := startTerminal(t, "plain")
			x.mu.Lock()
			x.answer = c.answer
			x.mu.Unlock()
			if err := x.cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { x.cmd.Process.Kill() })
			x.expect("\x1b]11;?") // the UI now waits for the answer
			x.send("[3\r")
			x.expect("hello there")
			x.send(c.late)
			x.expect(c.want)
			x.send("\x03")
			x.expect("ended: <nil>")
			if err := x.cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
