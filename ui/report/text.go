package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

const (
	wasteShown   = 20
	findingShown = 10
	deniedShown  = 20
	warningShown = 20
	commandWidth = 120 // columns
)

// Text writes the report as plain text, without escape codes. If there is a verdict, its
// rules are at the end, and the last line is that of VerdictLine.
func Text(w io.Writer, r *facts.Report, v *gate.Verdict) error {
	b := bufio.NewWriter(w)
	writeImage(b, r)
	writeLayers(b, r.Layers)
	writeTotals(b, r)
	writeFindings(b, &Input{Report: r, Verdict: v})
	writePackages(b, r)
	writeWaste(b, r)
	writeWarnings(b, r.Warnings)
	if v != nil {
		b.WriteByte('\n')
		writeRules(b, v)
	}
	return b.Flush()
}

// Verdict writes the part of Text about the verdict, and the name of the image.
func Verdict(w io.Writer, in *Input) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "image       %s\n", in.title())
	writeRules(b, in.Verdict)
	return b.Flush()
}

// VerdictLine returns the last line about the verdict: "pass", "fail" or, for a nil
// verdict or a rule that can't be evaluated, "error".
func VerdictLine(v *gate.Verdict) string {
	rules, failed := 0, 0
	if v != nil {
		rules, failed = len(v.Rules), v.Failed()
	}
	return fmt.Sprintf("verdict: %s rules=%d failed=%d", result(v), rules, failed)
}

func writeImage(b *bufio.Writer, r *facts.Report) {
	fmt.Fprintf(b, "image       %s\n", Safe(r.Image.Reference))
	if len(r.Image.Tags) > 0 {
		fmt.Fprintf(b, "tags        %s\n", Safe(strings.Join(r.Image.Tags, " ")))
	}
	fmt.Fprintf(b, "source      %s\n", Safe(r.Image.Source))
	fmt.Fprintf(b, "platform    %s\n", Safe(cmp.Or(r.Image.Platform, "unknown")))
	if r.Image.ID != "" { // containers and tars of files have none
		fmt.Fprintf(b, "id          %s\n", Safe(r.Image.ID))
	}
	if r.Image.Created != nil {
		fmt.Fprintf(b, "created     %s\n", r.Image.Created.UTC().Format(time.RFC3339))
	}
}

func writeLayers(b *bufio.Writer, layers []facts.Layer) {
	fmt.Fprintf(b, "\nlayer     size   wasted    hides   command\n")
	for _, l := range layers {
		from := ""
		if l.Source != nil {
			from = "  (" + Lines(l.Source) + ")"
		}
		fmt.Fprintf(b, "%5d  %7s  %7s  %7s   %s%s\n", l.Index, Size(l.StoredBytes), Size(l.WastedBytes), Size(l.HidesBytes), short(stepOr(l.Command)), from)
	}
	if len(layers) == 0 {
		b.WriteString("       (no layers)\n")
	}
}

func writeTotals(b *bufio.Writer, r *facts.Report) {
	t := &r.Totals
	b.WriteByte('\n')
	for _, x := range amounts(t) {
		fmt.Fprintf(b, "%-10s  %7s  %s\n", x.Name, x.Size, x.Exact)
	}
	for _, x := range partsOf(r) {
		fmt.Fprintf(b, "%-10s  %7s  %s\n", x.Name, x.Size, x.Text)
	}
	fmt.Fprintf(b, "efficiency  %7s\n", Percent(t.Efficiency))
	fmt.Fprintf(b, "files       %7d  in %s\n", t.Files, count(t.Layers, "layer"))
}

// writeWaste lists the waste, grouped by the tree.
func writeWaste(b *bufio.Writer, r *facts.Report) {
	waste := advice.Groups(r, nil)
	if len(waste) == 0 {
		return
	}
	b.WriteString("\n wasted  cause         layers     path\n")
	for i := range waste[:min(len(waste), wasteShown)] {
		w := &waste[i]
		fmt.Fprintf(b, "%7s  %-12s  %-9s  %s\n", Size(w.Bytes), Safe(Cause(w.Cause)), fmt.Sprintf("%d -> %d", w.StoredIn, w.HiddenBy), wastePath(w, Safe(w.Path)))
	}
	if len(waste) > wasteShown {
		var rest int64
		for _, w := range waste[wasteShown:] {
			rest += w.Bytes
		}
		fmt.Fprintf(b, "%7s  in %d more: --json lists all\n", Size(rest), len(waste)-wasteShown)
	}
}

// wastePath returns a path and, of a folder, how many files of it are wasted.
func wastePath(g *advice.Group, path string) string {
	if g.Files == 1 {
		return path
	}
	return fmt.Sprintf("%s (%s)", path, count(g.Files, "file"))
}

// writeFindings lists what to change, one line each.
func writeFindings(b *bufio.Writer, in *Input) {
	all := in.shownFindings()
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\nfindings    %s\n", savings(in.Report, len(all), bytesOf(all)))
	for i := range all[:min(len(all), findingShown)] {
		f := FindingOf(in.Report, &all[i])
		fmt.Fprintf(b, "%7s  %-5s  %s\n", f.Size, f.Severity, short(f.line()))
	}
	more := ""
	if n := len(all) - findingShown; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(b, "         fathom advise has the fixes%s\n", more)
}

func writeWarnings(b *bufio.Writer, warnings []facts.Warning) {
	if len(warnings) == 0 {
		return
	}
	b.WriteByte('\n')
	for _, w := range warnings[:min(len(warnings), warningShown)] {
		b.WriteString("warning: " + Warning(w) + "\n")
	}
	if len(warnings) > warningShown {
		fmt.Fprintf(b, "warning: and %d more: --json lists all\n", len(warnings)-warningShown)
	}
}

func writeRules(b *bufio.Writer, v *gate.Verdict) {
	if v.Config != "" {
		fmt.Fprintf(b, "config      %s\n", Safe(v.Config))
	}
	if v.Default {
		b.WriteString("no rule given: the default rules apply\n")
	}
	for _, n := range v.Notes {
		b.WriteString("note: " + Safe(n) + "\n")
	}
	for _, w := range v.Warnings {
		b.WriteString("warning: " + Safe(w) + "\n")
	}
	if g := growthOf(v); g != nil {
		fmt.Fprintf(b, "baseline    %s stored %s; now %s (%s)\n", g.Since, g.Before, g.Exact, g.Percent)
	}
	for _, s := range v.Suppressed {
		fmt.Fprintf(b, "%s\n", suppressed(s))
	}
	width := 18
	for _, r := range v.Rules {
		width = max(width, len(r.Name))
	}
	words := map[string]string{"ok": "ok  ", "warn": "WARN", "fail": "FAIL", "error": "ERR "}
	for _, r := range rulesOf(v) {
		said := r.Seen + " (" + r.Bound
		switch {
		case r.Err == nil && r.From != "":
			said += ", " + r.From + ")"
		case r.Err == nil:
			said += ")"
		case r.From != "":
			said = r.Why + " (" + r.From + ")"
		default:
			said = r.Why
		}
		fmt.Fprintf(b, "%s  %-*s  %s\n", words[r.Result], width, r.Name, said)
		if r.Same != "" {
			fmt.Fprintf(b, "      for the same reasons as %s\n", r.Same)
		} else if r.Result != "error" {
			writeOffenders(b, &r)
		}
	}
	b.WriteString(VerdictLine(v) + "\n")
}

// writeOffenders says why a rule is broken: the largest offenders or the denied paths,
// the steps that caused them, and how to fix them.
func writeOffenders(b *bufio.Writer, r *rule) {
	if r.Denies() && !r.OK {
		fmt.Fprintf(b, "      denied: %s\n", r.globs())
	}
	first, more, bytes := r.First(r.shown())
	for x := range rows(slices.Values(first)) {
		for line := range strings.SplitSeq(x.lines(), "\n") {
			b.WriteString("      " + line + "\n")
		}
	}
	if more > 0 {
		fmt.Fprintf(b, "      %7s  in %d more: --json lists all\n", Size(bytes), more)
	}
}

// offender returns a line about an offender: its size, its path, and its layers.
func offender(o gate.Offender) string {
	if o.Finding != "" {
		return fmt.Sprintf("%7s  %s: %s", sizeOr(o.Bytes), Safe(o.Finding), findingOffender(&o))
	}
	if o.Change != "" {
		return fmt.Sprintf("%7s  %s", Size(o.Bytes), differs(&o))
	}
	if o.Path == "" {
		return fmt.Sprintf("%7s  layer %d, %s added: %s", Size(o.Bytes), o.StoredIn, count(o.Files, "path"), short(stepOr(o.StoredBy)))
	}
	s := fmt.Sprintf("%7s  %s", Size(o.Bytes), named(&o))
	if o.Files > 1 {
		s += fmt.Sprintf(" (%d files)", o.Files)
	}
	switch {
	case o.Cause != "" && o.HiddenBy != o.StoredIn:
		s += fmt.Sprintf(", %s: layer %d -> %d", Safe(Cause(o.Cause)), o.StoredIn, o.HiddenBy)
	case o.Cause != "":
		s += fmt.Sprintf(", %s: layer %d", Safe(Cause(o.Cause)), o.StoredIn)
	case o.Package != "" && o.HiddenBy >= 0:
		s += fmt.Sprintf(", in layer %d, removed by layer %d", o.StoredIn, o.HiddenBy)
	case o.HiddenBy >= 0:
		s += fmt.Sprintf(", in layer %d, hidden by layer %d", o.StoredIn, o.HiddenBy)
	default:
		s += fmt.Sprintf(", in layer %d", o.StoredIn)
	}
	return s
}

// differs says what differs from the baseline: a path, a package, a layer, or a setting
// of the config.
func differs(o *gate.Offender) string {
	what := ""
	switch {
	case o.Package != "":
		what = named(o)
	case o.Path != "":
		what = Safe(o.Path)
		if o.Files > 1 {
			what += fmt.Sprintf(" (%d paths)", o.Files)
		}
	case o.StoredIn >= 0:
		what = fmt.Sprintf("layer %d", o.StoredIn)
	case o.StoredBy != "":
		what = "layer"
	default:
		return Safe(o.Change)
	}
	what += ", " + Safe(o.Change)
	if o.Path == "" && o.Package == "" {
		what += ": " + short(stepOr(o.StoredBy))
	}
	return what
}

// named returns the path of an offender or, of a package, its name and the path of its
// database.
func named(o *gate.Offender) string {
	if o.Package == "" {
		return Safe(o.Path)
	}
	name := Safe(strings.TrimSpace(o.Package + " " + o.Version))
	if o.Path == "" {
		return name
	}
	return name + " of " + Safe(o.Path)
}

// short cuts a step so that it fits on a line.
func short(step string) string { return runewidth.Truncate(step, commandWidth, "…") }
