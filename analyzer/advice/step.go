package advice

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// step is a step of the history, read as an instruction of a Dockerfile. BuildKit,
// docker's classic builder and buildah write it in different forms.
type step struct {
	instruction string   // RUN, COPY, ADD, ...; "" if the step is unknown
	script      string   // of RUN: what the shell runs
	flags       []string // of any other instruction: --chown=app, ...
	args        []string // of any other instruction: what follows
	calls       []call   // of RUN: the commands of the script, in their order

	split   bool   // the two below are filled in
	items   []item // of RUN: the commands joined by && that the script is
	follows bool   // of RUN: another command can follow the script
}

// call is a command that a script runs, with its arguments. Quotes are removed;
// expansions are as they are written.
type call []string

// Longer scripts, and those with more open parentheses, are not parsed: the parser
// calls itself for each of these, and can take quadratic time.
const (
	maxScript = 32 << 10
	maxParens = 1000
)

var (
	// shellCall is the command that runs the script of a RUN.
	shellCall = regexp.MustCompile(`(?:^| )(?:/usr)?(?:/bin/)?(?:ba|da|a|z|k)?sh(?: -[a-zA-Z]+| pipefail)*? -[a-zA-Z]*c `)
	// instruction is a word that begins a step written as in a Dockerfile.
	instruction = regexp.MustCompile(`^(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)$`)
)

// parseStep reads the command of a step in the history.
func parseStep(command string) step {
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(command), "# buildkit"))
	word, rest, _ := strings.Cut(text, " ")
	if instruction.MatchString(word) && word != "RUN" {
		return instructionStep(word, rest)
	}
	if word == "RUN" {
		text = strings.TrimSpace(rest)
	}
	if strings.HasPrefix(text, "#(nop)") { // some tools leave out the shell
		text = "sh -c " + text
	}
	// Build arguments come before the shell, and their values may contain anything.
	if at := shellCall.FindStringIndex(text); at != nil && !quoted(text[at[1]:]) && (at[0] == 0 || text[at[0]+1] == '/' && argumentsOnly(text[:at[0]])) {
		text = strings.TrimSpace(text[at[1]:])
		if nop, ok := strings.CutPrefix(text, "#(nop)"); ok {
			word, rest, _ := strings.Cut(strings.TrimSpace(nop), " ")
			return instructionStep(word, rest)
		}
	} else if n, rest, ok := cutArguments(text); ok && n > 0 {
		text = rest
	}
	s := step{script: text}
	if text != "" {
		s.instruction = "RUN"
		s.calls = parseScript(text, 3)
	}
	return s
}

// quoted reports whether text is one quoted word. Builders never quote a script: it
// is that of a shell in the script.
func quoted(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) > 1 && (text[0] == '"' || text[0] == '\'') && strings.IndexByte(text[1:], text[0]) == len(text)-2
}

// argumentsOnly reports whether text is a list of build arguments: "|1 K=V" or
// "K=V".
func argumentsOnly(text string) bool {
	if strings.HasPrefix(text, "|") {
		return true
	}
	word, _, _ := strings.Cut(text, " ")
	return isAssignment(word)
}

// cutArguments cuts "|N K=V ..." off a step of the exec form, whose values have no
// spaces.
func cutArguments(text string) (n int, rest string, ok bool) {
	count, rest, ok := strings.Cut(strings.TrimPrefix(text, "|"), " ")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || !strings.HasPrefix(text, "|") {
		return 0, text, false
	}
	for range n {
		_, after, ok := strings.Cut(rest, " ")
		if !ok {
			return 0, text, false
		}
		rest = after
	}
	return n, rest, true
}

func instructionStep(word, rest string) step {
	s := step{instruction: word}
	for _, w := range strings.Fields(rest) {
		if strings.HasPrefix(w, "--") && len(s.args) == 0 {
			s.flags = append(s.flags, w)
		} else {
			s.args = append(s.args, w)
		}
	}
	return s
}

// copies reports whether the step is a COPY or an ADD.
func (s *step) copies() bool { return s.instruction == "COPY" || s.instruction == "ADD" }

// parseScript returns the commands of a script, also those of nested scripts (sh -c)
// up to a depth. It returns none if the script can't be parsed.
func parseScript(script string, depth int) []call {
	if len(script) > maxScript || strings.Count(script, "(") > maxParens || depth == 0 {
		return nil
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		return nil
	}
	var all []call
	syntax.Walk(file, func(n syntax.Node) bool {
		x, ok := n.(*syntax.CallExpr)
		if !ok || len(x.Args) == 0 {
			return true
		}
		var c call
		for _, w := range x.Args {
			c = append(c, wordText(script, w))
		}
		all = append(all, c.unwrap(depth)...)
		return true
	})
	return all
}

// wordText returns a word without its quotes, if it is literal, or else as it is
// written.
func wordText(script string, w *syntax.Word) string {
	var b strings.Builder
	add := func(parts []syntax.WordPart) bool {
		for _, p := range parts {
			lit, ok := p.(*syntax.Lit)
			if !ok {
				return false
			}
			b.WriteString(lit.Value)
		}
		return true
	}
	for _, p := range w.Parts {
		ok := false
		switch p := p.(type) {
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
			ok = true
		case *syntax.DblQuoted:
			ok = add(p.Parts)
		default:
			ok = add([]syntax.WordPart{p})
		}
		if !ok {
			return script[w.Pos().Offset():w.End().Offset()]
		}
	}
	return b.String()
}

// unwrap removes what runs another command (sudo, env, xargs, ...), and returns the
// commands of a nested script.
func (c call) unwrap(depth int) []call {
	out := []call{c}
	for len(c) > 0 {
		name := path.Base(c[0])
		switch name {
		case "sudo", "env", "exec", "time", "command", "nice", "nohup", "eatmydata", "xargs", "busybox":
			c = c[1:]
			for len(c) > 0 && (strings.HasPrefix(c[0], "-") || isAssignment(c[0])) {
				c = c[1:]
			}
			if len(c) > 0 {
				out = append(out, c)
			}
			continue
		case "gosu", "su-exec":
			c = c[min(2, len(c)):]
			if len(c) > 0 {
				out = append(out, c)
			}
			continue
		case "find":
			if i := slices.IndexFunc(c, func(w string) bool { return w == "-exec" || w == "-execdir" }); i >= 0 && i+1 < len(c) {
				out = append(out, c[i+1:])
			}
		case "sh", "bash", "ash", "dash":
			for i, w := range c[1:] {
				if strings.HasPrefix(w, "-") && strings.HasSuffix(w, "c") && i+2 < len(c) {
					return append(out, parseScript(c[i+2], depth-1)...)
				}
			}
		}
		break
	}
	return out
}

var assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

func isAssignment(word string) bool { return assignment.MatchString(word) }

// is reports whether the command has one of the names.
func (c call) is(names ...string) bool { return slices.Contains(names, path.Base(c[0])) }

// has reports whether one of the arguments is one of the words, or a word and a
// value (--flag=value).
func (c call) has(words ...string) bool {
	return slices.ContainsFunc(c[1:], func(w string) bool {
		name, _, _ := strings.Cut(w, "=")
		return slices.Contains(words, w) || slices.Contains(words, name)
	})
}

// hasLetter reports whether one of the arguments is a group of short flags with the
// letter, such as -Rv.
func (c call) hasLetter(letter byte) bool {
	return slices.ContainsFunc(c[1:], func(w string) bool {
		return len(w) > 1 && w[0] == '-' && w[1] != '-' && strings.IndexByte(w, letter) > 0
	})
}

// sub returns the first argument that is not a flag, such as the "install" of apt-get
// -y install; "" if there is none.
func (c call) sub() string {
	for _, w := range c[1:] {
		if !strings.HasPrefix(w, "-") {
			return w
		}
	}
	return ""
}

// runs returns the first command with one of the names for which which returns true,
// nil if there is none.
func (s *step) runs(which func(call) bool, names ...string) call {
	for _, c := range s.calls {
		if c.is(names...) && which(c) {
			return c
		}
	}
	return nil
}
