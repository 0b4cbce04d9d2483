package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"

	"fathom/analyzer/facts"
)

const (
	packageShown  = 5  // packages in text about an image
	layersShown   = 4  // ranges of layers of a package
	nameWidth     = 40 // columns of a name in a table
	nameLongest   = 200
	modulesListed = 1000 // of a program
)

// The orders of packages (PackagesOptions.Sort).
const (
	SortSize  = "size" // visible and wasted bytes, the largest first
	SortName  = "name"
	SortWaste = "waste"
)

// PackageOrders returns the orders of packages.
func PackageOrders() []string { return []string{SortSize, SortName, SortWaste} }

// PackagesOptions say what Packages and Unowned list.
type PackagesOptions struct {
	Types   []string // only packages of these types; none for all
	OfLayer bool     // only what Layer stores, brought or removed
	Layer   int
	Removed bool   // only packages that the image no longer has
	Sort    string // "" is SortSize
	Most    int    // how many rows at most; 0 for all
}

// packageRow is a package with the bytes that are asked for: of the image, or of one
// layer.
type packageRow struct {
	*facts.Package
	Visible, Wasted int64
}

// sum is the bytes of several rows.
type sum struct {
	n               int
	visible, wasted int64
}

func (s *sum) add(r packageRow) {
	s.n++
	s.visible += r.Visible
	s.wasted += r.Wasted
}

// rows returns the packages to list, in their order.
func (o *PackagesOptions) rows(r *facts.Report) []packageRow {
	var all []packageRow
	for i := range r.Packages {
		p := &r.Packages[i]
		x := packageRow{p, p.VisibleBytes, p.WastedBytes}
		if o.OfLayer {
			at := slices.IndexFunc(p.Layers, func(l facts.PackageLayer) bool { return l.Layer == o.Layer })
			if at < 0 && p.BroughtBy != o.Layer && p.RemovedBy != o.Layer {
				continue
			}
			x.Visible, x.Wasted = 0, 0
			if at >= 0 {
				x.Visible, x.Wasted = p.Layers[at].VisibleBytes, p.Layers[at].WastedBytes
			}
		}
		if (len(o.Types) == 0 || slices.Contains(o.Types, p.Type)) && (!o.Removed || p.RemovedBy >= 0) {
			all = append(all, x)
		}
	}
	slices.SortStableFunc(all, func(a, b packageRow) int {
		switch o.Sort {
		case SortName:
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Version, b.Version))
		case SortWaste:
			return cmp.Compare(b.Wasted, a.Wasted)
		}
		return cmp.Compare(b.Visible+b.Wasted, a.Visible+a.Wasted)
	})
	return all
}

// Packages writes the packages of an image, as text: the totals, and a line for each.
func Packages(w io.Writer, in *Input, opt PackagesOptions) error {
	r := in.Report
	all := opt.rows(r)
	return buffered(w, func(b *bufio.Writer) error {
		of := r.Totals.StoredBytes
		fmt.Fprintf(b, "image     %s\n", in.title())
		if opt.OfLayer {
			l := &r.Layers[opt.Layer]
			of = l.StoredBytes
			fmt.Fprintf(b, "layer     %d: %s%s\n", l.Index, short(stepOr(l.Command)), inParentheses(Lines(l.Source)))
		}
		if r.Base != nil {
			fmt.Fprintf(b, "base      %s\n", BaseName(r.Base))
		}
		writePackageSums(b, r, &opt, all, of)
		if len(all) == 0 {
			return nil
		}
		shown := all
		if opt.Most > 0 && len(all) > opt.Most {
			shown = all[:opt.Most]
		}
		writePackageRows(b, shown)
		if rest := all[len(shown):]; len(rest) > 0 {
			var s sum
			for _, x := range rest {
				s.add(x)
			}
			fmt.Fprintf(b, "%7s  %7s  in %s: --all lists them\n", Size(s.visible), Size(s.wasted), count(s.n, "more package"))
		}
		return nil
	})
}

// writePackageSums writes the bytes of all listed packages: together, of each type, of
// the base image and the own layers, and what belongs to no package.
func writePackageSums(b io.Writer, r *facts.Report, opt *PackagesOptions, all []packageRow, of int64) {
	var total, base, own sum
	brought, removed := 0, 0
	types := map[string]*sum{}
	for _, x := range all {
		total.add(x)
		if types[x.Type] == nil {
			types[x.Type] = &sum{}
		}
		types[x.Type].add(x)
		if r.Base != nil && x.BroughtBy < r.Base.Layers {
			base.add(x)
		} else {
			own.add(x)
		}
		if x.BroughtBy == opt.Layer {
			brought++
		}
		if x.RemovedBy >= 0 && (!opt.OfLayer || x.RemovedBy == opt.Layer) {
			removed++
		}
	}
	line := func(s sum, what string) {
		fmt.Fprintf(b, "%7s  %7s  %6s  %s\n", Size(s.visible), Size(s.wasted), shareOf(s.visible+s.wasted, of), what)
	}
	text := count(total.n, "package")
	switch {
	case opt.OfLayer:
		text += fmt.Sprintf(", %d brought and %d removed by the layer", brought, removed)
	case removed > 0 && !opt.Removed:
		text += fmt.Sprintf(", %d of them removed", removed)
	case opt.Removed:
		text += " that a layer removed"
	}
	fmt.Fprintf(b, "\nvisible   wasted   share\n")
	line(total, text)
	for _, t := range facts.PackageTypes() {
		if s := types[t]; s != nil && len(types) > 1 {
			line(*s, fmt.Sprintf("  %s: %d", t, s.n))
		}
	}
	if r.Base != nil {
		line(base, fmt.Sprintf("  brought by the base image: %d", base.n))
		line(own, fmt.Sprintf("  brought by own layers: %d", own.n))
	}
	if len(opt.Types) > 0 || opt.Removed {
		return
	}
	none := sum{visible: r.Unowned.VisibleBytes, wasted: r.Unowned.WastedBytes}
	hint := ": --unowned lists its folders"
	if opt.OfLayer {
		hint = ""
		l := &r.Layers[opt.Layer]
		none.visible, none.wasted = l.VisibleBytes-total.visible, l.WastedBytes-total.wasted
	}
	line(none, "in no package"+hint)
}

// shareOf returns which part of the stored bytes n is.
func shareOf(n, of int64) string { return Percent(float64(n) / float64(max(of, 1))) }

// writePackageRows writes a table of packages.
func writePackageRows(b io.Writer, all []packageRow) {
	times, width, layers := map[packageKey]int{}, len("name"), len("in layers")
	for _, x := range all {
		times[keyOf(x.Package)]++
		layers = max(layers, len(layersOf(x.Package)))
		width = max(width, min(runewidth.StringWidth(packageText(x.Name)), nameWidth))
	}
	fmt.Fprintf(b, "\nvisible   wasted  brought by  %-*s  type      %s  version\n", layers, "in layers", pad("name", width))
	for _, x := range all {
		line := fmt.Sprintf("%7s  %7s  %10d  %-*s  %-8s  %s  %s", Size(x.Visible), Size(x.Wasted), x.BroughtBy, layers, layersOf(x.Package), Safe(x.Type), pad(packageText(x.Name), width), packageText(x.Version))
		if where := whereIn(times, x.Package); where != "" {
			line += "  " + where
		}
		if x.RemovedBy >= 0 {
			line += fmt.Sprintf("  removed by layer %d", x.RemovedBy)
		}
		fmt.Fprintln(b, strings.TrimRight(line, " "))
	}
}

// pad fills s with spaces.
func pad(s string, width int) string { return runewidth.FillRight(s, width) }

// packageText returns the name or the version of a package, safe to show and not too
// long.
func packageText(s string) string { return runewidth.Truncate(Safe(s), nameLongest, "…") }

// whereOf tells packages of one name and version apart.
func whereOf(p *facts.Package) string {
	return strings.TrimPrefix(packageText(p.Arch)+" in "+short(Safe(p.Database)), " ")
}

// layersOf returns the layers that store files of a package: "0, 2-4".
func layersOf(p *facts.Package) string {
	if len(p.Layers) == 0 {
		return "-"
	}
	var parts []string
	for i := 0; i < len(p.Layers); {
		from, to := p.Layers[i].Layer, p.Layers[i].Layer
		for i++; i < len(p.Layers) && p.Layers[i].Layer == to+1; i++ {
			to++
		}
		text := strconv.Itoa(from)
		if to > from {
			text += "-" + strconv.Itoa(to)
		}
		parts = append(parts, text)
	}
	if n := len(parts) - layersShown; n > 1 {
		return strings.Join(parts[:layersShown], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(parts, ", ")
}

// Unowned writes the folders whose files belong to no package, as text.
func Unowned(w io.Writer, in *Input, opt PackagesOptions) error {
	r := in.Report
	u := r.Unowned
	all := slices.Clone(u.Folders)
	slices.SortStableFunc(all, func(a, b facts.UnownedFolder) int {
		switch opt.Sort {
		case SortName:
			return cmp.Compare(a.Path, b.Path)
		case SortWaste:
			return cmp.Compare(b.WastedBytes, a.WastedBytes)
		}
		return cmp.Compare(b.VisibleBytes+b.WastedBytes, a.VisibleBytes+a.WastedBytes)
	})
	return buffered(w, func(b *bufio.Writer) error {
		fmt.Fprintf(b, "image     %s\n\nvisible   wasted   share\n", in.title())
		fmt.Fprintf(b, "%7s  %7s  %6s  in no package: %s in %s\n", Size(u.VisibleBytes), Size(u.WastedBytes),
			shareOf(u.VisibleBytes+u.WastedBytes, r.Totals.StoredBytes), count(u.Files, "file"), count(len(u.Folders)+u.MoreFolders, "folder"))
		if len(all) == 0 {
			return nil
		}
		fmt.Fprintf(b, "\nvisible   wasted    files  folder\n")
		rest, hint := facts.UnownedFolder{VisibleBytes: u.VisibleBytes, WastedBytes: u.WastedBytes}, ""
		for i, f := range all {
			if opt.Most > 0 && i == opt.Most {
				hint = ": --all lists more"
				break
			}
			fmt.Fprintf(b, "%7s  %7s  %7d  %s\n", Size(f.VisibleBytes), Size(f.WastedBytes), f.Files, Safe(f.Path))
			rest.VisibleBytes -= f.VisibleBytes
			rest.WastedBytes -= f.WastedBytes
			rest.Files++
		}
		if n := len(all) + u.MoreFolders - rest.Files; n > 0 {
			fmt.Fprintf(b, "%7s  %7s           in %s%s\n", Size(rest.VisibleBytes), Size(rest.WastedBytes), count(n, "more folder"), hint)
		}
		return nil
	})
}

// OwnedFiles are the files of a package.
type OwnedFiles struct {
	Package *facts.Package
	Files   []OwnedFile
}

// OwnedFile is content that belongs to a package.
type OwnedFile struct {
	Path     string
	Names    []string // its other paths, if it has several
	Bytes    int64
	Layer    int
	HiddenBy int    // the layer that hides it; -1 for visible content
	Cause    string // of waste
}

// PackageFiles writes the files of packages, as text.
func PackageFiles(w io.Writer, in *Input, all []OwnedFiles, opt PackagesOptions) error {
	return buffered(w, func(b *bufio.Writer) error {
		fmt.Fprintf(b, "image     %s\n", in.title())
		for _, x := range all {
			p := x.Package
			fmt.Fprintf(b, "\n%s, %s visible, %s wasted\n", packageLine(p), Size(p.VisibleBytes), Size(p.WastedBytes))
			fmt.Fprintf(b, "listed by %s\n", Safe(p.Database))
			writeOwned(b, x.Files, opt)
			writeModules(b, p.Modules)
		}
		return nil
	})
}

func writeOwned(b io.Writer, files []OwnedFile, opt PackagesOptions) {
	wasted := func(f *OwnedFile) int64 {
		if f.HiddenBy < 0 {
			return 0
		}
		return f.Bytes
	}
	slices.SortStableFunc(files, func(a, b OwnedFile) int {
		byPath := cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer))
		switch opt.Sort {
		case SortName:
			return byPath
		case SortWaste:
			return cmp.Or(cmp.Compare(wasted(&b), wasted(&a)), cmp.Compare(b.Bytes, a.Bytes), byPath)
		}
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), byPath)
	})
	if len(files) == 0 {
		fmt.Fprintf(b, "   none of its files has content of its own\n")
		return
	}
	fmt.Fprintf(b, "   size  layer  path\n")
	for _, f := range files {
		fmt.Fprintf(b, "%7s  %5d  %s", Size(f.Bytes), f.Layer, Safe(f.Path))
		for _, name := range f.Names {
			fmt.Fprintf(b, " == %s", Safe(name))
		}
		if f.HiddenBy >= 0 {
			fmt.Fprintf(b, "  (%s by layer %d)", Safe(Cause(f.Cause)), f.HiddenBy)
		}
		fmt.Fprintln(b)
	}
}

func writeModules(b io.Writer, all []string) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(b, "built from %s\n", count(len(all), "module"))
	for _, m := range all[:min(len(all), modulesListed)] {
		fmt.Fprintf(b, "                %s\n", packageText(m))
	}
	if n := len(all) - modulesListed; n > 0 {
		fmt.Fprintf(b, "                and %d more\n", n)
	}
}

// packageLine returns a package on one line: "npm lodash 4.17.21, brought by layer 2".
func packageLine(p *facts.Package) string {
	s := strings.TrimRight(fmt.Sprintf("%s %s %s", Safe(p.Type), packageText(p.Name), packageText(p.Version)), " ")
	s += fmt.Sprintf(", brought by layer %d", p.BroughtBy)
	if p.RemovedBy >= 0 {
		s += fmt.Sprintf(", removed by layer %d", p.RemovedBy)
	}
	return s
}

// packagesLine returns what packages take of an image: "412 packages, 187 MB of 201 MB;
// 14 MB in no package".
func packagesLine(r *facts.Report) string {
	none := r.Unowned.VisibleBytes + r.Unowned.WastedBytes
	return fmt.Sprintf("%s, %s of %s; %s in no package", count(len(r.Packages), "package"), Size(r.Totals.StoredBytes-none), Size(r.Totals.StoredBytes), Size(none))
}

// writePackages lists the largest packages, one line each.
func writePackages(b io.Writer, r *facts.Report) {
	if len(r.Packages) == 0 || r.Unowned == nil {
		return
	}
	fmt.Fprintf(b, "\npackages    %s\n", packagesLine(r))
	for i := range r.Packages[:min(len(r.Packages), packageShown)] {
		p := &r.Packages[i]
		fmt.Fprintf(b, "%7s  %s\n", Size(p.VisibleBytes+p.WastedBytes), short(packageLine(p)))
	}
	more := ""
	if n := len(r.Packages) - packageShown; n > 0 {
		more = fmt.Sprintf(" has the other %d", n)
	} else {
		more = " has their layers"
	}
	fmt.Fprintf(b, "         fathom packages%s\n", more)
}
