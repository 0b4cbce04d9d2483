package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"fathom/analyzer/load"
)

// mistyped adds a hint to the error of an image that no engine has: the images
// with similar names.
func mistyped(ctx context.Context, err error, opt load.Options) error {
	var notFound *load.NotFoundError
	var none *load.NoImageError
	absent := []error{err}
	if errors.As(err, &notFound) {
		absent = notFound.Engines
	}
	var near []string
	for _, e := range absent {
		if errors.As(e, &none) && ctx.Err() == nil {
			if all, err := load.Images(ctx, none.Kind.String(), opt); err == nil {
				near = append(near, nearImages(none.Name, all)...)
			}
		}
	}
	if len(near) == 0 {
		return err
	}
	return &hintError{err, didYouMean(near)}
}

// nearImages returns references to at most three images with names similar to
// name, the nearest first.
func nearImages(name string, all []load.Found) []string {
	repo, tag := splitName(name)
	type match struct{ repo, tag int }
	found := map[string]match{}
	var refs []string
	for _, img := range all {
		r, t := splitName(img.Name)
		m := match{distance(repo, r), distance(tag, t)}
		if img.Name == "" || m.repo > 2 || 2*m.repo >= len(r) {
			continue
		}
		found[img.Ref] = m
		refs = append(refs, img.Ref)
	}
	slices.SortStableFunc(refs, func(a, b string) int {
		return cmp.Or(cmp.Compare(found[a].repo, found[b].repo), cmp.Compare(found[a].tag, found[b].tag))
	})
	return refs[:min(len(refs), 3)]
}

// splitName returns the shortest form of an image's name, and its tag.
func splitName(name string) (repo, tag string) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name, ""
	}
	if t, ok := named.(reference.Tagged); ok {
		tag = t.Tag()
	}
	return strings.TrimPrefix(reference.FamiliarName(named), "localhost/"), tag
}
