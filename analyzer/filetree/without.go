package filetree

import (
	"iter"

	"fathom/analyzer/layer"
)

// Without describes content c as it would be if the image had no path for which gone
// returns true, and nothing else changed: what these paths hid stays hidden. place is
// the path at which the content counts: the first one that shows it, or Lost. Without
// returns false if no path would store or show the content.
func (t *Tree) Without(c Content, gone func(Node) bool) (s Stored, place Node, ok bool) {
	s = t.Stored(c)
	if !t.pieces[c].linked {
		return s, s.Node, !gone(s.Node)
	}
	first, left := None, !gone(s.Node)
	hidden, lost := int16(s.Layer), s.Node // if no path that is left shows it after its layer
	for _, n := range t.linkNames[c] {
		if gone(Node(n)) {
			continue
		}
		left = true
		shows := false
		from, to := t.history(Node(n))
		for v := from; v < to; v++ {
			now := t.versions[v].content() == c && t.versions[v].alive()
			if at := t.versions[v].layer; shows && !now && (at > hidden || at == hidden && lost != s.Node) {
				hidden, lost = at, Node(n)
			}
			shows = now
		}
		if shows && first == None {
			first = Node(n)
		}
	}
	switch {
	case !left:
		return s, None, false
	case first != None:
		return s, first, true
	case s.Cause != Visible && s.HiddenBy == int(hidden) && !gone(s.Lost):
		return s, s.Lost, true
	}
	s.HiddenBy, s.Lost = int(hidden), lost
	s.Cause = t.causeOf(c, int32(lost), hidden)
	return s, lost, true
}

// Links returns every path that shows content c after some layer, and the path of its
// entry. For content with one name that is one path.
func (t *Tree) Links(c Content) []Node {
	p := &t.pieces[c]
	out := []Node{Node(p.node)}
	if p.linked {
		for _, n := range t.linkNames[c] {
			if n != p.node {
				out = append(out, Node(n))
			}
		}
	}
	return out
}

// Version is what a layer did to a path: what the path shows from then on or, if it was
// removed, showed before.
type Version struct {
	Mark    Mark // against what lower layers showed
	Kind    layer.Kind
	Content Content
}

// Versions returns what each layer did to n, the bottom layer first.
func (t *Tree) Versions(n Node) iter.Seq2[int, Version] {
	return func(yield func(int, Version) bool) {
		from, to := t.history(n)
		for i := from; i < to; i++ {
			v, before := &t.versions[i], t.before(n, i)
			if v.layer < 0 {
				continue // the implied root, which comes from no layer
			}
			mark, _ := t.compare(before, i)
			if !v.alive() && before >= 0 {
				v = &t.versions[before]
			}
			if !yield(int(t.versions[i].layer), Version{mark, v.kind, v.content()}) {
				return
			}
		}
	}
}
