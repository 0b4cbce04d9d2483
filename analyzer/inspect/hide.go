package inspect

import (
	"maps"
	"slices"
	"strings"

	"fathom/analyzer/compare"
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
	for i := range r.Layers {
		hide(&r.Layers[i].Command)
	}
	for i := range r.History {
		hide(&r.History[i].Command, &r.History[i].Comment)
	}
	hideConfig(&r.Image.Config)
	if d := r.Dockerfile; d != nil {
		d.Text = secrets.HideLines(d.Text)
	}
	hideFindings(r.Findings)
}

// HideComparison does what HideSecrets does for how two images differ. What differs
// must be known before, as two secrets may look the same once they are hidden.
func HideComparison(c *facts.Comparison) {
	hideConfig(&c.Old.Config)
	hideConfig(&c.New.Config)
	for i := range c.Config {
		s := &c.Config[i]
		switch s.Key { // a word is hidden because of the one before it
		case "entrypoint":
			relist(s.Old, c.Old.Config.Entrypoint)
			relist(s.New, c.New.Config.Entrypoint)
		case "cmd":
			relist(s.Old, c.Old.Config.Cmd)
			relist(s.New, c.New.Config.Cmd)
		}
		_, name, named := strings.Cut(s.Key, " ")
		for _, v := range []*string{s.Old, s.New} {
			switch {
			case v != nil && named:
				*v = secrets.HideSetting(name, *v)
			case v != nil:
				hide(v)
			}
		}
	}
	hideFindings(c.Findings.New)
	hideFindings(c.Findings.Fixed)
}

// relist sets a setting to a list of words that are hidden already.
func relist(s *string, words []string) {
	if s != nil {
		*s = compare.List(words)
	}
}

// hide replaces the secrets in texts.
func hide(texts ...*string) {
	for _, s := range texts {
		*s = secrets.Hide(*s)
	}
}

func hideConfig(c *facts.Config) {
	for i, e := range c.Env {
		if name, value, ok := strings.Cut(e, "="); ok {
			c.Env[i] = name + "=" + secrets.HideSetting(name, value)
		}
	}
	for _, words := range [][]string{c.Entrypoint, c.Cmd} {
		for i := range words {
			hide(&words[i])
			if i > 0 && strings.HasPrefix(words[i-1], "-") { // a flag and its value: --password x
				flag := words[i-1] + "="
				if value, ok := strings.CutPrefix(secrets.Hide(flag+words[i]), flag); ok {
					words[i] = value
				}
			}
		}
	}
	for name, value := range c.Labels {
		c.Labels[name] = secrets.HideSetting(name, value)
	}
}

func hideFindings(all []facts.Finding) {
	for i := range all {
		f := &all[i]
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
