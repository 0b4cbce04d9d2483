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
	for i, e := range c.Env {
		if name, value, ok := strings.Cut(e, "="); ok {
			c.Env[i] = name + "=" + secrets.HideSetting(name, value)
		}
	}
	list(c.Entrypoint)
	list(c.Cmd)
	for name, value := range c.Labels {
		c.Labels[name] = secrets.HideSetting(name, value)
	}
	if d := r.Dockerfile; d != nil {
		d.Text = secrets.HideLines(d.Text)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		hide(&f.Title, &f.Fix.Text)
		f.Fix.Lines = HideLines(f.Fix.Lines)
	}
}

// HideLines hides the secrets in lines to paste, also one of several lines: a key in a
// heredoc.
func HideLines(lines []string) []string {
	if len(lines) == 0 {
		return lines
	}
	return strings.Split(secrets.HideLines(strings.Join(lines, "\n")), "\n")
}
