package ui

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fathom/ui/screen"
	"github.com/gdamore/tcell/v2"
	"github.com/rivo/tview"
)

// Candidate is an image that the user can choose.
type Candidate struct {
	Ref     string // what opens it: "docker:nginx:1.27"
	Name    string // as its engine has it; "" for an image without a name
	ID      string // its digest, with or without the algorithm; perhaps short
	Engine  string
	Size    int64     // bytes; 0 when unknown
	Created time.Time // zero when unknown
	Demo    bool      // the built-in image; nothing else is set
}

// Engine lists the images of a container engine.
type Engine struct {
	Name string
	List func(context.Context) ([]Candidate, error)
}

// Choose lets the user choose one of the engines' images, newest first, or the built-in
// demo, which is always last, and opens it. It asks all engines at once, in the
// background. An engine that fails gets a line below the list. When open returns ErrLeft,
// the user chooses again, from the list as it was. Choose returns any other error of open,
// and nil if the user chooses nothing.
func Choose(ctx context.Context, engines []Engine, opt Options, open func(context.Context, Candidate) error) error {
	set, err := opt.setup()
	if err != nil {
		return err
	}
	c := newChooser(engines, set.th, nil)
	for {
		if err := c.show(ctx, opt); err != nil || c.chosen == nil {
			return err
		}
		if err := open(ctx, *c.chosen); !errors.Is(err, ErrLeft) {
			return err
		}
	}
}

// show shows the chooser until the user chooses or quits.
func (c *chooser) show(ctx context.Context, opt Options) error {
	s := newSession(ctx)
	defer s.cancel(nil)
	c.do, c.chosen = s, nil
	return s.run(opt, c.th, func() {
		s.app.SetRoot(c, true).SetInputCapture(c.capture)
		c.ask()
	})
}

// chooser is the screen of Choose.
type chooser struct {
	*tview.Box
	screen.List
	asked
	offers
	th   *screen.Theme
	do   doer
	now  func() time.Time
	keys *text  // the help, while it is open
	note string // shown on the bottom line until the next key
	slips
	chosen *Candidate
	frame  screen.Grid
	body   screen.Canvas // of the last frame's rows, for the mouse
	clicks
}

// asked holds what the engines have answered.
type asked struct {
	engines []Engine
	silent  []string // those that haven't answered yet
	notes   []string // errors, and engines without images
}

// offers holds the images and the filter.
type offers struct {
	all    []*offer
	rows   []*offer     // those that match
	line   screen.Input // the filter
	typing bool         // letters go to it
	moved  bool         // the user has moved the cursor
}

// offer is a candidate with its texts.
type offer struct {
	Candidate
	name string // safe
	text string // what the filter searches, in lower case
}

func newChooser(engines []Engine, th *screen.Theme, do doer) *chooser {
	c := &chooser{Box: tview.NewBox(), th: th, do: do, now: time.Now, asked: asked{engines: engines}}
	for _, e := range engines {
		c.silent = append(c.silent, e.Name)
	}
	if len(engines) == 0 {
		c.notes = append(c.notes, "no container engine was found: neither docker nor podman")
	}
	c.add([]Candidate{{Demo: true}})
	return c
}

// ask asks every engine that has not answered yet for its images.
func (c *chooser) ask() {
	for _, e := range c.engines {
		if !slices.Contains(c.silent, e.Name) {
			continue
		}
		c.do.work(func(ctx context.Context) func() {
			found, err := e.List(ctx)
			return func() { c.answer(e.Name, found, err) }
		})
	}
}

// answer adds an engine's images, or its error.
func (c *chooser) answer(engine string, found []Candidate, err error) {
	if i := slices.Index(c.silent, engine); i >= 0 {
		c.silent = slices.Delete(c.silent, i, i+1)
	}
	switch {
	case err != nil && strings.Contains(err.Error(), " "+engine+" "): // the error names the engine
		c.notes = append(c.notes, err.Error())
	case err != nil:
		c.notes = append(c.notes, engine+": "+err.Error())
	case len(found) == 0:
		c.notes = append(c.notes, engine+hasNone)
	}
	c.add(found)
}

// hasNone ends the note about an engine without images.
const hasNone = " has no images"

// add puts candidates into the list: the newest first, the demo last. The cursor stays
// where the user has put it.
func (c *chooser) add(found []Candidate) {
	for _, f := range found {
		o := &offer{Candidate: f, name: safe(f.Name)}
		switch {
		case f.Demo:
			o.name = "demo"
		case f.Name == "":
			o.name = safe(shortID(f.ID))
		}
		o.text = strings.ToLower(o.name + " " + safe(f.Engine) + " " + safe(f.ID))
		c.all = append(c.all, o)
	}
	slices.SortStableFunc(c.all, func(a, b *offer) int {
		switch {
		case a.Demo != b.Demo && a.Demo:
			return 1
		case a.Demo != b.Demo:
			return -1
		}
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.name, b.name), cmp.Compare(a.Engine, b.Engine))
	})
	at, ok := c.current()
	c.filter()
	if ok && c.moved {
		c.At = max(slices.Index(c.rows, at), 0)
	}
}

// shortID returns the first 12 digits of an ID.
func shortID(id string) string {
	if _, hex, ok := strings.Cut(id, ":"); ok {
		id = hex
	}
	return id[:min(len(id), 12)]
}

// filter lists the images that have every word of the text in their name, engine
// or ID.
func (c *chooser) filter() {
	words := strings.Fields(strings.ToLower(c.line.Text))
	c.rows = c.rows[:0:0]
	for _, o := range c.all {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(o.text, w) }) {
			c.rows = append(c.rows, o)
		}
	}
	c.At, c.Top = 0, 0
	c.Fit(len(c.rows), c.H)
}

// current returns the offer under the cursor.
func (c *chooser) current() (*offer, bool) {
	if c.At >= len(c.rows) {
		return nil, false
	}
	return c.rows[c.At], true
}

// edit changes the filter's text.
func (c *chooser) edit(change func(*screen.Input)) {
	was := c.line.Text
	change(&c.line)
	if c.line.Text != was {
		c.typing, c.moved = true, false
		c.filter()
	}
}

// clear removes the filter.
func (c *chooser) clear() {
	c.typing, c.moved, c.line = false, false, screen.Input{}
	c.filter()
}

// choose closes the screen and returns the image under the cursor.
func (c *chooser) choose() {
	o, ok := c.current()
	switch {
	case c.keys != nil:
		c.keys = nil
		return
	case !ok:
		c.note = "no image matches"
		return
	}
	c.chosen = &o.Candidate
	c.do.quit()
}

// escape closes the help, or clears the filter. It never quits, since esc comes back here
// from an image.
func (c *chooser) escape() {
	switch {
	case c.keys != nil:
		c.keys = nil
	case c.typing:
		c.clear()
	default:
		c.note = "q quits"
	}
}

// step moves the cursor, or the help.
func (c *chooser) step(n int) {
	if c.keys != nil {
		c.keys.Scroll(n)
		return
	}
	at := c.At
	c.Move(n)
	c.moved = c.moved || c.At != at
}

// capture handles every key.
func (c *chooser) capture(ev *tcell.EventKey) *tcell.EventKey {
	c.key(ev)
	return nil
}

func (c *chooser) key(ev *tcell.EventKey) {
	name := screen.KeyName(ev)
	c.note, c.pressed = "", ev.When()
	letter := ev.Key() == tcell.KeyRune && ev.Modifiers()&tcell.ModAlt == 0
	for _, k := range chooserKeys() {
		// Once the filter has text, letters go to it.
		if k.has(name) && (!letter || !c.typing) {
			k.do(c)
			return
		}
	}
	if name == "backspace" && c.line.Text == "" {
		c.typing = false
	}
	if c.keys == nil && (letter || c.typing) {
		c.edit(func(l *screen.Input) { l.Key(ev) })
	}
}

// chooserKey is a row of the chooser's key table, which docs/keys.md lists below that of
// the panes.
type chooserKey struct {
	binding
	do func(*chooser)
}

// chooserKeys is the key table of the chooser. Other characters go to the filter.
func chooserKeys() []chooserKey {
	key := func(keys, hint, help string, do func(*chooser)) chooserKey {
		return chooserKey{binding{keys: keys, group: "Choosing an image", hint: hint, help: help}, do}
	}
	return []chooserKey{
		key("enter", "open", "open the image", (*chooser).choose),
		key("up ctrl-p", "", "one row up", func(c *chooser) { c.step(-1) }),
		key("down ctrl-n", "", "one row down", func(c *chooser) { c.step(1) }),
		key("pgup", "", "a page up", func(c *chooser) { c.step(-max(c.H-1, 1)) }),
		key("pgdn", "", "a page down", func(c *chooser) { c.step(max(c.H-1, 1)) }),
		key("home", "", "to the first image", func(c *chooser) { c.step(-max(c.N, 1000)) }),
		key("end", "", "to the last one", func(c *chooser) { c.step(max(c.N, 1000)) }),
		key("/", "filter", "filter by name, engine or ID, edited like any text; any letter but q starts it, too", func(c *chooser) { c.typing = c.keys == nil }),
		key("?", "keys", "these keys", func(c *chooser) {
			if c.keys != nil {
				c.keys = nil
				return
			}
			c.keys = chooserHelp()
		}),
		key("esc", "", "clear the filter", (*chooser).escape),
		key("q", "quit", "quit, while no filter is typed", func(c *chooser) {
			switch {
			case c.keys != nil:
				c.keys, c.closed = nil, c.pressed
			case c.slipped():
				c.note = "q again quits"
			default:
				c.do.quit()
			}
		}),
		key("ctrl-c", "", "quit", func(c *chooser) { c.do.giveUp() }),
		key("ctrl-z", "", "suspend", func(c *chooser) { c.do.suspend() }),
	}
}

func chooserHelp() *text {
	return &text{in: inHelp, List: screen.List{NoCursor: true}, name: "Keys", write: func(p *screen.Page) {
		var keys []binding
		for _, k := range chooserKeys() {
			keys = append(keys, k.binding)
		}
		for _, g := range helpKeys(p.Theme, p.W, keys) {
			p.Lines = append(p.Lines, g...)
		}
	}}
}

// PasteHandler adds pasted text to the filter.
func (c *chooser) PasteHandler() func(string, func(tview.Primitive)) {
	return func(text string, _ func(tview.Primitive)) {
		c.edit(func(l *screen.Input) { l.Insert(text) })
	}
}

// MouseHandler takes mouse events from tview: a click selects, a double click
// opens, the wheel scrolls.
func (c *chooser) MouseHandler() func(tview.MouseAction, *tcell.EventMouse, func(tview.Primitive)) (bool, tview.Primitive) {
	return func(action tview.MouseAction, ev *tcell.EventMouse, _ func(tview.Primitive)) (bool, tview.Primitive) {
		x, y := ev.Position()
		inside := c.keys == nil && x >= c.body.X && x < c.body.X+c.body.W && y < c.body.Y+c.body.H && c.Click(y-c.body.Y)
		c.moved = c.moved || inside
		switch {
		case action == tview.MouseLeftDown:
			c.clicks.down(press{y: y})
		case action == tview.MouseLeftDoubleClick && inside && c.clicks.twice():
			c.choose()
		case action == tview.MouseScrollUp, action == tview.MouseScrollDown:
			n := 3
			if action == tview.MouseScrollUp {
				n = -3
			}
			c.clicks = clicks{}
			if c.keys != nil {
				c.keys.Scroll(n)
			} else {
				c.moved = true
				c.Scroll(n)
			}
		}
		return true, nil
	}
}

// count returns the number of images in words.
func (c *chooser) count() string {
	switch n := len(c.all) - 1; {
	case n == 0 && len(c.silent) > 0:
		return ""
	case n == 0:
		return "no images"
	default:
		return count(n, "image")
	}
}
