package advice

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/analyzer/secrets"
)

// Secret is the name of the rule that finds secrets.
const Secret = "secret"

// maxSecrets is how many secrets of a layer are findings of their own. The others
// are one finding.
const maxSecrets = 100

func secret() Rule {
	look := &layer.Looker{
		// The number changes whenever package secrets finds something else.
		Name: "secrets 1", Min: 16, Max: secrets.MaxSize,
		Wants: secrets.Wanted,
		Sniff: func(head []byte) bool { return !secrets.Binary(head) },
		Look: func(path string, s *layer.Sample) []string {
			found, more := secrets.Scan(path, s.Head)
			if len(found) == 0 {
				return nil
			}
			var out []string
			for _, f := range found {
				out = append(out, noteOf(&f))
			}
			if more > 0 {
				out = append(out, moreNote+strconv.Itoa(more))
			}
			return out
		},
	}
	return Rule{
		Name:     Secret,
		Severity: facts.SeverityError,
		Means:    "A layer, or the configuration of the image, holds a private key, a token or a password.",
		Why:      "Whoever has the image has the secret: also if a later layer removes the file, and also if it was only a build argument.",
		Fix:      "Revoke the secret: removing it does not take it back. Then build without it: mount it in the step that needs it with `RUN --mount=type=secret,id=…`, keep files like `.env` out of the build context with `.dockerignore`, and pass what the program needs when the container starts.",
		Not:      "Examples and placeholders. Keys in tests, documentation and installed packages are of severity info, and so is a value that only its name makes suspicious. Keys with a passphrase and Google API keys are warnings.",
		reads:    true,
		look:     look,
		find:     func(im *image) ([]*finding, error) { return im.secrets(im.notes[look.Name]), nil },
	}
}

// moreNote begins the note about the secrets of a file that Scan did not return.
const moreNote = "more\t"

// noteOf returns a secret as a note, which parseSecret reads.
func noteOf(s *secrets.Secret) string {
	flags := ""
	if s.Proven {
		flags += "p"
	}
	if s.Locked {
		flags += "l"
	}
	if s.Public {
		flags += "u"
	}
	return strings.Join([]string{s.Kind, s.What, strconv.Itoa(s.Line), hex.EncodeToString(s.Sum[:]), s.Redacted, flags}, "\t")
}

// parseSecret reads a note. It reports false for one that noteOf did not write.
func parseSecret(note string) (s secrets.Secret, ok bool) {
	f := strings.Split(note, "\t")
	if len(f) != 6 {
		return s, false
	}
	sum, err := hex.DecodeString(f[3])
	line, err2 := strconv.Atoi(f[2])
	if err != nil || err2 != nil || len(sum) != len(s.Sum) {
		return s, false
	}
	s = secrets.Secret{Kind: f[0], What: f[1], Line: line, Redacted: f[4], Proven: strings.Contains(f[5], "p"), Locked: strings.Contains(f[5], "l"), Public: strings.Contains(f[5], "u")}
	copy(s.Sum[:], sum)
	return s, true
}

// secretKey identifies a finding: the same value twice in a layer is one, and two
// values are two.
type secretKey struct {
	kind  string
	sum   [16]byte
	layer int
}

// found is a secret with all of its places in a layer, or in the configuration.
type found struct {
	secrets.Secret
	layer    int // -1 for the configuration
	severity string
	places   []foundPlace
	in       string // of one in the configuration: where
	name     string // of its variable
}

type foundPlace struct {
	placed
	cause filetree.Cause
}

// secrets returns the findings for the notes about files, and for the configuration.
func (im *image) secrets(notes []analyzer.Note) []*finding {
	at := map[secretKey]*found{}
	var all []*found
	published := map[int][]placed{} // by layer
	more := map[int]int{}           // by layer, how many secrets are not in the notes
	theirs := 0                     // the layers whose secrets are left out
	if im.ownSecrets {
		theirs = im.baseLayers()
	}
	for _, n := range notes {
		d := im.tree.Stored(n.Content)
		if d.Layer < theirs {
			continue
		}
		p := foundPlace{placed{Place: facts.Place{Layer: d.Layer, HiddenBy: d.HiddenBy}, node: d.Node}, d.Cause}
		public := secrets.Published(im.tree.Path(d.Node))
		if count, ok := strings.CutPrefix(n.Data, moreNote); ok {
			if k, err := strconv.Atoi(count); err == nil && !public {
				more[d.Layer] += k
			}
			continue
		}
		s, ok := parseSecret(n.Data)
		if !ok {
			continue
		}
		p.Files, p.Redacted = 1, s.Redacted
		if public {
			published[d.Layer] = append(published[d.Layer], p.placed)
			continue
		}
		k := secretKey{s.Kind, s.Sum, p.Layer}
		f := at[k]
		if f == nil {
			f = &found{Secret: s, layer: p.Layer, severity: severityOf(&s)}
			at[k] = f
			all = append(all, f)
		}
		if len(f.places) == 0 || f.places[len(f.places)-1].node != p.node || f.places[len(f.places)-1].HiddenBy != p.HiddenBy {
			f.places = append(f.places, p)
		}
	}
	all = append(all, im.configured()...)
	all = slices.DeleteFunc(all, func(f *found) bool { // in a command of the base image, and nowhere else
		return !slices.ContainsFunc(f.places, func(p foundPlace) bool { return p.Layer < 0 || p.Layer >= theirs })
	})

	// The first maxSecrets of a layer are findings of their own, the most serious
	// ones first.
	slices.SortStableFunc(all, func(a, b *found) int { return cmp.Compare(rank(a.severity), rank(b.severity)) })
	var out []*finding
	count := map[int]int{}
	rest := map[int]*finding{}
	others := func(layer int, severity string) *finding {
		if rest[layer] == nil {
			rest[layer] = im.newFinding("", facts.Fix{Text: "revoke them, and build the image without them"})
			rest[layer].Severity, rest[layer].Certainty = severity, facts.CertainLikely
			out = append(out, rest[layer])
		}
		return rest[layer]
	}
	for _, f := range all {
		if count[f.layer]++; count[f.layer] <= maxSecrets {
			out = append(out, im.secretFinding(f))
			continue
		}
		r := others(f.layer, f.severity)
		for _, p := range f.places {
			r.places = append(r.places, p.placed)
		}
	}
	for i := range more {
		if rest[i] == nil {
			others(i, "").add(facts.Place{Layer: i, HiddenBy: -1})
		}
	}
	for i, r := range rest {
		r.Title = fmt.Sprintf("%s more secrets in %s", counted(max(0, count[i]-maxSecrets)+more[i]), holder(i))
	}
	for _, i := range slices.Sorted(maps.Keys(published)) {
		out = append(out, im.publishedKeys(i, published[i]))
	}
	return out
}

// rank orders severities, the most serious first. "" is that of the rule.
func rank(severity string) int {
	return slices.Index(facts.Severities(), cmp.Or(severity, facts.SeverityError))
}

// severityOf returns the severity of a secret, or "" for that of the rule.
func severityOf(s *secrets.Secret) string {
	switch {
	case s.Kind == secrets.Suspicious:
		return facts.SeverityInfo
	case s.Locked, s.Public:
		return facts.SeverityWarn
	}
	return ""
}

// holder names a layer, or the configuration if layer is negative.
func holder(layer int) string {
	if layer < 0 {
		return "the configuration"
	}
	return fmt.Sprintf("layer %d", layer)
}

// secretFinding returns the finding for one secret.
func (im *image) secretFinding(f *found) *finding {
	out := im.newFinding("", facts.Fix{})
	out.Severity = f.severity
	if out.Certainty = facts.CertainLikely; f.Proven {
		out.Certainty = facts.CertainProven
	}
	for _, p := range f.places {
		out.places = append(out.places, p.placed)
	}
	if f.layer < 0 {
		out.Title = fmt.Sprintf("%s in %s", f.What, f.in)
		out.Fix = configFix(f.name)
		return out
	}
	slices.SortStableFunc(f.places, func(a, b foundPlace) int {
		return cmp.Or(cmp.Compare(a.HiddenBy, b.HiddenBy), cmp.Compare(a.node, b.node))
	})
	first, last := f.places[0], f.places[len(f.places)-1]
	fate := ""
	if first.HiddenBy >= 0 { // no place is visible
		verb := "overwritten"
		switch last.cause {
		case filetree.Deleted:
			verb = "deleted"
		case filetree.MetadataOnly:
			verb = "stored again"
		}
		fate = fmt.Sprintf(", %s in layer %d and still in every copy of the image", verb, last.HiddenBy)
	}
	where := im.tree.Path(first.node)
	if n := len(f.places) - 1; n > 0 {
		where += fmt.Sprintf(" and %d other places", n)
		if n == 1 {
			where = im.tree.Path(first.node) + " and another place"
		}
	}
	out.Title = fmt.Sprintf("%s in %s (%s)%s", f.What, where, holder(f.layer), fate)
	out.Fix = im.fileFix(f.places)
	return out
}

// publishedKeys returns the finding for the secrets of a layer that are in tests,
// documentation and installed packages.
func (im *image) publishedKeys(layer int, places []placed) *finding {
	f := im.newFinding(fmt.Sprintf("%s keys or tokens in tests, documentation or installed packages (%s)", counted(len(places)), holder(layer)), facts.Fix{
		Text: "nothing, if they are published with the software; a smaller set of packages without tests and documentation does not ship them",
	})
	if len(places) == 1 {
		f.Title = fmt.Sprintf("a key or token in tests, documentation or an installed package (%s)", holder(layer))
	}
	f.Severity, f.Certainty = facts.SeverityInfo, facts.CertainLikely
	f.places = places
	return f
}

// counted returns a number with commas between thousands.
func counted(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plainPath matches a path that a Dockerfile can have as it is.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9._/@+-]{1,200}$`)

// mountID returns the ID of a secret mount for a file or a variable.
func mountID(name string) string {
	id := strings.ToLower(strings.Trim(path.Base(name), "."))
	if !plainPath.MatchString(id) {
		return "secret"
	}
	id = strings.Map(func(r rune) rune {
		if strings.ContainsRune(".@+/", r) {
			return '_'
		}
		return r
	}, id)
	return cmp.Or(strings.Trim(id, "_-"), "secret")
}

// fileFix says how to build without a secret that a layer stores in these files.
func (im *image) fileFix(places []foundPlace) facts.Fix {
	p := places[0]
	im.setPath(&p.placed)
	if strings.HasPrefix(p.Path, "/etc/ssh/ssh_host_") {
		return facts.Fix{
			Text:  "all containers have the same host key: remove it at the end of the step that installs the server, and run ssh-keygen -A when a container starts",
			Lines: im.followed(p.Layer, "rm /etc/ssh/ssh_host_*_key*"),
		}
	}
	mount := "type=secret,id=" + mountID(p.Path)
	if plainPath.MatchString(p.Path) {
		mount += ",target=" + p.Path
	}
	source, copies := copySource(facts.Command(im.command(p.Layer)), p.Path)
	switch base := path.Base(p.Path); {
	case copies && source.alone:
		fix := facts.Fix{
			Text:  "revoke it, copy it no more, and mount it in the step that needs it",
			Lines: []string{"RUN --mount=" + mount + ` \`},
		}
		runs := func(s *step) bool { return s.instruction == "RUN" }
		steps := im.steps(p.Layer, p.HiddenBy)
		if p.HiddenBy >= 0 && len(steps) > 0 && plainPath.MatchString(p.Path) && slices.IndexFunc(steps, runs) == len(steps)-1 {
			lines := im.mounting(p.Layer, p.HiddenBy, mount, p.Path)
			if lines != nil && len(secrets.ScanCommand(strings.Join(lines, "\n"))) == 0 { // the step can hold another secret
				fix.Text = "revoke it, and mount it: the line replaces the step that copies it and the step that removes it"
				fix.Lines = lines
			}
		}
		return fix
	case copies && plainPath.MatchString(base):
		fix := facts.Fix{
			Text:  "revoke it, keep the file out of the build context with this line in .dockerignore, and if a step needs it: RUN --mount=" + mount,
			Lines: []string{"**/" + base},
		}
		for _, other := range places[1:] {
			name := im.tree.Name(other.node)
			if line := "**/" + name; plainPath.MatchString(name) && !slices.Contains(fix.Lines, line) && len(fix.Lines) < maxStripped {
				fix.Text = "revoke it, keep the files out of the build context with these lines in .dockerignore, and if a step needs one: RUN --mount=" + mount
				fix.Lines = append(fix.Lines, line)
			}
		}
		return fix
	}
	return facts.Fix{Text: "revoke it, and mount it in the step that needs it, which then does not store it", Lines: []string{"RUN --mount=" + mount + ` \`}}
}

// configFix says how to build without a variable or a build argument.
func configFix(name string) facts.Fix {
	id := mountID(name)
	return facts.Fix{
		Text:  "revoke it; a step that needs it mounts it and reads /run/secrets/" + id + ", and a container gets it when it starts",
		Lines: []string{"RUN --mount=type=secret,id=" + id + ` \`},
	}
}

// configured returns the secrets in the configuration and in the history. The same
// value in several steps is one secret with a place for each layer.
func (im *image) configured() []*found {
	at := map[secretKey]*found{}
	var all []*found
	add := func(list []secrets.Secret, layer int, in, name string) {
		for _, s := range list {
			k := secretKey{sum: s.Sum, layer: -1}
			f := at[k]
			if f == nil {
				f = &found{Secret: s, layer: -1, severity: severityOf(&s), in: in, name: name}
				at[k] = f
				all = append(all, f)
			}
			p := foundPlace{placed: placed{Place: facts.Place{Layer: layer, HiddenBy: -1, Redacted: s.Redacted}, node: filetree.None}}
			if !slices.ContainsFunc(f.places, func(q foundPlace) bool { return q.Layer == layer }) {
				f.places = append(f.places, p)
			}
		}
	}
	config := &im.report.Image.Config
	for _, e := range config.Env {
		name, value, _ := strings.Cut(e, "=")
		add(secrets.ScanSetting(name, value), -1, "the environment variable "+name, name)
	}
	for _, name := range slices.Sorted(maps.Keys(config.Labels)) {
		add(secrets.ScanSetting(name, config.Labels[name]), -1, "the label "+name, name)
	}
	for _, args := range [][]string{config.Entrypoint, config.Cmd} {
		add(secrets.ScanCommand(strings.Join(args, " ")), -1, "the command of the container", "secret")
	}
	for i, s := range im.report.History {
		in := fmt.Sprintf("step %d of the history", i)
		if s.Layer >= 0 {
			in = fmt.Sprintf("the command of layer %d", s.Layer)
		}
		for _, found := range secrets.ScanCommand(s.Command) {
			if name := argument(s.Command, found.Offset); name != "" {
				add([]secrets.Secret{found}, s.Layer, "the build argument "+name, name)
				continue
			}
			add([]secrets.Secret{found}, s.Layer, in, "secret")
		}
		if s.Comment != s.Command {
			add(secrets.ScanCommand(s.Comment), s.Layer, "the comment of "+in, "secret")
		}
	}
	return all
}

// argument returns the name of the build argument whose value is at offset at of a
// command with arguments, "|1 NAME=value /bin/sh …", or "".
func argument(command string, at int) string {
	before := strings.TrimPrefix(command[:at], "RUN ") // BuildKit has that before it
	words := strings.Fields(before)
	if !strings.HasPrefix(before, "|") || len(words) < 2 {
		return ""
	}
	count, err := strconv.Atoi(words[0][1:])
	name, _, ok := strings.Cut(words[len(words)-1], "=")
	if err != nil || !ok || len(words)-1 > count { // a value with spaces looks like more arguments
		return ""
	}
	return name
}
