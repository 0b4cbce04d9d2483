package ui

// question asks for one of a few answers.
type question struct {
	list
	name, about, says string
	choices           []choice
	cancel            func()
}

// choice is an answer, and what it does.
type choice struct {
	key, name string
	do        func()
}

func (q *question) place() place      { return inQuestion }
func (q *question) scroller() *list   { return &q.list }
func (q *question) wants() (w, h int) { return 60, len(q.choices) + 5 }
func (q *question) title() string     { return q.name }
func (q *question) subtitle() string  { return "" }

func (q *question) shut(*ui) bool {
	q.cancel()
	return true
}

func (q *question) draw(c canvas) {
	if c.h > len(q.choices) {
		c.tail(1, 0, c.w-2, c.th.strong, q.about)
		c = c.sub(0, 1, c.w, c.h-1)
	}
	if c.h > len(q.choices)+1 {
		c.short(1, 0, c.w-2, c.th.text, q.says)
		c = c.sub(0, 2, c.w, c.h-2)
	}
	q.fit(len(q.choices), c.h)
	for y := 0; y < c.h && q.top+y < len(q.choices); y++ {
		ch := q.choices[q.top+y]
		on := onLine(c, y, q.top+y == q.at, true)
		x := c.text(1, y, on(c.th.accent), ch.key)
		c.text(x+2, y, on(c.th.text), ch.name)
	}
}

// answer takes the choice of that key; "" is the one under the cursor.
func (u *ui) answer(key string) {
	q, ok := u.top().(*question)
	if !ok {
		return
	}
	for i, ch := range q.choices {
		if ch.key == key || key == "" && i == q.at {
			u.over = u.over[:len(u.over)-1]
			ch.do()
			return
		}
	}
}
