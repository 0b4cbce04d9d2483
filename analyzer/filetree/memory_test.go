package filetree

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer/layer"
)

// shapes returns images that take much memory, each in a different way.
func shapes() map[string][]*layer.Diff {
	folders, deep, names, links, owners, symlinks := &layer.Diff{}, &layer.Diff{}, &layer.Diff{}, &layer.Diff{}, &layer.Diff{}, &layer.Diff{}
	for i := range 20_000 {
		folders.Add(layer.Entry{Path: fmt.Sprintf("%d/f", i), Size: 1, Held: 1})
		owners.Add(layer.Entry{Path: fmt.Sprint(i), Xattrs: fmt.Sprintf("user.a=%d\x00", i)})
		symlinks.Add(layer.Entry{Path: fmt.Sprint(i), Kind: layer.Symlink, Link: strings.Repeat("x", 100)})
	}
	for i := range 20 {
		deep.Add(layer.Entry{Path: fmt.Sprint(i) + strings.Repeat("/d", 4000) + "/f"})
		names.Add(layer.Entry{Path: fmt.Sprint(i) + strings.Repeat("n", 1_000_000)})
	}
	links.Add(layer.Entry{Path: "f", Size: 1, Held: 1})
	for i := range 20_000 {
		links.Add(layer.Entry{Path: fmt.Sprint(i), Kind: layer.Link, Link: "f"})
	}
	hashed := &layer.Diff{}
	for i := range 10_000 {
		hashed.Add(layer.Entry{Path: fmt.Sprintf("d/%d", i), Size: 1, Held: 1, Hashed: true, Hash: layer.Hash{byte(i)}})
	}
	whiteout := func(names ...string) *layer.Diff {
		d := &layer.Diff{}
		for _, name := range names {
			d.Add(layer.Entry{Path: name, Kind: layer.Whiteout})
		}
		return d
	}
	return map[string][]*layer.Diff{
		"folders":  {folders},
		"deep":     {deep},
		"names":    {names},
		"links":    {links},
		"owners":   {owners},
		"symlinks": {symlinks},
		"in turn":  slices.Repeat([]*layer.Diff{hashed, whiteout("d")}, 20),
		"deep in turn": slices.Repeat([]*layer.Diff{
			diffOf(layer.Entry{Path: strings.Repeat("d/", 4000) + "f"}), whiteout(strings.Repeat("d/", 4000) + "f"),
		}, 50),
	}
}

// TestMemoryIsCounted checks that the memory a tree uses is taken from Memory.
func TestMemoryIsCounted(t *testing.T) {
	for name, diffs := range shapes() {
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := heap()
		b := NewBuilder()
		b.Memory = layer.NewQuota(layer.Memory, 1<<40)
		for _, d := range diffs {
			if _, err := b.Apply(d); err != nil {
				t.Fatal(err)
			}
		}
		building := heap() - before
		tree, err := b.Build(t.Context(), func(context.Context, []Group) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		took := heap() - before
		used := b.Memory.Used()
		// A chunk of names may be nearly empty, and up to takeAt bytes not yet taken.
		if slack := int64(3 << 20); building > used+slack || took > used+slack || used > 4*max(building, took)+slack {
			t.Errorf("%s: building takes %d bytes, the tree %d; %d are counted", name, building, took, used)
		}
		runtime.KeepAlive(tree)
		runtime.KeepAlive(diffs)

		// With half of that, building must fail.
		b = NewBuilder()
		b.Memory = layer.NewQuota(layer.Memory, used/2)
		for _, d := range diffs {
			if _, err = b.Apply(d); err != nil {
				break
			}
		}
		if err == nil {
			_, err = b.Build(t.Context(), func(context.Context, []Group) error { return nil })
		}
		var over *layer.QuotaError
		if !errors.As(err, &over) {
			t.Errorf("%s: with half of the memory: got error %v", name, err)
		}
	}
}
