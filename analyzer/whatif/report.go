package whatif

import (
	"cmp"
	"math"
	"slices"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// claims returns the content that a finding counts.
func (im *Image) claims(finding int) []advice.Claim {
	if finding >= len(im.Claims) {
		return nil
	}
	return im.Claims[finding]
}

// recount sets the report.
func (r *Result) recount() {
	c, old := r.c, r.c.im.Report
	rep := *old
	r.Report = &rep
	rep.Layers = slices.Clone(old.Layers)
	analyzer.Recount(&rep, c.tree, c.of)
	r.compress(old)
	r.listWaste(old)
	r.countPaths(old)
	r.split(old)
	r.findings(old)
	r.packages(old)
	r.waste = rep.Waste
	r.drop()
}

// compress estimates the compressed sizes: a layer's is in proportion to what it stores.
func (r *Result) compress(old *facts.Report) {
	t := &r.Report.Totals
	if t.CompressedBytes == 0 {
		return
	}
	t.CompressedBytes = 0
	for i := range r.Report.Layers {
		l, was := &r.Report.Layers[i], &old.Layers[i]
		if l.StoredBytes != was.StoredBytes {
			r.Estimated = true
			l.CompressedBytes = int64(math.Round(float64(was.CompressedBytes) * (float64(l.StoredBytes) / float64(was.StoredBytes))))
		}
		t.CompressedBytes += l.CompressedBytes
	}
}

// listWaste lists the waste that is left. What names of marked paths alone kept visible
// is waste, too.
func (r *Result) listWaste(old *facts.Report) {
	c := r.c
	out := make([]facts.Waste, 0, len(old.Waste))
	sorted := true
	for i, x := range c.im.wasted {
		s, _, ok := c.of(x)
		if !ok || s.Cause == filetree.Visible || s.Bytes == 0 {
			continue
		}
		w := old.Waste[i]
		if s != c.tree.Stored(x) {
			sorted, w = false, analyzer.WasteOf(c.tree, s)
		}
		d, copied := c.im.copies[x]
		w.OwnCopy = copied && old.Waste[i].OwnCopy && !c.gone[d]
		out = append(out, w)
	}
	if c.cover != nil {
		for x := range filetree.Content(c.tree.Contents()) {
			if !c.tree.Linked(x) || c.tree.Stored(x).Cause != filetree.Visible {
				continue
			}
			if s, _, ok := c.of(x); ok && s.Cause != filetree.Visible && s.Bytes > 0 {
				out, sorted = append(out, analyzer.WasteOf(c.tree, s)), false
			}
		}
	}
	if !sorted {
		slices.SortStableFunc(out, func(a, b facts.Waste) int {
			return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path))
		})
	}
	r.Report.Waste = out
}

// countPaths counts the changes and the files that are left, and finds the layers of
// which nothing is.
func (r *Result) countPaths(old *facts.Report) {
	c, t, rep := r.c, r.c.tree, r.Report
	for i := range rep.Layers {
		l := &rep.Layers[i]
		l.Added, l.Modified, l.Removed = 0, 0, 0
	}
	base := 0
	if old.Base != nil {
		base = old.Base.Layers
	}
	var ofBase int
	rep.Totals.Files = 0
	took, left := make([]bool, len(rep.Layers)), make([]bool, len(rep.Layers))
	for n := filetree.Root + 1; int(n) < t.Len(); n++ {
		file := -1 // the layer of the file that the final filesystem shows
		for i, v := range t.Versions(n) {
			file = -1
			if c.under(n) || v.Content != filetree.NoContent && c.lost(v.Content) {
				took[i] = true
				continue
			}
			l := &rep.Layers[i]
			from := i
			if b, ok := c.back[v.Content]; ok && v.Content != filetree.NoContent {
				took[i] = true
				from = t.Stored(b).Layer // the layer that stored it again doesn't
			} else {
				left[i] = left[i] || v.Mark != filetree.Absent && v.Kind != layer.Dir
				switch v.Mark {
				case filetree.Added:
					l.Added++
				case filetree.Modified:
					l.Modified++
				case filetree.Removed:
					l.Removed++
				}
			}
			if v.Kind == layer.File && v.Mark != filetree.Removed && v.Mark != filetree.Absent {
				file = from
			}
		}
		if file >= 0 {
			rep.Totals.Files++
			if file < base {
				ofBase++
			}
		}
	}
	for i := range rep.Layers {
		l := &rep.Layers[i]
		took[i] = took[i] || l.StoredBytes != old.Layers[i].StoredBytes
		if took[i] && !left[i] && l.StoredBytes == 0 && l.HidesBytes == 0 {
			r.Empty = append(r.Empty, i)
		}
	}
	if old.Totals.Base != nil && old.Totals.Own != nil {
		b, o := *old.Totals.Base, *old.Totals.Own
		b.Files, o.Files = ofBase, rep.Totals.Files-ofBase
		rep.Totals.Base, rep.Totals.Own = &b, &o
	}
}

// split adds up the figures of the base and of the own layers.
func (r *Result) split(old *facts.Report) {
	rep := r.Report
	if rep.Totals.Base == nil || rep.Totals.Own == nil || rep.Base == nil {
		return
	}
	b, o := rep.Totals.Base, rep.Totals.Own
	for i, p := range []*facts.Part{b, o} {
		*p = facts.Part{Files: p.Files}
		layers := rep.Layers[:rep.Base.Layers]
		if i == 1 {
			layers = rep.Layers[rep.Base.Layers:]
		}
		for _, l := range layers {
			p.StoredBytes += l.StoredBytes
			p.VisibleBytes += l.VisibleBytes
			p.WastedBytes += l.WastedBytes
			p.CompressedBytes += l.CompressedBytes
			p.Layers++
		}
		if rep.Totals.CompressedBytes == 0 { // that of some layer is unknown
			p.CompressedBytes = 0
		}
	}
	for _, w := range rep.Waste {
		if w.OwnCopy {
			o.CopiedFromBaseBytes += w.Bytes
		}
		if w.StoredIn < rep.Base.Layers && w.HiddenBy >= rep.Base.Layers {
			b.HiddenByOwnBytes += w.Bytes
		}
	}
}

// packages counts the packages again. Those that are marked, or have nothing left, are
// no longer listed.
func (r *Result) packages(old *facts.Report) {
	c, rep := r.c, r.Report
	if old.Packages == nil || c.im.Packages == nil {
		rep.Packages, rep.Unowned = nil, nil
		return
	}
	marked := map[int]bool{}
	for _, m := range c.marks {
		if m.Kind == Package {
			marked[m.Package] = true
		}
	}
	list, unowned := c.im.Packages.Recount(c.tree, c.packaged)
	rep.Packages, rep.Unowned = []facts.Package{}, &unowned
	for i, p := range list {
		had := &old.Packages[i]
		empty := p.Files == 0 && len(p.Layers) == 0 && (had.Files > 0 || len(had.Layers) > 0)
		if !empty && (!marked[i] || p.VisibleBytes+p.WastedBytes > 0) {
			rep.Packages = append(rep.Packages, p)
		}
	}
	slices.SortStableFunc(rep.Packages, facts.ComparePackages)
}

// findings lists the findings that are left.
func (r *Result) findings(old *facts.Report) {
	if old.Findings == nil {
		return
	}
	rep := r.Report
	rep.Findings, rep.Totals.FindingsBytes = []facts.Finding{}, 0
	places := map[int][]int{} // the marked places, by finding
	for _, m := range r.c.marks {
		if m.Kind == Finding {
			places[m.Finding] = append(places[m.Finding], m.Place)
		}
	}
	for i := range old.Findings {
		if slices.Contains(places[i], -1) {
			continue
		}
		if f, ok := r.finding(i, places[i]); ok {
			rep.Findings = append(rep.Findings, f)
			rep.Totals.FindingsBytes += f.Bytes
		}
	}
	slices.SortStableFunc(rep.Findings, facts.CompareFindings)
}

// finding returns what is left of a finding of which some places are fixed. It returns
// false if nothing is left.
func (r *Result) finding(i int, fixed []int) (facts.Finding, bool) {
	c := r.c
	f := c.im.Report.Findings[i]
	claims := c.im.claims(i)
	type sum struct{ had, files int }
	sums := map[int]*sum{}
	listed := len(f.Places)
	f.Places = slices.Clone(f.Places)
	for _, claim := range claims {
		p := int(claim.Place)
		if sums[p] == nil {
			sums[p] = &sum{}
		}
		sums[p].had++
		if !c.gone[claim.Content] && !slices.Contains(fixed, p) {
			sums[p].files++
			continue
		}
		f.Bytes -= claim.Bytes
		if p < listed {
			f.Places[p].Bytes -= claim.Bytes
			f.Places[p].Files--
		}
	}
	kept := f.Places[:0]
	for p, x := range f.Places {
		switch s := sums[p]; {
		case slices.Contains(fixed, p), s != nil && s.files == 0:
			if claims == nil {
				f.Bytes -= x.Bytes
			}
			continue
		case s == nil && c.cover != nil && x.Path != "":
			if n, ok := c.tree.Lookup(x.Path); ok && c.under(n) {
				continue
			}
		}
		kept = append(kept, x)
	}
	f.Places = kept
	for p, s := range sums {
		if p >= listed && s.files == 0 {
			f.MorePlaces--
		}
	}
	slices.SortStableFunc(f.Places, func(a, b facts.Place) int { return cmp.Compare(b.Bytes, a.Bytes) })
	had := listed > 0 || c.im.Report.Findings[i].MorePlaces > 0
	return f, !had || len(f.Places) > 0 || f.MorePlaces > 0
}

// at returns the number of a layer of the image in the report: of the next one that is
// left, if nothing is left of it.
func (r *Result) at(i int) int {
	for _, k := range r.kept[i:] {
		if k >= 0 {
			return k
		}
	}
	return max(len(r.Report.Layers)-1, 0)
}

// drop leaves out the layers of which nothing is left, and renumbers the others.
func (r *Result) drop() {
	rep := r.Report
	r.kept = make([]int, len(rep.Layers))
	n := 0
	for i := range r.kept {
		if r.kept[i] = n; slices.Contains(r.Empty, i) {
			r.kept[i] = -1
		} else {
			n++
		}
	}
	if len(r.Empty) == 0 {
		return
	}
	layers := make([]facts.Layer, 0, n)
	for i, l := range rep.Layers {
		if l.Index = r.kept[i]; l.Index >= 0 {
			layers = append(layers, l)
		}
	}
	rep.Layers, rep.Totals.Layers = layers, n
	rep.History, rep.Warnings = slices.Clone(rep.History), slices.Clone(rep.Warnings)
	for i := range rep.History {
		if l := &rep.History[i].Layer; *l >= 0 {
			*l = r.kept[*l]
		}
	}
	for i := range rep.Warnings {
		if l := &rep.Warnings[i].Layer; *l >= 0 {
			*l = r.kept[*l]
		}
	}
	rep.Waste = slices.Clone(rep.Waste)
	for i := range rep.Waste {
		w := &rep.Waste[i]
		w.StoredIn, w.HiddenBy = r.kept[w.StoredIn], r.at(w.HiddenBy)
	}
	for i := range rep.Folders { // Recount has made them
		f := &rep.Folders[i]
		f.Layers = slices.DeleteFunc(f.Layers, func(l facts.FolderLayer) bool { return r.kept[l.Layer] < 0 })
		for j := range f.Layers {
			f.Layers[j].Layer = r.kept[f.Layers[j].Layer]
		}
	}
	for i := range rep.Packages { // Recount has made them
		p := &rep.Packages[i]
		for j := range p.Layers {
			p.Layers[j].Layer = r.kept[p.Layers[j].Layer]
		}
		if p.BroughtBy = r.at(p.BroughtBy); p.RemovedBy >= 0 {
			if p.RemovedBy = r.at(p.RemovedBy); p.RemovedBy <= p.BroughtBy {
				p.RemovedBy = -1
			}
		}
	}
	r.dropFindings()
	r.dropBase()
}

// dropFindings renumbers the layers of the findings. A place that is a layer goes
// with it.
func (r *Result) dropFindings() {
	rep := r.Report
	rep.Findings = slices.DeleteFunc(rep.Findings, func(f facts.Finding) bool {
		return len(f.Places) > 0 && f.MorePlaces == 0 && !slices.ContainsFunc(f.Places, func(p facts.Place) bool { return p.Path != "" || p.Layer < 0 || r.kept[p.Layer] >= 0 })
	})
	for i := range rep.Findings {
		f := &rep.Findings[i]
		f.Places = slices.DeleteFunc(f.Places, func(p facts.Place) bool { return p.Path == "" && p.Layer >= 0 && r.kept[p.Layer] < 0 })
		for j := range f.Places {
			p := &f.Places[j]
			if p.Layer >= 0 {
				p.Layer = r.at(p.Layer)
			}
			if p.HiddenBy >= 0 {
				p.HiddenBy = max(r.at(p.HiddenBy), p.Layer)
			}
		}
		f.Layers = slices.Clone(f.Layers)
		for j := range f.Layers {
			f.Layers[j] = r.kept[f.Layers[j]]
		}
		slices.Sort(f.Layers)
		f.Layers = slices.DeleteFunc(slices.Compact(f.Layers), func(l int) bool { return l < 0 })
	}
}

// dropBase counts the layers of the base image again.
func (r *Result) dropBase() {
	rep := r.Report
	if rep.Base == nil {
		return
	}
	left := func(layers int) int {
		n := 0
		for _, k := range r.kept[:layers] {
			if k >= 0 {
				n++
			}
		}
		return n
	}
	b := *rep.Base
	b.Layers = left(b.Layers)
	above := b.Layers
	b.Chain = slices.Clone(b.Chain)
	b.Chain = slices.DeleteFunc(b.Chain, func(l facts.Link) bool {
		n := left(l.Layers)
		drop := n < 1 || n >= above
		if !drop {
			above = n
		}
		return drop
	})
	for i := range b.Chain {
		b.Chain[i].Layers = left(b.Chain[i].Layers)
	}
	if rep.Base = &b; b.Layers == 0 || rep.Totals.Base == nil {
		rep.Base, rep.Totals.Base, rep.Totals.Own = nil, nil, nil
		return
	}
	rep.Totals.Base.Layers = b.Layers
	rep.Totals.Own.Layers = len(rep.Layers) - b.Layers
}
