package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fathom/analyzer/compare"
	"fathom/analyzer/facts"
)

// What Require can name.
const (
	SameFiles    = "same-files"
	Reproducible = "reproducible"
)

// Requirements returns what Require can name.
func Requirements() []string { return []string{SameFiles, Reproducible} }

// required returns how many differences there are.
func (c *check) required(l Limit) (value, error) {
	var all []Offender
	n := int64(0)
	for _, name := range l.Names {
		var found []Offender
		var count int64
		var err error
		if name == SameFiles {
			found, count, err = c.sameFiles()
		} else {
			found, err = c.reproducible()
			count = int64(len(found))
		}
		if err != nil {
			return value{}, err
		}
		all = append(all, found...)
		n += count
	}
	c.offend(l.Rule, all)
	return value{number: n}, nil
}

// sameFiles returns what differs other than times, folded, and how many paths that are.
func (c *check) sameFiles() ([]Offender, int64, error) {
	b := c.v.Baseline
	switch {
	case b.SameLayers():
		return nil, 0, nil
	case b.Old.Analysis == nil || b.New.Analysis == nil:
		return nil, 0, fmt.Errorf("%s: %w", SameFiles, ErrNoFiles)
	}
	d := b.Without(compare.MTime)
	var out []Offender
	for _, r := range d.DetailedRows(fewFiles) {
		out = append(out, c.difference(&r))
	}
	largestFirst(out)
	return out, int64(len(d.Changes)), nil
}

// reproducible returns the layers that differ, with the reasons, and what differs in the
// config.
func (c *check) reproducible() ([]Offender, error) {
	b := c.v.Baseline
	old, r := b.report(), c.r
	for _, x := range []*facts.Report{old, r} {
		for i := range x.Layers {
			if x.Layers[i].DiffID == "" {
				return nil, fmt.Errorf("%s: the diff ID of layer %d is unknown", Reproducible, i)
			}
		}
	}
	var out []Offender
	for _, p := range b.Facts.Layers {
		if p.State == facts.LayerSame {
			continue
		}
		o := Offender{StoredIn: p.New, HiddenBy: -1, Change: p.State}
		if p.New >= 0 {
			x := &r.Layers[p.New]
			o.Bytes, o.Files, o.StoredBy, o.StoredAt = x.StoredBytes, x.Added, x.Command, x.Source
		} else {
			o.Bytes, o.Files, o.StoredBy = old.Layers[p.Old].StoredBytes, old.Layers[p.Old].Added, old.Layers[p.Old].Command
			o.Change = fmt.Sprintf("removed (layer %d of the baseline)", p.Old)
		}
		if len(p.Reasons) > 0 {
			o.Change += ": " + strings.Join(p.Reasons, ", ")
		}
		out = append(out, o)
	}
	for _, key := range c.configDiffers() {
		out = append(out, Offender{StoredIn: -1, HiddenBy: -1, Change: "config: " + key})
	}
	return out, nil
}

// configDiffers names what differs in the config. The ID of an image is the digest of
// its config: if it differs and no setting does, something in it has no name.
func (c *check) configDiffers() []string {
	b := c.v.Baseline
	old, r := b.report(), c.r
	if old.Image.ID != "" && old.Image.ID == r.Image.ID {
		return nil
	}
	var out []string
	for _, x := range b.Facts.Config {
		out = append(out, x.Key)
	}
	if a, b := old.Image.Created, r.Image.Created; (a == nil) != (b == nil) || a != nil && !a.Equal(*b) {
		out = append(out, "created")
	}
	if !slices.Equal(steps(old), steps(r)) {
		out = append(out, "history")
	}
	if len(out) == 0 && old.Image.ID != "" && r.Image.ID != "" && c.v.Baseline.SameLayers() {
		out = append(out, "something that a report does not have")
	}
	return out
}

// steps returns the history as the config has it.
func steps(r *facts.Report) []string {
	var out []string
	for _, s := range r.History {
		made := ""
		if s.Created != nil {
			made = s.Created.UTC().Format(time.RFC3339Nano)
		}
		out = append(out, strings.Join([]string{s.Command, made, s.Comment, s.Author}, "\x00"))
	}
	return out
}
