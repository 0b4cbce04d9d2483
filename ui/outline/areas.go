package outline

import (
	"fathom/analyzer/filetree"
)

// Areas are the rows directly below a folder as shares of the folder: that of the largest
// Weight first, whatever the order of rows is.
type Areas struct {
	Tops []filetree.Node // the Top of each row
	All  int64           // the Weight of all rows
	Busy bool            // they are still being added up
}

// manyAreas is the number of rows that can be added up within a key press.
const manyAreas = 5_000

// Areas returns the areas of d in the present scope. If d has many rows, work runs the
// function that adds them up in the background, and then what that returns in the
// goroutine of the outline; until then the areas are Busy.
func (o *Outline) Areas(d filetree.Node, work func(func() func())) Areas {
	if a, ok := o.areas[d]; ok || o.scope.View == nil {
		return a
	}
	kids := 0
	for c, end := d+1, o.tree.End(d); c < end && kids < manyAreas; c = o.tree.End(c) {
		kids++
	}
	o.figures(d) // adds up what the areas need
	if kids < manyAreas {
		o.areas[d] = o.addUpAreas(d)
		return o.areas[d]
	}
	now, into := *o, o.areas // a change of the scope replaces the map
	into[d] = Areas{Busy: true}
	work(func() func() {
		a := now.addUpAreas(d)
		return func() { into[d] = a }
	})
	return into[d]
}

// addUpAreas returns the areas of d. It changes nothing in the outline.
func (o *Outline) addUpAreas(d filetree.Node) Areas {
	var a Areas
	var ws []weighed
	for c := range o.named(d) {
		if o.scope.Shown(o.tree, c) {
			size, lost := o.Weight(c)
			w := size + lost
			a.Tops = append(a.Tops, c)
			ws = append(ws, weighed{a: w, n: c})
			a.All += w
		}
	}
	sortWeighed(a.Tops, ws)
	return a
}

// Weight returns the Size of the row that begins at top, and the bytes that are no longer
// there: Gone or, where two states are compared, what Before is larger by.
func (o *Outline) Weight(top filetree.Node) (size, lost int64) {
	all := o.figures(top)
	return all.size, max(all.before-all.size, all.gone)
}

// Row returns the row that begins at top, as if all folders above it were open.
func (o *Outline) Row(top filetree.Node) Row { return o.row(top, 0) }
