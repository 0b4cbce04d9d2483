package outline

import (
	"strconv"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/filetree"
)

// Order says what the rows of a folder are sorted by.
type Order uint8

const (
	BySize Order = iota
	ByName
	ByFiles
	ByGrowth
)

// orders describes each order. Flags, keys and docs are derived from it.
var orders = [...]struct {
	name      string // its name in options, and the title of its column
	ascending bool   // the smallest first, unless it is reversed
	// weigh returns the weight of a row, and a second one that decides between equal
	// rows. The heaviest row comes first. If weigh is nil, rows are sorted by name,
	// as bytes.
	weigh func(o *Outline, n filetree.Node) (weight, next int64)
	// cell returns the text of the order's own column. It is nil if other columns
	// show the value.
	cell func(r Row) string
}{
	BySize: {
		name: "size",
		weigh: func(o *Outline, n filetree.Node) (int64, int64) {
			all := o.figures(n)
			return all.size, all.gone + all.before
		},
	},
	ByName: {name: "name", ascending: true},
	ByFiles: {
		name:  "files",
		weigh: func(o *Outline, n filetree.Node) (int64, int64) { return int64(o.figures(n).files), 0 },
		cell: func(r Row) string {
			if !r.Dir {
				return ""
			}
			return strconv.Itoa(r.Files)
		},
	},
	ByGrowth: {
		name: "growth",
		weigh: func(o *Outline, n filetree.Node) (int64, int64) {
			growth := o.figures(n).growth
			return max(growth, -growth), 0
		},
		cell: func(r Row) string {
			switch {
			case r.Growth > 0:
				return "+" + humanize.Bytes(uint64(r.Growth))
			case r.Growth < 0:
				return "-" + humanize.Bytes(uint64(-r.Growth))
			}
			return ""
		},
	},
}

// Orders returns all orders, in the sequence in which a key selects them.
func Orders() []Order {
	all := make([]Order, len(orders))
	for i := range all {
		all[i] = Order(i)
	}
	return all
}

// String returns the name of the order.
func (o Order) String() string { return orders[o].name }

// Ascending reports whether the smallest row comes first.
func (o Order) Ascending() bool { return orders[o].ascending }

// Cell returns the text of the order's own column for a row; false if the order has
// no column.
func (o Order) Cell(r Row) (string, bool) {
	if orders[o].cell == nil {
		return "", false
	}
	return orders[o].cell(r), true
}

// Order returns the order of rows, and reports whether it is reversed.
func (o *Outline) Order() (Order, bool) { return o.order, o.reverse }

// SetOrder sorts the rows.
func (o *Outline) SetOrder(by Order, reverse bool) {
	was := o.order
	o.order, o.reverse = by, reverse
	if growth := by == ByGrowth; growth != (was == ByGrowth) { // the sums have it only if that is the order
		o.narrow()
		return
	}
	below := o.rows.below // does not depend on the order
	o.changed()
	o.rows.below = below
}
