package ui

import (
	"context"
	"fmt"
	"slices"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
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
	typing  bool         // the prompt is open
	waste   bool         // it was opened over the waste
	folds   func()       // puts the waste as it was then
	before  outline.Mark // where things were when it opened
	old     string       // the text then
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
	u.search.typing = true
	if u.files.out != nil {
		u.search.before = u.files.out.Mark()
	}
	u.search.old = u.search.text
	u.search.text = ""
	u.find(nil)
}

// typed looks for what the prompt says now, from where it was opened.
func (u *ui) typed() {
	u.comeBack()
	u.find(func() {
		if u.search.typing {
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

// typeKey is a key while the prompt is open.
func (u *ui) typeKey(ev *tcell.EventKey, name string) {
	s := &u.search
	switch name {
	case "enter":
		s.typing = false
	case "esc":
		s.typing = false
		s.text = s.old
		u.comeBack()
		u.find(func() {})
	case "tab":
		if s.waste {
			return
		}
		s.all = !s.all
		u.typed()
	case "down":
		u.hit(true, false)
	case "up":
		u.hit(false, false)
	case "backspace":
		if s.text == "" {
			s.typing = false
			return
		}
		s.text = withoutLast(s.text)
		u.typed()
	case "ctrl-u":
		s.text = ""
		u.typed()
	default:
		if ev.Key() == tcell.KeyRune {
			s.text += string(ev.Rune())
			u.typed()
		}
	}
}

func withoutLast(s string) string {
	end := 0
	for rest, state := s, -1; rest != ""; {
		end = len(s) - len(rest)
		_, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
	}
	return s[:end]
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
		return "looking" + u.th.glyph.ellipsis
	case s.waste:
		return places(len(u.waste.found)) + " found"
	default:
		return fmt.Sprintf("%d found", len(s.hits))
	}
}

// drawPrompt draws the search on the status line.
func (u *ui) drawPrompt(c canvas) {
	s := &u.search
	found := u.found()
	st := c.th.dim
	switch {
	case s.bad != "":
		found, st = s.bad, c.th.alarm
	case s.text == "":
		found = "text, or ~ and a regular expression"
	case s.busy:
		found = "looking" + c.th.glyph.ellipsis
	case !u.any():
		st = c.th.alarm
		found = "not found"
	}
	scope := "tab: in all layers"
	if s.all {
		scope = "in all layers (tab)"
	}
	x := c.text(1, 0, c.th.accent, "/")
	room := c.w - x - 2
	tail := "  " + found + "  " + c.th.glyph.dot + " " + scope
	if s.waste {
		tail = "  " + found
	}
	if width(tail)+16 > room {
		tail = "  " + found
	}
	if width(tail)+12 > room {
		tail = ""
	}
	x = c.tail(x, 0, max(room-width(tail), 4), c.th.strong, safe(s.text))
	c.g.cursorX, c.g.cursorY = c.x+min(x, c.w-1), c.y
	c.text(x+1, 0, st, tail)
}
