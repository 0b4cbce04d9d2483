package ui

import "fathom/ui/screen"

// question asks for one of a few answers.
type question struct {
	screen.List
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
func (q *question) scroller() *screen.List { return &q.List }
func (q *question) wants() (w, h int)      { return 60, len(q.choices) + 5 }
func (q *question) title() string          { return q.name }
func (q *question) subtitle() string       { return "" }

func (q *question) shut(*ui) bool {
	q.cancel()
	return true
}

func (q *question) draw(c screen.Canvas) {
	if c.H > len(q.choices) {
		c.Tail(1, 0, c.W-2, c.Theme.Strong, q.about)
		c = c.Sub(0, 1, c.W, c.H-1)
	}
	if c.H > len(q.choices)+1 {
		c.Short(1, 0, c.W-2, c.Theme.Text, q.says)
		c = c.Sub(0, 2, c.W, c.H-2)
	}
	q.Fit(len(q.choices), c.H)
	for y := 0; y < c.H && q.Top+y < len(q.choices); y++ {
		ch := q.choices[q.Top+y]
		on := c.Row(y, q.Top+y == q.At, true)
		x := c.Text(1, y, on(c.Theme.Accent), ch.key)
		c.Text(x+2, y, on(c.Theme.Text), ch.name)
	}
}

// answer takes the choice of that key; "" is the one under the cursor.
func (u *ui) answer(key string) {
	q, ok := u.top().(*question)
	if !ok {
		return
	}
	for i, ch := range q.choices {
		if ch.key == key || key == "" && i == q.At {
			u.over = u.over[:len(u.over)-1]
			ch.do()
			return
		}
	}
}
