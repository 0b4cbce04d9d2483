package advice

import (
	"cmp"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

func duplicateDependency() Rule {
	return Rule{
		Name:     "duplicate-dependency",
		Severity: facts.SeverityWarn,
		Means:    "An npm package is installed several times in the same version.",
		Why:      "A package that is further out, and that Node.js would find, has the same files. Each copy takes space, and the program loads it again.",
		Fix:      "Run `npm dedupe` in the project and commit the new `package-lock.json`.",
		Not:      "Copies whose files differ, those that another version of the same package separates, those that come bundled with a package, and pnpm's.",
		reads:    true,
		// devDependencies has the looker for npmProjects.
		find: (*image).duplicateModules,
	}
}

// module is an installed npm package.
type module struct {
	folder   filetree.Node
	pkg      int                // its index in the list of packages
	project  filetree.Node      // the folder with the outermost node_modules
	name     string             // of its folder below node_modules
	contents []filetree.Content // that it owns, and that the final filesystem shows
}

// npmModules returns the npm packages of projects, by folder.
func (im *image) npmModules() map[string]*module {
	out := map[string]*module{}
	byPackage := map[int]*module{}
	for i, p := range im.packages.List {
		if p.Type != facts.TypeNPM || p.RemovedBy >= 0 || strings.Contains(p.Database, "/.pnpm/") {
			continue
		}
		folder := path.Dir(p.Database)
		project, _, ok := strings.Cut(folder, "/node_modules/")
		_, name, _ := cutLast(folder, "/node_modules/")
		n, found := im.tree.Lookup(folder)
		top, has := im.tree.Lookup(cmp.Or(project, "/"))
		if !ok || !found || !has || !im.shows(path.Join("/", project, "package.json"), layer.File) {
			continue
		}
		m := &module{folder: n, pkg: i, project: top, name: name}
		out[folder], byPackage[i] = m, m
	}
	for c := range filetree.Content(im.tree.Contents()) {
		if m := byPackage[im.owner(c)]; m != nil && im.tree.Stored(c).Cause == filetree.Visible {
			m.contents = append(m.contents, c)
		}
	}
	return out
}

// outer returns the package of the same name that Node.js finds from the folder above
// the node_modules that has m: the nearest one further out. It returns nil if there is
// none.
func outer(all map[string]*module, folder, name string) *module {
	at, _, _ := cutLast(folder, "/node_modules/")
	for range maxNested {
		up, _, ok := cutLast(at, "/node_modules/")
		if !ok {
			return nil
		}
		if m := all[up+"/node_modules/"+name]; m != nil {
			return m
		}
		at = up
	}
	return nil
}

// maxNested is how many folders further out are looked at for a copy of a package.
const maxNested = 32

// duplicateModules returns a finding for each layer that stores copies of npm packages
// of which a package further out has the same name, version and files. Without them,
// Node.js loads that one.
func (im *image) duplicateModules() ([]*finding, error) {
	if im.packages == nil {
		return nil, nil
	}
	bundled, locked := map[filetree.Node]bool{}, true
	for _, p := range im.npmProjects() {
		for _, n := range p.bundled {
			bundled[n] = true
		}
	}
	all := im.npmModules()
	type copyOf struct{ m, of *module }
	var copies []copyOf
	var contents []filetree.Content
	for folder, m := range all {
		of := outer(all, folder, m.name)
		if of == nil || len(m.contents) != len(of.contents) || bundled[m.folder] || len(m.contents) == 0 || !im.sameVersion(m, of) || !slices.Equal(im.shape(m), im.shape(of)) {
			continue
		}
		copies = append(copies, copyOf{m, of})
		contents = append(append(contents, m.contents...), of.contents...)
	}
	if len(copies) == 0 {
		return nil, nil
	}
	slices.SortFunc(copies, func(a, b copyOf) int { return cmp.Compare(a.m.folder, b.m.folder) })
	slices.Sort(contents)
	same, err := im.hashes(slices.Compact(contents))
	if err != nil {
		return nil, err
	}
	copied := map[filetree.Content]filetree.Node{} // content of a copy, and its folder
	for _, c := range copies {
		a, b := im.sorted(c.m), im.sorted(c.of)
		equal := true
		for i := range a {
			equal = equal && same(a[i]) == same(b[i])
		}
		if !equal {
			continue
		}
		p := im.projects[c.m.project]
		locked = locked && p != nil && p.locked // else nothing says what came bundled
		for _, x := range a {
			copied[x] = c.m.folder
		}
	}
	lots := im.lots(func(c filetree.Content, s filetree.Stored) (filetree.Node, int) {
		if n, ok := copied[c]; ok && !im.tree.Linked(c) {
			return n, 0
		}
		return filetree.None, 0
	})
	for _, l := range lots {
		sizes := map[string]int64{}
		for _, p := range l.places {
			_, name, _ := cutLast(im.tree.Path(p.node), "/node_modules/")
			sizes[name] += p.Bytes
		}
		if !locked {
			l.Certainty = facts.CertainLikely
		}
		l.Title = fmt.Sprintf("npm packages that are further out, too, take %s in layer %d: %s", size(l.Bytes), l.layer, largest(sizes, devNamed))
		l.Fix = facts.Fix{Text: "run npm dedupe where package-lock.json is, and commit the new one"}
		if s := im.step(l.layer); s.runs(npmInstalls, "npm") != nil {
			l.Fix.Text += "; or end the step with && npm dedupe"
			l.Fix.Lines = im.followed(l.layer, "npm dedupe")
		}
	}
	return findings(lots), nil
}

func (im *image) sameVersion(a, b *module) bool {
	x, y := &im.packages.List[a.pkg], &im.packages.List[b.pkg]
	return a.project == b.project && x.Name == y.Name && x.Version == y.Version
}

// sorted returns the content of a package in the order of its paths in the package.
func (im *image) sorted(m *module) []filetree.Content {
	out := slices.Clone(m.contents)
	slices.SortFunc(out, func(a, b filetree.Content) int {
		return im.tree.ComparePaths(im.tree.Stored(a).Node, im.tree.Stored(b).Node)
	})
	return out
}

// shape returns the paths in a package, and the sizes of the files there.
func (im *image) shape(m *module) []string {
	prefix := im.tree.Path(m.folder)
	var out []string
	for _, c := range im.sorted(m) {
		s := im.tree.Stored(c)
		out = append(out, fmt.Sprintf("%s %d", strings.TrimPrefix(im.tree.Path(s.Node), prefix), s.Bytes))
	}
	return out
}

// hashes returns a function that returns the same number for content that is equal.
func (im *image) hashes(contents []filetree.Content) (func(filetree.Content) uint64, error) {
	c := im.comparing()
	if err := c.read(slices.DeleteFunc(contents, func(x filetree.Content) bool { _, _, known := im.tree.Hash(x); return known }), math.MaxInt64); err != nil {
		return nil, err
	}
	return c.known, nil
}
