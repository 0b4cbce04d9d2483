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
		{"unknown evidence", `"evidence": "flag"`, `"evidence": "luck"`, `its base has an unknown evidence: "luck"`},
		{"unknown certainty", `"certainty": "exact"`, `"certainty": "sure"`, `its base has an unknown certainty: "sure"`},
		{"a chain upwards", `"chain": null`, `"chain": [{"layers": 1, "evidence": "flag", "certainty": "exact"}]`, "its base can't have 1 of 0 layers"},
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

// TestReadSource has reports whose layers, steps and findings name lines that the
// outputs can't look up.
func TestReadSource(t *testing.T) {
	const file = `"dockerfile": {"name": "Dockerfile", "text": "FROM a\nRUN b", "certainty": "exact"}, "base": null`
	for _, tt := range []struct{ name, source, dockerfile, want string }{
		{"as it is", `{"file": "Dockerfile", "line": 1, "end": 2, "certainty": "exact"}`, file, ""},
		{"of another file", `{"file": "b", "line": 7, "end": 7, "certainty": "likely"}`, file, ""},
		{"no Dockerfile", `{"file": "b", "line": 7, "end": 7, "certainty": "likely"}`, `"future": {}`, ""},
		{"line 0", `{"file": "Dockerfile", "line": 0, "end": 2, "certainty": "exact"}`, file, "layer 1: 0 to 2 is not a range of lines"},
		{"backwards", `{"file": "Dockerfile", "line": 2, "end": 1, "certainty": "exact"}`, file, "layer 1: 2 to 1 is not a range of lines"},
		{"beyond the end", `{"file": "Dockerfile", "line": 2, "end": 3, "certainty": "exact"}`, file, "layer 1: the Dockerfile has 2 lines, not 3"},
		{"unknown certainty", `{"file": "b", "line": 2, "end": 3, "certainty": "sure"}`, file, `layer 1: its lines have an unknown certainty: "sure"`},
		{"certainty of the file", `null`, strings.Replace(file, "exact", "sure", 1), `its Dockerfile has an unknown certainty: "sure"`},
	} {
		text := strings.Replace(small, `"index": 1,`, `"index": 1, "source": `+tt.source+`,`, 1)
		text = strings.Replace(text, `"future": {}`, tt.dockerfile, 1)
		if !strings.Contains(text, tt.source) || !strings.Contains(text, tt.dockerfile) {
			t.Fatalf("%s: %s", tt.name, text)
		}
		_, err := facts.Read(strings.NewReader(text))
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}
