package ui

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gdamore/tcell/v2"
	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/packages"
	"fathom/ui/screen"
)

var update = flag.Bool("update", false, "write what the screens show now; read them before they are committed")

const screens = "../testdata/screens"

// still is a world that runs work at once and records the other calls.
type still struct {
	copied    string
	paged     string
	suspended int
	ended     int
	holds     bool // work waits for release
	held      []func(context.Context) func()
}

func (s *still) work(f func(context.Context) func()) {
	if s.holds {
		s.held = append(s.held, f)
		return
	}
	if done := f(context.Background()); done != nil {
		done()
	}
}
func (s *still) last(f func(context.Context) func()) { s.work(f) }

func (s *still) pager(open func(context.Context) (io.ReadCloser, error)) error {
	r, err := open(context.Background())
	if err != nil {
		return err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	s.paged = string(b)
	return err
}
func (s *still) copy(text string) string { s.copied = text; return "copied" }
func (s *still) suspend()                { s.suspended++ }
func (s *still) quit()                   { s.ended++ }
func (s *still) leave()                  { s.ended++ }
func (s *still) giveUp()                 { s.ended++ }

// load analyses an image of testdata/screens or testdata/images. For "NAME packed",
// the compressed size of a layer is two fifths of its stored bytes. For "NAME
// unverified", every other layer is listed from a table of contents.
func load(t testing.TB, name string) *analyzer.Analysis {
	t.Helper()
	name, packed := strings.CutSuffix(name, " packed")
	name, listed := strings.CutSuffix(name, " unverified")
	data, err := os.ReadFile(filepath.Join(screens, name+".image"))
	var img *imagetest.Image
	if err == nil {
		if img, err = imagetest.Parse(data); err != nil {
			t.Fatalf("%s.image: %v", name, err)
		}
		img.Name = name
	} else {
		img = imagetest.Load(t, name)
	}
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.Report.Layers {
		if l := &a.Report.Layers[i]; packed {
			l.CompressedBytes = l.StoredBytes * 2 / 5
			a.Report.Totals.CompressedBytes += l.CompressedBytes
		}
		a.Report.Layers[i].Unverified = listed && i%2 == 1
	}
	return a
}

// root handles keys and draws: it is the panes or the chooser.
type root interface {
	key(*tcell.EventKey)
	Draw(tcell.Screen)
	SetRect(x, y, w, h int)
}

// stage is a UI on a simulated screen.
type stage struct {
	root   root
	u      *ui // the same as root; nil for the chooser
	world  *still
	screen tcell.SimulationScreen
}

func newStage(t testing.TB, a *analyzer.Analysis, name string, ascii bool, w, h int) *stage {
	t.Helper()
	if a == nil {
		a = &analyzer.Analysis{Report: &facts.Report{}, Tree: &filetree.Tree{}}
	}
	return stageOf(t, name, ascii, w, h, func(set setup, do doer) root { return newUI(a, set, do) })
}

// stageOf returns a stage for the UI that open makes.
func stageOf(t testing.TB, name string, ascii bool, w, h int, open func(setup, doer) root) *stage {
	t.Helper()
	th, err := screen.NewTheme(name, ascii, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{world: &still{}, screen: tcell.NewSimulationScreen("")}
	if err := s.screen.Init(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.screen.Fini)
	s.root = open(setup{th: th, keys: bindings()}, s.world)
	s.u, _ = s.root.(*ui)
	s.resize(w, h)
	s.root.Draw(s.screen)
	return s
}

// showLoading draws the loading screen over the UI, once a second for five seconds.
// The tasks progress evenly in that time.
func showLoading(t *testing.T, s *stage, name string, tasks, notes []string) {
	t.Helper()
	var p analyzer.Progress
	for _, n := range notes {
		p.Note(n)
	}
	l := newLoading(name, &p, s.u.th, nil)
	var reads []int64
	for _, what := range tasks {
		var task string
		var read, total int64
		if _, err := fmt.Sscanf(what, "%q %d %d", &task, &read, &total); err != nil {
			t.Fatalf("task %s: %v", what, err)
		}
		p.Start(task, total)
		reads = append(reads, read)
	}
	w, h := s.screen.Size()
	l.SetRect(0, 0, w, h)
	const seconds = 5
	for now := range seconds + 1 {
		for i, task := range p.Tasks() {
			task.Read.Store(reads[i] / seconds * int64(now))
			if now == seconds {
				task.Read.Store(reads[i])
				if task.Total > 0 && reads[i] == task.Total {
					task.Finish()
				}
			}
		}
		l.elapsed = func() time.Duration { return time.Duration(now) * time.Second }
		l.Draw(s.screen)
	}
}

func (s *stage) resize(w, h int) {
	s.screen.SetSize(w, h)
	s.root.SetRect(0, 0, w, h)
}

// press presses a key by its name; "type:TEXT" types.
func (s *stage) press(name string) {
	if text, ok := strings.CutPrefix(name, "type:"); ok {
		for _, r := range text {
			s.root.key(tcell.NewEventKey(tcell.KeyRune, r, 0))
			s.root.Draw(s.screen)
		}
		return
	}
	s.root.key(event(name))
	s.root.Draw(s.screen)
}

// event returns the event for a key's name.
func event(name string) *tcell.EventKey {
	for k := tcell.Key(0); k < tcell.KeyF1; k++ {
		if ev := tcell.NewEventKey(k, 0, 0); k != tcell.KeyRune && screen.KeyName(ev) == name {
			return ev
		}
	}
	switch rest, alt := strings.CutPrefix(name, "alt-"); {
	case name == "space":
		name = " "
	case name == "alt-backspace":
		return tcell.NewEventKey(tcell.KeyRune, 0x7f, tcell.ModAlt)
	case alt:
		ev := event(rest)
		return tcell.NewEventKey(ev.Key(), ev.Rune(), tcell.ModAlt)
	case name == "ctrl-left":
		return tcell.NewEventKey(tcell.KeyLeft, 0, tcell.ModCtrl)
	case name == "ctrl-right":
		return tcell.NewEventKey(tcell.KeyRight, 0, tcell.ModCtrl)
	}
	if r, ok := strings.CutPrefix(name, "alt-"); ok {
		return tcell.NewEventKey(tcell.KeyRune, []rune(r)[0], tcell.ModAlt)
	}
	return tcell.NewEventKey(tcell.KeyRune, []rune(name)[0], 0)
}

// text returns the screen as text, without blanks at the ends of lines.
func (s *stage) text() string {
	w, h := s.screen.Size()
	var b strings.Builder
	for y := range h {
		var row strings.Builder
		for x := 0; x < w; {
			str, _, cw := s.screen.Get(x, y)
			row.WriteString(str)
			x += max(cw, 1)
		}
		b.WriteString(strings.TrimRight(row.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// TestScreens runs every case of testdata/screens. A case has a head, a line "--", and
// the expected screen. The head has "image NAME", "size WxH", optionally "theme NAME",
// "ascii" and "saved" (the image's report only), and any number of "keys ...". With
// lines "task NAME READ TOTAL" and "note TEXT" the screen is the loading screen, five
// seconds after the start. With "findings NAME" the UI finds what readFindings returns;
// with "searching READ TOTAL" it is still looking for more, with "broken TEXT" that
// has failed. With "packages" it finds the image's packages, with
// "advice" its findings, too. With "dockerfile NAME" the UI knows the Dockerfile that
// readBuild returns.
// With "against NAME" the image is compared with that older one. With "opened" it is the
// screen that an image or a saved report opens with.
// With "choice" it is the chooser, with the engines of lines
// "engine NAME WHAT" (see engineOf). The UI runs in a folder that is empty except for
// the files of lines "file PATH".
func TestScreens(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(screens, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no screens in %s: %v", screens, err)
	}
	images := map[string]*analyzer.Analysis{}
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, want, ok := bytes.Cut(data, []byte("--\n"))
			if !ok && !*update {
				t.Fatal(`no line "--"`)
			}
			var (
				image, theme string
				ascii, saved bool
				plain        bool // the report lists no folders
				w, h         int
				keys         []string
				tasks, there []string
				notes        []string
				engines      []Engine
				choice       bool
				built        *analyzer.Analysis // an image whose Dockerfile is known
				find         prepared
				packaged     bool   // the UI looks for packages
				advised      bool   // the UI looks for findings
				older        string // the image to compare with
				opened       bool   // as the program opens it
			)
			for _, l := range strings.Split(string(head), "\n") {
				word, rest, _ := strings.Cut(l, " ")
				switch word {
				case "", "#":
				case "image":
					image = rest
				case "theme":
					theme = rest
				case "ascii":
					ascii = true
				case "saved":
					saved = true
				case "plain":
					plain = true
				case "size":
					if _, err := fmt.Sscanf(rest, "%dx%d", &w, &h); err != nil {
						t.Fatalf("size %q: %v", rest, err)
					}
				case "task":
					tasks = append(tasks, rest)
				case "choice":
					choice = true
				case "engine":
					engines = append(engines, engineOf(t, rest))
				case "note":
					notes = append(notes, rest)
				case "findings":
					find.all = readFindings(t, rest)
				case "against":
					older = rest
				case "opened":
					opened = true
				case "packages":
					packaged = true
				case "advice":
					advised = true
				case "dockerfile":
					built = load(t, rest)
					built.Report.Dockerfile, built.Report.Base = readBuild(t, rest, built)
				case "searching":
					find.searching = true
					if _, err := fmt.Sscanf(rest, "%d %d", &find.read, &find.total); err != nil {
						t.Fatalf("searching %q: %v", rest, err)
					}
				case "broken":
					find.err = errors.New(rest)
				case "file":
					there = append(there, rest)
				case "keys":
					keys = append(keys, strings.Fields(rest)...)
				default:
					t.Fatalf("unknown word %q", word)
				}
			}
			opening := len(tasks) > 0 || len(notes) > 0
			if images[image] == nil && !opening && !choice {
				images[image] = load(t, image)
			}
			if older != "" && images[older] == nil {
				images[older] = load(t, older)
			}
			t.Chdir(t.TempDir())
			for _, path := range there {
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			shown := images[image]
			if built != nil {
				shown = built
			}
			var s *stage
			if advised {
				s = stageOf(t, theme, ascii, w, h, func(set setup, do doer) root {
					set.find, set.packages = advice.Find, packages.Find
					return newUI(shown, set, do)
				})
			} else if packaged {
				s = packageStage(t, shown, packages.Find, theme, ascii, w, h)
			} else {
				s = find.stage(t, shown, theme, ascii, w, h)
			}
			if older != "" {
				s = pairStage(t, images[older], shown, theme, ascii, w, h)
			}
			if choice {
				s = chooserStage(t, engines, theme, ascii, w, h)
			}
			if saved {
				rep := *shown.Report
				if plain {
					rep.Folders = nil
				}
				find.into(&rep)
				rep.Packages, rep.Unowned = s.u.rep.Packages, s.u.rep.Unowned
				s = savedStage(t, &rep, theme, ascii, w, h)
			}
			if opening {
				showLoading(t, s, image, tasks, notes)
			}
			if opened {
				s.u.begin()
				s.root.Draw(s.screen)
			}
			for _, k := range keys {
				s.press(k)
			}
			got := s.text()
			if *update {
				head = append(bytes.TrimSuffix(head, []byte("--\n")), "--\n"+got...)
				if err := os.WriteFile(file, head, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("screen (-want +got):\n%s\n%s", diff, got)
			}
		})
	}
}

// TestKeysDoc checks that docs/keys.md matches the key table.
func TestKeysDoc(t *testing.T) {
	const file = "../docs/keys.md"
	if *update {
		if err := os.WriteFile(file, []byte(keysMarkdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), keysMarkdown()); diff != "" {
		t.Errorf("docs/keys.md is not what the table says (run with -update):\n%s", diff)
	}
}
