package advice

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParseStep reads steps in the forms in which builders write them.
func TestParseStep(t *testing.T) {
	for _, tt := range []struct{ name, command, want string }{
		{"BuildKit", "RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit", "RUN: apt-get update | apt-get install -y curl"},
		{"BuildKit with arguments", "RUN |2 A=b MSG=make it so /bin/sh -c echo $A # buildkit", "RUN: echo $A"},
		{"BuildKit with another shell", "RUN /bin/bash -o pipefail -c curl x | tar x # buildkit", "RUN: curl x | tar x"},
		{"BuildKit, a here-document", "RUN /bin/sh -c apt-get update\napt-get install -y curl\n # buildkit", "RUN: apt-get update | apt-get install -y curl"},
		{"BuildKit, the exec form", "RUN apt-get update # buildkit", "RUN: apt-get update"},
		{"BuildKit, the exec form with arguments", "RUN |1 A=b apt-get update # buildkit", "RUN: apt-get update"},
		{"BuildKit copies", "COPY --chown=app:app --chmod=755 . /app # buildkit", "COPY --chown=app:app --chmod=755: . /app"},
		{"classic", "/bin/sh -c apt-get update", "RUN: apt-get update"},
		{"classic with arguments", "|1 A=b /bin/sh -c apt-get update", "RUN: apt-get update"},
		{"classic copies", "/bin/sh -c #(nop) COPY --chown=node:node dir:1a2b in /app ", "COPY --chown=node:node: dir:1a2b in /app"},
		{"classic, nothing stored", `/bin/sh -c #(nop)  CMD ["bash"]`, `CMD: ["bash"]`},
		{"without the shell", "#(nop) ADD file:1a2b in /", "ADD: file:1a2b in /"},
		{"buildah with arguments", "A=b /bin/sh -c apt-get update", "RUN: apt-get update"},
		{"classic, the exec form", "apt-get update", "RUN: apt-get update"},
		{"a base made by a tool", "# debian.sh --arch 'amd64' out/ 'trixie' '@1700000000'", "RUN:"},
		{"nothing", "", ":"},
		{"an instruction without arguments", "COPY", "COPY:"},

		{"a comment", "RUN true # npm ci", "RUN: true"},
		{"a string", `RUN echo "npm ci" 'a b'`, "RUN: echo npm ci a b"},
		{"a name that holds another", "RUN cmake ..", "RUN: cmake .."},
		{"a path before the name", "RUN /usr/bin/apt-get update", "RUN: /usr/bin/apt-get update"},
		{"an assignment", "RUN DEBIAN_FRONTEND=noninteractive apt-get update", "RUN: apt-get update"},
		{"sudo", "RUN sudo -E apt-get update", "RUN: sudo -E apt-get update | apt-get update"},
		{"env", "RUN env A=b apt-get update", "RUN: env A=b apt-get update | apt-get update"},
		{"gosu", "RUN gosu app npm ci", "RUN: gosu app npm ci | npm ci"},
		{"xargs", "RUN ls | xargs -r chmod 755", "RUN: ls | xargs -r chmod 755 | chmod 755"},
		{"find", `RUN find . -name '*.py' -exec chmod +x {} \;`, `RUN: find . -name *.py -exec chmod +x {} \; | chmod +x {} \;`},
		{"a script in a script", `RUN bash -ec "make all && npm ci"`, "RUN: bash -ec make all && npm ci | make all | npm ci"},
		{"a branch, a loop, a function and a subshell", "RUN if a; then b; fi; for x in y; do (c); done; f() { d; }", "RUN: a | b | c | d"},
		{"an expansion", `RUN "$TOOL" build "$A/x"`, `RUN: "$TOOL" build "$A/x"`},
		{"no shell script", "RUN if then fi )", "RUN:"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := parseStep(tt.command)
			got := strings.Join(append([]string{s.instruction}, s.flags...), " ") + ":"
			if len(s.args) > 0 {
				got += " " + strings.Join(s.args, " ")
			}
			for i, c := range s.calls {
				if i > 0 {
					got += " |"
				}
				got += " " + strings.Join(c, " ")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLongScript checks that a script is not parsed if it is too long, or nests too
// deeply for the stack.
func TestLongScript(t *testing.T) {
	for _, s := range []string{"(", "( ", "a;(", "$(", "`", "((", "{ ", "if ", `"$(`, "${a:-", "a<<b\n", "sh -c '"} {
		parseStep("RUN " + strings.Repeat(s, maxScript/len(s)))
	}
	short := parseStep("RUN " + strings.Repeat("x;", maxScript/2))
	long := parseStep("RUN " + strings.Repeat("x;", maxScript/2+1))
	if len(short.calls) != maxScript/2 || len(long.calls) != 0 {
		t.Errorf("got %d and %d commands", len(short.calls), len(long.calls))
	}
}

func FuzzParseStep(f *testing.F) {
	f.Add("RUN |1 A=b /bin/sh -c a && b # buildkit")
	f.Add("/bin/sh -c #(nop) COPY --from=a b in /")
	f.Add("RUN find -exec")
	f.Fuzz(func(t *testing.T, command string) {
		s := parseStep(command)
		for _, c := range s.calls {
			if len(c) == 0 {
				t.Error("a command without a name")
			}
		}
		OfStep(command)
		OfWaste("/x", "metadata", command)
	})
}
