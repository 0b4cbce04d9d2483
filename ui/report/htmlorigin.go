package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"fathom/analyzer/facts"
)

const (
	htmlLines     = 5000 // of the Dockerfile
	htmlLineBytes = 2000 // of each of them
)

// pageOrigin is the base image and the own layers. Its strings are safe to show.
type pageOrigin struct {
	Base, Sure string
	Chain      []string
	Parts      []pagePart // the base, and the own layers
	Notes      []string
}

// pagePart is the figures of the base or of the own layers, and their layers.
type pagePart struct {
	*facts.Part
	Name     string // base or own
	Layers   []pageLayer
	From, To string // where it is in the bar, in percent
}

// pageSource is lines of a Dockerfile. Line is 0 if the page doesn't show them.
type pageSource struct {
	Text string
	Line int
}

// pageBlock is an instruction of the Dockerfile that made layers or has findings, or
// the lines between two of these.
type pageBlock struct {
	Lines    []pageLine
	Layers   []pageLayer
	Findings []pageFinding
}

type pageLine struct {
	Number int
	Text   string
}

// origin splits the layers by the base image, if it is known.
func (p *page) origin() {
	r := p.Report
	b, own, base := r.Base, r.Totals.Own, r.Totals.Base
	if b == nil || own == nil || base == nil {
		return
	}
	split := percentOf(base.StoredBytes, r.Totals.StoredBytes)
	x := &pageOrigin{
		Base: baseReference(b.Reference), Sure: BaseCertainty(b),
		Parts: []pagePart{{base, "base", p.Layers[:b.Layers], "0", split}, {own, "own", p.Layers[b.Layers:], split, "100"}},
	}
	for _, l := range b.Chain {
		x.Chain = append(x.Chain, fmt.Sprintf("%s (%s)", baseReference(l.Reference), count(l.Layers, "layer")))
	}
	if n := own.CopiedFromBaseBytes; n > 0 {
		x.Notes = append(x.Notes, "Own layers store "+Size(n)+" of the base again, unchanged")
	}
	if n := base.HiddenByOwnBytes; n > 0 {
		x.Notes = append(x.Notes, "Own layers remove or replace "+Size(n)+" of the base, which stay stored")
	}
	p.Origin = x
}

// source returns lines of a Dockerfile, with a link if the page shows them.
func (p *page) source(s *facts.Source) pageSource {
	x := pageSource{Text: Lines(s)}
	if d := p.Report.Dockerfile; s != nil && d != nil && d.Name == s.File && s.Line <= len(p.lines) {
		x.Line = s.Line
	}
	return x
}

// readDockerfile reads the lines of the Dockerfile that the page shows.
func (p *page) readDockerfile() {
	d := p.Report.Dockerfile
	if d == nil {
		return
	}
	for line := range strings.Lines(d.Text) {
		if len(p.lines) == htmlLines {
			p.LinesLeft++
			continue
		}
		p.lines = append(p.lines, dockerText(strings.TrimRight(line, "\r\n")))
	}
}

// dockerfile divides the Dockerfile into instructions with layers or findings and the
// lines between them.
func (p *page) dockerfile() {
	d := p.Report.Dockerfile
	if d == nil {
		return
	}
	starts, ends := map[int]*pageBlock{}, map[int]int{}
	at := func(s *facts.Source) *pageBlock {
		if s == nil || s.File != d.Name || s.Line > len(p.lines) {
			return &pageBlock{}
		}
		if starts[s.Line] == nil {
			starts[s.Line] = &pageBlock{}
		}
		ends[s.Line] = max(ends[s.Line], s.End)
		return starts[s.Line]
	}
	for _, l := range p.Layers {
		b := at(l.Source)
		b.Layers = append(b.Layers, l)
	}
	for _, all := range [][]pageFinding{p.First, p.Others, p.OfBase} {
		for _, f := range all {
			b := at(f.Source)
			b.Findings = append(b.Findings, f)
		}
	}
	var block *pageBlock
	end := 0
	for i, text := range p.lines {
		switch n := i + 1; {
		case starts[n] != nil:
			block, end = starts[n], ends[n]
			p.Blocks = append(p.Blocks, block)
		case block == nil || end > 0 && n > end:
			block, end = &pageBlock{}, 0
			p.Blocks = append(p.Blocks, block)
		}
		block.Lines = append(block.Lines, pageLine{i + 1, text})
	}
}

// dockerText returns a line of a Dockerfile, safe to show. It is as it was if it has no
// hidden characters besides tabs.
func dockerText(line string) string {
	line = strings.ReplaceAll(cut(line, htmlLineBytes), "\t", "    ")
	if utf8.ValidString(line) && !strings.ContainsFunc(line, hidden) {
		return line
	}
	return Safe(line)
}
