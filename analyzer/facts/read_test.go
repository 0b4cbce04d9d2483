package facts_test

import (
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// small is a report that TestRead makes invalid in different ways.
const small = `{
  "schema": 1,
  "image": {"reference": "app", "created": null, "config": {}},
  "totals": {"storedBytes": 30, "visibleBytes": 20, "wastedBytes": 10, "efficiency": 0.6666666666666666, "files": 1, "layers": 2},
  "layers": [
    {"index": 0, "storedBytes": 20, "visibleBytes": 10, "wastedBytes": 10},
    {"index": 1, "storedBytes": 10, "visibleBytes": 10, "hidesBytes": 10, "future": [1, 2]}
  ],
  "history": [{"command": "COPY", "layer": 0}, {"command": "ENV", "layer": -1}, {"command": "RUN", "layer": 1}],
  "waste": [{"path": "/a", "bytes": 10, "cause": "removed", "storedIn": 0, "hiddenBy": 1}],
  "warnings": [{"layer": -1, "text": "odd"}],
  "future": {}
}
`

func TestRead(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"as it is", "", "", ""},
		{"a field that a later version added", `"future": {}`, `"more": null`, ""},
		{"a step less", `, {"command": "RUN", "layer": 1}`, "", ""},
		{"bytes for a path", `"path": "/a"`, `"path": "/\ufffd\ufffd", "pathBytes": "L///"`, ""},

		{"newer", `"schema": 1`, `"schema": 2`, "its schema is 2, and this version knows no newer one than 1"},
		{"newer, with other types", "\"schema\": 1,\n  \"image\": {", `"schema": 2, "image": 7, "x": {`, "its schema is 2"},
		{"no such schema", `"schema": 1`, `"schema": 0`, "there is no schema 0"},
		{"no schema", `"schema": 1`, `"schemaVersion": 2`, "it has no schema: it is another kind of JSON"},
		{"a text for a schema", `"schema": 1`, `"schema": "1"`, "line 2, column 15: schema can't be a string"},
		{"half a number", `"schema": 1`, `"schema": 1.5`, "line 2, column 15: schema can't be a number 1.5"},
		{"a comma too many", `"storedBytes": 30,`, `"storedBytes": 30,,`, "line 4, column 32: invalid character ',' looking for beginning of object key string"},
		{"more behind it", "\n}\n", "\n}\nx", "line 14, column 1: invalid character 'x' after top-level value"},
		{"too large a number", `"bytes": 10`, `"bytes": 92233720368547758070`, "waste.bytes can't be a number 92233720368547758070"},
		{"a broken number", `"files": 1`, `"files": 1.25`, "totals.files can't be a number 1.25"},
		{"no time", `"created": null`, `"created": "soon"`, `parsing time "soon"`},
		{"no waste", `"waste":`, `"wast":`, "it has no waste"},
		{"null layers", `"warnings": [`, `"warnings": null, "x": [`, "it has no warnings"},

		{"negative", `"files": 1`, `"files": -1`, "totals: -1 is negative"},
		{"negative in a layer", `"hidesBytes": 10`, `"hidesBytes": 10, "added": -5`, "layer 1: -5 is negative"},
		{"negative waste", `"bytes": 10`, `"bytes": -10`, "waste 0: -10 is negative"},
		{"a layer less", `"layers": 2`, `"layers": 3`, "its totals count 3 layers, and it lists 2"},
		{"out of order", `"index": 1`, `"index": 0`, "layer 1 says that it is layer 0"},
		{"a layer that doesn't add up", `{"index": 0, "storedBytes": 20`, `{"index": 0, "storedBytes": 21`, "layer 0 stores 21 bytes, and 10 visible and 10 wasted ones are not as many"},
		{"a total that doesn't add up", `{"storedBytes": 30`, `{"storedBytes": 31`, "its total of stored bytes is 31, and its layers add up to 30"},
		{"compressed", `"files": 1`, `"files": 1, "compressedBytes": 4`, "its total of compressed bytes is 4, and its layers add up to 0"},
		{"more than there are numbers", `20, "visibleBytes": 10, "wastedBytes": 10}`, `9223372036854775807, "visibleBytes": 9223372036854775797, "wastedBytes": 10}`, "its total of stored bytes is 30, and its layers add up to -1"},
		{"efficiency", `0.6666666666666666`, `0.7`, "its efficiency is 0.7, and its totals make it 0.6666666666666666"},
		{"a step of no layer", `"layer": 1}]`, `"layer": 2}]`, "step 2 can't have made layer 2"},
		{"a step of minus two", `"layer": -1}, {`, `"layer": -2}, {`, "step 1 can't have made layer -2"},
		{"steps out of order", `"layer": 1}]`, `"layer": 0}]`, "step 2 can't have made layer 0"},
		{"a warning about no layer", `"layer": -1, "text"`, `"layer": 2, "text"`, "warning 0 is about layer 2 of 2"},
		{"hidden by no layer", `"hiddenBy": 1`, `"hiddenBy": 2`, "waste 0 can't be stored by layer 0 and hidden by layer 2: there are 2"},
		{"hidden before it was stored", `"storedIn": 0, "hiddenBy": 1`, `"storedIn": 1, "hiddenBy": 0`, "waste 0 can't be stored by layer 1 and hidden by layer 0: there are 2"},
		{"a cause of its own", `"removed"`, `"boredom"`, `waste 0 has the cause "boredom", which is none`},
		{"waste that doesn't add up", `"bytes": 10`, `"bytes": 9`, "layer 0 wastes 10 bytes, and its waste adds up to 9"},
		{"hiding that doesn't add up", `"hidesBytes": 10`, `"hidesBytes": 9`, "layer 1 hides 9 bytes, and the waste of lower layers adds up to 10"},
		{"not rooted", `"/a"`, `"a"`, `waste 0: the path "a" is not rooted and clean`},
		{"upwards", `"/a"`, `"/a/../b"`, `waste 0: the path "/a/../b" is not rooted and clean`},
		{"the root", `"/a"`, `"/"`, `waste 0: the path "/" is not rooted and clean`},
		{"another path in bytes", `"/a"`, `"/a", "pathBytes": "L2I="`, "waste 0 has two paths"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.old != "" && strings.Count(small, tt.old) != 1 {
				t.Fatalf("%d times %s", strings.Count(small, tt.old), tt.old)
			}
			text := strings.Replace(small, tt.old, tt.new, 1)
			r, err := facts.Read(strings.NewReader(text))
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatalf("got %+v", r)
			}
			if !strings.Contains(err.Error(), "reading a saved report: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	for text, want := range map[string]string{
		"":             "line 1, column 1: unexpected end of JSON input",
		"[]":           "line 1, column 1: it is a array, not an object",
		small[:400]:    "unexpected end of JSON input",
		`{"layers":7}`: "it has no schema: it is another kind of JSON",
		`{"schema":1`:  "line 1, column 11: unexpected end of JSON input",
	} {
		if _, err := facts.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %s", text, err, want)
		}
	}
}
