package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
)

const (
	settingsShown = 6   // in the overview
	settingLength = 200 // bytes of a value
)

// CompareInput is the input of the formats of a comparison. The same input results in
// the same bytes.
type CompareInput struct {
	*compare.Comparison
	CompareOptions
	Version string // of fathom
}

// CompareOptions say what the text of a comparison has behind the overview.
type CompareOptions struct {
	Details bool
	Paths   bool // every path that differs
	Most    int  // how many rows of a list in Details at most; 0 for all
}

// CompareFormat is an output format for a comparison.
type CompareFormat struct {
	Name  string
	Write func(io.Writer, *CompareInput) error
}

// CompareFormats returns the formats of a comparison.
func CompareFormats() []CompareFormat {
	return []CompareFormat{{"text", CompareText}, {"json", CompareJSON}, {"markdown", CompareMarkdown}, {"html", CompareHTML}}
}

// CompareJSON writes a comparison as JSON (docs/comparison.schema.json), in the form of
// JSON. It writes the files as it finds them: there can be a million.
func CompareJSON(w io.Writer, in *CompareInput) error {
	return buffered(w, func(b *bufio.Writer) error {
		fields := reflect.ValueOf(in.Facts)
		b.WriteString("{\n")
		for i := range fields.NumField() {
			name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
			if i > 0 {
				b.WriteString(",\n")
			}
			fmt.Fprintf(b, "  %q: ", name)
			if err := in.writeField(b, name, fields.Field(i)); err != nil {
				return fmt.Errorf("encoding %s: %w", name, err)
			}
		}
		b.WriteString("\n}\n")
		return nil
	})
}

func (in *CompareInput) writeField(b *bufio.Writer, name string, v reflect.Value) error {
	if name == "files" && in.hasFiles() {
		b.WriteByte('[')
		n, err := writeElements(b, "    ", in.Files(), func(f facts.FileChange) any { return f })
		if n > 0 {
			b.WriteString("\n  ")
		}
		b.WriteByte(']')
		return err
	}
	if v.Kind() == reflect.Slice && v.IsNil() {
		_, err := b.WriteString("null") // what one side doesn't know can't be compared
		return err
	}
	return writeField(b, v)
}

// hasFiles reports whether both sides have files: a saved report has none.
func (in *CompareInput) hasFiles() bool { return in.Old.Analysis != nil && in.New.Analysis != nil }

// saved returns which sides are saved reports: "OLD is a saved report", or "".
func (in *CompareInput) saved() string {
	switch {
	case in.Old.Analysis == nil && in.New.Analysis == nil:
		return "OLD and NEW are saved reports"
	case in.Old.Analysis == nil:
		return "OLD is a saved report"
	case in.New.Analysis == nil:
		return "NEW is a saved report"
	}
	return ""
}

// titles returns the names of both images, safe to show.
func (in *CompareInput) titles() (old, new string) {
	return (&Input{Report: in.Old.Report}).title(), (&Input{Report: in.New.Report}).title()
}

// signed returns a difference of sizes with its sign: "+1.2 MB".
func signed(bytes int64) string {
	if bytes > 0 {
		return "+" + Size(bytes)
	}
	return Size(bytes)
}

// change returns both values of a size, and their difference: "10 MB -> 12 MB (+2.0 MB,
// +20.0%)".
func change(d facts.Delta) string {
	if d.Delta == 0 {
		return Size(d.New)
	}
	return fmt.Sprintf("%s -> %s (%s)", Size(d.Old), Size(d.New), growthText(d))
}

// growthText returns a difference of sizes and, if there was something before, the ratio.
func growthText(d facts.Delta) string {
	s := signed(d.Delta)
	if d.Old != 0 && d.Delta != 0 {
		s += fmt.Sprintf(", %+.1f%%", float64(d.Delta)/float64(d.Old)*100)
	}
	return s
}

// figure is a line of the overview.
type figure struct{ Name, Text string }

// overview says in at most 12 lines how two images differ. What is the same is left
// out.
func (in *CompareInput) overview() []figure {
	old, new := in.titles()
	lines := []figure{{"old", old}, {"new", new}}
	add := func(name, text string) {
		if text != "" {
			lines = append(lines, figure{name, text})
		}
	}
	f := &in.Facts
	if f.Old.Platform != f.New.Platform {
		platform := func(s string) string { return Safe(cmp.Or(s, "unknown")) }
		add("platform", platform(f.Old.Platform)+" -> "+platform(f.New.Platform)+": these are images for two platforms")
	}
	part := func(pick func(*facts.PartDelta) facts.Delta) string {
		if f.Totals.Own == nil || f.Totals.Base == nil {
			return ""
		}
		return fmt.Sprintf("; own %s, base %s", signed(pick(f.Totals.Own).Delta), signed(pick(f.Totals.Base).Delta))
	}
	for _, x := range []struct {
		name  string
		delta facts.Delta
		part  func(*facts.PartDelta) facts.Delta
	}{
		{"stored", f.Totals.StoredBytes, func(p *facts.PartDelta) facts.Delta { return p.StoredBytes }},
		{"visible", f.Totals.VisibleBytes, func(p *facts.PartDelta) facts.Delta { return p.VisibleBytes }},
		{"wasted", f.Totals.WastedBytes, func(p *facts.PartDelta) facts.Delta { return p.WastedBytes }},
	} {
		parts := part(x.part)
		if x.delta.Delta != 0 || parts != "" && (x.part(f.Totals.Own).Delta != 0 || x.part(f.Totals.Base).Delta != 0) {
			add(x.name, change(x.delta)+parts)
		}
	}
	add("pull", in.pull())
	add("files", in.files())
	add("packages", in.packages())
	add("config", in.settings())
	add("layers", in.layers())
	add("findings", in.findings())
	if len(lines) == 2 {
		lines = append(lines, figure{"same", "nothing differs"})
	} else if len(lines) == 3 && !in.hasFiles() && lines[2].Name == "files" {
		lines[2] = figure{"same", "no figure differs; " + lines[2].Text}
	}
	return lines
}

// pull says what a machine that has the old image must download, if it must and that is
// known.
func (in *CompareInput) pull() string {
	f := &in.Facts
	if f.PullBytes == nil || *f.PullBytes == 0 && !in.anyLayer() {
		return ""
	}
	s := Size(*f.PullBytes)
	if c := f.Totals.CompressedBytes; c != nil {
		s += " of " + Size(c.New)
	}
	return s + ", compressed, for a machine that has OLD"
}

// anyLayer reports whether a layer of the new image is not the same one.
func (in *CompareInput) anyLayer() bool {
	return slices.ContainsFunc(in.Facts.Layers, func(p facts.LayerPair) bool { return p.State != facts.LayerSame || len(p.Reasons) > 0 })
}

// counted joins the counts that are not 0: "3 up, 1 down".
func counted(names []string, counts map[string]int) string {
	var parts []string
	for _, name := range names {
		if n := counts[name]; n > 0 {
			parts = append(parts, humanize.Comma(int64(n))+" "+name)
		}
	}
	return strings.Join(parts, ", ")
}

// files counts the paths that differ.
func (in *CompareInput) files() string {
	if !in.hasFiles() {
		text := "which ones differ is unknown: " + in.saved()
		if d := in.Facts.Totals.Files; d.Delta != 0 {
			text = fmt.Sprintf("%s -> %s; ", humanize.Comma(d.Old), humanize.Comma(d.New)) + text
		}
		return text
	}
	const attributes, times = "other mode, owner or attributes", "only other times"
	counts, culprits := map[string]int{}, 0
	for i := range in.Facts.Folders {
		r := &in.Facts.Folders[i]
		name := "changed"
		switch r.Change {
		case facts.ChangeAdded, facts.ChangeRemoved, facts.ChangeRenamed:
			name = r.Change
		case facts.ChangeMode, facts.ChangeOwner, facts.ChangeXattr:
			name = attributes
		case facts.ChangeMTime:
			name = times
		}
		counts[name] += r.Count
		if r.Culprit != "" {
			culprits += r.Count
		}
	}
	text := counted([]string{facts.ChangeAdded, facts.ChangeRemoved, "changed", facts.ChangeRenamed, attributes, times}, counts)
	if culprits > 0 {
		text += fmt.Sprintf("; %s of a kind that differs in every build", plural(culprits, "is", "are"))
	}
	return text
}

// plural returns n with the word for it.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(int64(n)) + " " + many
}

// packages counts the packages that differ, with what they take more or less.
func (in *CompareInput) packages() string {
	counts, bytes := map[string]int{}, int64(0)
	for i := range in.Facts.Packages {
		p := &in.Facts.Packages[i]
		counts[compare.PackageState(p)]++
		bytes += p.DeltaBytes
	}
	if len(counts) == 0 {
		return ""
	}
	return counted(compare.PackageStates(), counts) + ": " + signed(bytes)
}

// config returns the settings that differ, except for the platform.
func (in *CompareInput) config() []facts.ConfigChange {
	return slices.DeleteFunc(slices.Clone(in.Facts.Config), func(c facts.ConfigChange) bool { return c.Key == "platform" })
}

// settings names the settings that differ.
func (in *CompareInput) settings() string {
	var names []string
	all := in.config()
	for _, c := range all[:min(len(all), settingsShown)] {
		names = append(names, cut(Safe(c.Key), settingLength/4))
	}
	text := strings.Join(names, ", ")
	if n := len(all) - settingsShown; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// layers counts the layers by their states, unless all are the same.
func (in *CompareInput) layers() string {
	if !in.anyLayer() {
		return ""
	}
	counts := map[string]int{}
	for _, p := range in.Facts.Layers {
		counts[p.State]++
	}
	return counted([]string{facts.LayerSame, facts.LayerChanged, facts.LayerMoved, facts.LayerAdded, facts.LayerRemoved}, counts)
}

// findings counts the findings that are new or fixed.
func (in *CompareInput) findings() string {
	f := &in.Facts
	text := counted([]string{"new", "fixed"}, map[string]int{"new": len(f.Findings.New), "fixed": len(f.Findings.Fixed)})
	if d := f.Totals.FindingsBytes; d != nil && d.Delta != 0 {
		text = strings.TrimPrefix(text+"; fixing all saves "+change(*d), "; ")
	}
	return text
}

// rowText returns where the paths of a row are.
func rowText(r *facts.FolderChange) string {
	text := Safe(r.Path)
	switch {
	case r.Count == 1:
	case r.Culprit != "" || r.Change == facts.ChangeMTime && r.Path == "/":
		text = "below " + text
	case r.Whole && r.Path != "/":
		text += "/"
	case !r.Whole:
		text = "in " + text
	}
	if r.From != "" {
		text += " from " + Safe(r.From)
	}
	return text + inParentheses(r.Culprit)
}

// fileText returns the path of a file that differs, and what else is other.
func fileText(f *facts.FileChange) string {
	text := Safe(f.Path)
	if f.From != "" {
		text += " from " + Safe(f.From)
	}
	if len(f.Also) > 0 {
		text += inParentheses("also " + strings.Join(f.Also, ", "))
	}
	return text + inParentheses(f.Culprit)
}

// pairText is a pair of layers in words.
type pairText struct {
	Old, New string // indexes, or "-"
	State    string
	Reasons  string // "content, mtime", or ""
	Step     string
	Change   string // of what the layer stores
}

// pairs returns the layers of both images.
func (in *CompareInput) pairs() []pairText {
	var all []pairText
	for _, p := range in.Facts.Layers {
		x := pairText{Old: "-", New: "-", State: Safe(p.State), Reasons: Safe(strings.Join(p.Reasons, ", "))}
		bytes := int64(0)
		if p.Old >= 0 {
			l := &in.Old.Report.Layers[p.Old]
			x.Old, x.Step = fmt.Sprint(p.Old), stepOr(l.Command)
			bytes -= l.StoredBytes
		}
		if p.New >= 0 {
			l := &in.New.Report.Layers[p.New]
			x.New, x.Step = fmt.Sprint(p.New), stepOr(l.Command)
			bytes += l.StoredBytes
		}
		x.Change = signed(bytes)
		all = append(all, x)
	}
	return all
}

// versionsText returns the versions of a package: "1.0 -> 1.1".
func versionsText(p *facts.PackageChange) string {
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return packageText(*s)
	}
	old, new := text(p.Old), text(p.New)
	switch {
	case p.Old == nil || p.New == nil || old == new:
		return cmp.Or(new, old)
	}
	return old + " -> " + new
}

// settingText returns a value of the config.
func settingText(s *string) string {
	if s == nil {
		return "(none)"
	}
	return cut(Safe(*s), settingLength)
}

// settingChange returns both values of a setting: "a -> b".
func settingChange(c *facts.ConfigChange) string {
	old, new := settingText(c.Old), settingText(c.New)
	if old == new {
		return new + " (the values differ where they are not shown)"
	}
	return old + " -> " + new
}

// foundText is a finding that is new or fixed, in words.
type foundText struct {
	What string // new or fixed
	Finding
}

// found returns the findings that are new, and those that are fixed.
func (in *CompareInput) found() []foundText {
	var all []foundText
	for i := range in.Facts.Findings.New {
		all = append(all, foundText{"new", FindingOf(in.New.Report, &in.Facts.Findings.New[i])})
	}
	for i := range in.Facts.Findings.Fixed {
		all = append(all, foundText{"fixed", FindingOf(in.Old.Report, &in.Facts.Findings.Fixed[i])})
	}
	return all
}
