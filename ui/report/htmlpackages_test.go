package report

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// TestHTMLPackages checks the packages that a page shows without its script.
func TestHTMLPackages(t *testing.T) {
	page := written(t, "html", &Input{Report: sample()})
	text := withoutScript(page)
	for _, part := range []string{
		"\n3 packages, 2.6 MB of 3.0 MB; 400 kB in no package.\n", "\nlibc6\n", "\n2.36-9\n", "\n1.0.0, in /app/\\x1b/package.json\n", "\nremoved by layer 1\n",
		"\n/var/\\xff\n", "and 3 more folders, 60 kB: ",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in %s", part, text)
		}
	}
	for _, part := range []string{"of the base,", "own layers brought", "more package"} {
		if strings.Contains(text, part) {
			t.Errorf("it says %q", part)
		}
	}
	r := sample()
	r.Layers[1].Index = 1
	ownFrom(r, 1)
	r.Packages[1].BroughtBy, r.Packages[1].RemovedBy = 1, -1
	text = withoutScript(written(t, "html", &Input{Report: r}))
	for _, part := range []string{"The base image brought 2 packages, 1.7 MB; ", "own layers brought 1 package, 900 kB.", "\n2.36-9, of the base\n", "\n1.0.0, in /srv/node_modules/left|pad/package.json\n"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in %s", part, text)
		}
	}
	// Neither an image without packages nor a report of an older version has the section.
	for _, all := range [][]facts.Package{{}, nil} {
		r.Packages = all
		if page := written(t, "html", &Input{Report: r}); strings.Contains(page, "packages-section\"") || strings.Contains(page, `,"packages":`) {
			t.Error("a page without packages has a section about them")
		}
	}
}

// TestHTMLManyPackages checks that a page has the largest packages, and the number and
// the bytes of the others.
func TestHTMLManyPackages(t *testing.T) {
	r := packed(1500)
	r.Packages[1400].Type = facts.TypeDeb
	r.Packages[1401].Layers = []facts.PackageLayer{{Layer: 0, VisibleBytes: 99}, {Layer: 1, VisibleBytes: 500}}
	page := written(t, "html", &Input{Report: r})
	// 1000 + 999 + … + 971 bytes are listed, of 1000 … 1 and 1000 … 501.
	want := fmt.Sprintf("and 1470 more packages, %s: ", Size(1000*1001/2+500*1501/2-30*1971/2))
	if n := strings.Count(withoutScript(page), "\nnpm\n"); n != htmlPackageRows || !strings.Contains(page, want) {
		t.Errorf("%d rows; no %q", n, want)
	}
	text := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	var d struct{ Packages, OtherPackages [][]any }
	if err := json.Unmarshal([]byte(text[1]), &d); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(len(d.Packages), d.Packages[999]), "1000 [npm p999 1 1 0 0 -1 [[0 1 0]] ]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// The others have 1000 … 501 bytes: 375,250, of which 600 are of a deb, and 500 of
	// another package in layer 1.
	if got, want := fmt.Sprint(d.OtherPackages), "[[npm 499 374650 0 [[0 374150 0] [1 500 0]]] [deb 1 600 0 [[0 600 0]]]]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
