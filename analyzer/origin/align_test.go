package origin

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

func readDockerfile(t *testing.T, name string) *Dockerfile {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	d, err := ParseDockerfile("Dockerfile", text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// readHistory returns the commands of the history of an image that a builder made.
func readHistory(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for line := range strings.Lines(string(text)) {
		steps = append(steps, facts.Command(strings.TrimSuffix(line, "\n")))
	}
	return steps
}

// lines returns the lines of each source: "4", "4-6", or "-" for none.
func lines(sources []*facts.Source) []string {
	var out []string
	for _, s := range sources {
		switch {
		case s == nil:
			out = append(out, "-")
		case s.Line == s.End:
			out = append(out, fmt.Sprint(s.Line))
		default:
			out = append(out, fmt.Sprintf("%d-%d", s.Line, s.End))
		}
	}
	return out
}

func TestAlign(t *testing.T) {
	const own = "13 14-15 16 17 18 19 20 21 22 23 24 25 26 27 28"
	for _, tt := range []struct{ dockerfile, history, want string }{
		{"align.Dockerfile", "classic.history", "- - - - " + own},
		{"align.Dockerfile", "buildkit.history", "- - - " + own},
		{"align.Dockerfile", "podman.history", "- - - - " + own},
		{"heredoc.Dockerfile", "heredoc.history", "4 19 20 21 22-24 25 26"},
	} {
		a := readDockerfile(t, tt.dockerfile).Align(readHistory(t, tt.history))
		if got := lines(a.Sources); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s: got  %s\nwant %s", tt.history, strings.Join(got, " "), tt.want)
		}
		if !a.Fits() {
			t.Errorf("%s: it does not fit: %d of %d", tt.history, a.Matched, a.Of)
		}
	}
}

func TestAlignOther(t *testing.T) {
	a := readDockerfile(t, "align.Dockerfile").Align(readHistory(t, "heredoc.history"))
	if a.Fits() {
		t.Errorf("the Dockerfile of another image fits: %d of %d, %v", a.Matched, a.Of, lines(a.Sources))
	}
}

// TestAlignForms has an instruction and the step that a builder makes of it.
func TestAlignForms(t *testing.T) {
	for _, tt := range []struct{ instruction, step string }{
		{`RUN ["/bin/sh", "-c", "echo a > b"]`, `RUN /bin/sh -c echo a > b # buildkit`},
		{`RUN ["/bin/sh", "-c", "echo a > b"]`, `/bin/sh -c echo a > b`},
		{`RUN ["make", "all"]`, `RUN make all # buildkit`},
		{`RUN ["make", "all"]`, `make all`},
		// kaniko writes an instruction as it stands in the Dockerfile, on one line.
		{`RUN ["make", "all"]`, `RUN ["make", "all"]`},
		{"RUN a && \\\n  b", `RUN a &&   b`},
		{`RUN --mount=type=cache,target=/c make`, `RUN --mount=type=cache,target=/c make`},
		{`COPY --from=build /a /b`, `COPY --from=build /a /b`},
		{`COPY --chown=1:1 a data/`, `COPY --chown=1:1 a data/`},
		{`ADD lib.txt /lib/$A/`, `ADD lib.txt /lib/$A/`},
	} {
		d, err := ParseDockerfile("Dockerfile", []byte("FROM a\n"+tt.instruction+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if a := d.Align([]string{facts.Command(tt.step)}); a.Matched != 1 {
			t.Errorf("%s is not %s", tt.step, tt.instruction)
		}
	}
	d, err := ParseDockerfile("Dockerfile", []byte("FROM a\nRUN [\"make\", \"all\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a := d.Align([]string{"RUN make none"}); a.Matched != 0 {
		t.Error("another command is the instruction's")
	}
}
