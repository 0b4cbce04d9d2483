package ui

import (
	"slices"
	"strings"

	"fathom/ui/outline"
	"fathom/ui/screen"
)

// order is what the rows of a list can be sorted by.
type order struct {
	name      string
	key       string // its letter in the menu of orders, and with alt everywhere
	ascending bool   // the smallest first, unless it is reversed
}

// ordered is an order of a list whose rows are Ts.
type ordered[T any] struct {
	order
	compare func(a, b T) int // before the usual order of the list
}

// ordersOf returns the orders of a table.
func ordersOf[T any](table []ordered[T]) []order {
	all := make([]order, len(table))
	for i := range table {
		all[i] = table[i].order
	}
	return all
}

// fileOrders returns the orders of files.
func fileOrders() []order {
	var all []order
	for _, o := range outline.Orders() {
		all = append(all, order{o.String(), o.String()[:1], o.Ascending()})
	}
	return all
}

// option returns the name of the order in options.
func (o *order) option(reverse bool) string {
	name := strings.ReplaceAll(o.name, " ", "-")
	if reverse {
		return "-" + name
	}
	return name
}

// status returns the name of the order, and its direction.
func (o *order) status(th *screen.Theme, reverse bool) string {
	return o.name + " " + arrow(th, reverse != o.ascending)
}

// sortable is a pane whose rows have several orders.
type sortable interface {
	pane
	orders() []order // in the sequence in which a key selects them
	sorted() (by int, reverse bool)
	sortBy(by int, reverse bool)
	choices() *ListChoices
}

// chosenOrder returns the order that a list starts with.
func chosenOrder[T ~int | ~uint8](p sortable, usual T) (by T, reverse bool) {
	i, reverse := p.choices().order(p.orders(), int(usual))
	return T(i), reverse
}

// sort sorts the rows of a pane, and remembers the order.
func (u *ui) sort(p sortable, by int, reverse bool) {
	p.sortBy(by, reverse)
	p.choices().Sort = p.orders()[by].option(reverse)
}

const oneOrder = "this list has one order only"

// sortNext reverses the order of the list that has the keys or, if it is reversed
// already, selects the next one.
func (u *ui) sortNext() {
	p, ok := u.on().(sortable)
	if !ok {
		u.note = oneOrder
		return
	}
	by, reverse := p.sorted()
	if reverse {
		by = (by + 1) % len(p.orders())
	}
	u.sort(p, by, !reverse)
}

// sortTo sorts a pane by one of its orders; if that is the present one, it is reversed.
func (u *ui) sortTo(p sortable, to int) {
	by, reverse := p.sorted()
	u.sort(p, to, by == to && !reverse)
}

// openSort opens the menu of the orders of the list that has the keys.
func (u *ui) openSort() {
	p, ok := u.on().(sortable)
	if !ok {
		u.note = oneOrder
		return
	}
	m := &menu{name: "Sort by", closes: keyOf(u.keys, "sort-menu")}
	by, reverse := p.sorted()
	for i, o := range p.orders() {
		ch := choice{key: o.key, name: o.name, do: func() { u.sortTo(p, i) }}
		if i == by {
			ch.note = arrow(u.th, reverse != o.ascending)
			m.At = i
		}
		m.choices = append(m.choices, ch)
	}
	u.push(m)
}

// sortByName sorts the list that has the keys by the order with a name, if it has one.
func (u *ui) sortByName(name string) {
	p, ok := u.on().(sortable)
	if ok {
		if i := slices.IndexFunc(p.orders(), func(o order) bool { return o.name == name }); i >= 0 {
			u.sortTo(p, i)
			return
		}
	}
	u.note = "this list can't be sorted by " + name
}

// sortKeys returns the rows of the key table that sort at once: an order has the same
// letter in every list.
func sortKeys() []binding {
	var rows []binding
	var names []string
	for _, o := range slices.Concat(fileOrders(), ordersOf(wasteOrders[:]), ordersOf(findingOrders[:]), ordersOf(packageOrders[:]), ordersOf(packageChangeOrders[:])) {
		if slices.Contains(names, o.name) {
			continue
		}
		names = append(names, o.name)
		rows = append(rows, binding{"sort-by-" + o.option(false), "alt-" + o.key, inLists, 0, "Sort", "", "sort: " + o.name + ", in a list that has it; again reverses", func(u *ui) { u.sortByName(o.name) }})
	}
	return rows
}
