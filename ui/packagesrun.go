package ui

import (
	"context"
	"slices"

	"fathom/analyzer"
	"fathom/analyzer/packages"
)

// packageFinder is packages.Find.
type packageFinder func(context.Context, *analyzer.Analysis, packages.Options) (*packages.Packages, error)

// run looks for packages in the background, and then calls next with them, nil if that
// has failed. The program waits for the search when it ends.
func (l *packageList) run(a *analyzer.Analysis, find packageFinder, next func(*packages.Packages)) {
	l.scan = scan{running: true, progress: &analyzer.Progress{}}
	l.u.do.last(func(ctx context.Context) func() {
		found, err := find(ctx, a, packages.Options{Progress: l.progress})
		return func() {
			if l.running, l.failed = false, err; err != nil {
				next(nil)
				return
			}
			l.take(found)
			next(found)
		}
	})
	l.scan.watch(l.u)
}

// take shows what the search has found.
func (l *packageList) take(found *packages.Packages) {
	l.u.img.packages = found
	rep := l.u.rep
	rep.Packages, rep.Unowned = found.List, &found.Unowned
	rep.Warnings = append(slices.Clip(rep.Warnings), found.Warnings...)
	for _, w := range found.Warnings {
		if w.Path == "" && w.Layer >= 0 {
			l.unread = append(l.unread, w.Layer)
		} else {
			l.damaged = append(l.damaged, w)
		}
	}
	l.set(found.List, &found.Unowned)
	l.u.fixes.renew()
}

// caveat says what the search has left out; "" for nothing.
func (l *packageList) caveat() string {
	switch n := len(l.damaged); {
	case l.failed != nil:
		return "the search for packages failed: " + safe(l.failed.Error())
	case len(l.unread) > 0:
		return "packages unknown, as the content is not on this machine: " + layerList(l.unread)
	case n == 1:
		return "can't read the package database " + shown(l.damaged[0].Path) + " (" + keyOf(l.u.keys, "image") + " says why)"
	case n > 1:
		return count(n, "warning") + " about package databases (" + keyOf(l.u.keys, "image") + " shows them)"
	case l.u.img != nil && l.all != nil && len(l.all) == 0:
		return "no package database was found"
	}
	return ""
}
