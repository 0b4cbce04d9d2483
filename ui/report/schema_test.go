package report

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

const schemaFile = "../../docs/report.schema.json"

func TestSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	validate := func(in *Input, change func(map[string]any)) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, "json", in)))
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(v.(map[string]any))
		}
		return schema.Validate(v)
	}
	unevaluated := denying(t, 1, "\xff")
	unevaluated.Verdict.Rules[0].Err = errors.New("no")
	suppressed := judged(t, sample(), nil)
	suppressed.Verdict.Suppressed = []gate.Suppressed{{Suppression: gate.Suppression{Path: "/a", Reason: "r", Until: time.Now()}}}
	for name, in := range map[string]*Input{
		"sample": {Report: sample()}, "empty": {Report: &facts.Report{Schema: facts.Schema}}, "judged": denying(t, 40, "keys"),
		"unevaluated": unevaluated, "suppressed": suppressed, "no rule": {Report: sample(), Verdict: &gate.Verdict{}},
	} {
		if err := validate(in, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The schema rejects invalid reports.
	for name, change := range map[string]func(map[string]any){
		"another schema":  func(v map[string]any) { v["schema"] = 2 },
		"no totals":       func(v map[string]any) { delete(v, "totals") },
		"waste is null":   func(v map[string]any) { v["waste"] = nil },
		"another cause":   func(v map[string]any) { v["waste"].([]any)[0].(map[string]any)["cause"] = "lost" },
		"efficiency of 2": func(v map[string]any) { v["totals"].(map[string]any)["efficiency"] = 2 },
		"another result":  func(v map[string]any) { v["verdict"].(map[string]any)["result"] = "ok" },
	} {
		if validate(denying(t, 1, "keys"), change) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// TestSchemaHasEveryField checks that the schema has exactly the fields of the report,
// and requires those that are always written.
func TestSchemaHasEveryField(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var schema node
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	verdict := schema.Properties["verdict"]
	delete(schema.Properties, "verdict")
	compareFields(t, "report", reflect.TypeFor[facts.Report](), &schema)
	compareFields(t, "verdict", reflect.TypeFor[verdictForm](), verdict)
}

type node struct {
	Properties map[string]*node
	Required   []string
	Items      *node
}

func compareFields(t *testing.T, at string, typ reflect.Type, n *node) {
	t.Helper()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case n == nil:
		t.Errorf("%s is not in the schema", at)
	case typ.Kind() == reflect.Slice && typ.Elem().Kind() != reflect.Uint8:
		compareFields(t, at+"[]", typ.Elem(), n.Items)
	case typ.Kind() == reflect.Struct && typ != reflect.TypeFor[time.Time]():
		known := map[string]bool{}
		for i := range typ.NumField() {
			name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			known[name] = true
			compareFields(t, at+"."+name, typ.Field(i).Type, n.Properties[name])
			if always := options == ""; always != slices.Contains(n.Required, name) {
				t.Errorf("%s.%s: always written %v, required %v", at, name, always, !always)
			}
		}
		for name := range n.Properties {
			if !known[name] {
				t.Errorf("%s.%s is in the schema, but not in the report", at, name)
			}
		}
	}
}
