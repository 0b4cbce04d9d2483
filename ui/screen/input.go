package screen

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// Input is a line of text with a cursor, edited as in a shell. The zero value is empty. The
// cursor of a text that was set is at its end.
type Input struct {
	Text string
	tail int // bytes behind the cursor
}

// InputKey is a row of the key table of an Input.
type InputKey struct {
	Keys, Help string // key names, separated by spaces; what they do
	do         func(*Input)
}

// InputKeys is the key table of an Input.
func InputKeys() []InputKey {
	return []InputKey{
		{"left ctrl-b", "a character to the left", func(l *Input) { l.move(l.before()) }},
		{"right ctrl-f", "a character to the right", func(l *Input) { l.move(l.after()) }},
		{"home ctrl-a", "to the start of the line", func(l *Input) { l.move(0) }},
		{"end ctrl-e", "to the end of the line", func(l *Input) { l.move(len(l.Text)) }},
		{"alt-b ctrl-left", "a word to the left", func(l *Input) { l.move(l.wordBefore()) }},
		{"alt-f ctrl-right", "a word to the right", func(l *Input) { l.move(l.wordAfter()) }},
		{"backspace", "delete the character before the cursor", func(l *Input) { l.cut(l.before(), l.at()) }},
		{"delete ctrl-d", "delete the character under the cursor", func(l *Input) { l.cut(l.at(), l.after()) }},
		{"ctrl-w", "delete to the blank before the cursor", func(l *Input) {
			l.cut(lastStart(l.head(), unicode.IsSpace), l.at())
		}},
		{"alt-backspace", "delete the word before the cursor", func(l *Input) { l.cut(l.wordBefore(), l.at()) }},
		{"alt-d", "delete the word after the cursor", func(l *Input) { l.cut(l.at(), l.wordAfter()) }},
		{"ctrl-u", "delete to the start of the line", func(l *Input) { l.cut(0, l.at()) }},
		{"ctrl-k", "delete to the end of the line", func(l *Input) { l.cut(l.at(), len(l.Text)) }},
	}
}

// Key edits the text, and reports whether it did something with the key.
func (l *Input) Key(ev *tcell.EventKey) bool {
	name := KeyName(ev)
	if ev.Modifiers()&(tcell.ModCtrl|tcell.ModAlt) != 0 {
		switch ev.Key() {
		case tcell.KeyLeft:
			name = "ctrl-left"
		case tcell.KeyRight:
			name = "ctrl-right"
		}
	}
	for _, k := range InputKeys() {
		for key := range strings.FieldsSeq(k.Keys) {
			if key == name {
				k.do(l)
				return true
			}
		}
	}
	if ev.Key() == tcell.KeyRune && ev.Modifiers()&(tcell.ModCtrl|tcell.ModAlt) == 0 {
		l.Insert(string(ev.Rune()))
		return true
	}
	return false
}

// Set replaces the text; the cursor goes to its end.
func (l *Input) Set(text string) { l.Text, l.tail = text, 0 }

// Insert adds text at the cursor, without control characters.
func (l *Input) Insert(text string) {
	at := l.at()
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	l.Text = l.Text[:at] + text + l.Text[at:]
	l.move(at + len(text))
}

// at returns the index of the cursor.
func (l *Input) at() int { return len(l.Text) - l.tail }

// head returns the text before the cursor.
func (l *Input) head() string { return l.Text[:l.at()] }

// move moves the cursor to index i or, if that is inside a character, behind it: what was
// inserted can make one character with its neighbours.
func (l *Input) move(i int) {
	at := 0
	for rest, state := l.Text, -1; rest != "" && at < i; {
		_, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		at = len(l.Text) - len(rest)
	}
	l.tail = len(l.Text) - at
}

// cut deletes the text between two indices, and moves the cursor there.
func (l *Input) cut(from, to int) {
	l.Text = l.Text[:from] + l.Text[to:]
	l.move(from)
}

// before returns the index of the character before the cursor.
func (l *Input) before() int {
	start, end := 0, 0
	for rest, state := l.Text, -1; rest != "" && end < l.at(); {
		start = end
		_, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		end = len(l.Text) - len(rest)
	}
	return start
}

// after returns the index behind the character under the cursor.
func (l *Input) after() int {
	_, rest, _, _ := uniseg.FirstGraphemeClusterInString(l.Text[l.at():], -1)
	return len(l.Text) - len(rest)
}

// wordBefore returns the index where the word before the cursor begins.
func (l *Input) wordBefore() int { return lastStart(l.head(), notWord) }

// lastStart returns the index in s where the last word begins; between reports whether a
// character stands between words.
func lastStart(s string, between func(rune) bool) int {
	s = strings.TrimRightFunc(s, between)
	i := strings.LastIndexFunc(s, between)
	if i < 0 {
		return 0
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	return i + n
}

// wordAfter returns the index behind the word after the cursor.
func (l *Input) wordAfter() int {
	rest := strings.TrimLeftFunc(l.Text[l.at():], notWord)
	if i := strings.IndexFunc(rest, notWord); i >= 0 {
		rest = rest[i:]
	} else {
		rest = ""
	}
	return len(l.Text) - len(rest)
}

// notWord reports whether r stands between words: it is no letter, no digit, and no part
// of one.
func notWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
}

// Draw draws the line from column x in at most w cells, puts the terminal's cursor on it,
// and returns the column after it. The function safe makes text safe to show.
func (l *Input) Draw(c Canvas, x, w int, st tcell.Style, safe func(string) string) int {
	head, rest := safe(l.head()), safe(l.Text[l.at():])
	before := Width(head)
	if before+Width(rest) > w {
		before = w - min(Width(rest), w/3)
	}
	at := c.Tail(x, 0, before, st, head)
	c.Cursor(at)
	return c.Short(at, 0, x+w-at, st, rest)
}
