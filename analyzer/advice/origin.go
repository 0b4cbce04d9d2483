package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// baseLayers returns how many of the lowest layers are the base image's for sure; 0 if
// that is unknown.
func (im *image) baseLayers() int {
	if b := im.report.Base; b != nil && b.Certainty != facts.CertainGuessed {
		return b.Layers
	}
	return 0
}

// attribute says whose finding it is, and which lines of the Dockerfile it is about. A
// team can't change what is stored in a layer of its base image. What its own steps
// store again of that is its own, however.
func (f *finding) attribute(r *Rule) {
	n := f.im.baseLayers()
	again := r.Name == storedAgainName
	f.Owner = facts.OwnerUnknown
	if n > 0 {
		f.Owner = facts.OwnerBase
		if len(f.places) == 0 || slices.ContainsFunc(f.places, func(p placed) bool { return p.Layer < 0 || p.Layer >= n || again && p.HiddenBy >= n }) {
			f.Owner = facts.OwnerOwn
		}
	}
	if f.Source == nil && len(f.places) > 0 {
		p := f.places[0]
		at := []int{p.Layer, p.HiddenBy}
		if again {
			slices.Reverse(at)
		}
		for _, i := range at {
			if i >= 0 && f.Source == nil {
				f.Source = f.im.report.Layers[i].Source
			}
		}
	}
	switch {
	case f.Owner == facts.OwnerBase && r.Name == Secret:
		f.Fix = facts.Fix{Text: "revoke it, and use another base image: it comes from " + cmp.Or(f.im.report.Base.Reference, "the base image")}
	case f.Owner == facts.OwnerBase:
		f.Severity = facts.SeverityInfo
		f.Fix = facts.Fix{Text: OfBase(f.im.report.Base)}
	case f.Owner == facts.OwnerOwn && again && f.places[0].Layer < n:
		f.Fix = facts.Fix{Text: againOfBase(f.places[0].HiddenBy)}
	}
}

// OfBase returns what to do about something that a layer of the base image stores. No
// own step can change that.
func OfBase(b *facts.Base) string {
	text := "it comes from the base image"
	if b.Reference != "" {
		text += " " + b.Reference
	}
	return text + ": a smaller or a newer base would not have it"
}

func againOfBase(layer int) string {
	return fmt.Sprintf("leave the files of the base image as they are, or change them there: layer %d stores all of them again", layer)
}

// OfBaseWaste returns what to do about content of the base image that a layer hides. An
// own layer that stores it again need not do so.
func OfBaseWaste(b *facts.Base, cause string, hidden int) string {
	if cause == "metadata" && hidden >= b.Layers {
		return againOfBase(hidden)
	}
	return OfBase(b)
}

// storedAgainName is the rule whose findings are about the step that hides.
const storedAgainName = "stored-again"

func outdatedBase() Rule {
	return Rule{
		Name:     "outdated-base",
		Severity: facts.SeverityWarn,
		Means:    "A step upgrades the packages of the base image.",
		Why:      "The image has those packages twice: in the layers of the base, and in the step's layer.",
		Fix:      "Start from a newer base image, and leave out the upgrade.",
		Not:      "It needs a base image that is known for sure.",
		find: func(im *image) ([]*finding, error) {
			n := im.baseLayers()
			if n == 0 {
				return nil, nil
			}
			replaced := im.replaced(n)
			var all []*finding
			for i := n; i <= im.last(); i++ {
				s := im.step(i)
				if len(replaced[i]) == 0 || s.runs(upgrades, "apt-get", "apt", "apk", "dnf", "yum", "microdnf", "zypper") == nil {
					continue
				}
				f := im.newFinding("", facts.Fix{Text: "start from a newer base image, and leave out the upgrade"})
				f.Certainty = facts.CertainLikely
				for _, c := range replaced[i] {
					st := im.tree.Stored(c)
					f.claim(st.Node, c, st.Bytes)
				}
				f.Title = fmt.Sprintf("the base image is out of date: layer %d replaces %s of its packages", i, size(f.Bytes))
				if f.Bytes < warnBytes {
					f.Severity = facts.SeverityInfo
				}
				all = append(all, f)
			}
			return all, nil
		},
	}
}

// upgrades reports whether a command upgrades all packages.
func upgrades(c call) bool {
	switch {
	case c.is("apt-get", "apt"):
		return slices.Contains([]string{"upgrade", "dist-upgrade", "full-upgrade"}, c.sub())
	case c.is("apk"):
		return c.sub() == "upgrade"
	case c.is("dnf", "yum", "microdnf", "zypper"):
		return slices.Contains([]string{"update", "upgrade", "up"}, c.sub()) && !slices.ContainsFunc(c[1:], func(w string) bool { return w != c.sub() && !strings.HasPrefix(w, "-") })
	}
	return false
}

// replaced returns, by layer, the visible content of layers above the first n that
// replaced a file of those.
func (im *image) replaced(n int) map[int][]filetree.Content {
	out := map[int][]filetree.Content{}
	for c := range filetree.Content(im.tree.Contents()) {
		s := im.tree.Stored(c)
		if s.Layer < n || s.Cause != filetree.Visible || im.claimed[c] {
			continue
		}
		if was, ok := im.tree.At(s.Node, n-1); ok && was.Kind == layer.File && s.Bytes > 0 {
			out[s.Layer] = append(out[s.Layer], c)
		}
	}
	return out
}
