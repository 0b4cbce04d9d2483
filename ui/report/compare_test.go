package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"fathom/analyzer"
	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

const comparisonSchema = "../../docs/comparison.schema.json"

// measured returns an image in the text form of testdata/images. Its layers are
// compressed.
func measured(t *testing.T, name, text string) compare.Side {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(imagetest.Gzip), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a.Report.Image.Reference, a.Report.Image.Source = name, "oci-archive"
	a.Report.Findings, a.Report.Packages = []facts.Finding{}, []facts.Package{}
	return compare.Side{Report: a.Report, Analysis: a}
}

func compared(t *testing.T, old, new compare.Side, opt CompareOptions) *CompareInput {
	t.Helper()
	c, err := compare.Compare(t.Context(), old, new)
	if err != nil {
		t.Fatal(err)
	}
	return &CompareInput{Comparison: c, CompareOptions: opt, Version: "1.2"}
}

// grown returns two images that differ in every way that fathom knows.
func grown(t *testing.T) (old, new compare.Side) {
	t.Helper()
	h := hostileName
	old = measured(t, "registry:shop/app:1", fmt.Sprintf("tag shop/app:1\nuser app\nenv PATH=/bin\nlayer ADD base /\n  file usr/lib/libc 90000xc\n  file etc/machine-id 32xa\n"+
		"layer RUN make\n  file srv/a 1000xa\n  file srv/gone 500xg\n  file %[1]q 10xa\n  file opt/old/x 3000xx\n  file mode 600 5xm\n  file time mtime=1 5xm\nlayer RUN clean\n  file etc/.wh.none\n", h))
	new = measured(t, "registry:shop/app:2", fmt.Sprintf("tag shop/app:2\nplatform linux/arm64\nenv PATH=/sbin %[2]q\nlabel a=b\nlayer ADD base /\n  file usr/lib/libc 90000xc\n  file etc/machine-id 32xa\n"+
		"layer RUN make\n  file srv/a 2500xa\n  file %[1]q 11xa\n  file opt/new/x 3000xx\n  file mode 644 5xm\n  file time mtime=2 5xm\nlayer COPY . /\n  file etc/machine-id 32xb\n  file app/1 700x1\n  file app/2 800x2\n", h, "E"+h+"="+h))
	version := func(name, v string, bytes int64) facts.Package {
		return facts.Package{Type: facts.TypeNPM, Name: name, Version: v, VisibleBytes: bytes, RemovedBy: -1}
	}
	old.Report.Packages = []facts.Package{version("up", "1.9", 10), version("down", "2.0", 20), version("gone", "1", 30), version(h, h, 5)}
	new.Report.Packages = []facts.Package{version("up", "1.10", 15), version("down", "1.9", 20), version("more", "1", 300), version(h, h+"2", 5)}
	find := func(rule, severity, path string, bytes int64) facts.Finding {
		return facts.Finding{
			Rule: rule, Severity: severity, Certainty: facts.CertainProven, Title: "what " + rule + " found in " + path, Bytes: bytes, Layers: []int{1}, Owner: facts.OwnerOwn,
			Fix: facts.Fix{Text: "change it", Lines: []string{"RUN " + path}}, Places: []facts.Place{{Path: path, Layer: 1, Bytes: bytes, Files: 1, HiddenBy: -1}},
		}
	}
	both := find("docs", "info", "/usr/share/doc", 50)
	old.Report.Findings = []facts.Finding{both, find("secret", "error", "/srv/gone", 0)}
	new.Report.Findings = []facts.Finding{both, find("leftover", "warn", "/"+h, 2500), find("secret", "error", "/app/1", 0)}
	new.Report.Totals.FindingsBytes = 2550
	old.Report.Totals.FindingsBytes = 50
	part := func(stored int64) *facts.Part {
		return &facts.Part{StoredBytes: stored, VisibleBytes: stored, Layers: 1}
	}
	for _, r := range []*facts.Report{old.Report, new.Report} {
		r.Totals.Base, r.Totals.Own = part(90_032), part(r.Totals.StoredBytes-90_032)
	}
	return old, new
}

// TestCompareGoldens compares every format with testdata/formats. To write them:
// go test ./ui/report -run TestCompareGoldens -update
func TestCompareGoldens(t *testing.T) {
	old, new := grown(t)
	all := CompareOptions{Details: true, Paths: true}
	for name, in := range map[string]*CompareInput{
		"compare":       compared(t, old, new, all),
		"compare-same":  compared(t, old, old, all),
		"compare-saved": compared(t, compare.Side{Report: old.Report}, new, CompareOptions{Details: true}),
		"compare-most":  compared(t, old, new, CompareOptions{Details: true, Most: 2}),
	} {
		file := filepath.Join("testdata", "formats", name+".txtar")
		a := &txtar.Archive{}
		for _, f := range CompareFormats() {
			var b bytes.Buffer
			if err := f.Write(&b, in); err != nil {
				t.Fatal(err)
			}
			a.Files = append(a.Files, txtar.File{Name: f.Name, Data: []byte(pageParts.ReplaceAllString(b.String(), ""))})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(a), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(txtar.Format(want)), string(txtar.Format(a))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCompareIsSafe checks that no format writes control characters or markup of an
// image, and that each writes the same bytes again.
func TestCompareIsSafe(t *testing.T) {
	old, new := grown(t)
	in := compared(t, old, new, CompareOptions{Details: true, Paths: true})
	for _, f := range CompareFormats() {
		var first, again bytes.Buffer
		for _, b := range []*bytes.Buffer{&first, &again} {
			if err := f.Write(b, in); err != nil {
				t.Fatal(err)
			}
		}
		if first.String() != again.String() {
			t.Errorf("%s differs the second time", f.Name)
		}
		if i := strings.IndexFunc(first.String(), func(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }); i >= 0 {
			t.Errorf("%s has %q", f.Name, first.String()[i:min(i+40, first.Len())])
		}
	}
	var page bytes.Buffer
	if err := CompareHTML(&page, in); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "<script") || !strings.Contains(page.String(), "&lt;script") {
		t.Error("the page has a script, or not the name that looks like one")
	}
}

// TestOverviewIsShort checks that the overview has at most 12 lines, and leaves out what
// is the same.
func TestOverviewIsShort(t *testing.T) {
	old, new := grown(t)
	in := compared(t, old, new, CompareOptions{})
	var names []string
	for _, f := range in.overview() {
		names = append(names, f.Name)
		if strings.Contains(f.Text, "\n") {
			t.Errorf("%s has several lines", f.Name)
		}
	}
	want := []string{"old", "new", "platform", "stored", "visible", "wasted", "pull", "files", "packages", "config", "layers", "findings"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := compared(t, new, new, CompareOptions{}).overview(); len(got) != 3 || got[2].Text != "nothing differs" {
		t.Errorf("got %v", got)
	}
}

func TestComparisonSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(comparisonSchema)
	if err != nil {
		t.Fatal(err)
	}
	old, new := grown(t)
	older := compare.Side{Report: &facts.Report{Image: old.Report.Image}} // without packages and findings
	validate := func(in *CompareInput, change func(map[string]any)) error {
		var b bytes.Buffer
		if err := CompareJSON(&b, in); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(v.(map[string]any))
		}
		return schema.Validate(v)
	}
	for name, in := range map[string]*CompareInput{
		"all": compared(t, old, new, CompareOptions{}), "same": compared(t, old, old, CompareOptions{}), "saved": compared(t, compare.Side{Report: old.Report}, new, CompareOptions{}),
		"older": compared(t, older, new, CompareOptions{}), "empty": compared(t, compare.Side{Report: &facts.Report{}}, compare.Side{Report: &facts.Report{}}, CompareOptions{}),
	} {
		if err := validate(in, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(map[string]any){
		"another schema": func(v map[string]any) { v["schema"] = 2 },
		"no totals":      func(v map[string]any) { delete(v, "totals") },
		"layers is null": func(v map[string]any) { v["layers"] = nil },
		"another change": func(v map[string]any) { v["files"].([]any)[0].(map[string]any)["change"] = "size" },
		"a state":        func(v map[string]any) { v["layers"].([]any)[0].(map[string]any)["state"] = "new" },
	} {
		if validate(compared(t, old, new, CompareOptions{}), change) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// TestComparisonSchemaHasEveryField checks that the schema has exactly the fields of a
// comparison, and requires those that are always written.
func TestComparisonSchemaHasEveryField(t *testing.T) {
	text, err := os.ReadFile(comparisonSchema)
	if err != nil {
		t.Fatal(err)
	}
	var schema node
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	compareFields(t, "comparison", reflect.TypeFor[facts.Comparison](), &schema)
}

// TestMarkerName checks that the marker of a comment can't end it, and finds the same
// image again.
func TestMarkerName(t *testing.T) {
	for name, want := range map[string]string{
		"ghcr.io/shop/app": "ghcr.io/shop/app", "a--b": "a-b", "--><script>": "script", "x -- y": "x-y", "": "", "ä/b": "/b",
	} {
		if got := markerName(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	old, new := grown(t)
	var b bytes.Buffer
	if err := CompareMarkdown(&b, compared(t, old, new, CompareOptions{})); err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(b.String(), "\n"); first != "<!-- fathom compare: shop/app -->" {
		t.Errorf("got %q", first)
	}
}

// TestCompareCommentFits checks that a comment about many changes is not too long, and
// says what it leaves out.
func TestCompareCommentFits(t *testing.T) {
	var text strings.Builder
	text.WriteString("layer RUN make\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "  file d%d/%s 1xa\n  file d%d/g %dxa\n", i, strings.Repeat("`", 200), i, i%7+1)
	}
	old, new := measured(t, "old", "layer RUN make\n"), measured(t, "new", text.String())
	for i := range 3000 {
		name := strings.Repeat("`", 300)
		new.Report.Packages = append(new.Report.Packages, facts.Package{Type: "npm", Name: fmt.Sprint(i) + name, Version: name, VisibleBytes: 1, RemovedBy: -1})
		new.Report.Findings = append(new.Report.Findings, facts.Finding{Rule: "docs", Severity: "warn", Title: name})
		new.Report.Image.Config.Env = append(new.Report.Image.Config.Env, fmt.Sprintf("A%d=%s", i, name))
	}
	var b bytes.Buffer
	if err := CompareMarkdown(&b, compared(t, old, new, CompareOptions{})); err != nil {
		t.Fatal(err)
	}
	if b.Len() > maxMarkdown+200 || strings.Count(b.String(), "- and 2990 more\n") != 3 {
		t.Errorf("%d bytes:\n%s", b.Len(), b.String()[:min(b.Len(), 5000)])
	}
}
