package screen

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTreemap checks maps of random sizes: tiles don't overlap and cover the frame, and
// their areas are as exact as cells allow.
func TestTreemap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		w, h := 5+rnd.IntN(200), 2+rnd.IntN(60)
		sizes := make([]int64, rnd.IntN(60))
		for i := range sizes {
			sizes[i] = int64(math.Exp(rnd.Float64() * 30 * float64(rnd.IntN(2)))) // of any magnitude, or 1
			if rnd.IntN(10) == 0 {
				sizes[i] = 0
			}
		}
		slices.Sort(sizes)
		slices.Reverse(sizes)
		rest := int64(0)
		if rnd.IntN(2) == 0 {
			rest = 1 + rnd.Int64N(1<<rnd.IntN(40))
		}
		tiles, shown := Treemap(w, h, sizes, rest)
		if shown > len(sizes) || len(tiles)-shown > 1 || shown == len(tiles) && (shown < len(sizes) || rest > 0) {
			t.Fatalf("%dx%d: %d of %d sizes shown in %d tiles, the rest is %d", w, h, shown, len(sizes), len(tiles), rest)
		}
		if len(tiles) == 0 {
			if len(sizes) > 0 || rest > 0 {
				t.Fatalf("%dx%d: no tiles for %v and %d", w, h, sizes, rest)
			}
			continue
		}
		taken := make([]int, (w-1)*(h-1))
		all := float64(rest)
		for _, s := range sizes {
			all += float64(s)
		}
		for i, tile := range tiles {
			if tile.W < leastWidth || tile.H < 1 || tile.X < 0 || tile.Y < 0 || tile.X+tile.W > w-1 || tile.Y+tile.H > h-1 {
				t.Fatalf("%dx%d: tile %d is %+v", w, h, i, tile)
			}
			for y := range tile.H {
				for x := range tile.W {
					taken[(tile.Y+y)*(w-1)+tile.X+x]++
				}
			}
			if i == shown || all == 0 {
				continue
			}
			exact := float64(sizes[i]) / all * float64(len(taken))
			// Each side may be off by a cell, and the last tile may have taken a column or a
			// line.
			last := float64(min(leastWidth*(h-1), w-1)+leastWidth) / float64(len(taken))
			if got := float64(tile.W * tile.H); math.Abs(got-exact) > float64(tile.W+tile.H+1)+exact*last {
				t.Fatalf("%dx%d: tile %d of %v and %d has %v cells, want %v", w, h, i, sizes, rest, got, exact)
			}
		}
		for i, n := range taken {
			if n != 1 {
				t.Fatalf("%dx%d: %d tiles at %d,%d: %+v", w, h, n, i%(w-1), i/(w-1), tiles)
			}
		}
	}
}

// TestTreemapExact checks a map whose areas are whole cells.
func TestTreemapExact(t *testing.T) {
	// The frame has 40 x 10 cells inside, which look like 40 x 20. The first area is a
	// half, then two quarters of that and the rest.
	tiles, shown := Treemap(41, 11, []int64{200, 100, 50}, 50)
	want := []Tile{{0, 0, 20, 10}, {20, 0, 20, 5}, {20, 5, 10, 5}, {30, 5, 10, 5}}
	if shown != 3 || !slices.Equal(tiles, want) {
		t.Errorf("got %+v, %d, want %+v", tiles, shown, want)
	}
	if tiles, shown = Treemap(41, 11, []int64{1e9, 1, 1, 1}, 0); shown != 1 || len(tiles) != 2 {
		t.Errorf("three small sizes: got %+v, %d, want them in one tile", tiles, shown)
	}
	if tiles, shown = Treemap(3, 2, []int64{1}, 0); tiles != nil || shown != 0 {
		t.Errorf("no room: got %+v", tiles)
	}
}

// TestFrames checks the lines where tiles meet.
func TestFrames(t *testing.T) {
	for _, c := range []struct {
		ascii bool
		want  string
	}{
		{false, "┌────┬────┐\n│    │    │\n│    ├──┬─┤\n│    │  │ │\n└────┴──┴─┘\n"},
		{true, "+----+----+\n|    |    |\n|    +--+-+\n|    |  | |\n+----+--+-+\n"},
	} {
		th, err := NewTheme("mono", c.ascii, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		var g Grid
		canvas := g.Begin(11, 5, th)
		canvas.Frames([]Tile{{0, 0, 5, 4}, {5, 0, 5, 2}, {5, 2, 3, 2}, {8, 2, 2, 2}}, 2, th.Text, th.Strong)
		got := ""
		for i, cell := range g.cells {
			got += cell.text
			if i%11 == 10 {
				got += "\n"
			}
			x, y := i%11, i/11
			on := x >= 5 && x <= 8 && y >= 2 && (x == 5 || x == 8 || y == 2 || y == 4)
			if is := cell.style == th.Strong; is != on {
				t.Errorf("%d,%d has the style of the selected frame: %v", x, y, is)
			}
		}
		if got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
}
