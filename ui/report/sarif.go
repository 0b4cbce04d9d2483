package report

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"

	"fathom/analyzer/gate"
)

type object map[string]any

// SARIF writes the findings as SARIF 2.1.0. Each stands at the Dockerfile, for
// want of a better place, and has the path inside the image as its logical
// location. Fingerprints name rule, path, cause and step, so that the same
// problem of the next build is the same alert.
func SARIF(w io.Writer, in *Input) error {
	results := []object{}
	for _, f := range findings(in.Verdict) {
		o := object{
			"ruleId": f.rule.Name, "level": sarifLevel(f.rule), "message": object{"text": f.text},
			"partialFingerprints": object{"primaryLocationLineHash": f.print + ":1", "fathom/v1": f.print},
		}
		place := object{"physicalLocation": object{
			"artifactLocation": object{"uri": in.dockerfileURI(), "uriBaseId": "%SRCROOT%"}, "region": object{"startLine": 1},
		}}
		if x := f.offender; x != nil {
			properties := object{"bytes": x.Bytes, "storedIn": x.StoredIn}
			if x.HiddenBy >= 0 {
				properties["hiddenBy"] = x.HiddenBy
			}
			if x.Path != "" {
				place["logicalLocations"] = []object{{"fullyQualifiedName": Safe(x.Path), "kind": "resource"}}
			}
			o["properties"] = properties
		}
		o["locations"] = []object{place}
		results = append(results, o)
	}
	t := in.Report.Totals
	log := object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs": []object{{
			"tool":               object{"driver": sarifDriver(in)},
			"originalUriBaseIds": object{"%SRCROOT%": object{"description": object{"text": "the repository"}}},
			"columnKind":         "unicodeCodePoints",
			"results":            results,
			"properties": object{
				"image": Safe(in.Report.Image.Reference), "storedBytes": t.StoredBytes, "visibleBytes": t.VisibleBytes,
				"wastedBytes": t.WastedBytes, "efficiency": t.Efficiency,
			},
		}},
	}
	// Keys of maps come sorted: the same input gives the same bytes.
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(log); err != nil {
		return err
	}
	return buffered(w, func(out *bufio.Writer) error {
		_, err := out.Write(escapeJSON([]byte(b.String())))
		return err
	})
}

func sarifDriver(in *Input) object {
	rules := []object{}
	if in.Verdict != nil {
		for _, r := range in.Verdict.Rules {
			means := r.Name
			if s, ok := gate.SpecOf(r.Name); ok {
				means = s.Means
			}
			_, limit := ruleValues(r)
			rules = append(rules, object{
				"id": r.Name, "shortDescription": object{"text": means},
				"defaultConfiguration": object{"level": sarifLevel(r)}, "properties": object{"limit": limit},
			})
		}
	}
	driver := object{"name": "fathom", "rules": rules}
	if in.Version != "" {
		driver["version"] = in.Version
	}
	return driver
}

func sarifLevel(r gate.Rule) string {
	if r.Severity == gate.Warn && r.Err == nil {
		return "warning"
	}
	return "error"
}
