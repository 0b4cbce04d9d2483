package facts

import (
	"cmp"
	"fmt"
	"slices"
)

// Package is a package that some layer of the image lists as installed, and what its
// files take. See docs/packages.md.
type Package struct {
	Type          string `json:"type"` // one of the Type constants
	Name          string `json:"name"`
	Version       string `json:"version"`
	Arch          string `json:"arch"`                    // "" if the database does not say
	Database      string `json:"database"`                // the path that lists it
	DatabaseBytes []byte `json:"databaseBytes,omitempty"` // the path, if it is not valid UTF-8
	VisibleBytes  int64  `json:"visibleBytes"`
	WastedBytes   int64  `json:"wastedBytes"`
	Files         int    `json:"files"`     // how many files of the final filesystem count here
	BroughtBy     int    `json:"broughtBy"` // the first layer whose database lists this version
	RemovedBy     int    `json:"removedBy"` // the layer that removed it; -1 for a package that the image has
	// Layers are the layers that store its files, in order.
	Layers []PackageLayer `json:"layers"`
	// Modules is what a program was built from, as path@version. They have no bytes
	// of their own.
	Modules []string `json:"modules,omitempty"`
}

// PackageLayer is what one layer stores of a package.
type PackageLayer struct {
	Layer        int   `json:"layer"`
	VisibleBytes int64 `json:"visibleBytes"`
	WastedBytes  int64 `json:"wastedBytes"`
}

// The types of packages (Package.Type).
const (
	TypeDeb      = "deb"
	TypeAPK      = "apk"
	TypeRPM      = "rpm"
	TypeNPM      = "npm"
	TypePython   = "python"
	TypeGo       = "go"
	TypeGem      = "gem"
	TypeJava     = "java"
	TypeCargo    = "cargo"
	TypeComposer = "composer"
	TypeConda    = "conda"
	TypeELF      = "elf" // what a note in a program or library says
)

// PackageTypes returns the types of packages: those of the system, those of languages,
// and those that are single files.
func PackageTypes() []string {
	return []string{TypeDeb, TypeAPK, TypeRPM, TypeNPM, TypePython, TypeGem, TypeComposer, TypeConda, TypeGo, TypeJava, TypeCargo, TypeELF}
}

// Unowned is what belongs to no package.
type Unowned struct {
	VisibleBytes int64 `json:"visibleBytes"`
	WastedBytes  int64 `json:"wastedBytes"`
	Files        int   `json:"files"` // of the final filesystem
	// Folders has the folders with the most bytes, at most MaxUnowned. A folder without
	// any file of a package counts with all below it, the others only with the files
	// directly in them. The folders of the root and those in /usr and /var are such
	// others, always.
	Folders     []UnownedFolder `json:"folders"`
	MoreFolders int             `json:"moreFolders"` // how many are not listed
}

// UnownedFolder is a folder with files that belong to no package.
type UnownedFolder struct {
	Path         string `json:"path"`
	PathBytes    []byte `json:"pathBytes,omitempty"` // the path, if it is not valid UTF-8
	VisibleBytes int64  `json:"visibleBytes"`
	WastedBytes  int64  `json:"wastedBytes"`
	Files        int    `json:"files"`
}

// MaxUnowned is how many folders Unowned lists.
const MaxUnowned = 500

// ComparePackages orders packages as a report lists them: the largest first, then by
// type, name, version and database.
func ComparePackages(a, b Package) int {
	return cmp.Or(
		cmp.Compare(b.VisibleBytes+b.WastedBytes, a.VisibleBytes+a.WastedBytes),
		cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.Database, b.Database),
	)
}

// fillPackages sets what the JSON form of the packages does not represent directly.
func (r *Report) fillPackages() {
	for i := range r.Packages {
		p := &r.Packages[i]
		if len(p.DatabaseBytes) > 0 && p.Database == asText(p.DatabaseBytes) {
			p.Database = string(p.DatabaseBytes)
		}
		if p.Layers == nil {
			p.Layers = []PackageLayer{}
		}
	}
	if r.Unowned == nil {
		return
	}
	for i := range r.Unowned.Folders {
		if f := &r.Unowned.Folders[i]; len(f.PathBytes) > 0 && f.Path == asText(f.PathBytes) {
			f.Path = string(f.PathBytes)
		}
	}
	if r.Unowned.Folders == nil {
		r.Unowned.Folders = []UnownedFolder{}
	}
}

// checkPackages returns an error if the packages of a saved report contradict
// themselves or the totals. Packages and Unowned are nil in a report of an earlier
// version.
func (r *Report) checkPackages() error {
	if (r.Packages == nil) != (r.Unowned == nil) {
		return fmt.Errorf("it has packages, or what belongs to none, but not both")
	}
	if r.Unowned == nil {
		return nil
	}
	var visible, wasted total
	for i := range r.Packages {
		p := &r.Packages[i]
		name := fmt.Sprintf("package %d", i)
		if err := counts(name, p.VisibleBytes, p.WastedBytes, int64(p.Files)); err != nil {
			return err
		}
		if err := p.check(name, len(r.Layers)); err != nil {
			return err
		}
		visible.add(p.VisibleBytes)
		wasted.add(p.WastedBytes)
	}
	if err := r.Unowned.check(); err != nil {
		return err
	}
	visible.add(r.Unowned.VisibleBytes)
	wasted.add(r.Unowned.WastedBytes)
	if int64(visible) != r.Totals.VisibleBytes || int64(wasted) != r.Totals.WastedBytes {
		return fmt.Errorf("its packages and what belongs to none add up to %d visible and %d wasted bytes, and its totals say %d and %d", visible, wasted, r.Totals.VisibleBytes, r.Totals.WastedBytes)
	}
	return nil
}

func (p *Package) check(name string, layers int) error {
	switch {
	case p.Name == "":
		return fmt.Errorf("%s has no name", name)
	case !slices.Contains(PackageTypes(), p.Type):
		return fmt.Errorf("%s has an unknown type: %.40q", name, p.Type)
	case !clean(p.Database):
		return fmt.Errorf("%s: the path %.80q is not rooted and clean", name, p.Database)
	case len(p.DatabaseBytes) > 0 && p.Database != string(p.DatabaseBytes):
		return fmt.Errorf("%s has two paths", name)
	case p.BroughtBy < 0 || p.BroughtBy >= layers || p.RemovedBy != -1 && (p.RemovedBy <= p.BroughtBy || p.RemovedBy >= layers):
		return fmt.Errorf("%s can't be brought by layer %d and removed by layer %d: there are %d", name, p.BroughtBy, p.RemovedBy, layers)
	}
	var visible, wasted total
	next := 0
	for _, l := range p.Layers {
		if err := counts(name, l.VisibleBytes, l.WastedBytes); err != nil {
			return err
		}
		if l.Layer < next || l.Layer >= layers {
			return fmt.Errorf("%s can't have layer %d there: there are %d", name, l.Layer, layers)
		}
		next = l.Layer + 1
		visible.add(l.VisibleBytes)
		wasted.add(l.WastedBytes)
	}
	if int64(visible) != p.VisibleBytes || int64(wasted) != p.WastedBytes {
		return fmt.Errorf("%s has %d visible and %d wasted bytes, and its layers add up to %d and %d", name, p.VisibleBytes, p.WastedBytes, visible, wasted)
	}
	return nil
}

func (u *Unowned) check() error {
	if err := counts("what belongs to no package", u.VisibleBytes, u.WastedBytes, int64(u.Files), int64(u.MoreFolders)); err != nil {
		return err
	}
	if len(u.Folders) > MaxUnowned {
		return fmt.Errorf("what belongs to no package lists %d folders, more than %d", len(u.Folders), MaxUnowned)
	}
	var visible, wasted total
	for i, f := range u.Folders {
		name := fmt.Sprintf("folder %d of what belongs to no package", i)
		if err := counts(name, f.VisibleBytes, f.WastedBytes, int64(f.Files)); err != nil {
			return err
		}
		if f.Path != "/" && !clean(f.Path) {
			return fmt.Errorf("%s: the path %.80q is not rooted and clean", name, f.Path)
		}
		if len(f.PathBytes) > 0 && f.Path != string(f.PathBytes) {
			return fmt.Errorf("%s has two paths", name)
		}
		visible.add(f.VisibleBytes)
		wasted.add(f.WastedBytes)
	}
	if int64(visible) > u.VisibleBytes || int64(wasted) > u.WastedBytes || u.MoreFolders == 0 && (int64(visible) != u.VisibleBytes || int64(wasted) != u.WastedBytes) {
		return fmt.Errorf("the folders of what belongs to no package have %d visible and %d wasted bytes, of %d and %d", visible, wasted, u.VisibleBytes, u.WastedBytes)
	}
	return nil
}
