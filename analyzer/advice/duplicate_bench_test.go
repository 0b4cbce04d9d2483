package advice

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// BenchmarkDuplicates looks for duplicates among a million files of known hashes: in
// the first image every file is different, in the second each of ten folders of
// 50,000 files is stored twice.
func BenchmarkDuplicates(b *testing.B) {
	for name, top := range map[string]int{"none": 20, "half": 10} {
		d := &layer.Diff{}
		stored := int64(0)
		for i := range 1_000_000 {
			folder, file := i/50_000, i%50_000
			id := folder%top*50_000 + file
			e := layer.Entry{Path: fmt.Sprintf("srv/%02d/d%03d/file-%02d.js", folder, file/25, file%25), Size: int64(1000 + id%8001), Hashed: true}
			e.Held = e.Size
			binary.BigEndian.PutUint64(e.Hash[:], uint64(id))
			stored += e.Size
			d.Add(e)
		}
		t := filetree.NewBuilder()
		if _, err := t.Apply(d); err != nil {
			b.Fatal(err)
		}
		tree, err := t.Build(b.Context(), func(context.Context, []filetree.Group) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		r := &facts.Report{Layers: make([]facts.Layer, 1), Totals: facts.Totals{StoredBytes: stored}}
		a := &analyzer.Analysis{Image: &analyzer.Image{}, Tree: tree, Report: r}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				im := &image{ctx: b.Context(), a: a, tree: tree, report: r, claimed: make([]bool, tree.Contents())}
				all, err := im.duplicates()
				if err != nil || len(all) != 20-top {
					b.Fatalf("%d findings, %v", len(all), err)
				}
			}
		})
	}
}
