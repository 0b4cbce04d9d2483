package outline

import (
	"slices"
	"strconv"

	"fathom/analyzer/filetree"
)

// Order is what the rows of one folder are sorted by.
type Order uint8

const (
	BySize Order = iota
	ByName
	ByFiles
)

// orders says all there is to say about each order: flags, keys and docs are
// made of it.
var orders = [...]struct {
	name      string // what people choose it by, and the title of its column
	long      string // after "sort by"
	ascending bool   // the smallest first, unless it is reversed
	// weigh is what a row weighs, the heaviest first, and what decides between
	// equal ones; nil leaves rows in the order of their names, as bytes.
	weigh func(o *Outline, n filetree.Node) (weight, next int64)
	// cell is what a column of its own shows; nil where other columns show it.
	cell func(r Row) string
}{
	BySize: {
		name: "size", long: "size",
		weigh: func(o *Outline, n filetree.Node) (int64, int64) { return o.scope.size(o.tree, n) },
	},
	ByName: {name: "name", long: "name", ascending: true},
	ByFiles: {
		name: "files", long: "count of files",
		weigh: func(o *Outline, n filetree.Node) (int64, int64) { return int64(o.scope.View.Sum(n).Files), 0 },
		cell: func(r Row) string {
			if !r.Dir {
				return ""
			}
			return strconv.Itoa(r.Files)
		},
	},
}

// Orders is every order, in the turn that a key goes through them.
func Orders() []Order {
	all := make([]Order, len(orders))
	for i := range all {
		all[i] = Order(i)
	}
	return all
}

// OrderNamed is the order of that name; false when there is none.
func OrderNamed(name string) (Order, bool) {
	i := slices.IndexFunc(Orders(), func(o Order) bool { return o.String() == name })
	return Order(max(i, 0)), i >= 0
}

// String is the order's name.
func (o Order) String() string { return orders[o].name }

// Long is what an order sorts by, in words.
func (o Order) Long() string { return orders[o].long }

// Ascending reports whether the smallest row comes first.
func (o Order) Ascending() bool { return orders[o].ascending }

// Cell is what the order's own column says of a row; false when it has none.
func (o Order) Cell(r Row) (string, bool) {
	if orders[o].cell == nil {
		return "", false
	}
	return orders[o].cell(r), true
}

// Order is the order of rows, and whether it is reversed.
func (o *Outline) Order() (Order, bool) { return o.order, o.reverse }

// SetOrder sorts the rows.
func (o *Outline) SetOrder(by Order, reverse bool) {
	o.order, o.reverse = by, reverse
	o.changed()
}

// NextOrder reverses the order, or goes to the next one when it is reversed.
func (o *Outline) NextOrder() {
	if o.reverse {
		o.SetOrder((o.order+1)%Order(len(orders)), false)
	} else {
		o.SetOrder(o.order, true)
	}
}
