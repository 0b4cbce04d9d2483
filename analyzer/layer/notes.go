package layer

import (
	"fmt"
	"strings"
)

// note is a kind of warning about a layer.
type note uint8

const (
	noteClimbs note = iota
	noteLinkClimbs
	noteMarker
	noteOpaqueRoot
	noteRoot
	noteZeroDevice
	noteOverlay
	noteLong
	noteSparse
	noteBody
	// Each kind from here on is reported once, with the number of entries.
	noteAbsolute
	noteMeta
	noteType
	notes
)

var noteTexts = [notes]string{
	noteClimbs:     "the name climbs out of the root with \"..\": kept inside it",
	noteLinkClimbs: "the hard link's target climbs out of the root with \"..\": kept inside it",
	noteMarker:     "a whiteout without a name, or of its own or its parent directory: ignored",
	noteOpaqueRoot: "an opaque marker of the root hides all lower layers: engines on overlayfs ignore it",
	noteRoot:       "the name is the root's, which can only be a directory: ignored",
	noteZeroDevice: "a character device 0:0: engines on overlayfs hide the path instead of showing it",
	noteOverlay:    "an overlay extended attribute: engines on overlayfs may hide what lower layers put here",
	noteLong:       "a name too long for Linux (255 bytes a component, 4095 a path)",
	noteSparse:     "the sparse map and the stored data do not agree: the content can't be read",
	noteBody:       "a marker or a bookkeeping entry of storage drivers with content: no engine shows it, it counts as wasted",
	noteAbsolute:   "%d absolute names: taken from the layer's root",
	noteMeta:       "%d entries with names for bookkeeping of old storage drivers (.wh..wh.*): not shown",
	noteType:       "%d entries of unknown type (%s): skipped",
}

// noteKeep is how many paths of a kind are reported; a hostile layer may have
// millions.
const noteKeep = 20

// notebook collects what is odd in one layer, and keeps at most noteKeep paths
// of each kind.
type notebook struct {
	count [notes]int
	paths [notes][]string
	types [256]bool
}

func (b *notebook) add(k note, path []byte) {
	b.count[k]++
	keep := noteKeep
	if k >= noteAbsolute {
		keep = 1
	}
	if len(b.paths[k]) < keep {
		b.paths[k] = append(b.paths[k], string(path))
	}
}

// warnings returns the warnings in the order of their kinds.
func (b *notebook) warnings() []Warning {
	var ws []Warning
	for k := note(0); k < notes; k++ {
		n := b.count[k]
		switch {
		case n == 0:
		case k == noteType:
			var types []string
			for t, is := range b.types {
				if is {
					types = append(types, fmt.Sprintf("%q", byte(t)))
				}
			}
			ws = append(ws, Warning{b.paths[k][0], fmt.Sprintf(noteTexts[k], n, strings.Join(types, " "))})
		case k >= noteAbsolute:
			ws = append(ws, Warning{b.paths[k][0], fmt.Sprintf(noteTexts[k], n)})
		default:
			for _, p := range b.paths[k] {
				ws = append(ws, Warning{p, noteTexts[k]})
			}
			if n > noteKeep {
				ws = append(ws, Warning{"", fmt.Sprintf("and %d more: %s", n-noteKeep, noteTexts[k])})
			}
		}
	}
	return ws
}
