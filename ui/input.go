package ui

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
)

const (
	esc = 0x1b
	bel = 0x07
	etx = 0x03 // ctrl-c

	maxSequence = 64   // bytes of a control sequence; longer ones are dropped
	maxReply    = 1024 // bytes of an answer of the terminal
)

// input splits the bytes that a terminal sends into characters, keys and sequences.
// It gives tcell's parser one complete and valid sequence at a time, so that the
// parser never waits for more bytes. input itself handles what tcell does not: bytes
// that are not UTF-8 (U+FFFD within a paste, otherwise dropped), mouse reports in
// the old encoding, and the terminal's answers to our questions.
type input struct {
	held  []byte // the bytes of an incomplete character or sequence
	meta  bool   // an extra escape came before the sequence: its key was pressed with alt
	paste bool   // between the start and the end of a paste
	post  func(tcell.Event)
	parse func([]byte)              // tcell's parser
	reply func(number, text string) // called for an operating system command (OSC)
	attrs func()                    // called for the device attributes (DA1)
}

// feed processes the bytes of a read.
func (in *input) feed(p []byte) {
	for _, b := range p {
		in.next(b)
	}
}

// undecided reports whether the held bytes may be complete: an escape may be the
// key or the start of a sequence. If no more bytes follow soon, expire decides.
func (in *input) undecided() bool {
	return len(in.held) > 0 && len(in.held) <= 2 && in.held[0] == esc
}

// expire posts the held bytes as keys if they may be complete.
func (in *input) expire() {
	if !in.undecided() {
		return
	}
	held := in.take()
	switch {
	case len(held) == 1:
		in.key(tcell.KeyEsc, 0, tcell.ModNone)
	case held[1] == esc:
		in.key(tcell.KeyEsc, 0, tcell.ModNone)
		in.key(tcell.KeyEsc, 0, tcell.ModNone)
	default:
		in.alt(held[1])
	}
}

func (in *input) take() []byte {
	held := in.held
	in.held = nil
	return held
}

func (in *input) key(k tcell.Key, r rune, mod tcell.ModMask) {
	in.post(tcell.NewEventKey(k, r, mod))
}

// alt posts a key that was pressed with alt: terminals send an escape and then b.
func (in *input) alt(b byte) {
	switch {
	case b == '\t': // the Linux console's shift-tab
		in.key(tcell.KeyBacktab, 0, tcell.ModNone)
	case b < ' ':
		in.key(tcell.KeyRune, rune(b)+0x60, tcell.ModAlt|tcell.ModCtrl)
	default:
		in.key(tcell.KeyRune, rune(b), tcell.ModAlt)
	}
}

// next processes a byte.
func (in *input) next(b byte) {
	h := in.held
	switch {
	case len(h) == 0:
		in.first(b)
	case h[0] != esc:
		in.held = append(h, b)
		in.character()
	case len(h) == 1:
		in.escaped(b)
	case len(h) == 2 && h[1] == esc: // rxvt sends an extra escape before a key with alt
		in.held = h[:1]
		if b != '[' && b != 'O' {
			in.key(tcell.KeyEsc, 0, tcell.ModNone)
		}
		in.meta = b == '['
		in.escaped(b)
	case h[1] == '[':
		in.sequence(b)
	case h[1] == 'O':
		in.single(b)
	default:
		in.command(b)
	}
}

// first processes a byte when none are held.
func (in *input) first(b byte) {
	switch {
	case b == esc:
		in.held = append(in.held, b)
	case b == etx && in.paste: // if the end of a paste was lost, ctrl-c must still work
		in.paste = false
		in.parse([]byte("\x1b[201~"))
		in.parse([]byte{b})
	case b < utf8.RuneSelf:
		in.parse([]byte{b})
	default:
		in.held = append(in.held, b)
		in.character()
	}
}

// character posts the held character if it is complete.
func (in *input) character() {
	if !utf8.FullRune(in.held) {
		return
	}
	held := in.take()
	r, n := utf8.DecodeRune(held)
	if n > 1 || in.paste { // outside a paste, an invalid byte is dropped
		in.key(tcell.KeyRune, r, tcell.ModNone)
	}
	in.feed(held[n:])
}

// escaped processes the byte after an escape.
func (in *input) escaped(b byte) {
	switch {
	case b == '[' || b == 'O' || b == ']' || b == esc:
		in.held = append(in.held, b)
	case b >= utf8.RuneSelf:
		in.held = nil
		in.first(b)
	default:
		in.held = nil
		in.alt(b)
	}
}

// restart drops the held bytes, because b can't belong to them, and processes b.
func (in *input) restart(b byte) {
	in.held, in.meta = nil, false
	in.first(b)
}

// sequence processes a byte of a control sequence, after ESC [.
func (in *input) sequence(b byte) {
	h := in.held
	switch {
	case len(h) > 2 && h[2] == 'M':
		in.mouse(b)
	case b < ' ' || b >= 0x7f:
		in.restart(b)
	case b < '@':
		if len(h) < maxSequence {
			in.held = append(h, b)
		}
	case len(h) == 2 && (b == 'M' || b == '['): // the Linux console's function keys are ESC [ [ A
		in.held = append(h, b)
	default:
		in.held = nil
		if len(h) < maxSequence {
			in.whole(append(h, b))
		}
	}
}

// whole processes a complete control sequence.
func (in *input) whole(seq []byte) {
	params, final := seq[2:len(seq)-1], seq[len(seq)-1]
	meta := in.meta
	in.meta = false
	switch {
	case meta && len(params) == 0 && final >= 'A' && final <= 'D': // an arrow
		seq = []byte("\x1b[1;3" + string(final))
	case len(params) > 0 && params[0] >= '=' && params[0] <= '?': // an answer, not a key
		if params[0] == '?' && final == 'c' {
			in.attrs()
		}
		return
	case final == '_' && len(params)-bytes.LastIndexByte(params, ';') > 3: // a key that repeats a thousand times
		return
	case final == '~' && string(params) == "200":
		in.paste = true
	case final == '~' && string(params) == "201":
		in.paste = false
	}
	in.parse(seq)
}

// mouse processes a byte of a mouse report in the encoding of X10: ESC [ M, and then
// one byte each for the button, the column and the line. A byte is the value plus
// 32, or 0 if that does not fit. tcell would take the three bytes for keys.
func (in *input) mouse(b byte) {
	if b < ' ' && b != 0 {
		in.restart(b)
		return
	}
	in.held = append(in.held, b)
	if len(in.held) < 6 {
		return
	}
	h := in.take()
	at := func(b byte) int { return max(int(b)-' ', 1) }
	button, final := max(int(h[3])-' ', 0), 'M'
	if button&3 == 3 && button&(32|64) == 0 { // a release, of an unknown button
		button, final = button&^3, 'm'
	}
	in.parse(fmt.Appendf(nil, "\x1b[<%d;%d;%d%c", button, at(h[4]), at(h[5]), final))
}

// single processes the byte after ESC O. The two start a function key; otherwise
// alt-O was pressed before b.
func (in *input) single(b byte) {
	if b < ' ' || b >= 0x7f {
		in.held = nil
		in.alt('O')
		in.first(b)
		return
	}
	in.parse(append(in.take(), b))
}

// command processes a byte after ESC ]. That is an answer of the form NUMBER;TEXT,
// which ends in BEL or ESC \; otherwise alt-] was pressed.
func (in *input) command(b byte) {
	text := in.held[2:]
	semi := bytes.IndexByte(text, ';')
	ending := len(text) > 0 && text[len(text)-1] == esc
	switch {
	case semi > 0 && (b == bel && !ending || b == '\\' && ending):
		in.held = nil
		in.reply(string(text[:semi]), string(bytes.TrimSuffix(text[semi+1:], []byte{esc})))
	case len(text) < maxReply && !ending &&
		(b >= '0' && b <= '9' || semi < 0 && len(text) > 0 && b == ';' || semi > 0 && (b >= ' ' && b < 0x7f || b == esc)):
		in.held = append(in.held, b)
	default:
		in.held = nil
		in.alt(']')
		in.feed(text)
		in.next(b)
	}
}
