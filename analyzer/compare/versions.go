package compare

import (
	"cmp"
	"regexp"
	"strings"

	"fathom/analyzer/facts"
)

// What became of a package (State).
const (
	PackageAdded   = "added"
	PackageRemoved = "removed"
	PackageUp      = "up"
	PackageDown    = "down"
	PackageOther   = "other versions" // of several, or versions in no order
	PackageResized = "resized"        // the same version takes more or less
)

// PackageStates returns the states of packages in the order to show them.
func PackageStates() []string {
	return []string{PackageUp, PackageDown, PackageOther, PackageAdded, PackageRemoved, PackageResized}
}

// PackageState says what became of a package.
func PackageState(p *facts.PackageChange) string {
	switch {
	case p.Old == nil && p.New == nil, p.Old != nil && p.New != nil && *p.Old == *p.New:
		return PackageResized
	case p.Old == nil:
		return PackageAdded
	case p.New == nil:
		return PackageRemoved
	case strings.Contains(*p.Old+*p.New, ", "):
		return PackageOther
	}
	switch order := compareVersions(*p.Old, *p.New, preRelease(p.Type)); {
	case order < 0:
		return PackageUp
	case order > 0:
		return PackageDown
	}
	return PackageOther
}

// preRelease reports whether letters in a version of this type say that it comes before
// the version without them: 1.0-rc1 comes before 1.0. In distributions only ~ does.
func preRelease(kind string) bool {
	switch kind {
	case facts.TypeDeb, facts.TypeAPK, facts.TypeRPM:
		return false
	}
	return true
}

// versionPart matches the parts of a version. Other characters only separate them.
var versionPart = regexp.MustCompile(`[0-9]+|[a-zA-Z]+|[~-]`)

// compareVersions orders two versions nearly as dpkg does. If pre is true, letters come
// before the version without them, unless they say otherwise, and + begins what has no
// order.
func compareVersions(a, b string, pre bool) int {
	parts := func(s string) []string {
		if pre {
			s, _, _ = strings.Cut(s, "+")
			s = strings.ReplaceAll(s, "-", ".")
		} else if !strings.Contains(s, ":") {
			s = "0:" + s // the epoch
		}
		return versionPart.FindAllString(s, -1)
	}
	x, y := parts(a), parts(b)
	for i := range max(len(x), len(y)) {
		p, q := "", ""
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		p, q = strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
		if i < len(x) && p == "" {
			p = "0"
		}
		if i < len(y) && q == "" {
			q = "0"
		}
		k, l := rank(p, pre), rank(q, pre)
		if order := cmp.Compare(k, l); order != 0 {
			return order
		}
		if k == digits {
			if order := cmp.Compare(len(p), len(q)); order != 0 {
				return order
			}
		}
		if order := strings.Compare(p, q); order != 0 {
			return order
		}
	}
	return 0
}

// The parts of a version that differ in kind, in their order.
const (
	tilde = iota
	early // letters before the version without them
	end
	dash // before the revision
	letters
	digits
)

func rank(part string, pre bool) int {
	switch {
	case part == "":
		return end
	case part == "~":
		return tilde
	case part == "-":
		return dash
	case part[0] >= '0' && part[0] <= '9':
		return digits
	case !pre:
		return letters
	}
	switch strings.ToLower(part) {
	case "final", "ga", "release":
		return end
	case "post", "v", "r", "rev", "p", "sp":
		return letters
	}
	return early
}
