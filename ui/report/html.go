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
	"strings"

	"github.com/dustin/go-humanize"

	"fathom/analyzer/gate"
)

var (
	//go:embed html/page.html
	pageHTML string
	//go:embed html/page.css
	pageCSS string
	//go:embed html/page.js
	pageJS string
)

// HTML writes a page that needs no network and no other file. Its content security
// policy lets a browser run only the page's own script, even if a text of the image
// contains another. All texts of the image pass through Safe.
func HTML(w io.Writer, in *Input) error {
	p := newPage(in)
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hashOf(pageCSS), hashOf(pageJS))
	p.Style, p.Script = template.CSS(pageCSS), template.JS(pageJS)
	t, err := template.New("page").Funcs(template.FuncMap{
		"safe": Safe, "size": Size, "exact": Exact, "percent": Percent, "offender": func(o gate.Offender) string {
			return strings.TrimLeft(offender(o), " ")
		},
		"comma": func(n int) string { return humanize.Comma(int64(n)) },
		"step":  stepOr, "line": pasteable, "count": count,
		"source": p.source, "from": func(layer int) pageSource { return p.source(in.Report.Layers[layer].Source) },
		"warning": Warning, "suppressed": suppressed, "result": result,
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
	err := list(len(r.Layers), func(i int) any {
		l := &r.Layers[i]
		return []any{stepOr(l.Command), l.VisibleBytes, l.WastedBytes, l.HidesBytes}
	})
	if err != nil {
		return err
	}
	b.WriteString(`,"folders":`)
	err = list(len(r.Folders), func(i int) any {
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
		return []any{n, name, w.Bytes, Cause(w.Cause), w.StoredIn, w.HiddenBy}
	})
	if err != nil {
		return err
	}
	b.WriteString(`,"wasteFolders":`)
	if err := list(len(folders), func(i int) any { return folders[i] }); err != nil {
		return err
	}
	if err := writePackageData(b, r, list); err != nil {
		return err
	}
	return b.WriteByte('}')
}
