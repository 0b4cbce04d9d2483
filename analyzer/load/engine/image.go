package engine

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is an image that an engine has.
type Image struct {
	// ID is the digest of the config; with the containerd store, that of the
	// index or manifest.
	ID      string
	Tags    []string // as the engine writes them, sorted; none for a dangling image
	Size    int64    // in bytes, as the engine counts
	Created time.Time
	// Platform is "os/arch" or "os/arch/variant", and DiffIDs the digests of
	// the layers' tars, bottom first; List doesn't tell them.
	Platform string
	DiffIDs  []string
	// Content says that the image is in containerd's content store: there may
	// be several platforms of it.
	Content bool
	// Name is what Save asks for: a name with its tag where the image was
	// found by one, so that the archive has that tag, and the ID otherwise.
	Name string

	platform *ocispec.Platform // that Save asks for, or nil
}

// NoImageError says that the engine hasn't the image.
type NoImageError struct {
	Kind           Kind
	Endpoint, Name string
}

func (e *NoImageError) Error() string {
	return fmt.Sprintf("%s at %s has no image %s", e.Kind, e.Endpoint, clean(e.Name))
}

// AmbiguousError says that several images have an ID that begins so.
type AmbiguousError struct {
	Kind Kind
	Name string
	IDs  []string // whole, sorted
}

func (e *AmbiguousError) Error() string {
	shown := make([]string, 0, 10)
	for _, id := range e.IDs[:min(len(e.IDs), cap(shown))] {
		shown = append(shown, clean(id[:min(len(id), len("sha256:")+16)]))
	}
	more := ""
	if n := len(e.IDs) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s has %d images whose ID begins with %s: %s%s; say more of it",
		e.Kind, len(e.IDs), clean(e.Name), strings.Join(shown, ", "), more)
}

// PlatformError says that the engine has the image, for another platform.
type PlatformError struct {
	Kind       Kind
	Name       string
	Want, Have string // Have is "" when the engine doesn't say
}

func (e *PlatformError) Error() string {
	s := fmt.Sprintf("%s has no %s of %s", e.Kind, clean(e.Want), clean(e.Name))
	if e.Have != "" {
		s += ", only " + clean(e.Have)
	}
	return s + fmt.Sprintf("; pull it with \"%s pull --platform %s\", or open it as registry:%s", e.Kind, clean(e.Want), clean(e.Name))
}

// hexID is an image ID, whole or its beginning.
var hexID = regexp.MustCompile(`^(?:sha256:)?([0-9a-f]{1,64})$`)

// Find finds the image of that name, with a tag or without, of that digest, or
// with that ID or its beginning. A *NoImageError says that there is none, an
// *AmbiguousError that there are several. Platform is "OS/ARCH" or
// "OS/ARCH/VARIANT", or "" for the one that the engine takes; a *PlatformError
// says that the image isn't there for it.
func (e *Engine) Find(ctx context.Context, name, platform string) (Image, error) {
	ctx, stop := e.watch(ctx)
	defer stop()
	none := &NoImageError{Kind: e.Kind, Endpoint: e.Endpoint, Name: name}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil && !hexID.MatchString(name) {
		return Image{}, none // no engine has such a name
	}
	short := hexID.FindStringSubmatch(name)
	ask := name
	if short != nil && len(short[1]) < 64 {
		ask = short[1] // podman takes no more of a short ID
	}
	found, err := e.api.ImageInspect(ctx, ask)
	if err != nil {
		if several := e.several(ctx, name); several != nil {
			return Image{}, several
		}
		if errdefs.IsNotFound(err) {
			return Image{}, none
		}
		return Image{}, e.ask(ctx, "asking for "+clean(name), err)
	}
	img, err := e.inspected(found.InspectResponse)
	if err != nil {
		return Image{}, err
	}
	img.Name = saveName(img, named)
	if img.Name == img.ID && short != nil && len(short[1]) < 64 {
		if several := e.several(ctx, name); several != nil { // of which podman takes any
			return Image{}, several
		}
	}
	if platform == "" {
		return img, nil
	}
	return e.onPlatform(ctx, img, name, platform)
}

func (e *Engine) inspected(r image.InspectResponse) (Image, error) {
	if !hexID.MatchString(r.ID) {
		return Image{}, e.hint(fmt.Sprintf("it answers with an image ID that is none: %q", clean(r.ID)), nil)
	}
	img := Image{
		ID: fullID(r.ID), Tags: tags(r.RepoTags), Size: r.Size,
		Platform: strings.Trim(r.Os+"/"+r.Architecture+"/"+r.Variant, "/"),
		DiffIDs:  r.RootFS.Layers,
		Content:  r.Descriptor != nil,
	}
	img.Created, _ = time.Parse(time.RFC3339Nano, r.Created) // zero where it isn't known
	return img, nil
}

// fullID is a whole ID with its algorithm, which podman leaves out in places.
func fullID(id string) string {
	if strings.Contains(id, ":") {
		return id
	}
	return "sha256:" + id
}

// saveName is the name to save the image by.
func saveName(img Image, named reference.Named) string {
	if named == nil {
		return img.ID
	}
	if _, digested := named.(reference.Digested); digested {
		return img.ID
	}
	// Of a name without a tag docker saves every tag.
	full := reference.TagNameOnly(named)
	familiar := reference.FamiliarString(full)
	for _, tag := range []string{familiar, full.String(), "localhost/" + familiar} {
		if slices.Contains(img.Tags, tag) {
			return tag
		}
	}
	for _, tag := range img.Tags { // of podman's other registries
		if strings.HasSuffix(tag, "/"+familiar) {
			return tag
		}
	}
	return img.ID
}

// several is an error when the name is the beginning of several IDs, which
// engines answer as if there were none, each in its own way.
func (e *Engine) several(ctx context.Context, name string) error {
	short := hexID.FindStringSubmatch(name)
	if short == nil {
		return nil
	}
	list, err := e.api.ImageList(ctx, client.ImageListOptions{All: true})
	if err != nil {
		return nil // then what was asked for is not there, whatever else is wrong
	}
	var ids []string
	for _, s := range list.Items {
		if id := fullID(s.ID); strings.HasPrefix(id, "sha256:"+short[1]) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) < 2 {
		return nil
	}
	return &AmbiguousError{Kind: e.Kind, Name: name, IDs: ids}
}

// onPlatform is the image for that platform. Docker chooses from API 1.48 on,
// and inspects the one that is chosen from 1.49 on.
func (e *Engine) onPlatform(ctx context.Context, img Image, name, platform string) (Image, error) {
	want := parsePlatform(platform)
	if want == nil {
		return Image{}, fmt.Errorf("%q is no platform; it must be OS/ARCH or OS/ARCH/VARIANT", clean(platform))
	}
	wrong := &PlatformError{Kind: e.Kind, Name: name, Want: platform, Have: img.Platform}
	fits := fits(img.Platform, want)
	if !img.Content && !fits {
		// Before 1.48 only the engine says that there may be more platforms.
		st, err := e.Storage(ctx)
		if err != nil {
			return Image{}, err
		}
		if img.Content = st.Content; !img.Content {
			return Image{}, wrong
		}
	}
	if !img.Content {
		return img, nil
	}
	at := func(v string) bool { return versions.GreaterThanOrEqualTo(e.Version(), v) }
	switch {
	case at("1.49"):
		r, err := e.api.ImageInspect(ctx, name, client.ImageInspectWithPlatform(want))
		if errdefs.IsNotFound(err) {
			return Image{}, wrong
		}
		if err != nil {
			return Image{}, e.ask(ctx, "asking for "+clean(name), err)
		}
		chosen, err := e.inspected(r.InspectResponse)
		if err != nil {
			return Image{}, err
		}
		img.Size, img.Created, img.Platform, img.DiffIDs = chosen.Size, chosen.Created, chosen.Platform, chosen.DiffIDs
		img.platform = want
	case at("1.48"): // which doesn't inspect another, but saves it
		img.platform = want
	}
	if !fits && !at("1.49") { // the archive tells whether it is there
		img.Platform, img.DiffIDs = "", nil
	}
	return img, nil
}

func parsePlatform(s string) *ocispec.Platform {
	part := strings.Split(s, "/")
	if len(part) < 2 || len(part) > 3 || slices.Contains(part, "") {
		return nil
	}
	p := &ocispec.Platform{OS: part[0], Architecture: part[1]}
	if len(part) == 3 {
		p.Variant = part[2]
	}
	return p
}

// fits is whether an image of a platform is what is wanted. A variant that one
// of the two leaves out is any.
func fits(have string, want *ocispec.Platform) bool {
	p := parsePlatform(have)
	return p == nil || p.OS == want.OS && p.Architecture == want.Architecture &&
		(p.Variant == want.Variant || p.Variant == "" || want.Variant == "")
}

// List is every image of the engine but those between the steps of a build,
// the newest first.
func (e *Engine) List(ctx context.Context) ([]Image, error) {
	ctx, stop := e.watch(ctx)
	defer stop()
	list, err := e.api.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return nil, e.ask(ctx, "asking for its images", err)
	}
	images := make([]Image, 0, len(list.Items))
	for _, s := range list.Items {
		images = append(images, Image{
			ID: fullID(s.ID), Tags: tags(s.RepoTags), Size: s.Size, Created: time.Unix(s.Created, 0),
			Content: s.Descriptor != nil, Name: fullID(s.ID),
		})
	}
	slices.SortStableFunc(images, func(a, b Image) int {
		return cmp.Or(b.Created.Compare(a.Created), slices.Compare(a.Tags, b.Tags), cmp.Compare(a.ID, b.ID))
	})
	return images, nil
}

// tags are those that name something.
func tags(all []string) []string {
	out := slices.DeleteFunc(slices.Clone(all), func(t string) bool {
		return t == "" || strings.Contains(t, "<none>")
	})
	slices.Sort(out)
	return slices.Compact(out)
}
