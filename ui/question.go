package ui

import (
	"github.com/gdamore/tcell/v2"

	"fathom/ui/screen"
)

// question asks for one of a few answers.
type question struct {
	screen.List
	none
	name, about, says string
	choices           []choice
	cancel            func()
}

// choice is an answer, and what it does.
type choice struct {
	key, name string
	do        func()
}

func (q *question) place() place           { return inQuestion }
func (q *question) size() (w, h int)       { return 60, len(q.choices) + 5 }
func (q *question) Title() string          { return q.name }
func (q *question) click(_, y int, _ bool) { q.Click(y) }

func (q *question) shut() bool {
	q.cancel()
	return true
}

func (q *question) Draw(c screen.Canvas, _ bool) {
	above := 0
	if c.H > len(q.choices) {
		c.Tail(1, 0, c.W-2, c.Theme.Strong, q.about)
		above = 1
	}
	if c.H > len(q.choices)+2 {
		c.Short(1, 1, c.W-2, c.Theme.Text, q.says)
		above = 3
	}
	c = q.Below(c, above)
	q.List.Draw(c, len(q.choices), true, func(y, i int, on func(tcell.Style) tcell.Style) {
		x := c.Text(1, y, on(c.Theme.Accent), q.choices[i].key)
		c.Text(x+2, y, on(c.Theme.Text), q.choices[i].name)
	})
}

// answer takes the choice of that key; "" is the one under the cursor.
func answer(key string) func(*ui) {
	return func(u *ui) {
		q, ok := u.top().(*question)
		if !ok {
			return
		}
		for i, ch := range q.choices {
			if ch.key == key || key == "" && i == q.At {
				u.drop(q)
				ch.do()
				return
			}
		}
	}
}
