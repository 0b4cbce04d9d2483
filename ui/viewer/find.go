package viewer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"time"

	"fathom/ui/report"
	"fathom/ui/screen"
)

const (
	maxHits   = 1_000_000
	findBlock = 1 << 20
	findTime  = 50 * time.Millisecond // between two frames
	maxMatch  = 64 << 10              // bytes that a match may extend beyond its block
)

// hit is a match in a file.
type hit struct {
	at int64
	n  int32
}

func (h hit) end() int64 { return h.at + int64(h.n) }

// find is a search in a file. The zero value searches for nothing.
type find struct {
	text  string
	bad   string // why the text isn't a valid pattern
	match matcher
	hits  []hit // in order; no two overlap
	upto  int64 // the content before this offset has been searched
	done  bool
	at    int   // index of the current hit; -1 for none
	from  int64 // where the search started; the first hit after it is shown
	moved bool  // a hit has been shown
	busy  bool  // a block is being searched
	ctx   context.Context
	stop  context.CancelFunc
}

// status counts the hits.
func (f *find) status() string {
	n := fmt.Sprint(len(f.hits))
	switch {
	case f.bad != "":
		return f.bad
	case len(f.hits) == maxHits:
		n += "+"
	case !f.done:
		n += "+"
	}
	switch {
	case len(f.hits) == 0 && !f.done:
		return "searching"
	case len(f.hits) == 0:
		return "not found"
	case f.at >= 0:
		return fmt.Sprintf("%d of %s", f.at+1, n)
	}
	return n + " found"
}

// within returns the hits that overlap a range of bytes.
func (f *find) within(from, to int64) []hit {
	i := sort.Search(len(f.hits), func(i int) bool { return f.hits[i].end() > from })
	j := i
	for j < len(f.hits) && f.hits[j].at < to {
		j++
	}
	return f.hits[i:j]
}

func (f *find) current(h hit) bool { return f.at >= 0 && f.at < len(f.hits) && f.hits[f.at] == h }

// matcher finds a pattern in bytes: text, whose lower case matches both cases, or a
// regular expression.
type matcher struct {
	text []byte
	fold bool
	re   *regexp.Regexp
}

// newMatcher parses a pattern as typed by a user: text, or ~ and a regular expression.
func newMatcher(s string) (matcher, error) {
	if expr, ok := strings.CutPrefix(s, "~"); ok {
		re, err := regexp.Compile("(?m)" + expr)
		if err != nil {
			_, err = regexp.Compile(expr) // for a message without the flag
		}
		return matcher{re: re}, err
	}
	m := matcher{text: []byte(s)}
	m.fold = strings.ToLower(s) == s
	for _, c := range m.text {
		if m.fold && c >= 0x80 {
			m.re = regexp.MustCompile("(?i)" + regexp.QuoteMeta(s))
			break
		}
	}
	return m, nil
}

// each calls f with every match in b that begins before cut, until f returns false.
func (m *matcher) each(b []byte, cut int, f func(at, n int) bool) {
	if m.re != nil {
		for _, at := range m.re.FindAllIndex(b, maxHits) {
			if at[0] >= cut || at[1] > at[0] && !f(at[0], at[1]-at[0]) {
				return
			}
		}
		return
	}
	if len(m.text) == 0 {
		return
	}
	if m.fold {
		b = lower(b)
	}
	for at := 0; ; {
		i := bytes.Index(b[at:], m.text)
		if i < 0 || at+i >= cut || !f(at+i, len(m.text)) {
			return
		}
		at += i + len(m.text)
	}
}

// lower returns b with its ASCII letters in lower case. Offsets don't change.
func lower(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		out[i] = c
	}
	return out
}

// block searches a block of content from offset at, for up to most matches that
// begin before end, and returns where the next block begins. The content ends at
// limit.
func (m *matcher) block(r io.ReaderAt, at, end, limit int64, most int) (hits []hit, next int64) {
	buf := make([]byte, min(findBlock+maxMatch, limit-at))
	n, _ := r.ReadAt(buf, at) // the rows show an error
	if n == 0 {
		return nil, end
	}
	buf = buf[:n]
	cut := n
	if int64(n) < limit-at {
		cut = max(n-maxMatch, 1)
		if i := bytes.LastIndexByte(buf[:cut], '\n'); i >= cut/2 {
			cut = i + 1
		}
	}
	cut = int(min(int64(cut), end-at))
	next = at + int64(cut)
	m.each(buf, cut, func(i, n int) bool {
		hits = append(hits, hit{at + int64(i), int32(n)})
		next = max(next, at+int64(i+n))
		return len(hits) < most
	})
	return hits, next
}

// look starts a search for text, from the first byte. With stay, it does not move the
// window to a hit.
func (v *Content) look(text string, stay bool) {
	f := &v.find
	if f.stop != nil {
		f.stop()
	}
	from := f.from
	*f = find{text: text, at: -1, from: from, moved: stay, done: true}
	m, err := newMatcher(text)
	if err != nil {
		f.bad = err.Error()
		return
	}
	if text == "" || text == "~" || v.busy {
		return
	}
	f.match, f.done = m, false
	f.ctx, f.stop = context.WithCancel(v.ctx)
	v.lookOn()
}

// lookOn searches another part of the content read so far, in the background.
func (v *Content) lookOn() {
	f := &v.find
	limit := v.rows.end
	end := limit
	if v.more {
		end -= maxMatch // the rest of a match may not have been read
	}
	if f.ctx == nil || f.done || f.busy || f.upto >= end && v.more {
		return
	}
	f.busy = true
	ctx, m, r, at := f.ctx, f.match, v.read, f.upto
	most := maxHits - len(f.hits)
	v.work(func(context.Context) func() {
		var hits []hit
		for began := time.Now(); at < end && len(hits) < most && ctx.Err() == nil && time.Since(began) < findTime; {
			var found []hit
			found, at = m.block(r, at, end, limit, most-len(hits))
			hits = append(hits, found...)
		}
		return func() {
			if ctx.Err() != nil {
				return // another search has replaced it
			}
			f.hits, f.upto, f.busy = append(f.hits, hits...), at, false
			f.done = len(f.hits) == maxHits || at >= v.rows.end && !v.more
			if !f.moved {
				v.firstHit()
			}
			v.lookOn()
		}
	})
}

// firstHit goes to the first hit after the start of the search or, if there is none,
// to the first hit of the content.
func (v *Content) firstHit() {
	f := &v.find
	i := sort.Search(len(f.hits), func(i int) bool { return f.hits[i].at >= f.from })
	if i == len(f.hits) {
		if !f.done || i == 0 {
			return
		}
		i = 0
	}
	v.goHit(i)
}

func (v *Content) goHit(i int) {
	v.find.at, v.find.moved = i, true
	h := v.find.hits[i]
	v.reveal(h.at, int64(h.n))
}

// Prompt asks what to search for. past has what was searched for before.
func (v *Content) Prompt(past *screen.Past) *screen.Prompt {
	f := &v.find
	old, top, left := f.text, v.top, v.left
	f.from = v.top
	v.look("", false)
	return &screen.Prompt{
		Label: "find ",
		Past:  past,
		Step:  func(down bool) { v.Next(down) },
		Note: func() (note, more string, alarm bool) {
			if f.text == "" {
				return "text, or ~ and a regular expression", "", false
			}
			return f.status(), "", f.bad != "" || f.done && len(f.hits) == 0
		},
		Changed: func(text string) {
			v.top, v.left = top, left
			v.look(text, false)
		},
		Done: func(_, key string) {
			if key != "enter" {
				v.top, v.left = top, left
				v.look(old, true)
			}
		},
	}
}

// Next goes to the hit after the current one, or before it, and wraps around. If it
// can't, it returns the reason, otherwise "".
func (v *Content) Next(forward bool) string {
	f := &v.find
	n := len(f.hits)
	switch {
	case v.busy:
		return ""
	case f.text == "":
		return "search for something first (/)"
	case n == 0:
		return f.status() + ": " + report.Safe(f.text)
	}
	i := f.at
	switch {
	case i < 0 && forward:
		i = sort.Search(n, func(i int) bool { return f.hits[i].at >= v.top })
	case i < 0:
		i = sort.Search(n, func(i int) bool { return f.hits[i].at >= v.top }) - 1
	case forward:
		i++
	default:
		i--
	}
	v.goHit((i + n) % n)
	return ""
}
