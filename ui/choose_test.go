package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fathom/ui/screen"
	"github.com/gdamore/tcell/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/rivo/tview"
)

// noon is the current time in tests of the chooser.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// errSilent is the error of an engine that doesn't answer.
var errSilent = errors.New("silent")

// engineOf returns the engine that a line of a screen test describes: "NAME" and one
// of "has NAME ID SIZE AGE; ..." (- for no name, an age like 72h), "has N" for N
// generated images, "has nothing", "fails TEXT", "waits".
func engineOf(t testing.TB, text string) Engine {
	t.Helper()
	name, what, _ := strings.Cut(text, " ")
	what, rest, _ := strings.Cut(what, " ")
	var found []Candidate
	var err error
	n := 0
	switch {
	case what == "fails":
		err = errors.New(rest)
	case what == "waits":
		err = errSilent
	case what == "has" && rest == "nothing":
	case what == "has" && !strings.Contains(rest, " "):
		if _, err := fmt.Sscan(rest, &n); err != nil {
			t.Fatalf("engine %s: %v", text, err)
		}
		for i := range n {
			found = append(found, Candidate{
				Ref: fmt.Sprintf("%s:app-%d:latest", name, i), Name: fmt.Sprintf("app-%d:latest", i), ID: fmt.Sprintf("sha256:%064x", i), Engine: name,
				Size: int64(i+1) * 1_000_000, Created: noon.Add(-time.Duration(i) * time.Hour),
			})
		}
	default:
		for one := range strings.SplitSeq(rest, ";") {
			var label, id, old string
			var size int64
			if _, err := fmt.Sscan(one, &label, &id, &size, &old); err != nil {
				t.Fatalf("engine %s: %v", text, err)
			}
			c := Candidate{Ref: name + ":" + label, Name: label, ID: id, Engine: name, Size: size}
			if label == "-" {
				c.Ref, c.Name = name+":"+id, ""
			}
			if d, err := time.ParseDuration(old); err == nil {
				c.Created = noon.Add(-d)
			}
			found = append(found, c)
		}
	}
	return Engine{name, func(context.Context) ([]Candidate, error) { return found, err }}
}

// chooserStage returns a stage with the chooser, after all engines that answer have
// answered.
func chooserStage(t testing.TB, engines []Engine, colours string, ascii bool, w, h int) *stage {
	t.Helper()
	return stageOf(t, colours, ascii, w, h, func(set setup, do doer) root {
		c := newChooser(engines, set.th, do)
		c.now = func() time.Time { return noon }
		for _, e := range engines {
			if found, err := e.List(t.Context()); !errors.Is(err, errSilent) {
				c.answer(e.Name, found, err)
			}
		}
		return c
	})
}

func (s *stage) chooser() *chooser { return s.root.(*chooser) }

// TestChoose presses keys and checks which image they choose.
func TestChoose(t *testing.T) {
	docker := "docker has app:2 sha256:aaaaaaaaaaaaaaaa 100 1h;quay.io/app:1 sha256:bbbb 200 2h;- sha256:0123456789abcdef 300 3h"
	for _, tt := range []struct {
		keys string
		want string // Ref; "demo"; "" for nothing
	}{
		{"enter", "docker:app:2"},
		{"down enter", "podman:localhost/app:3"},
		{"end enter", "demo"},
		{"end up enter", "docker:sha256:0123456789abcdef"},
		{"type:demo enter", "demo"},
		{"type:0123456 enter", "docker:sha256:0123456789abcdef"},
		{"type:PODMAN enter", "podman:localhost/app:3"},
		{"type:app space docker down enter", "docker:quay.io/app:1"},
		{"/ type:quay enter", "docker:quay.io/app:1"},
		{"type:nothing enter", ""},
		{"type:nothing backspace backspace esc enter", "docker:app:2"},
		{"type:nothing ctrl-u enter", "docker:app:2"},
		{"q", ""},
		{"esc q", ""},
		{"esc esc enter", "docker:app:2"},
		{"? q q q", ""},
		{"? q q enter", "docker:app:2"},
		{"ctrl-c", ""},
		{"? esc enter", "docker:app:2"},
		{"? q ? enter enter", "docker:app:2"},
		{"/ esc q", ""},
		{"pgdn enter", "demo"},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			s := chooserStage(t, []Engine{engineOf(t, docker), engineOf(t, "podman has localhost/app:3 sha256:cccc 100 90m")}, "", false, 80, 24)
			for _, k := range strings.Fields(tt.keys) {
				if k == "docker" {
					k = "type:docker"
				}
				s.press(k)
			}
			got := ""
			if c := s.chooser().chosen; c != nil {
				if got = c.Ref; c.Demo {
					got = "demo"
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q\n%s", got, tt.want, s.text())
			}
			if quits := tt.want != "" || !strings.Contains(tt.keys, "nothing"); quits != (s.world.ended == 1) {
				t.Errorf("it ended %d times", s.world.ended)
			}
		})
	}
}

// TestChooseLate checks the cursor when engines answer late: it is on the newest
// image, unless the user has moved it.
func TestChooseLate(t *testing.T) {
	late := engineOf(t, "podman has new:1 sha256:dddd 100 1m;old:1 sha256:eeee 100 900h")
	for keys, want := range map[string]string{"": "podman:new:1", "up": "podman:new:1", "down": "docker:app:1", "down up": "docker:app:2", "end": ""} {
		s := chooserStage(t, []Engine{engineOf(t, "docker has app:2 sha256:aa 1 1h;app:1 sha256:bb 1 2h"), engineOf(t, "podman waits")}, "", false, 80, 24)
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		found, err := late.List(t.Context())
		s.chooser().answer("podman", found, err)
		s.press("enter")
		if got := s.chooser().chosen.Ref; got != want {
			t.Errorf("after %q: got %q, want %q", keys, got, want)
		}
	}
}

// TestChooseErrors checks that an error names the engine once.
func TestChooseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"reaching docker at /x: no socket": " reaching docker at /x: no socket",
		"/var/run/docker.sock: not there":  " docker: /var/run/docker.sock: not there",
	} {
		s := chooserStage(t, []Engine{engineOf(t, "docker fails "+text)}, "", false, 80, 24)
		if _, y := s.at(t, text); strings.Split(s.text(), "\n")[y] != want {
			t.Errorf("got\n%s\nwant %q", s.text(), want)
		}
	}
}

// TestChooseMouse selects an image with a click and opens it with a second one.
func TestChooseMouse(t *testing.T) {
	s := chooserStage(t, []Engine{engineOf(t, "docker has 100")}, "", false, 80, 24)
	c := s.chooser()
	mouse := func(action tview.MouseAction, x, y int) {
		c.MouseHandler()(action, tcell.NewEventMouse(x, y, 0, 0), nil)
		c.Draw(s.screen)
	}
	mouse(tview.MouseScrollDown, 5, 5)
	x, y := s.at(t, "app-7:latest")
	mouse(tview.MouseLeftDown, x, y)
	if o, _ := c.current(); o.Name != "app-7:latest" || c.chosen != nil {
		t.Errorf("the cursor is on %q, chosen is %v", o.Name, c.chosen)
	}
	mouse(tview.MouseLeftDoubleClick, 0, 0) // outside the list
	mouse(tview.MouseLeftDown, x, y+1)
	mouse(tview.MouseLeftDoubleClick, x, y+1) // the first click was on another row
	mouse(tview.MouseLeftDown, x, y)
	if c.chosen != nil {
		t.Errorf("%v is chosen", c.chosen)
	}
	mouse(tview.MouseLeftDown, x, y)
	mouse(tview.MouseLeftDoubleClick, x, y)
	if c.chosen == nil || c.chosen.Ref != "docker:app-7:latest" {
		t.Errorf("%v is chosen", c.chosen)
	}
}

// TestChooseRandom presses random keys, at all screen sizes, with hostile names.
func TestChooseRandom(t *testing.T) {
	names := []string{"\x1b[2J", "[red]tag[-]", "日本語:最新", "e\u0301", "\u202eevil", strings.Repeat("long/", 200), "", "a b\nc", "\xff\xfe", "İ"}
	for seed := range games(6) {
		data := randomBytes(seed, 600)
		var found []Candidate
		for i := range int(data[0]) {
			found = append(found, Candidate{
				Name: names[i%len(names)], ID: names[(i+3)%len(names)], Ref: names[(i+5)%len(names)], Engine: names[i%2],
				Size: int64(i-3) << (i % 60), Created: time.Unix(int64(i)<<(i%50), 0),
			})
		}
		engines := []Engine{{"docker", func(context.Context) ([]Candidate, error) { return found, errors.New("and\x1b[2J then\nit broke") }}}
		s := chooserStage(t, engines, screen.Themes()[seed%3], seed%2 == 0, 80, 24)
		c := s.chooser()
		var keys []string
		for _, k := range chooserKeys() {
			keys = append(keys, strings.Fields(k.keys)...)
		}
		keys = append(keys, "type:a", "type:日", "type:\u202e", "type:[", "type:lo", "space", "esc", "esc")
		for i := 1; i+2 < len(data); i++ {
			w, h := s.screen.Size()
			switch op, x, y := data[i], int(data[i+1]), int(data[i+2]); {
			case op < 30:
				s.resize(1+x*x*299/255/255, 1+y*y*99/255/255)
			case op < 60:
				c.MouseHandler()(tview.MouseAction(op%12), tcell.NewEventMouse(x%w, y%h, 0, 0), nil)
			default:
				s.press(keys[int(op)%len(keys)])
			}
			c.Draw(s.screen)
			if c.N != len(c.rows) || len(c.rows) > 0 && (c.At < 0 || c.At >= len(c.rows)) {
				t.Fatalf("the cursor is lost: %+v of %d", c.List, len(c.rows))
			}
			if text := s.text(); strings.ContainsAny(text, "\x1b\u202e\x07") {
				t.Fatalf("an escape is on the screen:\n%q", text)
			}
		}
	}
	s := chooserStage(t, nil, "", false, 1, 1)
	s.press("down")
}

func TestAge(t *testing.T) {
	const day = 24 * time.Hour
	got := map[time.Duration]string{}
	want := map[time.Duration]string{
		-3 * day: "2026-11-24", -time.Hour: "just now", 0: "just now", time.Minute: "1 minute ago", 119 * time.Minute: "1 hour ago",
		47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago", 13 * day: "13 days ago", 14 * day: "2 weeks ago", 59 * day: "8 weeks ago",
		60 * day: "2 months ago", 729 * day: "24 months ago", 730 * day: "2 years ago",
	}
	for d := range want {
		got[d] = age(noon.Add(-d), noon)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := age(time.Time{}, noon); got != "" {
		t.Errorf("got %q", got)
	}
}

// BenchmarkChoose types a filter over ten thousand images.
func BenchmarkChoose(b *testing.B) {
	s := chooserStage(b, []Engine{engineOf(b, "docker has 10000")}, "", false, 120, 40)
	for b.Loop() {
		s.press("type:app-99")
		s.press("ctrl-u")
		s.press("end")
	}
}
