// Package ui is the terminal UI: it composes the panes over an image (layers,
// details, files, waste) or a saved report. Rows are virtual: the cost of a key
// depends on the size of the screen, not on that of the image.
package ui

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/packages"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// Options of the UI. The zero value suits a dark terminal with a mouse.
type Options struct {
	// Theme is one of Themes. "" chooses by the background that the terminal
	// reports, or else by COLORFGBG. NO_COLOR in the environment overrides Theme.
	Theme   string
	ASCII   bool // draw with ASCII only, as in a locale without UTF-8
	NoMouse bool // leave the mouse to the terminal
	// Choices are what the UI starts with.
	Choices Choices
	// Keep is called with the choices when the UI ends. It may be nil.
	Keep func(Choices)
	// Preset is one of Presets; "" for the usual keys.
	Preset string
	// Keys replaces the keys of actions, also those of the preset; see Actions.
	Keys map[string][]string
	// Chosen says that the user chose the image in a list. When the user leaves the
	// image, Open returns ErrLeft, to show the list again; only ctrl-c ends the program.
	Chosen bool
	// Words are the arguments that name what is open for fathom's commands: options, and
	// an image or two. nil if no command can open it again.
	Words []string
	// Input completes what the UI writes as a report: with a verdict, if judge is set. If
	// it is nil, the report is all there is, and nothing is judged.
	Input func(ctx context.Context, r *inspect.Result, judge bool) (*report.Input, error)
	// Advice says what to look for in the image that Open shows: in the background,
	// once it is shown and its packages are known. The UI sets Quick, Progress and Unread.
	Advice advice.Options
	// Judge judges what is left of an image without what the user has marked as fixed,
	// as the gate would; files is nil for a saved report. If Judge is nil, the default
	// rules apply.
	Judge func(r *facts.Report, files iter.Seq[gate.File]) (gate.Verdict, error)
	// Hold keeps interrupts (ctrl-c) from ending the program until the function
	// that it returns is called. The UI calls it while a pager has the terminal.
	// It may be nil.
	Hold func() func()
	// Taken is called when the UI takes the terminal. A program that must end
	// while the UI is running calls giveBack first, to restore the terminal at
	// once. The UI calls the function that Taken returns when giveBack is no
	// longer needed. Taken may be nil.
	Taken func(giveBack func()) func()
	// Interrupt is called when ctrl-c ends the UI before it has shown an image.
	// It may be nil.
	Interrupt func()
}

// Themes returns the names that Options.Theme accepts.
func Themes() []string { return screen.Themes() }

// setup holds the checked options.
type setup struct {
	th       *screen.Theme
	keys     []binding
	choices  *Choices // what is chosen now; nil in tests that choose nothing
	find     finder   // nil in tests that need no findings
	advice   advice.Options
	judge    judge
	packages packageFinder // nil in tests that need no packages
	listed   bool          // the image was chosen in a list
	words    []string      // see Options
	input    func(context.Context, *inspect.Result, bool) (*report.Input, error)
}

func (opt *Options) setup() (setup, error) {
	th, err := screen.NewTheme(opt.Theme, opt.ASCII, os.Getenv)
	if err != nil {
		return setup{}, err
	}
	keys, err := configured(opt.Preset, opt.Keys)
	if err != nil {
		return setup{}, err
	}
	if opt.Chosen {
		keys = keysOfChosen(keys)
	}
	choices := opt.Choices
	return setup{th, keys, &choices, advice.Find, opt.Advice, opt.Judge, packages.Find, opt.Chosen, opt.Words, opt.Input}, nil
}

// Crash is a panic that ended the UI, after the terminal was restored.
type Crash struct {
	Value any
	Stack []byte
}

// Error returns one line, without the stack.
func (c *Crash) Error() string { return fmt.Sprintf("the terminal UI crashed: %v", c.Value) }

// run opens the terminal, calls begin to set up the screen, and runs the application
// until it ends.
func (s *session) run(opt Options, th *screen.Theme, begin func()) error {
	backs := make(chan tcell.Color, 1)
	opened, t, err := openTerminal(func(number, text string) {
		if back, ok := screen.Background(number, text); ok {
			select {
			case backs <- back:
			default: // one is enough
			}
		}
	})
	if err != nil {
		return err
	}
	d := showsOf(opened)
	if opened.HasMouse() && !strings.Contains(os.Getenv("TERM"), "linux") { // terminals with a mouse behave like xterm, except for the Linux console
		t.ask()
		t.await()
	}
	select {
	case d.Back = <-backs:
	default:
	}
	th.Suit(d)
	screen := steady{opened}
	app := tview.NewApplication().SetScreen(screen)
	app.EnableMouse(!opt.NoMouse).EnablePaste(true)
	if !opt.NoMouse {
		screen.EnableMouse()
	}
	screen.EnablePaste()
	s.app, s.screen, s.tty, s.hold = app, screen, t, opt.Hold
	if opt.Taken != nil {
		defer opt.Taken(func() { giveBack(screen, t) })()
	}
	s.interrupt, s.chosen = opt.Interrupt, opt.Chosen
	begin()
	// Stop in the UI's goroutine: tcell must not be closed while a frame is drawn.
	ended := context.AfterFunc(s.ctx, func() { app.QueueUpdate(app.Stop) })
	defer ended()
	s.start(s.pump)
	s.start(s.continued)
	s.work(func(ctx context.Context) func() {
		select {
		case d.Back = <-backs: // a slow connection delays the answer
			return func() { th.Suit(d) }
		case <-ctx.Done():
			return nil
		}
	})

	err = s.loop()
	crash, cause := s.fault(), context.Cause(s.ctx)
	s.cancel(nil)
	s.lasting.Wait()
	switch {
	case crash != nil:
		return crash
	case err != nil:
		return err
	case cause == errQuit, cause == errLoad:
		return nil
	case cause == ErrCancelled, cause == ErrLeft:
		return cause
	}
	return s.ctx.Err()
}

// show shows an analysis. The notes say how the image was read.
func (s *session) show(a *analyzer.Analysis, notes []string, set setup) {
	u := newUI(a, set, s)
	u.notes = notes
	u.begin()
	s.app.SetRoot(u, true).SetInputCapture(u.capture)
}

var errQuit = errors.New("quit")

// ErrLeft means that the user goes back to the list that the image was chosen from.
var ErrLeft = errors.New("left")

// steady is an initialised screen. It keeps tview from initialising the screen a
// second time, which would ignore the error, and from clearing it before every frame.
type steady struct{ tcell.Screen }

// Init does nothing.
func (steady) Init() error { return nil }

// Clear does nothing: every frame covers the whole screen.
func (steady) Clear() {}

// session connects a running UI to the terminal and to background work.
type session struct {
	app       *tview.Application
	screen    tcell.Screen
	tty       *tty
	ctx       context.Context
	cancel    context.CancelCauseFunc
	updates   chan func()
	hold      func() func() // see Options; may be nil
	interrupt func()
	chosen    bool           // see Options
	lasting   sync.WaitGroup // work that cleans up after itself

	mu    sync.Mutex
	crash *Crash
}

func newSession(ctx context.Context) *session {
	s := &session{updates: make(chan func())}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	return s
}

// loop runs the application. tview restores the terminal before a panic of its
// goroutine comes out of Run.
func (s *session) loop() (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.crashed(p)
		}
	}()
	if s.ctx.Err() != nil {
		s.app.Stop()
		return nil
	}
	return s.app.Run()
}

// fault returns the first crash, nil if there was none.
func (s *session) fault() *Crash {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crash
}

func (s *session) crashed(p any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crash == nil {
		s.crash = &Crash{Value: p, Stack: debug.Stack()}
	}
	s.cancel(errors.New("crashed"))
}

// start runs f in the background. A panic in f ends the UI. The channel is closed
// when f has returned or panicked.
func (s *session) start(f func()) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil {
				s.crashed(p)
			}
		}()
		f()
	}()
	return ended
}

// pump runs the updates of other goroutines in the UI's goroutine. Only pump may
// use tview's queue, because it blocks forever once the application has stopped.
func (s *session) pump() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case f := <-s.updates:
			s.app.QueueUpdateDraw(f)
		}
	}
}

// work runs f in the background, and then the function that f returns in the UI's
// goroutine.
func (s *session) work(f func(context.Context) func()) { s.start(func() { s.turn(f) }) }

// last is like work, but the UI waits for f before it ends.
func (s *session) last(f func(context.Context) func()) {
	s.lasting.Add(1)
	s.start(func() {
		defer s.lasting.Done()
		s.turn(f)
	})
}

func (s *session) turn(f func(context.Context) func()) {
	done := f(s.ctx)
	if done == nil {
		return
	}
	select {
	case s.updates <- done:
	case <-s.ctx.Done():
	}
}

func (s *session) quit() { s.cancel(errQuit) }

func (s *session) leave() {
	if s.chosen {
		s.cancel(ErrLeft)
	} else {
		s.quit()
	}
}

// giveUp ends the UI because ctrl-c was pressed before an image was shown.
func (s *session) giveUp() {
	s.cancel(ErrCancelled)
	if s.interrupt != nil {
		s.interrupt()
	}
}
