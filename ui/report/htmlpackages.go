package report

import (
	"bufio"
	"fmt"
	"slices"

	"fathom/analyzer/facts"
)

const (
	htmlPackages     = 1000 // packages that the page's script knows
	htmlPackageRows  = 30   // packages without the script
	htmlPackageDirs  = 20   // folders that belong to no package
	htmlPackageLinks = 4    // layers of a package
)

// pagePackages is the packages, and what belongs to none. Its strings are safe to show.
type pagePackages struct {
	Line      string
	Base, Own string // what each brought; "" if the base is unknown
	Rows      []pagePackage
	More      int
	MoreBytes int64
	Folders   []facts.UnownedFolder
	Left      int // number of the other folders
	LeftBytes int64
}

type pagePackage struct {
	*facts.Package
	Name, Version string // cut if they are long
	Where         string // tells packages of one name and version apart
	OfBase        bool
	Stored        []int // layers
	StoredMore    int
}

// packages lists the packages of the image, if it has any.
func (p *page) packages() {
	r := p.Report
	if len(r.Packages) == 0 || r.Unowned == nil {
		return
	}
	x := &pagePackages{Line: packagesLine(r)}
	if r.Base != nil {
		var base, own sum
		for i := range r.Packages {
			q := &r.Packages[i]
			to := &own
			if q.BroughtBy < r.Base.Layers {
				to = &base
			}
			to.add(packageRow{q, q.VisibleBytes, q.WastedBytes})
		}
		x.Base, x.Own = base.String(), own.String()
	}
	same := samePackages(r.Packages)
	for i := range r.Packages[:min(len(r.Packages), htmlPackageRows)] {
		q := &r.Packages[i]
		row := pagePackage{Package: q, Name: packageText(q.Name), Version: packageText(q.Version), Where: whereIn(same, q), OfBase: p.ofBase(q)}
		for _, l := range q.Layers[:min(len(q.Layers), htmlPackageLinks)] {
			row.Stored = append(row.Stored, l.Layer)
		}
		row.StoredMore = len(q.Layers) - len(row.Stored)
		x.Rows = append(x.Rows, row)
	}
	for i := range r.Packages[len(x.Rows):] {
		q := &r.Packages[len(x.Rows)+i]
		x.More++
		x.MoreBytes += q.VisibleBytes + q.WastedBytes
	}
	u := r.Unowned
	x.Folders = u.Folders[:min(len(u.Folders), htmlPackageDirs)]
	x.Left, x.LeftBytes = len(u.Folders)-len(x.Folders)+u.MoreFolders, u.VisibleBytes+u.WastedBytes
	for _, f := range x.Folders {
		x.LeftBytes -= f.VisibleBytes + f.WastedBytes
	}
	p.Packages = x
}

// ofBase reports whether a layer of the base image brought a package.
func (p *page) ofBase(q *facts.Package) bool {
	return p.Report.Base != nil && q.BroughtBy < p.Report.Base.Layers
}

// String returns "88 packages, 112 MB".
func (s sum) String() string {
	return fmt.Sprintf("%s, %s", count(s.n, "package"), Size(s.visible+s.wasted))
}

// packageKey is what is shown of a package in a list.
type packageKey struct{ kind, name, version string }

func keyOf(p *facts.Package) packageKey { return packageKey{p.Type, p.Name, p.Version} }

// samePackages counts the packages of each name and version.
func samePackages(all []facts.Package) map[packageKey]int {
	times := map[packageKey]int{}
	for i := range all {
		times[keyOf(&all[i])]++
	}
	return times
}

// whereIn returns what tells a package apart from others of its name and version, or "".
func whereIn(times map[packageKey]int, p *facts.Package) string {
	if times[keyOf(p)] < 2 {
		return ""
	}
	return whereOf(p)
}

// writePackageData writes the packages for the page's script: the largest ones, and the
// sums of the others by type.
func writePackageData(b *bufio.Writer, r *facts.Report, list func(int, func(int) any) error) error {
	if len(r.Packages) == 0 || r.Unowned == nil {
		return nil
	}
	base := 0
	if r.Base != nil {
		base = r.Base.Layers
	}
	layers := func(all []facts.PackageLayer) [][3]int64 {
		out := make([][3]int64, len(all))
		for i, l := range all {
			out[i] = [3]int64{int64(l.Layer), l.VisibleBytes, l.WastedBytes}
		}
		return out
	}
	fmt.Fprintf(b, `,"baseLayers":%d,"packages":`, base)
	same := samePackages(r.Packages)
	n := min(len(r.Packages), htmlPackages)
	err := list(n, func(i int) any {
		p := &r.Packages[i]
		return []any{Safe(p.Type), packageText(p.Name), packageText(p.Version), p.VisibleBytes, p.WastedBytes, p.BroughtBy, p.RemovedBy, layers(p.Layers), whereIn(same, p)}
	})
	if err != nil {
		return err
	}
	type rest struct {
		n               int
		visible, wasted int64
		layers          map[int]facts.PackageLayer
	}
	others := map[string]*rest{}
	var types []string
	for i := range r.Packages[n:] {
		p := &r.Packages[n+i]
		x := others[p.Type]
		if x == nil {
			x = &rest{layers: map[int]facts.PackageLayer{}}
			others[p.Type] = x
			types = append(types, p.Type)
		}
		x.n++
		x.visible += p.VisibleBytes
		x.wasted += p.WastedBytes
		for _, l := range p.Layers {
			have := x.layers[l.Layer]
			x.layers[l.Layer] = facts.PackageLayer{Layer: l.Layer, VisibleBytes: have.VisibleBytes + l.VisibleBytes, WastedBytes: have.WastedBytes + l.WastedBytes}
		}
	}
	b.WriteString(`,"otherPackages":`)
	return list(len(types), func(i int) any {
		x := others[types[i]]
		var all []facts.PackageLayer
		for _, l := range x.layers {
			all = append(all, l)
		}
		slices.SortFunc(all, func(a, b facts.PackageLayer) int { return a.Layer - b.Layer })
		return []any{Safe(types[i]), x.n, x.visible, x.wasted, layers(all)}
	})
}
