package filetree_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// wide returns layers of directories with 25 files each. Later layers store some
// of the files again: a million entries in 30 layers have about 780,000 distinct
// paths.
func wide(entries, layers int) []*layer.Diff {
	rnd := rand.New(rand.NewPCG(1, 2))
	out := make([]*layer.Diff, layers)
	per := entries / layers
	for i := range out {
		d := &layer.Diff{}
		// Three new directories, then one of a lower layer, and so on.
		for dir := 0; d.Len() < per; dir++ {
			owner := i
			if i > 0 && dir%4 == 3 {
				owner = rnd.IntN(i)
			}
			name := fmt.Sprintf("usr/lib/node_modules/pkg-%03d/dist/dir-%05d", owner*7%200, owner*100000+dir)
			d.Add(layer.Entry{Path: name, Kind: layer.Dir, Mode: 0o755})
			for f := range 25 {
				size := int64(rnd.IntN(5000))
				d.Add(layer.Entry{
					Path: fmt.Sprintf("%s/file-%02d.js", name, f), Kind: layer.File, Mode: 0o644,
					Size: size, Held: size, ModTime: int64(i),
				})
			}
		}
		out[i] = d
	}
	return out
}

func build(tb testing.TB, diffs []*layer.Diff) *filetree.Tree {
	b := filetree.NewBuilder()
	for _, d := range diffs {
		if _, err := b.Apply(d); err != nil {
			tb.Fatal(err)
		}
	}
	t, err := b.Build(tb.Context(), func(context.Context, []filetree.Group) error { return nil })
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		diffs := wide(n, 30)
		count := 0
		for _, d := range diffs {
			count += d.Len()
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var t *filetree.Tree
			for b.Loop() {
				t = build(b, diffs)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(count), "ns/entry")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(count), "heap-B/entry")
			b.ReportMetric(float64(t.Len()), "paths")
			runtime.KeepAlive(t)
		})
	}
}

// BenchmarkWhiteouts compares a layer of 5000 whiteouts, which remove about a
// thousand directories from a tree of a million entries, with a layer of 5000
// files.
func BenchmarkWhiteouts(b *testing.B) {
	base := wide(1_000_000, 30)
	removing, adding := &layer.Diff{}, &layer.Diff{}
	for i := range 5000 {
		removing.Add(layer.Entry{Path: fmt.Sprintf("usr/lib/node_modules/pkg-%03d/dist/dir-%05d", 0, i), Kind: layer.Whiteout})
		adding.Add(layer.Entry{Path: fmt.Sprintf("srv/file-%d", i), Kind: layer.File, Mode: 0o644})
	}
	for _, bench := range []struct {
		name string
		top  *layer.Diff
	}{{"whiteouts", removing}, {"files", adding}} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				build(b, append(base[:30:30], bench.top))
			}
		})
	}
}

// BenchmarkView makes the queries of one frame of the terminal UI: sixty rows at
// one layer.
func BenchmarkView(b *testing.B) {
	t := build(b, wide(1_000_000, 30))
	b.Run("layer", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			v := t.View(i%30-1, i%30)
			for n := filetree.Node(0); n < 60; n++ {
				v.Change(n)
				v.Sum(n)
			}
		}
	})
	b.Run("range", func(b *testing.B) {
		for b.Loop() {
			t.Compare(3, 20, false)
		}
	})
}
