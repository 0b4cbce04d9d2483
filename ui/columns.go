package ui

import (
	"slices"
	"time"

	"fathom/ui/outline"
	"fathom/ui/screen"
)

// columned is a pane whose columns can be chosen.
type columned interface {
	pane
	columns() []column // besides those that are always there
	choices() *ListChoices
}

// column is a column that can be chosen.
type column struct {
	name  string
	key   string // its letter in the menu of columns
	usual bool   // it is shown until columns are chosen
}

func fileColumns() []column {
	return []column{
		{"bar", "b", true}, {"mode", "m", true}, {"owner", "o", true}, {"files", "f", false}, {"modified", "t", false}, {"layer", "l", false}, {"package", "p", false},
	}
}

func wasteColumnNames() []column {
	return []column{{"layers", "l", true}, {"cause", "c", true}, {"share", "s", true}, {"bar", "b", true}}
}

func packageColumnNames() []column {
	return []column{{"type", "t", true}, {"waste", "w", true}, {"version", "v", true}, {"layer", "l", true}}
}

func (f *files) columns() []column       { return fileColumns() }
func (w *waste) columns() []column       { return wasteColumnNames() }
func (l *packageList) columns() []column { return packageColumnNames() }

// columnNames returns the names of columns.
func columnNames(all []column) []string {
	var names []string
	for _, c := range all {
		names = append(names, c.name)
	}
	return names
}

// columnsOf returns the names of the columns that a pane shows where they fit.
func columnsOf(p columned) []string {
	if chosen := p.choices().Columns; chosen != nil {
		return chosen
	}
	return columnNames(slices.DeleteFunc(p.columns(), func(c column) bool { return !c.usual }))
}

// fitting returns how much of the room a pane may give to columns: Take, for those that
// are chosen only.
func fitting(p columned, room *screen.Room) func(name string, col *screen.Column, w, least int) {
	shown := columnsOf(p)
	return func(name string, col *screen.Column, w, least int) {
		if slices.Contains(shown, name) {
			room.Take(col, w, least)
		}
	}
}

// openColumns opens the menu of the columns of the list that has the keys.
func (u *ui) openColumns() {
	p, ok := u.on().(columned)
	if !ok {
		u.note = "the columns of this list can't be chosen"
		return
	}
	m := &menu{name: "Columns", stays: true, closes: keyOf(u.keys, "columns")}
	for _, c := range p.columns() {
		m.choices = append(m.choices, choice{key: c.key, name: c.name,
			on: func() bool { return slices.Contains(columnsOf(p), c.name) },
			do: func() { toggleColumn(p, c.name) }})
	}
	u.push(m)
}

// toggleColumn shows or hides a column.
func toggleColumn(p columned, name string) {
	was, now := columnsOf(p), []string{}
	for _, c := range p.columns() {
		if slices.Contains(was, c.name) != (c.name == name) {
			now = append(now, c.name)
		}
	}
	p.choices().Columns = now
}

// attributes hides the columns of the mode and the owner, or shows both if neither is shown.
func (f *files) attributes() {
	shown := columnsOf(f)
	mode, owner := slices.Contains(shown, "mode"), slices.Contains(shown, "owner")
	if mode || !owner {
		toggleColumn(f, "mode")
	}
	if owner || !mode {
		toggleColumn(f, "owner")
	}
}

// fileCells returns the texts of the columns of a file that a person can add.
func (f *files) fileCells(r outline.Row) (modified, layer, pkg string) {
	if !r.State.Implied {
		modified = time.Unix(r.State.ModTime, 0).UTC().Format("2006-01-02 15:04")
	}
	if f.u.two == nil {
		layer = itoa(r.State.Layer)
	}
	if known := f.u.img.packages; known != nil && f.u.two == nil && r.State.Content >= 0 {
		if i := known.Of(r.State.Content); i >= 0 {
			pkg = shown(known.List[i].Name)
		}
	}
	return modified, layer, pkg
}
