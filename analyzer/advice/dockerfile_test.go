package advice

import (
	"slices"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/origin"
)

// built returns an image whose steps are those of a Dockerfile.
func built(t *testing.T, image, text string) *analyzer.Analysis {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, image).Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := origin.ParseDockerfile("Dockerfile", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	a.Report.Dockerfile = &facts.Dockerfile{Name: "Dockerfile", Text: text, Certainty: facts.CertainExact}
	var steps []string
	for _, h := range a.Report.History {
		steps = append(steps, facts.Command(h.Command))
	}
	for i, s := range d.Align(steps).Sources {
		if l := a.Report.History[i].Layer; l >= 0 {
			a.Report.Layers[l].Source = s
		}
	}
	return a
}

// ofRule returns the findings of a rule.
func ofRule(t *testing.T, a *analyzer.Analysis, rule string) []facts.Finding {
	t.Helper()
	all, _, err := Find(t.Context(), a, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(f facts.Finding) bool { return f.Rule != rule })
}

const oneFile = "layer RUN make\n  file app 3xa\n"

// TestDockerfileRules has for each rule what it finds, as "LINE: TITLE" and the lines to
// paste, and what it does not.
func TestDockerfileRules(t *testing.T) {
	for _, tt := range []struct{ rule, dockerfile, want string }{
		{"latest-base", "FROM debian\nRUN make\n", "1: the base image debian has no version"},
		{"latest-base", "FROM registry:5000/debian:latest AS x\nRUN make\n", "1: the base image registry:5000/debian:latest has no version"},
		{"latest-base", "FROM debian:latest AS base\nFROM base\nRUN make\n", "1: the base image debian:latest has no version"},
		{"latest-base", "FROM golang AS build\nFROM debian:12\nRUN make\n", ""},
		{"latest-base", "FROM debian:12\nRUN make\n", ""},
		{"latest-base", "FROM debian@sha256:ab\nRUN make\n", ""},
		{"latest-base", "ARG BASE=debian\nFROM $BASE\nRUN make\n", ""},
		{"latest-base", "FROM scratch\nRUN make\n", ""},

		{"remote-add", "FROM a:1\nADD https://x.example/a.tar /a\nRUN make\n", "2: nothing checks what https://x.example/a.tar sends"},
		{"remote-add", "FROM a:1\nADD --checksum=sha256:ab https://x.example/a /a\nRUN make\n", ""},
		{"remote-add", "FROM a:1\nADD https://x.example/a.git#v1 /a\nRUN make\n", ""},
		{"remote-add", "FROM a:1\nADD a.tar /a\nRUN make\n", ""},

		{"no-cache-mount", "FROM a:1\nRUN make\nRUN npm ci\n", "3: line 3 downloads with npm again in each build\nRUN --mount=type=cache,target=/root/.npm npm ci"},
		{"no-cache-mount", "FROM a:1\nRUN make\nRUN --network=host pip install flask && true\n", "3: line 3 downloads with pip again in each build\nRUN --mount=type=cache,target=/root/.cache/pip --network=host pip install flask && true"},
		{"no-cache-mount", "FROM a:1\nRUN make\nRUN --mount=type=cache,target=/root/.npm npm ci\n", ""},
		{"no-cache-mount", "FROM a:1\nRUN make\nRUN echo npm ci\n", ""},

		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN npm ci\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs npm\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . ."},
		{"copy-before-install", "FROM a:1\nCOPY --chown=1 ./ /app\nRUN pip install -r requirements.txt\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs pip\nCOPY requirements.txt ./\nRUN pip install -r requirements.txt\nCOPY --chown=1 ./ /app"},
		{"copy-before-install", "FROM a:1 AS build\nCOPY . .\nRUN go build ./...\nFROM a:1\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs go\nCOPY go.mod go.sum ./\nRUN go mod download\nCOPY . ."},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN poetry install\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs poetry\nCOPY pyproject.toml poetry.lock ./\nRUN poetry install --no-root\nCOPY . ."},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN uv sync\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs uv\nCOPY pyproject.toml uv.lock ./\nRUN uv sync --no-install-project\nCOPY . ."},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN mvn package\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs mvn\nCOPY pom.xml ./\nRUN mvn dependency:go-offline\nCOPY . ."},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN cargo build\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs cargo"},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN pip install .\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs pip"},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN pip install -r requirements.txt 'flask>=3'\nRUN make\n", "2: every change of the sources installs the dependencies again: line 2 copies them before line 3 runs pip"},
		{"copy-before-install", "FROM a:1\nCOPY package*.json ./\nRUN npm ci\nCOPY . .\nRUN npm install -g x\nRUN make\n", ""},
		{"copy-before-install", "FROM a:1\nCOPY package*.json ./\nCOPY . .\nRUN npm ci\nRUN make\n", ""},
		{"copy-before-install", "FROM a:1\nCOPY --from=0 . .\nRUN npm ci\nRUN make\n", ""},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN --mount=type=bind,source=package.json,target=package.json npm ci\nRUN make\n", ""},
		{"copy-before-install", "FROM a:1\nCOPY . .\nRUN pip install flask\nRUN make\n", ""},
	} {
		got := ""
		for _, f := range ofRule(t, built(t, oneFile, tt.dockerfile), tt.rule) {
			if f.Source == nil || f.Source.File != "Dockerfile" {
				t.Fatalf("%s: it has the lines %+v", tt.rule, f.Source)
			}
			got += strings.Join(append([]string{string(rune('0'+f.Source.Line)) + ": " + f.Title}, f.Fix.Lines...), "\n")
		}
		if got != tt.want {
			t.Errorf("%s of\n%s\ngot  %s\nwant %s", tt.rule, tt.dockerfile, got, tt.want)
		}
	}
}

// TestRemoteAddChecksum computes the checksum of the file that an ADD downloaded.
func TestRemoteAddChecksum(t *testing.T) {
	// printf aaa | sha256sum
	const want = "ADD --checksum=sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0 --chmod=755 https://x.example/a /a"
	a := built(t, "layer ADD https://x.example/a /a # buildkit\n  file a 3xa\n", "FROM a:1\nADD --chmod=755 https://x.example/a /a\n")
	found := ofRule(t, a, "remote-add")
	if len(found) != 1 || !slices.Equal(found[0].Fix.Lines, []string{want}) || !slices.Equal(found[0].Layers, []int{0}) {
		t.Errorf("got %+v", found)
	}
}

// TestOtherDockerfile checks that a layer that another Dockerfile made, at the same line,
// is not taken for that of an instruction.
func TestOtherDockerfile(t *testing.T) {
	a := built(t, "layer ADD https://x.example/a /a # buildkit\n  file a 3xa\n", "FROM a:1\nADD https://x.example/a /a\n")
	a.Report.Layers[0].Source.File = "base.Dockerfile"
	found := ofRule(t, a, "remote-add")
	if len(found) != 1 || len(found[0].Fix.Lines) != 0 || len(found[0].Layers) != 0 {
		t.Errorf("got %+v", found)
	}
}

func TestLatestBaseDigest(t *testing.T) {
	a := built(t, oneFile, "FROM --platform=linux/arm64 debian AS x\nRUN make\n")
	a.Report.Base = &facts.Base{Reference: "docker.io/library/debian:latest", Digest: "sha256:ab", Layers: 1, Evidence: facts.EvidenceProvenance, Certainty: facts.CertainExact}
	found := ofRule(t, a, "latest-base")
	if len(found) != 1 || !slices.Equal(found[0].Fix.Lines, []string{"FROM --platform=linux/arm64 debian@sha256:ab AS x"}) {
		t.Errorf("got %+v", found)
	}
}

// TestOwner has findings about the base, about own steps, and about what an own step
// stores again of the base.
func TestOwner(t *testing.T) {
	a := built(t, `layer ADD base /
  file var/cache/apt/pkgcache.bin 2000000xc
  file usr/lib/libc.so            3000000xl
  file srv/data                   4000000xd
  file opt/tool                   5000000xt
layer RUN rm /srv/data && chown 7 /opt/tool
  file srv/.wh.data
  file opt/tool 7:0               5000000xt
layer RUN apt-get update && apt-get upgrade -y && download
  file usr/lib/libc.so            3100000xm
  file tmp/big                    6000000xb
layer RUN rm /tmp/big
  file tmp/.wh.big
`, "FROM base:1\nRUN rm /srv/data && chown 7 /opt/tool\nRUN apt-get update && apt-get upgrade -y && download\nRUN rm /tmp/big\n")
	a.Report.Base = &facts.Base{Reference: "base:1", Layers: 1, Evidence: facts.EvidenceFlag, Certainty: facts.CertainExact}
	type want struct {
		owner, severity string
		bytes           int64
		line            int
	}
	for title, w := range map[string]want{
		"apt's cache takes 2.0 MB in layer 0":                           {"base", "info", 2000000, 0},
		"layer 1 removes 4.0 MB that layer 0 stores":                    {"base", "info", 4000000, 2},
		"layer 3 removes 6.0 MB that layer 2 stores":                    {"own", "warn", 6000000, 3},
		"the base image is out of date: layer 2 replaces 3.1 MB of its": {"own", "warn", 3100000, 3},
		"layer 1 stores 5.0 MB of layer 0 again":                        {"own", "warn", 5000000, 2},
	} {
		all, _, err := Find(t.Context(), a, Options{})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(f facts.Finding) bool { return strings.HasPrefix(f.Title, title) })
		if i < 0 {
			var titles []string
			for _, f := range all {
				titles = append(titles, f.Title)
			}
			t.Fatalf("no finding %q in\n%s", title, strings.Join(titles, "\n"))
		}
		f := all[i]
		got := want{f.Owner, f.Severity, f.Bytes, 0}
		if f.Source != nil {
			got.line = f.Source.Line
		}
		if got != w {
			t.Errorf("%s: got %+v, want %+v", title, got, w)
		}
		if f.Owner == facts.OwnerBase && len(f.Fix.Lines) > 0 {
			t.Errorf("%s: its fix changes a step of the base: %q", title, f.Fix.Lines)
		}
		if f.Owner == facts.OwnerBase && f.Fix.Text != "it comes from the base image base:1: a smaller or a newer base would not have it" {
			t.Errorf("%s: its fix is %q", title, f.Fix.Text)
		}
	}
	// Without a base that is known for sure, it is unknown whose they are.
	a.Report.Base.Certainty = facts.CertainGuessed
	for _, f := range ofRule(t, a, "package-cache") {
		if f.Owner != facts.OwnerUnknown || f.Severity != facts.SeverityWarn {
			t.Errorf("a guessed base: got %+v", f)
		}
	}
}

// TestSecretOfBase checks that a secret in the base image stays an error, and that its
// fix changes no step of the base.
func TestSecretOfBase(t *testing.T) {
	r := &facts.Report{Base: &facts.Base{Reference: "base:1", Layers: 1, Certainty: facts.CertainVerified}, Layers: make([]facts.Layer, 2)}
	f := &finding{im: &image{report: r}, places: []placed{{Place: facts.Place{Path: "/key", Layer: 0, HiddenBy: 1}}}}
	f.Severity, f.Fix.Lines = facts.SeverityError, []string{"RUN --mount=type=secret"}
	f.attribute(&Rule{Name: Secret})
	if f.Owner != facts.OwnerBase || f.Severity != facts.SeverityError || f.Fix.Text != "revoke it, and use another base image: it comes from base:1" || len(f.Fix.Lines) > 0 {
		t.Errorf("got %+v", f.Finding)
	}
}
