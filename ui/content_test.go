package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// apart is a world that runs work in the background, as a session does.
type apart struct {
	still
	updates chan func()
}

func (a *apart) work(f func(context.Context) func()) {
	go func() {
		if done := f(context.Background()); done != nil {
			a.updates <- done
		}
	}()
}
func (a *apart) last(f func(context.Context) func()) { a.work(f) }

// until runs the updates of background work until ok returns true.
func (a *apart) until(t *testing.T, ok func() bool) {
	t.Helper()
	late := time.After(time.Minute)
	for !ok() {
		select {
		case f := <-a.updates:
			f()
		case <-late:
			t.Fatal("it never came")
		}
	}
}

// apartStage returns a stage whose world is an apart, with the cursor on the first
// file that a search for name finds.
func apartStage(t *testing.T, a *analyzer.Analysis, name string) (*stage, *apart) {
	t.Helper()
	world := &apart{updates: make(chan func())}
	s := newStage(t, a, "mono", false, 80, 24)
	for _, k := range []string{"3", "/", "type:" + name, "enter"} {
		s.press(k) // the world is still the one that runs work at once
	}
	s.u.do = world
	return s, world
}

func analyse(t *testing.T, text string, c imagetest.Compression) *analyzer.Analysis {
	t.Helper()
	img := imagetest.Must(t, text).Image(c)
	img.Temp = t.TempDir()
	a, err := analyzer.Analyze(t.Context(), img, analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// BenchmarkView presses keys in a line of many megabytes, and in a file of 200,000
// lines, cut at the edge and wrapped, and in highlighted source code. The cost depends on the size of the screen only.
func BenchmarkView(b *testing.B) {
	for name, text := range map[string]string{
		"min.js":       strings.Repeat(`f("a",1);`, 50_000),
		"min.js lines": strings.Repeat("function f(a, b) { return 'text' + a + 42 } // comment\n", 9_000),
		"line":         strings.Repeat(`{"key":"é"},`, 500_000),
		"lines":        strings.Repeat("some words é\tand more of them, \\n so that they have to be wrapped at the edge of the screen, once or twice\n", 200_000),
	} {
		for _, wrap := range []string{"", "w"} {
			b.Run(name+wrap, func(b *testing.B) {
				img := imagetest.Must(b, "layer\n  file "+strings.Fields(name)[0]+" text=\"@\"\n")
				img.Layers[0][0].Data = []byte(text)
				a, err := analyzer.Analyze(b.Context(), img.Image(), analyzer.Options{})
				if err != nil {
					b.Fatal(err)
				}
				s := newStage(b, a, "dark", false, 120, 40)
				for _, k := range strings.Fields("3 enter G " + wrap) {
					s.press(k)
				}
				b.ResetTimer()
				for i := range b.N {
					s.press([]string{"pgup", "right", "pgup", "up"}[i%4])
				}
			})
		}
	}
}

// TestPager checks that the pager and the clipboard get the bytes of a file unchanged.
func TestPager(t *testing.T) {
	s := newStage(t, load(t, "content"), "mono", false, 80, 24)
	for _, k := range []string{"3", "/", "type:tool", "enter", "o", "v", "Y"} {
		s.press(k)
	}
	if s.world.copied != s.world.paged {
		t.Errorf("copied %q", s.world.copied)
	}
	if want := "\x7fELF"; !strings.HasPrefix(s.world.paged, want) || len(s.world.paged) != 55 {
		t.Errorf("the pager got %q", s.world.paged)
	}
	none := func(string) (string, error) { return "", errors.New("none") }
	less := func(name string) (string, error) {
		if name == "less" {
			return "", errors.New("none")
		}
		return "/bin/" + name, nil
	}
	for _, test := range []struct {
		pager string
		look  func(string) (string, error)
		want  string
	}{{"less -R", none, "less -R"}, {"", less, "/bin/more"}, {"", none, ""}} {
		got, err := pagerCommand(func(string) string { return test.pager }, test.look)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("PAGER=%q: got %q, %v", test.pager, got, err)
		}
	}
}

// turnstile is a blob whose reads, after the first megabyte, block until open is closed.
// The first of them closes started.
type turnstile struct {
	io.ReaderAt
	once          *sync.Once
	started, open chan struct{}
}

func (g turnstile) ReadAt(p []byte, off int64) (int, error) {
	if off > 1<<20 {
		g.once.Do(func() { close(g.started) })
		<-g.open
	}
	return g.ReaderAt.ReadAt(p, off)
}

// TestExtractCancel cancels an extraction: it stops, says so, and leaves no file.
func TestExtractCancel(t *testing.T) {
	t.Chdir(t.TempDir())
	a := analyse(t, "layer\n  file big 4000000xb\n", imagetest.None)
	blob := &a.Image.Layers[0].Blob
	g := turnstile{blob.At, new(sync.Once), make(chan struct{}), make(chan struct{})}
	blob.At = g
	s, world := apartStage(t, a, "big")
	s.press("x")
	s.press("enter")
	e, ok := s.u.top().(*extraction)
	if !ok {
		t.Fatalf("no extraction but %T", s.u.top())
	}
	world.until(t, func() bool { return e.runs })
	<-g.started
	s.u.Draw(s.screen)
	if text := s.text(); !strings.Contains(text, "Extracting") || !strings.Contains(text, "of 4.0 MB") {
		t.Errorf("it isn't shown:\n%s", text)
	}
	s.press("esc")
	if s.u.top() != e {
		t.Error("it is off the screen before it has ended")
	}
	close(g.open)
	world.until(t, func() bool { return e.ended })
	s.u.Draw(s.screen)
	if text := s.text(); !strings.Contains(text, "Cancelled") {
		t.Errorf("it doesn't say so:\n%s", text)
	}
	left, err := filepath.Glob(filepath.Join(".", "*"))
	hidden, _ := filepath.Glob(".fathom-*")
	if err != nil || len(left)+len(hidden) > 0 {
		t.Errorf("left behind: %v %v", left, hidden)
	}
	if _, err := os.Stat("big"); err == nil {
		t.Error("the file is there")
	}
}
