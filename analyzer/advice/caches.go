package advice

import (
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// cache is the cache of a tool that installs or builds.
type cache struct {
	name    string   // begins a sentence
	folders []string // those that begin with "/" are paths, the others are the ends of paths
	mounts  []string // what to mount for all of its folders; nil to mount each of them
	clean   string   // the command that empties it
	likely  bool     // the image may need it to run
}

func caches() []cache {
	return []cache{
		{name: "apt's cache", folders: []string{"/var/lib/apt/lists", "/var/cache/apt"}, mounts: []string{"/var/cache/apt,sharing=locked", "/var/lib/apt,sharing=locked"}, clean: "apt-get clean && rm -rf /var/lib/apt/lists/*"},
		{name: "apk's cache", folders: []string{"/var/cache/apk", "/etc/apk/cache"}, clean: "rm -rf /var/cache/apk/*"},
		{name: "dnf's cache", folders: []string{"/var/cache/dnf", "/var/cache/libdnf5"}, clean: "dnf clean all"},
		{name: "yum's cache", folders: []string{"/var/cache/yum"}, clean: "yum clean all"},
		{name: "zypper's cache", folders: []string{"/var/cache/zypp"}, clean: "zypper clean --all"},
		{name: "pacman's cache", folders: []string{"/var/cache/pacman/pkg"}, clean: "pacman -Scc --noconfirm"},
		{name: "pip's cache", folders: []string{".cache/pip"}, clean: "pip cache purge"},
		{name: "uv's cache", folders: []string{".cache/uv"}, clean: "uv cache clean"},
		{name: "Poetry's cache", folders: []string{".cache/pypoetry/cache", ".cache/pypoetry/artifacts"}},
		{name: "conda's cache", folders: []string{"pkgs"}, clean: "conda clean --all --yes"},
		{name: "npm's cache", folders: []string{".npm"}, clean: "npm cache clean --force"},
		{name: "yarn's cache", folders: []string{".cache/yarn", ".yarn/berry/cache"}, clean: "yarn cache clean"},
		{name: "pnpm's store", folders: []string{"pnpm/store", ".pnpm-store"}, clean: "pnpm store prune"},
		{name: "Bun's cache", folders: []string{".bun/install/cache"}, clean: "bun pm cache rm"},
		{name: "Go's cache", folders: []string{".cache/go-build", "go/pkg/mod", "go/pkg/sumdb"}, clean: "go clean -cache -modcache"},
		{name: "Cargo's cache", folders: []string{".cargo/registry", ".cargo/git", "/usr/local/cargo/registry", "/usr/local/cargo/git"}},
		{name: "Gradle's cache", folders: []string{".gradle/caches"}},
		{name: "Composer's cache", folders: []string{".cache/composer", ".composer/cache"}, clean: "composer clear-cache"},
		{name: "Bundler's cache", folders: []string{"cache", ".bundle/cache"}},
		{name: "Maven's repository", folders: []string{".m2/repository"}, likely: true},
		{name: "NuGet's packages", folders: []string{".nuget/packages"}, likely: true},
	}
}

func packageCache() Rule {
	return Rule{
		Name:     "package-cache",
		Severity: facts.SeverityWarn,
		Means:    "A step leaves the cache of a package manager or of a build tool in its layer.",
		Why:      "The image doesn't need the cache to run. It is shipped even if a later step removes it.",
		Fix:      "Keep the cache out of the layer with `RUN --mount=type=cache`, which also makes the next build faster, or empty it in the same step.",
		Not:      "Content that also has a name outside of the cache (a hard link, as conda, pnpm and uv make them): it stays without the cache. The `.yarn/cache` of a project is the program itself. Maven's and NuGet's repositories can be what the program runs from: they are of severity info and likely.",
		find:     (*image).packageCaches,
	}
}

func (im *image) packageCaches() ([]*finding, error) {
	known := caches()
	type folder struct {
		names  []string // the last one first
		rooted bool
		cache  int
	}
	byName := map[string][]folder{}
	for i, k := range known {
		for _, p := range k.folders {
			names := strings.Split(strings.TrimPrefix(p, "/"), "/")
			slices.Reverse(names)
			byName[names[0]] = append(byName[names[0]], folder{names, p[0] == '/', i})
		}
	}
	// at returns the cache whose folder n is, or -1.
	at := func(n filetree.Node) int {
		for _, f := range byName[im.tree.Name(n)] {
			if im.under(n, f.names, f.rooted) && im.isCache(n, f.names) {
				return f.cache
			}
		}
		return -1
	}
	tops := im.tops(func(n filetree.Node) bool { return im.isDir(n) && at(n) >= 0 })
	lots := im.lots(func(c filetree.Content, s filetree.Stored) (filetree.Node, int) {
		if top := im.inside(tops, c, s); top != filetree.None {
			return top, at(top)
		}
		return filetree.None, 0
	})
	im.cached = map[cachedIn]bool{}
	for _, l := range lots {
		k := known[l.kind]
		im.cached[cachedIn{l.layer, k.name}] = true
		l.Title = fmt.Sprintf("%s takes %s in layer %d", k.name, size(l.Bytes), l.layer)
		if strings.HasSuffix(k.name, "s") {
			l.Title = fmt.Sprintf("%s take %s in layer %d", k.name, size(l.Bytes), l.layer)
		}
		l.Fix = im.cacheFix(l, &k)
		if k.likely {
			l.Severity, l.Certainty = facts.SeverityInfo, facts.CertainLikely
		}
	}
	return findings(lots), nil
}

// cachedIn is a cache that a layer stores.
type cachedIn struct {
	layer int
	name  string
}

// isCache reports whether a folder whose path ends like that of a cache is one: some
// names say too little.
func (im *image) isCache(n filetree.Node, names []string) bool {
	up := im.tree.Parent(n)
	switch {
	case names[0] == ".npm":
		return im.hasChild(n, "_cacache")
	case names[0] == "pkgs":
		return im.hasChild(up, "conda-meta")
	case len(names) == 1 && names[0] == "cache":
		return im.hasChild(up, "specifications") && im.hasChild(up, "gems")
	}
	return true
}

// cacheFix says how to keep a cache out of its layer.
func (im *image) cacheFix(l *lot, k *cache) facts.Fix {
	s := im.step(l.layer)
	if s.copies() {
		return facts.Fix{Text: fmt.Sprintf("leave the cache out of what layer %d copies: copy only what the image needs", l.layer)}
	}
	var flags, folders []string
	odd := false // a folder's name doesn't fit in a flag of RUN
	for _, n := range l.tops {
		p := im.tree.Path(n)
		word, ok := shellWord(p)
		odd = odd || !ok || word != p || strings.ContainsAny(p, ",=")
		folders = append(folders, word)
		if k.mounts != nil {
			continue
		}
		flag := "--mount=type=cache,target=" + p
		if st, ok := im.tree.At(n, l.layer); ok && st.UID != 0 {
			flag += fmt.Sprintf(",uid=%d,gid=%d", st.UID, st.GID)
		}
		flags = append(flags, flag)
	}
	for _, m := range k.mounts {
		flags = append(flags, "--mount=type=cache,target="+m)
	}
	clean := k.clean
	if clean == "" {
		clean = "rm -rf " + strings.Join(folders, " ")
	}
	fix := facts.Fix{Text: fmt.Sprintf("keep the cache out of the layer with a cache mount, or end the step with && %s", clean)}
	if l.removedBy >= 0 {
		fix.Text += fmt.Sprintf(": layer %d removes it too late", l.removedBy)
	}
	if s.script == "" || odd {
		return fix
	}
	if first, last := im.splitUpdate(l.layer); first < last {
		fix.Text += "; run apt-get update in the step that installs"
		if lines := im.joined(first, last); lines != nil {
			lines[0] = "    " + strings.TrimPrefix(lines[0], "RUN ")
			fix.Lines = append([]string{"RUN " + strings.Join(flags, " ") + ` \`}, lines...)
		}
		return fix
	}
	fix.Lines = runLines(flags, s.script)
	return fix
}

// splitUpdate returns the layers of the two steps of which the first only updates
// apt's lists and the second installs packages, if i is one of them. Else it returns
// i twice.
func (im *image) splitUpdate(i int) (first, last int) {
	does := func(i int, sub string) bool {
		return im.step(i).runs(func(c call) bool { return c.sub() == sub }, "apt-get", "apt") != nil
	}
	for first = i; first > 0 && !does(first, "update"); first-- {
	}
	for last = i; last < im.last() && !does(last, "install"); last++ {
	}
	if !does(first, "update") || does(first, "install") || !does(last, "install") || does(last, "update") {
		return i, i
	}
	return first, last
}
