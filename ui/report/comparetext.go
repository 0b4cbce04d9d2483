package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/mattn/go-runewidth"

	"fathom/analyzer/compare"
)

// CompareText writes a comparison as plain text: the overview, and what the options ask
// for.
func CompareText(w io.Writer, in *CompareInput) error {
	return buffered(w, func(b *bufio.Writer) error {
		for _, f := range in.overview() {
			fmt.Fprintf(b, "%-8s  %s\n", f.Name, f.Text)
		}
		if in.Details {
			in.writeRows(b)
			in.writeLayers(b)
			in.writePackages(b)
			in.writeConfig(b)
			in.writeFindings(b)
		}
		if in.Paths {
			in.writeFiles(b)
		}
		return nil
	})
}

// first returns how many of n rows to show.
func (o *CompareOptions) first(n int) int {
	if o.Most > 0 {
		return min(n, o.Most)
	}
	return n
}

func (in *CompareInput) writeRows(b *bufio.Writer) {
	all := in.Facts.Folders
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  change  why         paths  files\n")
	n := in.first(len(all))
	for i := range all[:n] {
		r := &all[i]
		fmt.Fprintf(b, "%8s  %-8s  %7d  %s\n", signed(r.NewBytes-r.OldBytes), Safe(r.Change), r.Count, rowText(r))
	}
	if rest := all[n:]; len(rest) > 0 {
		bytes, paths := int64(0), 0
		for _, r := range rest {
			bytes += r.NewBytes - r.OldBytes
			paths += r.Count
		}
		fmt.Fprintf(b, "%8s  %-8s  %7d  in %s: --all lists them\n", signed(bytes), "", paths, count(len(rest), "more row"))
	}
}

func (in *CompareInput) writeLayers(b *bufio.Writer) {
	if !in.anyLayer() {
		return
	}
	fmt.Fprintf(b, "\n  change  old  new  layer\n")
	for _, p := range in.pairs() {
		fmt.Fprintf(b, "%8s  %3s  %3s  %-7s  %s%s\n", p.Change, p.Old, p.New, p.State, short(p.Step), inParentheses(p.Reasons))
	}
}

func (in *CompareInput) writePackages(b *bufio.Writer) {
	all := in.Facts.Packages
	if len(all) == 0 {
		return
	}
	n := in.first(len(all))
	states, width := map[int]string{}, 0
	for i := range all[:n] {
		states[i] = compare.PackageState(&all[i])
		width = max(width, len(states[i]))
	}
	fmt.Fprintf(b, "\n  change  package\n")
	for i := range all[:n] {
		p := &all[i]
		fmt.Fprintf(b, "%8s  %s  %-8s  %s  %s\n", signed(p.DeltaBytes), pad(states[i], width), Safe(p.Type), packageText(p.Name), versionsText(p))
	}
	if rest := all[n:]; len(rest) > 0 {
		bytes := int64(0)
		for _, p := range rest {
			bytes += p.DeltaBytes
		}
		fmt.Fprintf(b, "%8s  in %s: --all lists them\n", signed(bytes), count(len(rest), "more package"))
	}
}

func (in *CompareInput) writeConfig(b *bufio.Writer) {
	all := in.config()
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\nconfig\n")
	n := in.first(len(all))
	for i := range all[:n] {
		fmt.Fprintf(b, "  %s: %s\n", runewidth.Truncate(Safe(all[i].Key), nameLongest, "…"), settingChange(&all[i]))
	}
	if rest := len(all) - n; rest > 0 {
		fmt.Fprintf(b, "  and %d more: --all lists them\n", rest)
	}
}

func (in *CompareInput) writeFindings(b *bufio.Writer) {
	all := in.found()
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "\nfindings\n")
	n := in.first(len(all))
	for _, f := range all[:n] {
		fmt.Fprintf(b, "%-5s  %7s  %-5s  %s\n", f.What, f.Size, f.Severity, short(f.line()))
	}
	if rest := len(all) - n; rest > 0 {
		fmt.Fprintf(b, "and %d more: --all lists them\n", rest)
	}
}

// writeFiles lists every path, as it finds them.
func (in *CompareInput) writeFiles(b *bufio.Writer) {
	if len(in.Changes) == 0 {
		return
	}
	fmt.Fprintf(b, "\n  change  why       path\n")
	for f := range in.Files() {
		fmt.Fprintf(b, "%8s  %-8s  %s\n", signed(f.NewBytes-f.OldBytes), f.Change, fileText(&f))
	}
}
