package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"fathom/analyzer/gate"
)

const (
	maxMarkdown   = 60 << 10 // bytes: a comment on GitHub takes 65,536 characters
	markdownText  = 300      // bytes of a name or a command
	markdownRows  = 40       // layers
	markdownWaste = 10
	worstShown    = 5
)

// Markdown writes a report that fits a comment: the verdict first, then what
// changed since the baseline, the worst offenders, and the figures. What an
// image or a user named stands in code spans only, where nothing is a link, a
// mention or markup. It is cut where it would be too long, and says so.
func Markdown(w io.Writer, in *Input) error {
	d := &markdown{}
	d.verdict(in)
	d.growth(in.Verdict)
	d.worst(in)
	d.rules(in.Verdict)
	d.figures(in)
	d.layers(in)
	d.waste(in)
	d.notes(in)
	if d.cut {
		d.b.WriteString("\n_Cut here to fit a comment: the other formats have the rest._\n")
	}
	_, err := io.WriteString(w, d.b.String())
	return err
}

type markdown struct {
	b   strings.Builder
	cut bool
}

// block adds a part whole, or nothing from there on.
func (d *markdown) block(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	if d.cut = d.cut || d.b.Len()+len(s) > maxMarkdown; !d.cut {
		d.b.WriteString(s)
	}
}

func (d *markdown) verdict(in *Input) {
	image := code(in.Report.Image.Reference)
	switch v := in.Verdict; {
	case v == nil:
		d.block("## fathom: %s\n\n", image)
	case v.Pass():
		d.block("## ✅ pass: %s\n\n%s\n\n", image, code(VerdictLine(v)))
	case v.Errors() > 0:
		d.block("## ❌ error: %s\n\n%s\n\n", image, code(VerdictLine(v)))
	default:
		d.block("## ❌ fail: %s\n\n%s\n\n", image, code(VerdictLine(v)))
	}
}

func (d *markdown) growth(v *gate.Verdict) {
	if v == nil {
		return
	}
	bytes, ratio, ok := v.Growth()
	if !ok {
		return
	}
	d.block("**%s** (%s) since %s: %s, now %s.\n\n", signed(Size, bytes), plain(growthPercent(ratio)), code(v.Baseline.Reference),
		Exact(v.Baseline.Totals.StoredBytes), Exact(v.Totals.StoredBytes))
}

// worst lists the offenders of all broken rules that cost most, each once, or
// where nothing is broken the waste that costs most.
func (d *markdown) worst(in *Input) {
	var all []gate.Offender
	if v := in.Verdict; v != nil {
		for _, r := range v.Rules {
			for _, o := range r.Offenders {
				same := func(x gate.Offender) bool {
					return x.Path == o.Path && x.StoredIn == o.StoredIn && x.HiddenBy == o.HiddenBy && x.Cause == o.Cause
				}
				if !r.OK && !slices.ContainsFunc(all, same) {
					all = append(all, o)
				}
			}
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b gate.Offender) int { return cmp.Compare(b.Bytes, a.Bytes) })
	d.block("### The worst offenders\n\n")
	for _, o := range all[:min(len(all), worstShown)] {
		d.block("%s", markdownOffender(o))
	}
	d.block("\n")
}

func markdownOffender(o gate.Offender) string {
	var b strings.Builder
	what := fmt.Sprintf("layer %d, %s", o.StoredIn, code(cmp.Or(Command(o.StoredBy), "(no command)")))
	if o.Path != "" {
		what = code(o.Path)
		if o.Files > 1 {
			what += fmt.Sprintf(" (%d files)", o.Files)
		}
		if o.Cause != "" {
			what += ", " + plain(o.Cause)
		}
	}
	fmt.Fprintf(&b, "- **%s** %s\n", Size(o.Bytes), what)
	if o.Path != "" && o.StoredBy != "" {
		fmt.Fprintf(&b, "  - stored by layer %d: %s\n", o.StoredIn, code(Command(o.StoredBy)))
	}
	if o.HiddenBy >= 0 && o.HiddenBy != o.StoredIn && o.HiddenAs != "" {
		fmt.Fprintf(&b, "  - hidden by layer %d: %s\n", o.HiddenBy, code(Command(o.HiddenAs)))
	}
	if o.Advice != "" {
		fmt.Fprintf(&b, "  - to mend: %s\n", plain(o.Advice))
	}
	return b.String()
}

func (d *markdown) rules(v *gate.Verdict) {
	if v == nil {
		return
	}
	var b strings.Builder
	b.WriteString("### Rules\n\n| | rule | observed | limit |\n|---|---|---:|---:|\n")
	for _, r := range v.Rules {
		bound := "at most"
		if r.AtLeast {
			bound = "at least"
		}
		observed, limit := ruleValues(r)
		if r.Err != nil {
			fmt.Fprintf(&b, "| ❌ error | %s | %s | |\n", r.Name, plain(cut(Safe(unevaluated(r)), markdownText)))
			continue
		}
		mark := map[string]string{"ok": "✅ ok", "warn": "⚠️ warn", "fail": "❌ fail"}[word(v, r)]
		fmt.Fprintf(&b, "| %s | %s | %s | %s %s |\n", mark, r.Name, observed, bound, limit)
	}
	d.block("%s\n", b.String())
	for _, s := range v.Suppressed {
		d.block("- %s\n", code(suppressed(s)))
	}
	if len(v.Suppressed) > 0 {
		d.block("\n")
	}
}

func (d *markdown) figures(in *Input) {
	t := in.Report.Totals
	compressed := "unknown"
	if t.CompressedBytes > 0 {
		compressed = fmt.Sprintf("%s (%s)", Size(t.CompressedBytes), Exact(t.CompressedBytes))
	}
	d.block("### Figures\n\n| | |\n|---|---|\n| stored | %s (%s) |\n| visible | %s (%s) |\n| wasted | %s (%s) |\n| compressed | %s |\n| efficiency | %s |\n| files | %d |\n| layers | %d |\n\n",
		Size(t.StoredBytes), Exact(t.StoredBytes), Size(t.VisibleBytes), Exact(t.VisibleBytes), Size(t.WastedBytes), Exact(t.WastedBytes),
		compressed, Percent(t.Efficiency), t.Files, t.Layers)
}

func (d *markdown) layers(in *Input) {
	layers := in.Report.Layers
	if len(layers) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n", count(len(layers), "layer"))
	for _, l := range layers[:min(len(layers), markdownRows)] {
		fmt.Fprintf(&b, "- %d: **%s**, %s wasted: %s\n", l.Index, Size(l.StoredBytes), Size(l.WastedBytes), code(cmp.Or(Command(l.Command), "(no command)")))
	}
	if n := len(layers) - markdownRows; n > 0 {
		fmt.Fprintf(&b, "- and %d more\n", n)
	}
	d.block("%s\n</details>\n\n", b.String())
}

func (d *markdown) waste(in *Input) {
	waste := in.Report.Waste
	if len(waste) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s of waste</summary>\n\n", count(len(waste), "piece"))
	for _, w := range waste[:min(len(waste), markdownWaste)] {
		fmt.Fprintf(&b, "- **%s** %s, %s: layer %d → %d\n", Size(w.Bytes), code(WastePath(w)), plain(w.Cause), w.StoredIn, w.HiddenBy)
	}
	if n := len(waste) - markdownWaste; n > 0 {
		fmt.Fprintf(&b, "- and %d more\n", n)
	}
	d.block("%s\n</details>\n\n", b.String())
}

// notes are sentences about the image and the gate.
func (d *markdown) notes(in *Input) {
	var notes []string
	if v := in.Verdict; v != nil {
		if v.Config != "" {
			notes = append(notes, "config: "+Safe(v.Config))
		}
		for _, s := range slices.Concat(v.Notes, v.Warnings) {
			notes = append(notes, Safe(s))
		}
	}
	for _, w := range in.Report.Warnings[:min(len(in.Report.Warnings), warningShown)] {
		notes = append(notes, Warning(w))
	}
	if n := len(in.Report.Warnings) - warningShown; n > 0 {
		notes = append(notes, fmt.Sprintf("and %d more warnings", n))
	}
	for _, s := range notes {
		d.block("- %s\n", codeSpan(cut(s, markdownText)))
	}
}

// code is s, which can be anybody's text, on one line as a code span.
func code(s string) string { return codeSpan(cut(Safe(s), markdownText)) }

// codeSpan fences s with more backticks than it has in a row.
func codeSpan(s string) string {
	longest, run := 0, 0
	for _, c := range s {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	return fence + " " + s + " " + fence // one space on each side is taken off
}

// plain is a sentence of our own without anything that Markdown acts upon.
func plain(s string) string {
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune("\\`*_{}[]()<>#+-!|~&@$", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
