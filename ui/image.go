package ui

import (
	"fmt"
	"strings"

	"fathom/analyzer/facts"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// openImage shows the image's metadata.
func (u *ui) openImage() {
	t := imagePage(u.rep, u.notes)
	t.open = func(layer int) {
		u.closeOver()
		u.selectLayer(layer)
		u.setFocus(layersPane)
	}
	u.push(t)
}

// imagePage shows the image's metadata, how it was read, and its warnings.
func imagePage(rep *facts.Report, notes []string) *text {
	t := &text{in: inImage, name: "Image", write: func(p *screen.Page) {
		about(p, rep, notes)
		warnings(p, rep)
		config(p, &rep.Image.Config)
		steps(p, rep)
	}}
	if n := len(rep.Warnings); n > 0 {
		t.note = count(n, "warning")
	}
	return t
}

func about(p *screen.Page, rep *facts.Report, notes []string) {
	th, img, t := p.Theme, &rep.Image, &rep.Totals
	p.Title(safe(img.Reference))
	p.Blank()
	p.Field("source", safe(img.Source), th.Text)
	for _, n := range notes {
		p.Field("note", safe(n), th.Text)
	}
	if n := unverified(rep); n > 0 {
		p.Field("unverified", fmt.Sprintf("%d of %d layers: they are listed from their tables of contents", n, len(rep.Layers)), th.Alarm)
	}
	p.Field("platform", safe(img.Platform), th.Text)
	for _, tag := range img.Tags {
		p.Field("tag", safe(tag), th.Text)
	}
	p.Field("created", timeText(img.Created), th.Text)
	p.Field("image ID", safe(img.ID), th.Dim)
	p.Field("digest", safe(img.Digest), th.Dim)
	p.Blank()
	p.Field("stored", report.Size(t.StoredBytes)+"  "+report.Exact(t.StoredBytes), th.Text)
	p.Field("visible", report.Size(t.VisibleBytes)+"  "+report.Exact(t.VisibleBytes), th.Visible)
	p.Field("wasted", report.Size(t.WastedBytes)+"  "+report.Exact(t.WastedBytes), wastedStyle(th, t.WastedBytes))
	p.Field("efficiency", report.Percent(t.Efficiency), th.Text)
	if t.CompressedBytes > 0 {
		p.Field("compressed", report.Size(t.CompressedBytes)+"  "+report.Exact(t.CompressedBytes), th.Text)
	}
	p.Field("holds", count(t.Files, "file")+" in the final image", th.Text)
}

// warnings adds the warnings; enter on a line goes to its layer.
func warnings(p *screen.Page, rep *facts.Report) {
	if len(rep.Warnings) > 0 {
		p.Blank()
		p.Title("Warnings")
	}
	for _, w := range rep.Warnings {
		s := strings.TrimPrefix(warningText(w), "warning: ")
		if w.Layer >= 0 {
			s = "layer " + itoa(w.Layer) + ": " + s
		}
		from := len(p.Lines)
		p.Wrap(1, s, p.Theme.Alarm)
		for i := range p.Lines[from:] {
			p.Lines[from+i].Link = w.Layer
		}
	}
}

// config adds how the image runs.
func config(p *screen.Page, cfg *facts.Config) {
	th := p.Theme
	p.Blank()
	p.Title("Runs as")
	if cfg.User == "" {
		p.Field("user", "root (none is set)", th.Dim)
	}
	p.Field("user", safe(cfg.User), th.Text)
	p.Field("entrypoint", words(cfg.Entrypoint), th.Text)
	p.Field("command", words(cfg.Cmd), th.Text)
	p.Field("folder", safe(cfg.WorkingDir), th.Text)
	for _, port := range cfg.ExposedPorts {
		p.Field("port", safe(port), th.Text)
	}
	for _, v := range cfg.Volumes {
		p.Field("volume", safe(v), th.Text)
	}
	for _, e := range cfg.Env {
		p.Field("env", safe(e), th.Text)
	}
	for _, k := range sortedKeys(cfg.Labels) {
		p.Field("label", safe(k)+"="+safe(cfg.Labels[k]), th.Text)
	}
}

// steps adds every step of the history, with what its layer stores; enter on a
// line goes to the layer.
func steps(p *screen.Page, rep *facts.Report) {
	th := p.Theme
	p.Blank()
	p.Title("History")
	if len(rep.History) == 0 {
		p.Wrap(0, "the image does not say", th.Dim)
	}
	for i, h := range rep.History {
		st, left := th.Dim, 4
		number, size := "", ""
		if h.Layer >= 0 && h.Layer < len(rep.Layers) {
			number, st = itoa(h.Layer), th.Text
			size = report.Size(rep.Layers[h.Layer].StoredBytes)
		}
		spans := []screen.Span{{Text: fmt.Sprintf("%4s ", number), Style: th.Dim}}
		if p.W >= 40 {
			left += 10
			spans = append(spans, screen.Span{Text: fmt.Sprintf("%8s  ", size), Style: th.Text})
		}
		from := len(p.Lines)
		p.Wrap(left, command(rep, step{h.Layer, i}), st)
		if from < len(p.Lines) {
			p.Lines[from].Spans = append(spans, p.Lines[from].Spans[1:]...)
		}
		for j := range p.Lines[from:] {
			p.Lines[from+j].Link = h.Layer
		}
	}
}
