package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/screen"
)

// RunReport shows a saved report, as Run shows an analysis: all but the files,
// which it doesn't hold. The report is one that analyzer.ReadReport gave.
func RunReport(ctx context.Context, rep *analyzer.Report, opt Options) error {
	return OpenReport(ctx, rep.Image.Reference, func(context.Context) (*analyzer.Report, error) { return rep, nil }, opt)
}

// OpenReport reads a saved report beside the UI and shows it, as Open does an
// image.
func OpenReport(ctx context.Context, name string, read func(context.Context) (*analyzer.Report, error), opt Options) error {
	var p analyzer.Progress
	return open(ctx, name, &p, opt, func(ctx context.Context) (func(*session, setup), error) {
		p.Note("reading a saved report")
		rep, err := read(ctx)
		if err != nil {
			return nil, err
		}
		names, lost, err := wastedPaths(ctx, rep)
		if err != nil {
			return nil, err
		}
		return func(s *session, set setup) {
			u := newSaved(rep, names, lost, set.th, s)
			u.configure(set)
			s.app.SetRoot(u, true).SetInputCapture(u.capture)
		}, nil
	})
}

// newSaved is the UI over a report, whose waste has the paths of names; lost is
// the path of each piece of waste.
func newSaved(rep *analyzer.Report, names *filetree.Tree, lost []filetree.Content, th *screen.Theme, do doer) *ui {
	u := newPanes(&analyzer.Analysis{Report: rep, Tree: names}, &files{tree: names, marked: -1, saved: true, below: newFolders(rep)}, th, do)
	u.showSpan()
	u.sumWaste = func() *waste { return savedWaste(rep, names, lost) }
	u.toggleWaste() // there is nothing to see in its place
	u.setFocus(layersPane)
	return u
}

// wastedPaths is a tree of the paths of a report's waste, and for each piece of
// waste a content there that has its path. Nothing else in that tree means
// anything.
func wastedPaths(ctx context.Context, rep *analyzer.Report) (*filetree.Tree, []filetree.Content, error) {
	var d layer.Diff
	lost := make([]filetree.Content, len(rep.Waste))
	known := make(map[string]filetree.Content, len(rep.Waste))
	for i, w := range rep.Waste {
		c, ok := known[w.Path]
		if !ok {
			c = filetree.Content(d.Len())
			known[w.Path] = c
			d.Add(layer.Entry{Path: strings.TrimPrefix(w.Path, "/"), Kind: layer.File})
		}
		lost[i] = c
	}
	b := filetree.NewBuilder()
	if _, err := b.Apply(&d); err != nil {
		return nil, nil, fmt.Errorf("reading the paths of a saved report: %w", err)
	}
	t, err := b.Build(ctx, func(context.Context, []filetree.Group) error { return nil })
	if err != nil {
		return nil, nil, err
	}
	return t, lost, nil
}

// savedWaste lists the waste of a report. It doesn't say which folders went as
// a whole: every file stands for itself.
func savedWaste(rep *analyzer.Report, names *filetree.Tree, lost []filetree.Content) *waste {
	causes := map[string]filetree.Cause{}
	for _, c := range []filetree.Cause{filetree.Deleted, filetree.Overwritten, filetree.MetadataOnly, filetree.Repeated} {
		causes[c.String()] = c
	}
	w := &waste{tree: names, open: map[int]bool{}}
	for i, p := range rep.Waste {
		w.total += p.Bytes
		n := names.Stored(lost[i]).Node
		w.add(n, causes[p.Cause], p.HiddenBy, []part{{lost[i], n, p.Bytes, p.StoredIn}})
	}
	w.sort()
	return w
}

// needFiles are the actions that a saved report has no files for, besides those
// of the files' own pane.
var needFiles = []string{
	"whole", "compare", "changes", "everything", "filter", "history", "only-found", "show-in-tree",
}

// needContent are those that it has no content for.
var needContent = []string{"view", "diff", "pager", "extract"}

// refuses is why the action can't be done here; "" when it can.
func (u *ui) refuses(b *binding) string {
	switch {
	case !u.files.saved:
		return ""
	case slices.Contains(needContent, b.action):
		return "a saved report holds no files: open the image itself to view, compare or extract one"
	case u.files.below != nil && slices.Contains([]string{"whole", "changes", "everything"}, b.action):
		return ""
	case slices.Contains(needFiles, b.action) && u.place()&inPanes != 0, b.places == inFiles:
		return "a saved report holds no files, only what layers store and waste (" + keyOf(u.keys, "waste") + ")"
	}
	return ""
}

// drawSaved is what stands in the place of the files.
func (f *files) drawSaved(c screen.Canvas) {
	p := &screen.Page{Theme: c.Theme, W: c.W}
	p.Wrap(0, "a saved report holds no files", c.Theme.Strong)
	p.Blank()
	p.Wrap(0, fmt.Sprintf("It says what every layer stores, and what of it is wasted: %s shows the waste, %s what the image says of itself. Open the image to see its files.",
		keyOf(f.keys, "waste"), keyOf(f.keys, "image")), c.Theme.Dim)
	for y, l := range p.Lines {
		x := 0
		for _, s := range l.Spans {
			x = c.Text(x, y, s.Style, s.Text)
		}
	}
}
