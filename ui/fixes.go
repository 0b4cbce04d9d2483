package ui

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/gate"
	"fathom/analyzer/whatif"
	"fathom/ui/report"
)

// judge judges a report as the gate would; see Options.Judge.
type judge func(*facts.Report, iter.Seq[gate.File]) (gate.Verdict, error)

// judgeByDefault judges a report by the rules that apply when none is given.
func judgeByDefault(r *facts.Report, files iter.Seq[gate.File]) (gate.Verdict, error) {
	return gate.Check(r, nil, gate.Options{Files: files, AllowUnverified: true, NoBaseline: true})
}

// fixes is what the user has marked as fixed, and what that would change. It is computed
// in the background, for the newest marks once the last computation has ended.
type fixes struct {
	u      *ui
	marks  []fix
	what   *basis   // nil until it is needed, and when findings or packages have changed
	out    *outcome // of the newest marks that were computed; nil without marks
	busy   bool
	behind bool // marks, or what they are about, have changed since the computation began
	page   *text
}

// fix is a mark, and what is needed to name it and to go to it.
type fix struct {
	fixKey
	name  string // safe to show, on one line
	task  report.Task
	waste [][]lostFile // of waste: the parts of its items
	at    int          // of a path and of waste: the layer that shows it
	whole bool         // of a path: everything up to that layer was shown
}

// fixKey identifies a mark. Findings and packages are named by their words, because
// their lists are replaced while the image is searched.
type fixKey struct {
	kind  whatif.Kind
	layer int           // of a step; of waste, the layer that hides it
	node  filetree.Node // of a path and of waste
	count int           // of waste: how many contents
	text  string
}

// basis is what marks are about: the report with all that is known by now.
type basis struct {
	image  *whatif.Image // nil for a saved report
	saved  *whatif.Saved
	rep    *facts.Report
	judge  judge
	once   sync.Once
	before ruling // of rep, once without was called
}

// ruling is a verdict, or why there is none.
type ruling struct {
	gate.Verdict
	err error
}

// word returns the verdict in a word.
func (r *ruling) word() string {
	switch {
	case r.err != nil || r.Errors() > 0:
		return "error"
	case r.Pass():
		return "pass"
	}
	return "fail"
}

// outcome is what some marks change.
type outcome struct {
	*whatif.Result
	old           *facts.Report
	before, after ruling
	saves         map[fixKey]whatif.Saving
	refused       map[fixKey]error
}

// fixer is a pane whose rows can be marked as fixed.
type fixer interface {
	pane
	// fix returns the mark of the row under the cursor. Without one, why says what keeps
	// it from being marked.
	fix() (f fix, why string)
}

// fixRow marks the row under the cursor as fixed, or removes the mark.
func (u *ui) fixRow() {
	p, ok := u.on().(fixer)
	if !ok {
		u.note = cmp.Or(u.lacks[needTree], "nothing here can be marked as fixed")
		return
	}
	f, why := p.fix()
	if why != "" {
		u.note = why
		return
	}
	if i := u.fixes.index(f.fixKey); i >= 0 {
		u.fixes.remove(i)
		u.note = "no longer marked as fixed: " + f.name
		return
	}
	u.fixes.marks = append(u.fixes.marks, f)
	u.note = fmt.Sprintf("marked as fixed: %s (%s shows what that would change)", f.name, keyOf(u.keys, "what-if"))
	u.fixes.compute()
}

// index returns the index of a mark, or -1.
func (x *fixes) index(k fixKey) int {
	return slices.IndexFunc(x.marks, func(f fix) bool { return f.fixKey == k })
}

// remove removes a mark.
func (x *fixes) remove(i int) {
	x.marks = slices.Delete(slices.Clone(x.marks), i, i+1)
	x.compute()
}

// clear removes all marks.
func (x *fixes) clear() {
	x.u.note = count(len(x.marks), "mark") + " removed"
	x.marks = nil
	x.compute()
}

// renew computes again what the marks change, as findings or packages have been found.
func (x *fixes) renew() {
	x.what = nil
	if len(x.marks) > 0 {
		x.compute()
	}
}

// compute computes what the marks change.
func (x *fixes) compute() {
	x.rewrite()
	if len(x.marks) == 0 {
		x.out = nil
		return
	}
	if x.busy {
		x.behind = true
		return
	}
	x.busy, x.behind = true, false
	if x.what == nil {
		x.what = x.u.basis()
	}
	what, marks := x.what, x.u.resolve(x.marks)
	x.u.do.work(func(context.Context) func() {
		o := what.without(marks)
		return func() {
			x.busy = false
			x.took(o)
		}
	})
}

// took shows an outcome.
func (x *fixes) took(o *outcome) {
	for k, err := range o.refused {
		if i := x.index(k); i >= 0 {
			x.u.note = "can't be marked as fixed: " + err.Error()
			x.marks = slices.Delete(slices.Clone(x.marks), i, i+1)
			x.behind = true
		}
	}
	if x.out = o; x.behind || len(x.marks) == 0 {
		x.compute()
	}
	x.rewrite()
}

// rewrite has the page written again when it is drawn next.
func (x *fixes) rewrite() {
	if x.page != nil {
		x.page.wrote = -1
	}
}

// mark is a fix as package whatif knows it. It is of no effect if what was marked has not
// been found again.
type mark struct {
	fixKey
	whatif.Mark
	parts [][]lostFile // of waste
	tree  *filetree.Tree
}

// resolve returns the marks, for the findings and packages that are known now.
func (u *ui) resolve(marks []fix) []mark {
	found, _, _ := paneOf[*findings](&u.layout)
	list, _, _ := paneOf[*packageList](&u.layout)
	out := make([]mark, len(marks))
	for i, f := range marks {
		m := mark{fixKey: f.fixKey, Mark: whatif.Mark{Kind: f.kind, Layer: f.layer, Node: f.node}}
		m.Finding, m.Place, m.Package = -1, -1, -1
		switch f.kind {
		case whatif.Waste:
			w, _, _ := paneOf[*waste](&u.layout)
			m.parts, m.tree = f.waste, w.tree
		case whatif.Finding:
			m.Finding, m.Place = found.named(f.text)
		case whatif.Package:
			m.Package = slices.IndexFunc(list.all, func(p facts.Package) bool { return packageKey(&p) == f.text })
		}
		out[i] = m
	}
	return out
}

// wasted returns what a mark of waste is about: there may be a million contents. A saved
// report knows only the paths and the layers.
func (m *mark) wasted(saved bool) (contents []filetree.Content, waste []facts.Waste) {
	for _, parts := range m.parts {
		for _, p := range parts {
			if saved {
				waste = append(waste, facts.Waste{Path: m.tree.Path(p.lost), StoredIn: int(p.stored), HiddenBy: int(p.hidden)})
			} else {
				contents = append(contents, p.content)
			}
		}
	}
	return contents, waste
}

// basis returns what marks are about now.
func (u *ui) basis() *basis {
	rep := *u.rep
	b := &basis{rep: &rep, judge: u.judge}
	if b.judge == nil {
		b.judge = judgeByDefault
	}
	if u.img == nil {
		b.saved = &whatif.Saved{Report: &rep}
		return b
	}
	b.image = &whatif.Image{Analysis: u.img.Analysis, Report: &rep, Packages: u.img.packages}
	if found, _, _ := paneOf[*findings](&u.layout); found.all != nil {
		rep.Findings, b.image.Claims = found.all, found.claims
		rep.Totals.FindingsBytes = 0
		for i := range rep.Findings {
			rep.Totals.FindingsBytes += rep.Findings[i].Bytes
		}
		rep.Secrets = u.searched(found)
	}
	return b
}

// searched says which layers were searched for secrets, as a report does.
func (u *ui) searched(f *findings) string {
	switch {
	case u.advice.NoSecrets:
		return facts.SecretsOff
	case f.running, len(f.unread) > 0:
		return facts.SecretsSome
	case u.advice.OwnSecrets:
		return facts.SecretsOwn
	}
	return facts.SecretsAll
}

// without computes what some marks change.
func (b *basis) without(marks []mark) *outcome {
	b.once.Do(func() {
		var files iter.Seq[gate.File]
		if b.image != nil {
			files = gate.Files(b.image.Analysis.Tree, b.rep.Waste)
		}
		b.before.Verdict, b.before.err = b.judge(b.rep, files)
	})
	o := &outcome{old: b.rep, before: b.before, saves: map[fixKey]whatif.Saving{}, refused: map[fixKey]error{}}
	var files iter.Seq[gate.File]
	if b.image != nil {
		var all []whatif.Mark
		for _, m := range marks {
			if m.Kind == whatif.Finding && m.Finding < 0 || m.Kind == whatif.Package && m.Package < 0 {
				m.Mark = whatif.Mark{Kind: whatif.Waste} // of nothing
			}
			m.Waste, _ = m.wasted(false)
			all = append(all, m.Mark)
		}
		o.Result = whatif.Without(b.image, all)
		files = o.Files()
	} else {
		var all []whatif.SavedMark
		for _, m := range marks {
			_, waste := m.wasted(true)
			all = append(all, whatif.SavedMark{Kind: m.Kind, Layer: m.Layer, Waste: waste, Finding: m.Finding, Place: m.Place})
		}
		o.Result = b.saved.Without(all)
	}
	o.after.Verdict, o.after.err = b.judge(o.Report, files)
	for i, m := range marks {
		o.saves[m.fixKey] = o.Saves[i]
		if o.Refused != nil && o.Refused[i] != nil {
			o.refused[m.fixKey] = o.Refused[i]
		}
	}
	return o
}
