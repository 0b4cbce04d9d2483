package ui

import (
	"context"
	"fmt"
	"slices"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
	"fathom/ui/screen"
)

// search is what a person looks for in the tree, and what was found.
type search struct {
	text    string
	all     bool // in all layers, not only in what is shown
	pattern *outline.Pattern
	bad     string          // why the text is no pattern
	hits    []filetree.Node // sorted
	busy    bool
	cancel  context.CancelFunc
	prompt  *screen.Prompt // that asks for the text, or did
	waste   bool           // it was opened over the waste
	folds   func()         // puts the waste as it was then
	before  outline.Mark   // where things were when it opened
}

func (s *search) active() bool { return s != nil && s.text != "" && s.pattern != nil }

// find starts to look for the text anew; done runs in the UI when it is found.
func (u *ui) find(done func()) {
	s := &u.search
	if s.cancel != nil {
		s.cancel()
	}
	s.hits, s.bad, s.busy = nil, "", false
	u.findWaste()
	p, err := outline.Compile(s.text)
	if err != nil {
		s.pattern, s.bad = nil, err.Error()
		return
	}
	s.pattern = p
	if s.text == "" || u.files.out == nil && !s.waste {
		return
	}
	var scope outline.Scope
	if !s.all && !s.waste {
		scope = u.files.out.Scope()
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel, s.busy = cancel, true
	u.do.work(func(outer context.Context) func() {
		defer context.AfterFunc(outer, cancel)()
		hits := p.Find(ctx, u.tree, scope)
		return func() {
			if ctx.Err() != nil {
				return // another search took its place
			}
			s.hits, s.busy = hits, false
			u.findWaste()
			done()
		}
	})
}

// openSearch opens the prompt; the cursor follows what is typed.
func (u *ui) openSearch() {
	switch {
	case u.files.saved && !u.showWaste:
		u.toggleWaste()
	case u.files.out == nil && !u.files.saved:
		return
	}
	u.search.waste = u.showWaste
	if u.showWaste {
		u.search.folds = u.waste.mark()
	}
	u.setFocus(filesPane)
	if u.files.out != nil {
		u.search.before = u.files.out.Mark()
	}
	old := u.search.text
	u.search.text = ""
	u.find(nil)
	u.search.prompt = &screen.Prompt{
		Label: "/", Note: u.promptNote, Extra: u.promptExtra,
		Changed: func(text string) {
			u.search.text = text
			u.typed()
		},
		Done: func(_, key string) {
			if key == "esc" {
				u.search.text = old
				u.comeBack()
				u.find(func() {})
			}
		},
	}
	u.prompt = u.search.prompt
}

// typing reports whether the search's prompt is open.
func (u *ui) typing() bool { return u.prompt != nil && u.prompt == u.search.prompt }

// typed looks for what the prompt says now, from where it was opened.
func (u *ui) typed() {
	u.comeBack()
	u.find(func() {
		if u.typing() {
			u.comeBack()
		}
		u.hit(true, true)
	})
}

// comeBack goes to where things were when the prompt opened.
func (u *ui) comeBack() {
	if u.search.waste {
		u.search.folds()
		return
	}
	u.files.out.Restore(u.search.before)
}

// hit goes to the next or previous hit; with here the row under the cursor will do.
func (u *ui) hit(forward, here bool) {
	s, out := &u.search, u.files.out
	if s.waste {
		u.hitWaste(forward, here)
		return
	}
	if out == nil || len(s.hits) == 0 {
		return
	}
	r, ok := out.Cursor()
	if here && ok {
		if i, _ := slices.BinarySearch(s.hits, r.Top); i < len(s.hits) && s.hits[i] <= r.Node {
			return
		}
	}
	if !s.all {
		if n := out.NextHit(s.hits, forward); n != filetree.None {
			out.GoTo(n)
		}
		return
	}
	// In all layers: by path, since there is no one order of rows.
	i := 0
	if ok {
		var exact bool
		i, exact = slices.BinarySearch(s.hits, r.Node)
		if !forward {
			i--
		} else if exact {
			i++
		}
	}
	u.reveal(s.hits[(i+len(s.hits))%len(s.hits)])
}

// reveal puts the cursor on n, in the nearest layer that touched it when the
// present view does not show it.
func (u *ui) reveal(n filetree.Node) {
	if u.files.out.GoTo(n) {
		return
	}
	layer, far := -1, 0
	for _, e := range u.tree.History(n) {
		d := e.Layer - u.files.layer
		if d < 0 {
			d = -d
		}
		if layer < 0 || d <= far {
			layer, far = e.Layer, d
		}
	}
	if layer >= 0 {
		u.files.marked = -1
		u.selectLayer(layer)
		u.files.show(layer, false)
		u.files.out.SetMarks(outline.AllMarks)
		u.files.out.GoTo(n)
	}
}

// lookHere looks for the same in the waste or the files, whichever is there now.
func (u *ui) lookHere() {
	u.search.waste = u.showWaste
	u.find(func() {
		u.setFocus(filesPane)
		u.hit(true, true)
	})
}

// any is whether the search found something where it looked.
func (u *ui) any() bool {
	if u.search.waste {
		return len(u.waste.found) > 0
	}
	return len(u.search.hits) > 0
}

// found is how much the search found, in words.
func (u *ui) found() string {
	switch s := &u.search; {
	case s.busy:
		return "looking" + u.th.Glyph.Ellipsis
	case s.waste:
		return places(len(u.waste.found)) + " found"
	default:
		return fmt.Sprintf("%d found", len(s.hits))
	}
}

// promptNote is what the prompt says behind the text.
func (u *ui) promptNote() (note, more string, alarm bool) {
	s := &u.search
	if !s.waste {
		more = "  " + u.th.Glyph.Dot + " tab: in all layers"
		if s.all {
			more = "  " + u.th.Glyph.Dot + " in all layers (tab)"
		}
	}
	switch {
	case s.bad != "":
		return s.bad, more, true
	case s.text == "":
		return "text, or ~ and a regular expression", more, false
	case !s.busy && !u.any():
		return "not found", more, true
	}
	return u.found(), more, false
}

// promptExtra takes the keys of the prompt that don't edit it.
func (u *ui) promptExtra(key string) bool {
	switch key {
	case "tab":
		if !u.search.waste {
			u.search.all = !u.search.all
			u.typed()
		}
	case "down", "up":
		u.hit(key == "down", false)
	default:
		return false
	}
	return true
}
