package facts

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	buildArgs = regexp.MustCompile(`^\|(\d+) `)
	shells    = []string{"/bin/sh -c ", "cmd /S /C "}
	// The classic builder writes these after a SHELL instruction: a command that the
	// shell ran, and one of the builder itself.
	otherShell = regexp.MustCompile(`^/\S*/(?:a|ba|da|fi|k|z)?sh( -\S+| pipefail)* -\S*c `)
	otherNop   = regexp.MustCompile(`^[^"'#]* [-/]\S+ #\(nop\) `)

	// Docker's builders write a health check as a Go structure with the command,
	// several times (four in newer builders), and the number of retries.
	healthcheck = regexp.MustCompile(`^HEALTHCHECK &\{\[((?:` + quoted + ` ?)+)\] (` + quoted + `(?: ` + quoted + `){2,3}) ('.+')\}$`)
	quotedWord  = regexp.MustCompile(quoted)
)

// quoted matches a quoted string of Go.
const quoted = `"(?:[^"\\]|\\.)*"`

// Command returns a step of an image's history as it was written in the Dockerfile, on
// one line. Command removes what builders add (`/bin/sh -c`, `#(nop)`, `|1 ARG=…`,
// `# buildkit`). A step that a shell ran begins with RUN, for all builders. A health
// check has its flags. The result is not safe to show: pass it through report.Safe.
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

// instructionLine returns an instruction other than RUN on one line.
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

// withoutArgs removes the build arguments before a shell: "|2 A=1 B=two words /bin/sh
// -c make". Their values aren't quoted, so the last one ends where the shell begins.
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
