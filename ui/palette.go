package ui

import (
	"cmp"
	"slices"
	"strings"

	"github.com/gdamore/tcell/v2"

	"fathom/ui/screen"
)

// palette is an overlay that lists what can be done and where one can go, by name. A
// prompt on the bottom line says which of it to list.
type palette struct {
	screen.List
	none
	u    *ui
	all  []entry
	rows []*entry // those that match, the best first
}

// entry is a row of the palette.
type entry struct {
	name   string // safe
	key    string // that does it
	why    string // why it can't be done now; "" if it can
	action string // "" for a place
	run    func()
}

// openPalette lists the actions of the key table that apply to the part that has the
// keys, and every pane, tab and layer.
func (u *ui) openPalette() {
	p := &palette{u: u}
	at := u.on().place()
	actions := func(moves bool) {
		for i := range u.keys {
			b := &u.keys[i]
			if slices.Contains([]string{"layers", "details", "files"}, b.action) {
				continue // among the places
			}
			if b.help != "" && b.action != "palette" && b.places&at != 0 && (b.group == "Move") == moves {
				p.add(entry{name: b.help, key: b.first(), why: u.lacks[b.needs], action: b.action, run: func() { b.run(u) }})
			}
		}
	}
	actions(false)
	p.places()
	actions(true)
	u.push(p)
	u.prompt = &screen.Prompt{
		Label: ":", Note: p.counts, Extra: p.extra,
		Changed: p.filter,
		Done:    func(_, key string) { p.done(key == "enter") },
	}
	p.filter("")
}

// add adds a row. Of rows with one name, the first that can be done stays.
func (p *palette) add(c entry) {
	if i := slices.IndexFunc(p.all, func(o entry) bool { return o.name == c.name }); i >= 0 {
		if p.all[i].why != "" {
			p.all[i] = c
		}
		return
	}
	p.all = append(p.all, c)
}

// places adds the panes, the tabs and the layers.
func (p *palette) places() {
	u := p.u
	for i := range rightPane {
		p.goes("go to "+u.pane(i).Title(), keyOf(u.keys, []string{"layers", "details"}[i]), func() { u.setFocus(i) })
	}
	for i, t := range u.tabs {
		p.goes("go to "+t.Title(), u.tabKey(i), func() { u.tabTo(i) })
	}
	if l, ok := u.first.(*aligned); ok {
		for i, pair := range l.pairs {
			p.goes(strings.ToLower(pairName(pair))+": "+l.command(pair), "", func() {
				u.leave()
				l.SetWindow(i, l.Top)
				u.setFocus(layersPane)
			})
		}
		return
	}
	for i := range u.rep.Layers {
		p.goes("layer "+itoa(i)+": "+layerCommand(u.rep, i), "", func() {
			u.selectLayer(i)
			u.setFocus(layersPane)
		})
	}
}

// goes adds a row that goes to a place in the panes: what lies over them is closed.
func (p *palette) goes(name, key string, run func()) {
	p.all = append(p.all, entry{name: name, key: key, run: func() {
		for len(p.u.over) > 0 && p.u.top().shut() {
			p.u.drop(p.u.top())
		}
		run()
	}})
}

// filter lists the rows that have every word of the text, the best first: those where
// it begins the name, then those where it begins a word, is a part of one, or has its
// letters in this order. Equal ones are in the order of the table, but those that were
// used last come first.
func (p *palette) filter(text string) {
	type rated struct{ rank, recent int }
	words := strings.Fields(strings.ToLower(text))
	rates := make(map[*entry]rated, len(p.all))
	p.rows = p.rows[:0]
	for i := range p.all {
		c := &p.all[i]
		if rank, ok := match(strings.ToLower(c.name), c.action, words); ok {
			recent := slices.Index(p.u.recent, c.name)
			if recent < 0 {
				recent = len(p.u.recent)
			}
			rates[c] = rated{rank, recent}
			p.rows = append(p.rows, c)
		}
	}
	slices.SortStableFunc(p.rows, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(rates[a].rank, rates[b].rank), cmp.Compare(rates[a].recent, rates[b].recent))
	})
	p.At, p.Top = 0, 0
	p.Fit(len(p.rows), p.H)
}

// match reports whether a name or its action has all words, and how well; 0 is best.
func match(text, action string, words []string) (rank int, ok bool) {
	for _, w := range words {
		switch i := strings.Index(text, w); {
		case i == 0, action == w:
		case i > 0 && strings.Contains(text, " "+w):
			rank++
		case i > 0:
			rank += 10
		case strings.Contains(action, w):
			rank += 10
		case subsequence(text, w):
			rank += 100
		default:
			return 0, false
		}
	}
	return rank, true
}

// subsequence reports whether a text has the letters of a word in their order.
func subsequence(text, word string) bool {
	for _, r := range word {
		_, rest, ok := strings.Cut(text, string(r))
		if !ok {
			return false
		}
		text = rest
	}
	return true
}

// counts is the note of the prompt.
func (p *palette) counts() (note, more string, alarm bool) {
	if len(p.rows) == 0 {
		return "nothing has that name", "", true
	}
	return itoa(len(p.rows)) + " of " + itoa(len(p.all)), "  " + p.u.th.Glyph.Dot + "  enter does it", false
}

// extra takes the keys of the prompt that move the cursor.
func (p *palette) extra(key string) bool {
	switch key {
	case "up", "ctrl-p":
		p.Move(-1)
	case "down", "ctrl-n":
		p.Move(1)
	case "pgup":
		p.Page(-2)
	case "pgdn":
		p.Page(2)
	default:
		return false
	}
	return true
}

// done closes the palette and, if the user wants it, does what is under the cursor.
func (p *palette) done(run bool) {
	u := p.u
	u.prompt = nil
	u.drop(p)
	if !run || p.At >= len(p.rows) {
		return
	}
	c := p.rows[p.At]
	if c.why != "" {
		u.note = c.why
		return
	}
	const most = 20
	u.recent = append([]string{c.name}, slices.DeleteFunc(u.recent, func(n string) bool { return n == c.name })...)
	u.recent = u.recent[:min(len(u.recent), most)]
	c.run()
}

func (p *palette) place() place     { return inMenu }
func (p *palette) Title() string    { return "Do or go to" }
func (p *palette) size() (w, h int) { return 78, 20 }

// click does what a row says.
func (p *palette) click(_, y int, _ bool) {
	if p.Click(y) {
		p.done(true)
	}
}

func (p *palette) Draw(c screen.Canvas, _ bool) {
	th := c.Theme
	if len(p.rows) == 0 {
		c.Short(1, 0, c.W-2, th.Dim, "nothing has that name")
	}
	p.List.Draw(c, len(p.rows), true, func(y, i int, on func(tcell.Style) tcell.Style) {
		r := p.rows[i]
		st, room := th.Text, c.W-2
		if r.why != "" {
			st = th.Dim
		}
		if r.key != "" && c.W >= 30 {
			room -= screen.Width(r.key) + 2
			c.Right(c.W-1, y, on(th.Accent), r.key)
		}
		x := c.Short(1, y, room, on(st), r.name)
		if r.why != "" && room-x > 12 {
			c.Short(x+2, y, room-x-1, on(th.Dim), "("+r.why+")")
		}
	})
}
