package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/facts"
)

// sentence returns the result of a report in one sentence, safe to show: what is wrong
// and what the largest finding saves. The findings are in the order of the page.
func sentence(r *facts.Report, all []facts.Finding) string {
	t := &r.Totals
	own := t.Own
	if r.Base == nil || r.Base.Certainty == facts.CertainGuessed {
		own = nil
	}
	s := ""
	if len(all) > 0 && all[0].Severity == facts.SeverityError {
		s = Safe(all[0].Title)
	}
	largest := slices.IndexFunc(all, func(f facts.Finding) bool { return f.Severity == facts.SeverityWarn && f.Bytes > 0 })
	if largest >= 0 {
		f := &all[largest]
		if s != "" {
			s += ", and "
		}
		h := hidingLayer(f)
		title, whole, wasted, in, inAll := Safe(f.Title), t.StoredBytes, t.WastedBytes, "", "in all"
		if own != nil && f.Owner == facts.OwnerOwn && (h < 0 || f.Bytes <= own.WastedBytes+own.CopiedFromBaseBytes) && f.Bytes <= own.StoredBytes {
			whole, wasted, in, inAll = own.StoredBytes, own.WastedBytes+own.CopiedFromBaseBytes, " in own layers", "in own layers"
		}
		word := inAll
		if h >= 0 {
			whole, word = wasted, "wasted"+in
		}
		switch {
		case h >= 0 && (f.Rule == "stored-again" || f.Rule == "metadata") && strings.Contains(r.Layers[h].Command, "chown"):
			sum := int64(0)
			for i := range all {
				if all[i].Rule == f.Rule && hidingLayer(&all[i]) == h {
					sum += all[i].Bytes
				}
			}
			if sum > whole {
				whole, in = t.WastedBytes, ""
			}
			s += sizeOf(sum, whole) + " wasted" + in + " come from one chown"
		case strings.Contains(title, Size(f.Bytes)):
			s += title + ", of " + Size(whole) + " " + word
		case h >= 0:
			s += sizeOf(f.Bytes, whole) + " wasted" + in + ": " + title
		default:
			s += sizeOf(f.Bytes, whole) + in + " can go: " + title
		}
	}
	switch {
	case s != "":
	case len(all) > 0 && all[0].Severity == facts.SeverityWarn:
		s = Safe(all[0].Title)
	case t.StoredBytes == 0:
		s = "The image stores no bytes"
	case own != nil && own.StoredBytes == 0:
		s = "Own layers store no bytes"
	case own != nil && own.WastedBytes+own.CopiedFromBaseBytes == 0:
		s = "Own layers waste nothing: all " + Size(own.StoredBytes) + " are visible"
	case own != nil:
		s = fmt.Sprintf("Own layers waste %s of %s", Size(own.WastedBytes+own.CopiedFromBaseBytes), Size(own.StoredBytes))
	case t.WastedBytes == 0:
		s = "Nothing is wasted: all " + Size(t.StoredBytes) + " are visible"
	default:
		s = fmt.Sprintf("Little is wasted: %s of %s is visible", Percent(t.Efficiency), Size(t.StoredBytes))
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		if r := []rune(w); len(r) > 2*wordHalf { // a path
			words[i] = string(r[:wordHalf]) + "…" + string(r[len(r)-wordHalf:])
		}
	}
	return sentenceCase(strings.Join(words, " "))
}

const wordHalf = 24 // how much of each end of a long word the sentence has

// hidingLayer returns the layer that hides all places of a finding, or -1.
func hidingLayer(f *facts.Finding) int {
	if len(f.Places) == 0 {
		return -1
	}
	h := f.Places[0].HiddenBy
	if slices.ContainsFunc(f.Places, func(p facts.Place) bool { return p.HiddenBy != h }) {
		return -1
	}
	return h
}

// sizeOf formats a part and the whole in the unit of the part: "537 of 1,017 MB".
func sizeOf(part, whole int64) string {
	if Size(part) == Size(whole) {
		return "all " + Size(part)
	}
	number, unit, _ := strings.Cut(Size(part), " ")
	scale := 1.0
	for _, u := range []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"} {
		if u == unit {
			break
		}
		scale *= 1000
	}
	n := float64(whole) / scale
	switch {
	case n >= 9999.5:
		return number + " " + unit + " of " + Size(whole)
	case n < 9.95 && scale > 1:
		return fmt.Sprintf("%s of %.1f %s", number, n, unit)
	}
	return fmt.Sprintf("%s of %s %s", number, humanize.Comma(int64(n+0.5)), unit)
}

// sentenceCase returns s with its first letter in upper case.
func sentenceCase(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
