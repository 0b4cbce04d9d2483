package ui

import (
	"context"
	"fmt"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/ui/screen"
)

// RunReport shows a saved report as Open shows an image, without the files, which a
// report doesn't have. The report must come from facts.Read.
func RunReport(ctx context.Context, rep *facts.Report, opt Options) error {
	return open(ctx, rep.Image.Reference, &analyzer.Progress{}, opt, func(ctx context.Context) (func(*session, setup), error) {
		names, lost, err := wastedPaths(ctx, rep)
		if err != nil {
			return nil, err
		}
		return func(s *session, set setup) {
			u := newSaved(rep, names, lost, set, s)
			u.begin()
			s.app.SetRoot(u, true).SetInputCapture(u.capture)
		}, nil
	})
}

// newSaved returns the UI for a report. names is a tree of its wasted paths, lost has
// the content in that tree for each entry of the report's waste.
func newSaved(rep *facts.Report, names *filetree.Tree, lost []filetree.Content, set setup, do doer) *ui {
	set.keys = keysOfOne(set.keys)
	u := newRoot(rep, set, do)
	u.lacks = map[need]string{
		needContent: "a saved report holds no files: open the image itself to view, compare or extract one",
		needTree:    "a saved report holds no files: open the image itself to see them",
	}
	w := newWaste(u, names, func() *wasteTable { return savedWaste(rep, names, lost) })
	found := newFindings(u, rep.Findings)
	list := newPackages(u, rep.Packages, rep.Unowned)
	if len(rep.Folders) > 0 {
		u.tabs = []pane{newFolders(u), w, found, list}
	} else {
		u.tabs = []pane{&blank{write: u.noFolders}, w, found, list}
		u.lacks[needSpan] = u.lacks[needTree]
	}
	u.addDockerfile()
	u.tab = 1
	u.right().follow()
	return u
}

// noFolders writes the page for a saved report that lists no folders.
func (u *ui) noFolders(p *screen.Page) {
	p.Wrap(0, "a saved report holds no files", p.Theme.Strong)
	p.Blank()
	p.Wrap(0, fmt.Sprintf("It lists what every layer stores and wastes: %s shows the waste, %s the metadata of the image. Open the image to see its files.",
		keyOf(u.keys, "waste"), keyOf(u.keys, "image")), p.Theme.Dim)
}

// wastedPaths returns a tree with the paths of a report's waste and, for each entry of
// the waste, a content in the tree with that path. Only the paths of the tree are
// meaningful.
func wastedPaths(ctx context.Context, rep *facts.Report) (*filetree.Tree, []filetree.Content, error) {
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

// savedWaste lists the waste of a report. The report doesn't say which folders were
// removed as a whole: the items are the groups that the gate names, too.
func savedWaste(rep *facts.Report, names *filetree.Tree, lost []filetree.Content) *wasteTable {
	causes := map[string]filetree.Cause{}
	for _, c := range []filetree.Cause{filetree.Deleted, filetree.Overwritten, filetree.MetadataOnly, filetree.Repeated} {
		causes[c.String()] = c
	}
	w := newWasteTable(names)
	for _, g := range advice.Groups(rep, nil) {
		w.total += g.Bytes
		parts := make([]lostFile, len(g.Waste))
		for k, i := range g.Waste {
			parts[k] = lostFile{lost[i], names.Stored(lost[i]).Node, rep.Waste[i].Bytes, int32(g.StoredIn), int32(g.HiddenBy), causes[g.Cause]}
		}
		if n, ok := names.Lookup(g.Path); ok && strings.HasSuffix(g.Path, "/") {
			w.add(n, causes[g.Cause], g.HiddenBy, parts)
			continue
		}
		for k := range parts {
			w.add(parts[k].lost, causes[g.Cause], g.HiddenBy, parts[k:k+1])
		}
	}
	w.sort()
	return w
}
