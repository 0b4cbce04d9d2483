package viewer

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/ui/screen"
)

// show returns what a content draws.
func show(t *testing.T, v *Content) string {
	t.Helper()
	th, err := screen.NewTheme("mono", false, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	s := tcell.NewSimulationScreen("")
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	defer s.Fini()
	const w, h = 80, 24
	s.SetSize(w, h)
	var g screen.Grid
	v.Draw(g.Begin(w, h, th), true)
	g.Show(s, 0, 0)
	var b strings.Builder
	for y := range h {
		var row strings.Builder
		for x := range w {
			str, _, _ := s.Get(x, y)
			row.WriteString(str)
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	where, _ := v.Status()
	return b.String() + where
}

// TestContentPacked views a large file while it is unpacked: first the unpacked part,
// and later its end, the number of its last line, and the matches of a search.
func TestContentPacked(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks 50 MB")
	}
	for _, c := range []imagetest.Compression{imagetest.None, imagetest.Gzip} {
		line := strings.Repeat("x", 99) + "\n"
		const lines = 500_000 // 50 MB: more than is unpacked between two frames
		img := imagetest.Must(t, "layer\n  file before 1000xb\n  file big text=\"@\"\n")
		text := []byte(strings.Repeat(line, lines-1) + "the end\n")
		copy(text[firstStep-3:], "The e") // the second half is unpacked later
		img.Layers[0][1].Data = text
		a, err := analyzer.Analyze(t.Context(), img.Image(c), analyzer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		updates := make(chan func())
		work := func(f func(context.Context) func()) {
			go func() {
				if done := f(context.Background()); done != nil {
					updates <- done
				}
			}()
		}
		until := func(ok func() bool) {
			t.Helper()
			late := time.After(time.Minute)
			for !ok() {
				select {
				case f := <-updates:
					f()
				case <-late:
					t.Fatal("it never came")
				}
			}
		}
		n, _ := a.Tree.Lookup("/big")
		st, _ := a.Tree.At(n, 0)
		v := Open(work, a, "/big", st)
		until(func() bool { return !v.busy })
		if c == imagetest.Gzip && v.rows.end >= v.size {
			t.Fatal("all of it is unpacked before anything is shown")
		}
		if text := show(t, v); !strings.Contains(text, "1 xxxxx") {
			t.Fatalf("it isn't shown at once:\n%s", text)
		}
		p := v.Prompt(&screen.Past{})
		p.Paste("THE")
		p.Done(p.Text, "esc")
		p = v.Prompt(&screen.Past{})
		p.Paste("the e")
		p.Done(p.Text, "enter")
		until(func() bool { return v.find.done && v.index.done == v.size })
		if text := show(t, v); !strings.Contains(text, "The e") || !strings.Contains(text, "1 of 2") {
			t.Errorf("what lies across two steps isn't found:\n%s", text)
		}
		v.Next(true)
		if text := show(t, v); !strings.Contains(text, " 500000 the end\n") || !strings.Contains(text, "2 of 2") {
			t.Errorf("the end isn't found:\n%s", text)
		}
		v.Close()
		if v.ctx.Err() == nil {
			t.Error("it isn't closed")
		}
	}
}

// TestFollow opens another version of a file at the line that the first one shows: once
// that line is read, and not if the user has moved on.
func TestFollow(t *testing.T) {
	img := imagetest.Must(t, "layer\n  file a text=\"@\"\n  file b text=\"@\"\n")
	number := func(i int) string { return strings.Repeat("x", 90) + strconv.Itoa(i) + "\n" }
	var a, b strings.Builder
	b.WriteString(strings.Repeat("another line\n", 30))
	for i := range 60_000 { // 5.7 MB: more than is read before the file is shown
		a.WriteString(number(i))
		b.WriteString(number(i))
	}
	img.Layers[0][0].Data, img.Layers[0][1].Data = []byte(a.String()), []byte(b.String())
	an, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var queue []func(context.Context) func()
	work := func(f func(context.Context) func()) { queue = append(queue, f) }
	once := func() {
		f := queue[0]
		queue = queue[1:]
		if done := f(t.Context()); done != nil {
			done()
		}
	}
	drain := func() {
		for len(queue) > 0 {
			once()
		}
	}
	open := func(path string) *Content {
		n, _ := an.Tree.Lookup(path)
		st, _ := an.Tree.At(n, 0)
		return Open(work, an, path, st)
	}
	old := open("/a")
	drain()
	show(t, old)
	for _, line := range []int64{3, 50_000} {
		old.top, _ = old.index.line(&old.rows, line)
		for _, moves := range []bool{false, true} {
			v := open("/b")
			v.Follow(old)
			once()
			far := line == 50_000
			if far && v.rows.end == v.size && v.index.done == v.size {
				t.Fatal("all lines are counted before anything is shown")
			}
			if moves {
				v.Move(1)
			}
			drain()
			want := line
			if moves {
				want++
				if far {
					want = 1
				}
			}
			if at, ok := v.index.before(&v.rows, v.top); at != want || !ok {
				t.Errorf("from line %d, moved %v: at line %d, want %d", line, moves, at, want)
			}
		}
	}
	old.look("x999\n", false)
	drain()
	old.Toggle()
	v := open("/b")
	v.Follow(old)
	drain()
	if v.top != old.top-old.top%v.per || !v.hex || v.find.text != old.find.text || len(v.find.hits) != 1 {
		t.Errorf("as hex at %d: hex %v at %d, %d matches of %q", old.top, v.hex, v.top, len(v.find.hits), v.find.text)
	}
}
