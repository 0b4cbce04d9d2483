package compare

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// side returns an image in the text form of testdata/images.
func side(t *testing.T, text string, c imagetest.Compression) Side {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(c), analyzer.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return Side{a.Report, a}
}

func compared(t *testing.T, old, new Side) *Comparison {
	t.Helper()
	c, err := Compare(t.Context(), old, new)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// describe describes what differs, a line each.
func describe(c *Comparison) string {
	var out []string
	for f := range c.Files() {
		s := f.Change + " " + f.Path
		if f.From != "" {
			s += " from " + f.From
		}
		s += fmt.Sprintf(" %d->%d", f.OldBytes, f.NewBytes)
		if len(f.Also) > 0 {
			s += " also " + strings.Join(f.Also, ",")
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

func TestFiles(t *testing.T) {
	const layer = "layer RUN make\n"
	for _, tt := range []struct{ name, old, new, want string }{
		{"the same", layer + "  file a 10xa\n", layer + "  file a 10xa\n", ""},
		{"the same in other layers", layer + "  file a 10xa\n  file b 1xb\n", layer + "  file b 1xb\n  file c 5xc\n" + layer + "  file a 10xa\n  file .wh.c\n", ""},
		{"added and removed", layer + "  file a 10xa\n  dir d/\n  file d/x 3xx\n", layer + "  file b 20xb\n  dir e/\n", `
removed /a 10->0
added /b 0->20
removed /d 0->0
removed /d/x 3->0
added /e 0->0`},
		{"content", layer + "  file a 10xa\n  file b 5xb\n", layer + "  file a 10xc\n  file b 6xb\n", `
content /a 10->10
content /b 5->6`},
		{"metadata", layer + "  file a 644 0:0 10xa\n  file b 644 0:0 10xb\n  file c 10xc\n", layer + "  file a 600 1:0 10xa\n  file b 644 0:2 10xb\n  file c 600 11xc\n", `
mode /a 10->10 also owner
owner /b 10->10
content /c 10->11 also mode`},
		{"kinds and links", layer + "  file a 10xa\n  symlink b -> a\n  symlink c -> a\n", layer + "  dir a/\n  file a/x 1xx\n  symlink b -> c\n  file c 1xc\n", `
kind /a 10->0
added /a/x 0->1
link /b 0->0
kind /c 0->1`},
		{"a renamed file", layer + "  dir a/\n  file a/x 10xa\n  dir b/\n", layer + "  dir a/\n  dir b/\n  file b/y 10xa\n", `
renamed /b/y from /a/x 10->10`},
		{"a renamed folder", layer + "  dir a/\n  dir a/d/\n  file a/d/x 10xa\n  file a/y 20xy\n", layer + "  dir b/\n  dir b/d/\n  file b/d/x 10xa\n  file b/y 20xy\n", `
renamed /b from /a 0->0
renamed /b/d from /a/d 0->0
renamed /b/d/x from /a/d/x 10->10
renamed /b/y from /a/y 20->20`},
		{"names decide which was renamed", layer + "  file a/x 10xa\n  file a/y 10xa\n", layer + "  file b/y 10xa\n  file b/x 10xa\n", `
renamed /b from /a 0->0
renamed /b/x from /a/x 10->10
renamed /b/y from /a/y 10->10`},
		{"hard links", layer + "  file a 10xa\n  file b 10xa\n", layer + "  file a 10xa\n  link b -> a\n", `
link /b 10->0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, compression := range []imagetest.Compression{imagetest.None, imagetest.Gzip} {
				c := compared(t, side(t, tt.old, imagetest.None), side(t, tt.new, compression))
				if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), describe(c)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

// randomImages returns the texts of two images that have much in common.
func randomImages(rnd *rand.Rand) (old, new string) {
	pick := func(s ...string) string { return s[rnd.IntN(len(s))] }
	path := func() string { return pick("", "d/", "d/e/", "f/", "g/") + pick("1", "2", "3") }
	layers := func(n int) (out []string) {
		for range n {
			b := "layer " + pick("RUN a", "RUN b", "COPY . /") + "\n"
			for range rnd.IntN(8) {
				p := path()
				switch rnd.IntN(8) {
				case 0:
					i := strings.LastIndexByte(p, '/') + 1
					b += fmt.Sprintf("  file %s.wh.%s\n", p[:i], p[i:])
				case 1:
					b += fmt.Sprintf("  file %s.wh..wh..opq\n", pick("d/", "f/"))
				case 2:
					b += fmt.Sprintf("  link %s -> %s\n", p, path())
				case 3:
					b += fmt.Sprintf("  symlink %s -> %s\n", p, pick("a", "b"))
				default:
					b += fmt.Sprintf("  file %s %s %s %s\n", p, pick("644", "755"), pick("0:0", "1:1"), pick("10xa", "10xb", "20xc", "0xx"))
				}
			}
			out = append(out, b)
		}
		return out
	}
	common := layers(rnd.IntN(3))
	return strings.Join(append(slices.Clone(common), layers(rnd.IntN(3))...), "") + "layer RUN z\n", strings.Join(append(slices.Clone(common), layers(rnd.IntN(3))...), "") + "layer RUN z\n"
}

// TestRandom compares random images with a plain comparison of all paths.
func TestRandom(t *testing.T) {
	rnd := rand.New(rand.NewPCG(14, 1))
	for range 400 {
		oldText, newText := randomImages(rnd)
		compressions := []imagetest.Compression{imagetest.None, imagetest.Zstd}
		old, new := side(t, oldText, compressions[rnd.IntN(2)]), side(t, newText, compressions[rnd.IntN(2)])
		c := compared(t, old, new)
		got, bytes, count := map[string]string{}, int64(0), 0
		for f := range c.Files() {
			if got[f.Path] != "" {
				t.Errorf("%s is listed twice", f.Path)
			}
			got[f.Path] = f.Change
			if f.From != "" {
				if got[f.From] == "" {
					got[f.From] = "removed" // it may be listed as something else, too: a folder in its place is not
				}
				got[f.Path] = "added"
			}
			bytes += f.NewBytes - f.OldBytes
			count++
		}
		if diff := cmp.Diff(naive(t, old.Analysis, new.Analysis), got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if want := new.Report.Totals.VisibleBytes - old.Report.Totals.VisibleBytes; bytes != want {
			t.Errorf("the changes add up to %d bytes, the images to %d", bytes, want)
		}
		for _, r := range c.Rows() {
			count -= r.Count
			bytes -= r.NewBytes - r.OldBytes
		}
		if count != 0 || bytes != 0 {
			t.Errorf("the rows leave out %d changes and %d bytes", count, bytes)
		}
		checkLayers(t, c)
		if t.Failed() {
			t.Fatalf("old:\n%s\nnew:\n%s", oldText, newText)
		}
	}
}

// checkLayers checks that every layer of both images is in one pair, in order.
func checkLayers(t *testing.T, c *Comparison) {
	t.Helper()
	seen := map[int]bool{}
	next := 0
	for _, p := range c.Facts.Layers {
		if p.New >= 0 && p.New != next {
			t.Errorf("layer %d of the new image comes after layer %d", p.New, next-1)
		}
		if p.New >= 0 {
			next = p.New + 1
		}
		if p.Old >= 0 && seen[p.Old] {
			t.Errorf("layer %d of the old image is in two pairs", p.Old)
		}
		seen[p.Old] = true
	}
	delete(seen, -1)
	if next != len(c.New.Report.Layers) || len(seen) != len(c.Old.Report.Layers) {
		t.Errorf("the pairs have %d and %d layers: %+v", len(seen), next, c.Facts.Layers)
	}
}

// naive compares all paths of two images.
func naive(t *testing.T, old, new *analyzer.Analysis) map[string]string {
	all := [2]map[string]filetree.State{{}, {}}
	for i, a := range []*analyzer.Analysis{old, new} {
		for n := range filetree.Node(a.Tree.Len()) {
			if s, ok := a.Tree.At(n, a.Tree.Layers()-1); ok {
				all[i][a.Tree.Path(n)] = s
			}
		}
	}
	out := map[string]string{}
	for path := range all[0] {
		if _, ok := all[1][path]; !ok {
			out[path] = "removed"
		}
	}
	for path, b := range all[1] {
		a, ok := all[0][path]
		first := func(an *analyzer.Analysis, s filetree.State) bool {
			n, _ := an.Tree.Lookup(path)
			return an.Tree.Names(s.Content, an.Tree.Layers()-1)[0] == n
		}
		switch {
		case !ok:
			out[path] = "added"
		case a.Kind != b.Kind:
			out[path] = "kind"
		case a.Kind == layer.File && text(t, old, a.Content) != text(t, new, b.Content):
			out[path] = "content"
		case a.Mode != b.Mode && a.Kind != layer.Symlink:
			out[path] = "mode"
		case a.UID != b.UID || a.GID != b.GID:
			out[path] = "owner"
		case a.ModTime != b.ModTime && !a.Implied && !b.Implied:
			out[path] = "mtime"
		case a.Target != b.Target, a.Kind == layer.File && a.Size > 0 && first(old, a) != first(new, b):
			out[path] = "link"
		}
	}
	return out
}

func text(t *testing.T, a *analyzer.Analysis, c filetree.Content) string {
	r, err := a.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestPull checks what a machine with the old image must download.
func TestPull(t *testing.T) {
	layer := func(digest, diffID string, compressed int64) facts.Layer {
		return facts.Layer{Digest: digest, DiffID: diffID, CompressedBytes: compressed, StoredBytes: 10}
	}
	of := func(layers ...facts.Layer) *facts.Report { return &facts.Report{Layers: layers} }
	new := of(layer("blob1", "d1", 5), layer("blob2", "d2", 7), layer("blob2", "d2", 7))
	for _, tt := range []struct {
		name     string
		old, new *facts.Report
		want     int64 // -1 if unknown
	}{
		{"the same", new, new, 0},
		{"nothing", of(), new, 12}, // blob2 is downloaded once
		{"one layer", of(layer("blob1", "d1", 5)), new, 7},
		{"another compression", of(layer("blob1", "d1", 5), layer("blob3", "d2", 6)), new, 7},
		{"only the content is known", of(layer("", "d1", 0), layer("", "d2", 0)), new, 0},
		{"a layer without digest", new, of(layer("", "d1", 0)), -1},
		{"a layer without size", of(), of(layer("blob1", "d1", 0)), -1},
	} {
		got := int64(-1)
		if p := pull(tt.old, tt.new); p != nil {
			got = *p
		}
		if got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestPlacesOfFindings has findings with one more place: it counts where each place is a
// danger of its own.
func TestPlacesOfFindings(t *testing.T) {
	finding := func(rule string, places ...string) facts.Finding {
		f := facts.Finding{Rule: rule}
		for _, p := range places {
			path, redacted, _ := strings.Cut(p, "=")
			f.Places = append(f.Places, facts.Place{Path: path, Redacted: redacted})
		}
		return f
	}
	report := func(all ...facts.Finding) Side { return Side{Report: &facts.Report{Findings: all}} }
	for _, rule := range []string{"setuid", "world-writable", "secret"} {
		one, two := report(finding(rule, "/a"), finding("docs", "/d")), report(finding(rule, "/a", "/b"), finding("docs", "/d", "/e"))
		if f := compared(t, one, two).Facts.Findings; len(f.New) != 1 || f.New[0].Rule != rule || len(f.Fixed) != 0 {
			t.Errorf("%s: got %v", rule, f)
		}
		if f := compared(t, two, one).Facts.Findings; len(f.New)+len(f.Fixed) != 0 {
			t.Errorf("%s in one place less: got %v", rule, f)
		}
	}
	if f := compared(t, report(finding("secret", "/a=gh")), report(finding("secret", "/a=gl"))).Facts.Findings; len(f.New) != 1 {
		t.Errorf("another secret at the same path: got %v", f)
	}
}

// TestFindingsOfDockerfile checks that what only one image's Dockerfile tells is no
// difference.
func TestFindingsOfDockerfile(t *testing.T) {
	about := func(rule string) facts.Finding {
		return facts.Finding{Rule: rule, Places: []facts.Place{{Path: "", Layer: -1, HiddenBy: -1}}}
	}
	old := &facts.Report{Findings: []facts.Finding{about("latest-base"), about("root-user")}, Dockerfile: &facts.Dockerfile{}}
	new := &facts.Report{Findings: []facts.Finding{}}
	for _, tt := range []struct {
		dockerfile *facts.Dockerfile
		want       []string
	}{{nil, []string{"root-user"}}, {&facts.Dockerfile{}, []string{"latest-base", "root-user"}}} {
		new.Dockerfile = tt.dockerfile
		var fixed, found []string
		for _, f := range findings(old, new).Fixed {
			fixed = append(fixed, f.Rule)
		}
		for _, f := range findings(new, old).New {
			found = append(found, f.Rule)
		}
		if !slices.Equal(fixed, tt.want) || !slices.Equal(found, tt.want) {
			t.Errorf("got %q fixed and %q new, want %q", fixed, found, tt.want)
		}
	}
}
