package advice

import (
	"fmt"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

func removedLater() Rule {
	return Rule{
		Name:     "removed-later",
		Severity: facts.SeverityWarn,
		Means:    "A step stores files that a later step removes.",
		Why:      "Each layer is shipped whole. Removing a file in a later step hides it and makes the image no smaller.",
		Fix:      "Remove the files in the step that stores them, or store them in an earlier stage and copy only the result.",
		find: func(im *image) ([]*finding, error) {
			return im.hidden(filetree.Deleted, func(stored, hidden int) *finding {
				return im.newFinding(fmt.Sprintf("layer %d removes what layer %d stores", hidden, stored), facts.Fix{
					Text:  "join the two steps, or store the files in an earlier stage",
					Lines: im.joined(stored, hidden),
				})
			}), nil
		},
	}
}

// hidden returns one finding for each pair of a layer that stores content and a
// layer that hides it for that cause.
func (im *image) hidden(cause filetree.Cause, about func(stored, hidden int) *finding) []*finding {
	type pair struct{ stored, hidden int }
	var all []*finding
	at := map[pair]*finding{}
	for c := range filetree.Content(im.tree.Contents()) {
		s := im.tree.Stored(c)
		if s.Cause != cause || s.Bytes == 0 || im.claimed[c] {
			continue
		}
		k := pair{s.Layer, s.HiddenBy}
		f := at[k]
		if f == nil {
			f = about(s.Layer, s.HiddenBy)
			at[k] = f
			all = append(all, f)
		}
		f.claim(s.Lost, c, s.Bytes)
	}
	return all
}
