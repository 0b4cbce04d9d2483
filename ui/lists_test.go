package ui

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSortKeys sorts lists by their menus and by the keys with alt, and checks what the
// bottom line says and what is remembered.
func TestSortKeys(t *testing.T) {
	s := newStage(t, load(t, "shop"), "mono", false, 120, 40)
	for _, c := range []struct{ keys, state, kept string }{
		{"3 S n", "name ▲", "name"},
		{"S n", "name ▼", "-name"},
		{"S f", "files ▼", "files"},
		{"S down enter", "growth ▼", "growth"},
		{"S esc", "growth ▼", "growth"},
		{"S S", "growth ▼", "growth"},
		{"s", "growth ▲", "-growth"},
		{"s", "size ▼", "size"},
		{"alt-n", "name ▲", "name"},
		{"alt-n", "name ▼", "-name"},
		{"alt-h", "this list can't be sorted by hidden", "-name"},
		{"w alt-h", "hidden ▲", "hidden"},
		{"S h", "hidden ▼", "-hidden"},
		{"S s", "size ▼", "size"},
		{"! alt-v", "severity ▼", "severity"},
		{"p alt-t", "type ▲", "type"},
	} {
		for _, k := range strings.Fields(c.keys) {
			s.press(k)
		}
		if text := s.text(); !strings.Contains(text, c.state) {
			t.Errorf("after %s there is no %q in\n%s", c.keys, c.state, text)
		}
		if got := s.u.right().(sortable).choices().Sort; got != c.kept {
			t.Errorf("after %s: got %q, want %q", c.keys, got, c.kept)
		}
	}
	s.press("1")
	s.press("S")
	if len(s.u.over) > 0 {
		t.Error("the layers have a menu of orders")
	}
	for _, table := range [][]order{fileOrders(), ordersOf(wasteOrders[:]), ordersOf(findingOrders[:]), ordersOf(packageOrders[:]), ordersOf(packageChangeOrders[:])} {
		letters := map[string]bool{}
		for _, o := range table {
			if letters[o.key] || o.name == "" || len(o.key) != 1 {
				t.Errorf("%+v: two orders of a list have the letter, or it has no name", o)
			}
			letters[o.key] = true
		}
	}
}

// TestChoices checks that a UI starts with choices, and that they are the same again
// after the user has made them.
func TestChoices(t *testing.T) {
	chosen := Choices{
		Files: ListChoices{Sort: "-name", Columns: []string{"bar", "mode", "modified", "layer"}}, Waste: ListChoices{Sort: "path"}, Findings: ListChoices{Sort: "rule"}, Packages: ListChoices{Sort: "-layer"},
		Hide: []string{"removed", "unchanged"}, Whole: true, Left: 38, Top: 18,
	}
	a := load(t, "shop")
	open := func(c *Choices) *stage {
		return stageOf(t, "mono", false, 120, 40, func(set setup, do doer) root {
			set.choices = c
			return newUI(a, set, do)
		})
	}
	first, made := open(&chosen), &Choices{}
	second := open(made)
	for _, k := range strings.Fields("3 a S n S n C o t l esc f r u esc w S p ! S r p S l S l < (") {
		second.press(k)
	}
	if diff := cmp.Diff(&chosen, made); diff != "" {
		t.Errorf("what was chosen (-want +got):\n%s", diff)
	}
	for _, k := range strings.Fields("3 w ! p") {
		first.press(k)
		second.press(k)
		if diff := cmp.Diff(first.text(), second.text()); diff != "" {
			t.Errorf("after %s the screens differ:\n%s", k, diff)
		}
	}
	first.press("3")
	if text := first.text(); !strings.Contains(text, "up to layer 0") || !strings.Contains(text, "name ▼  only +~") {
		t.Errorf("the files are not as chosen:\n%s", text)
	}
	// A name that this version doesn't know is as if nothing were chosen.
	odd := open(&Choices{Files: ListChoices{Sort: "colour"}, Hide: []string{"old"}})
	odd.press("3")
	if text := odd.text(); !strings.Contains(text, "size ▼") {
		t.Errorf("the order is not the usual one:\n%s", text)
	}
}
