package report

import (
	"regexp"
	"strings"
)

var (
	buildArgs = regexp.MustCompile(`^\|(\d+) `)
	shells    = []string{"/bin/sh -c ", "cmd /S /C "}
)

// Command is a step of an image's history as a person wrote it in a
// Dockerfile, on one line: what builders put around it (`/bin/sh -c`,
// `#(nop)`, `|1 ARG=…`, `# buildkit`) is taken off, and a step that a shell ran
// begins with RUN whichever builder wrote it. It is still the image's text:
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
				return oneLine(instruction)
			}
			run, s = true, rest
			break
		}
	}
	if run && s != "" {
		s = "RUN " + s
	}
	return oneLine(s)
}

// withoutArgs takes off the build arguments that stand before a shell:
// "|2 A=1 B=two words /bin/sh -c make". Their values aren't quoted, so that
// only the shell after them tells where the last one ends.
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
