package advice

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

// owner returns the index of the package that owns content, -1 if none does or packages
// are unknown.
func (im *image) owner(c filetree.Content) int {
	if im.packages == nil {
		return -1
	}
	return im.packages.Of(c)
}

// distributed reports whether a package of the distribution owns content.
func (im *image) distributed(c filetree.Content) bool {
	i := im.owner(c)
	return i >= 0 && ofDistribution(&im.packages.List[i])
}

func ofDistribution(p *facts.Package) bool {
	return p.Type == facts.TypeDeb || p.Type == facts.TypeAPK || p.Type == facts.TypeRPM
}

// hasDistribution reports whether the packages of the distribution are known.
func (im *image) hasDistribution() bool {
	return im.packages != nil && slices.ContainsFunc(im.packages.List, func(p facts.Package) bool { return ofDistribution(&p) })
}

// shares sums the bytes of a lot by package.
type shares map[int]int64

// names returns the names of the packages with the largest shares, at most n, and the
// number of the others: "gcc-14, libc6-dev and 7 other packages".
func (s shares) names(im *image, n int) string {
	sizes := map[string]int64{}
	for i, bytes := range s {
		sizes[im.packages.List[i].Name] += bytes
	}
	return largest(sizes, n)
}

// largest returns the names with most bytes, at most n, and the number of the others.
func largest(sizes map[string]int64, n int) string {
	names := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int { return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b)) })
	if more := len(names) - n; more > 0 {
		names = append(names[:n], count(more, "other package"))
	}
	return list(names)
}

// tool says what a package is for.
type tool uint8

const (
	noTool   tool = iota
	library       // headers and libraries to build with
	builder       // make, a linker, ...
	compiler      // with its libraries
)

// buildPackages returns the globs of the packages that are only for building, by the
// type of the package.
func buildPackages() map[string]map[tool][]string {
	common := []string{"make", "cmake", "cmake-data", "binutils", "ninja-build", "meson", "autoconf", "automake", "libtool", "bison", "flex", "m4"}
	return map[string]map[tool][]string{
		facts.TypeDeb: {
			compiler: {
				"gcc", "gcc-[0-9]*", "g++", "g++-*", "gcc-*-linux-gnu*", "cpp", "cpp-*", "gfortran", "gfortran-*", "clang", "clang-[0-9]*", "rustc", "cargo",
				"golang*", "build-essential",
			},
			builder: append(common, "binutils-*", "libbinutils", "dpkg-dev", "pkgconf", "pkgconf-bin", "pkg-config", "libtool-bin", "libcc1-[0-9]", "libctf*", "libgprofng*", "libisl[0-9]*", "libsframe[0-9]*", "libc-devtools", "rpcsvc-proto"),
			library: {"*-dev", "*-dev-bin", "libasan[0-9]*", "libtsan[0-9]*", "libubsan[0-9]*", "liblsan[0-9]*", "libhwasan[0-9]*", "rust-src", "libstd-rust-*"},
		},
		facts.TypeAPK: {
			compiler: {"gcc", "g++", "gfortran", "clang", "clang[0-9]*", "rust", "cargo", "go", "build-base", "alpine-sdk"},
			builder:  append(common, "samurai", "ninja", "fortify-headers", "isl[0-9]*", "libisl*", "mpc1"),
			library:  {"*-dev", "linux-headers"},
		},
		facts.TypeRPM: {
			compiler: {"gcc", "gcc-c++", "gcc-gfortran", "cpp", "clang", "rust", "cargo", "golang", "golang-bin", "golang-src"},
			builder:  append(common, "binutils-*", "annobin*", "gcc-plugin-*", "rpm-build", "isl", "libmpc"),
			library:  {"*-devel", "kernel-headers", "glibc-headers*", "rust-std-static*"},
		},
	}
}

// notTools are packages that match the globs and that programs need to run.
func notTools() []string { return []string{"gcc-*-base", "binutils-gold-*"} }

// toolOf returns what a package is for.
func toolOf(kinds map[string]map[tool][]string, p *facts.Package) tool {
	matches := func(glob string) bool {
		ok, _ := path.Match(glob, p.Name) // the globs are good: a test matches them all
		return ok
	}
	if p.RemovedBy >= 0 || slices.ContainsFunc(notTools(), matches) {
		return noTool
	}
	for _, t := range []tool{builder, library, compiler} {
		if slices.ContainsFunc(kinds[p.Type][t], matches) {
			return t
		}
	}
	return noTool
}

// tools returns, by index in the list of packages, what each is for.
func (im *image) tools() []tool {
	if im.packages == nil {
		return nil
	}
	kinds := buildPackages()
	out := make([]tool, len(im.packages.List))
	for i := range out {
		out[i] = toolOf(kinds, &im.packages.List[i])
	}
	return out
}

// folded returns, by node, the outermost path at or above it at which everything that is
// visible belongs to packages for which is returns true; None if there is none.
func (im *image) folded(is func(pkg int) bool) []filetree.Node {
	const some, others = 1, 2
	below := make([]uint8, im.tree.Len())
	for c := range filetree.Content(im.tree.Contents()) {
		s := im.tree.Stored(c)
		if s.Cause != filetree.Visible {
			continue
		}
		what := uint8(others)
		if i := im.owner(c); i >= 0 && is(i) {
			what = some
		}
		below[s.Node] |= what
	}
	for n := filetree.Node(im.tree.Len() - 1); n > filetree.Root; n-- {
		below[im.tree.Parent(n)] |= below[n]
	}
	return im.tops(func(n filetree.Node) bool { return below[n] == some })
}
