package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

const hostileName = "/a</script><script>alert(1)</script>\"'`|`` @everyone #1 [x](http://x.example) www.x.example ::error::x%0A\r\n\x1b[2J\u202e\xff\ufffe&amp;<!--"

// hostile returns a report in which every text is hostile, and its verdict.
func hostile(t *testing.T) *Input {
	t.Helper()
	r := sample()
	r.Image.Reference, r.Image.Source, r.Image.Platform, r.Image.ID = hostileName, hostileName, hostileName, hostileName
	for i := range r.Layers {
		r.Layers[i].Command = "RUN " + hostileName
	}
	for i := range r.Waste {
		r.Waste[i].Path, r.Waste[i].PathBytes = hostileName, nil
	}
	for i := range r.Folders[1:] {
		r.Folders[i+1].Path, r.Folders[i+1].PathBytes = hostileName, nil
	}
	for i := range r.Packages {
		p := &r.Packages[i]
		p.Name, p.Version, p.Arch, p.Database, p.Modules = hostileName, hostileName, hostileName, hostileName, []string{hostileName}
	}
	for i := range r.Unowned.Folders {
		r.Unowned.Folders[i].Path, r.Unowned.Folders[i].PathBytes = hostileName, nil
	}
	r.Warnings = []facts.Warning{{Layer: 0, Path: hostileName, Text: hostileName}}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Title, f.Fix = hostileName, facts.Fix{Text: hostileName, Lines: []string{hostileName, "```", "~~~"}}
		for j := range f.Places {
			f.Places[j].Path, f.Places[j].PathBytes, f.Places[j].Redacted = hostileName, nil, hostileName
		}
	}
	return judged(t, r, gate.Limits{
		{Rule: gate.MaxWastedBytes, Unit: gate.Bytes, Number: 10, Severity: gate.Warn}, {Rule: gate.MaxSize, Unit: gate.Bytes, Number: 2_999_999},
		{Rule: gate.MaxLayers, Unit: gate.Count, Number: 2},
	})
}

func judged(t *testing.T, r *facts.Report, l gate.Limits) *Input {
	t.Helper()
	before := facts.Totals{StoredBytes: 2_000_000, VisibleBytes: 2_000_000, Efficiency: 1, Layers: 1}
	v, err := gate.Check(r, l, gate.Options{Baseline: since(t, r.Image.Reference, r, &facts.Report{Totals: before})})
	if err != nil {
		t.Fatal(err)
	}
	v.Config, v.Notes, v.Warnings = r.Image.Reference, []string{r.Image.Reference}, []string{r.Image.Reference}
	return &Input{Report: r, Verdict: &v, Version: "fathom v1.2.3-rc.1 (commit 12ab) go1.26.0 linux/amd64", Home: "https://example.com/fathom", Dockerfile: "docker/a b%,:.Dockerfile"}
}

func written(t *testing.T, format string, in *Input) string {
	t.Helper()
	f, ok := FormatOf(format)
	if !ok {
		t.Fatalf("no format %s", format)
	}
	var b bytes.Buffer
	if err := f.Write(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestFormatsAreSafeAndRepeat checks that no format writes control characters, and
// that each writes the same bytes every time, with and without a verdict.
func TestFormatsAreSafeAndRepeat(t *testing.T) {
	unjudged := hostile(t)
	unjudged.Verdict = nil
	for _, f := range Formats() {
		for name, in := range map[string]*Input{"judged": hostile(t), "unjudged": unjudged, "empty": {Report: &facts.Report{}}} {
			text := written(t, f.Name, in)
			if text != written(t, f.Name, in) {
				t.Errorf("%s, %s: not the same bytes twice", f.Name, name)
			}
			if !utf8.ValidString(text) {
				t.Errorf("%s, %s: no UTF-8", f.Name, name)
			}
			for _, r := range text {
				if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
					t.Errorf("%s, %s: holds %U", f.Name, name, r)
				}
			}
		}
	}
}

// TestFormatsFailWhole checks that every format returns an error of the writer,
// wherever it occurs, and that the existing file remains.
func TestFormatsFailWhole(t *testing.T) {
	full := errors.New("disk full")
	in := hostile(t)
	for _, f := range Formats() {
		size := len(written(t, f.Name, in))
		for _, room := range []int{0, 1, size / 2, size - 1} {
			dir := t.TempDir()
			path := filepath.Join(dir, "out")
			if err := os.WriteFile(path, []byte("before"), 0o666); err != nil {
				t.Fatal(err)
			}
			err := WriteFile(t.Context(), path, func(w io.Writer) error { return f.Write(&small{w, room, full}, in) })
			if !errors.Is(err, full) {
				t.Errorf("%s with room for %d of %d bytes: got %v", f.Name, room, size, err)
			}
			if text, _ := os.ReadFile(path); string(text) != "before" {
				t.Errorf("%s: the file is now %q", f.Name, text)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
				t.Errorf("%s: left behind: %v", f.Name, left)
			}
		}
	}
}

// small is a writer with room for a number of bytes.
type small struct {
	w    io.Writer
	room int
	err  error
}

func (s *small) Write(p []byte) (int, error) {
	if len(p) > s.room {
		return 0, s.err
	}
	s.room -= len(p)
	return s.w.Write(p)
}

// TestFormatsAgree checks that every format has the figures of the JSON.
func TestFormatsAgree(t *testing.T) {
	in := hostile(t)
	var r facts.Report
	if err := json.Unmarshal([]byte(written(t, "json", in)), &r); err != nil {
		t.Fatal(err)
	}
	stored, visible, wasted := r.Totals.StoredBytes, r.Totals.VisibleBytes, r.Totals.WastedBytes
	contains := func(format, text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%.3000s", format, want, text)
			}
		}
	}
	contains("text", written(t, "text", in), "stored       3.0 MB  "+Exact(stored), "visible      2.0 MB  "+Exact(visible), "wasted       1.0 MB  "+Exact(wasted), VerdictLine(in.Verdict))
	contains("markdown", written(t, "markdown", in), "| stored | 3.0 MB ("+Exact(stored)+") |", "| wasted | 1.0 MB ("+Exact(wasted)+") |",
		"| visible | 2.0 MB ("+Exact(visible)+") |", "**+1.0 MB** (\\+50.0%)", VerdictLine(in.Verdict), "- **900 kB** ")

	var suites junitSuites
	if err := xml.Unmarshal([]byte(written(t, "junit", in)), &suites); err != nil {
		t.Fatal(err)
	}
	s := suites.Suite
	if s.Tests != 3 || s.Failures != 1 || len(s.Cases) != 3 || s.Cases[2].Failure != nil {
		t.Errorf("junit: %+v", s)
	}
	for _, p := range s.Properties {
		if want, ok := map[string]int64{"storedBytes": stored, "visibleBytes": visible, "wastedBytes": wasted}[p.Name]; ok && p.Value != strconv.FormatInt(want, 10) {
			t.Errorf("junit: %s is %s", p.Name, p.Value)
		}
	}

	var sarif struct {
		Runs []struct {
			Properties struct{ StoredBytes, VisibleBytes, WastedBytes int64 }
			Results    []struct {
				RuleID, Level       string
				PartialFingerprints map[string]string
				Properties          struct{ Bytes int64 }
				Locations           []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(written(t, "sarif", in)), &sarif); err != nil {
		t.Fatal(err)
	}
	run := sarif.Runs[0]
	if run.Properties.StoredBytes != stored || run.Properties.VisibleBytes != visible || run.Properties.WastedBytes != wasted {
		t.Errorf("sarif: %+v", run.Properties)
	}
	sum, prints := map[string]int64{}, map[string]bool{}
	for _, x := range run.Results {
		sum[x.RuleID+" "+x.Level] += x.Properties.Bytes
		prints[x.PartialFingerprints["fathom/v1"]] = true
		if got := x.Locations[0].PhysicalLocation.ArtifactLocation.URI; got != "docker/a%20b%25,:.Dockerfile" {
			t.Errorf("sarif: stands at %s", got)
		}
	}
	if sum["max-wasted-bytes warning"] != wasted || sum["max-size error"] != stored || sum["removed-later warning"] != 900_000 || sum["docs note"] != 40_000 || len(prints) != len(run.Results) {
		t.Errorf("sarif: %v, %d fingerprints of %d results", sum, len(prints), len(run.Results))
	}

	var issues []issue
	if err := json.Unmarshal([]byte(written(t, "codequality", in)), &issues); err != nil {
		t.Fatal(err)
	}
	if len(issues) != len(run.Results) {
		t.Errorf("codequality: %d issues, %d in SARIF", len(issues), len(run.Results))
	}
	severities := map[string]string{"max-wasted-bytes": "minor", "max-size": "major", "removed-later": "minor", "docs": "info", "secret": "major"}
	for _, x := range issues {
		if !prints[x.Fingerprint] || x.Severity != severities[x.CheckName] || x.Location.Lines.Begin != 1 || x.Location.Path != in.Dockerfile {
			t.Errorf("codequality: %+v", x)
		}
	}
	contains("github", written(t, "github", in),
		"::error file=docker/a b%25%2C%3A.Dockerfile,line=1,title=fathom%3A max-size%3A /a</script>", "::max-size: "+Exact(stored)+", at most 2,999,999 bytes%0A",
		"::warning file=docker/a b%25%2C%3A.Dockerfile,line=1,title=fathom%3A max-wasted-bytes%3A /a</script>", "::max-wasted-bytes: "+Exact(wasted))

	page := written(t, "html", in)
	data := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	var d struct{ Waste, Folders [][]any }
	if err := json.Unmarshal([]byte(data[1]), &d); err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, w := range d.Waste {
		total += w[2].(float64)
	}
	if int64(total) != wasted || int64(d.Folders[0][1].(float64)) != visible || int64(d.Folders[0][2].(float64)) != wasted {
		t.Errorf("html: %v of waste, root %v", total, d.Folders[0])
	}
	contains("html", html.UnescapeString(page), Exact(stored), Exact(visible), Exact(wasted), "✗ "+result(in.Verdict))
}

func TestCodeQualityClean(t *testing.T) {
	r := sample()
	r.Findings, r.Totals.FindingsBytes = []facts.Finding{}, 0
	in := judged(t, r, gate.Limits{{Rule: gate.MaxLayers, Unit: gate.Count, Number: 2}})
	if got := written(t, "codequality", in); got != "[]\n" {
		t.Errorf("got %q", got)
	}
	if got := written(t, "github", in); got != "" {
		t.Errorf("got %q", got)
	}
}

// TestMarkdownIsSafe checks that names of an image are in code spans only.
func TestMarkdownIsSafe(t *testing.T) {
	text := written(t, "markdown", hostile(t))
	runs := regexp.MustCompile("`+")
	fence := regexp.MustCompile("^ *(```+)$")
	spans, blocks, open := 0, 0, ""
	for _, line := range strings.Split(text, "\n") {
		// A block of lines to paste ends at a fence of the same length.
		if m := fence.FindStringSubmatch(line); m != nil && (open == "" || m[1] == open) {
			open = map[bool]string{true: m[1]}[open == ""]
			blocks++
			continue
		} else if open != "" {
			if len(runs.FindString(line)) >= len(open) {
				t.Errorf("a block ends at %s", line)
			}
			continue
		}
		// A run of backticks ends at the next one of the same length.
		outside := ""
		for {
			open := runs.FindStringIndex(line)
			if open == nil {
				break
			}
			outside += line[:open[0]]
			rest, end := line[open[1]:], -1
			for _, m := range runs.FindAllStringIndex(rest, -1) {
				if m[1]-m[0] == open[1]-open[0] {
					end = m[1]
					break
				}
			}
			if end < 0 {
				t.Fatalf("a code span stays open: %s", line)
			}
			line = rest[end:]
			spans++
		}
		outside += line
		for _, word := range []string{"@everyone", "#1", "http:", "www.", "<script", "alert"} {
			if strings.Contains(outside, word) {
				t.Errorf("%q outside of code: %s", word, outside)
			}
		}
	}
	if spans < 10 || blocks != 4 || open != "" {
		t.Errorf("%d code spans, %d fences", spans, blocks)
	}
}

func TestMarkdownFits(t *testing.T) {
	in := denying(t, 100, strings.Repeat("`|", 5000))
	for i := range 5000 {
		in.Report.Warnings = append(in.Report.Warnings, facts.Warning{Layer: 0, Path: strings.Repeat("`|", 5000), Text: fmt.Sprint(i)})
		in.Report.Layers = append(in.Report.Layers, facts.Layer{Index: i, Command: strings.Repeat("`", 1000)})
	}
	for range 1000 {
		in.Verdict.Notes = append(in.Verdict.Notes, strings.Repeat("`", 200)+strings.Repeat("世", 90))
	}
	text := written(t, "markdown", in)
	if len(text) > 65536 || !strings.Contains(text, "_Cut here to fit a comment") {
		t.Errorf("%d bytes, ends in %q", len(text), text[len(text)-100:])
	}
	if !strings.HasPrefix(text, "## ❌ fail: ") || !strings.Contains(text, "### Denied: deny-layer-path\n") || !strings.Contains(text, "- and 980 more\n") {
		t.Errorf("begins with %.80q", text)
	}
}

// denying returns an image with a number of denied keys below a folder and far more
// waste, judged by every rule.
func denying(t testing.TB, keys int, folder string) *Input {
	t.Helper()
	r := sample()
	r.Totals.CompressedBytes = 1
	for _, name := range []string{"one", "two"} {
		r.Packages = append(r.Packages, facts.Package{Type: facts.TypeDeb, Name: name, Version: "1", Database: "/var/lib/dpkg/status", VisibleBytes: 1000, RemovedBy: -1, Layers: []facts.PackageLayer{}})
	}
	files := func(yield func(gate.File) bool) {
		for i := range keys {
			if !yield(gate.File{Path: fmt.Sprintf("/srv/%s/%06d.key", folder, i), Bytes: 1, Layer: i % 2, HiddenBy: -1}) {
				return
			}
		}
		yield(gate.File{Path: "/etc/shadow", Bytes: 0, Layer: 1, HiddenBy: -1})
	}
	r.Folders = []facts.Folder{{Path: "/"}, {Path: "/srv", VisibleBytes: 1}}
	r.Base, r.Totals.Own = &facts.Base{}, &facts.Part{StoredBytes: r.Totals.StoredBytes, WastedBytes: r.Totals.WastedBytes, VisibleBytes: r.Totals.VisibleBytes, Layers: len(r.Layers)}
	for i := range r.Layers {
		r.Layers[i].DiffID = fmt.Sprint("sha256:", i)
	}
	before := &facts.Report{Totals: facts.Totals{Efficiency: 1, Own: &facts.Part{}}, Packages: []facts.Package{}, Folders: []facts.Folder{{Path: "/srv"}}}
	var l gate.Limits
	for _, s := range gate.Specs() {
		x := gate.Limit{Rule: s.Name, Unit: s.Unit}
		if s.Form == gate.Folders {
			x.Folders = []gate.Folder{{Glob: "/srv/**"}}
		}
		if s.AtLeast {
			x.Ratio = 1
		}
		if s.Form == gate.Globs {
			x.Globs = []string{"*.key", "/etc/shadow", "/none"}
			if s.AboutPackages() {
				x.Globs = []string{"deb:*", "npm:none"}
			}
		}
		if s.Form == gate.Names {
			x.Names = []string{"error"}
			if s.Name == gate.Require {
				x.Names = []string{gate.Reproducible}
			}
		}
		l = append(l, x)
	}
	v, err := gate.Check(r, l, gate.Options{Files: files, Baseline: since(t, "old", r, before)})
	if err != nil {
		t.Fatal(err)
	}
	r.Base, r.Totals.Own, r.Folders = nil, nil, nil
	if v.Failed() != len(gate.Specs()) {
		t.Fatalf("%d rules fail of %d", v.Failed(), len(gate.Specs()))
	}
	return &Input{Report: r, Verdict: &v, Version: "1.2"}
}

// TestNothingIsDropped checks that formats for programs list every offender. Formats
// for people list denied paths first, whatever their size: some of each glob, and the
// number of the others.
func TestNothingIsDropped(t *testing.T) {
	const keys = 40
	in := denying(t, keys, "keys")
	paths := func(text string) int {
		n := 0
		for i := range keys {
			if strings.Contains(text, fmt.Sprintf("/srv/keys/%06d.key", i)) {
				n++
			}
		}
		if !strings.Contains(text, "/etc/shadow") {
			t.Error("/etc/shadow is dropped")
		}
		return n
	}
	for _, format := range []string{"json", "sarif", "codequality", "junit", "html"} {
		if n := paths(written(t, format, in)); n != keys {
			t.Errorf("%s lists %d of %d keys", format, n, keys)
		}
	}
	// Formats for people list the first 20 of 41 paths and count the others.
	for format, want := range map[string]struct{ before, more string }{
		"text":     {"\nFAIL  min-efficiency", "in 21 more: --json lists all"},
		"markdown": {"### Largest offenders", "\n- and 21 more\n"},
		"github":   {"title=fathom%3A min-efficiency", "%0Aand 21 more: --json lists all\n"},
	} {
		text := written(t, format, in)
		denied, _, ok := strings.Cut(text, want.before)
		if n := paths(denied); !ok || n != 19 || strings.Count(denied, want.more) != 2 {
			t.Errorf("%s lists %d keys first in\n%s", format, n, denied)
		}
	}
	// Of more than ten broken rules, the GitHub format shows those of findings and
	// denied paths, and names the rules that it leaves out.
	text := written(t, "github", in)
	if n := strings.Count("\n"+text, "\n::error "); n != 10 || !strings.HasPrefix(text, "::error file=Dockerfile,line=1,title=fathom%3A fail-on-finding%3A ") {
		t.Errorf("%d annotations, first %.80s", n, text)
	}
	var more []string
	for _, s := range gate.Specs() {
		more = append(more, s.Name)
	}
	more = slices.DeleteFunc(more, func(name string) bool {
		return name == gate.DenyPath || name == gate.DenyLayerPath || name == gate.DenyPackage || name == gate.FailOnFinding
	})[maxAnnotations-5:]
	if want := "::also: " + strings.Join(more, ", ") + ", secret\n"; !strings.Contains(text, want) {
		t.Errorf("ends in %s, want %s", text[len(text)-80:], want)
	}
}

// TestPackageOffenders checks that each format names packages that break a rule, and
// that their names can't do harm.
func TestPackageOffenders(t *testing.T) {
	r := sample()
	for _, name := range []string{"one", "a\x1b[2J\u202e<script>`|@x"} {
		r.Packages = append(r.Packages, facts.Package{Type: facts.TypeNPM, Name: name, Version: "1.2", Database: "/app/" + name, VisibleBytes: 1000, RemovedBy: -1, Layers: []facts.PackageLayer{}})
	}
	in := judged(t, r, gate.Limits{{Rule: gate.MaxPackageSize, Unit: gate.Bytes}, {Rule: gate.DenyPackage, Unit: gate.Count, Globs: []string{"npm:*"}}})
	for _, format := range []string{"text", "json", "markdown", "html", "junit", "sarif", "codequality", "github"} {
		text := written(t, format, in)
		name := "npm:one 1.2 of /app/one"
		if format == "json" {
			name = `"package":"npm:one","version":"1.2"`
		}
		if n := strings.Count(text, name); n == 0 || n == 1 && format != "markdown" || strings.ContainsAny(text, "\x1b\u202e") || (format == "html" || format == "junit") && strings.Contains(text, "<script>`") {
			t.Errorf("%s has %q %d times in\n%s", format, name, n, text)
		}
	}
}

// TestManyDenied writes more denied paths than GitHub accepts results. Each format has
// all of them, or as many as its readers accept and the number of the others.
func TestManyDenied(t *testing.T) {
	const keys = 13_000 // for each of two rules
	in := denying(t, keys, "keys")
	var sarif struct {
		Runs []struct {
			Results     []struct{ RuleID string }
			Invocations []struct {
				ToolExecutionNotifications []struct{ Message struct{ Text string } }
			}
		}
	}
	if err := json.Unmarshal([]byte(written(t, "sarif", in)), &sarif); err != nil {
		t.Fatal(err)
	}
	run, rules := sarif.Runs[0], map[string]int{}
	for _, x := range run.Results {
		rules[x.RuleID]++
	}
	if len(run.Results) != maxResults || len(rules) != len(gate.Specs())+len(in.Report.Findings) {
		t.Errorf("sarif: %d results of %v", len(run.Results), rules)
	}
	f, _ := FormatOf("sarif")
	omits := f.Omits(in)
	all := countProblems(in)
	left := fmt.Sprintf("%d of %d results are left out, as GitHub refuses more than 25000: ", all-25_000, all)
	if got := run.Invocations[0].ToolExecutionNotifications[0].Message.Text; got != omits || !strings.HasPrefix(got, left) {
		t.Errorf("sarif says %q, and elsewhere %q", got, omits)
	}
	if got := f.Omits(denying(t, 40, "x")); got != "" {
		t.Errorf("40 are too many: %q", got)
	}
	var issues []issue
	if err := json.Unmarshal([]byte(written(t, "codequality", in)), &issues); err != nil {
		t.Fatal(err)
	}
	prints := map[string]bool{}
	for _, x := range issues {
		prints[x.Fingerprint] = true
	}
	if len(issues) != countProblems(in) || len(prints) != len(issues) || len(issues) < 2*keys {
		t.Errorf("codequality: %d issues with %d fingerprints", len(issues), len(prints))
	}
	var suites junitSuites
	if err := xml.Unmarshal([]byte(written(t, "junit", in)), &suites); err != nil {
		t.Fatal(err)
	}
	for _, c := range suites.Suite.Cases {
		if n := strings.Count(c.Failure.Text, ".key, in layer"); c.Class == "fathom.shop/app.deny-path" && n != keys {
			t.Errorf("junit: %s lists %d", c.Name, n)
		}
	}
	// A text that is too long ends with the number of missing paths.
	rule := &rulesOf(in.Verdict)[1] // behind fail-on-finding
	for _, most := range []int{100, 1000, 100_000} {
		text := ruleText(rule, rule.All(), most)
		listed := strings.Count(text, ", in layer")
		if end := fmt.Sprintf("\nand %d more: --json lists all", keys+1-listed); len(text) > most || listed == 0 && most > 100 || !strings.HasSuffix(text, end) {
			t.Errorf("%d bytes of %d, lists %d, ends in %q", len(text), most, listed, text[max(0, len(text)-60):])
		}
	}
}

// TestFingerprints checks that a problem of an image keeps its fingerprint from build
// to build, and that other images and Dockerfiles have other fingerprints.
func TestFingerprints(t *testing.T) {
	prints := func(change func(*Input)) string {
		in := denying(t, 3, "keys")
		in.Report.Layers[0].Command = "COPY dir:" + strings.Repeat("a", 64) + " in /"
		change(in)
		var all []string
		for f := range problems(in, maxResults) {
			all = append(all, f.print)
		}
		return strings.Join(all, " ")
	}
	first := prints(func(*Input) {})
	for name, change := range map[string]func(*Input){
		"again":        func(*Input) {},
		"another tag":  func(in *Input) { in.Report.Image.Tags = []string{"shop/app:1.5", "shop/app:latest"} },
		"another file": func(in *Input) { in.Report.Image.Reference = "/tmp/runner-7/app.tar" },
		"another ID":   func(in *Input) { in.Report.Image.ID = "sha256:bb" },
		"pulled by name": func(in *Input) {
			in.Report.Image.Reference, in.Report.Image.Tags = "shop/app:1.5", []string{"a/b:1", "shop/app:1.5"}
		},
		"a name from an engine": func(in *Input) {
			in.Report.Image.Reference, in.Report.Image.Tags = "docker:app", []string{"a/b:1", "shop/app:latest"}
		},
		"a digest": func(in *Input) {
			in.Report.Image.Reference, in.Report.Image.Tags = "shop/app@sha256:"+strings.Repeat("c", 64), nil
		},
	} {
		if prints(change) != first {
			t.Errorf("%s: other fingerprints", name)
		}
	}
	seen := map[string]string{first: "first"}
	for name, change := range map[string]func(*Input){
		"another image":      func(in *Input) { in.Report.Image.Tags = []string{"shop/worker:1.4"} },
		"no tags":            func(in *Input) { in.Report.Image.Tags = nil },
		"another archive":    func(in *Input) { in.Report.Image.Tags, in.Report.Image.Reference = nil, "worker.tar" },
		"another folder":     func(in *Input) { in.Report.Image.Tags, in.Report.Image.Reference = nil, "worker/app.tar" },
		"another Dockerfile": func(in *Input) { in.Dockerfile = "worker/Dockerfile" },
	} {
		got := prints(change)
		if seen[got] != "" {
			t.Errorf("%s: the fingerprints of %s", name, seen[got])
		}
		seen[got] = name
	}
}

// TestStableStep checks that stableStep removes the hashes that docker's older builder
// puts into COPY, which change with every build.
func TestStableStep(t *testing.T) {
	for _, hash := range []string{"0", "f"} {
		if got := stableStep("/bin/sh -c #(nop) COPY dir:" + strings.Repeat(hash, 64) + " in /app "); got != "COPY dir in /app" {
			t.Errorf("got %q", got)
		}
	}
}

// TestTitles checks that every format names the image with its tag.
func TestTitles(t *testing.T) {
	in := denying(t, 1, "keys")
	in.Report.Image.Reference = "app.tar"
	for format, want := range map[string]string{
		"text":        "tags        shop/app:1.4\n",
		"json":        `"shop/app:1.4"`,
		"markdown":    "## ❌ fail: ` app.tar (shop/app:1.4) `\n",
		"html":        "<title>fathom: app.tar (shop/app:1.4)</title>",
		"junit":       `<testsuite name="fathom: app.tar (shop/app:1.4)"`,
		"sarif":       `"message":{"text":"app.tar (shop/app:1.4): deny-path: `,
		"codequality": `"description":"app.tar (shop/app:1.4): deny-path: `,
		"github":      "title=fathom%3A deny-path%3A app.tar (shop/app%3A1.4)::",
	} {
		if text := written(t, format, in); !strings.Contains(text, want) {
			t.Errorf("%s: no %q in %.400s", format, want, text)
		}
	}
	for _, tt := range []struct {
		reference string
		tags      []string
		want      string
	}{
		{"app.tar", nil, "app.tar"},
		{"app", []string{"docker.io/library/app:latest"}, "app (docker.io/library/app:latest)"},
		{"app:1", []string{"docker.io/library/app:1", "docker.io/library/app:2"}, "app:1"},
		{"docker:app:1", []string{"docker.io/library/app:1"}, "docker:app:1"},
		{"app.tar", []string{"a:1", "b:1", "c:1", "d:1", "e:1"}, "app.tar (a:1, b:1, c:1 and 2 more)"},
		{"a\x1b", []string{"b\x1b"}, `a\x1b (b\x1b)`},
	} {
		in.Report.Image.Reference, in.Report.Image.Tags = tt.reference, tt.tags
		if got := in.title(); got != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.reference, tt.tags, got, tt.want)
		}
	}
}

// TestGitHubLimit checks the number of annotations: GitHub shows ten of each kind.
func TestGitHubLimit(t *testing.T) {
	v := gate.Verdict{}
	for i := range 25 {
		v.Rules = append(v.Rules, gate.Rule{Name: fmt.Sprintf("rule-%d", i), Unit: gate.Bytes, Severity: gate.Severity(i % 2),
			Offenders: []gate.Offender{{Path: "/" + strings.Repeat("x", 20_000), HiddenBy: -1}}})
	}
	text := written(t, "github", &Input{Report: sample(), Verdict: &v})
	for _, kind := range []string{"::error ", "::warning "} {
		if n := strings.Count("\n"+text, "\n"+kind); n != 10 {
			t.Errorf("%d of %s", n, kind)
		}
	}
	if !strings.Contains(text, "also: rule-18, rule-20, rule-22, rule-24, secret\n") {
		t.Errorf("the others aren't named:\n%s", text[len(text)-300:])
	}
	for line := range strings.Lines(text) {
		if len(line) > 5000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

// TestJUnitSchema needs the file of the schema of Ant's JUnit reports in
// FATHOM_JUNIT_SCHEMA.
func TestJUnitSchema(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint isn't there: Debian's libxml2-utils has it")
	}
	args := []string{"--noout"}
	if schema := os.Getenv("FATHOM_JUNIT_SCHEMA"); schema != "" {
		args = append(args, "--schema", schema)
	}
	early := hostile(t)
	early.Report.Image.Created = nil
	for name, in := range map[string]*Input{"hostile": hostile(t), "early": early, "empty": {Report: &facts.Report{}}} {
		c := exec.Command(xmllint, append(args, "-")...)
		c.Stdin = strings.NewReader(written(t, "junit", in))
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
