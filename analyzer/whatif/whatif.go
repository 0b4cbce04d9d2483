// Package whatif measures an image as it would be if some of it were fixed: steps,
// findings, files, waste and packages that a user has marked. The result is a report,
// which the gate judges like any other. See docs/whatif.md.
package whatif

import (
	"iter"
	"sync"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/gate"
	"fathom/analyzer/origin"
	"fathom/analyzer/packages"
)

// Kind is what a Mark is about.
type Kind uint8

const (
	Step    Kind = iota // what a layer wastes: what it stores and later layers hide, and what it hides of lower layers
	Path                // everything at and below a path, in all layers
	Waste               // wasted content
	Finding             // a finding, or one of its places
	Package             // the files of a package
)

// Mark says that something is fixed.
type Mark struct {
	Kind    Kind
	Layer   int                // of a Step
	Node    filetree.Node      // of a Path
	Waste   []filetree.Content // of Waste
	Finding int                // the index in Report.Findings
	Place   int                // of a Finding: the index in Places, or -1 for all of it
	Package int                // the index in Report.Packages
}

// Image is what marks are about.
type Image struct {
	Analysis *analyzer.Analysis
	Report   *facts.Report      // with findings and packages, as far as they are known
	Claims   [][]advice.Claim   // the content that the findings count, by finding; nil if unknown
	Packages *packages.Packages // nil if unknown

	once   sync.Once
	wasted []filetree.Content                    // in the order of Report.Waste
	copies map[filetree.Content]filetree.Content // of content of the base, the visible copy of an own layer
}

// Result is what is left without what is marked.
type Result struct {
	// Report has no layers of which nothing is left.
	Report *facts.Report
	Saves  []Saving // by mark
	// Refused says why a mark has no effect, by mark: only for a saved report.
	Refused []error
	// Empty are the layers of the image of which nothing but directories is left.
	Empty []int
	// Estimated reports whether compressed sizes are estimates: those of layers that
	// are smaller than before.
	Estimated bool

	c     *counting
	kept  []int         // by layer of the image: its index in Report, or -1
	waste []facts.Waste // as in Report, with the layers of the image
}

// Saving is what a mark saves of the stored bytes.
type Saving struct {
	Alone int64 // if nothing else were marked
	More  int64 // in addition to all others
}

// prepare computes what does not depend on marks.
func (im *Image) prepare() {
	im.once.Do(func() {
		im.wasted = analyzer.Wasted(im.Analysis.Tree)
		im.copies = map[filetree.Content]filetree.Content{}
		copied := map[filetree.Content]bool{}
		for i, c := range im.wasted {
			if !im.Report.Waste[i].OwnCopy {
				continue
			}
			d := origin.LastCopy(im.Analysis.Tree, im.Analysis.Tree.Stored(c))
			if d != filetree.NoContent && !copied[d] {
				im.copies[c], copied[d] = d, true
			}
		}
	})
}

// Without returns the report of the image without what is marked. What two marks have
// in common counts once.
func Without(im *Image, marks []Mark) *Result {
	im.prepare()
	c := newCounting(im, marks)
	r := &Result{c: c, Saves: c.savings()}
	r.recount()
	return r
}

// Files returns the files that are left, as gate.Files does.
func (r *Result) Files() iter.Seq[gate.File] {
	return func(yield func(gate.File) bool) {
		for f := range gate.FilesLeft(r.c.tree, r.waste, r.c.shows) {
			if f.Layer = r.at(f.Layer); f.HiddenBy >= 0 {
				f.HiddenBy = r.at(f.HiddenBy)
			}
			if !yield(f) {
				return
			}
		}
	}
}

// keepsFiles reports whether the fix of a rule's findings keeps the files: only their
// bytes are stored once, or elsewhere.
func keepsFiles(rule string) bool { return rule == "duplicate-content" || rule == "outdated-base" }
