package ui

import (
	"cmp"
	"context"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"fathom/analyzer/inspect"
	"fathom/ui/report"
	"fathom/ui/screen"
)

// openExport opens the menu of what can be written to a file.
func (u *ui) openExport() {
	m := &menu{name: "Write to a file", closes: keyOf(u.keys, "export")}
	for _, f := range u.exports() {
		m.choices = append(m.choices, choice{key: f.key, name: f.name, note: f.note, do: func() { u.askFile(f) }})
	}
	u.push(m)
}

// export is something that can be written to a file.
type export struct {
	key, name, note string
	file            string // the name to begin with
	// write returns what writes it, which runs in the background and counts rows; nil
	// if it is not there yet.
	write func(rows *atomic.Int64) func(context.Context, io.Writer) error
}

// exports returns what can be written: the list in front, and the reports.
func (u *ui) exports() []export {
	written := map[string]struct{ key, name, ending string }{ // by format
		"text":        {"t", "text", ".txt"},
		"json":        {"j", "JSON", ".json"},
		"markdown":    {"m", "Markdown", ".md"},
		"html":        {"h", "HTML", ".html"},
		"junit":       {"u", "JUnit XML", ".xml"},
		"sarif":       {"s", "SARIF", ".sarif"},
		"codequality": {"y", "code quality", ".codequality.json"},
		"github":      {"g", "GitHub annotations", ".github.txt"},
	}
	var all []export
	if p, ok := u.front().(tabular); ok {
		name := u.baseName() + "-" + strings.ToLower(p.Title())
		list := func(write func(*report.Table, io.Writer) error) func(*atomic.Int64) func(context.Context, io.Writer) error {
			return func(n *atomic.Int64) func(context.Context, io.Writer) error {
				t := p.table()
				if t == nil {
					return nil
				}
				rows := t.Rows
				t.Rows = func(yield func([]any) bool) {
					for row := range rows {
						n.Add(1)
						if !yield(row) {
							return
						}
					}
				}
				return func(_ context.Context, w io.Writer) error { return write(t, w) }
			}
		}
		all = append(all,
			export{"c", "this list as CSV", "for spreadsheets", name + ".csv", list((*report.Table).CSV)},
			export{"l", "this list as JSON", "one object per line", name + ".jsonl", list((*report.Table).JSON)})
	}
	if u.two != nil {
		c := *u.two.Comparison
		c.Old.Report, c.New.Report = u.two.reports[oldSide], u.two.reports[newSide]
		for _, f := range report.CompareFormats() {
			as := written[f.Name]
			all = append(all, export{as.key, "the comparison as " + as.name, "", u.baseName() + as.ending, func(*atomic.Int64) func(context.Context, io.Writer) error {
				return func(_ context.Context, w io.Writer) error {
					return f.Write(w, &report.CompareInput{Comparison: &c, CompareOptions: report.CompareOptions{Details: true}})
				}
			}})
		}
		return all
	}
	for _, f := range report.Formats() {
		if f.Judges && u.input == nil {
			continue
		}
		as := written[f.Name]
		all = append(all, export{as.key, "a report as " + as.name, f.Means, u.baseName() + as.ending, func(*atomic.Int64) func(context.Context, io.Writer) error {
			r := u.result()
			if r == nil {
				return nil
			}
			return func(ctx context.Context, w io.Writer) error {
				in := &report.Input{Report: r.Report}
				if u.input != nil {
					var err error
					if in, err = u.input(ctx, r, f.Judges); err != nil {
						return err
					}
				}
				return f.Write(w, in)
			}
		}})
	}
	return all
}

// result returns what reports are made of; nil while packages or findings are still being
// looked for.
func (u *ui) result() *inspect.Result {
	rep := *u.rep
	if f, _, ok := paneOf[*findings](&u.layout); ok {
		if f.running {
			return nil
		}
		rep.Findings = f.all
	}
	if l, _, ok := paneOf[*packageList](&u.layout); ok && l.running {
		return nil
	}
	r := &inspect.Result{Report: &rep}
	if u.img != nil {
		a := *u.img.Analysis
		r.Analysis, a.Report = &a, &rep
	}
	return r
}

// baseName returns the start of a file name for what is open.
func (u *ui) baseName() string {
	name := u.rep.Image.Reference
	if u.two != nil {
		name = "comparison"
	} else if len(u.rep.Image.Tags) > 0 {
		name = u.rep.Image.Tags[0]
	}
	name = path.Base(filepath.ToSlash(name))
	for _, ending := range []string{".gz", ".tar", ".tgz"} {
		name = strings.TrimSuffix(name, ending)
	}
	name = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, name)
	return cmp.Or(strings.Trim(name[:min(len(name), 60)], ".-"), "image")
}

// askFile asks for the name of the file to write.
func (u *ui) askFile(e export) {
	u.askPath("write "+e.name+" to ", cmp.Or(e.file, "fathom"), "a file", func(file string) { u.writeFile(e, file) })
}

// askPath asks for a path on this machine, beginning with a text.
func (u *ui) askPath(label, text, note string, done func(string)) {
	u.prompt = &screen.Prompt{
		Label: label,
		Input: screen.Input{Text: text},
		Past:  &u.past.paths,
		Note:  func() (string, string, bool) { return note, "", false },
		Done: func(file, key string) {
			if key != "enter" || file == "" {
				return
			}
			if rest, home := strings.CutPrefix(file, "~/"); home {
				if dir, err := os.UserHomeDir(); err == nil {
					file = filepath.Join(dir, rest)
				}
			}
			done(file)
		},
	}
}

// writeFile writes an export, after a question if the file exists already.
func (u *ui) writeFile(e export, file string) {
	w := &writing{file: file}
	write := e.write(&w.rows)
	info, err := os.Lstat(file)
	switch {
	case write == nil:
		u.note = "not yet: what it has is still being looked for"
	case err == nil && info.IsDir():
		u.note = safe(file) + " is a folder"
	case err == nil:
		u.push(&menu{name: "Overwrite?", about: safe(file), says: "it exists already", choices: []choice{
			{key: "o", name: "overwrite", do: func() { u.write(w, write) }},
			{key: "n", name: "another name", do: func() {
				e.file = file
				u.askFile(e)
			}},
		}})
	default:
		u.write(w, write)
	}
}

// writing is an overlay that shows that a file is being written.
type writing struct {
	screen.List
	none
	file  string
	rows  atomic.Int64
	stop  context.CancelFunc
	ended bool
}

func (w *writing) place() place     { return inWork }
func (w *writing) size() (x, h int) { return 50, 4 }
func (w *writing) Title() string    { return "Writing" }

// shut stops it; the overlay closes once that has ended.
func (w *writing) shut() bool {
	w.stop()
	return false
}

func (w *writing) Draw(c screen.Canvas, _ bool) {
	c.Tail(1, 0, c.W-2, c.Theme.Text, safe(w.file))
	if n := w.rows.Load(); n > 0 {
		c.Short(1, 1, c.W-2, c.Theme.Dim, count(int(n), "row"))
	}
}

// write writes a file in the background, as a whole or not at all.
func (u *ui) write(w *writing, write func(context.Context, io.Writer) error) {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	u.push(w)
	u.do.last(func(outer context.Context) func() {
		defer context.AfterFunc(outer, stop)()
		err := report.WriteFile(ctx, w.file, func(to io.Writer) error { return write(ctx, to) })
		return func() {
			w.ended = true
			u.drop(w)
			switch {
			case ctx.Err() != nil:
				u.note = "cancelled: " + safe(w.file) + " is not written"
			case err != nil:
				u.tell("Not written", []string{err.Error()})
			default:
				u.note = "written: " + safe(w.file)
				if n := w.rows.Load(); n > 0 {
					u.note += ", " + count(int(n), "row")
				}
			}
			stop()
		}
	})
	u.watch(&w.ended)
}
