package inspect

import (
	"maps"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/secrets"
)

// Hidden returns a copy of a report to show, in which secrets are hidden as by
// HideSecrets.
func Hidden(r *facts.Report) *facts.Report {
	c := *r
	c.Layers, c.History, c.Findings = slices.Clone(r.Layers), slices.Clone(r.History), slices.Clone(r.Findings)
	for i := range c.Findings {
		c.Findings[i].Fix.Lines = slices.Clone(c.Findings[i].Fix.Lines)
	}
	config := &c.Image.Config
	config.Env, config.Entrypoint, config.Cmd = slices.Clone(config.Env), slices.Clone(config.Entrypoint), slices.Clone(config.Cmd)
	config.Labels = maps.Clone(config.Labels)
	if d := r.Dockerfile; d != nil {
		copied := *d
		c.Dockerfile = &copied
	}
	HideSecrets(&c)
	return &c
}

// HideSecrets replaces each secret in the commands and in the configuration of a report
// by its redacted form, for a report that is printed or saved: it goes to logs, comments
// and artifacts that more people can read than the image.
func HideSecrets(r *facts.Report) {
	hide := func(texts ...*string) {
		for _, s := range texts {
			*s = secrets.Hide(*s)
		}
	}
	list := func(all []string) {
		for i := range all {
			hide(&all[i])
		}
	}
	for i := range r.Layers {
		hide(&r.Layers[i].Command)
	}
	for i := range r.History {
		hide(&r.History[i].Command, &r.History[i].Comment)
	}
	c := &r.Image.Config
	list(c.Env)
	list(c.Entrypoint)
	list(c.Cmd)
	for name, value := range c.Labels {
		hidden := name + "=" + value // a name such as "token" tells what the value is
		hide(&hidden)
		if rest, ok := strings.CutPrefix(hidden, name+"="); ok {
			hidden = rest
		}
		c.Labels[name] = hidden
	}
	if d := r.Dockerfile; d != nil {
		lines := strings.Split(d.Text, "\n") // each alone: they keep their numbers
		list(lines)
		d.Text = strings.Join(lines, "\n")
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		hide(&f.Title, &f.Fix.Text)
		list(f.Fix.Lines)
	}
}
