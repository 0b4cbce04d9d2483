package ui

import (
	"context"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/screen"
)

// search holds what the user searches for, and the paths that match.
type search struct {
	in      seeker // the pane that it was opened over; nil before the first one
	text    string
	all     bool // in all layers, not only in what is shown
	only    bool // files are shown only where they were found
	pattern *outline.Pattern
	bad     string          // why the text isn't a valid pattern
	hits    []filetree.Node // sorted
	busy    bool
	cancel  context.CancelFunc
	prompt  *screen.Prompt // the last one that asked for the text
	back    func()         // restores the pane as it was when the prompt opened
}

func (s *search) active() bool { return s.text != "" && s.pattern != nil }

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
	s.hits, s.bad, s.busy = nil, "", false
	s.in.sift()
	p, err := outline.Compile(s.text)
	if err != nil {
		s.pattern, s.bad = nil, err.Error()
		return
	}
	s.pattern = p
	if s.text == "" {
		return
	}
	if s.in.paths() == nil { // the pane searches its own rows
		s.in.sift()
		done()
		return
	}
	var scope outline.Scope
	if !s.all {
		scope = s.in.scope()
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.busy = cancel, true
	in := s.in
	u.do.work(func(outer context.Context) func() {
		defer context.AfterFunc(outer, cancel)()
		hits := p.Find(ctx, in.paths(), scope)
		return func() {
			if ctx.Err() != nil {
				return // another search has replaced it
			}
			s.hits, s.busy = hits, false
			in.sift()
			done()
		}
	})
}

// stale searches again, if the search is limited to what f shows.
func (u *ui) stale(f *files) {
	if u.search.active() && !u.search.all && u.search.in == seeker(f) {
		u.find(func() {
			f.restrict()
		})
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

// openSearch asks what to search for; the cursor follows as it is typed.
func (u *ui) openSearch() {
	s := &u.search
	u.searchIn(u.seek())
	s.back = s.in.bookmark()
	u.setFocus(rightPane)
	old := s.text
	s.text = ""
	u.find(nil)
	s.prompt = &screen.Prompt{
		Label: "/", Note: u.searchNote, Extra: u.searchKey,
		Changed: func(text string) {
			s.text = text
			u.typed()
		},
		Done: func(_, key string) {
			if key == "esc" {
				s.text = old
				s.back()
				u.find(func() {})
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
	case "down", "up":
		u.search.in.hit(key == "down", false)
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

// endSearch shows all files again, or else clears the search, and reports whether
// it did either.
func (u *ui) endSearch() bool {
	switch s := &u.search; {
	case s.only:
		the((*files).showAll)(u)
	case s.text != "":
		the(func(f *findings) { f.only = false })(u)
		the(func(l *packageList) { l.only = false })(u)
		s.text = ""
		u.find(nil)
	default:
		return false
	}
	return true
}

// showAll shows files whether or not they match.
func (f *files) showAll() {
	f.u.search.only = false
	f.restrict()
}

// toggleOnly shows only the files that match, or all of them again.
func (f *files) toggleOnly() {
	switch s := &f.u.search; {
	case s.only:
		f.showAll()
	case s.active() && !s.busy:
		s.only = true
		f.restrict()
	default:
		f.u.note = "search for something first (" + keyOf(f.u.keys, "find") + ")"
	}
}

// foundNote says how many matches there are.
func (u *ui) foundNote() string {
	if u.search.busy {
		return "searching" + u.th.Glyph.Ellipsis
	}
	_, say := u.search.in.found()
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
