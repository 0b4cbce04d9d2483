package ui

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/gdamore/tcell/v2"

	"fathom/analyzer/filetree"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// words joins the words of a command.
func words(ws []string) string {
	safe := make([]string, len(ws))
	for i, w := range ws {
		safe[i] = report.Safe(w)
		if w == "" || strings.ContainsAny(w, " \t\n\"'") {
			safe[i] = `"` + safe[i] + `"`
		}
	}
	return strings.Join(safe, " ")
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

func itoa(n int) string { return strconv.Itoa(n) }

// markSign returns the sign of a change and its style.
func markSign(th *screen.Theme, m filetree.Mark) (string, tcell.Style) {
	switch m {
	case filetree.Added:
		return th.Glyph.Added, th.Added
	case filetree.Modified:
		return th.Glyph.Modified, th.Modified
	case filetree.Removed:
		return th.Glyph.Removed, th.Removed
	case filetree.Unchanged:
		return th.Glyph.Again, th.Again
	}
	return th.Glyph.Blank, th.Text
}

// arrow is the sign of a sort direction.
func arrow(th *screen.Theme, ascending bool) string {
	if ascending {
		return th.Glyph.Up
	}
	return th.Glyph.Down
}

// triangle returns the sign of an open or closed folder.
func triangle(th *screen.Theme, open bool) string {
	if open {
		return th.Glyph.Open
	}
	return th.Glyph.Closed
}

// count returns a number of things in words.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}
