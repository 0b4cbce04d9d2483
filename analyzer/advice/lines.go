package advice

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// The functions of this file write lines to paste from the steps of the history. They
// return nil if they can't be sure that the lines do the same as the steps.

// The limits of these functions: an image may have many pairs of layers of which one
// hides content of the other.
const (
	maxJoined  = 8        // steps
	maxBetween = 64       // steps of the history between two layers
	maxLine    = 16 << 10 // bytes of the scripts of one fix
	maxVisits  = 20 << 20 // nodes of the tree, for all fixes
)

// joined returns one RUN that does what the steps of layers first to last do.
func (im *image) joined(first, last int) []string {
	if last-first >= maxJoined {
		return nil
	}
	var lines []string
	length := 0
	for _, p := range im.steps(first, last) {
		switch p.instruction {
		case "RUN":
			items, ok := p.chain()
			length += len(p.script)
			if !ok || len(lines) == maxJoined || length > maxLine {
				return nil
			}
			script := p.script
			apart := func(x item) bool { return x.or || isAssignment(x.text) }
			if slices.ContainsFunc(items, apart) || changesShell(p.calls) {
				script = "(" + script + ")"
			}
			lines = append(lines, "    && "+script+" \\")
		case "CMD", "ENTRYPOINT", "EXPOSE", "LABEL", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER":
		default: // what the next script sees depends on it
			return nil
		}
	}
	if len(lines) < 2 {
		return nil
	}
	lines[0] = "RUN " + strings.TrimPrefix(lines[0], "    && ")
	end := &lines[len(lines)-1]
	*end = strings.TrimSuffix(*end, " \\")
	return lines
}

// followed returns the RUN of layer i with commands at its end.
func (im *image) followed(i int, commands ...string) []string {
	p := im.step(i)
	items, ok := p.chain()
	if p.instruction != "RUN" || !ok {
		return nil
	}
	script := p.script
	ends := func(c call) bool { return c.is("exit", "exec") }
	if slices.ContainsFunc(items, func(x item) bool { return x.or }) || slices.ContainsFunc(p.calls, ends) {
		script = "(" + script + ")"
	}
	script = "RUN " + script
	for _, c := range commands {
		script += " \\\n    && " + c
	}
	return strings.Split(script, "\n")
}

// steps returns the steps of the history from layer first to layer last, nil if these
// are too many.
func (im *image) steps(first, last int) (all []*step) {
	history := im.report.History
	at := slices.IndexFunc(history, func(s facts.Step) bool { return s.Layer == first })
	if at < 0 {
		return nil
	}
	for i, s := range history[at:min(len(history), at+maxBetween)] {
		p := im.parsed[-1-at-i]
		if s.Layer >= 0 {
			p = im.step(s.Layer)
		} else if p == nil {
			parsed := parseStep(s.Command)
			p = &parsed
			im.parsed[-1-at-i] = p
		}
		if all = append(all, p); s.Layer == last {
			return all
		}
	}
	return nil
}

// item is one command of a script, as it is written.
type item struct {
	text string
	or   bool // one command of several, of which not all must succeed
}

// chain returns what the function chain returns for the script of a step.
func (s *step) chain() ([]item, bool) {
	if !s.split {
		s.items, s.follows = chain(s.script)
		s.split = true
	}
	return s.items, s.follows
}

// chain splits a script at its outermost &&. It reports false for a script of several
// lines and for one that can't be followed by another.
func chain(script string) (items []item, ok bool) {
	if len(script) > maxScript || strings.ContainsAny(script, "\n\r#") || strings.HasPrefix(script, "[\"") {
		return nil, false
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil || len(file.Stmts) == 0 {
		return nil, false
	}
	for _, s := range file.Stmts {
		if s.Background || s.Coprocess {
			return nil, false
		}
	}
	text := func(n syntax.Node) string { return script[n.Pos().Offset():n.End().Offset()] }
	if len(file.Stmts) > 1 {
		return []item{{script, true}}, true
	}
	var split func(s *syntax.Stmt)
	split = func(s *syntax.Stmt) {
		b, ok := s.Cmd.(*syntax.BinaryCmd)
		if !ok || b.Op != syntax.AndStmt || len(s.Redirs) > 0 || s.Negated {
			items = append(items, item{text(s), ok && b.Op == syntax.OrStmt})
			return
		}
		split(b.X)
		split(b.Y)
	}
	split(file.Stmts[0])
	return items, true
}

// changesShell reports whether a command changes what the next one of the same shell
// sees.
func changesShell(calls []call) bool {
	return slices.ContainsFunc(calls, func(c call) bool {
		return c.is("cd", "pushd", "set", "shopt", "export", "umask", "trap", "exec", "exit", "alias", "ulimit", ".", "source", "eval", "unset") || isAssignment(c[0])
	})
}

// workdir returns the working directory of the step of layer i.
func (im *image) workdir(i int) string {
	if im.workdirs == nil {
		im.workdirs = map[int]string{}
		dir := "/"
		for _, s := range im.report.History {
			if strings.Contains(s.Command, "WORKDIR ") && len(s.Command) < maxLine {
				if p := parseStep(s.Command); p.instruction == "WORKDIR" && len(p.args) > 0 {
					dir = absolute(dir, strings.Join(p.args, " "))
				}
			}
			if s.Layer >= 0 {
				im.workdirs[s.Layer] = dir
			}
		}
	}
	return im.workdirs[i]
}

func absolute(dir, p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join(dir, p)
}

func below(p, dir string) bool {
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// hashed matches the source of a COPY for which a builder writes a hash.
var hashed = regexp.MustCompile(`(?:dir|file|multi):[0-9a-f]{64}`)

// copied returns the COPY of layer i with the owner and the mode that the RUN of layer
// j gives what it copies, and what that RUN does besides.
func (im *image) copied(i, j int) []string {
	s, run := im.step(i), im.step(j)
	if !s.copies() || run.instruction != "RUN" || len(s.args) < 2 || hashed.MatchString(im.command(i)) {
		return nil
	}
	if path.IsAbs(s.args[0]) { // BuildKit leaves --from=STAGE out of the history
		return nil
	}
	dest := absolute(im.workdir(i), s.args[len(s.args)-1])
	rest, owner, ok := im.withoutChanges(run, dest, im.workdir(j))
	top, found := im.tree.Lookup(dest)
	if !ok || !found {
		return nil
	}
	if im.visits += int(im.tree.End(top) - top); im.visits > maxVisits {
		return nil
	}
	var was, is *filetree.State // one of the files
	var others []string         // directories that were there before the COPY
	sameMode, sameModes := true, true
	for n := top; n < im.tree.End(top); n++ {
		before, there := im.tree.At(n, i)
		after, stays := im.tree.At(n, j)
		old, existed := im.tree.At(n, i-1)
		switch {
		case !there && stays || there && !stays:
			return nil
		case !there || after.Layer != j && (before.Layer != i || existed && old.Kind == layer.Dir):
			continue // neither step stores it
		case before.Layer != i || existed && old.Kind == layer.Dir:
			if after.Kind != layer.Dir || len(others) == 3 || before.Mode != after.Mode {
				return nil
			}
			word, fits := shellWord(im.tree.Path(n))
			if !fits {
				return nil
			}
			others = append(others, word)
			continue
		case before.Kind == layer.Symlink:
			continue
		}
		if is == nil {
			was, is = &before, &after
		}
		if after.UID != is.UID || after.GID != is.GID {
			return nil
		}
		sameModes = sameModes && after.Mode == is.Mode
		sameMode = sameMode && after.Mode == before.Mode
	}
	if is == nil || !sameMode && !sameModes {
		return nil
	}
	numbers := fmt.Sprintf("%d:%d", is.UID, is.GID)
	if owner == "" {
		owner = numbers
	}
	line := s.instruction
	for _, f := range s.flags {
		if !strings.HasPrefix(f, "--chown=") && !strings.HasPrefix(f, "--chmod=") {
			line += " " + f
		}
	}
	if is.UID != 0 || is.GID != 0 {
		line += " --chown=" + owner
	}
	if !sameMode {
		line += fmt.Sprintf(" --chmod=%o", is.Mode)
	}
	lines := []string{line + " " + strings.Join(s.args, " ")}
	if len(rest) > 0 {
		lines = append(lines, "RUN "+strings.Join(rest, " && "))
	}
	if len(others) > 0 && (is.UID != was.UID || is.GID != was.GID) {
		lines = append(lines, "RUN chown "+owner+" "+strings.Join(others, " "))
	}
	return lines
}

// withoutChanges returns what a RUN does besides changing the owner and mode of paths
// below dest, and the owner as it is written, or "" if that may not be known yet where
// dest is copied. It reports false if the RUN changes other paths, too.
func (im *image) withoutChanges(run *step, dest, workdir string) (rest []string, owner string, ok bool) {
	items, ok := run.chain()
	if !ok {
		return nil, "", false
	}
	removed := 0
	for _, x := range items {
		calls := parseScript(x.text, 1)
		if x.or || len(calls) != 1 || !calls[0].is("chown", "chmod") {
			if slices.ContainsFunc(calls, func(c call) bool { return c.is("chown", "chmod", "chgrp") }) {
				return nil, "", false
			}
			rest = append(rest, x.text)
			continue
		}
		var operands []string
		for _, w := range calls[0][1:] {
			if !strings.HasPrefix(w, "-") || len(w) > 1 && strings.ContainsRune("rwxX", rune(w[1])) {
				operands = append(operands, w)
			}
		}
		if len(operands) < 2 || slices.ContainsFunc(operands, func(w string) bool { return strings.ContainsAny(w, "$`*?[{~") }) {
			return nil, "", false
		}
		for _, p := range operands[1:] {
			if !path.IsAbs(p) && changesShell(run.calls) || !below(absolute(workdir, p), dest) {
				return nil, "", false
			}
		}
		if calls[0].is("chown") && numeric.MatchString(operands[0]) {
			owner = operands[0]
		}
		removed++
	}
	return rest, owner, removed > 0
}

var numeric = regexp.MustCompile(`^[0-9]+:[0-9]+$`)

// mounting returns the RUN of layer j with a mount at p in place of the file that
// layer i stores there, and without the commands that remove it.
func (im *image) mounting(i, j int, mount, p string) []string {
	run := im.step(j)
	items, ok := run.chain()
	if run.instruction != "RUN" || !ok {
		return nil
	}
	var rest []string
	for _, x := range items {
		calls := parseScript(x.text, 1)
		if !slices.ContainsFunc(calls, func(c call) bool { return c.is("rm", "shred", "unlink") }) {
			rest = append(rest, x.text)
			continue
		}
		if len(calls) != 1 || x.or {
			return nil
		}
		for _, w := range calls[0][1:] {
			if strings.HasPrefix(w, "-") {
				continue
			}
			at := absolute(im.workdir(j), w)
			n, found := im.tree.Lookup(at)
			if !found || !below(p, at) || !path.IsAbs(w) && changesShell(run.calls) {
				return nil
			}
			if _, existed := im.tree.At(n, i-1); existed {
				return nil
			}
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return []string{"RUN --mount=" + mount + " " + strings.Join(rest, " && ")}
}
