package screen

import (
	"fmt"
	"strings"
	"testing"
)

func TestScrollbar(t *testing.T) {
	th, err := NewTheme("mono", true, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		top, n int
		want   string // of a window of eight rows
	}{
		{0, 0, "        "},
		{0, 8, "        "},
		{0, 9, "####### "},
		{1, 9, " #######"},
		{0, 16, "####    "},
		{4, 16, "  ####  "},
		{8, 16, "    ####"},
		{0, 1_000_000, "#       "},
		{999_991, 1_000_000, "       #"},
	} {
		var g Grid
		c := g.Begin(1, 8, th)
		c.Scrollbar(Extent{Top: tt.top, H: 8, N: tt.n}, true)
		var b strings.Builder
		for _, cell := range g.cells {
			b.WriteString(cell.text)
		}
		if b.String() != tt.want {
			t.Errorf("row %d of %d: got %q, want %q", tt.top, tt.n, b.String(), tt.want)
		}
	}
}

func TestListExtent(t *testing.T) {
	for _, tt := range []struct {
		list List
		want string
	}{
		{List{}, ""},
		{List{N: 3, H: 5, At: 1}, "2/3"},
		{List{N: 30, H: 5, At: 11, Top: 10}, "12/30"},
		{List{N: 3, H: 5, NoCursor: true}, ""},
		{List{N: 30, H: 5, NoCursor: true, Top: 7}, "12/30"},
		{List{N: 3, H: 5, text: true}, ""},
		{List{N: 30, H: 5, text: true, At: 11, Top: 10}, "12/30"},
	} {
		if got := tt.list.Extent().Says; got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.list, got, tt.want)
		}
	}
}

func TestJump(t *testing.T) {
	for _, tt := range []struct {
		noCursor bool
		y        int
		want     string // the cursor's row and the first one of the window
	}{
		{false, -3, "0 0"}, {false, 0, "0 0"}, {false, 5, "50 46"}, {false, 10, "100 96"}, {false, 99, "100 96"},
		{true, 5, "48 48"}, {true, 10, "96 96"},
	} {
		l := List{N: 101, H: 5, NoCursor: tt.noCursor}
		l.Jump(tt.y, 11)
		if got := fmt.Sprint(l.At, l.Top); got != tt.want {
			t.Errorf("line %d: got %s, want %s", tt.y, got, tt.want)
		}
	}
	if got := Far(0, 1, 7); got != 0 {
		t.Errorf("a scrollbar of one line goes to row %d", got)
	}
}
