package ui

import (
	"strings"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
)

// Packages are not searched as a tree.
func (l *packageList) paths() *filetree.Tree { return nil }
func (l *packageList) scope() outline.Scope  { return outline.Scope{} }

func (l *packageList) bookmark() func() {
	at, top := l.At, l.Top
	return func() {
		l.At, l.Top = at, top
		l.fill()
	}
}

// filtered reports whether only packages that match have rows.
func (l *packageList) filtered() bool { return l.hits != nil && l.u.search.filters(l) }

// restrict gives rows only to the packages that match, if the user wants that.
func (l *packageList) restrict() { l.stay(l.fill) }

// sift finds the packages of the shown type that match the search: a name, a version,
// with a colon in the text a type with a name ("npm:express"), and with a slash the path
// of the database.
func (l *packageList) sift() {
	l.hits, l.matches = nil, 0
	if l.u.search.of(l) {
		l.hits = make([]bool, len(l.all))
		match := l.u.search.pattern.Matches
		colon, slash := strings.Contains(l.u.search.text, ":"), strings.Contains(l.u.search.text, "/")
		for i := range l.all {
			p := &l.all[i]
			if l.shows(i) && (match(p.Name) || match(p.Version) || colon && match(packageName(p)) || slash && match(p.Database)) {
				l.hits[i] = true
				l.matches++
			}
		}
	}
	l.fill()
}

func (l *packageList) found() (int, string) { return l.matches, count(l.matches, "package") + " found" }

// hit goes to the next or previous package that matches.
func (l *packageList) hit(forward, here bool) {
	if l.matches == 0 {
		return
	}
	l.Seek(len(l.rows), forward, here, func(row int) bool {
		i := l.rows[row].index
		return i >= 0 && l.hits[i]
	})
}

func (l *packageList) nth() int {
	return nth(l.At, len(l.rows), func(row int) bool { i := l.rows[row].index; return i >= 0 && l.hits != nil && l.hits[i] })
}
