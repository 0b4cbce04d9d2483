package ui

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/compare"
	"fathom/analyzer/inspect"
	"fathom/analyzer/packages"
)

// pairStage returns a stage for a comparison of two images.
func pairStage(t testing.TB, old, new *analyzer.Analysis, theme string, ascii bool, w, h int) *stage {
	t.Helper()
	for _, a := range []*analyzer.Analysis{old, new} {
		r := &inspect.Result{Report: a.Report, Analysis: a}
		for _, p := range []inspect.Pass{inspect.Packages(packages.Options{}), inspect.Findings(advice.Options{})} {
			if err := p.Run(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	c, err := compare.Compare(t.Context(), compare.Side{Report: old.Report, Analysis: old}, compare.Side{Report: new.Report, Analysis: new})
	if err != nil {
		t.Fatal(err)
	}
	a, err := merge(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return stageOf(t, theme, ascii, w, h, func(set setup, do doer) root {
		return newComparison(c, a, set, do)
	})
}

// TestRandomPairs presses random keys on comparisons of random images, of an image with
// itself, and of images without layers.
func TestRandomPairs(t *testing.T) {
	n := *seeds
	if testing.Short() {
		n = min(n, 2)
	}
	for i := range n {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Chdir(t.TempDir())
			old, _ := someImage(t, randomBytes(100+i, 500))
			new, data := someImage(t, randomBytes(200+i, 500))
			if i%6 == 5 {
				new = old
			}
			perform(t, pairStage(t, old, new, Themes()[i%3], i%2 == 0, 100, 30), data)
		})
	}
}

// TestSamePair compares an image with itself.
func TestSamePair(t *testing.T) {
	a := load(t, "shop")
	s := pairStage(t, a, a, "", false, 120, 40)
	if got := s.text(); !strings.Contains(got, "nothing differs (a shows everything)") || !strings.Contains(got, "the same size") || !strings.Contains(got, "5 of 5 the same") {
		t.Errorf("got\n%s", got)
	}
	s.press("a")
	s.press("3")
	s.press("d")
	if got := s.text(); !strings.Contains(got, "nothing differs in the folder itself") {
		t.Errorf("a folder: got\n%s", got)
	}
	s.press("esc")
	if got := s.text(); !strings.Contains(got, "usr/") {
		t.Errorf("everything: got\n%s", got)
	}
}

// TestKeysOfOne presses keys that only the screens of one image have.
func TestKeysOfOne(t *testing.T) {
	a := load(t, "shop")
	s := pairStage(t, a, a, "", false, 120, 40)
	for _, k := range []string{"w", "W", "c", "D", "m"} {
		s.press(k)
		if want := "this is for one image: open it by itself"; s.u.note != want {
			t.Errorf("%s: got %q, want %q", k, s.u.note, want)
		}
		s.press("home")
	}
	if got := s.text(); strings.Contains(got, "waste") {
		t.Errorf("a hint:\n%s", got)
	}
}

// TestTimesOfPair compares images of which only times differ: the tree says so.
func TestTimesOfPair(t *testing.T) {
	const image = "layer RUN make\n  file a 10xa mtime=%d\n  file b 10xb mtime=1\n"
	s := pairStage(t, described(t, fmt.Sprintf(image, 1)), described(t, fmt.Sprintf(image, 2)), "", false, 120, 40)
	if got := s.text(); !strings.Contains(got, "only times differ, of 1 path") {
		t.Errorf("got\n%s", got)
	}
}

// TestSavedPair compares saved reports, which have no files: every key still works, or
// says why not.
func TestSavedPair(t *testing.T) {
	c, err := compare.Compare(t.Context(), compare.Side{Report: load(t, "pair-old").Report}, compare.Side{Report: load(t, "pair-new").Report})
	if err != nil {
		t.Fatal(err)
	}
	s := stageOf(t, "", false, 120, 40, func(set setup, do doer) root { return newComparison(c, nil, set, do) })
	for _, want := range []string{"a saved report holds no files", "RUN npm ci"} {
		if got := s.text(); !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if got := s.text(); strings.Contains(got, "a all") {
		t.Errorf("a key that does nothing is shown:\n%s", got)
	}
	if s.press("a"); !strings.Contains(s.text(), "compare the images themselves to see which files differ") {
		t.Errorf("a key does not say why it does nothing:\n%s", s.text())
	}
	for _, b := range bindings() {
		for _, k := range strings.Fields(b.keys) {
			s.press(k)
		}
	}
}

// TestHidesSecretsOfPair has tokens in commands, variables and findings of both images:
// no screen shows one whole.
func TestHidesSecretsOfPair(t *testing.T) {
	tokens := []string{"sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc", "sk_" + "live_" + "9xQ21MmTvbRStuaaV4pWq8zz"}
	var sides [2]*analyzer.Analysis
	for i, name := range []string{"pair-old", "pair-new"} {
		a := load(t, name)
		a.Report.Layers[1].Command += " --token " + tokens[i]
		a.Report.History[1].Command = a.Report.Layers[1].Command
		a.Report.Image.Config.Env = []string{"TOKEN=" + tokens[i]}
		sides[i] = a
	}
	s := pairStage(t, sides[0], sides[1], "", false, 200, 60)
	for _, key := range []string{"1", "down", "2", "i", "esc", "!", "down", "p", "3", "+", "down", "H"} {
		s.press(key)
		for _, token := range tokens {
			if strings.Contains(s.text(), token[8:]) {
				t.Fatalf("after %s the screen shows a token:\n%s", key, s.text())
			}
		}
	}
}

// TestPairNotes checks what keys say where they can't do what they do elsewhere.
func TestPairNotes(t *testing.T) {
	for _, tt := range []struct{ keys, want string }{
		{"3 + / type:left-pad enter d", "only the new image has it: there is nothing to compare with"},
		{"3 + / type:cache/x enter d", "only the old image has it: there is nothing to compare with"},
		{"3 + / type:config enter H enter", "━ the old image ━"},
		{"3 + / type:config enter [ ] H down down down down down enter", "━ in both images ━"},
		{"3 + / type:left-pad enter w D m e", "left-pad.js"}, // keys of one image do nothing
		{"3 a / type:os-release enter 2", "2023-11-14 22:13:20 UTC"},
		{"3 s s s s s s s s", "growth \u25bc"},
	} {
		s := pairStage(t, load(t, "pair-old"), load(t, "pair-new"), "", false, 120, 40)
		for _, k := range strings.Fields(tt.keys) {
			s.press(k)
		}
		if got := s.text(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q is missing in\n%s", tt.keys, tt.want, got)
		}
	}
}
