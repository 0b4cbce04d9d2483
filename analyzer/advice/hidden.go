package advice

import (
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
)

func removedLater() Rule {
	return Rule{
		Name:     "removed-later",
		Severity: facts.SeverityWarn,
		Means:    "A step stores files that a later step removes.",
		Why:      "Each layer is shipped whole. Removing a file in a later step hides it and makes the image no smaller.",
		Fix:      "Remove the files in the step that stores them, or store them in an earlier stage and copy only the result.",
		find: func(im *image) ([]*finding, error) {
			pairs := im.hidden(filetree.Deleted, nil)
			for _, p := range pairs {
				p.Title = fmt.Sprintf("layer %d removes %s that layer %d stores", p.by, size(p.Bytes), p.layer)
				p.Fix = im.removedFix(p)
			}
			return pairFindings(pairs), nil
		},
	}
}

func storedAgain() Rule {
	return Rule{
		Name:     "stored-again",
		Severity: facts.SeverityWarn,
		Means:    "A step stores files again that a lower layer has with the same content.",
		Why:      "chmod, chown, touch, or copying the same file stores the whole file again. The first copy is hidden and still shipped.",
		Fix:      "Set the owner and the mode where the files are stored: `COPY --chown=… --chmod=…`, or chown and chmod in the same RUN.",
		find: func(im *image) ([]*finding, error) {
			pairs := im.hidden(filetree.MetadataOnly, nil)
			for _, p := range pairs {
				what, flags := im.differences(p)
				p.Title = fmt.Sprintf("layer %d stores %s of layer %d again, with %s", p.by, size(p.Bytes), p.layer, what)
				p.Fix = im.againFix(p, flags)
			}
			return pairFindings(pairs), nil
		},
	}
}

func overwritten() Rule {
	return Rule{
		Name:     "overwritten",
		Severity: facts.SeverityWarn,
		Means:    "A step stores files that a later step replaces by others.",
		Why:      "The first content is hidden and still shipped. Each step that installs packages stores the whole package database again.",
		Fix:      "Leave the files out of the first step, or join the two steps. Install all packages in one step.",
		Not:      "The package database of a base image: the first step that installs packages always replaces it.",
		find: func(im *image) ([]*finding, error) {
			pairs := im.hidden(filetree.Overwritten, func(n filetree.Node, stored, _ int) int {
				switch {
				case !im.packageDatabase(n):
					return 0
				case im.step(stored).installs():
					return 1
				}
				return -1
			})
			for _, p := range pairs {
				p.Title = fmt.Sprintf("layer %d overwrites %s that layer %d stores", p.by, size(p.Bytes), p.layer)
				if p.kind == 1 {
					p.Title = fmt.Sprintf("layer %d stores the package database of layer %d again, %s", p.by, p.layer, size(p.Bytes))
				}
				p.Fix = im.overwrittenFix(p)
			}
			return pairFindings(pairs), nil
		},
	}
}

// pair is a finding about content that one layer stores and a later one hides.
type pair struct {
	*finding
	kind, layer, by int
	contents        []filetree.Content
}

func pairFindings(all []*pair) []*finding {
	var out []*finding
	for _, p := range all {
		out = append(out, p.finding)
	}
	return out
}

// hidden returns a pair for each two layers of which the later one hides content of
// the other for that cause. kind, if not nil, splits them by the path that is hidden;
// -1 leaves it out. The places are those of Groups.
func (im *image) hidden(cause filetree.Cause, kind func(n filetree.Node, stored, by int) int) []*pair {
	part := &facts.Report{Layers: im.report.Layers, Folders: im.report.Folders}
	var contents []filetree.Content
	for c := range filetree.Content(im.tree.Contents()) {
		s := im.tree.Stored(c)
		if s.Cause != cause || s.Bytes == 0 || im.claimed[c] {
			continue
		}
		contents = append(contents, c)
		part.Waste = append(part.Waste, facts.Waste{Path: im.tree.Path(s.Lost), Bytes: s.Bytes, Cause: cause.String(), StoredIn: s.Layer, HiddenBy: s.HiddenBy})
	}
	var all []*pair
	at := map[[3]int]*pair{}
	for _, g := range Groups(part, nil) {
		place, ok := im.tree.Lookup(g.Path)
		if !ok {
			continue
		}
		for _, i := range g.Waste {
			k := [3]int{0, g.StoredIn, g.HiddenBy}
			if kind != nil {
				k[0] = kind(im.tree.Stored(contents[i]).Lost, g.StoredIn, g.HiddenBy)
			}
			if k[0] < 0 {
				continue
			}
			p := at[k]
			if p == nil {
				p = &pair{finding: im.newFinding("", facts.Fix{}), kind: k[0], layer: g.StoredIn, by: g.HiddenBy}
				at[k] = p
				all = append(all, p)
			}
			p.claim(place, contents[i], part.Waste[i].Bytes)
			p.contents = append(p.contents, contents[i])
		}
	}
	for _, p := range all {
		if p.Bytes < warnBytes {
			p.Severity = facts.SeverityInfo
		}
	}
	return all
}

// removedFix says how not to ship what a later step removes.
func (im *image) removedFix(p *pair) facts.Fix {
	if im.step(p.layer).copies() {
		return facts.Fix{Text: fmt.Sprintf("leave it out of what layer %d copies, or copy it in an earlier stage: layer %d removes it too late", p.layer, p.by)}
	}
	return facts.Fix{
		Text:  fmt.Sprintf("remove it in the step that stores it, not in that of layer %d, or make it in an earlier stage", p.by),
		Lines: im.joined(p.layer, p.by),
	}
}

// differences says how files differ from what a lower layer has, and returns the flags
// of a COPY that sets their owner or mode; "" if neither differs.
func (im *image) differences(p *pair) (what, flags string) {
	owner, mode, xattrs, times := false, false, false, false
	owners, modes := map[string]bool{}, map[string]bool{}
	for _, c := range p.contents {
		n := im.tree.Stored(c).Lost
		was, ok1 := im.tree.At(n, p.by-1)
		is, ok2 := im.tree.At(n, p.by)
		if !ok1 || !ok2 {
			continue
		}
		owner = owner || was.UID != is.UID || was.GID != is.GID
		mode = mode || was.Mode != is.Mode
		xattrs = xattrs || was.Xattrs != is.Xattrs
		times = times || was.ModTime != is.ModTime
		owners[fmt.Sprintf("--chown=%d:%d", is.UID, is.GID)] = true
		modes[fmt.Sprintf("--chmod=%o", is.Mode)] = true
	}
	// flag returns the only one of the flags, or one without a value.
	flag := func(all map[string]bool, bare string) string {
		for f := range all {
			if len(all) == 1 {
				return f
			}
		}
		return bare
	}
	switch {
	case owner && mode:
		return "another owner and another mode", flag(owners, "--chown") + " " + flag(modes, "--chmod")
	case owner:
		return "another owner", flag(owners, "--chown")
	case mode:
		return "another mode", flag(modes, "--chmod")
	case xattrs:
		return "other extended attributes", ""
	case times:
		return "only another time", ""
	}
	return "nothing changed", ""
}

// againFix says how to store content with its attributes at once.
func (im *image) againFix(p *pair, flags string) facts.Fix {
	stored, by := im.step(p.layer), im.step(p.by)
	switch {
	case by.copies() && flags == "":
		return facts.Fix{Text: fmt.Sprintf("copy it once: layer %d copies what layer %d has", p.by, p.layer)}
	case by.copies():
		return facts.Fix{Text: fmt.Sprintf("copy it once, with the owner and mode that layer %d gives it", p.by)}
	case stored.copies() && flags != "":
		return facts.Fix{
			Text:  fmt.Sprintf("copy it with %s in the step of layer %d, and leave that out of the step of layer %d", flags, p.layer, p.by),
			Lines: im.copied(p.layer, p.by),
		}
	case flags == "":
		return facts.Fix{Text: fmt.Sprintf("leave it as layer %d stores it, or make the change in that step", p.layer), Lines: im.joined(p.layer, p.by)}
	}
	return facts.Fix{Text: fmt.Sprintf("set the owner and mode in the step that stores it, not in that of layer %d", p.by), Lines: im.joined(p.layer, p.by)}
}

// packageDatabase reports whether n is a file of a package manager's database.
func (im *image) packageDatabase(n filetree.Node) bool {
	at := im.tree.Path(n)
	return slices.ContainsFunc([]string{
		"/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/debconf/", "/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/usr/share/rpm/", "/var/lib/dnf/", "/lib/apk/db/", "/usr/lib/apk/db/", "/var/lib/pacman/local/",
		"/var/log/dpkg.log", "/var/log/apt/", "/var/log/dnf", "/var/log/alternatives.log", "/etc/ld.so.cache", "/var/cache/ldconfig/",
	}, func(p string) bool { return strings.HasPrefix(at, p) })
}

// installs reports whether a step installs packages of the distribution.
func (s *step) installs() bool {
	return s.runs(func(c call) bool {
		return slices.Contains([]string{"install", "add", "upgrade", "dist-upgrade", "-i", "-U", "-S"}, c.sub()) || c.hasLetter('i') || c.hasLetter('S')
	},
		"apt-get", "apt", "apk", "dnf", "microdnf", "yum", "zypper", "dpkg", "rpm", "pacman", "tdnf") != nil
}

func (im *image) overwrittenFix(p *pair) facts.Fix {
	stored, by := im.step(p.layer), im.step(p.by)
	if p.kind == 1 {
		return facts.Fix{Text: fmt.Sprintf("install the packages of layers %d and %d in one step", p.layer, p.by), Lines: im.joined(p.layer, p.by)}
	}
	if by.runs(func(c call) bool {
		return slices.Contains([]string{"upgrade", "dist-upgrade", "update", "full-upgrade"}, c.sub())
	}, "apt-get", "apt", "apk", "dnf", "yum", "zypper") != nil && !stored.installs() && !stored.copies() {
		return facts.Fix{Text: fmt.Sprintf("begin with a newer base image: layer %d upgrades packages of a lower layer", p.by)}
	}
	return facts.Fix{Text: fmt.Sprintf("store it once: leave it out of layer %d, or make both changes in one step", p.layer), Lines: im.joined(p.layer, p.by)}
}

// fromContext reports whether the step copies from the build context. The history
// shows no --from of BuildKit's: a source that is an absolute path is from a stage.
func (s *step) fromContext() bool {
	if !s.copies() || len(s.args) < 2 || strings.HasPrefix(s.args[0], "/") || strings.Contains(s.args[0], "://") || strings.HasPrefix(s.args[0], "<<") {
		return false
	}
	return !slices.ContainsFunc(s.flags, func(f string) bool { return strings.HasPrefix(f, "--from") })
}
