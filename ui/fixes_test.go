package ui

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/advice"
	"fathom/analyzer/packages"
)

// fixStage returns a stage whose UI looks for packages and findings.
func fixStage(t testing.TB) *stage {
	t.Helper()
	return stageOf(t, "mono", false, 120, 40, func(set setup, do doer) root {
		set.find, set.packages = advice.Find, packages.Find
		return newUI(load(t, "shop"), set, do)
	})
}

// TestFixTasks marks a finding and a layer and copies the tasks.
func TestFixTasks(t *testing.T) {
	s := fixStage(t)
	for _, k := range []string{"!", "c", "1", "j", "j", "c", "W", "y"} {
		s.press(k)
	}
	const want = "shop: 12 MB → 7.7 MB stored, 63\\.7% → 99\\.8% efficient, gate: fail → pass"
	lines := strings.Split(strings.ReplaceAll(s.world.copied, "\\.", "."), "\n")
	if diff := cmp.Diff(strings.ReplaceAll(want, "\\.", "."), lines[0]); diff != "" {
		t.Errorf("first line (-want +got):\n%s", diff)
	}
	text := s.world.copied
	for _, part := range []string{"- [ ] apt's cache takes 2.5 MB in layer 1, saves 2.5 MB\n", "- [ ] layer 2: let the step waste nothing ` COPY . /srv/app `, saves 1.9 MB\n", "  ```\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
	s.press("X")
	if len(s.u.fixes.marks) > 0 || s.u.fixes.out != nil || strings.Contains(s.text(), "gate:") {
		t.Errorf("there are marks:\n%s", s.text())
	}
}

// TestFixHints checks that the bottom line of the marks has only keys that do something.
func TestFixHints(t *testing.T) {
	s := fixStage(t)
	bottom := func(keys, want string) {
		t.Helper()
		for _, k := range strings.Fields(keys) {
			s.press(k)
		}
		lines := strings.Split(strings.TrimRight(s.text(), "\n"), "\n")
		if got := strings.TrimSpace(lines[len(lines)-1]); got != want {
			t.Errorf("after %s: got %q, want %q", keys, got, want)
		}
	}
	bottom("W", "? keys  esc close")
	bottom("esc 1 c W", "c unmark  enter go there  y copy as tasks  X clear  ? keys  esc close")
	bottom("end", "y copy as tasks  X clear  ? keys  esc close")
}

// TestFixNewest marks rows while an outcome is computed: the newest marks win.
func TestFixNewest(t *testing.T) {
	s := fixStage(t)
	s.world.holds = true
	for _, k := range []string{"1", "c", "j", "c", "k", "c"} { // the second layer is left
		s.press(k)
	}
	if n := len(s.world.held); n != 1 {
		t.Errorf("%d computations run at a time", n)
	}
	s.release()
	x := &s.u.fixes
	if len(x.marks) != 1 || x.marks[0].layer != 1 || x.busy || len(x.out.saves) != 1 {
		t.Errorf("got %+v, %+v", x.marks, x.out.saves)
	}
	if got := x.out.Report.Totals.WastedBytes; got != x.out.old.Totals.WastedBytes-x.out.saves[x.marks[0].fixKey].Alone {
		t.Errorf("%d bytes are wasted", got)
	}
}
