//go:build unix

package ui

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
	"fathom/analyzer/packages"
	"fathom/ui/outline"
	"fathom/ui/report"
)

// million returns an analysis of a million entries in 30 layers. Each layer stores a
// third of the files of every tenth folder again. With flat, all entries are in ten
// folders.
func million(tb testing.TB, flat bool) *analyzer.Analysis {
	tb.Helper()
	const layers, entries = 30, 1_000_000
	dirs, per := 2000, 0
	if flat {
		dirs = 10
	}
	per = entries / dirs / 2 // half in the first layer, half in the others
	b := filetree.NewBuilder()
	rep := &facts.Report{}
	for l := range layers {
		d := &layer.Diff{}
		for n := range dirs {
			dir := fmt.Sprintf("usr/lib/mod-%02d/dist/dir-%04d", n%40, n)
			step := 1
			if l > 0 {
				step = layers - 1
			}
			for f := l % step; f < per; f += step {
				size := int64((f*7919 + n*31 + l) % 5000)
				d.Add(layer.Entry{Path: fmt.Sprintf("%s/file-%06d.js", dir, f), Kind: layer.File, Mode: 0o644, Size: size, Held: size})
			}
		}
		if _, err := b.Apply(d); err != nil {
			tb.Fatal(err)
		}
		rep.Layers = append(rep.Layers, facts.Layer{Index: l, Command: "RUN step", StoredBytes: d.Stored})
		rep.Totals.StoredBytes += d.Stored
	}
	t, err := b.Build(tb.Context(), func(context.Context, []filetree.Group) error { return nil })
	if err != nil {
		tb.Fatal(err)
	}
	return &analyzer.Analysis{Report: rep, Tree: t, Image: &analyzer.Image{}}
}

var (
	wide = sync.OnceValue(func() *analyzer.Analysis { return million(bench{}, false) })
	flat = sync.OnceValue(func() *analyzer.Analysis { return million(bench{}, true) })
)

// bench is a testing.TB for values that several benchmarks share.
type bench struct{ testing.TB }

func (bench) Helper()                  {}
func (bench) Context() context.Context { return context.Background() }
func (bench) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }

// frames presses the keys in turn, draws a frame after each, and reports the slowest
// frame in addition to the mean. It leaves out what the UI does in the background: see
// BenchmarkCount for the rows of the tree.
func frames(b *testing.B, a *analyzer.Analysis, before []string, keys ...string) {
	b.Helper()
	s := newStage(b, a, "", false, 120, 40)
	for _, k := range before {
		s.press(k)
	}
	var slowest time.Duration
	s.world.holds = true
	i, used := 0, cpu()
	for b.Loop() {
		start := time.Now()
		s.press(keys[i%len(keys)])
		s.screen.Show()
		slowest = max(slowest, time.Since(start))
		i++
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms/frame")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/frame")
	b.ReportMetric(float64(slowest.Microseconds())/1000, "ms/slowest")
}

// cpu returns the processor time that the process has used. On a busy machine it is
// more accurate than wall clock time.
func cpu() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkKey moves through a fully open tree of a million entries.
func BenchmarkKey(b *testing.B) {
	b.Run("down", func(b *testing.B) { frames(b, wide(), []string{"3", "a", "+"}, "down") })
	b.Run("page", func(b *testing.B) {
		frames(b, wide(), []string{"3", "a", "+"}, "pgdn", "pgdn", "pgup", "end", "pgup", "home")
	})
	b.Run("fold", func(b *testing.B) { frames(b, wide(), []string{"3", "a", "+", "down"}, "space") })
	b.Run("foldall", func(b *testing.B) { frames(b, wide(), []string{"3", "a"}, "+", "-") })
	b.Run("mark", func(b *testing.B) { frames(b, wide(), []string{"3", "a", "+"}, "ctrl-r") })
	b.Run("attributes", func(b *testing.B) { frames(b, wide(), []string{"3", "a", "+"}, "ctrl-b") })
	b.Run("sort", func(b *testing.B) { frames(b, wide(), []string{"3", "a", "+"}, "s") })
	b.Run("whole", func(b *testing.B) { frames(b, wide(), []string{"3", "]", "+"}, "a") })
	b.Run("flat", func(b *testing.B) { frames(b, flat(), []string{"3", "a", "+"}, "pgdn") })
}

// BenchmarkLayerSwitch moves through the layers with all folders open and the cursor
// deep in the tree.
func BenchmarkLayerSwitch(b *testing.B) {
	up := make([]string, 0, 58)
	for range 29 {
		up = append(up, "]")
	}
	for range 29 {
		up = append(up, "[")
	}
	b.Run("layer", func(b *testing.B) { frames(b, wide(), []string{"3", "+", "end"}, up...) })
	b.Run("whole", func(b *testing.B) { frames(b, wide(), []string{"3", "a", "+", "end"}, up...) })
	b.Run("flat", func(b *testing.B) { frames(b, flat(), []string{"3", "a", "+", "end"}, up...) })
}

// BenchmarkMap moves on maps: of the root, of a folder of 2,000 folders below 40, and of a
// folder of 50,000 files, whose areas are added up once in the background.
func BenchmarkMap(b *testing.B) {
	b.Run("root", func(b *testing.B) {
		frames(b, wide(), []string{"3", "a", "t", "u", "u"}, "right", "down", "left", "up")
	})
	b.Run("open", func(b *testing.B) { frames(b, wide(), []string{"3", "a"}, "t", "t") })
	b.Run("in", func(b *testing.B) { frames(b, wide(), []string{"3", "a", "t"}, "enter", "right", "u", "down") })
	b.Run("layer", func(b *testing.B) { frames(b, wide(), []string{"3", "t"}, "]", "]", "[", "a") })
	b.Run("flat", func(b *testing.B) { frames(b, flat(), []string{"3", "a", "t", "enter"}, "right", "left", "enter", "u") })
}

// BenchmarkAreas adds up the areas of a folder of 200,000 files, which the UI does in the
// background, once for each view.
func BenchmarkAreas(b *testing.B) {
	d := &layer.Diff{}
	for i := range 200_000 {
		d.Add(layer.Entry{Path: fmt.Sprintf("d/%06d", i), Kind: layer.File, Mode: 0o644, Size: int64(i * 7919 % 5000)})
	}
	build := filetree.NewBuilder()
	if _, err := build.Apply(d); err != nil {
		b.Fatal(err)
	}
	t, err := build.Build(b.Context(), func(context.Context, []filetree.Group) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	dir, _ := t.Lookup("d")
	used := cpu()
	for b.Loop() {
		out := outline.New(t)
		out.Show(t.View(-1, 0), true)
		out.Areas(dir, func(do func() func()) { do()() })
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms")
}

// BenchmarkCount counts the rows of a fully open tree of a million entries, as the UI does
// in the background when it shows another view of it.
func BenchmarkCount(b *testing.B) {
	o := outline.New(wide().Tree)
	o.Show(wide().Tree.View(14, 15), true)
	o.OpenAll(true)
	used := cpu()
	for b.Loop() {
		o.Count()()
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms")
}

// BenchmarkSearch searches a million names, as the UI does in the background.
func BenchmarkSearch(b *testing.B) {
	s := newStage(b, wide(), "", false, 120, 40)
	s.press("/")
	for b.Loop() {
		s.press("type:9.js")
		s.press("ctrl-u")
	}
}

// BenchmarkFound types a search while only what matches is shown, in trees of a million
// names, and reports the processor time of a letter, and that of the UI's goroutine in it.
// The text finds almost everything, a tenth, or little.
func BenchmarkFound(b *testing.B) {
	for name, image := range map[string]func() *analyzer.Analysis{"wide": wide, "flat": flat} {
		for what, text := range map[string]string{"all": "e", "tenth": "9.js", "few": "99999"} {
			b.Run(name+"/"+what, func(b *testing.B) {
				s := newStage(b, image(), "", false, 120, 40)
				for _, k := range []string{"3", "a", "/", "ctrl-f"} {
					s.press(k)
				}
				var all, ui, slowest time.Duration
				letters := 0
				in := func(f func()) time.Duration {
					start := cpu()
					f()
					return cpu() - start
				}
				for b.Loop() {
					for _, r := range text {
						s.world.holds = true
						letters++
						used := in(func() { s.press(string(r)) })
						for len(s.world.held) > 0 {
							f := s.world.held[0]
							s.world.held = s.world.held[1:]
							var done func()
							all += in(func() { done = f(context.Background()) })
							used += in(func() {
								done()
								s.root.Draw(s.screen)
							})
						}
						ui, slowest, all = ui+used, max(slowest, used), all+used
					}
					s.world.holds = false
					s.press("ctrl-u")
				}
				ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
				b.ReportMetric(ms(all)/float64(letters), "cpu-ms/letter")
				b.ReportMetric(ms(ui)/float64(letters), "ui-ms/letter")
				b.ReportMetric(ms(slowest), "ui-ms/slowest")
			})
		}
	}
}

// BenchmarkWaste adds up the waste of a million entries, as the UI does once in the
// background.
func BenchmarkWaste(b *testing.B) {
	a := wide()
	used := cpu()
	for b.Loop() {
		sumWaste(a.Tree)
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms")
}

// wasting is wide with a report that lists the waste.
var wasting = sync.OnceValue(func() *analyzer.Analysis {
	a, rep := *wide(), *wide().Report
	for _, c := range analyzer.Wasted(a.Tree) {
		rep.Waste = append(rep.Waste, analyzer.WasteOf(a.Tree, a.Tree.Stored(c)))
	}
	a.Report = &rep
	return &a
})

// BenchmarkFix marks a row as fixed and draws: "key" is what the key itself takes, "all"
// has what is computed in the background, too.
func BenchmarkFix(b *testing.B) {
	for _, name := range []string{"key", "all"} {
		b.Run(name, func(b *testing.B) {
			s := newStage(b, wasting(), "", false, 120, 40)
			s.press("3")
			for b.Loop() {
				s.world.holds = name == "key"
				s.press("c")
				s.world.held, s.u.fixes.busy = nil, false
				s.press("j")
			}
		})
	}
}

// BenchmarkWasteKey moves in the waste of a million entries: over folders that every layer
// stores again, and through the versions of all files of the first one.
func BenchmarkWasteKey(b *testing.B) {
	b.Run("down", func(b *testing.B) { frames(b, wide(), []string{"w"}, "down", "down", "up") })
	b.Run("versions", func(b *testing.B) { frames(b, flat(), []string{"w", "right"}, "pgdn", "pgdn", "home") })
	b.Run("fold", func(b *testing.B) { frames(b, flat(), []string{"w"}, "space") })
}

// BenchmarkQuickFindings finds what to change in a million entries, without reading
// content.
func BenchmarkQuickFindings(b *testing.B) {
	a := wide()
	used := cpu()
	for b.Loop() {
		if _, _, err := advice.Find(b.Context(), a, advice.Options{Quick: true}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms")
}

// manyPackages returns an image of 100,000 packages of one file each, and 100,000 files
// of none.
var manyPackages = sync.OnceValue(func() *analyzer.Analysis {
	var b strings.Builder
	b.WriteString("layer RUN make\n")
	for i := range 100_000 {
		fmt.Fprintf(&b, "  file n/node_modules/name-%05d/package.json text=%q\n  file m/%d/%d 10xa\n", i*7919%100_000, fmt.Sprintf(`{"name": "name-%d", "version": "1.%d"}`, i, i%977), i%300, i)
	}
	img, err := imagetest.Parse([]byte(b.String()))
	if err != nil {
		panic(err)
	}
	a, err := analyzer.Analyze(context.Background(), img.Image(), analyzer.Options{})
	if err != nil {
		panic(err)
	}
	return a
})

// BenchmarkPackages presses keys in a list of 100,000 packages.
func BenchmarkPackages(b *testing.B) {
	for name, keys := range map[string][2]string{
		"down": {"", "down"}, "page": {"", "pgdn"}, "sort": {"", "s"}, "type": {"", "f"}, "open": {"", "p"},
		"search": {"/", "type:9 ctrl-u"}, "only": {"/ type:99 enter", "F"}, "next": {"/ type:99999 enter", "n"},
		"enter": {"down", "enter p"}, "unowned": {"right down", "enter p"}, "layers": {"right down enter", "a"},
	} {
		b.Run(name, func(b *testing.B) {
			s := packageStage(b, manyPackages(), packages.Find, "", false, 120, 40)
			for _, k := range strings.Fields("p " + keys[0]) {
				s.press(k)
			}
			all := strings.Fields(keys[1])
			var slowest time.Duration
			i, used := 0, cpu()
			for b.Loop() {
				start := time.Now()
				s.press(all[i%len(all)])
				slowest = max(slowest, time.Since(start))
				i++
			}
			b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms/frame")
			b.ReportMetric(float64(slowest.Microseconds())/1000, "ms/slowest")
		})
	}
}

// BenchmarkCompare makes the view between two layers of a million entries, as the UI does
// in the background, and presses keys in it.
func BenchmarkCompare(b *testing.B) {
	b.Run("view", func(b *testing.B) {
		a := wide()
		for b.Loop() {
			a.Tree.Compare(3, 20, false)
		}
	})
	before := append(append([]string{"3", "m"}, slices.Repeat([]string{"]"}, 20)...), "s", "s", "s", "s", "s", "s", "+")
	b.Run("down", func(b *testing.B) { frames(b, wide(), before, "down") })
	b.Run("sort", func(b *testing.B) { frames(b, wide(), before, "s") })
	b.Run("whole", func(b *testing.B) { frames(b, wide(), before, "a") })
}

// BenchmarkChoices uses menus, filters, and what else a person can choose, in a fully open
// tree of a million entries.
func BenchmarkChoices(b *testing.B) {
	for name, keys := range map[string][2]string{
		"columns": {"z C f t l p esc", "pgdn pgdn pgup"},
		"rank":    {"/ type:js enter", "n n n N down"},
		"sort":    {"", "S n S s alt-f alt-s"},
		"filter":  {"", "f r m m r esc"},
		"menus":   {"", ": esc C esc Y esc E esc S esc ? esc"},
		"zoom":    {"", "z z < > ( )"},
		"jumps":   {"/ type:9.js enter", "n backspace alt-right"},
		"details": {"2", "down up"},
	} {
		b.Run(name, func(b *testing.B) {
			frames(b, wide(), strings.Fields("3 a + "+keys[0]), strings.Fields(keys[1])...)
		})
	}
	b.Run("what-if", func(b *testing.B) { frames(b, wasting(), []string{"w", "c", "W"}, "down", "up", "esc", "W") })
	b.Run("flatrank", func(b *testing.B) { frames(b, flat(), strings.Fields("3 a + / type:js enter"), "n", "n", "N", "down") })
	b.Run("flatfilter", func(b *testing.B) { frames(b, flat(), strings.Fields("3 a +"), "f", "r", "m", "m", "r", "esc") })
}

// BenchmarkExport writes a list of a million files, as the UI does in the background, and
// reports how much memory it uses at most, without garbage.
func BenchmarkExport(b *testing.B) {
	for name, write := range map[string]func(*report.Table, io.Writer) error{"csv": (*report.Table).CSV, "json": (*report.Table).JSON} {
		b.Run(name, func(b *testing.B) {
			s := newStage(b, wide(), "", false, 120, 40)
			s.press("a")
			files, _, _ := paneOf[*files](&s.u.layout)
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			before, most, used := m.HeapAlloc, m.HeapAlloc, cpu()
			for b.Loop() {
				n := 0
				if err := write(files.table(), writerFunc(func(p []byte) (int, error) {
					if n++; n%2000 == 0 {
						runtime.GC()
						runtime.ReadMemStats(&m)
						most = max(most, m.HeapAlloc)
					}
					return len(p), nil
				})); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(b.N), "cpu-ms")
			b.ReportMetric(float64(most-before)/1e6, "MB")
		})
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// BenchmarkPalette opens the palette over a thousand layers and types.
func BenchmarkPalette(b *testing.B) {
	a := load(b, "shop")
	rep := *a.Report
	for i := len(rep.Layers); i < 1000; i++ {
		l := rep.Layers[i%5]
		l.Index = i
		rep.Layers = append(rep.Layers, l)
	}
	s := newStage(b, &analyzer.Analysis{Report: &rep, Tree: a.Tree, Image: a.Image}, "", false, 120, 40)
	keys, used := 0, cpu()
	for b.Loop() {
		for _, k := range []string{":", "type:l", "type:a", "type:9", "down", "esc"} {
			s.press(k)
			s.screen.Show()
			keys++
		}
	}
	b.ReportMetric(float64((cpu()-used).Microseconds())/1000/float64(keys), "cpu-ms/frame")
}
