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
	// the layers' tars, bottom first. List does not set them.
	Platform string
	DiffIDs  []string
	// Content says that the image is in containerd's content store, perhaps
	// for several platforms.
	Content bool
	// Name is what Save asks for: if the image was found by its name, the name
	// with its tag, which then also is in the archive; otherwise the ID.
	Name string

	platform *ocispec.Platform // that Save asks for, or nil
}

// NoImageError says that the engine does not have the image.
type NoImageError struct {
	Kind           Kind
	Endpoint, Name string
}

func (e *NoImageError) Error() string {
	return fmt.Sprintf("%s at %s has no image %s", e.Kind, e.Endpoint, clean(e.Name))
}

// AmbiguousError says that the IDs of several images begin with Name.
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
	return fmt.Sprintf("%s has %d images whose ID begins with %s: %s%s; give more digits",
		e.Kind, len(e.IDs), clean(e.Name), strings.Join(shown, ", "), more)
}

// PlatformError says that the engine has the image for another platform only.
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

// hexID matches an image ID or a prefix of one.
var hexID = regexp.MustCompile(`^(?:sha256:)?([0-9a-f]{1,64})$`)

// Find finds an image by its name, with or without a tag or digest, by its ID,
// or by a prefix of that. It returns a *NoImageError if there is none, and an
// *AmbiguousError if there are several. Platform is "OS/ARCH" or
// "OS/ARCH/VARIANT", or "" for the engine's own choice; Find returns a
// *PlatformError if the engine does not have the image for it.
func (e *Engine) Find(ctx context.Context, name, platform string) (Image, error) {
	ctx, stop := e.watch(ctx)
	defer stop()
	none := &NoImageError{Kind: e.Kind, Endpoint: e.Endpoint, Name: name}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil && !hexID.MatchString(name) {
		return Image{}, none // no image can have this name
	}
	short := hexID.FindStringSubmatch(name)
	ask := name
	if short != nil && len(short[1]) < 64 {
		ask = short[1] // podman takes no algorithm before a short ID
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
		if several := e.several(ctx, name); several != nil { // podman takes one of them at random
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
		return Image{}, e.hint(fmt.Sprintf("it answers with an invalid image ID: %q", clean(r.ID)), nil)
	}
	img := Image{
		ID: fullID(r.ID), Tags: tags(r.RepoTags), Size: r.Size,
		Platform: strings.Trim(r.Os+"/"+r.Architecture+"/"+r.Variant, "/"),
		DiffIDs:  r.RootFS.Layers,
		Content:  r.Descriptor != nil,
	}
	img.Created, _ = time.Parse(time.RFC3339Nano, r.Created) // zero if unknown
	return img, nil
}

// fullID returns an ID with its algorithm, which podman sometimes leaves out.
func fullID(id string) string {
	if strings.Contains(id, ":") {
		return id
	}
	return "sha256:" + id
}

// saveName returns the name to save the image by.
func saveName(img Image, named reference.Named) string {
	if named == nil {
		return img.ID
	}
	if _, digested := named.(reference.Digested); digested {
		return img.ID
	}
	// For a name without a tag docker saves every tag.
	full := reference.TagNameOnly(named)
	familiar := reference.FamiliarString(full)
	for _, tag := range []string{familiar, full.String(), "localhost/" + familiar} {
		if slices.Contains(img.Tags, tag) {
			return tag
		}
	}
	for _, tag := range img.Tags { // podman also finds short names of other registries
		if strings.HasSuffix(tag, "/"+familiar) {
			return tag
		}
	}
	return img.ID
}

// several returns an error if the name is a prefix of several IDs. Engines answer
// that in different ways, some as if there were no such image.
func (e *Engine) several(ctx context.Context, name string) error {
	short := hexID.FindStringSubmatch(name)
	if short == nil {
		return nil
	}
	list, err := e.api.ImageList(ctx, client.ImageListOptions{All: true})
	if err != nil {
		return nil // the caller has an error already
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

// onPlatform returns the image for that platform. Docker can save a chosen
// platform since API 1.48, and inspect it since 1.49.
func (e *Engine) onPlatform(ctx context.Context, img Image, name, platform string) (Image, error) {
	want := parsePlatform(platform)
	if want == nil {
		return Image{}, fmt.Errorf("%q is not a platform; it must be OS/ARCH or OS/ARCH/VARIANT", clean(platform))
	}
	wrong := &PlatformError{Kind: e.Kind, Name: name, Want: platform, Have: img.Platform}
	fits := fits(img.Platform, want)
	if !img.Content && !fits {
		// Before 1.48 only the engine's storage says that there may be more
		// platforms.
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
	case at("1.48"):
		img.platform = want
	}
	if !fits && !at("1.49") { // unknown before the archive is read
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

// fits reports whether an image for the platform have is what is wanted. A missing
// variant matches any.
func fits(have string, want *ocispec.Platform) bool {
	p := parsePlatform(have)
	return p == nil || p.OS == want.OS && p.Architecture == want.Architecture &&
		(p.Variant == want.Variant || p.Variant == "" || want.Variant == "")
}

// List returns every image of the engine but the intermediate ones of builds, the
// newest first.
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

// tags returns the tags but empty ones and "<none>", sorted.
func tags(all []string) []string {
	out := slices.DeleteFunc(slices.Clone(all), func(t string) bool {
		return t == "" || strings.Contains(t, "<none>")
	})
	slices.Sort(out)
	return slices.Compact(out)
}
