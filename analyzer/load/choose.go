package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// candidate is an image of a source, or another manifest listed with its images.
type candidate struct {
	form     string // becomes Image.Source
	index    int    // among the images
	tags     []string
	digest   string   // of the manifest, or ""
	above    []string // digests of the indexes that lead to it
	platform v1.Platform
	id       string // of the config, once known
	config   blobRef
	layers   []blobRef
	other    string // what it is, if it isn't an image
	absent   bool   // the source doesn't have its manifest

	annotations  map[string]string // of the manifest
	about        string            // of a manifest of attestations: the digest of the image
	attestations []*candidate      // of an image
}

// blobRef is a reference to a blob in a manifest.
type blobRef struct {
	name string
	more []string    // further names to try
	desc *descriptor // nil when there is only a name
}

// open finds the blob in the source or in its descriptor.
func (p blobRef) open(src source) (section, error) {
	for _, name := range append([]string{p.name}, p.more...) {
		s, err := src.open(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
	}
	if p.desc != nil {
		if b, ok := p.desc.data(); ok {
			return section{at: strings.NewReader(string(b)), size: int64(len(b)), have: int64(len(b))}, nil
		}
	}
	return section{}, fmt.Errorf("%s: %w", p.name, fs.ErrNotExist)
}

func (c *candidate) addTags(tags ...string) {
	if len(tags) == 0 {
		return
	}
	all := append(slices.Clone(c.tags), tags...)
	slices.Sort(all)
	all = slices.Compact(all)
	c.tags = slices.DeleteFunc(all, func(tag string) bool { return tag == "" || strings.Contains(tag, "<none>") })
}

// missing returns the names of the blobs that the source doesn't have, each once.
func (c *candidate) missing(src source) []string {
	if c.absent {
		return []string{c.digest}
	}
	var names []string
	seen := map[string]bool{}
	for _, p := range append([]blobRef{c.config}, c.layers...) {
		if seen[p.name] {
			continue
		}
		seen[p.name] = true
		s, err := p.open(src)
		s.close()
		if errors.Is(err, fs.ErrNotExist) {
			names = append(names, p.name)
		}
	}
	return names
}

// inspect sets the image's ID and platform from its config, if that can be read.
func (o *opening) inspect(src source, c *candidate) {
	if c.absent {
		return
	}
	s, err := c.config.open(src)
	if err != nil {
		return
	}
	defer s.close()
	b, err := o.read(s, "config")
	if err != nil {
		return
	}
	c.id = digestOf(b).String()
	var p v1.Platform
	if json.Unmarshal(b, &p) == nil && c.platform.OS == "" {
		c.platform = p
	}
}

// choose returns the one image that is asked for.
func (o *opening) choose(ctx context.Context, src source, found []*candidate, want platform) (*candidate, error) {
	images, err := o.images(found, "an archive or layout without any image in it")
	if err != nil {
		return nil, err
	}
	if len(images) == 1 && o.opt.Image == "" && want == (platform{}) {
		return images[0], nil
	}
	for _, c := range images {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		o.inspect(src, c)
	}
	fit, err := matching(images, o.opt.Image)
	if err != nil {
		return nil, err
	}
	fit = slices.DeleteFunc(fit, func(c *candidate) bool { return !want.fits(c.platform) })
	if len(fit) > 1 {
		fit = o.complete(src, fit)
	}
	fit = unique(fit)
	if want == (platform{}) && len(fit) > 1 && onePerPlatform(fit) {
		if mine := fitting(fit, host()); len(mine) == 1 {
			o.notePlatform(mine[0], fit)
			return mine[0], nil
		}
	}
	if want != (platform{}) {
		fit = fitting(fit, want)
	}
	if len(fit) == 1 {
		return fit[0], nil
	}
	return nil, o.choiceError(images, fit, o.opt.Platform, func(c *candidate) int { return len(c.missing(src)) })
}

// choiceError returns the error for several images that fit, or for none. missing
// counts the blobs of an image that the source doesn't have.
func (o *opening) choiceError(images, fit []*candidate, platform string, missing func(*candidate) int) error {
	e := &ChoiceError{Image: o.opt.Image, Platform: platform, Matches: len(fit)}
	if len(fit) > 0 {
		images = fit
	}
	for _, c := range images {
		e.Images = append(e.Images, Choice{
			Index: c.index, Tags: c.tags, Digest: c.digest, ID: c.id,
			Platform: platformOf(c.platform).String(), Missing: missing(c),
		})
	}
	return e
}

// onePerPlatform reports whether the candidates are one image for several
// platforms: what one index lists, or one name of a layout.
func onePerPlatform(fit []*candidate) bool {
	for _, c := range fit {
		if !slices.Equal(c.above, fit[0].above) || len(c.above) == 0 && (c.form == "docker-archive" || !slices.Equal(c.tags, fit[0].tags)) {
			return false
		}
	}
	return true
}

// host returns the default platform: Linux, whatever the system, and the
// architecture of this machine.
func host() platform { return platform{os: "linux", arch: runtime.GOARCH}.normal() }

// fitting returns the candidates for a platform. An exact match, linux/amd64, takes
// precedence over one with a variant, linux/amd64/v3.
func fitting(all []*candidate, want platform) []*candidate {
	var fit, exact []*candidate
	for _, c := range all {
		if want.fits(c.platform) {
			fit = append(fit, c)
		}
		if platformOf(c.platform) == want {
			exact = append(exact, c)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return fit
}

// notePlatform tells the user which platform was chosen by default.
func (o *opening) notePlatform(c *candidate, all []*candidate) {
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = platformOf(c.platform).String()
	}
	o.opt.Progress.Note(fmt.Sprintf("%s is read, of the platforms %s", platformOf(c.platform), strings.Join(names, ", ")))
}

// images returns the images among found, and numbers them. Without any it returns
// an error that says what found is; empty says so if found is empty.
func (o *opening) images(found []*candidate, empty string) ([]*candidate, error) {
	var images, others []*candidate
	for _, c := range found {
		if c.other != "" {
			others = append(others, c)
			continue
		}
		c.index = len(images)
		images = append(images, c)
	}
	for _, c := range others {
		if o.opt.Image != "" && strings.TrimPrefix(o.opt.Image, "@") == c.digest {
			return nil, notImage(others, c)
		}
	}
	switch {
	case len(images) > 0:
		return images, nil
	case len(others) > 0:
		return nil, notImage(others, others[0])
	}
	return nil, &NotImageError{NoImages, empty}
}

func notImage(others []*candidate, c *candidate) error {
	what := fmt.Sprintf("%s (%s)", c.other, c.digest)
	if len(others) > 1 {
		what += fmt.Sprintf(", one of %d entries that are not images", len(others))
	}
	return &NotImageError{Artifact, what}
}

// complete drops the images of which the source lacks blobs, if any others remain:
// an engine saves the index of all platforms with the blobs of one.
func (o *opening) complete(src source, fit []*candidate) []*candidate {
	var complete, incomplete []*candidate
	for _, c := range fit {
		if len(c.missing(src)) == 0 {
			complete = append(complete, c)
		} else {
			incomplete = append(incomplete, c)
		}
	}
	if len(complete) == 0 {
		here := slices.DeleteFunc(slices.Clone(fit), func(c *candidate) bool { return c.absent })
		if len(here) == 0 {
			return fit
		}
		return here
	}
	for _, c := range incomplete {
		if !c.absent && !slices.Equal(c.tags, complete[0].tags) {
			o.warn("%s is incomplete in this source and was left out", Choice{Index: c.index, Tags: c.tags, Digest: c.digest})
		}
	}
	return complete
}

// unique drops repeated images, and adds their tags to the first.
func unique(fit []*candidate) []*candidate {
	var kept []*candidate
	first := map[string]*candidate{}
	for _, c := range fit {
		key := c.id + "\x00" + c.layerNames()
		if same := first[key]; c.id != "" && same != nil {
			same.addTags(c.tags...)
			continue
		}
		first[key] = c
		kept = append(kept, c)
	}
	return kept
}

var hexPrefix = regexp.MustCompile(`^[0-9a-f]{12,64}$`)

// matching returns the images that match a choice: by its index or digest, by a
// full name, by a tag alone, or by a prefix of an ID. The first of these that any
// image matches counts.
func matching(images []*candidate, choice string) ([]*candidate, error) {
	if choice == "" {
		return slices.Clone(images), nil
	}
	name, at := strings.CutPrefix(choice, "@")
	if n, err := strconv.Atoi(name); at && err == nil {
		if n < 0 || n >= len(images) {
			return nil, nil
		}
		return images[n : n+1 : n+1], nil
	}
	isDigest := parseDigest(name).alg != ""
	if at && !isDigest || strings.HasPrefix(name, "sha256:") && !isDigest {
		return nil, fmt.Errorf("%q is neither an index nor a whole digest", choice)
	}
	tests := []func(*candidate) bool{
		func(c *candidate) bool { return name == c.digest || name == c.id || slices.Contains(c.above, name) },
		func(c *candidate) bool { return slices.Contains(c.tags, name) },
		func(c *candidate) bool { return slices.Contains(c.tags, fullName(name)) },
		func(c *candidate) bool {
			return slices.ContainsFunc(c.tags, func(tag string) bool { return tagPart(tag) == name })
		},
		func(c *candidate) bool {
			return hexPrefix.MatchString(name) &&
				(strings.HasPrefix(c.id, "sha256:"+name) || strings.HasPrefix(c.digest, "sha256:"+name))
		},
	}
	for _, test := range tests {
		var fit []*candidate
		for _, c := range images {
			if test(c) {
				fit = append(fit, c)
			}
		}
		if len(fit) > 0 {
			return fit, nil
		}
	}
	return nil, nil
}
