package facts_test

import (
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// found is a report with two findings that TestReadFindings makes invalid in different
// ways: 20 of 30 bytes can be saved.
const found = `{
  "schema": 1,
  "image": {},
  "totals": {"storedBytes": 30, "visibleBytes": 30, "efficiency": 1, "layers": 2, "findingsBytes": 20},
  "layers": [{"index": 0, "storedBytes": 20, "visibleBytes": 20}, {"index": 1, "storedBytes": 10, "visibleBytes": 10}],
  "history": [], "waste": [], "warnings": [],
  "findings": [
    {"rule": "a-rule", "severity": "warn", "certainty": "proven", "title": "t", "bytes": 15, "fix": {"text": "f", "lines": ["RUN x"]},
     "places": [{"path": "/a", "layer": 0, "bytes": 9, "files": 2, "hiddenBy": 1}, {"path": "/", "layer": 1, "bytes": 4, "hiddenBy": -1}],
     "morePlaces": 3, "layers": [0, 1], "source": {"file": "Dockerfile", "line": 3, "end": 4, "certainty": "exact"}, "owner": "own"},
    {"rule": "secret", "severity": "error", "certainty": "likely", "bytes": 5, "places": [{"path": "", "layer": -1, "bytes": 5, "hiddenBy": -1}], "owner": "unknown"}
  ]
}`

func TestReadFindings(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"as it is", "", "", ""},
		{"a rule that this version doesn't know", `"a-rule"`, `"tomorrow"`, ""},
		{"bytes for a path", `"path": "/a"`, `"path": "/\ufffd\ufffd", "pathBytes": "L///"`, ""},
		{"no lists", `"places": [{"path": "", "layer": -1, "bytes": 5, "hiddenBy": -1}]`, `"morePlaces": 1, "places": null, "layers": null`, ""},

		{"no rule", `"a-rule"`, `""`, "finding 0 has no rule"},
		{"another severity", `"warn"`, `"fatal"`, `finding 0 has an unknown severity: "fatal"`},
		{"a long severity", `"warn"`, `"` + strings.Repeat("x", 1000) + `"`, `finding 0 has an unknown severity: "` + strings.Repeat("x", 40) + `"`},
		{"another certainty", `"likely"`, `"sure"`, `finding 1 has an unknown certainty: "sure"`},
		{"another owner", `"own"`, `"mine"`, `finding 0 has an unknown owner: "mine"`},
		{"negative", `"bytes": 15`, `"bytes": -15`, "finding 0: -15 is negative"},
		{"negative places", `"morePlaces": 3`, `"morePlaces": -3`, "finding 0: -3 is negative"},
		{"negative files", `"files": 2`, `"files": -2`, "finding 0: -2 is negative"},
		{"a place of negative bytes", `"bytes": 9`, `"bytes": -9`, "finding 0: -9 is negative"},
		{"places that add up to more", `"bytes": 9`, `"bytes": 12`, "finding 0 saves 15 bytes, and its places add up to 16"},
		{"places that add up to less, and no others", `"morePlaces": 3`, `"morePlaces": 0`, "finding 0 saves 15 bytes, and its places add up to 13"},
		{"bytes without a place", `[{"path": "", "layer": -1, "bytes": 5, "hiddenBy": -1}]`, "[]", "finding 1 saves 5 bytes, and its places add up to 0"},
		{"more than there are numbers", `"bytes": 9`, `"bytes": 9223372036854775807`, "finding 0 saves 15 bytes, and its places add up to -1"},
		{"a total that doesn't add up", `"findingsBytes": 20`, `"findingsBytes": 19`, "its findings add up to 20 bytes, and its totals say 19"},
		{"a total without findings", `"findings": [`, `"findings": null, "x": [`, "its findings add up to 0 bytes, and its totals say 20"},
		{"a layer that isn't there", `"layers": [0, 1]`, `"layers": [0, 2]`, "finding 0: layer 2 is out of place"},
		{"layers out of order", `"layers": [0, 1]`, `"layers": [1, 0]`, "finding 0: layer 0 is out of place"},
		{"a layer twice", `"layers": [0, 1]`, `"layers": [1, 1]`, "finding 0: layer 1 is out of place"},
		{"a negative layer", `"layers": [0, 1]`, `"layers": [-1]`, "finding 0: layer -1 is out of place"},
		{"a place in no layer", `"layer": 0, "bytes"`, `"layer": 2, "bytes"`, "finding 0 can't be in layer 2 and hidden by layer 1: there are 2"},
		{"a place in layer -2", `"layer": 0, "bytes"`, `"layer": -2, "bytes"`, "finding 0 can't be in layer -2"},
		{"hidden by no layer", `"hiddenBy": 1`, `"hiddenBy": 2`, "finding 0 can't be in layer 0 and hidden by layer 2: there are 2"},
		{"hidden before it was stored", `"layer": 1, "bytes": 4, "hiddenBy": -1`, `"layer": 1, "bytes": 4, "hiddenBy": 0`, "finding 0 can't be in layer 1 and hidden by layer 0"},
		{"not rooted", `"/a"`, `"a"`, `finding 0: the path "a" is not rooted and clean`},
		{"upwards", `"/a"`, `"/a/../b"`, `finding 0: the path "/a/../b" is not rooted and clean`},
		{"a folder with a slash", `"/a"`, `"/a/"`, `finding 0: the path "/a/" is not rooted and clean`},
		{"another path in bytes", `"/a"`, `"/a", "pathBytes": "L2I="`, "finding 0 has a place with two paths"},
		{"a source of no line", `"line": 3`, `"line": 0`, "finding 0: 0 to 4 is not a range of lines"},
		{"a source that ends before it begins", `"end": 4`, `"end": 2`, "finding 0: 3 to 2 is not a range of lines"},
		{"a text for places", `[{"path": "", "layer": -1, "bytes": 5, "hiddenBy": -1}]`, `"x"`, "findings.places can't be a string"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.old != "" && strings.Count(found, tt.old) != 1 {
				t.Fatalf("%d times %s", strings.Count(found, tt.old), tt.old)
			}
			r, err := facts.Read(strings.NewReader(strings.Replace(found, tt.old, tt.new, 1)))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range r.Findings {
					if f.Places == nil || f.Layers == nil || f.Fix.Lines == nil {
						t.Errorf("%s has a nil list", f.Rule)
					}
				}
				return
			}
			if err == nil {
				t.Fatalf("got %+v", r.Findings)
			}
			if !strings.Contains(err.Error(), "reading a saved report: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestReadPathBytes checks that a path that is not valid UTF-8 is read from its bytes.
func TestReadPathBytes(t *testing.T) {
	r, err := facts.Read(strings.NewReader(strings.Replace(found, `"path": "/a"`, `"path": "/\ufffd\ufffd", "pathBytes": "L///"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Findings[0].Places[0].Path; got != "/\xff\xff" {
		t.Errorf("got %q", got)
	}
}

// TestReadNoFindings checks that none found is not the same as none looked for.
func TestReadNoFindings(t *testing.T) {
	i := strings.Index(found, `,
  "findings"`)
	report := strings.Replace(found[:i], `, "findingsBytes": 20`, "", 1)
	for end, none := range map[string]bool{"}": true, `, "findings": null}`: true, `, "findings": []}`: false} {
		r, err := facts.Read(strings.NewReader(report + end))
		if err != nil {
			t.Fatal(err)
		}
		if (r.Findings == nil) != none {
			t.Errorf("%s: got %#v", end, r.Findings)
		}
	}
}

// TestReadCaps checks the limits of a list of findings.
func TestReadCaps(t *testing.T) {
	with := func(places int) string {
		place := `{"path": "", "layer": -1, "bytes": 0, "hiddenBy": -1},`
		return strings.Replace(found, `"places": [{"path": ""`, `"places": [`+strings.Repeat(place, places-1)+`{"path": ""`, 1)
	}
	if _, err := facts.Read(strings.NewReader(with(facts.MaxPlaces))); err != nil {
		t.Error(err)
	}
	if _, err := facts.Read(strings.NewReader(with(facts.MaxPlaces + 1))); err == nil || !strings.Contains(err.Error(), "finding 1 lists 101 places, more than 100") {
		t.Errorf("got %v", err)
	}
	// Findings that save more than the image stores, one by one or together.
	for _, stored := range []int{19, 20} {
		text := strings.NewReplacer(
			`"storedBytes": 30, "visibleBytes": 30`, fmt.Sprintf(`"storedBytes": %d, "visibleBytes": %[1]d`, stored),
			`"storedBytes": 20, "visibleBytes": 20`, fmt.Sprintf(`"storedBytes": %d, "visibleBytes": %[1]d`, stored-10),
		).Replace(found)
		if _, err := facts.Read(strings.NewReader(text)); (err == nil) != (stored == 20) || err != nil && !strings.Contains(err.Error(), "its findings save 20 bytes of 19") {
			t.Errorf("%d bytes: got %v", stored, err)
		}
	}
}
