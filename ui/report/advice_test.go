package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

func advised(t *testing.T, r *facts.Report, opt AdviceOptions) string {
	t.Helper()
	var b strings.Builder
	if err := Advice(&b, &Input{Report: r}, opt); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const (
	adviceHead = "image     app\\x1b.tar (shop/app:1.4)\nfindings  "
	adviceKey  = `
         error  secret: 2 secrets (likely)
                  /srv/key, in layer 1: AKIA\x1b (20 characters)
                  the config: ghp_ (40 characters)
         layer 1  RUN rm \x1b[2J
         to fix   mount it
                  RUN --mount=type=secret,id=key ...
`
	adviceRemoved = `
 900 kB  warn   removed-later: layer 1 removes what layer 0 stores
          800 kB  /var/lib/\xff\n (3 files), in layer 0, hidden by layer 1
                  and 120 more places
         layer 0  ADD file:1 in /
         layer 1  RUN rm \x1b[2J
         to fix   join the two steps
                  RUN fetch && \
                      rm -rf ` + "`pwd`" + `/*
`
	adviceDocs = `
  40 kB  info   docs: documentation
           40 kB  /usr/share/doc (9 files), in layer 0
         layer 0  ADD file:1 in /
         to fix   leave it out
`
)

func TestAdvice(t *testing.T) {
	for _, tt := range []struct {
		name string
		opt  AdviceOptions
		want string
	}{
		{"as it is", AdviceOptions{}, "3.0 MB -> 2.1 MB, 2 findings\n" + adviceKey + adviceRemoved + "\n1 finding, 40 kB of a lower severity: --all lists them\n"},
		{"all", AdviceOptions{All: true}, "3.0 MB -> 2.1 MB, 3 findings\n" + adviceKey + adviceRemoved + adviceDocs},
		{"info", AdviceOptions{Severity: "info"}, "3.0 MB -> 2.1 MB, 3 findings\n" + adviceKey + adviceRemoved + adviceDocs},
		{"errors", AdviceOptions{Severity: "error"}, "1 finding\n" + adviceKey + "\n2 findings, 940 kB of a lower severity: --all lists them\n"},
		{"a rule of severity info", AdviceOptions{Rules: []string{"docs"}}, "1 finding, 40 kB\n" + adviceDocs},
		{"two rules", AdviceOptions{Rules: []string{"docs", "secret"}, Severity: "warn"}, "1 finding\n" + adviceKey + "\n1 finding, 40 kB of a lower severity: --all lists them\n"},
		{"nothing", AdviceOptions{Rules: []string{"sudo"}}, "none\n"},
	} {
		if diff := cmp.Diff(adviceHead+tt.want, advised(t, sample(), tt.opt)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	r := sample()
	r.Secrets, r.Findings = facts.SecretsOff, []facts.Finding{}
	if diff := cmp.Diff(adviceHead+"none\nsecrets   not searched for\n", advised(t, r, AdviceOptions{})); diff != "" {
		t.Errorf("without a search for secrets (-want +got):\n%s", diff)
	}
}

// TestAdviceIsShort checks that a finding with many places lists the largest ones, and
// that its steps are cut.
func TestAdviceIsShort(t *testing.T) {
	r := sample()
	f := &r.Findings[0]
	r.Findings, r.Layers[0].Command = r.Findings[:1], "RUN "+strings.Repeat("x", 5000)
	for _, tt := range []struct {
		places int
		all    bool
		lines  int
		more   string
	}{
		{6, false, 6, "and 120 more places"}, {7, false, 5, "and 122 more places"}, {100, false, 5, "and 215 more places"}, {100, true, 100, "and 120 more places"},
	} {
		f.Places = nil
		for range tt.places {
			f.Places = append(f.Places, facts.Place{Path: "/p", Layer: 0, HiddenBy: -1, Bytes: 1})
		}
		text := advised(t, r, AdviceOptions{All: tt.all})
		if n := strings.Count(text, "  /p, in layer 0\n"); n != tt.lines || !strings.Contains(text, "                  "+tt.more+"\n") || len(text) > 10_000 {
			t.Errorf("%d places, all %v: lists %d, want %d and %q:\n%.2000s", tt.places, tt.all, n, tt.lines, tt.more, text)
		}
	}
}
