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
	escapeWait = 50 * time.Millisecond  // after this time, a lone escape is the key
	answerWait = 100 * time.Millisecond // for the terminal's answers to ask
)

// tty is a tcell.Tty that reads the keys itself and puts them into the screen's
// queue, instead of tcell's reader. That one loops forever on bytes that are not
// UTF-8, and can't be stopped while the queue is full.
type tty struct {
	tcell.Tty
	queue   func() chan tcell.Event // of the screen
	answers func(number, text string)
	device  *os.File // for its modes; nil if it can't be opened
	before  *term.State
	raw     *term.State

	mu       sync.Mutex
	input    *input
	timer    *time.Timer
	parser   tcell.InputProcessor
	stop     chan struct{} // closed to end reading
	ended    chan struct{} // closed when reading has ended
	failed   chan error
	asked    bool
	answered chan struct{} // closed when no more answers will come
}

// openTerminal opens the terminal of the process and a screen over it. It calls
// answers, in another goroutine, with each answer of the terminal.
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

// TerminalError is the error for a terminal of an unknown type.
type TerminalError struct {
	Name string // TERM
	Err  error
}

func (e *TerminalError) Error() string {
	return fmt.Sprintf("opening the terminal: unknown terminal type %q", e.Name)
}

func (e *TerminalError) Unwrap() error { return e.Err }

// showsOf returns what the screen's terminal can show. The background is unknown
// until the terminal answers.
func showsOf(s tcell.Screen) screen.Display {
	d := screen.Display{Colours: s.Colors(), Back: tcell.ColorDefault, ASCII: !utf8Charset(s.CharacterSet())}
	info, err := tcell.LookupTerminfo(os.Getenv("TERM"))
	if err == nil && info.Colors > 256 && info.SetFgRGB == "" && info.SetFgBgRGB == "" {
		d.Colours = 8 // tcell sends palette numbers to xterm-direct and the like, whose palette has eight colours
	}
	return d
}

// utf8Charset reports whether a locale's character set is UTF-8.
func utf8Charset(name string) bool {
	name = strings.ToLower(name)
	return name == "utf-8" || name == "utf8"
}

// Start takes the terminal and starts reading.
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

// modes returns the modes of the terminal, nil if they are unknown.
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

// taken reports whether the terminal still has the modes that Start set. It
// returns true if they are unknown.
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

// once closes c unless it is closed already. Only the reader calls it.
func (t *tty) once(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// forward puts events into the screen's queue until stop is closed, and drops them
// afterwards. It never returns, because tcell's parser may post at any time.
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

// expire is called if nothing follows an escape in time.
func (t *tty) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.input.expire()
}

// Read blocks until reading ends, and returns no bytes: tcell must not read keys.
func (t *tty) Read([]byte) (int, error) {
	select {
	case <-t.stop:
		return 0, nil
	case err := <-t.failed:
		return 0, err
	}
}

// Drain ends reading. First it waits for the terminal's answers, so that the next
// program that reads the terminal does not get them.
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

// NotifyResize calls f when the size of the terminal changes. A nil f ends that.
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

// measure tells the parser the size of the terminal. The parser limits the
// positions of the mouse to it.
func (t *tty) measure() {
	if size, err := t.WindowSize(); err == nil && t.parser != nil {
		t.parser.SetSize(size.Width, size.Height)
	}
}

// ask asks the terminal for its background and then for its device attributes,
// which every terminal reports. After that report no other answer will come.
func (t *tty) ask() {
	if _, err := t.Write([]byte("\x1b]11;?\x1b\\\x1b[c")); err == nil {
		t.asked = true
	}
}

// await waits up to answerWait for the terminal's answers.
func (t *tty) await() {
	if !t.asked {
		return
	}
	select {
	case <-t.answered:
	case <-time.After(answerWait):
	}
}

// giveBack restores the terminal, even if the screen's goroutines are blocked.
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
