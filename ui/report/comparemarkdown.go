package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
)

const (
	compareRows     = 10 // files, packages and findings in a comment
	comparedSetting = 10
)

// compareMarker begins the line that marks a comment about a comparison. The line is not
// shown.
const compareMarker = "<!-- fathom compare"

// CompareMarkdown writes a comparison that fits in a comment: the totals with their
// change, then the largest changes of files, packages and findings. The first line is a
// comment of HTML with the name of the image, by which the next run finds the comment.
// Names from an image are in code spans only.
func CompareMarkdown(w io.Writer, in *CompareInput) error {
	d := &markdown{}
	d.block("%s: %s -->\n", compareMarker, markerName((&Input{Report: in.New.Report}).name()))
	old, new := in.titles()
	d.block("## fathom: %s → %s\n\n", code(old), code(new))
	d.comparedTotals(in)
	d.comparedLines(in)
	d.comparedRows(in)
	d.comparedPackages(in)
	d.comparedFindings(in)
	d.comparedLayers(in)
	d.comparedConfig(in)
	if d.cut {
		d.b.WriteString("\n_Cut here to fit a comment: the other formats have the rest._\n")
	}
	_, err := io.WriteString(w, d.b.String())
	return err
}

// markerName returns the characters of a name that can be in a comment of HTML.
func markerName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && (strings.ContainsRune("./_", r) || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return '-'
	}, name)
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	return cut(strings.Trim(name, "-"), markdownText)
}

// comparedTotal is a row of the table of totals.
type comparedTotal struct{ Name, Old, New, Change string }

// totals returns the totals that are known of both images.
func (in *CompareInput) totals() []comparedTotal {
	t := &in.Facts.Totals
	var all []comparedTotal
	size := func(name string, d *facts.Delta) {
		if d != nil {
			all = append(all, comparedTotal{name, Size(d.Old), Size(d.New), growthText(*d)})
		}
	}
	number := func(name string, d facts.Delta) {
		x := comparedTotal{name, humanize.Comma(d.Old), humanize.Comma(d.New), humanize.Comma(d.Delta)}
		if d.Delta > 0 {
			x.Change = "+" + x.Change
		}
		all = append(all, x)
	}
	size("stored", &t.StoredBytes)
	if t.Own != nil && t.Base != nil {
		size("of own layers", &t.Own.StoredBytes)
		size("of the base image", &t.Base.StoredBytes)
	}
	size("visible", &t.VisibleBytes)
	size("wasted", &t.WastedBytes)
	size("compressed", t.CompressedBytes)
	size("fixing all findings saves", t.FindingsBytes)
	number("files", t.Files)
	number("layers", t.Layers)
	return all
}

func (d *markdown) comparedTotals(in *CompareInput) {
	var b strings.Builder
	b.WriteString("| | old | new | change |\n|---|---:|---:|---:|\n")
	for _, x := range in.totals() {
		change := x.Change
		if change != "0" && change != "0 B" {
			change = "**" + change + "**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", x.Name, x.Old, x.New, change)
	}
	d.block("%s\n", &b)
}

// comparedLines adds what the overview says and the table of totals doesn't.
func (d *markdown) comparedLines(in *CompareInput) {
	n := 0
	for _, f := range in.overview() {
		switch f.Name {
		case "old", "new", "stored", "visible", "wasted":
			continue
		}
		n++
		d.block("- %s: %s\n", f.Name, code(f.Text))
	}
	if n > 0 {
		d.block("\n")
	}
}

// cell returns s as a code span in a table, where a | would end the cell.
func cell(s string) string { return code(strings.ReplaceAll(s, "|", `\x7c`)) }

func (d *markdown) comparedRows(in *CompareInput) {
	all := in.Facts.Folders
	if len(all) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("### Files\n\n| change | why | paths | where |\n|---:|---|---:|---|\n")
	for i := range all[:min(len(all), compareRows)] {
		r := &all[i]
		fmt.Fprintf(&b, "| %s | %s | %d | %s |\n", signed(r.NewBytes-r.OldBytes), plain(Safe(r.Change)), r.Count, cell(rowText(r)))
	}
	d.more(&b, len(all)-compareRows)
	d.block("%s\n", &b)
}

// more adds how many rows a table leaves out.
func (d *markdown) more(b *strings.Builder, n int) {
	if n > 0 {
		fmt.Fprintf(b, "\n- and %d more\n", n)
	}
}

func (d *markdown) comparedPackages(in *CompareInput) {
	all := in.Facts.Packages
	if len(all) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("### Packages\n\n| change | | package | versions |\n|---:|---|---|---|\n")
	for i := range all[:min(len(all), compareRows)] {
		p := &all[i]
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", signed(p.DeltaBytes), compare.PackageState(p), cell(Safe(p.Type)+" "+packageText(p.Name)), cell(versionsText(p)))
	}
	d.more(&b, len(all)-compareRows)
	d.block("%s\n", &b)
}

func (d *markdown) comparedFindings(in *CompareInput) {
	all := in.found()
	if len(all) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("### Findings\n\n")
	for _, f := range all[:min(len(all), compareRows)] {
		mark := "✅ fixed"
		if f.What == "new" {
			mark = map[string]string{"error": "❌", "warn": "⚠️"}[f.Severity] + " new"
		}
		size := ""
		if f.Size != "" {
			size = ", **" + f.Size + "**"
		}
		fmt.Fprintf(&b, "- %s%s: %s\n", strings.TrimSpace(mark), size, code(f.line()))
		if len(f.Places) > 0 && f.What == "new" {
			fmt.Fprintf(&b, "  - %s\n", code(f.Places[0].Line()))
		}
	}
	if n := len(all) - compareRows; n > 0 {
		fmt.Fprintf(&b, "- and %d more\n", n)
	}
	d.block("%s\n", &b)
}

func (d *markdown) comparedLayers(in *CompareInput) {
	if !in.anyLayer() {
		return
	}
	all := in.pairs()
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>layers: %s</summary>\n\n| change | old | new | | step |\n|---:|---:|---:|---|---|\n", in.layers())
	for _, p := range all[:min(len(all), markdownRows)] {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", p.Change, p.Old, p.New, plain(p.State+inParentheses(p.Reasons)), cell(p.Step))
	}
	d.more(&b, len(all)-markdownRows)
	d.block("%s\n</details>\n\n", &b)
}

func (d *markdown) comparedConfig(in *CompareInput) {
	all := in.config()
	if len(all) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>config: %s</summary>\n\n", count(len(all), "setting"))
	for i := range all[:min(len(all), comparedSetting)] {
		fmt.Fprintf(&b, "- %s\n", code(Safe(all[i].Key)+": "+settingChange(&all[i])))
	}
	if n := len(all) - comparedSetting; n > 0 {
		fmt.Fprintf(&b, "- and %d more\n", n)
	}
	d.block("%s\n</details>\n\n", &b)
}
