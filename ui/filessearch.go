package ui

import (
	"context"
	"fmt"
	"slices"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
)

// sequence is what a search has found, in the order in which n goes through it: that of
// the rows, as if all folders were open. In a search of all layers, what the files that
// were shown at first do not have follows, by the layer that first touches it, in the
// order of the rows of that layer's changes.
type sequence struct {
	of     sequenceOf
	nodes  []filetree.Node
	layers []int32 // that show the nodes; -1 for the files that were shown at first
	rank   []int32 // by index in the hits
	began  selection
	then   func() // runs once it is made; nil for nothing
}

// sequenceOf identifies what a sequence was made for.
type sequenceOf struct {
	first    *filetree.Node // of the hits
	scope    outline.Scope  // unless all layers are searched; without its view
	from, to int            // of the view
	all      bool
	order    outline.Order
	rev      bool
	limited  bool
}

// sequence returns the order of what is found. It is made in the background; nil until
// then.
func (f *files) sequence() *sequence {
	s := &f.u.search
	if len(s.hits) == 0 || s.busy {
		return nil
	}
	of := sequenceOf{first: &s.hits[0], all: s.all, limited: f.limited}
	of.order, of.rev = f.out.Order()
	if !s.all {
		of.scope = f.out.Scope()
		of.from, of.to = of.scope.View.From, of.scope.View.To
		of.scope.View = nil
	}
	if f.seq.of == of {
		return f.made(of)
	}
	if f.stop != nil {
		f.stop()
	}
	ctx, stop := context.WithCancel(context.Background())
	f.stop, f.seq = stop, sequence{of: of}
	hits, here, began := s.hits, f.out.Sequence(s.hits), f.u.sel
	f.u.do.work(func(outer context.Context) func() {
		defer context.AfterFunc(outer, stop)()
		made := sequence{of: of, began: began, nodes: []filetree.Node{}, rank: make([]int32, len(hits))}
		for i := range made.rank {
			made.rank[i] = -1
		}
		add := func(seq []int32, of []filetree.Node, layer int32) {
			for _, i := range seq {
				at, _ := slices.BinarySearch(hits, of[i])
				made.rank[at] = int32(len(made.nodes))
				made.nodes, made.layers = append(made.nodes, of[i]), append(made.layers, layer)
			}
		}
		add(here(ctx), hits, -1)
		if of.all {
			byLayer := make([][]filetree.Node, f.tree.Layers())
			for i, n := range hits {
				if i&0x3fff == 0 && ctx.Err() != nil {
					return nil
				}
				if events := f.tree.History(n); made.rank[i] < 0 && len(events) > 0 {
					byLayer[events[0].Layer] = append(byLayer[events[0].Layer], n)
				}
			}
			for l, nodes := range byLayer {
				if len(nodes) > 0 {
					out := outline.New(f.tree)
					out.SetOrder(of.order, of.rev)
					out.Show(f.tree.View(l-1, l), false)
					add(out.Sequence(nodes)(ctx), nodes, int32(l))
				}
			}
		}
		return func() {
			if ctx.Err() != nil {
				return
			}
			then := f.seq.then
			f.seq = made
			if hits := s.hits; then != nil && len(hits) > 0 && &hits[0] == of.first {
				then()
			}
		}
	})
	return f.made(of)
}

// made returns the sequence, once it is made.
func (f *files) made(of sequenceOf) *sequence {
	if f.seq.of != of || f.seq.nodes == nil {
		return nil
	}
	return &f.seq
}

// hitsHere returns the indices of the hits in the row of the cursor, the lowest folder first.
func (f *files) hitsHere() (at []int) {
	r, ok := f.out.Cursor()
	for n := r.Node; ok; n = f.tree.Parent(n) {
		if i, is := slices.BinarySearch(f.u.search.hits, n); is {
			at = append(at, i)
		}
		if n == r.Top {
			break
		}
	}
	return at
}

func (f *files) found() (int, string) {
	n := len(f.u.search.hits)
	return n, fmt.Sprintf("%d found", n)
}

// manyHits is how many hits are put in sequence at most for each letter of a search.
const manyHits = 20_000

func (f *files) nth() int {
	if f.u.typing() && len(f.u.search.hits) > manyHits {
		return 0 // their sequence takes longer than to find them
	}
	s, at := f.sequence(), f.hitsHere()
	if s == nil || len(at) == 0 {
		return 0
	}
	return int(s.rank[at[0]]) + 1
}

func (f *files) hit(forward, here bool) {
	hits, at := f.u.search.hits, f.hitsHere()
	if len(hits) == 0 || here && len(at) > 0 {
		return
	}
	next := f.out.NextHit(hits, forward)
	if !f.u.search.all {
		if next != filetree.None {
			f.out.GoTo(next)
		}
		return
	}
	s := f.sequence()
	if s == nil {
		f.seq.then = func() { f.hit(forward, here) }
		return
	}
	if len(s.nodes) == 0 {
		return
	}
	i := 0
	switch {
	case len(at) == 0 && next != filetree.None:
		f.out.GoTo(next)
		return
	case len(at) == 0:
	case forward:
		i = int(s.rank[at[0]]) + 1
	default:
		i = int(s.rank[at[len(at)-1]]) - 1 + len(s.nodes)
	}
	i %= len(s.nodes)
	f.reveal(s.nodes[i], int(s.layers[i]))
}

// reveal puts the cursor on n, in the layer that shows it when the present view does not.
func (f *files) reveal(n filetree.Node, layer int) {
	if f.out.GoTo(n) {
		return
	}
	f.out.SetMarks(outline.AllMarks)
	switch {
	case f.u.two != nil:
		f.goTo(n, newSide, true)
	case layer >= 0:
		f.goTo(n, layer, false)
	default: // it was shown where the search began
		f.goTo(n, f.seq.began.layer, f.seq.began.whole)
	}
}
