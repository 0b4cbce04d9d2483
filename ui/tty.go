package ui

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gdamore/tcell/v2"
	"golang.org/x/term"

	"fathom/ui/screen"
)

const (
	escapeWait = 50 * time.Millisecond  // an escape with nothing after it is the key
	answerWait = 100 * time.Millisecond // for what the terminal says about itself
)

// tty is the terminal as tcell needs it. It reads the keys itself and puts
// them into the screen's queue: tcell's reader runs in circles on bytes that
// are not UTF-8, and its end waits for ever when the queue is full.
type tty struct {
	tcell.Tty
	queue   func() chan tcell.Event // of the screen
	answers func(number, text string)
	device  *os.File // for its modes; nil where there is no such file
	before  *term.State
	raw     *term.State

	mu       sync.Mutex
	input    *input
	timer    *time.Timer
	parser   tcell.InputProcessor
	stop     chan struct{} // closed when reading must end
	ended    chan struct{} // closed when it has
	failed   chan error
	asked    bool
	answered chan struct{} // closed when the terminal has said all that it will
}

// openTerminal is a screen over the terminal of the process. answers is called
// with what the terminal answers, beside everything else.
func openTerminal(answers func(number, text string)) (tcell.Screen, *tty, error) {
	device, err := tcell.NewDevTty()
	if err != nil {
		return nil, nil, fmt.Errorf("opening the terminal: %w", err)
	}
	t := &tty{Tty: device, answers: answers, answered: make(chan struct{})}
	if f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
		t.device = f
		t.before = t.modes()
	}
	tcell.SetEncodingFallback(tcell.EncodingFallbackASCII) // in a locale that tcell doesn't know
	screen, err := tcell.NewTerminfoScreenFromTty(t)
	if err != nil {
		t.Close()
		return nil, nil, &TerminalError{Name: os.Getenv("TERM"), Err: err}
	}
	t.queue = screen.(interface{ EventQ() chan tcell.Event }).EventQ
	if err := screen.Init(); err != nil {
		t.Close()
		return nil, nil, fmt.Errorf("opening the terminal: %w", err)
	}
	return screen, t, nil
}

// TerminalError is a kind of terminal that nothing is known about.
type TerminalError struct {
	Name string // TERM
	Err  error
}

func (e *TerminalError) Error() string {
	return fmt.Sprintf("opening the terminal: unknown terminal type %q", e.Name)
}

func (e *TerminalError) Unwrap() error { return e.Err }

// showsOf is what the screen's terminal can show; it may say more later.
func showsOf(s tcell.Screen) screen.Display {
	d := screen.Display{Colours: s.Colors(), Back: tcell.ColorDefault, ASCII: !utf8Charset(s.CharacterSet())}
	info, err := tcell.LookupTerminfo(os.Getenv("TERM"))
	if err == nil && info.Colors > 256 && info.SetFgRGB == "" && info.SetFgBgRGB == "" {
		d.Colours = 8 // tcell gives xterm-direct and the like numbers of a palette, of which they have eight
	}
	return d
}

// utf8Charset reports whether a locale's character set is UTF-8.
func utf8Charset(name string) bool {
	name = strings.ToLower(name)
	return name == "utf-8" || name == "utf8"
}

// Start takes the terminal, and begins to read.
func (t *tty) Start() error {
	if err := t.Tty.Start(); err != nil {
		return err
	}
	t.raw = t.modes()
	t.stop, t.ended, t.failed = make(chan struct{}), make(chan struct{}), make(chan error, 1)
	events := make(chan tcell.Event)
	t.parser = tcell.NewInputProcessor(events)
	t.input = &input{
		parse: t.parser.ScanUTF8,
		post:  func(ev tcell.Event) { events <- ev },
		reply: t.answers,
		attrs: func() { t.once(t.answered) },
	}
	t.timer = time.AfterFunc(time.Hour, t.expire)
	t.timer.Stop()
	t.measure()
	go t.forward(events, t.queue(), t.stop)
	go t.read(t.stop, t.ended)
	return nil
}

// modes are the terminal's, nil where they are not known.
func (t *tty) modes() *term.State {
	if t.device == nil {
		return nil
	}
	modes, err := term.GetState(int(t.device.Fd()))
	if err != nil {
		return nil
	}
	return modes
}

// taken reports whether the terminal still has the modes that Start gave it.
func (t *tty) taken() bool {
	now := t.modes()
	return now == nil || t.raw == nil || *now == *t.raw
}

// Close closes the terminal.
func (t *tty) Close() error {
	if t.device != nil {
		t.device.Close()
	}
	return t.Tty.Close()
}

// once closes c unless it is closed. Only the reader calls it.
func (t *tty) once(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// forward puts events into the screen's queue until stop is closed, and from
// then on drops them. It goes on for as long as the program does, because
// tcell's parser may post at any time.
func (t *tty) forward(events <-chan tcell.Event, queue chan<- tcell.Event, stop <-chan struct{}) {
	for ev := range events {
		if _, ok := ev.(*tcell.EventResize); ok {
			continue // the screen sends its own
		}
		select {
		case queue <- ev:
		case <-stop:
		}
	}
}

func (t *tty) read(stop, ended chan struct{}) {
	defer close(ended)
	buf := make([]byte, 4096)
	for {
		n, err := t.Tty.Read(buf)
		t.mu.Lock()
		t.timer.Stop()
		t.input.feed(buf[:n])
		if t.input.undecided() {
			t.timer.Reset(escapeWait)
		}
		t.mu.Unlock()
		select {
		case <-stop:
			return
		default:
		}
		if err != nil {
			t.failed <- err
			return
		}
	}
}

// expire is called when nothing came after an escape.
func (t *tty) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.input.expire()
}

// Read gives tcell nothing, until reading ends.
func (t *tty) Read([]byte) (int, error) {
	select {
	case <-t.stop:
		return 0, nil
	case err := <-t.failed:
		return 0, err
	}
}

// Drain ends reading. What the terminal still answers must not reach whoever
// reads it next.
func (t *tty) Drain() error {
	t.await()
	close(t.stop)
	return t.Tty.Drain()
}

// Stop gives the terminal back.
func (t *tty) Stop() error {
	<-t.ended
	return t.Tty.Stop()
}

// NotifyResize has f called when the size changes.
func (t *tty) NotifyResize(f func()) {
	if f == nil {
		t.Tty.NotifyResize(nil)
		return
	}
	t.Tty.NotifyResize(func() {
		t.measure()
		f()
	})
}

// measure tells the parser the size, because it keeps the mouse within.
func (t *tty) measure() {
	if size, err := t.WindowSize(); err == nil && t.parser != nil {
		t.parser.SetSize(size.Width, size.Height)
	}
}

// ask asks the terminal for its background, and what every terminal answers:
// when that comes no other answer will.
func (t *tty) ask() {
	if _, err := t.Write([]byte("\x1b]11;?\x1b\\\x1b[c")); err == nil {
		t.asked = true
	}
}

// await waits a moment for the answers.
func (t *tty) await() {
	if !t.asked {
		return
	}
	select {
	case <-t.answered:
	case <-time.After(answerWait):
	}
}

// giveBack gives the terminal back, whatever the screen's own goroutines are at.
func giveBack(screen tcell.Screen, t *tty) {
	done := make(chan struct{})
	go func() {
		screen.Fini()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(3 * answerWait):
	}
	if t.device != nil && t.before != nil {
		_ = term.Restore(int(t.device.Fd()), t.before)
	}
}
