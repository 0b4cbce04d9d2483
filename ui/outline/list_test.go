package outline

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/filetree"
)

// TestSortPlain compares the sort for large folders with a stable sort, the largest
// first.
func TestSortPlain(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, high := range []int64{1, 2, 3, 1 << 11, 1<<11 + 1, 1 << 22, 1 << 33, 1<<40 - 1} {
		for _, n := range []int{2, 1 << 10, 5000} {
			kids := make([]filetree.Node, n)
			ws := make([]weighed, n)
			for i := range kids {
				kids[i] = filetree.Node(10 * i)
				ws[i] = weighed{a: rnd.Int64N(high), n: kids[i]}
			}
			want := slices.Clone(ws)
			slices.SortStableFunc(want, func(x, y weighed) int { return int(max(min(y.a-x.a, 1), -1)) })
			sortPlain(kids, ws)
			for i := range want {
				if kids[i] != want[i].n {
					t.Fatalf("%d below %d: at %d: %s", n, high, i, cmp.Diff(want[i].n, kids[i]))
				}
			}
		}
	}
}
