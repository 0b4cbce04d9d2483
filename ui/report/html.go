package report

import (
	"bufio"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

const (
	htmlWaste  = 100  // rows in the page without its script
	htmlDenied = 1000 // paths of each rule
)

var (
	//go:embed html/page.html
	pageHTML string
	//go:embed html/page.css
	pageCSS string
	//go:embed html/page.js
	pageJS string
)

// page is the data of the template.
type page struct {
	*Input
	Title   string
	Policy  string
	Style   template.CSS
	Script  template.JS
	Rules   []pageRule
	Layers  []pageLayer
	Waste   []facts.Waste
	Growth  *growth
	Largest int64
}

type pageRule struct {
	rule
	Rows      []row
	Left      int // number of the other offenders
	LeftBytes int64
}

type pageLayer struct {
	facts.Layer
	VisibleWidth, WastedWidth float64 // of the largest layer, in percent
}

// HTML writes a page that needs no network and no other file. Its content security
// policy lets a browser run only the page's own script, even if a text of the image
// contains another. All texts of the image pass through Safe.
func HTML(w io.Writer, in *Input) error {
	p := page{Input: in, Title: in.title(), Style: template.CSS(pageCSS), Script: template.JS(pageJS), Waste: in.Report.Waste[:min(len(in.Report.Waste), htmlWaste)]}
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hashOf(pageCSS), hashOf(pageJS))
	for _, r := range rulesOf(in.Verdict) {
		n := gate.MaxOffenders
		if r.Denies() {
			n = htmlDenied
		}
		first, left, bytes := r.First(n)
		p.Rules = append(p.Rules, pageRule{r, slices.Collect(rows(slices.Values(first))), left, bytes})
	}
	p.Growth = growthOf(in.Verdict)
	for _, l := range in.Report.Layers {
		p.Largest = max(p.Largest, l.StoredBytes)
	}
	for _, l := range in.Report.Layers {
		share := func(n int64) float64 { return 100 * float64(n) / float64(max(p.Largest, 1)) }
		p.Layers = append(p.Layers, pageLayer{l, share(l.VisibleBytes), share(l.WastedBytes)})
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"safe": Safe, "size": Size, "exact": Exact, "percent": Percent, "offender": func(o gate.Offender) string { return strings.TrimLeft(offender(o), " ") },
		"step":    stepOr,
		"warning": Warning, "verdict": VerdictLine,
		"suppressed": suppressed, "result": result,
	}).Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	return buffered(w, func(b *bufio.Writer) error {
		if err := t.ExecuteTemplate(b, "top", p); err != nil {
			return fmt.Errorf("filling the page: %w", err)
		}
		b.WriteString(`<script type="application/json" id="data">`)
		if err := writePageData(b, in); err != nil {
			return err
		}
		b.WriteString("</script>\n")
		return t.ExecuteTemplate(b, "end", p)
	})
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// writePageData writes the data for the page's script. Rows are lists, to save space:
// an image may waste a hundred thousand files. All texts are safe to show.
func writePageData(b *bufio.Writer, in *Input) error {
	put := func(v any) error {
		line, err := json.Marshal(v) // writes <, > and & as escapes
		if err != nil {
			return err
		}
		_, err = b.Write(escapeJSON(line))
		return err
	}
	list := func(n int, row func(int) any) error {
		b.WriteByte('[')
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := put(row(i)); err != nil {
				return err
			}
		}
		return b.WriteByte(']')
	}
	r := in.Report
	b.WriteString(`{"layers":`)
	if err := list(len(r.Layers), func(i int) any { return Safe(facts.Command(r.Layers[i].Command)) }); err != nil {
		return err
	}
	b.WriteString(`,"folders":`)
	err := list(len(r.Folders), func(i int) any {
		f := r.Folders[i]
		layers := make([][3]int64, len(f.Layers))
		for j, l := range f.Layers {
			layers[j] = [3]int64{int64(l.Layer), l.VisibleBytes, l.WastedBytes}
		}
		return []any{Safe(f.Path), f.VisibleBytes, f.WastedBytes, f.Pieces, layers}
	})
	if err != nil {
		return err
	}
	// Most paths share their folder with others: write each folder once.
	folders, number := []string{}, map[string]int{}
	b.WriteString(`,"waste":`)
	err = list(len(r.Waste), func(i int) any {
		w := &r.Waste[i]
		path := Safe(w.Path)
		folder, name := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
		n, ok := number[folder]
		if !ok {
			n = len(folders)
			number[folder] = n
			folders = append(folders, folder)
		}
		return []any{n, name, w.Bytes, w.Cause, w.StoredIn, w.HiddenBy}
	})
	if err != nil {
		return err
	}
	b.WriteString(`,"wasteFolders":`)
	if err := list(len(folders), func(i int) any { return folders[i] }); err != nil {
		return err
	}
	return b.WriteByte('}')
}
