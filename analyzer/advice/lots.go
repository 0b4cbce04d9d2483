package advice

import (
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// warnBytes is from how many bytes on a finding about size is a warning.
const warnBytes = 1_000_000

// size formats a number of bytes for a title.
func size(n int64) string { return humanize.Bytes(uint64(n)) }

// tops returns for each node the outermost path at or above it for which is returns
// true, None if there is none.
func (im *image) tops(is func(filetree.Node) bool) []filetree.Node {
	tops := make([]filetree.Node, im.tree.Len())
	tops[filetree.Root] = filetree.None
	for n := filetree.Root + 1; int(n) < len(tops); n++ {
		top := tops[im.tree.Parent(n)]
		if top == filetree.None && is(n) {
			top = n
		}
		tops[n] = top
	}
	return tops
}

// inside returns the element of tops for the path of content, and None if the
// content also has a name outside: then it stays without those paths.
func (im *image) inside(tops []filetree.Node, c filetree.Content, s filetree.Stored) filetree.Node {
	top := tops[s.Node]
	if top == filetree.None || !im.tree.Linked(c) {
		return top
	}
	for _, i := range []int{s.Layer, im.last()} {
		for _, n := range im.tree.Names(c, i) {
			if tops[n] == filetree.None {
				return filetree.None
			}
		}
	}
	return top
}

// lot is what one finding claims: content of one kind that one layer stores.
type lot struct {
	*finding
	kind, layer int
	tops        []filetree.Node // its places, each once
	removedBy   int             // a later layer that removes some of it, or -1
}

// lots claims the content for which pick returns a place, which is the content's
// path or a folder above it, and puts content of the same kind and layer together.
func (im *image) lots(pick func(filetree.Content, filetree.Stored) (place filetree.Node, kind int)) []*lot {
	var all []*lot
	at := map[[2]int]*lot{}
	for c := range filetree.Content(im.tree.Contents()) {
		s := im.tree.Stored(c)
		if im.claimed[c] || s.Bytes == 0 {
			continue
		}
		place, kind := pick(c, s)
		if place == filetree.None {
			continue
		}
		k := [2]int{kind, s.Layer}
		l := at[k]
		if l == nil {
			l = &lot{im.newFinding("", facts.Fix{}), kind, s.Layer, nil, -1}
			at[k] = l
			all = append(all, l)
		}
		if s.Cause == filetree.Deleted && s.HiddenBy > s.Layer {
			l.removedBy = s.HiddenBy
		}
		before := len(l.places)
		l.claim(place, c, s.Bytes)
		if len(l.places) > before {
			l.tops = append(l.tops, place)
		}
	}
	for _, l := range all {
		slices.Sort(l.tops)
		l.tops = slices.Compact(l.tops)
		if l.Bytes < warnBytes {
			l.Severity = facts.SeverityInfo
		}
	}
	return all
}

// findings returns the findings of lots.
func findings(all []*lot) []*finding {
	var out []*finding
	for _, l := range all {
		out = append(out, l.finding)
	}
	return out
}

// step returns the step that made layer i.
func (im *image) step(i int) *step {
	if im.parsed == nil {
		im.parsed = map[int]*step{}
	}
	s := im.parsed[i]
	if s == nil {
		p := parseStep(im.command(i))
		s = &p
		im.parsed[i] = s
	}
	return s
}

// isDir reports whether any layer shows children of n.
func (im *image) isDir(n filetree.Node) bool { return im.tree.End(n) > n+1 }

// hasChild reports whether n has a child of that name, in any layer.
func (im *image) hasChild(n filetree.Node, name string) bool {
	_, ok := im.tree.Child(n, name)
	return ok
}

// under reports whether the path of n ends in the given names, the last one first.
// The path must not have others if rooted is set.
func (im *image) under(n filetree.Node, names []string, rooted bool) bool {
	for _, name := range names {
		if n <= filetree.Root || im.tree.Name(n) != name {
			return false
		}
		n = im.tree.Parent(n)
	}
	return !rooted || n == filetree.Root
}

// runLines returns a RUN with flags and a script, as lines of a Dockerfile.
func runLines(flags []string, script string) []string {
	head := strings.Join(append([]string{"RUN"}, flags...), " ")
	if !strings.Contains(script, "\n") {
		if len(flags) == 0 {
			return []string{head + " " + script}
		}
		return []string{head + ` \`, "    " + script}
	}
	lines := strings.Split(strings.TrimRight(script, "\n"), "\n")
	end := "EOF"
	for slices.Contains(lines, end) {
		end += "_"
	}
	return slices.Concat([]string{head + " <<" + end}, lines, []string{end})
}
