package ui

import (
	"testing"

	"fathom/analyzer"
)

// packageStage returns a stage whose UI looks for packages with find.
func packageStage(t testing.TB, a *analyzer.Analysis, find packageFinder, theme string, ascii bool, w, h int) *stage {
	t.Helper()
	return stageOf(t, theme, ascii, w, h, func(set setup, do doer) root {
		set.packages = find
		return newUI(a, set, do)
	})
}
