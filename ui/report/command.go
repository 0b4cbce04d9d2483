package report

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	buildArgs = regexp.MustCompile(`^\|(\d+) `)
	shells    = []string{"/bin/sh -c ", "cmd /S /C "}
	// What the classic builder writes after a SHELL instruction: a command that
	// the shell ran, and one of the builder's own.
	otherShell = regexp.MustCompile(`^/\S*/(?:a|ba|da|fi|k|z)?sh( -\S+| pipefail)* -\S*c `)
	otherNop   = regexp.MustCompile(`^[^"'#]* [-/]\S+ #\(nop\) `)

	// A health check as docker's builders write it: a Go structure of the
	// command, of times of which newer ones have four, and of the retries.
	healthcheck = regexp.MustCompile(`^HEALTHCHECK &\{\[((?:` + quoted + ` ?)+)\] (` + quoted + `(?: ` + quoted + `){2,3}) ('.+')\}$`)
	quotedWord  = regexp.MustCompile(quoted)
)

// quoted is a text in quotes, as Go writes it.
const quoted = `"(?:[^"\\]|\\.)*"`

// Command is a step of an image's history as a person wrote it in a
// Dockerfile, on one line: what builders put around it (`/bin/sh -c`,
// `#(nop)`, `|1 ARG=…`, `# buildkit`) is taken off, and a step that a shell ran
// begins with RUN whichever builder wrote it. A health check is written with its
// flags. It is still the image's text:
// print it through Safe.
func Command(createdBy string) string {
	s := strings.TrimSpace(createdBy)
	s = strings.TrimSpace(strings.TrimSuffix(s, "# buildkit"))
	run := false
	if rest, ok := strings.CutPrefix(s, "RUN "); ok {
		run, s = true, strings.TrimSpace(rest)
	}
	if bare, ok := withoutArgs(s); ok {
		run, s = true, bare
	}
	for _, shell := range shells {
		if rest, ok := strings.CutPrefix(s, shell); ok {
			rest = strings.TrimSpace(rest)
			if instruction, ok := strings.CutPrefix(rest, "#(nop)"); ok {
				return instructionLine(instruction)
			}
			return oneLine("RUN " + rest)
		}
	}
	if nop := otherNop.FindString(s); nop != "" {
		return instructionLine(s[len(nop):])
	}
	if s != "" && (run || otherShell.MatchString(s)) {
		return oneLine("RUN " + s)
	}
	return instructionLine(s)
}

// instructionLine is an instruction that isn't RUN, on one line.
func instructionLine(s string) string {
	s = strings.TrimSpace(s)
	m := healthcheck.FindStringSubmatch(s)
	if m == nil {
		return oneLine(s)
	}
	command, times := quotedWord.FindAllString(m[1], -1), quotedWord.FindAllString(m[2], -1)
	var b strings.Builder
	b.WriteString("HEALTHCHECK")
	flags := []string{"interval", "timeout", "start-period", "start-interval"}
	for i, t := range times {
		if t != `"0s"` {
			fmt.Fprintf(&b, " --%s=%s", flags[i], strings.Trim(t, `"`))
		}
	}
	if n, _, _, err := strconv.UnquoteChar(m[3][1:], '\''); err == nil && n > 0 {
		fmt.Fprintf(&b, " --retries=%d", n)
	}
	switch command[0] {
	case `"NONE"`:
		b.WriteString(" NONE")
	case `"CMD-SHELL"`:
		b.WriteString(" CMD")
		for _, word := range command[1:] {
			if text, err := strconv.Unquote(word); err == nil {
				word = text
			}
			b.WriteString(" " + word)
		}
	default:
		b.WriteString(" CMD [" + strings.Join(command[1:], ", ") + "]")
	}
	return oneLine(b.String())
}

// withoutArgs takes off the build arguments that stand before a shell:
// "|2 A=1 B=two words /bin/sh -c make". Their values aren't quoted, so that
// only the shell after them marks the end of the last one.
func withoutArgs(s string) (string, bool) {
	m := buildArgs.FindStringSubmatch(s)
	if m == nil {
		return s, false
	}
	for _, shell := range shells {
		if _, after, ok := strings.Cut(s, " "+shell); ok {
			return shell + after, true
		}
	}
	// Another shell: an argument ends where the next word has no "=".
	words := strings.Fields(s)[1:]
	for len(words) > 0 && strings.Contains(words[0], "=") {
		words = words[1:]
	}
	return strings.Join(words, " "), true
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
