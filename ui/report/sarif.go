package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"

	"fathom/analyzer/gate"
)

type object map[string]any

// maxResults is the number of results that GitHub accepts in a run. It rejects a run
// with more.
const maxResults = 25_000

// sarifOmits says how many results are left out.
func sarifOmits(in *Input) string {
	if n := countProblems(in.Verdict); n > maxResults {
		return fmt.Sprintf("%d of %d results are left out, as GitHub refuses more than %d: --json lists all", n-maxResults, n, maxResults)
	}
	return ""
}

// SARIF writes the problems as SARIF 2.1.0. The location of each is the Dockerfile, as
// there is no better file, and its logical location is the path in the image. A
// fingerprint depends on image, Dockerfile, rule, path, cause and step. So a problem
// has the same alert in the next build, and another one for another image.
func SARIF(w io.Writer, in *Input) error {
	t := in.Report.Totals
	name := Safe(in.name())
	run := object{
		"automationDetails":  object{"id": "fathom/" + name + "/", "description": object{"text": in.title()}},
		"columnKind":         "unicodeCodePoints",
		"originalUriBaseIds": object{"%SRCROOT%": object{"description": object{"text": "the repository"}}},
		"properties": object{
			"image": Safe(in.Report.Image.Reference), "storedBytes": t.StoredBytes, "visibleBytes": t.VisibleBytes,
			"wastedBytes": t.WastedBytes, "efficiency": t.Efficiency,
		},
		"tool": object{"driver": sarifDriver(in)},
	}
	if omits := sarifOmits(in); omits != "" {
		run["invocations"] = []object{{
			"executionSuccessful":        true,
			"toolExecutionNotifications": []object{{"level": "warning", "message": object{"text": omits}}},
		}}
	}
	return buffered(w, func(b *bufio.Writer) error {
		b.WriteString("{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n  \"runs\": [{\n")
		for _, key := range slices.Sorted(maps.Keys(run)) {
			value, err := encode(run[key], "    ")
			if err != nil {
				return err
			}
			fmt.Fprintf(b, "    %q: %s,\n", key, value)
		}
		b.WriteString(`    "results": [`)
		result := func(f problem) any { return sarifResult(in, &f) }
		if _, err := writeElements(b, "      ", problems(in, maxResults), result); err != nil {
			return err
		}
		_, err := b.WriteString("]\n  }],\n  \"version\": \"2.1.0\"\n}\n")
		return err
	})
}

func sarifResult(in *Input, f *problem) object {
	o := object{
		"ruleId": f.rule.Name, "level": sarifLevel(f.rule.Rule), "message": object{"text": f.text},
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
	return o
}

func sarifDriver(in *Input) object {
	rules := []object{}
	if in.Verdict != nil {
		for i := range in.Verdict.Rules {
			r := &in.Verdict.Rules[i]
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

func sarifLevel(r *gate.Rule) string {
	if r.Severity == gate.Warn && r.Err == nil {
		return "warning"
	}
	return "error"
}
