package ui

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
)

// parsed records what an input posts.
type parsed struct {
	in     *input
	parser tcell.InputProcessor
	queue  chan tcell.Event
	words  []string // one for each event or answer of the terminal
}

func newParsed(t testing.TB) *parsed {
	p := &parsed{queue: make(chan tcell.Event, 1<<10)}
	p.parser = tcell.NewInputProcessor(p.queue)
	p.parser.SetSize(400, 400)
	<-p.queue // the size
	p.in = &input{
		post: func(ev tcell.Event) { p.add(ev) },
		parse: func(b []byte) {
			if !utf8.Valid(b) || len(b) > maxSequence {
				t.Errorf("tcell's parser gets %q", b)
			}
			p.parser.ScanUTF8(b)
			p.drain()
		},
		reply: func(number, text string) { p.words = append(p.words, "answer "+number+" "+text) },
		attrs: func() { p.words = append(p.words, "attributes") },
	}
	return p
}

func (p *parsed) drain() {
	for len(p.queue) > 0 {
		p.add(<-p.queue)
	}
}

func (p *parsed) add(ev tcell.Event) {
	switch ev := ev.(type) {
	case *tcell.EventKey:
		p.words = append(p.words, ev.Name())
	case *tcell.EventMouse:
		x, y := ev.Position()
		p.words = append(p.words, fmt.Sprintf("mouse %d at %d,%d", ev.Buttons(), x, y))
	case *tcell.EventPaste:
		p.words = append(p.words, fmt.Sprintf("paste %v", ev.Start()))
	default:
		p.words = append(p.words, fmt.Sprintf("%T", ev))
	}
}

func (p *parsed) String() string { return strings.Join(p.words, "|") }

// TestInput feeds what terminals send to an input, at once and byte by byte.
func TestInput(t *testing.T) {
	for _, c := range []struct{ name, send, want string }{
		{"letters", "aé猫\x03", "Rune[a]|Rune[é]|Rune[猫]|Ctrl+C"},
		{"no UTF-8", "\xff\x80j", "Rune[j]"},
		{"alt as the eighth bit", "\xe9j", "Rune[j]"},
		{"a character that ends too soon", "\xe2\x82j", "Rune[j]"},
		{"a pasted text in Latin-1", "\x1b[200~caf\xe9 au\x1b[201~", "paste true|Rune[c]|Rune[a]|Rune[f]|Rune[�]|Rune[ ]|Rune[a]|Rune[u]|paste false"},
		{"a paste without end", "\x1b[200~a\x03", "paste true|Rune[a]|paste false|Ctrl+C"},
		{"arrows", "\x1b[A\x1bOB\x1b[1;5C", "Up|Down|Ctrl+Right"},
		{"page keys", "\x1b[5~\x1b[6~\x1b[3;2~", "PgUp|PgDn|Shift+Delete"},
		{"the Linux console's F1", "\x1b[[A", "F1"},
		{"alt", "\x1bj\x1b]\x1bX\x1b^\x1b_\x1bP\x1bNq", "Alt+Rune[j]|Alt+Rune[]]|Alt+Rune[X]|Alt+Rune[^]|Alt+Rune[_]|Alt+Rune[P]|Alt+Rune[N]|Rune[q]"},
		{"alt as rxvt sends it", "\x1b\x1b[A\x1b\x1b[D\x1b[D", "Alt+Up|Alt+Left|Left"},
		{"alt as xterm sends it", "\x1b[1;3D\x1b[1;3C", "Alt+Left|Alt+Right"},
		{"alt before a letter beyond ASCII", "\x1bé", "Rune[é]"},
		{"a click", "\x1b[<0;11;6M\x1b[<0;11;6m", "mouse 1 at 10,5|mouse 0 at 10,5"},
		{"a click as X10 has it", "\x1b[M +&\x1b[M#+&", "mouse 1 at 10,5|mouse 0 at 10,5"},
		{"a click at column 81", "\x1b[M q&", "mouse 1 at 80,5"},
		{"a click at column 114 as X10 has it", "\x1b[M \x91&", "mouse 1 at 112,5"},
		{"a click beyond what X10 has", "\x1b[M \x00&q", "mouse 1 at 0,5|Rune[q]"},
		{"the wheel as X10 has it", "\x1b[M`+&\x1b[Ma+&", "mouse 256 at 10,5|mouse 512 at 10,5"},
		{"a click that ctrl-c breaks off", "\x1b[M \x03", "Ctrl+C"},
		{"a sequence that ctrl-c breaks off", "\x1b[1;2\x03", "Ctrl+C"},
		{"a sequence that an escape breaks off", "\x1b[1;2\x1b[A", "Up"},
		{"a sequence without end", "\x1b[" + strings.Repeat("1;", 99) + "Aj", "Rune[j]"},
		{"the background", "\x1b]11;rgb:ffff/0000/0000\x1b\\\x1b]11;#fff\x07j", "answer 11 rgb:ffff/0000/0000|answer 11 #fff|Rune[j]"},
		{"alt-] and numbers", "\x1b]12j", "Alt+Rune[]]|Rune[1]|Rune[2]|Rune[j]"},
		{"an answer that ctrl-c breaks off", "\x1b]11;\x03", "Alt+Rune[]]|Rune[1]|Rune[1]|Rune[;]|Ctrl+C"},
		{"what the terminal can do", "\x1b[?62;22c\x1b[>0;276;0c\x1b[?1uj", "attributes|Rune[j]"},
		{"a key two thousand million times", "\x1b[65;30;97;1;0;2000000000_j", "Rune[j]"},
		{"an escape before it", "\x1b\x1bj", "Esc|Alt+Rune[j]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole, bytewise := newParsed(t), newParsed(t)
			whole.in.feed([]byte(c.send))
			for i := range len(c.send) {
				bytewise.in.feed([]byte(c.send[i : i+1]))
			}
			for _, p := range []*parsed{whole, bytewise} {
				if p.in.expire(); p.String() != c.want {
					t.Errorf("got  %s\nwant %s", p, c.want)
				}
			}
		})
	}
}

// TestEscapeKey presses escape, and alt with keys that could start a sequence.
func TestEscapeKey(t *testing.T) {
	for send, want := range map[string]string{"\x1b": "Esc", "\x1b\x1b": "Esc|Esc", "\x1b[": "Alt+Rune[[]", "\x1bO": "Alt+Rune[O]", "\x1b]": "Alt+Rune[]]"} {
		p := newParsed(t)
		p.in.feed([]byte(send))
		if !p.in.undecided() || len(p.words) > 1 {
			t.Errorf("%q: got %s at once, want it to wait", send, p)
		}
		if p.in.expire(); p.String() != want {
			t.Errorf("%q: got %s, want %s", send, p, want)
		}
	}
}

// FuzzInput checks that keys still work after any bytes, and that it makes no
// difference how reads split the bytes.
func FuzzInput(f *testing.F) {
	f.Add([]byte("\x1b[M \x91&\x1b]11;rgb:1/2/3\x07"), uint(3))
	f.Add([]byte("\x1b[200~caf\xe9\xe2\x82"), uint(1))
	f.Add([]byte("\x1b\x1b[[A\x1bOP\x1b[<0;1;1M"), uint(2))
	f.Fuzz(func(t *testing.T, data []byte, size uint) {
		if len(data) > 4<<10 {
			return
		}
		size = size%8 + 1
		whole, split := newParsed(t), newParsed(t)
		whole.in.feed(data)
		for rest := data; len(rest) > 0; {
			n := min(int(size), len(rest))
			split.in.feed(rest[:n])
			rest = rest[n:]
		}
		if whole.String() != split.String() {
			t.Errorf("whole %s\nsplit %s", whole, split)
		}
		if len(whole.words) > 2*len(data) {
			t.Errorf("%d events from %d bytes", len(whole.words), len(data))
		}
		for _, p := range []*parsed{whole, split} {
			p.in.expire()
			p.words = nil
			p.in.feed([]byte{etx, etx})
			if !strings.HasSuffix(p.String(), "Ctrl+C") {
				t.Errorf("ctrl-c is %s", p)
			}
			p.words = nil
			p.parser.ScanUTF8([]byte("a"))
			if p.drain(); p.String() != "Rune[a]" {
				t.Errorf("tcell's parser waits: a is %s", p)
			}
		}
	})
}
