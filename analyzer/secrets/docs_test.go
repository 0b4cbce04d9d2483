package secrets

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of docs/secrets.md")

// TestKindDocs checks the table in docs/secrets.md against the kinds.
func TestKindDocs(t *testing.T) {
	const doc = "../../docs/secrets.md"
	const start, end = "<!-- kinds -->\n", "<!-- end -->\n"
	var table strings.Builder
	table.WriteString("| kind | what | form |\n|---|---|---|\n")
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if k.Name == "" || k.Means == "" || k.Form == "" || seen[k.Name] {
			t.Errorf("%+v is incomplete, or there twice", k)
		}
		seen[k.Name] = true
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", k.Name, k.Means, k.Form)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), start)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no table of kinds", doc)
	}
	want := before + start + table.String() + end + after
	if *update {
		if err := os.WriteFile(doc, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("the table of %s is old; go test ./analyzer/secrets -run TestKindDocs -update writes:\n%s", doc, &table)
	}
}
