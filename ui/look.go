package ui

import (
	"fmt"
	"slices"
	"strings"

	"fathom/ui/report"
	"fathom/ui/screen"
)

// begin opens the image where it matters: on the layer that wastes the most or, if
// nothing is wasted, on that of the first finding. Until the first key, the bottom line
// says what to look at.
func (u *ui) begin() {
	u.looking = true
	at, _ := u.worst()
	if f, _, ok := paneOf[*findings](&u.layout); ok && at < 0 && len(f.all) > 0 && len(f.all[0].Layers) > 0 {
		at = f.all[0].Layers[0]
	}
	u.stepTo(at)
}

// worst returns the layer whose step wastes the most, because it hides or repeats what is
// stored already, and how much; -1 if nothing is wasted.
func (u *ui) worst() (layer int, most int64) {
	sums := make([]int64, len(u.rep.Layers))
	for _, h := range u.layers.hides {
		if h.by >= 0 && h.by < len(sums) {
			sums[h.by] += h.bytes
		}
	}
	if len(sums) == 0 || slices.Max(sums) == 0 {
		return -1, 0
	}
	most = slices.Max(sums)
	return slices.Index(sums, most), most
}

// look says in w cells what to look at: the waste and its cause, and the numbers of
// findings and warnings. Without room for all of it the command of the layer is left
// out, then the layer, on which the cursor is, then the numbers. Findings that arrive
// later count as soon as they do.
func (u *ui) look(w int) string {
	waste, by, step := "nothing is wasted", "", ""
	if total := u.rep.Totals.WastedBytes; total > 0 {
		waste = report.Size(total) + " wasted"
		if layer, most := u.worst(); layer >= 0 {
			share := report.Size(most)
			switch {
			case most == total:
				share = "all"
			case most > total/2:
				share = "most"
			}
			by = fmt.Sprintf(", %s by layer %d", share, layer)
			command, rest := screen.Cut(strings.TrimPrefix(layerCommand(u.rep, layer), "RUN "), 24)
			if rest != "" {
				command += u.th.Glyph.Ellipsis
			}
			step = ": " + command
		}
	}
	numbers := ""
	if f, tab, ok := paneOf[*findings](&u.layout); ok && report.SumFindings(f.all).Findings > 0 {
		numbers += "; " + count(report.SumFindings(f.all).Findings, "finding")
		if f.running {
			numbers += u.th.Glyph.Ellipsis
		}
		numbers += ": " + u.tabKey(tab)
	}
	if n := len(u.rep.Warnings); n > 0 {
		numbers += "; " + count(n, "warning") + ": " + keyOf(u.keys, "image")
	}
	for _, text := range []string{waste + by + step + numbers, waste + by + numbers, waste + numbers, waste + by} {
		if screen.Width(text) <= w {
			return text
		}
	}
	return waste
}

// drawLook draws that line, with the keys that help and quit if there is room.
func (u *ui) drawLook(c screen.Canvas) {
	x := c.W
	if hints := u.hints(); c.W >= 60 && len(hints) > 1 {
		for _, b := range slices.Backward(hints[len(hints)-2:]) {
			x -= hintWidth(b, true)
			c.Text(c.Text(x+1, 0, c.Theme.Accent, b.first()), 0, c.Theme.Dim, " "+b.hint)
		}
	}
	c.Short(1, 0, x-2, c.Theme.Strong, u.look(x-2))
}
