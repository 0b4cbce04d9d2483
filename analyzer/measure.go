package analyzer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// measure returns the report of an image. checked holds Layer.Checked for each
// layer.
func measure(img *Image, t *filetree.Tree, warnings []facts.Warning, checked []string) (*facts.Report, error) {
	r := &facts.Report{
		Schema: facts.Schema,
		Image:  describe(img),
		Layers: make([]facts.Layer, len(img.Layers)),
		Waste:  []facts.Waste{},
	}
	steps, layerSteps, warning := history(img)
	r.History = steps
	if warning != "" {
		warnings = append(warnings, facts.Warning{Layer: -1, Text: warning})
	}
	r.Warnings = append([]facts.Warning{}, warnings...) // never nil

	compressed := true
	for i, l := range img.Layers {
		lr := &r.Layers[i]
		lr.Index = i
		lr.DiffID, lr.Digest = text(l.DiffID), text(l.Digest)
		lr.MediaType = string(l.MediaType)
		lr.Unverified, lr.Checked = l.Unverified, checked[i]
		if s := layerSteps[i]; s >= 0 {
			lr.Command, lr.Created = steps[s].Command, steps[s].Created
		}
		if l.Compressed && l.Blob.Size > 0 {
			lr.CompressedBytes = l.Blob.Size
			r.Totals.CompressedBytes += l.Blob.Size
		} else {
			compressed = false
		}
	}
	if !compressed {
		r.Totals.CompressedBytes = 0
	}
	var work sync.WaitGroup
	work.Go(func() { countPaths(r, t) })
	work.Go(func() { listFolders(r, t, everything(t)) })
	countBytes(r, t, func(c filetree.Content) (filetree.Stored, filetree.Node, bool) {
		return t.Stored(c), filetree.None, true
	})
	err := listWaste(r, t, img)
	work.Wait()
	return r, err
}

// Contents says which content is stored: it describes content c, and returns the path
// at which it counts. It returns false for content that is not stored.
type Contents func(c filetree.Content) (s filetree.Stored, place filetree.Node, ok bool)

// everything returns the contents of the image as it is. Visible content counts at its
// first name, wasted content at the last one it had.
func everything(t *filetree.Tree) Contents {
	last := t.Layers() - 1
	return func(c filetree.Content) (filetree.Stored, filetree.Node, bool) {
		s := t.Stored(c)
		if s.Cause != filetree.Visible {
			return s, s.Lost, true
		}
		if n := t.FirstName(c, last); n != filetree.None {
			return s, n, true
		}
		return s, s.Node, true
	}
}

// Recount sets the bytes of the layers, the totals of bytes, and the folders of a report
// to those of other contents of the tree.
func Recount(r *facts.Report, t *filetree.Tree, what Contents) {
	for i := range r.Layers {
		l := &r.Layers[i]
		l.StoredBytes, l.VisibleBytes, l.WastedBytes, l.HidesBytes = 0, 0, 0, 0
	}
	r.Totals.StoredBytes, r.Totals.VisibleBytes, r.Totals.WastedBytes = 0, 0, 0
	countBytes(r, t, what)
	listFolders(r, t, what)
}

// countBytes adds the stored, visible, wasted and hidden bytes of the layers, and
// the totals.
func countBytes(r *facts.Report, t *filetree.Tree, what Contents) {
	for c := range filetree.Content(t.Contents()) {
		s, _, ok := what(c)
		if !ok {
			continue
		}
		l := &r.Layers[s.Layer]
		l.StoredBytes += s.Bytes
		if s.Cause == filetree.Visible {
			l.VisibleBytes += s.Bytes
			continue
		}
		l.WastedBytes += s.Bytes
		if s.HiddenBy != s.Layer {
			r.Layers[s.HiddenBy].HidesBytes += s.Bytes
		}
	}
	for i := range r.Layers {
		l := &r.Layers[i]
		r.Totals.StoredBytes += l.StoredBytes
		r.Totals.VisibleBytes += l.VisibleBytes
		r.Totals.WastedBytes += l.WastedBytes
	}
	r.Totals.Layers = len(r.Layers)
	r.Totals.Efficiency = 1
	if r.Totals.StoredBytes > 0 {
		r.Totals.Efficiency = float64(r.Totals.VisibleBytes) / float64(r.Totals.StoredBytes)
	}
}

// wasteBytes is the memory that one element of the waste takes without its path,
// sorting included.
const wasteBytes = 128

// wasted is wasted content with bytes, and what the list of waste says about it.
type wasted struct {
	bytes         int64
	lost          filetree.Node
	content       filetree.Content
	layer, hidden int32
	cause         filetree.Cause
}

// wastedBySize returns the wasted content that has bytes, the largest first, equal
// sizes by node, which nearly is the order of the paths.
func wastedBySize(t *filetree.Tree) []wasted {
	var pieces []wasted
	for c := range filetree.Content(t.Contents()) {
		if s := t.Stored(c); s.Cause != filetree.Visible && s.Bytes > 0 {
			pieces = append(pieces, wasted{s.Bytes, s.Lost, c, int32(s.Layer), int32(s.HiddenBy), s.Cause})
		}
	}
	slices.SortFunc(pieces, func(a, b wasted) int {
		switch {
		case a.bytes != b.bytes:
			return cmp.Compare(b.bytes, a.bytes)
		case a.lost != b.lost:
			return cmp.Compare(a.lost, b.lost)
		}
		return cmp.Compare(a.content, b.content)
	})
	return pieces
}

// Wasted returns the content of each element of Report.Waste as Analyze lists it.
func Wasted(t *filetree.Tree) []filetree.Content {
	pieces := wastedBySize(t)
	byPath := func(a, b wasted) int { return t.ComparePaths(a.lost, b.lost) }
	for rest := pieces; len(rest) > 0; {
		run := 1
		for run < len(rest) && rest[run].bytes == rest[0].bytes {
			run++
		}
		if !slices.IsSortedFunc(rest[:run], byPath) {
			slices.SortStableFunc(rest[:run], byPath)
		}
		rest = rest[run:]
	}
	out := make([]filetree.Content, len(pieces))
	for i, p := range pieces {
		out[i] = p.content
	}
	return out
}

// listWaste lists the wasted content, the largest first, equal sizes by path.
// There may be a hundred thousand pieces, and comparing paths is slow. So it sorts
// by size and node, and then by path only where that order is not yet right.
func listWaste(r *facts.Report, t *filetree.Tree, img *Image) error {
	pieces := wastedBySize(t)
	r.Waste = make([]facts.Waste, len(pieces))
	var path []byte
	for i, p := range pieces {
		path = t.AppendPath(path[:0], p.lost)
		w := facts.Waste{Path: string(path), Bytes: p.bytes, Cause: p.cause.String(), StoredIn: int(p.layer), HiddenBy: int(p.hidden)}
		if !utf8.Valid(path) {
			w.PathBytes = []byte(w.Path)
		}
		if err := img.Limits.Memory.Take(wasteBytes + int64(len(w.Path)+len(w.PathBytes))); err != nil {
			return fmt.Errorf("listing the waste of %s: %w", img.layerName(int(p.layer)), err)
		}
		r.Waste[i] = w
	}
	byPath := func(a, b facts.Waste) int { return cmp.Compare(a.Path, b.Path) }
	for rest := r.Waste; len(rest) > 0; {
		run := 1
		for run < len(rest) && rest[run].Bytes == rest[0].Bytes {
			run++
		}
		if !slices.IsSortedFunc(rest[:run], byPath) {
			slices.SortStableFunc(rest[:run], byPath)
		}
		rest = rest[run:]
	}
	return nil
}

// WasteOf returns an element of Report.Waste.
func WasteOf(t *filetree.Tree, s filetree.Stored) facts.Waste {
	w := facts.Waste{Path: t.Path(s.Lost), Bytes: s.Bytes, Cause: s.Cause.String(), StoredIn: s.Layer, HiddenBy: s.HiddenBy}
	if !utf8.ValidString(w.Path) {
		w.PathBytes = []byte(w.Path)
	}
	return w
}

// countPaths counts the paths that each layer changed, and the files that the
// image shows.
func countPaths(r *facts.Report, t *filetree.Tree) {
	last := t.Layers() - 1
	for n := filetree.Root + 1; int(n) < t.Len(); n++ {
		for i, mark := range t.Marks(n) {
			l := &r.Layers[i]
			switch mark {
			case filetree.Added:
				l.Added++
			case filetree.Modified:
				l.Modified++
			case filetree.Removed:
				l.Removed++
			}
		}
		if s, ok := t.At(n, last); ok && s.Kind == layer.File {
			r.Totals.Files++
		}
	}
}

// describe returns what the config and the source say about the image.
func describe(img *Image) facts.Image {
	out := facts.Image{
		Reference: img.Reference,
		Source:    img.Source,
		ID:        text(img.ID),
		Digest:    text(img.Digest),
		Platform:  img.Platform.String(),
		Tags:      slices.Clone(img.Tags),
	}
	out.FillLists()
	if img.Config == nil {
		return out
	}
	out.Created = timeOrNil(img.Config.Created)
	c := img.Config.Config
	out.Config.User, out.Config.WorkingDir = c.User, c.WorkingDir
	out.Config.Entrypoint = append(out.Config.Entrypoint, c.Entrypoint...)
	out.Config.Cmd = append(out.Config.Cmd, c.Cmd...)
	out.Config.Env = append(out.Config.Env, c.Env...)
	maps.Copy(out.Config.Labels, c.Labels)
	out.Config.ExposedPorts = append(out.Config.ExposedPorts, slices.Sorted(maps.Keys(c.ExposedPorts))...)
	out.Config.Volumes = append(out.Config.Volumes, slices.Sorted(maps.Keys(c.Volumes))...)
	return out
}

// history returns every step of the build and, for each layer, the index of its
// step or -1. If the number of steps that created a layer differs from the number
// of layers, no step is matched with a layer.
func history(img *Image) (steps []facts.Step, layers []int, warning string) {
	layers = slices.Repeat([]int{-1}, len(img.Layers))
	steps = []facts.Step{}
	if img.Config == nil {
		return steps, layers, ""
	}
	made := 0
	for _, h := range img.Config.History {
		s := facts.Step{Command: h.CreatedBy, Created: timeOrNil(h.Created), Comment: h.Comment, Author: h.Author, Layer: -1}
		if s.Command == "" {
			s.Command = h.Comment
		}
		if !h.EmptyLayer {
			s.Layer = made
			made++
		}
		steps = append(steps, s)
	}
	if made == len(layers) {
		for i, s := range steps {
			if s.Layer >= 0 {
				layers[s.Layer] = i
			}
		}
		return steps, layers, ""
	}
	for i := range steps {
		steps[i].Layer = -1
	}
	if len(steps) == 0 {
		return steps, layers, ""
	}
	return steps, layers, fmt.Sprintf("the history has %d steps that made a layer and the image has %d layers: layers are shown without commands", made, len(layers))
}

func timeOrNil(t v1.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	if y := utc.Year(); y < 0 || y > 9999 {
		return &t.Time // UTC may be in a year that JSON can't represent
	}
	return &utc
}

func text(h v1.Hash) string {
	if h.Hex == "" {
		return ""
	}
	return h.String()
}
