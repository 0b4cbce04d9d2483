package filetree

import (
	"fmt"

	"fathom/analyzer/layer"
)

// maxWarnings is how many paths a layer names for one kind of oddity.
const maxWarnings = 20

// warnings collects what is odd about a layer: each text with its first paths
// and, for the others, their number.
type warnings struct {
	all   []layer.Warning
	count map[string]int
	order []string
}

func (w *warnings) add(path, text string) {
	if w.count == nil {
		w.count = map[string]int{}
	}
	if w.count[text] == 0 {
		w.order = append(w.order, text)
	}
	if w.count[text]++; w.count[text] <= maxWarnings {
		w.all = append(w.all, layer.Warning{Path: path, Text: text})
	}
}

// full reports whether the paths of text are only counted from now on.
func (w *warnings) full(text string) bool { return w.count[text] >= maxWarnings }

// warn adds a warning about n.
func (b *Builder) warn(n int32, text string) {
	path := ""
	if !b.warnings.full(text) {
		path = b.path(n)
	}
	b.warnings.add(path, text)
}

func (w *warnings) list() []layer.Warning {
	for _, text := range w.order {
		if more := w.count[text] - maxWarnings; more > 0 {
			w.all = append(w.all, layer.Warning{Text: fmt.Sprintf("%s (%d more)", text, more)})
		}
	}
	return w.all
}
