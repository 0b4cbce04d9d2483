package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/mattn/go-runewidth"

	"fathom/analyzer"
	"fathom/analyzer/gate"
)

const (
	wasteShown   = 20
	deniedShown  = 20
	warningShown = 20
	commandWidth = 120 // columns
)

// Text writes the report for people, without any terminal control. With a
// verdict its rules stand at the end, and the last line is VerdictLine's.
func Text(w io.Writer, r *analyzer.Report, v *gate.Verdict) error {
	b := bufio.NewWriter(w)
	writeImage(b, r)
	writeLayers(b, r.Layers)
	writeTotals(b, &r.Totals)
	writeWaste(b, r.Waste)
	writeWarnings(b, r.Warnings)
	if v != nil {
		b.WriteByte('\n')
		writeRules(b, v)
	}
	return b.Flush()
}

// Verdict writes what Text writes of the verdict, and which image it is about.
func Verdict(w io.Writer, in *Input) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "image       %s\n", in.title())
	writeRules(b, in.Verdict)
	return b.Flush()
}

// VerdictLine is the gate's last word: "pass", "fail" or, with a nil verdict
// or a rule that can't be evaluated, "error".
func VerdictLine(v *gate.Verdict) string {
	switch {
	case v == nil:
		return "verdict: error rules=0 failed=0"
	case v.Errors() > 0:
		return fmt.Sprintf("verdict: error rules=%d failed=%d", len(v.Rules), v.Failed())
	case v.Pass():
		return fmt.Sprintf("verdict: pass rules=%d failed=0", len(v.Rules))
	}
	return fmt.Sprintf("verdict: fail rules=%d failed=%d", len(v.Rules), v.Failed())
}

func writeImage(b *bufio.Writer, r *analyzer.Report) {
	fmt.Fprintf(b, "image       %s\n", Safe(r.Image.Reference))
	if len(r.Image.Tags) > 0 {
		fmt.Fprintf(b, "tags        %s\n", Safe(strings.Join(r.Image.Tags, " ")))
	}
	fmt.Fprintf(b, "source      %s\n", Safe(r.Image.Source))
	fmt.Fprintf(b, "platform    %s\n", Safe(cmp.Or(r.Image.Platform, "unknown")))
	if r.Image.ID != "" { // a container and a tar of files have none
		fmt.Fprintf(b, "id          %s\n", Safe(r.Image.ID))
	}
	if r.Image.Created != nil {
		fmt.Fprintf(b, "created     %s\n", r.Image.Created.UTC().Format(time.RFC3339))
	}
}

func writeLayers(b *bufio.Writer, layers []analyzer.LayerReport) {
	fmt.Fprintf(b, "\nlayer     size   wasted    hides   command\n")
	for _, l := range layers {
		command := cmp.Or(Safe(Command(l.Command)), "(no command)")
		fmt.Fprintf(b, "%5d  %7s  %7s  %7s   %s\n", l.Index, Size(l.StoredBytes), Size(l.WastedBytes), Size(l.HidesBytes),
			runewidth.Truncate(command, commandWidth, "…"))
	}
	if len(layers) == 0 {
		b.WriteString("       (no layers)\n")
	}
}

func writeTotals(b *bufio.Writer, t *analyzer.Totals) {
	fmt.Fprintf(b, "\nstored      %7s  %s\n", Size(t.StoredBytes), Exact(t.StoredBytes))
	fmt.Fprintf(b, "visible     %7s  %s\n", Size(t.VisibleBytes), Exact(t.VisibleBytes))
	fmt.Fprintf(b, "wasted      %7s  %s\n", Size(t.WastedBytes), Exact(t.WastedBytes))
	if t.CompressedBytes > 0 {
		fmt.Fprintf(b, "compressed  %7s  %s\n", Size(t.CompressedBytes), Exact(t.CompressedBytes))
	}
	fmt.Fprintf(b, "efficiency  %7s\n", Percent(t.Efficiency))
	fmt.Fprintf(b, "files       %7d  in %s\n", t.Files, count(t.Layers, "layer"))
}

func writeWaste(b *bufio.Writer, waste []analyzer.Waste) {
	if len(waste) == 0 {
		return
	}
	b.WriteString("\n wasted  cause        layers     path\n")
	for _, w := range waste[:min(len(waste), wasteShown)] {
		fmt.Fprintf(b, "%7s  %-11s  %-9s  %s\n", Size(w.Bytes), Safe(w.Cause), fmt.Sprintf("%d -> %d", w.StoredIn, w.HiddenBy), Safe(w.Path))
	}
	if len(waste) > wasteShown {
		var rest int64
		for _, w := range waste[wasteShown:] {
			rest += w.Bytes
		}
		fmt.Fprintf(b, "%7s  in %d more: --json lists all\n", Size(rest), len(waste)-wasteShown)
	}
}

func writeWarnings(b *bufio.Writer, warnings []analyzer.Warning) {
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

// Warning is w on one safe line: "layer 3: /a/b: what is odd about it".
func Warning(w analyzer.Warning) string {
	s := Safe(w.Text)
	if w.Path != "" {
		s = Safe(w.Path) + ": " + s
	}
	if w.Layer >= 0 {
		s = fmt.Sprintf("layer %d: %s", w.Layer, s)
	}
	return s
}

func writeRules(b *bufio.Writer, v *gate.Verdict) {
	if v.Config != "" {
		fmt.Fprintf(b, "config      %s\n", Safe(v.Config))
	}
	if v.Default {
		b.WriteString("no rule given: the default ones hold\n")
	}
	for _, n := range v.Notes {
		b.WriteString("note: " + Safe(n) + "\n")
	}
	for _, w := range v.Warnings {
		b.WriteString("warning: " + Safe(w) + "\n")
	}
	if bytes, ratio, ok := v.Growth(); ok {
		fmt.Fprintf(b, "baseline    %s stored %s; now %s (%s)\n", Safe(v.Baseline.Reference),
			Exact(v.Baseline.Totals.StoredBytes), signed(Exact, bytes), growthPercent(ratio))
	}
	for _, s := range v.Suppressed {
		fmt.Fprintf(b, "%s\n", suppressed(s))
	}
	width := 18
	for _, r := range v.Rules {
		width = max(width, len(r.Name))
	}
	rules := rulesInOrder(v)
	for i, r := range rules {
		word, bound := "ok  ", "at most"
		switch {
		case r.Err != nil:
			source := strings.TrimPrefix(ruleSource(*r), ", ")
			if source != "" {
				source = " (" + source + ")"
			}
			fmt.Fprintf(b, "ERR   %-*s  %s%s\n", width, r.Name, Safe(unevaluated(*r)), source)
			continue
		case v.Fails(*r):
			word = "FAIL"
		case !r.OK:
			word = "WARN"
		}
		if r.AtLeast {
			bound = "at least"
		}
		observed, limit := ruleValues(*r)
		fmt.Fprintf(b, "%s  %-*s  %s (%s %s%s)\n", word, width, r.Name, observed, bound, limit, ruleSource(*r))
		if same := sameReasons(rules[:i], r); same != nil {
			fmt.Fprintf(b, "      for the same reasons as %s\n", same.Name)
			continue
		}
		writeOffenders(b, r)
	}
	b.WriteString(VerdictLine(v) + "\n")
}

// unevaluated says why the rule can't be evaluated.
func unevaluated(r gate.Rule) string { return "can't be evaluated: " + r.Err.Error() }

// ruleSource says where a limit is from, unless that is plain to see.
func ruleSource(r gate.Rule) string {
	if r.Source == "" || r.Source == "default" || strings.HasPrefix(r.Source, "--") {
		return ""
	}
	return ", " + Safe(r.Source)
}

func suppressed(s gate.Suppressed) string {
	until := ""
	if !s.Until.IsZero() {
		until = ", until " + s.Until.Format(gate.Day)
	}
	word := "suppressed "
	if s.Expired {
		word, until = "expired    ", ", ended "+s.Until.Format(gate.Day)
	}
	of, what := "", "piece"
	if len(s.Rules) > 0 {
		of, what = " of "+strings.Join(s.Rules, ", "), "path"
	}
	return fmt.Sprintf("%s %s%s %s in %s: %s%s", word, Safe(s.Path), of, Exact(s.Bytes), count(s.Pieces, what), Safe(s.Reason), until)
}

// signed is a number of bytes as a change: "+12 bytes".
func signed(show func(int64) string, bytes int64) string {
	if bytes > 0 {
		return "+" + show(bytes)
	}
	return show(bytes)
}

// growthPercent is a change as a percentage, which can be above 100% and below 0.
func growthPercent(ratio float64) string {
	switch {
	case math.IsInf(ratio, 0):
		return "from nothing"
	case ratio > 0:
		return "+" + strconv.FormatFloat(ratio*100, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(ratio*100, 'f', 1, 64) + "%"
}

// writeOffenders says why a rule is broken: what costs most or what is denied,
// which steps made it so, and what would fix it.
func writeOffenders(b *bufio.Writer, r *gate.Rule) {
	if r.Denies() && !r.OK {
		fmt.Fprintf(b, "      denied: %s\n", Safe(strings.Join(r.Globs, " ")))
	}
	first, more, bytes := r.First(shown(r))
	for x := range rows(slices.Values(first)) {
		for line := range strings.SplitSeq(x.lines(), "\n") {
			b.WriteString("      " + line + "\n")
		}
	}
	if more > 0 {
		fmt.Fprintf(b, "      %7s  in %d more: --json lists all\n", Size(bytes), more)
	}
}

// offender is one of them on a line: what it costs, what it is, and in which
// layers.
func offender(o gate.Offender) string {
	if o.Path == "" {
		command := cmp.Or(Safe(Command(o.StoredBy)), "(no command)")
		return fmt.Sprintf("%7s  layer %d, %s: %s", Size(o.Bytes), o.StoredIn, count(o.Files, "path")+" added",
			runewidth.Truncate(command, commandWidth, "…"))
	}
	s := fmt.Sprintf("%7s  %s", Size(o.Bytes), Safe(o.Path))
	if o.Files > 1 {
		s += fmt.Sprintf(" (%d files)", o.Files)
	}
	switch {
	case o.Cause != "" && o.HiddenBy != o.StoredIn:
		s += fmt.Sprintf(", %s: layer %d -> %d", Safe(o.Cause), o.StoredIn, o.HiddenBy)
	case o.Cause != "":
		s += fmt.Sprintf(", %s: layer %d", Safe(o.Cause), o.StoredIn)
	case o.HiddenBy >= 0:
		s += fmt.Sprintf(", in layer %d, hidden by layer %d", o.StoredIn, o.HiddenBy)
	default:
		s += fmt.Sprintf(", in layer %d", o.StoredIn)
	}
	return s
}

func step(command string) string {
	return runewidth.Truncate(Safe(Command(command)), commandWidth, "…")
}

// ruleValues is what was observed and the limit, with as many digits as it
// takes to tell one from the other.
func ruleValues(r gate.Rule) (observed, limit string) {
	switch r.Unit {
	case gate.Bytes:
		return Exact(int64(r.Observed)), Exact(int64(r.Limit))
	case gate.Count:
		return humanize.Comma(int64(r.Observed)), humanize.Comma(int64(r.Limit))
	}
	scale, unit := 1.0, ""
	if r.Unit == gate.Percent {
		scale, unit = 100, "%"
	}
	for digits := 3; ; digits++ {
		observed, limit = decimal(r.Observed*scale, digits), decimal(r.Limit*scale, digits)
		if observed != limit || r.Observed == r.Limit || digits == 17 {
			return observed + unit, limit + unit
		}
	}
}

// decimal is v rounded to so many digits after the point, without the zeros at
// its end.
func decimal(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
