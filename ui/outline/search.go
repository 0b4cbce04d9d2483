package outline

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer/filetree"
)

// Pattern matches names: text that can be anywhere in a name or, after a leading ~, a
// regular expression for the path. Lower case text matches both cases. Text with a
// slash is searched in the whole path.
type Pattern struct {
	text  []byte
	fold  bool
	paths bool
	re    *regexp.Regexp
}

// Compile parses a pattern as typed by a user. Empty text matches nothing.
func Compile(text string) (*Pattern, error) {
	if expr, ok := strings.CutPrefix(text, "~"); ok {
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, fmt.Errorf("reading the regular expression: %w", err)
		}
		if expr == "" {
			return &Pattern{}, nil
		}
		return &Pattern{re: re, paths: true}, nil
	}
	p := &Pattern{text: []byte(text), paths: strings.Contains(text, "/")}
	p.fold = bytes.Equal(bytes.ToLower(p.text), p.text)
	return p, nil
}

// match reports whether the name or path matches.
func (p *Pattern) match(s []byte) bool {
	if p.re != nil {
		return p.re.Match(s)
	}
	if !p.fold {
		return bytes.Contains(s, p.text)
	}
	for i, c := range s {
		if c >= 0x80 {
			return bytes.Contains(bytes.ToLower(s), p.text)
		}
		if lower(c) != p.text[0] || len(s)-i < len(p.text) {
			continue
		}
		k := 1
		for k < len(p.text) && lower(s[i+k]) == p.text[k] {
			k++
		}
		if k == len(p.text) {
			return true
		}
	}
	return false
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// Matches reports whether a text matches that is not a path of a tree.
func (p *Pattern) Matches(s string) bool {
	return (p.re != nil || len(p.text) > 0) && p.match([]byte(s))
}

// Find returns every node of the tree that matches the pattern and that the scope
// shows, in the order of nodes. A scope without a view shows all nodes. Find may run
// while an Outline is in use. It returns nil if ctx is done.
func (p *Pattern) Find(ctx context.Context, t *filetree.Tree, s Scope) []filetree.Node {
	if p.re == nil && len(p.text) == 0 {
		return nil
	}
	var (
		hits []filetree.Node
		text = make([]byte, 0, 256)
		ends []filetree.Node // of the folders above, with the length of their paths
		lens []int
	)
	for n, end := filetree.Root+1, t.End(filetree.Root); n < end; n++ {
		if n&0x3fff == 0 && ctx.Err() != nil {
			return nil
		}
		name := t.Name(n)
		if !p.paths {
			text = append(text[:0], name...)
		} else {
			for len(ends) > 0 && n >= ends[len(ends)-1] {
				ends, lens = ends[:len(ends)-1], lens[:len(lens)-1]
			}
			above := 0
			if len(lens) > 0 {
				above = lens[len(lens)-1]
			}
			text = append(append(text[:above], '/'), name...)
			if e := t.End(n); e > n+1 {
				ends, lens = append(ends, e), append(lens, len(text))
			}
		}
		if p.match(text) && (s.View == nil || s.Shown(t, n)) {
			hits = append(hits, n)
		}
	}
	return hits
}

// NextHit returns the hit after the cursor in the order of rows, or before it, and
// wraps around. It returns None if no hit has a row. Hits must be sorted.
func (o *Outline) NextHit(hits []filetree.Node, forward bool) filetree.Node {
	if !hitIn(o.tree, hits, filetree.Root) {
		return filetree.None
	}
	n := filetree.Root
	if len(o.pos) > 0 {
		n, _ = o.chain(top(o.pos))
		if !forward {
			n = top(o.pos)
		}
	}
	if forward {
		if hit := o.firstHit(hits, n); hit != filetree.None {
			return hit
		}
	}
	for n != filetree.Root {
		up := o.tree.Parent(n)
		kids := o.list(up)
		at := slices.Index(kids, n)
		if forward {
			for _, k := range kids[at+1:] {
				if hit := o.hitAt(hits, k); hit != filetree.None {
					return hit
				}
			}
		} else {
			for i := at - 1; i >= 0; i-- {
				if hit := o.lastHit(hits, kids[i]); hit != filetree.None {
					return hit
				}
			}
			if _, ok := slices.BinarySearch(hits, up); ok && up != filetree.Root {
				return up
			}
		}
		n = up
	}
	if forward {
		return o.firstHit(hits, filetree.Root)
	}
	return o.lastHit(hits, filetree.Root)
}

// hitAt returns the first hit among n and everything below it.
func (o *Outline) hitAt(hits []filetree.Node, n filetree.Node) filetree.Node {
	if !hitIn(o.tree, hits, n) {
		return filetree.None
	}
	if _, ok := slices.BinarySearch(hits, n); ok {
		return n
	}
	return o.firstHit(hits, n)
}

// firstHit returns the first hit below n.
func (o *Outline) firstHit(hits []filetree.Node, n filetree.Node) filetree.Node {
	if !hitIn(o.tree, hits, n) {
		return filetree.None
	}
	for _, k := range o.list(n) {
		if hit := o.hitAt(hits, k); hit != filetree.None {
			return hit
		}
	}
	return filetree.None
}

// lastHit returns the last hit among n and everything below it.
func (o *Outline) lastHit(hits []filetree.Node, n filetree.Node) filetree.Node {
	if !hitIn(o.tree, hits, n) {
		return filetree.None
	}
	kids := o.list(n)
	for i := len(kids) - 1; i >= 0; i-- {
		if hit := o.lastHit(hits, kids[i]); hit != filetree.None {
			return hit
		}
	}
	if _, ok := slices.BinarySearch(hits, n); ok && n != filetree.Root {
		return n
	}
	return filetree.None
}

// In returns where the pattern matches in a displayed name. It returns false for a
// regular expression, which matches whole paths.
func (p *Pattern) In(name string) (from, to int, ok bool) {
	if p == nil || p.re != nil || len(p.text) == 0 {
		return 0, 0, false
	}
	if p.fold {
		lower := strings.ToLower(name)
		if len(lower) != len(name) {
			return 0, 0, false
		}
		name = lower
	}
	i := strings.Index(name, string(p.text))
	return i, i + len(p.text), i >= 0
}
