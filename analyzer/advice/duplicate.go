package advice

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

const (
	leastGain     = 1e6     // bytes that the copies of something must take together,
	leastPart     = 1000    // and the part of the image that they must be
	leastShare    = 16      // the part of that which each copy must be
	smallPart     = 200     // the part of the image that a finding of its own saves
	manyCopies    = 25e6    // bytes of a finding that is a warning
	maxDuplicates = 50      // findings; one more has the rest
	maxLinked     = 10      // copies that get a line to paste
	maxSteps      = 8       // times the size of the tree, for counting what is gained
	startSize     = 4 << 10 // bytes of a file that are compared before all others
)

func duplicateContent() Rule {
	return Rule{
		Name:     "duplicate-content",
		Severity: facts.SeverityInfo,
		Means:    "The image shows the same files, or whole folders of them, at several paths.",
		Why:      "Each copy takes the same space again, and none of it is waste: every copy is visible.",
		Fix:      "Store the content once. In one step, `ln` makes a hard link to a file of the same owner and mode, which takes no space. A hard link to a file of a lower layer stores the file again, so there use a symbolic link, or do not copy.",
		Not:      "Hard links, and copies that take less than 1 MB, or a 1000th of the image, together. What saves less than a 200th of the image is one finding. Files of the distribution's packages are never the copies that should go. Less than 25 MB are of severity info: a program may need a copy rather than a link.",
		reads:    true,
		find:     (*image).duplicates,
	}
}

// copies are files, or folders, that may be equal: first those of equal size, in the
// end those of equal content.
type copies struct {
	size  int64 // of each
	nodes []filetree.Node
}

// comparing finds out which files and folders are equal. What a file or folder is
// known to hold is its key. A folder's key is made of the names and keys of what is
// in it, so that one pass over the tree compares all folders.
type comparing struct {
	*image
	seed maphash.Seed
	keys []uint64 // by node
	full map[filetree.Content]layer.Hash
	part map[filetree.Content]layer.Hash // of the start; of other content all is known
}

// comparing returns what compares content, of which nothing is known yet.
func (im *image) comparing() *comparing {
	return &comparing{image: im, seed: maphash.MakeSeed(), full: map[filetree.Content]layer.Hash{}, part: map[filetree.Content]layer.Hash{}}
}

// duplicates compares sizes and names first, then the start of what can still be
// equal, and in the end the whole content.
func (im *image) duplicates() ([]*finding, error) {
	sets := im.equalSizes()
	if len(sets) == 0 {
		return nil, nil
	}
	c := im.comparing()
	c.keys = make([]uint64, im.tree.Len())
	sets = c.split(sets, func(filetree.Content) uint64 { return 0 })
	for _, n := range []int64{startSize, math.MaxInt64} {
		contents, hashed := c.unknown(sets)
		if hashed && n == startSize && len(contents) > 0 {
			continue // the start of a file can't be compared with a hash of all
		}
		if err := c.read(contents, n); err != nil {
			return nil, err
		}
		sets = c.split(sets, c.known)
		if len(contents) == 0 {
			break // all of it was known
		}
	}
	return im.duplicateFindings(sets), nil
}

// equalSizes returns the files of equal size, and the folders with equal sizes and
// numbers of files, that may be worth a finding.
func (im *image) equalSizes() []copies {
	type key struct {
		size  int64
		files int // 0 for a file
	}
	found := map[key][]filetree.Node{}
	last := im.last()
	if last < 0 {
		return nil
	}
	v := im.tree.View(last-1, last)
	least := im.leastGain() / leastShare
	for n := filetree.Root + 1; int(n) < im.tree.Len(); {
		s, ok := im.tree.At(n, last)
		switch {
		case !ok:
			n = im.tree.End(n)
			continue
		case s.Kind == layer.Dir:
			sum := v.Sum(n)
			if sum.Size < least {
				n = im.tree.End(n)
				continue
			}
			k := key{sum.Size, sum.Files}
			found[k] = append(found[k], n)
		case s.Kind == layer.File && s.Size >= least && !im.claimed[s.Content] && im.tree.FirstName(s.Content, last) == n:
			k := key{size: s.Size}
			found[k] = append(found[k], n)
		}
		n++
	}
	var sets []copies
	for k, nodes := range found {
		if im.worthwhile(k.size, len(nodes)) {
			sets = append(sets, copies{k.size, nodes})
		}
	}
	return sets
}

// leastGain returns the bytes that the copies of something must take together.
func (im *image) leastGain() int64 {
	return max(leastGain, im.report.Totals.StoredBytes/leastPart)
}

func (im *image) worthwhile(size int64, copies int) bool {
	return copies > 1 && size >= im.leastGain()/int64(copies-1)
}

// split sets the keys of all files and folders in sets, with the keys of files given
// by file, and returns the sets of nodes with equal keys.
func (c *comparing) split(sets []copies, file func(filetree.Content) uint64) []copies {
	c.each(sets, func(top filetree.Node) {
		for n := top; n < c.tree.End(top); n++ {
			c.keys[n] = 0
		}
		for n := c.tree.End(top) - 1; n >= top; n-- {
			s, ok := c.tree.At(n, c.last())
			if !ok {
				continue
			}
			key := mix(c.keys[n], uint64(s.Kind)) // of a folder: the sum of what is in it
			switch s.Kind {
			case layer.File:
				key = mix(key, uint64(s.Size), file(s.Content))
			case layer.Symlink, layer.Link:
				key = mix(key, maphash.String(c.seed, s.Target))
			case layer.Char, layer.Block:
				key = mix(key, uint64(s.Major), uint64(s.Minor))
			}
			c.keys[n] = key
			if n > top {
				c.keys[c.tree.Parent(n)] += mix(key, maphash.String(c.seed, c.tree.Name(n)))
			}
		}
	})
	var out []copies
	for _, set := range sets {
		equal := map[uint64][]filetree.Node{}
		for _, n := range set.nodes {
			equal[c.keys[n]] = append(equal[c.keys[n]], n)
		}
		for _, nodes := range equal {
			if c.worthwhile(set.size, len(nodes)) {
				out = append(out, copies{set.size, nodes})
			}
		}
	}
	return out
}

// mix returns a hash of numbers.
func mix(numbers ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, n := range numbers {
		hi, lo := bits.Mul64(h^n, 0xd6e8feb86659fd93)
		h = (hi ^ lo) + 0x9e3779b97f4a7c15
	}
	return h
}

// each calls do for each node in sets that is not below another one.
func (c *comparing) each(sets []copies, do func(top filetree.Node)) {
	var tops []filetree.Node
	for _, set := range sets {
		tops = append(tops, set.nodes...)
	}
	slices.Sort(tops)
	end := filetree.Root
	for _, n := range tops {
		if n >= end {
			do(n)
			end = c.tree.End(n)
		}
	}
}

// unknown returns the content of all files in sets whose hash is not known. hashed
// reports whether it is known for others.
func (c *comparing) unknown(sets []copies) (contents []filetree.Content, hashed bool) {
	c.each(sets, func(top filetree.Node) {
		for n := top; n < c.tree.End(top); n++ {
			s, ok := c.tree.At(n, c.last())
			if !ok || s.Kind != layer.File || s.Size == 0 {
				continue
			}
			if _, _, known := c.tree.Hash(s.Content); known {
				hashed = true
				continue
			}
			if _, known := c.full[s.Content]; !known {
				contents = append(contents, s.Content)
			}
		}
	})
	slices.Sort(contents) // of all layers, each from its start
	return slices.Compact(contents), hashed
}

// read hashes the first n bytes of each content.
func (c *comparing) read(contents []filetree.Content, n int64) error {
	sums, ok, err := c.a.Sums(c.ctx, contents, n)
	if err != nil {
		return err
	}
	for i, x := range contents {
		switch {
		case !ok[i]:
		case c.tree.Stored(x).Bytes <= n:
			c.full[x] = sums[i]
		default:
			c.part[x] = sums[i]
		}
	}
	return nil
}

// known returns a number that is equal for contents of the same size whose known
// bytes are equal.
func (c *comparing) known(x filetree.Content) uint64 {
	h, table, ok := c.tree.Hash(x)
	if !ok {
		h, ok = c.full[x]
	}
	kind := uint64(0)
	if table {
		kind = 1
	}
	if !ok {
		kind = 2
		if h, ok = c.part[x]; !ok && c.tree.Stored(x).Bytes > 0 {
			return mix(3, uint64(x)) // it can't be read
		}
	}
	return maphash.Bytes(c.seed, h[:]) + kind
}

// duplicateFindings returns the findings about sets of equal files and folders.
func (im *image) duplicateFindings(sets []copies) []*finding {
	for _, s := range sets {
		slices.SortFunc(s.nodes, func(a, b filetree.Node) int {
			return cmp.Or(cmp.Compare(im.layerOf(a), im.layerOf(b)), cmp.Compare(a, b))
		})
	}
	// A folder comes before what is in it.
	slices.SortFunc(sets, func(a, b copies) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(slices.Min(a.nodes), slices.Min(b.nodes)))
	})
	gone := make([]bool, im.tree.Len()) // copies, and what is in them
	var out []*finding
	var rest *finding
	more := 0
	steps := maxSteps * im.tree.Len()
	for _, set := range sets {
		nodes := slices.DeleteFunc(set.nodes, func(n filetree.Node) bool { return gone[n] })
		for _, n := range nodes {
			steps -= int(im.tree.End(n) - n)
		}
		if len(nodes) < 2 || steps < 0 {
			continue
		}
		nodes, parts := im.gains(nodes)
		gain := int64(0)
		for _, p := range parts {
			gain += im.tree.Stored(p.content).Bytes
		}
		if gain < im.leastGain() {
			continue
		}
		f := rest
		if len(out) < maxDuplicates && gain >= im.report.Totals.StoredBytes/smallPart {
			f = im.duplicate(nodes)
			out = append(out, f)
		} else if f == nil {
			rest = im.newFinding("", facts.Fix{Text: "store each of them once, and link to it"})
			f = rest
		}
		if f == rest {
			more += len(nodes) - 1
		}
		for _, p := range parts {
			f.claim(p.node, p.content, im.tree.Stored(p.content).Bytes)
		}
		for _, n := range nodes[1:] {
			for i := n; i < im.tree.End(n); i++ {
				gone[i] = true
			}
		}
	}
	if rest != nil {
		rest.Title = fmt.Sprintf("%s or folders are stored elsewhere too", count(more, "other file"))
		out = append(out, rest)
	}
	for _, f := range out {
		if f.Bytes >= manyCopies {
			f.Severity = facts.SeverityWarn
		}
	}
	return out
}

// freed is content that is gone without a copy.
type freed struct {
	node    filetree.Node
	content filetree.Content
}

// gains returns the copies, the one that is to stay first, and the content that is
// gone without the others. The one that stays is one that can't go: one with names
// elsewhere, or else the lowest. Others that can't go are left out.
func (im *image) gains(nodes []filetree.Node) ([]filetree.Node, []freed) {
	gain := map[filetree.Node]int64{}
	content := map[filetree.Node][]filetree.Content{}
	for _, n := range nodes {
		content[n] = im.below(n)
		for _, c := range content[n] {
			gain[n] += im.tree.Stored(c).Bytes
		}
	}
	slices.SortStableFunc(nodes, func(a, b filetree.Node) int { return cmp.Compare(gain[a], gain[b]) })
	out := nodes[:1]
	var parts []freed
	for _, n := range nodes[1:] {
		if gain[n] == 0 {
			continue
		}
		out = append(out, n)
		for _, c := range content[n] {
			parts = append(parts, freed{n, c})
		}
	}
	return out, parts
}

// below returns the content that is gone without n: what n or what is below it shows,
// unless a name elsewhere shows it too or an earlier finding has claimed it. It returns
// none if a package of the distribution has files there: these stay where they are.
func (im *image) below(n filetree.Node) []filetree.Content {
	var out []filetree.Content
	seen := map[filetree.Content]bool{}
	for i := n; i < im.tree.End(n); i++ {
		s, ok := im.tree.At(i, im.last())
		if !ok || s.Content == filetree.NoContent || im.claimed[s.Content] || seen[s.Content] {
			continue
		}
		if im.distributed(s.Content) {
			return nil
		}
		if !im.tree.Linked(s.Content) {
			out = append(out, s.Content)
			continue
		}
		seen[s.Content] = true
		elsewhere := func(name filetree.Node) bool { return name < n || name >= im.tree.End(n) }
		if !slices.ContainsFunc(im.tree.Names(s.Content, im.last()), elsewhere) {
			out = append(out, s.Content)
		}
	}
	return out
}

// layerOf returns the layer that stores a file, or the entry of a folder.
func (im *image) layerOf(n filetree.Node) int {
	s, _ := im.tree.At(n, im.last())
	if s.Content != filetree.NoContent {
		return im.tree.Stored(s.Content).Layer
	}
	return s.Layer
}

// duplicate returns an empty finding about equal files or folders, of which the first
// is to stay.
func (im *image) duplicate(nodes []filetree.Node) *finding {
	kept, _ := im.tree.At(nodes[0], im.last())
	what, same := "file", "has the same content as"
	if kept.Kind == layer.Dir {
		what, same = "folder", "holds the same files as"
	}
	title := fmt.Sprintf("%s %s %s", im.tree.Path(nodes[1]), same, im.tree.Path(nodes[0]))
	if n := len(nodes) - 1; n > 1 {
		title = fmt.Sprintf("%s are the same as %s", count(n, "other "+what), im.tree.Path(nodes[0]))
	}
	fix := facts.Fix{Text: "replace the copies by links at the end of the step that stores them"}
	to, ok := shellWord(im.tree.Path(nodes[0]))
	first := im.layerOf(nodes[0])
	var links []string // commands for the end of the step
	for _, n := range nodes[1:] {
		at, fits := shellWord(im.tree.Path(n))
		ok = ok && fits
		s, _ := im.tree.At(n, im.last())
		alike := s.Mode == kept.Mode && s.UID == kept.UID && s.GID == kept.GID && s.Xattrs == kept.Xattrs
		switch i := im.layerOf(n); {
		case i != first || !strings.HasPrefix(facts.Command(im.command(i)), "RUN "):
			fix.Text = "do not store the copies; link to the first instead"
			fix.Lines = append(fix.Lines, fmt.Sprintf("RUN ln -s %s %s", to, at))
		case kept.Kind == layer.Dir:
			links = append(links, fmt.Sprintf("rm -r %[2]s && ln -s %[1]s %[2]s", to, at))
		case alike:
			links = append(links, fmt.Sprintf("ln -f %s %s", to, at)) // a hard link
		default:
			links = append(links, fmt.Sprintf("ln -sf %s %s", to, at))
		}
	}
	if len(links) > 0 {
		step := im.followed(first, links...)
		ok = ok && step != nil
		fix.Lines = append(step, fix.Lines...)
	}
	if !ok || len(nodes)-1 > maxLinked {
		fix.Lines = nil
	}
	return im.newFinding(title, fix)
}
