// Package compare says how two images differ: in their files, layers, config, packages
// and findings.
package compare

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Side is one of the two images.
type Side struct {
	Report *facts.Report
	// Analysis is nil for a saved report, which has no files.
	Analysis *analyzer.Analysis
}

// Comparison is how two images differ.
type Comparison struct {
	Old, New Side
	// Facts has everything but the files.
	Facts facts.Comparison
	// Changes are the paths that differ, in the order of the trees; nil if one side is a
	// saved report.
	Changes []Change
	// differ has the contents of equal size that were found to differ, the old one first.
	differ map[[2]filetree.Content]bool
}

// Compare compares two images.
func Compare(ctx context.Context, old, new Side) (*Comparison, error) {
	c := &Comparison{Old: old, New: new, differ: map[[2]filetree.Content]bool{}}
	f := &c.Facts
	f.Schema = facts.ComparisonSchema
	f.Old, f.New = old.Report.Image, new.Report.Image
	f.Totals = totals(&old.Report.Totals, &new.Report.Totals)
	if old.Report.Findings != nil && new.Report.Findings != nil {
		d := facts.NewDelta(old.Report.Totals.FindingsBytes, new.Report.Totals.FindingsBytes)
		f.Totals.FindingsBytes = &d
	}
	if old.Analysis != nil && new.Analysis != nil {
		var err error
		if c.Changes, err = files(ctx, sides{old.Analysis, new.Analysis}); err != nil {
			return nil, fmt.Errorf("comparing files: %w", err)
		}
		for i := range c.Changes {
			if ch := &c.Changes[i]; ch.Reason == Content && ch.OldBytes == ch.NewBytes {
				a, _ := old.Analysis.Tree.At(ch.Old, old.Analysis.Tree.Layers()-1)
				b, _ := new.Analysis.Tree.At(ch.New, new.Analysis.Tree.Layers()-1)
				c.differ[[2]filetree.Content{a.Content, b.Content}] = true
			}
		}
		f.Folders = c.folders()
	} else {
		f.Folders = []facts.FolderChange{}
	}
	f.Layers = c.layers()
	f.PullBytes = pull(old.Report, new.Report)
	f.Config = config(old.Report, new.Report)
	f.Packages = packages(old.Report, new.Report)
	f.Findings = findings(old.Report, new.Report)
	return c, nil
}

// Files yields the paths that differ as facts, in the order of the trees.
func (c *Comparison) Files() iter.Seq[facts.FileChange] {
	return func(yield func(facts.FileChange) bool) {
		for i := range c.Changes {
			ch := &c.Changes[i]
			f := facts.FileChange{Change: ch.Reason.String(), OldBytes: ch.OldBytes, NewBytes: ch.NewBytes}
			for _, r := range ch.Also() {
				f.Also = append(f.Also, r.String())
			}
			path := c.path(ch)
			f.Path, f.PathBytes = split(path)
			f.Culprit = c.culprit(ch, path)
			if ch.Reason == Renamed {
				f.From, f.FromBytes = split(c.Old.Analysis.Tree.Path(ch.Old))
			}
			if !yield(f) {
				return
			}
		}
	}
}

// isFolder reports whether a change is of a folder.
func (c *Comparison) isFolder(ch *Change) bool {
	a, n := c.New.Analysis, ch.New
	if n == filetree.None {
		a, n = c.Old.Analysis, ch.Old
	}
	s, _ := a.Tree.At(n, a.Tree.Layers()-1)
	return s.Kind == layer.Dir
}

func totals(old, new *facts.Totals) facts.TotalsDelta {
	d := func(f func(*facts.Totals) int64) facts.Delta { return facts.NewDelta(f(old), f(new)) }
	out := facts.TotalsDelta{
		StoredBytes:  d(func(t *facts.Totals) int64 { return t.StoredBytes }),
		VisibleBytes: d(func(t *facts.Totals) int64 { return t.VisibleBytes }),
		WastedBytes:  d(func(t *facts.Totals) int64 { return t.WastedBytes }),
		Files:        d(func(t *facts.Totals) int64 { return int64(t.Files) }),
		Layers:       d(func(t *facts.Totals) int64 { return int64(t.Layers) }),
		Own:          part(old.Own, new.Own), Base: part(old.Base, new.Base),
	}
	if old.CompressedBytes > 0 && new.CompressedBytes > 0 {
		x := facts.NewDelta(old.CompressedBytes, new.CompressedBytes)
		out.CompressedBytes = &x
	}
	return out
}

func part(old, new *facts.Part) *facts.PartDelta {
	if old == nil || new == nil {
		return nil
	}
	return &facts.PartDelta{
		StoredBytes: facts.NewDelta(old.StoredBytes, new.StoredBytes), VisibleBytes: facts.NewDelta(old.VisibleBytes, new.VisibleBytes),
		WastedBytes: facts.NewDelta(old.WastedBytes, new.WastedBytes), Layers: facts.NewDelta(int64(old.Layers), int64(new.Layers)),
	}
}

// pull returns what a machine that has the old image must download for the new one. An
// old layer of which only the content is known is taken for the same blob as a new one
// with that content.
func pull(old, new *facts.Report) *int64 {
	have := map[string]bool{}
	for i := range old.Layers {
		have[cmp.Or(old.Layers[i].Digest, old.Layers[i].DiffID)] = true
	}
	sum := int64(0)
	for i := range new.Layers {
		l := &new.Layers[i]
		switch {
		case l.Digest == "" || l.CompressedBytes == 0 && l.StoredBytes > 0:
			return nil
		case !have[l.Digest] && (l.DiffID == "" || !have[l.DiffID]):
			have[l.Digest] = true // each is downloaded once
			sum += l.CompressedBytes
		}
	}
	return &sum
}

// config returns the settings that differ.
func config(old, new *facts.Report) []facts.ConfigChange {
	a, b := settings(old), settings(new)
	out := []facts.ConfigChange{}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[k]; !ok {
			a[k] = nil
		}
	}
	for _, k := range slices.Sorted(maps.Keys(a)) {
		x, y := a[k], b[k]
		if (x == nil) != (y == nil) || x != nil && *x != *y {
			out = append(out, facts.ConfigChange{Key: k, Old: x, New: y})
		}
	}
	return out
}

// settings returns the config as keys and values. A setting that is empty is not there.
func settings(r *facts.Report) map[string]*string {
	out := map[string]*string{}
	set := func(k, v string) {
		if v != "" {
			out[k] = &v
		}
	}
	c := &r.Image.Config
	set("platform", r.Image.Platform)
	set("user", c.User)
	set("entrypoint", List(c.Entrypoint))
	set("cmd", List(c.Cmd))
	set("workdir", c.WorkingDir)
	for _, e := range c.Env {
		k, v, _ := strings.Cut(e, "=")
		out["env "+k] = &v
	}
	for k, v := range c.Labels {
		out["label "+k] = &v
	}
	for _, p := range c.ExposedPorts {
		set("port "+p, "exposed")
	}
	for _, v := range c.Volumes {
		set("volume "+v, "declared")
	}
	return out
}

// List returns words as a JSON list, as a Dockerfile has it.
func List(words []string) string {
	if len(words) == 0 {
		return ""
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// packages returns the packages that differ, the largest difference first.
func packages(old, new *facts.Report) []facts.PackageChange {
	if old.Packages == nil || new.Packages == nil {
		return nil
	}
	type key struct{ kind, name string }
	type versions struct {
		of    [2][]string
		bytes [2]int64
	}
	all := map[key]*versions{}
	for i, r := range []*facts.Report{old, new} {
		for _, p := range r.Packages {
			v := all[key{p.Type, p.Name}]
			if v == nil {
				v = &versions{}
				all[key{p.Type, p.Name}] = v
			}
			v.bytes[i] += p.VisibleBytes + p.WastedBytes
			if p.RemovedBy < 0 && !slices.Contains(v.of[i], p.Version) {
				v.of[i] = append(v.of[i], p.Version)
			}
		}
	}
	text := func(versions []string) *string {
		if len(versions) == 0 {
			return nil
		}
		slices.Sort(versions)
		s := strings.Join(versions, ", ")
		return &s
	}
	out := []facts.PackageChange{}
	for k, v := range all {
		c := facts.PackageChange{Type: k.kind, Name: k.name, Old: text(v.of[0]), New: text(v.of[1]), DeltaBytes: v.bytes[1] - v.bytes[0]}
		if c.DeltaBytes != 0 || (c.Old == nil) != (c.New == nil) || c.Old != nil && *c.Old != *c.New {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, comparePackages)
	return out
}

// findings returns the findings of each image that the other one does not have: those
// of the same rule that have a place in common are the same. Where places count one by
// one, a finding with a new place is new. There are none if those of one image are
// unknown. Those about the Dockerfile count if both images know it.
func findings(old, new *facts.Report) facts.FindingsChange {
	if old.Findings == nil || new.Findings == nil {
		return facts.FindingsChange{New: []facts.Finding{}, Fixed: []facts.Finding{}}
	}
	var skipped []string
	if old.Dockerfile == nil || new.Dockerfile == nil {
		skipped = advice.OfDockerfile()
	}
	only := func(a, b *facts.Report, each bool) []facts.Finding {
		type place struct{ rule, path, redacted string }
		have := map[place]bool{}
		places := func(f *facts.Finding) []place {
			var out []place
			for _, p := range f.Places {
				at := place{f.Rule, p.Path, ""}
				if each && f.Rule == advice.Secret {
					at.redacted = p.Redacted
				}
				out = append(out, at)
			}
			if len(out) == 0 {
				out = append(out, place{f.Rule, "", ""})
			}
			return out
		}
		for i := range b.Findings {
			for _, p := range places(&b.Findings[i]) {
				have[p] = true
			}
		}
		out := []facts.Finding{}
		for i := range a.Findings {
			f := &a.Findings[i]
			if slices.Contains(skipped, f.Rule) {
				continue
			}
			known := func(p place) bool { return have[p] }
			unknown := func(p place) bool { return !have[p] }
			if all := places(f); !slices.ContainsFunc(all, known) || each && ByPlace(f.Rule) && slices.ContainsFunc(all, unknown) {
				out = append(out, *f)
			}
		}
		return out
	}
	return facts.FindingsChange{New: only(new, old, true), Fixed: only(old, new, false)}
}

// ByPlace reports whether the places of a rule's findings count one by one: each is a
// danger of its own.
func ByPlace(rule string) bool {
	return slices.Contains([]string{advice.Secret, "setuid", "world-writable"}, rule)
}

func comparePackages(a, b facts.PackageChange) int {
	return cmp.Or(cmp.Compare(abs(b.DeltaBytes), abs(a.DeltaBytes)), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
}
