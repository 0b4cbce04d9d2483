package outline_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"fathom/analyzer/filetree"
	"fathom/ui/outline"
)

// TestAreas compares areas with the rows of the open folder, for random trees, orders
// and filters: the same rows and bytes, the largest first.
func TestAreas(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 9))
	for range 300 {
		tr := tree(t, randomLayers(rnd)...)
		o := outline.New(tr)
		for range 10 {
			act(rnd, tr, o)
			o.OpenAll(true)
			if o.Scope().View == nil {
				continue
			}
			below := map[filetree.Node][]outline.Row{} // by the folder that a row is in
			rows, _ := o.Rows(1000)
			for _, r := range rows {
				up := tr.Parent(r.Top)
				below[up] = append(below[up], r)
			}
			for d, rows := range below {
				a := o.Areas(d, func(func() func()) { t.Fatal("few rows are added up in the background") })
				weight := func(n filetree.Node) int64 {
					i := slices.IndexFunc(rows, func(r outline.Row) bool { return r.Top == n })
					if i < 0 {
						t.Fatalf("%s is an area, but not a row", tr.Path(n))
					}
					if got := o.Row(n); got.Name != rows[i].Name || got.Size != rows[i].Size || got.Files != rows[i].Files {
						t.Fatalf("got %+v, want %+v", got, rows[i])
					}
					return rows[i].Size + max(rows[i].Before-rows[i].Size, rows[i].Gone)
				}
				sum := int64(0)
				for i, n := range a.Tops {
					sum += weight(n)
					if i > 0 && weight(a.Tops[i-1]) < weight(n) {
						t.Fatalf("%s is larger than the area before it", tr.Path(n))
					}
				}
				if len(a.Tops) != len(rows) || sum != a.All || a.Busy {
					t.Fatalf("%s: %d areas of %d bytes, %d in all, for %d rows", tr.Path(d), len(a.Tops), sum, a.All, len(rows))
				}
			}
		}
	}
}
