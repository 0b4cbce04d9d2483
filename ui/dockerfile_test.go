package ui

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/origin"
)

// readBuild returns the Dockerfile in NAME.Dockerfile, and the lowest layer as the base.
// It sets the lines of the steps that the Dockerfile made.
func readBuild(t testing.TB, name string, a *analyzer.Analysis) (*facts.Dockerfile, *facts.Base) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(screens, name+".Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := origin.ParseDockerfile("Dockerfile", text)
	if err != nil {
		t.Fatal(err)
	}
	r := a.Report
	var steps []string
	for _, h := range r.History {
		steps = append(steps, facts.Command(h.Command))
	}
	for i, s := range d.Align(steps).Sources {
		r.History[i].Source = s
		if l := r.History[i].Layer; l >= 0 {
			r.Layers[l].Source = s
		}
	}
	own, base := origin.Split(a, 1)
	r.Totals.Own, r.Totals.Base = &own, &base
	return &facts.Dockerfile{Name: "Dockerfile", Text: string(text), Certainty: facts.CertainLikely},
		&facts.Base{Reference: "shop-base:1", Layers: 1, Certainty: facts.CertainVerified, Evidence: facts.EvidenceEngine}
}

func TestDockerTokens(t *testing.T) {
	for _, tt := range []struct {
		kind dockerWord
		in   string
		want string // the tokens, with | between them
	}{
		{commentLine, `# a "b" $C`, `# a "b" $C`},
		{instructionLine, `COPY --chown=a:b --link "x y" $DIR/z`, `COPY| |--chown=a:b| |--link| |"x y"| |$DIR|/z`},
		{instructionLine, `  RUN make`, `  RUN| |make`},
		{plainLine, `    && echo "${A:-b}`, `    |&&| |echo| |"${A:-b}`},
		{plainLine, `a--b --c`, `a--b| |--c`},
		{instructionLine, `X`, `X`},
		{plainLine, `"a \"b\" c" d`, `"a \"b\" c"| |d`},
		{plainLine, `'a\' b "c`, `'a\'| |b| |"c`},
		{plainLine, ``, ``},
		{plainLine, `é$`, `é|$`},
	} {
		var got []string
		for _, w := range dockerTokens(&dockerLine{text: tt.in, kind: tt.kind}) {
			got = append(got, w.text)
		}
		if s := strings.Join(got, "|"); s != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, s, tt.want)
		}
		if strings.Join(got, "") != tt.in {
			t.Errorf("%q: the tokens are not the line: %q", tt.in, got)
		}
	}
}

// TestDockerfileKeys goes from layers, findings, waste and a history to the line, and
// from there to the layer.
func TestDockerfileKeys(t *testing.T) {
	a := load(t, "shop")
	a.Report.Dockerfile, a.Report.Base = readBuild(t, "shop", a)
	s := newStage(t, a, "dark", false, 120, 40)
	pane, _, ok := paneOf[*dockerfile](&s.u.layout)
	if !ok {
		t.Fatal("there is no tab")
	}
	for _, tt := range []struct {
		keys string
		line int
	}{
		{"1 g j D", 5},
		{"1 g j j D", 7},
		{"1 G D", 9},
		{"1 g e j D", 3}, // the step ENV, which has no layer
	} {
		s.u.tabTo(0)
		for _, k := range strings.Fields(tt.keys) {
			s.press(k)
		}
		if s.u.on() != part(pane) || pane.At != tt.line-1 {
			t.Errorf("%s: the cursor is at line %d, want %d", tt.keys, pane.At+1, tt.line)
		}
	}
	pane.showLine(6) // the second line of an instruction
	s.press("enter")
	if s.u.sel.layer != 1 || s.u.focus != layersPane {
		t.Errorf("enter goes to layer %d", s.u.sel.layer)
	}
	s.press("D")
	pane.showLine(1)
	s.press("enter")
	if s.u.note != "no layer of this image was made by this line" {
		t.Errorf("enter on a comment says %q", s.u.note)
	}
	s.press("D")
	if s.u.tab != 0 {
		t.Error("D does not go back to the files")
	}
}

// TestDockerfileSum checks the figures beside a line: an instruction with two layers has
// those of both.
func TestDockerfileSum(t *testing.T) {
	source := &facts.Source{File: "Dockerfile", Line: 2, End: 2}
	rep := &facts.Report{
		Dockerfile: &facts.Dockerfile{Name: "Dockerfile", Text: "FROM a\nCOPY x y\n"},
		Layers:     []facts.Layer{{StoredBytes: 5, WastedBytes: 2, VisibleBytes: 3, Source: source}, {StoredBytes: 7, VisibleBytes: 7, Source: source}},
	}
	d := newDockerfile(&ui{rep: rep})
	if l := &d.lines[1]; !slices.Equal(l.layers, []int{0, 1}) || d.sum(l) != (facts.Part{StoredBytes: 12, VisibleBytes: 10, WastedBytes: 2}) {
		t.Errorf("got the layers %v and %+v", l.layers, d.sum(l))
	}
}

// TestDockerLines checks which lines begin an instruction, and which are comments: with
// another escape character, carriage returns, here-documents and what only looks so.
func TestDockerLines(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"# a\nFROM b\n\nRUN c \\\n # d\n\n  e\nRUN f\n", "#I.I#..I"},
		{"# escape=`\r\nFROM b\r\nRUN c `\r\n d\r\nRUN C:\\\r\nRUN e\r\n", "#II.II"},
		{"# x\n# escape=`\nRUN a \\\nb\nRUN c\n", "##I.I"}, // a comment ends the directives
		{"RUN <<A cat <<-'B'\nRUN 1\nA\n# 2\n\tB\nRUN 3\n", "I....I"},
		{"RUN echo $((1<<2)) <<< x\nRUN b\n", "II"},
		{"RUN <<A \\\n  more\nRUN 1\nA\nRUN 2\n", "I...I"},
		{"", ""},
	} {
		got := ""
		for _, l := range newDockerfile(&ui{rep: &facts.Report{Dockerfile: &facts.Dockerfile{Text: tt.text}}}).lines {
			got += string(".#I"[l.kind])
		}
		if got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, got, tt.want)
		}
	}
}
