package ui

import (
	"context"

	"github.com/dustin/go-humanize"
	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/screen"
)

// search holds what the user searches for, and the paths that match.
type search struct {
	in        seeker // the pane that it was opened over; nil before the first one
	text      string
	all       bool // in all layers, not only in what is shown
	only      bool // the pane shows only what matches, while there is something to match
	pattern   *outline.Pattern
	bad       string             // why the text isn't a valid pattern
	hits      []filetree.Node    // sorted
	selection *outline.Selection // of the files that match, if only those are shown
	busy      bool
	cancel    context.CancelFunc
	prompt    *screen.Prompt // the last one that asked for the text
	back      func()         // goes to where the user was when the prompt opened
}

func (s *search) active() bool { return s.text != "" && s.pattern != nil }

// of reports whether the user searches a pane.
func (s *search) of(in seeker) bool { return s.in == in && s.active() }

// filters reports whether a pane shows only what matches.
func (s *search) filters(in seeker) bool { return s.only && s.of(in) }

// highlight marks the match in a name that was drawn from one column to another,
// unless it was shortened.
func (s *search) highlight(c screen.Canvas, from, to, y int, name string, on func(tcell.Style) tcell.Style) {
	if !s.active() || to-from != screen.Width(name) {
		return
	}
	if i, j, ok := s.pattern.In(name); ok {
		c.Text(from+screen.Width(name[:i]), y, on(c.Theme.Found), name[i:j])
	}
}

// find starts the search again; done runs in the UI when it has ended.
func (u *ui) find(done func()) {
	s := &u.search
	if s.cancel != nil {
		s.cancel()
	}
	s.hits, s.selection, s.bad = nil, nil, ""
	p, err := outline.Compile(s.text)
	if err != nil {
		p, s.bad = nil, err.Error()
	}
	s.pattern = p
	s.busy = s.active() && s.in.paths() != nil
	s.in.sift()
	switch {
	case !s.active():
		return
	case !s.busy: // the pane searches its own rows
		done()
		return
	}
	var scope outline.Scope
	if !s.all {
		scope = s.in.scope()
	}
	prepare := func(_ context.Context, hits []filetree.Node) ([]filetree.Node, *outline.Selection) { return hits, nil }
	if f, ok := s.in.(*files); ok {
		prepare = f.prepare()
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	in := s.in
	u.do.work(func(outer context.Context) func() {
		defer context.AfterFunc(outer, cancel)()
		hits := p.Find(ctx, in.paths(), scope)
		hits, selection := prepare(ctx, hits)
		return func() {
			if ctx.Err() != nil {
				return // another search has replaced it
			}
			s.hits, s.selection, s.busy = hits, selection, false
			in.sift()
			done()
		}
	})
}

// stale searches again, if what is found or what is shown of it depends on what f shows.
func (u *ui) stale(f *files) {
	if s := &u.search; s.of(f) && (!s.all || s.only) {
		u.find(func() {})
	}
}

// seek is the tab to search: the one in front, or else the first one that can be
// searched, which it brings to the front.
func (u *ui) seek() seeker {
	for i := range u.tabs {
		i = (u.tab + i) % len(u.tabs)
		if in, ok := u.tabs[i].(seeker); ok {
			if i != u.tab {
				u.show(i)
			}
			return in
		}
	}
	return nil
}

// searchIn moves the search to another pane; the one before has no matches any more.
func (u *ui) searchIn(in seeker) {
	before := u.search.in
	u.search.in = in
	if before != nil && before != in {
		before.sift()
	}
}

// openSearch asks what to search for; the cursor follows as it is typed. esc goes back to
// where it was.
func (u *ui) openSearch() {
	s := &u.search
	began, old, all, only := u.here(), s.text, s.all, s.only
	u.leave()
	u.searchIn(u.seek())
	u.setFocus(rightPane)
	at := u.here()
	s.back = func() { u.restore(at) }
	s.text = ""
	u.find(nil)
	s.prompt = &screen.Prompt{
		Label: "find ", Note: u.searchNote, Extra: u.searchKey, Past: &u.past.searches,
		Step: func(down bool) { s.in.hit(down, false) },
		Changed: func(text string) {
			s.text = text
			u.typed()
		},
		Done: func(_, key string) {
			if key == "esc" {
				s.text, s.all, s.only = old, all, only
				u.restore(began)
				u.find(func() {})
				u.jumps.from = nil
			}
		},
	}
	u.prompt = s.prompt
}

// typing reports whether the search's prompt is open.
func (u *ui) typing() bool { return u.prompt != nil && u.prompt == u.search.prompt }

// typed searches for the prompt's text, from where the prompt was opened.
func (u *ui) typed() {
	u.search.back()
	u.find(func() {
		if u.typing() {
			u.search.back()
		}
		u.search.in.hit(true, true)
	})
}

// searchKey takes the keys of the prompt that don't edit it.
func (u *ui) searchKey(key string) bool {
	switch key {
	case "tab":
		if u.search.in.scope().View != nil {
			u.search.all = !u.search.all
			u.typed()
		}
	case "ctrl-f":
		u.search.only = !u.search.only
		u.typed()
	default:
		return false
	}
	return true
}

// again goes to the next or previous hit.
func (u *ui) again(forward bool) {
	s := &u.search
	if s.text == "" {
		u.note = "search for something first (" + keyOf(u.keys, "find") + ")"
		return
	}
	if s.busy {
		u.note = "still searching"
		return
	}
	u.leave()
	in := u.seek()
	if s.in != in { // another tab is in front now
		u.searchIn(in)
		u.find(func() {
			u.setFocus(rightPane)
			in.hit(true, true)
		})
		return
	}
	if n, _ := in.found(); n == 0 {
		u.note = "not found: " + safe(s.text)
		return
	}
	u.setFocus(rightPane)
	in.hit(forward, false)
}

// endSearch shows all rows again, or else clears the search, and reports whether it did
// either.
func (u *ui) endSearch() bool {
	s := &u.search
	in, limits := s.in.(limiter)
	switch {
	case limits && s.filters(in):
		s.only = false
		in.restrict()
	case s.text != "":
		s.text, s.only = "", false
		u.find(nil)
	default:
		return false
	}
	return true
}

// toggleOnly shows only what matches in the tab in front, or all of it again.
func (u *ui) toggleOnly() {
	s := &u.search
	in, ok := u.right().(limiter)
	switch {
	case ok && s.filters(in):
		s.only = false
		in.restrict()
	case !ok:
		u.note = u.right().Title() + " cannot be limited to what matches"
	case s.text == "":
		u.note = "search for something first (" + keyOf(u.keys, "find") + ")"
	case s.busy:
		u.note = "still searching"
	case s.in == in:
		s.only = true
		if in.paths() == nil {
			in.restrict()
		} else {
			u.find(func() {})
		}
	default: // another tab is in front now
		u.searchIn(in)
		u.find(func() {
			if n, _ := in.found(); n == 0 {
				u.note = "not found: " + safe(s.text)
				return
			}
			u.toggleOnly()
		})
	}
}

// foundOnly says that a pane shows only what matches; "" if it does not.
func (u *ui) foundOnly(in seeker) string {
	if !u.search.filters(in) {
		return ""
	}
	return "found"
}

// foundNote says how many matches there are.
func (u *ui) foundNote() string {
	if u.search.busy {
		return "searching" + u.th.Glyph.Ellipsis
	}
	n, say := u.search.in.found()
	if at := u.search.in.nth(); at > 0 {
		say = humanize.Comma(int64(at)) + " of " + humanize.Comma(int64(n))
	}
	return say
}

// searchNote returns what the prompt shows after the text.
func (u *ui) searchNote() (note, more string, alarm bool) {
	s := &u.search
	if s.in.scope().View != nil {
		where := "in all layers"
		if u.two != nil {
			where = "in both images"
		}
		more = "  " + u.th.Glyph.Dot + " tab: " + where
		if s.all {
			more = "  " + u.th.Glyph.Dot + " " + where + " (tab)"
		}
	}
	if _, ok := s.in.(limiter); ok {
		only := "ctrl-f: only these"
		if s.only {
			only = "only these (ctrl-f)"
		}
		more += "  " + u.th.Glyph.Dot + " " + only
	}
	switch n, _ := s.in.found(); {
	case s.bad != "":
		return s.bad, more, true
	case s.text == "":
		return "text, or ~ and a regular expression", more, false
	case !s.busy && n == 0:
		return "not found", more, true
	}
	return u.foundNote(), more, false
}

// nth returns which of the rows that match row at is, from 1; 0 if it does not match.
func nth(at, rows int, is func(row int) bool) int {
	if at >= rows || !is(at) {
		return 0
	}
	n := 0
	for row := range at + 1 {
		if is(row) {
			n++
		}
	}
	return n
}
