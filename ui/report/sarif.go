package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

type object map[string]any

// maxResults is the number of results that GitHub accepts in a run. It rejects a run
// with more.
const maxResults = 25_000

// sarifOmits says how many results are left out.
func sarifOmits(in *Input) string {
	if n := countProblems(in); n > maxResults {
		return fmt.Sprintf("%d of %d results are left out, as GitHub refuses more than %d: --json lists all", n-maxResults, n, maxResults)
	}
	return ""
}

// SARIF writes the problems as SARIF 2.1.0: a result for each offender of a broken rule
// and for each place of a finding. The location of each is the Dockerfile, as there is no
// better file, and its logical location is the path in the image. A fingerprint depends
// on image, Dockerfile, rule, path, cause and step. So a problem has the same alert in
// the next build, and another one for another image.
func SARIF(w io.Writer, in *Input) error {
	t := in.Report.Totals
	name := Safe(in.name())
	rules := sarifRules(in)
	index := map[string]int{}
	for i, r := range rules {
		index[r["id"].(string)] = i
	}
	run := object{
		"automationDetails":  object{"id": "fathom/" + name + "/", "description": object{"text": in.title()}},
		"columnKind":         "unicodeCodePoints",
		"originalUriBaseIds": object{"%SRCROOT%": object{"description": object{"text": "the repository"}}},
		"properties": object{
			"image": Safe(in.Report.Image.Reference), "storedBytes": t.StoredBytes, "visibleBytes": t.VisibleBytes,
			"wastedBytes": t.WastedBytes, "efficiency": t.Efficiency, "findingsBytes": t.FindingsBytes,
		},
		"tool": object{"driver": sarifDriver(in, rules)},
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
		result := func(x problem) any { return sarifResult(in, &x, index) }
		if _, err := writeElements(b, "      ", problems(in, maxResults), result); err != nil {
			return err
		}
		_, err := b.WriteString("]\n  }],\n  \"version\": \"2.1.0\"\n}\n")
		return err
	})
}

func sarifResult(in *Input, x *problem, index map[string]int) object {
	o := object{
		"ruleId": x.id, "level": x.level, "message": object{"text": x.text},
		"partialFingerprints": object{"primaryLocationLineHash": x.print + ":1", "fathom/v1": x.print},
	}
	if i, ok := index[x.id]; ok { // a saved report can have findings of rules that this version doesn't know
		o["ruleIndex"] = i
	}
	place := object{"physicalLocation": object{
		"artifactLocation": object{"uri": x.lines.uri(), "uriBaseId": "%SRCROOT%"}, "region": object{"startLine": x.lines.begin, "endLine": x.lines.end},
	}}
	if at := x.where; at != nil {
		properties := object{"bytes": at.bytes}
		if at.stored >= 0 {
			properties["storedIn"] = at.stored
		}
		if at.hidden >= 0 {
			properties["hiddenBy"] = at.hidden
		}
		if at.path != "" {
			place["logicalLocations"] = []object{{"fullyQualifiedName": Safe(at.path), "kind": "resource"}}
		}
		o["properties"] = properties
	}
	if s := x.suppressed; s != nil {
		o["suppressions"] = []object{{"kind": "external", "status": "accepted", "justification": Safe(s.Reason)}}
	}
	o["locations"] = []object{place}
	return o
}

// sarifRules returns the rules of the verdict, and those that have findings.
func sarifRules(in *Input) []object {
	rules := []object{}
	if in.Verdict != nil {
		for i := range in.Verdict.Rules {
			r := &in.Verdict.Rules[i]
			x := rule{Rule: r, Result: word(in.Verdict, r)}
			means, more := r.Name, "See docs/gate.md."
			if s, ok := gate.SpecOf(r.Name); ok {
				means = s.Means
				if s.Note != "" {
					more = s.Note + ". " + more
				}
			}
			_, limit := RuleValues(r)
			level := "error"
			if x.Severity == gate.Warn {
				level = "warning"
			}
			rules = append(rules, in.sarifRule(r.Name, asSentence(means), asSentence(more), "", level, object{"limit": limit + ofNames(r)}))
		}
	}
	for _, r := range advice.Rules() {
		if !slices.ContainsFunc(in.Report.Findings, func(f facts.Finding) bool { return f.Rule == r.Name }) {
			continue
		}
		rules = append(rules, in.sarifRule(r.Name, r.Means, r.Why, r.Help(), levels()[r.Severity], object{"tags": []string{"image"}}))
	}
	return rules
}

// sarifRule returns the description of a rule. help is Markdown, in addition to why it
// matters.
func (in *Input) sarifRule(name, means, why, help, level string, properties object) object {
	whole := means + " " + why
	text := whole
	if help != "" {
		text += "\n\n" + help
	}
	o := object{
		"id": name, "name": pascal(name), "shortDescription": object{"text": means}, "fullDescription": object{"text": whole},
		"help":                 object{"text": text, "markdown": text},
		"defaultConfiguration": object{"level": level}, "properties": properties,
	}
	if in.Home != "" {
		doc := "findings.md#" + name
		if _, ok := gate.SpecOf(name); ok {
			doc = "gate.md#rules"
		}
		o["helpUri"] = in.Home + "/blob/HEAD/docs/" + doc
	}
	return o
}

// asSentence returns a clause as a sentence.
func asSentence(clause string) string {
	return strings.ToUpper(clause[:1]) + strings.TrimSuffix(clause[1:], ".") + "."
}

// pascal returns "MaxSize" for "max-size".
func pascal(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// release matches the version of a build that has one: "fathom v1.2.3 (...".
var release = regexp.MustCompile(`^fathom v(\d+\.\d+\.\d+[-+.0-9A-Za-z]*)`)

func sarifDriver(in *Input, rules []object) object {
	driver := object{"name": "fathom", "rules": rules}
	if in.Version != "" {
		version := "0.0.0"
		if m := release.FindStringSubmatch(in.Version); m != nil {
			version = m[1]
		}
		driver["fullName"], driver["version"], driver["semanticVersion"] = in.Version, version, version
	}
	if in.Home != "" {
		driver["informationUri"] = in.Home
	}
	return driver
}
