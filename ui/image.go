package ui

import (
	"fmt"
	"strings"

	"fathom/analyzer"
	"fathom/ui/report"
)

// openImage shows what the image says of itself.
func (u *ui) openImage() {
	u.over = append(u.over, imagePage(u.a.Report, u.layers, u.notes))
}

// imagePage is what the image says of itself, how it was read, and what was odd
// about it.
func imagePage(rep *analyzer.Report, l *layers, notes []string) *text {
	t := &text{at_: inImage, name: "Image", write: func(p *page) {
		about(p, rep, notes)
		warnings(p, rep)
		config(p, &rep.Image.Config)
		steps(p, rep, l)
	}}
	switch n := len(rep.Warnings); {
	case n == 1:
		t.note = "1 warning"
	case n > 1:
		t.note = fmt.Sprintf("%d warnings", n)
	}
	return t
}

func about(p *page, rep *analyzer.Report, notes []string) {
	th, img, t := p.th, &rep.Image, &rep.Totals
	p.title(report.Safe(img.Reference))
	p.blank()
	p.field("source", report.Safe(img.Source), th.text)
	for _, n := range notes {
		p.field("note", report.Safe(n), th.text)
	}
	if n := unverified(rep); n > 0 {
		p.field("unverified", fmt.Sprintf("%d of %d layers: they are listed from their tables of contents", n, len(rep.Layers)), th.alarm)
	}
	p.field("platform", report.Safe(img.Platform), th.text)
	for _, tag := range img.Tags {
		p.field("tag", report.Safe(tag), th.text)
	}
	p.field("created", timeText(img.Created), th.text)
	p.field("image ID", report.Safe(img.ID), th.dim)
	p.field("digest", report.Safe(img.Digest), th.dim)
	p.blank()
	p.field("stored", report.Size(t.StoredBytes)+"  "+report.Exact(t.StoredBytes), th.text)
	p.field("seen", report.Size(t.VisibleBytes)+"  "+report.Exact(t.VisibleBytes), th.visible)
	p.field("wasted", report.Size(t.WastedBytes)+"  "+report.Exact(t.WastedBytes), wastedStyle(th, t.WastedBytes))
	p.field("efficiency", report.Percent(t.Efficiency), th.text)
	if t.CompressedBytes > 0 {
		p.field("compressed", report.Size(t.CompressedBytes)+"  "+report.Exact(t.CompressedBytes), th.text)
	}
	p.field("holds", fileCount(t.Files)+" in the end", th.text)
}

// warnings adds what was odd; enter on a line goes to its layer.
func warnings(p *page, rep *analyzer.Report) {
	if len(rep.Warnings) > 0 {
		p.blank()
		p.title("Warnings")
	}
	for _, w := range rep.Warnings {
		s := strings.TrimPrefix(warningText(w), "warning: ")
		if w.Layer >= 0 {
			s = "layer " + itoa(w.Layer) + ": " + s
		}
		from := len(p.lines)
		p.wrap(1, s, p.th.alarm)
		for i := range p.lines[from:] {
			p.lines[from+i].layer = w.Layer
		}
	}
}

// config adds how the image runs.
func config(p *page, cfg *analyzer.ImageConfig) {
	th := p.th
	p.blank()
	p.title("Runs as")
	if cfg.User == "" {
		p.field("user", "root, since none is set", th.dim)
	}
	p.field("user", report.Safe(cfg.User), th.text)
	p.field("entrypoint", words(cfg.Entrypoint), th.text)
	p.field("command", words(cfg.Cmd), th.text)
	p.field("folder", report.Safe(cfg.WorkingDir), th.text)
	for _, port := range cfg.ExposedPorts {
		p.field("port", report.Safe(port), th.text)
	}
	for _, v := range cfg.Volumes {
		p.field("volume", report.Safe(v), th.text)
	}
	for _, e := range cfg.Env {
		p.field("env", report.Safe(e), th.text)
	}
	for _, k := range sortedKeys(cfg.Labels) {
		p.field("label", report.Safe(k)+"="+report.Safe(cfg.Labels[k]), th.text)
	}
}

// steps adds every step of the history, with what its layer stores; enter on a
// line goes to the layer.
func steps(p *page, rep *analyzer.Report, l *layers) {
	th := p.th
	p.blank()
	p.title("History")
	if len(rep.History) == 0 {
		p.wrap(0, "the image does not say", th.dim)
	}
	for i, h := range rep.History {
		st, left := th.dim, 4
		number, size := "", ""
		if h.Layer >= 0 && h.Layer < len(rep.Layers) {
			number, st = itoa(h.Layer), th.text
			size = report.Size(rep.Layers[h.Layer].StoredBytes)
		}
		spans := []span{{fmt.Sprintf("%4s ", number), th.dim}}
		if p.w >= 40 {
			left += 10
			spans = append(spans, span{fmt.Sprintf("%8s  ", size), th.text})
		}
		from := len(p.lines)
		p.wrap(left, l.command(step{h.Layer, i}), st)
		if from < len(p.lines) {
			p.lines[from].spans = append(spans, p.lines[from].spans[1:]...)
		}
		for j := range p.lines[from:] {
			p.lines[from+j].layer = h.Layer
		}
	}
}
