package report

import (
	"bufio"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
)

//go:embed html/compare.html
var compareHTML string

// comparePageRows is how many rows of files and packages the page has.
const comparePageRows = 1000

// comparePage is the page of a comparison. Its texts are safe to show.
type comparePage struct {
	*CompareInput
	Policy   string
	Style    template.CSS
	Old, New string // titles
	Sentence string
	Overview []figure
	Totals   []comparedTotal
	Rows     []facts.FolderChange
	Packages []facts.PackageChange
	Pairs    []pairText
	Config   []facts.ConfigChange
	Found    []foundText
	// How many rows are left out.
	MoreRows, MorePackages int
}

// CompareHTML writes a comparison as a page that needs no network, no other file and no
// script: its content security policy allows none. All texts of the images pass through
// Safe.
func CompareHTML(w io.Writer, in *CompareInput) error {
	p := &comparePage{
		CompareInput: in, Style: template.CSS(pageCSS),
		Policy:   fmt.Sprintf("default-src 'none'; style-src '%s'; base-uri 'none'; form-action 'none'", hashOf(pageCSS)),
		Totals:   in.totals(),
		Rows:     in.Facts.Folders[:min(len(in.Facts.Folders), comparePageRows)],
		Packages: in.Facts.Packages[:min(len(in.Facts.Packages), comparePageRows)],
		Config:   in.config(), Found: in.found(),
	}
	p.MoreRows, p.MorePackages = len(in.Facts.Folders)-len(p.Rows), len(in.Facts.Packages)-len(p.Packages)
	if in.anyLayer() {
		p.Pairs = in.pairs()
	}
	p.Old, p.New = in.titles()
	d := in.Facts.Totals.StoredBytes
	p.Sentence = "It stores as much as before"
	switch {
	case d.Delta > 0:
		p.Sentence = "It stores " + Size(d.Delta) + " more than before"
	case d.Delta < 0:
		p.Sentence = "It stores " + Size(-d.Delta) + " less than before"
	}
	for _, f := range in.overview() {
		switch f.Name {
		case "old", "new", "stored", "visible", "wasted":
		default:
			p.Overview = append(p.Overview, f)
		}
	}
	t, err := template.New("compare").Funcs(template.FuncMap{
		"safe": Safe, "signed": signed, "row": func(r facts.FolderChange) string { return rowText(&r) },
		"state":    func(x facts.PackageChange) string { return compare.PackageState(&x) },
		"versions": func(x facts.PackageChange) string { return versionsText(&x) }, "name": packageText,
		"value": settingText, "comma": func(n int) string { return humanize.Comma(int64(n)) }, "sub": func(a, b int64) int64 { return a - b },
		"line": pasteable,
	}).Parse(compareHTML)
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	return buffered(w, func(b *bufio.Writer) error {
		if err := t.Execute(b, p); err != nil {
			return fmt.Errorf("filling the page: %w", err)
		}
		return nil
	})
}
