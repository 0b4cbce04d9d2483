package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/load"
	"fathom/analyzer/origin"
)

// OriginOptions says where to look for the base image and the Dockerfile.
type OriginOptions struct {
	// Bases are images one of which is the base. Nothing else is looked at then.
	Bases []string
	// Provenance is a file with an attestation of the build, or "".
	Provenance string
	// Dockerfile is a file that the image may have been built from, or "".
	Dockerfile string
	// Asked reports whether the user named Dockerfile: if it does not belong to the
	// image, a warning says so.
	Asked bool
	// Offline keeps registries and engines from being asked for base images.
	Offline bool
}

// patience is how long an engine or a registry may take to tell about base images, if
// the user named none.
const patience = 2 * time.Second

// maxMaterials is how many of the images that a build used are looked up.
const maxMaterials = 20

// Origin returns the pass that finds the base image, the lines of the Dockerfile
// that made each layer, and the figures of the base and of the image's own layers.
func Origin(opt OriginOptions, loading load.Options) Pass {
	var local func() ([]load.Described, error)
	return Pass{
		Name: "finding the base image",
		Start: func(ctx context.Context) {
			if !opt.Offline && len(opt.Bases) == 0 {
				local = describeLocal(ctx, loading)
			}
		},
		Run: func(ctx context.Context, r *Result) error {
			if r.Analysis == nil {
				return nil
			}
			o := &finder{opt: opt, loading: loading, img: r.Analysis.Image, rep: r.Report, local: local}
			return o.run(ctx, r.Analysis)
		},
	}
}

// describeLocal begins to ask the engines for their images, and returns a function that
// waits for the answer. An engine that can't be asked has no images; one that is slow
// is an error.
func describeLocal(ctx context.Context, opt load.Options) func() ([]load.Described, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSlow)
	type answer struct {
		all []load.Described
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		all, err := load.Local(ctx, opt)
		if !errors.Is(context.Cause(ctx), errSlow) {
			err = nil
		}
		answered <- answer{all, err}
	}()
	return sync.OnceValues(func() ([]load.Described, error) {
		defer cancel()
		select {
		case a := <-answered:
			return a.all, a.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	})
}

var errSlow = errors.New("the engines did not tell their images in time; --base IMAGE names the base")

type finder struct {
	opt     OriginOptions
	loading load.Options
	img     *analyzer.Image
	rep     *facts.Report
	proven  *origin.Provenance
	diffIDs []string
	digests []string
	local   func() ([]load.Described, error) // nil if engines are not asked
}

func (o *finder) run(ctx context.Context, a *analyzer.Analysis) error {
	for _, l := range o.rep.Layers {
		o.diffIDs = append(o.diffIDs, l.DiffID)
		o.digests = append(o.digests, cmp.Or(l.Digest, l.DiffID))
	}
	if err := o.provenance(ctx); err != nil {
		return err
	}
	if err := o.base(ctx); err != nil {
		return err
	}
	o.lines()
	if b := o.rep.Base; b != nil {
		own, base := origin.Split(a, b.Layers)
		o.rep.Totals.Own, o.rep.Totals.Base = &own, &base
	}
	return nil
}

func (o *finder) warn(format string, args ...any) {
	o.rep.Warnings = append(o.rep.Warnings, facts.Warning{Layer: -1, Text: fmt.Sprintf(format, args...)})
}

// provenance reads the attestation, from a file or from the image's source.
func (o *finder) provenance(ctx context.Context) error {
	var text []byte
	var err error
	switch {
	case o.opt.Provenance != "":
		if text, err = readFile(o.opt.Provenance, origin.MaxProvenance); err != nil {
			return fmt.Errorf("reading the provenance %s: %w", o.opt.Provenance, err)
		}
	case o.img.Provenance != nil:
		if text, err = o.img.Provenance(ctx); err != nil {
			if ctx.Err() != nil {
				return err
			}
			o.warn("the provenance is not used: %v", err)
			return nil
		}
	}
	if text == nil {
		return nil
	}
	o.proven, err = origin.ParseProvenance(text)
	switch {
	case err == nil, errors.Is(err, origin.ErrNoSteps) && o.opt.Provenance == "": // what most builds write
		return nil
	case o.opt.Provenance != "":
		return fmt.Errorf("reading the provenance %s: %w", o.opt.Provenance, err)
	}
	o.warn("the provenance is not used: %v", err)
	return nil
}

// base finds the base image, by the best evidence first.
func (o *finder) base(ctx context.Context) error {
	if len(o.opt.Bases) > 0 {
		return o.given(ctx)
	}
	limited, cancel := context.WithTimeout(ctx, patience) // for all that the build names
	defer cancel()
	var problems []error
	for _, find := range []func(context.Context) (*facts.Base, error){o.byProvenance, o.byAnnotation, o.byEngine} {
		b, err := find(limited)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			problems = append(problems, err)
		}
		if b != nil {
			o.rep.Base = b
			return nil
		}
	}
	for _, err := range problems {
		o.warn("looking for the base image: %v", err)
	}
	o.rep.Base = origin.Guess(o.rep.History)
	return nil
}

// given takes the base from the images that the user named.
func (o *finder) given(ctx context.Context) error {
	var known []origin.Known
	for _, ref := range o.opt.Bases {
		k, err := o.describe(ctx, ref)
		if err != nil {
			return fmt.Errorf("the base %s: %w", ref, err)
		}
		known = append(known, *k)
	}
	o.rep.Base = origin.Largest(known, o.diffIDs, true, facts.EvidenceFlag, facts.CertainExact)
	if o.rep.Base == nil {
		return fmt.Errorf("%s is not based on %s: its lowest layers are others", o.rep.Image.Reference, strings.Join(o.opt.Bases, " or "))
	}
	return nil
}

func (o *finder) describe(ctx context.Context, ref string) (*origin.Known, error) {
	rep, err := Saved(ref)
	if err != nil {
		return nil, err
	}
	if rep != nil {
		k := &origin.Known{Reference: rep.Image.Reference, Digest: rep.Image.Digest}
		for _, l := range rep.Layers {
			k.DiffIDs = append(k.DiffIDs, l.DiffID)
		}
		return k, nil
	}
	d, err := load.Describe(ctx, ref, o.describing())
	if err != nil {
		return nil, err
	}
	return &origin.Known{Reference: ref, Digest: d.Digest, DiffIDs: d.DiffIDs}, nil
}

func (o *finder) byProvenance(ctx context.Context) (*facts.Base, error) {
	if o.proven == nil {
		return nil, nil
	}
	if m, layers, ok := o.proven.Base(o.digests); ok {
		return &facts.Base{Reference: m.Reference, Digest: m.Digest, Layers: layers, Evidence: facts.EvidenceProvenance, Certainty: facts.CertainExact, Chain: []facts.Link{}}, nil
	}
	var known []origin.Known
	var first error
	materials := o.proven.Materials()
	for _, m := range materials[:min(len(materials), maxMaterials)] {
		k, err := o.lookUp(ctx, m.Reference, m.Digest)
		if err != nil {
			first = cmp.Or(first, err)
			continue
		}
		known = append(known, *k)
	}
	b := origin.Largest(known, o.diffIDs, true, facts.EvidenceProvenance, facts.CertainExact)
	if b != nil {
		first = nil
	}
	return b, first
}

func (o *finder) byAnnotation(ctx context.Context) (*facts.Base, error) {
	name := o.img.Annotations["org.opencontainers.image.base.name"]
	if name == "" {
		return nil, nil
	}
	k, err := o.lookUp(ctx, name, o.img.Annotations["org.opencontainers.image.base.digest"])
	if err != nil {
		return nil, err
	}
	return origin.Largest([]origin.Known{*k}, o.diffIDs, true, facts.EvidenceAnnotation, facts.CertainVerified), nil
}

// lookUp describes an image that the build or its builder names, which may be gone.
func (o *finder) lookUp(ctx context.Context, name, digest string) (*origin.Known, error) {
	if o.opt.Offline {
		return nil, fmt.Errorf("%s is not looked up", name)
	}
	ref := name
	if digest != "" {
		at, _, _ := strings.Cut(name, "@")
		if i := strings.LastIndexByte(at, ':'); i > strings.LastIndexByte(at, '/') {
			at = at[:i]
		}
		ref = at + "@" + digest
	}
	d, err := load.DescribeNamed(ctx, ref, o.describing())
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%s did not answer in %v", name, patience)
		}
		return nil, err
	}
	return &origin.Known{Reference: name, Digest: cmp.Or(digest, d.Digest), DiffIDs: d.DiffIDs}, nil
}

// describing returns how to look at an image that may be the base.
func (o *finder) describing() load.Options {
	opt := o.loading
	opt.Image, opt.Stdin, opt.Rootfs = "", nil, false
	opt.Platform = cmp.Or(opt.Platform, o.rep.Image.Platform)
	return opt
}

func (o *finder) byEngine(context.Context) (*facts.Base, error) {
	if o.local == nil {
		return nil, nil
	}
	own := map[string]bool{}
	for _, tag := range o.rep.Image.Tags {
		own[repository(tag)] = true
	}
	var known []origin.Known
	all, err := o.local()
	if err != nil {
		return nil, err
	}
	made := o.firstMade()
	for _, d := range all {
		// An earlier build of the same image is not its base, nor is another target of its
		// Dockerfile.
		if !own[repository(d.Reference)] && len(d.DiffIDs) <= made {
			known = append(known, origin.Known{Reference: d.Reference, Digest: d.Digest, DiffIDs: d.DiffIDs})
		}
	}
	return origin.Largest(known, o.diffIDs, false, facts.EvidenceEngine, facts.CertainVerified), nil
}

// firstMade returns the first layer that has a line in the Dockerfile, or the number of
// layers.
func (o *finder) firstMade() int {
	if o.proven != nil {
		if i := slices.IndexFunc(o.proven.Sources(o.digests), func(s *facts.Source) bool { return s != nil }); i >= 0 {
			return i
		}
	}
	if d, err := o.dockerfile(); d != nil && err == nil {
		if a := d.Align(o.commands(0)); a.Fits() {
			for i, s := range a.Sources {
				if l := o.rep.History[i].Layer; s != nil && l >= 0 {
					return l
				}
			}
		}
	}
	return len(o.diffIDs)
}

// dockerfile reads the Dockerfile that the options name, if they do.
func (o *finder) dockerfile() (*origin.Dockerfile, error) {
	if o.opt.Dockerfile == "" {
		return nil, nil
	}
	text, err := readFile(o.opt.Dockerfile, origin.MaxDockerfile)
	if err != nil {
		return nil, err
	}
	return origin.ParseDockerfile(o.opt.Dockerfile, text)
}

// commands returns the commands of the history from a step on.
func (o *finder) commands(from int) []string {
	var out []string
	for _, s := range o.rep.History[from:] {
		out = append(out, facts.Command(s.Command))
	}
	return out
}

// repository returns a reference without its tag.
func repository(ref string) string {
	ref = strings.TrimPrefix(strings.TrimPrefix(ref, "docker.io/"), "library/")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		return ref[:i]
	}
	return ref
}

// lines finds the lines of the Dockerfile that made each layer.
func (o *finder) lines() {
	if o.proven != nil {
		found := o.proven.Of(o.digests)
		for i, s := range o.proven.Sources(o.digests) {
			o.rep.Layers[i].Source = s
			found = found || s != nil
		}
		if d := o.proven.Dockerfile(); d != nil && found {
			o.rep.Dockerfile = &facts.Dockerfile{Name: d.Name, Text: d.Text, Certainty: facts.CertainExact}
			o.steps(d)
			return
		}
		if o.opt.Provenance != "" && !found {
			o.warn("%s is not used: the build that it is of made no layer of this image", o.opt.Provenance)
		}
	}
	d, err := o.dockerfile()
	if d == nil && err == nil {
		return
	}
	if err == nil && !o.steps(d) {
		err = errors.New("the image was not built from it")
	}
	if err != nil {
		if o.opt.Asked {
			o.warn("%s is not used: %v", o.opt.Dockerfile, err)
		}
		return
	}
	o.rep.Dockerfile = &facts.Dockerfile{Name: d.Name, Text: d.Text, Certainty: facts.CertainLikely}
}

// steps pairs the steps of the history with the lines of a Dockerfile. It reports
// whether the Dockerfile belongs to the image.
func (o *finder) steps(d *origin.Dockerfile) bool {
	from := 0
	for i, s := range o.rep.History {
		if o.rep.Base != nil && s.Layer >= 0 && s.Layer < o.rep.Base.Layers && o.rep.Base.Certainty != facts.CertainGuessed {
			from = i + 1 // the base's steps are none of this Dockerfile
		}
	}
	a := d.Align(o.commands(from))
	if !a.Fits() {
		return false
	}
	for i, s := range a.Sources {
		step := &o.rep.History[from+i]
		if step.Layer >= 0 && o.rep.Layers[step.Layer].Source != nil {
			s = o.rep.Layers[step.Layer].Source // the builder knows better
		}
		step.Source = s
		if step.Layer >= 0 {
			o.rep.Layers[step.Layer].Source = s
		}
	}
	return true
}

func readFile(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, analyzer.WithoutPath(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > most:
		return nil, fmt.Errorf("it is larger than %d bytes", most)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, analyzer.WithoutPath(err)
	}
	return text, nil
}
