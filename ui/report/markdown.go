package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

const (
	maxMarkdown   = 60 << 10 // bytes: a comment on GitHub has at most 65,536 characters
	markdownText  = 300      // bytes of a name or a command
	markdownRows  = 40       // layers
	markdownWaste = 10
	markdownPacks = 10
	maxDenied     = 20 << 10 // bytes of denied paths for each rule
	worstShown    = 5
	fixesShown    = 3
	maxFix        = 4 << 10 // bytes of the lines of a fix
)

// Markdown writes a report that fits in a comment: first the verdict, the totals and the
// changes since the baseline, then findings that are errors, denied paths, what saves
// most, the largest offenders, and the figures.
// Names from an image or a user are in code spans only, so they can't be links,
// mentions or markup. A report that would be too long is cut, and says so.
func Markdown(w io.Writer, in *Input) error {
	d := &markdown{}
	d.verdict(in)
	d.totals(in)
	d.growth(in.Verdict)
	d.errors(in)
	d.denied(in.Verdict)
	d.fixes(in)
	d.worst(in.Verdict)
	d.rules(in.Verdict)
	d.about(in.Verdict)
	d.figures(in)
	d.packages(in.Report)
	d.layers(in)
	d.waste(in)
	d.warnings(in)
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

// block adds a part if all of it fits. Otherwise it adds neither this part nor any
// later one.
func (d *markdown) block(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	if d.cut = d.cut || d.b.Len()+len(s) > maxMarkdown; !d.cut {
		d.b.WriteString(s)
	}
}

func (d *markdown) verdict(in *Input) {
	image := code(in.title())
	if in.Verdict == nil {
		d.block("## fathom: %s\n\n", image)
		return
	}
	d.block("## %s: %s\n\n%s\n\n", marks()[result(in.Verdict)], image, codeSpan(VerdictLine(in.Verdict)))
}

// marks maps the result of a rule or a verdict to a word with a symbol.
func marks() map[string]string {
	return map[string]string{"ok": "✅ ok", "pass": "✅ pass", "warn": "⚠️ warn", "fail": "❌ fail", "error": "❌ error"}
}

func (d *markdown) growth(v *gate.Verdict) {
	if g := growthOf(v); g != nil {
		d.block("**%s** (%s) since %s: %s, now %s.\n\n", g.Size, plain(g.Percent), code(g.Since), g.Before, g.Now)
	}
}

// totals adds the figures of the image in a sentence.
func (d *markdown) totals(in *Input) {
	t := &in.Report.Totals
	text := fmt.Sprintf("%s stored, %s wasted (%s)", Size(t.StoredBytes), Size(t.WastedBytes), Percent(1-t.Efficiency))
	if all := in.shownFindings(); len(all) > 0 {
		text += "; what to change: " + savings(in.Report, len(all), bytesOf(all))
	}
	d.block("%s.\n\n", plain(text))
	if r := in.Report; r.Base != nil && t.Own != nil && t.Base != nil {
		d.block("Own layers store **%s** and waste %s, the base image %s stores %s and wastes %s.\n\n",
			Size(t.Own.StoredBytes), Size(t.Own.WastedBytes), code(BaseName(r.Base)), Size(t.Base.StoredBytes), Size(t.Base.WastedBytes))
	}
}

// errors lists the places of findings of severity error, such as secrets.
func (d *markdown) errors(in *Input) {
	all := slices.DeleteFunc(in.shownFindings(), func(f facts.Finding) bool { return f.Severity != facts.SeverityError })
	if len(all) == 0 {
		return
	}
	d.block("### Errors\n\n")
	for i := range all {
		if d.cut {
			return
		}
		f := &all[i]
		x := FindingOf(in.Report, f)
		d.block("- %s %s\n", plain(x.Rule+inParentheses(x.Owner)+":"), code(x.Title))
		n := min(len(x.Places), max(deniedShown-i, 1))
		for _, p := range x.Places[:n] {
			d.block("  - %s\n", code(p.Line()))
		}
		if left := len(x.Places) - n + f.MorePlaces; left > 0 {
			d.block("  - and %s\n", count(left, "more place"))
		}
		d.fix(&x, "  ")
	}
	d.block("\n")
}

// fix adds how to fix a finding, with the lines to paste in a block.
func (d *markdown) fix(x *Finding, indent string) {
	if x.Fix != "" {
		d.block("%s- to fix: %s\n", indent, code(x.Fix))
	}
	text := strings.Join(x.Lines, "\n")
	switch {
	case text == "":
		return
	case len(text) > maxFix:
		d.block("%s- the lines to paste are too long for a comment: `fathom advise` lists them\n", indent)
		return
	}
	fence := strings.Repeat("`", max(longestRun(text)+1, 3))
	var b strings.Builder
	for _, line := range slices.Concat([]string{fence}, x.Lines, []string{fence}) {
		b.WriteString(indent + "  " + line + "\n")
	}
	d.block("\n%s\n", &b)
}

// fixes lists the findings that save most, with their fixes. Those of severity error are
// listed above.
func (d *markdown) fixes(in *Input) {
	all := slices.DeleteFunc(in.shownFindings(), func(f facts.Finding) bool { return f.Severity == facts.SeverityError })
	if len(all) == 0 {
		return
	}
	d.block("### What to change\n\n")
	for i := range all[:min(len(all), fixesShown)] {
		x := FindingOf(in.Report, &all[i])
		size := ""
		if x.Size != "" {
			size = "**" + x.Size + "** "
		}
		d.block("- %s%s %s\n", size, plain(x.Rule+":"), code(x.Title))
		if len(x.Places) > 0 {
			d.block("  - %s\n", code(x.Places[0].Line()))
		}
		if n := len(x.Places) - 1 + all[i].MorePlaces; n > 0 {
			d.block("  - and %s\n", count(n, "more place"))
		}
		for _, s := range x.Steps[:min(len(x.Steps), 2)] {
			d.block("  - layer %d: %s\n", s.Layer, code(s.short()))
		}
		if len(x.Steps) == 0 && x.At != "" {
			d.block("  - at %s\n", code(x.At))
		}
		d.fix(&x, "  ")
	}
	if rest := all[min(len(all), fixesShown):]; len(rest) > 0 {
		d.block("- and %s\n", FindingsSum{Findings: len(rest), Bytes: bytesOf(rest)})
	}
	d.block("\n")
}

// denied lists the denied paths, whatever their size.
func (d *markdown) denied(v *gate.Verdict) {
	for _, r := range brokenRules(v) {
		if !r.Denies() || r.Err != nil {
			continue
		}
		d.block("### Denied: %s\n\n", r.Name)
		first, _, _ := r.First(r.shown())
		left, size := r.Count(), 0
		for x := range rows(slices.Values(first)) {
			s := markdownOffender(x)
			if size += len(s); size > maxDenied {
				break
			}
			d.block("%s", s)
			left--
		}
		if left > 0 {
			d.block("- and %d more\n", left)
		}
		d.block("\n")
	}
}

// worst lists the largest offenders of all other broken rules, each once. Findings are
// listed above.
func (d *markdown) worst(v *gate.Verdict) {
	var all []gate.Offender
	more := 0 // at least
	for _, r := range brokenRules(v) {
		if r.Denies() || r.found() {
			continue
		}
		more = max(more, r.More)
		for _, o := range r.Offenders {
			same := func(x gate.Offender) bool {
				return x.Path == o.Path && x.Package == o.Package && x.StoredIn == o.StoredIn && x.HiddenBy == o.HiddenBy && x.Cause == o.Cause && x.Change == o.Change
			}
			if !slices.ContainsFunc(all, same) {
				all = append(all, o)
			}
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b gate.Offender) int { return cmp.Compare(b.Bytes, a.Bytes) })
	d.block("### Largest offenders\n\n")
	n := min(len(all), worstShown)
	for x := range rows(slices.Values(all[:n])) {
		d.block("%s", markdownOffender(x))
	}
	if more += len(all) - n; more > 0 {
		d.block("- and at least %d more\n", more)
	}
	d.block("\n")
}

func markdownOffender(x row) string {
	var b strings.Builder
	what := fmt.Sprintf("layer %d, %s", x.StoredIn, code(stepOr(x.StoredBy)))
	if x.Change != "" {
		what = code(differs(&x.Offender))
	} else if x.Path != "" {
		what = code(named(&x.Offender))
		if x.Files > 1 {
			what += fmt.Sprintf(" (%d files)", x.Files)
		}
		if x.Cause != "" {
			what += ", " + plain(Cause(x.Cause))
		}
	}
	fmt.Fprintf(&b, "- **%s** %s\n", Size(x.Bytes), what)
	if x.Stored != "" {
		fmt.Fprintf(&b, "  - stored by layer %d: %s\n", x.StoredIn, code(shortStep(x.Stored, x.StoredAt)))
	}
	if x.Hidden != "" {
		fmt.Fprintf(&b, "  - hidden by layer %d: %s\n", x.HiddenBy, code(shortStep(x.Hidden, x.HiddenAt)))
	}
	if x.Fix != "" {
		fmt.Fprintf(&b, "  - to fix: %s\n", code(x.Fix))
	}
	return b.String()
}

func (d *markdown) rules(v *gate.Verdict) {
	if v == nil {
		return
	}
	var b strings.Builder
	b.WriteString("### Rules\n\n| | rule | observed | limit |\n|---|---|---:|---:|\n")
	for _, r := range rulesOf(v) {
		observed, bound := r.Seen, r.Bound+" "
		if len(r.Folders) > 0 { // which have globs
			observed, bound = plain(observed), plain(bound)
		}
		if r.Err != nil {
			observed, bound = plain(cut(r.Why, markdownText)), ""
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s|\n", marks()[r.Result], r.Name, observed, bound)
	}
	d.block("%s\n", b.String())
}

// about adds sentences about the gate: suppressions, where the rules come from, and
// warnings.
func (d *markdown) about(v *gate.Verdict) {
	if v == nil {
		return
	}
	var all []string
	for _, s := range slices.Concat(v.Warnings, v.Notes) {
		all = append(all, Safe(s))
	}
	if v.Config != "" {
		all = append(all, "config: "+Safe(v.Config))
	}
	for _, s := range v.Suppressed {
		all = append(all, suppressed(s))
	}
	d.list(all)
}

func (d *markdown) warnings(in *Input) {
	var all []string
	for _, w := range in.Report.Warnings {
		all = append(all, Warning(w))
	}
	d.list(all)
}

// list lists the first sentences and counts the others. They must be safe to show.
func (d *markdown) list(all []string) {
	for _, s := range all[:min(len(all), warningShown)] {
		d.block("- %s\n", code(s))
	}
	if n := len(all) - warningShown; n > 0 {
		d.block("- and %d more\n", n)
	}
	if len(all) > 0 {
		d.block("\n")
	}
}

func (d *markdown) figures(in *Input) {
	t := in.Report.Totals
	var b strings.Builder
	for _, x := range amounts(&t) {
		fmt.Fprintf(&b, "| %s | %s (%s) |\n", x.Name, x.Size, x.Exact)
	}
	for _, x := range partsOf(in.Report) {
		fmt.Fprintf(&b, "| %s | %s %s |\n", x.Name, x.Size, code(x.Text))
	}
	if t.CompressedBytes == 0 {
		b.WriteString("| compressed | unknown |\n")
	}
	d.block("### Figures\n\n| | |\n|---|---|\n%s| efficiency | %s |\n| files | %d |\n| layers | %d |\n\n", &b, Percent(t.Efficiency), t.Files, t.Layers)
}

// packages lists the largest packages in a table.
func (d *markdown) packages(r *facts.Report) {
	if len(r.Packages) == 0 || r.Unowned == nil {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n| visible | wasted | brought by | in layers | package |\n|---:|---:|---:|---|---|\n", packagesLine(r))
	for i := range r.Packages[:min(len(r.Packages), markdownPacks)] {
		p := &r.Packages[i]
		name := strings.TrimRight(fmt.Sprintf("%s %s %s", Safe(p.Type), packageText(p.Name), packageText(p.Version)), " ")
		removed := ""
		if p.RemovedBy >= 0 {
			removed = fmt.Sprintf(", removed by layer %d", p.RemovedBy)
		}
		// A | ends the cell, also in a code span.
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s%s |\n", Size(p.VisibleBytes), Size(p.WastedBytes), p.BroughtBy, layersOf(p), code(strings.ReplaceAll(name, "|", `\x7c`)), removed)
	}
	if n := len(r.Packages) - markdownPacks; n > 0 {
		fmt.Fprintf(&b, "\n- and %d more\n", n)
	}
	d.block("%s\n</details>\n\n", &b)
}

func (d *markdown) layers(in *Input) {
	layers := in.Report.Layers
	if len(layers) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n", count(len(layers), "layer"))
	for _, l := range layers[:min(len(layers), markdownRows)] {
		fmt.Fprintf(&b, "- %d: **%s**, %s wasted: %s\n", l.Index, Size(l.StoredBytes), Size(l.WastedBytes), code(stepOr(l.Command)))
	}
	if n := len(layers) - markdownRows; n > 0 {
		fmt.Fprintf(&b, "- and %d more\n", n)
	}
	d.block("%s\n</details>\n\n", b.String())
}

func (d *markdown) waste(in *Input) {
	waste := advice.Groups(in.Report, nil)
	if len(waste) == 0 {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s</summary>\n\n", count(len(in.Report.Waste), "wasted file"))
	for i := range waste[:min(len(waste), markdownWaste)] {
		w := &waste[i]
		fmt.Fprintf(&b, "- **%s** %s, %s: layer %d → %d\n", Size(w.Bytes), wastePath(w, code(Safe(w.Path))), plain(Cause(w.Cause)), w.StoredIn, w.HiddenBy)
	}
	if n := len(waste) - markdownWaste; n > 0 {
		fmt.Fprintf(&b, "- and %d more\n", n)
	}
	d.block("%s\n</details>\n\n", b.String())
}

// code returns the beginning of s as a code span. s must be safe to show.
func code(s string) string { return codeSpan(cut(s, markdownText)) }

// codeSpan returns s between fences of more backticks than s has in a row.
func codeSpan(s string) string {
	fence := strings.Repeat("`", longestRun(s)+1)
	return fence + " " + s + " " + fence // readers remove one space on each side
}

// longestRun returns how many backticks s has in a row.
func longestRun(s string) int {
	longest, run := 0, 0
	for _, c := range s {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// plain escapes a sentence of the program, so that none of it is markup.
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
