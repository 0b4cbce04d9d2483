package ui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/whatif"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// has reports whether a row is marked.
func (x *fixes) has(k fixKey) bool { return len(x.marks) > 0 && x.index(k) >= 0 }

// sign draws the sign of a row that is marked.
func (x *fixes) sign(c screen.Canvas, y int, k fixKey, on func(tcell.Style) tcell.Style) {
	if x.has(k) {
		c.Text(0, y, on(c.Theme.Accent), c.Theme.Glyph.Fixed)
	}
}

func (l *layers) fix() (f fix, why string) {
	s, ok := l.current()
	if !ok || s.layer < 0 {
		return f, "a step without a layer stores nothing"
	}
	step := command(l.rep, s)
	f.fixKey = stepKey(s.layer)
	f.name = "layer " + itoa(s.layer) + "  " + step
	f.task = report.Task{Text: fmt.Sprintf("layer %d: let the step waste nothing", s.layer), Code: step}
	return f, ""
}

func stepKey(layer int) fixKey { return fixKey{kind: whatif.Step, layer: layer} }

func (f *files) fix() (x fix, why string) {
	r, ok := f.out.Cursor()
	if !ok {
		return x, "there is no file here"
	}
	path := safe(f.tree.Path(r.Node))
	if r.Dir && r.Node != filetree.Root {
		path += "/"
	}
	x.fixKey = pathKey(r.Node)
	x.at, x.whole = f.u.sel.layer, f.u.sel.whole
	x.name = path
	x.task = report.Task{Text: "leave out", Code: path}
	return x, ""
}

func pathKey(n filetree.Node) fixKey { return fixKey{kind: whatif.Path, node: n} }

func (w *waste) fix() (f fix, why string) {
	if w.At >= len(w.rows) || w.busy {
		return f, "there is no waste here"
	}
	f.fixKey = w.fixKey(w.rows[w.At])
	if g, ok := w.group(); ok {
		for _, i := range g.items {
			f.waste = append(f.waste, w.items[i].parts)
		}
		f.at = w.items[g.items[0]].hidden
		f.name = safe(g.name)
		f.task = report.Task{Text: fmt.Sprintf("do not store what is wasted (%s)", count(len(g.items), "path")), Code: safe(g.name)}
		return f, ""
	}
	it, _ := w.current()
	f.waste, f.at = [][]lostFile{it.parts}, it.hidden
	path := safe(w.tree.Path(it.node))
	if it.folder {
		path += "/"
	}
	f.name = fmt.Sprintf("%s  waste of layers %s", path, it.steps(w.u.th))
	f.task = report.Task{Text: "do not store what layer " + itoa(it.hidden) + " hides", Code: path}
	return f, ""
}

// fixKey returns the key of a row.
func (w *wasteTable) fixKey(r wasteRow) fixKey {
	if r.item < 0 {
		return fixKey{kind: whatif.Waste, node: filetree.None, text: strconv.Itoa(int(w.grouping)) + w.groups[r.group].name}
	}
	it := w.row(r)
	return fixKey{kind: whatif.Waste, node: it.node, layer: it.hidden, count: len(it.parts), text: strconv.Itoa(it.stored)}
}

func (f *findings) fix() (x fix, why string) {
	r, ok := f.current()
	if !ok {
		return x, "there is no finding here"
	}
	if r.place >= len(f.all[r.finding].Places) {
		return x, "a report lists the largest places only: mark the finding"
	}
	words := report.FindingOf(f.report(r.finding), &f.all[r.finding])
	x.fixKey = f.fixKey(r)
	x.name = safe(f.all[r.finding].Title)
	x.task = report.Task{Text: safe(f.all[r.finding].Title), Lines: words.Lines}
	if len(words.Lines) == 0 && words.Fix != "" {
		x.task.Text += ": " + words.Fix
	}
	if r.place >= 0 {
		p := f.placeOf(r)
		at := safe(p.Path)
		if p.Path == "" {
			at = "layer " + itoa(p.Layer)
			if p.Layer < 0 {
				at = "the configuration"
			}
		}
		x.name = at + "  " + x.name
		x.task.Text, x.task.Code = x.task.Text+", at", at
	}
	return x, ""
}

// fixKey returns the key of a row.
func (f *findings) fixKey(r findingRow) fixKey {
	text := f.keys[r.finding].text()
	if r.place >= 0 {
		text += "\x00" + placeText(f.placeOf(r))
	}
	return fixKey{kind: whatif.Finding, text: text}
}

func (k *findingKey) text() string {
	return strings.Join([]string{k.rule, k.title, strconv.Itoa(k.nth)}, "\x00")
}

// placeText names a place among those of a finding.
func placeText(p facts.Place) string {
	return fmt.Sprintf("%s\x00%d\x00%d\x00%s", p.Path, p.Layer, p.HiddenBy, p.Redacted)
}

// named returns the finding of a fixKey, and the place or -1; -1 if the list no longer
// has it.
func (f *findings) named(text string) (finding, place int) {
	for i := range f.keys {
		rest, ok := strings.CutPrefix(text, f.keys[i].text())
		if !ok {
			continue
		}
		if rest == "" {
			return i, -1
		}
		for p := range f.all[i].Places {
			if rest == "\x00"+placeText(f.all[i].Places[p]) {
				return i, p
			}
		}
	}
	return -1, -1
}

func (l *packageList) fix() (f fix, why string) {
	r, ok := l.current()
	switch {
	case l.u.img == nil:
		return f, "a saved report does not say which files a package has: open the image itself to mark it as fixed"
	case !ok || r.index < 0:
		return f, "only packages can be marked as fixed here; a folder can in the files"
	}
	p := &l.all[r.index]
	f.fixKey = fixKey{kind: whatif.Package, text: packageKey(p)}
	f.name = shown(packageName(p)) + " " + safe(p.Version)
	f.task = report.Task{Text: "leave out the package", Code: f.name}
	return f, ""
}

// packageKey identifies a package.
func packageKey(p *facts.Package) string {
	return strings.Join([]string{p.Type, p.Name, p.Version, p.Arch, p.Database}, "\x00")
}
