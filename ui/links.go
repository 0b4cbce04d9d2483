package ui

import (
	"errors"
	"fmt"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/ui/screen"
)

// leadsTo returns the path that the symlink n leads to after a layer, through other
// symlinks, and if there is none the reason.
func leadsTo(t *filetree.Tree, n filetree.Node, at int) (to filetree.Node, why string) {
	to, err := t.Resolve(t.Path(n), at, true)
	if err == nil {
		return to, ""
	}
	var e *filetree.MissingError
	if !errors.As(err, &e) {
		return filetree.None, "nowhere: " + safe(strings.TrimPrefix(err.Error(), t.Path(n)+": "))
	}
	why = safe(e.Path)
	if dir, _, _ := strings.Cut(strings.TrimPrefix(e.Path, "/"), "/"); dir == "proc" || dir == "sys" || dir == "dev" || dir == "run" {
		return filetree.None, why + ", which only a running container has"
	}
	switch {
	case e.RemovedBy >= 0:
		why += fmt.Sprintf(", which layer %d removed", e.RemovedBy)
	case e.AddedBy >= 0:
		why += fmt.Sprintf(", which layer %d adds", e.AddedBy)
	default:
		why += ", which does not exist"
	}
	return filetree.None, why
}

// followLink goes to what the symlink n leads to, as of the state that is shown.
func (f *files) followLink(n filetree.Node) {
	v := f.out.Scope().View
	_, at := f.u.shownAt(target{n, v.From, v.To})
	name := safe(f.tree.Path(n))
	switch to, why := leadsTo(f.tree, n, at); {
	case to == filetree.None && strings.HasPrefix(why, "nowhere"):
		f.u.note = name + " leads " + why
	case to == filetree.None:
		f.u.note = name + " leads to " + why
	case to == filetree.Root:
		f.u.note = name + " leads to the root of the image"
	default:
		f.jumpTo(to, at)
		if f.u.note == "" {
			f.u.note = name + " leads to " + safe(f.tree.Path(to))
		}
	}
}

// jumpTo goes to a path that exists after layer at. If what is shown includes the path,
// the same is shown afterwards; otherwise everything up to that layer.
func (f *files) jumpTo(n filetree.Node, at int) {
	s, sel := f.out.Scope(), f.u.sel
	if !s.Shown(f.tree, n) {
		f.u.goTo(n, at, true)
		return
	}
	f.u.goTo(n, sel.layer, sel.whole)
	if sel.compares() {
		f.u.sel.marked = sel.marked
		f.follow()
		f.out.GoTo(n)
	}
}

// linkField says where the symlink n leads; enter on the line follows it.
func (f *files) linkField(p *screen.Page, n filetree.Node, at int) {
	to, why := leadsTo(f.tree, n, at)
	if to == filetree.None {
		p.Field("leads to", why, p.Theme.Again)
		return
	}
	from := len(p.Lines)
	p.Field("leads to", safe(f.tree.Path(to)), p.Theme.Link)
	for i := range p.Lines[from:] {
		p.Lines[from+i].Go = func() { f.followLink(n) }
	}
}

// otherNames lists the other names of a file after a layer; enter on one goes there.
func (f *files) otherNames(p *screen.Page, n filetree.Node, c filetree.Content, at int) {
	const (
		listed  = 12
		counted = 10_000 // the page is made for every frame
	)
	if c == filetree.NoContent || !f.tree.Linked(c) {
		return
	}
	total, first := 0, f.tree.FirstName(c, at)
	for name := range f.tree.EachName(c, at) {
		if name == n {
			continue
		}
		if total++; total == 1 {
			p.Blank()
			p.Title("Other names (hard links)")
		}
		if total == counted {
			break
		}
		if total > listed {
			continue
		}
		from := len(p.Lines)
		text := safe(f.tree.Path(name))
		if name == first {
			text += "  (its size counts there)"
		}
		p.Wrap(0, text, p.Theme.Link)
		for i := range p.Lines[from:] {
			p.Lines[from+i].Value = safe(f.tree.Path(name))
			p.Lines[from+i].Go = func() { f.jumpTo(name, at) }
		}
	}
	switch {
	case total == counted:
		p.Wrap(0, fmt.Sprintf("and more than %d others", counted-listed-1), p.Theme.Dim)
	case total > listed:
		p.Wrap(0, fmt.Sprintf("and %d more", total-listed), p.Theme.Dim)
	}
}
