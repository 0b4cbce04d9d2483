package gate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
)

// Baseline is the image that an image is compared with.
type Baseline struct {
	Reference string // as the user named it
	*compare.Comparison
}

// report returns the report of the baseline.
func (b *Baseline) report() *facts.Report { return b.Old.Report }

// ID returns the config digest of the baseline, or "".
func (b *Baseline) ID() string { return b.report().Image.ID }

// StoredBytes returns what the baseline stores.
func (b *Baseline) StoredBytes() int64 { return b.report().Totals.StoredBytes }

// Folder is a limit of max-folder-growth.
type Folder struct {
	Glob  string
	Limit int64 // bytes
}

// Grown is a Folder and what was observed.
type Grown struct {
	Folder
	Bytes int64 // by which it grew; negative if it shrank
}

// parseFolder reads "GLOB=SIZE".
func parseFolder(text string) (Folder, error) {
	i := strings.LastIndexByte(text, '=')
	if i < 0 {
		return Folder{}, fmt.Errorf("%q has no size, as in /app/**=5MB", text)
	}
	f := Folder{Glob: text[:i]}
	if err := CheckGlob(f.Glob); err != nil {
		return f, err
	}
	var err error
	f.Limit, err = ParseBytes(text[i+1:])
	return f, err
}

// baselineSpecs are the rules that compare an image with a baseline, besides max-growth.
func baselineSpecs() []Spec {
	return []Spec{
		{
			Name: MaxOwnGrowth, Form: Growth, Unit: Bytes, Example: "5%", since: true, unscoped: true,
			Means:   "stored bytes of the layers above the base image grew by at most this much over the baseline",
			Note:    "a new version of the base image does not count",
			observe: (*check).growth,
			explain: (*check).explainGrowth,
		},
		{
			Name: MaxFolderGrowth, Form: Folders, Unit: Count, Example: "{/app/**: 5MB, /usr/**: 20MB}", since: true, unscoped: true, files: true,
			Means:   "visible files below a folder grew by at most this much over the baseline",
			Note:    "each glob has its own limit; a file counts if a glob matches it or a folder above it",
			observe: (*check).folderGrowth,
			explain: func(c *check, r *Rule, _ Limit) { r.list(c.offending[r.Name]) },
		},
		{
			Name: MaxPackageGrowth, Unit: Bytes, Example: "10MB", since: true, unscoped: true, about: true,
			Means:   "no package grew by more than this over the baseline",
			Note:    "a package that the baseline does not have counts whole; versions and copies of a package count together",
			observe: (*check).packageGrowth,
			explain: (*check).explainPackages,
		},
		{
			Name: MaxAllPackagesGrowth, Unit: Bytes, Example: "20MB", since: true, unscoped: true, about: true,
			Means:   "all packages together grew by at most this much over the baseline",
			observe: (*check).packageGrowth,
			explain: (*check).explainPackages,
		},
		{
			Name: MaxLayerGrowth, Unit: Bytes, Example: "50MB", since: true, unscoped: true,
			Means:   "no layer stores more than this beyond the layer of the baseline that it replaces",
			Note:    "a layer that replaces none counts whole; layers replace one another if their step, or what they store, is the same",
			observe: func(c *check, l Limit) (value, error) { return c.layerGrowth(), nil },
			explain: func(c *check, r *Rule, l Limit) { r.list(c.grownLayers(l.Number)) },
		},
		{
			Name: MaxNewLayers, Unit: Count, Example: "2", since: true, unscoped: true,
			Means: "at most this many layers more than the baseline",
			observe: func(c *check, _ Limit) (value, error) {
				return value{number: max(int64(c.r.Totals.Layers-c.v.Baseline.report().Totals.Layers), 0)}, nil
			},
			explain: func(c *check, r *Rule, _ Limit) { r.list(c.grownLayers(-1)) },
		},
		{
			Name: Require, Form: Names, Unit: Count, Example: "[reproducible]", since: true, unscoped: true, files: true,
			Means:   "the image has the same files as the baseline, or is the same",
			Note:    "`same-files`: only times differ; `reproducible`: every layer has the same diff ID, and the config is the same",
			names:   Requirements,
			observe: (*check).required,
			explain: func(c *check, r *Rule, _ Limit) { r.list(c.offending[r.Name]) },
		},
	}
}

// baseline returns the baseline, if its figures agree.
func (c *check) baseline() (*Baseline, error) {
	b := c.v.Baseline
	if b == nil {
		return nil, cmp.Or(c.opt.BaselineErr, ErrNoBaseline)
	}
	if err := b.report().Totals.Check(); err != nil {
		return nil, fmt.Errorf("the baseline contradicts itself: %w", err)
	}
	for _, p := range b.Facts.Layers {
		if p.State != facts.LayerSame && p.State != facts.LayerMoved {
			continue
		}
		if o, n := &b.report().Layers[p.Old], &c.r.Layers[p.New]; o.StoredBytes != n.StoredBytes && !o.Unverified && !n.Unverified {
			return nil, fmt.Errorf("layer %d has the diff ID of layer %d of the baseline, and stores %d bytes where that stores %d: one of the diff IDs is wrong, and --verify says which", p.New, p.Old, n.StoredBytes, o.StoredBytes)
		}
	}
	return b, nil
}

func (c *check) growth(l Limit) (value, error) {
	bytes, ratio, _ := c.v.Growth()
	before := c.v.Baseline.report().Totals.Own
	switch {
	case l.Rule == MaxOwnGrowth && c.own == nil:
		return value{}, errors.New("the base image is unknown")
	case c.in == c.own && before == nil:
		return value{}, errors.New("the base image of the baseline is unknown")
	case c.in == c.own:
		bytes = c.in.figures.StoredBytes - before.StoredBytes
		ratio = growth(bytes, before.StoredBytes)
	}
	if l.Unit == Percent && math.IsInf(ratio, 0) {
		return value{}, errors.New("the baseline stores nothing, of which no growth is a percentage")
	}
	return value{bytes, ratio}, nil
}

func (c *check) explainGrowth(r *Rule, _ Limit) {
	known := map[string]bool{}
	for _, x := range c.v.Baseline.report().Layers {
		known[x.DiffID] = true
	}
	r.list(c.layers(stored, func(x *facts.Layer) bool { return stores(x) && !known[x.DiffID] }))
}

// folderGrowth returns how many folders grew by more than their limit.
func (c *check) folderGrowth(l Limit) (value, error) {
	bytes, err := c.folderBytes(l)
	if err != nil {
		return value{}, err
	}
	over := []Offender{}
	for i, f := range l.Folders {
		c.grown = append(c.grown, Grown{f, bytes[i]})
		if path, ok := folderPath(f.Glob); ok && bytes[i] == 0 && !c.v.Baseline.shows(path) {
			c.note(fmt.Sprintf("%s: neither image has %s", l.Rule, path))
		}
		if bytes[i] > f.Limit {
			over = append(over, c.grownPaths(f.Glob)...)
		}
	}
	n := int64(0)
	for _, g := range c.grown {
		if g.Bytes > g.Limit {
			n++
		}
	}
	c.offend(l.Rule, over)
	return value{number: n}, nil
}

// folderBytes returns by how much each folder of the limit grew.
func (c *check) folderBytes(l Limit) ([]int64, error) {
	b := c.v.Baseline
	if b.SameLayers() {
		return make([]int64, len(l.Folders)), nil
	}
	if b.Old.Analysis != nil && b.New.Analysis != nil {
		match := make([]func(string) bool, len(l.Folders))
		for i, f := range l.Folders {
			match[i] = below(f.Glob)
		}
		return b.Grown(match), nil
	}
	out := make([]int64, len(l.Folders))
	for i, f := range l.Folders {
		for k, r := range []*facts.Report{b.Old.Report, b.New.Report} {
			bytes, ok := folderOf(r, f.Glob)
			if !ok {
				return nil, fmt.Errorf("%q: %w, and no list of this folder", f.Glob, ErrNoFiles)
			}
			out[i] += bytes * int64(2*k-1)
		}
	}
	return out, nil
}

// below returns a matcher of what a glob matches and of everything below that.
func below(glob string) func(path string) bool {
	at, under := matcher(glob), matcher(strings.TrimRight(glob, "/")+"/**")
	return func(path string) bool { return at(path) || under(path) }
}

// folderOf returns the visible bytes of a folder that the report lists. Reports list only
// large folders, and a glob must name one: /app, /app/ or /app/**.
func folderOf(r *facts.Report, glob string) (int64, bool) {
	path, ok := folderPath(glob)
	i := slices.IndexFunc(r.Folders, func(f facts.Folder) bool { return f.Path == path })
	if !ok || i < 0 {
		return 0, false
	}
	return r.Folders[i].VisibleBytes, true
}

// folderPath returns the path of a glob that names one folder.
func folderPath(glob string) (string, bool) {
	path := strings.TrimSuffix(strings.TrimSuffix(glob, "/**"), "/")
	return path, strings.HasPrefix(glob, "/") && !strings.ContainsAny(path, `*?[]{}\`)
}

// shows reports whether one of both images shows a path in the end. It is true if that
// is unknown.
func (b *Baseline) shows(path string) bool {
	for _, s := range []compare.Side{b.Old, b.New} {
		if s.Analysis == nil {
			return true
		}
		t := s.Analysis.Tree
		if n, ok := t.Lookup(path); ok {
			if _, ok = t.At(n, t.Layers()-1); ok {
				return true
			}
		}
	}
	return path == ""
}

// fewFiles is how many files of one folder are offenders of their own.
const fewFiles = 8

// grownPaths returns what grew below a glob, the largest growth first.
func (c *check) grownPaths(glob string) []Offender {
	b := c.v.Baseline
	if b.Changes == nil {
		return []Offender{{Path: strings.TrimSuffix(strings.TrimSuffix(glob, "**"), "/") + "/", Glob: glob, StoredIn: -1, HiddenBy: -1, Change: "grew"}}
	}
	match := below(glob)
	var out []Offender
	for _, r := range b.DetailedRows(fewFiles) {
		// A row with everything below a folder can be above the glob.
		if r.NewBytes > r.OldBytes && (match(r.Path) || r.Whole && match(r.Path+"/x")) {
			o := c.difference(&r)
			o.Glob, o.Bytes = glob, r.NewBytes-r.OldBytes
			out = append(out, o)
		}
	}
	if out == nil {
		out = []Offender{{Path: glob, Glob: glob, StoredIn: -1, HiddenBy: -1, Change: "grew"}}
	}
	largestFirst(out)
	return out
}

// largestFirst sorts offenders by what they cost.
func largestFirst(all []Offender) {
	slices.SortStableFunc(all, func(a, b Offender) int { return cmp.Compare(b.Bytes, a.Bytes) })
}

// difference returns a row of the comparison as an offender.
func (c *check) difference(r *compare.Row) Offender {
	o := Offender{Path: r.Path, Files: r.Count, Bytes: max(r.OldBytes, r.NewBytes), StoredIn: -1, HiddenBy: -1, Change: r.Reason.String()}
	if !r.File && r.Path != "/" && (r.Whole || r.Count > 1) {
		o.Path += "/"
	}
	if r.Culprit != "" {
		o.Change += ": " + r.Culprit
	}
	if r.From != "" {
		o.Change += " from " + r.From
	}
	t := c.v.Baseline.New.Analysis.Tree
	if n, ok := t.Lookup(r.Path); ok { // the last layer that has a part in it
		for _, e := range t.History(n) {
			o.StoredIn = e.Layer
		}
		o.StoredBy, o.StoredAt = c.command(o.StoredIn), c.source(o.StoredIn)
	}
	return o
}

// packageGrowth returns by how much packages grew: the one that grew most, or all.
func (c *check) packageGrowth(l Limit) (value, error) {
	b := c.v.Baseline
	switch {
	case b.Facts.Packages == nil:
		return value{}, ErrNoPackages
	case Unverified(c.r) != nil || Unverified(b.report()) != nil || c.r.Secrets == facts.SecretsSome || b.report().Secrets == facts.SecretsSome:
		return value{}, ErrUnreadPackages
	}
	at := map[string]int{} // the largest package of each name
	for i := len(c.r.Packages) - 1; i >= 0; i-- {
		at[c.r.Packages[i].Type+":"+c.r.Packages[i].Name] = i
	}
	known := c.suppressions.about(l.Rule)
	var out []Offender
	most, sum := int64(0), int64(0)
	for _, p := range b.Facts.Packages {
		name := p.Type + ":" + p.Name
		o := Offender{Package: name, Bytes: p.DeltaBytes, StoredIn: -1, HiddenBy: -1}
		i, ok := at[name]
		if ok {
			o = c.packageOffender(&c.r.Packages[i], "")
			o.Bytes = p.DeltaBytes
		}
		if p.DeltaBytes > 0 {
			by := known.of(o.Path, name)
			if by != nil {
				by.addPackage(i, p.DeltaBytes)
			}
			if by != nil && !by.Expired {
				continue
			}
		}
		sum += p.DeltaBytes
		most = max(most, p.DeltaBytes)
		if p.DeltaBytes > 0 && (l.Rule == MaxAllPackagesGrowth || p.DeltaBytes > l.Number) {
			o.Change = grewFrom(&p)
			out = append(out, o)
		}
	}
	largestFirst(out)
	c.offend(l.Rule, out)
	if l.Rule == MaxAllPackagesGrowth {
		return value{number: sum}, nil
	}
	return value{number: most}, nil
}

// grewFrom says what became of a package that grew.
func grewFrom(p *facts.PackageChange) string {
	switch {
	case p.Old == nil:
		return "added"
	case p.New != nil && *p.Old != *p.New:
		return "grew from version " + *p.Old
	}
	return "grew"
}

// layerGrowth returns by how much the layer grew that grew most.
func (c *check) layerGrowth() value {
	most := int64(0)
	for _, o := range c.grownLayers(0) {
		most = max(most, o.Bytes)
	}
	return value{number: most}
}

// grownLayers returns the layers that grew by more than some bytes; with -1, those that
// replace none.
func (c *check) grownLayers(more int64) []Offender {
	b := c.v.Baseline
	by := map[int]int64{}
	change := map[int]string{}
	for _, p := range b.Facts.Layers {
		if p.New < 0 || more < 0 && p.Old >= 0 {
			continue
		}
		by[p.New], change[p.New] = c.r.Layers[p.New].StoredBytes, "added"
		if p.Old >= 0 {
			by[p.New] -= b.report().Layers[p.Old].StoredBytes
			change[p.New] = "grew"
		}
	}
	all := c.layers(func(x *facts.Layer) int64 { return by[x.Index] }, func(x *facts.Layer) bool { n, ok := by[x.Index]; return ok && n > more })
	for i := range all {
		all[i].Change = change[all[i].StoredIn]
	}
	return all
}

// compares reports whether one of the rules needs a baseline.
func (l Limits) compares() bool {
	return slices.ContainsFunc(l, func(x Limit) bool {
		s, _ := SpecOf(x.Rule)
		return s.since
	})
}

func checkFolders(all []Folder) error {
	for i, f := range all {
		if err := CheckGlob(f.Glob); err != nil {
			return err
		}
		if f.Limit < 0 {
			return fmt.Errorf("%s: %d is negative", f.Glob, f.Limit)
		}
		if slices.ContainsFunc(all[:i], func(x Folder) bool { return x.Glob == f.Glob }) {
			return fmt.Errorf("%q has two limits", f.Glob)
		}
	}
	if len(all) == 0 {
		return errors.New("there is no glob")
	}
	return nil
}
