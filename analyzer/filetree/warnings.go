package filetree

import (
	"fmt"

	"fathom/analyzer/layer"
)

// maxWarnings is the most paths per layer that the warnings with one text name.
const maxWarnings = 20

// warnings collects the warnings about a layer. For each text it keeps the first
// paths and counts the others.
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

// full reports whether further warnings with this text are only counted.
func (w *warnings) full(text string) bool { return w.count[text] >= maxWarnings }

// warn adds a warning about n.
func (b *Builder) warn(n int32, text string) {
	path := ""
	if !b.warnings.full(text) {
		path = b.path(n)
	}
	b.warnings.add(path, text)
}

// list returns the warnings, with one more for each text whose paths were not all
// kept.
func (w *warnings) list() []layer.Warning {
	for _, text := range w.order {
		if more := w.count[text] - maxWarnings; more > 0 {
			w.all = append(w.all, layer.Warning{Text: fmt.Sprintf("%s (%d more)", text, more)})
		}
	}
	return w.all
}
