package ui

import (
	"fmt"
	"slices"
	"time"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/outline"
	"fathom/ui/report"
)

// tabular is a pane whose list can be written as data. The table is what has rows: sorted
// as on the screen, without what a filter or a search hides, and with everything that
// folders and groups hold. Another goroutine may read it; nil while there is none.
type tabular interface {
	pane
	table() *report.Table
}

func (f *files) table() *report.Table {
	out, t := f.out.Copy(), f.tree
	if out.Scope().View == nil {
		return nil
	}
	head := []string{"path", "change", "kind", "size", "files", "mode", "uid", "gid", "modified", "layer", "link"}
	by, _ := out.Order()
	grown := out.Scope().Both || by == outline.ByGrowth // otherwise it is not known
	if grown {
		head = append(head, "growth")
	}
	return &report.Table{
		Head: head,
		Rows: func(yield func([]any) bool) {
			for r := range out.All() {
				st, mark, link := &r.State, "", ""
				if r.Change.Mark != filetree.Unchanged || r.Change.Touched {
					mark = r.Change.Mark.String()
				}
				switch st.Kind {
				case layer.Symlink:
					link = st.Target
				case layer.Link:
					link = "/" + st.Target
				}
				row := []any{
					t.Path(r.Node), mark, st.Kind.String(), r.Size, r.Files, fmt.Sprintf("%04o", st.Mode), st.UID, st.GID,
					time.Unix(st.ModTime, 0).UTC().Format(time.RFC3339), st.Layer, link,
				}
				if grown {
					row = append(row, r.Growth)
				}
				if !yield(row) {
					return
				}
			}
		},
	}
}

func (w *waste) table() *report.Table {
	if w.busy {
		return nil
	}
	t, items := w.tree, slices.Clone(w.items)
	return &report.Table{
		Head: []string{"path", "folder", "bytes", "cause", "storedBy", "lastStoredBy", "hiddenBy", "files"},
		Rows: func(yield func([]any) bool) {
			for _, it := range items {
				cause := ""
				if it.cause != filetree.Visible {
					cause = it.cause.String()
				}
				if !yield([]any{t.Path(it.node), it.folder, it.bytes, cause, it.stored, it.last, it.hidden, len(it.parts)}) {
					return
				}
			}
		},
	}
}

func (f *findings) table() *report.Table {
	var rows [][]any
	for _, r := range f.rows {
		if r.place >= 0 {
			continue
		}
		x := &f.all[r.finding]
		state := ""
		if f.u.two != nil {
			state = [2]string{"fixed", "new"}[f.side(r.finding)]
		}
		at := f.placeOf(findingRow{r.finding, -1})
		rows = append(rows, []any{x.Severity, x.Rule, x.Bytes, x.Title, x.Certainty, x.Owner, state, len(x.Places) + x.MorePlaces, at.Path, at.Layer, x.Fix.Text})
	}
	return &report.Table{Head: []string{"severity", "rule", "bytes", "title", "certainty", "owner", "state", "places", "path", "layer", "fix"}, Rows: slices.Values(rows)}
}

func (l *packageList) table() *report.Table {
	if l.all == nil {
		return nil
	}
	all, rows := l.all, slices.Clone(l.rows)
	return &report.Table{
		Head: []string{"type", "name", "version", "arch", "visibleBytes", "wastedBytes", "files", "broughtBy", "removedBy", "database"},
		Rows: func(yield func([]any) bool) {
			for _, r := range rows {
				if r.index < 0 {
					continue
				}
				p := &all[r.index]
				if !yield([]any{p.Type, p.Name, p.Version, p.Arch, p.VisibleBytes, p.WastedBytes, p.Files, p.BroughtBy, p.RemovedBy, p.Database}) {
					return
				}
			}
		},
	}
}

func (l *packageChanges) table() *report.Table {
	var rows [][]any
	version := func(v *string) string {
		if v == nil {
			return ""
		}
		return *v
	}
	for _, i := range l.rows {
		p := &l.all[i]
		rows = append(rows, []any{p.Type, p.Name, version(p.Old), version(p.New), p.Old == nil, p.New == nil, p.DeltaBytes})
	}
	return &report.Table{Head: []string{"type", "name", "old", "new", "added", "removed", "deltaBytes"}, Rows: slices.Values(rows)}
}

func (l *layers) table() *report.Table {
	var rows [][]any
	for i := range l.rep.Layers {
		x := &l.rep.Layers[i]
		rows = append(rows, []any{i, x.StoredBytes, x.VisibleBytes, x.WastedBytes, x.CompressedBytes, x.Added, x.Modified, x.Removed, x.DiffID, x.Digest, facts.Command(x.Command)})
	}
	return &report.Table{Head: []string{"layer", "storedBytes", "visibleBytes", "wastedBytes", "compressedBytes", "added", "modified", "removed", "diffId", "digest", "command"}, Rows: slices.Values(rows)}
}

func (l *aligned) table() *report.Table {
	var rows [][]any
	for _, p := range l.pairs {
		rows = append(rows, []any{p.Old, p.New, p.State, l.growth(p), l.command(p)})
	}
	return &report.Table{Head: []string{"old", "new", "state", "growth", "command"}, Rows: slices.Values(rows)}
}

func (f *folders) table() *report.Table {
	var rows [][]any
	for _, r := range f.rows {
		rows = append(rows, []any{f.rep.Folders[r.folder].Path, r.visible, r.wasted})
	}
	return &report.Table{Head: []string{"path", "visibleBytes", "wastedBytes"}, Rows: slices.Values(rows)}
}
