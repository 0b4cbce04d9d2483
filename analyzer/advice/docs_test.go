package advice

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated part of docs/findings.md")

// TestDocs checks the generated part of docs/findings.md against the rules.
func TestDocs(t *testing.T) {
	const doc = "../../docs/findings.md"
	const begin = "<!-- rules -->\n"
	var b strings.Builder
	b.WriteString("| rule | severity | |\n|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s |\n", r.Name, r.Name, r.Severity, r.Means)
	}
	for _, r := range Rules() {
		fmt.Fprintf(&b, "\n### %s\n\n%s %s\n\n%s\n", r.Name, r.Means, r.Why, r.Help())
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), begin)
	want := before + begin + b.String()
	if *update {
		if err := os.WriteFile(doc, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s is old: go test ./analyzer/advice -run TestDocs -update writes it", doc)
	}
}
