package facts_test

import (
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// based is small with a base image of one layer, whose file the own layer copied.
var based = strings.NewReplacer(
	`"files": 1, "layers": 2}`, `"files": 1, "layers": 2,
    "own": {"storedBytes": 10, "visibleBytes": 10, "files": 1, "layers": 1, "copiedFromBaseBytes": 10},
    "base": {"storedBytes": 20, "visibleBytes": 10, "wastedBytes": 10, "layers": 1, "hiddenByOwnBytes": 10}}`,
	`"cause": "removed", `, `"cause": "metadata", "ownCopy": true, `,
	`"future": {}`, `"base": {"reference": "debian", "layers": 1, "evidence": "flag", "certainty": "exact", "chain": null}`,
).Replace(small)

func TestReadBase(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"as it is", "", "", ""},
		{"without the base", `"base": {"reference"`, `"basis": {"reference"`, "its base and the figures of its base do not go together"},
		{"no layer", `"reference": "debian", "layers": 1`, `"reference": "debian", "layers": 0`, "its base can't have 0 of 2 layers"},
		{"too many layers", `"reference": "debian", "layers": 1`, `"reference": "debian", "layers": 3`, "its base can't have 3 of 2 layers"},
		{"a chain upwards", `"chain": null`, `"chain": [{"layers": 1}]`, "its base can't have 1 of 0 layers"},
		{"negative", `"hiddenByOwnBytes": 10`, `"hiddenByOwnBytes": -1`, "base: -1 is negative"},
		{"other bytes", `"own": {"storedBytes": 10`, `"own": {"storedBytes": 11`, "its own layers store 10 bytes, and its totals say 11"},
		{"other files", `"visibleBytes": 10, "files": 1, "layers": 1`, `"visibleBytes": 10, "files": 2, "layers": 1`, "own and base have 2 and 0 files of 1"},
		{"copies of nothing", `"ownCopy": true, `, ``, "own layers copy 10 bytes of the base, and its waste says 0"},
		{"a copy of its own", `"reference": "debian", "layers": 1`, `"reference": "debian", "layers": 2`, "its base layers store 30 bytes, and its totals say 20"},
	} {
		if tt.old != "" && strings.Count(based, tt.old) != 1 {
			t.Fatalf("%s: %d times %s", tt.name, strings.Count(based, tt.old), tt.old)
		}
		r, err := facts.Read(strings.NewReader(strings.Replace(based, tt.old, tt.new, 1)))
		switch {
		case tt.want == "" && (err != nil || r.Base.Chain == nil):
			t.Errorf("%s: got %v", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}
