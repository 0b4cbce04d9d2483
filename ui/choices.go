package ui

import (
	"slices"
	"strings"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
)

// Choices are what a person has chosen to see, wherever the cursor is. The zero value
// chooses nothing: everything is as usual.
type Choices struct {
	Files, Compared, Waste, Findings, Packages, PackageChanges ListChoices

	Hide       []string // kinds of change whose files are not shown
	Whole      bool     // everything up to a layer, not only what it changed
	Left, Top  int      // percent of the width for the panes on the left, and of the height for the upper one; 0 for as usual
	Wrap       bool     // the viewer wraps long lines
	SideBySide bool     // a difference has two columns where they fit
}

// ListChoices are the choices for one list.
type ListChoices struct {
	Sort    string   // the name of an order, after "-" if it is reversed; "" for the usual one
	Columns []string // that are shown where they fit, besides those that always are; nil for the usual ones
}

// Choice is one of the Choices, as a config file knows it.
type Choice struct {
	Name   string
	Help   string
	Values []string // what a *string or []string can be
	Value  any      // where it is: *string, *[]string, *int (a percentage) or *bool
}

// All returns every choice of c.
func (c *Choices) All() []Choice {
	return []Choice{
		{"sort", "initial `ORDER` of the files", orderOptions(fileOrders()), &c.Files.Sort},
		{"sort-compared", "initial order of the files of a comparison", orderOptions(fileOrders()), &c.Compared.Sort},
		{"sort-waste", "initial order of the waste", orderOptions(ordersOf(wasteOrders[:])), &c.Waste.Sort},
		{"sort-findings", "initial order of the findings", orderOptions(ordersOf(findingOrders[:])), &c.Findings.Sort},
		{"sort-packages", "initial order of the packages", orderOptions(ordersOf(packageOrders[:])), &c.Packages.Sort},
		{"sort-compared-packages", "initial order of the packages of a comparison", orderOptions(ordersOf(packageChangeOrders[:])), &c.PackageChanges.Sort},
		{"columns", "columns of the files, where they fit", columnNames(fileColumns()), &c.Files.Columns},
		{"columns-compared", "columns of the files of a comparison, where they fit", columnNames(fileColumns()), &c.Compared.Columns},
		{"columns-waste", "columns of the waste, where they fit", columnNames(wasteColumnNames()), &c.Waste.Columns},
		{"columns-packages", "columns of the packages, where they fit", columnNames(packageColumnNames()), &c.Packages.Columns},
		{"hide", "kinds of change whose files are not shown", markNames(), &c.Hide},
		{"whole", "show everything up to a layer first, not only what it changed", nil, &c.Whole},
		{"left", "percent of the width that the panes on the left take", nil, &c.Left},
		{"top", "percent of the height that the layers take", nil, &c.Top},
		{"wrap", "wrap long lines in the viewer", nil, &c.Wrap},
		{"side-by-side", "show the two sides of a difference beside each other", nil, &c.SideBySide},
	}
}

// orderOptions returns the names that stand for orders in ListChoices.
func orderOptions(orders []order) []string {
	var names []string
	for _, o := range orders {
		names = append(names, o.option(false))
	}
	for _, o := range orders {
		names = append(names, o.option(true))
	}
	return names
}

// order returns the index of the chosen order, usual if none is chosen, and whether it
// is reversed.
func (c *ListChoices) order(orders []order, usual int) (by int, reverse bool) {
	name, reverse := strings.CutPrefix(c.Sort, "-")
	by = slices.IndexFunc(orders, func(o order) bool { return o.option(false) == name })
	if by < 0 {
		return usual, false
	}
	return by, reverse
}

// markNames returns the names of the kinds of change.
func markNames() []string {
	var names []string
	for _, k := range filterMarks {
		names = append(names, k.name)
	}
	return names
}

// marks returns the kinds of change that are shown.
func (c *Choices) marks() filetree.Marks {
	marks := filetree.Marks(outline.AllMarks)
	for _, k := range filterMarks {
		if slices.Contains(c.Hide, k.name) {
			marks &^= 1 << k.mark
		}
	}
	return marks
}

// setMarks chooses the kinds of change that are shown.
func (c *Choices) setMarks(marks filetree.Marks) {
	c.Hide = nil
	for _, k := range filterMarks {
		if !marks.Has(k.mark) {
			c.Hide = append(c.Hide, k.name)
		}
	}
}
