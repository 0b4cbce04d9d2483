package advice

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/origin"
)

// dockerfile is the Dockerfile of an image, and the stages that the image consists of.
type dockerfile struct {
	*origin.Dockerfile
	stages []int
	likely bool // it was found by the history
}

// dockerfile returns the Dockerfile of the image, nil if it is unknown.
func (im *image) dockerfile() *dockerfile {
	known := im.report.Dockerfile
	if known == nil || im.file != nil {
		return im.file
	}
	d, err := origin.ParseDockerfile(known.Name, []byte(known.Text))
	if err != nil { // a saved report can have any text
		return nil
	}
	last := len(d.Stages) - 1
	for _, l := range im.report.Layers {
		if s := l.Source; s != nil && s.File == known.Name {
			last = max(d.StageAt(s.Line), 0)
		}
	}
	im.file = &dockerfile{d, d.Chain(last), known.Certainty != facts.CertainExact}
	return im.file
}

// ofDockerfile returns the find function of a rule about the Dockerfile: without one
// there are no findings.
func ofDockerfile(find func(*image, *dockerfile) ([]*finding, error)) func(*image) ([]*finding, error) {
	return func(im *image) ([]*finding, error) {
		d := im.dockerfile()
		if d == nil {
			return nil, nil
		}
		return find(im, d)
	}
}

// finding returns a finding about some lines, and the layer that they made.
func (d *dockerfile) finding(im *image, line, end int, title string, fix facts.Fix) *finding {
	f := im.newFinding(title, fix)
	f.Source = &facts.Source{File: d.Name, Line: line, End: end, Certainty: facts.CertainExact}
	if d.likely {
		f.Certainty, f.Source.Certainty = facts.CertainLikely, facts.CertainLikely
	}
	if i := im.madeBy(line); i >= 0 {
		f.add(facts.Place{Layer: i, HiddenBy: -1})
	}
	return f
}

// madeBy returns the layer that the instruction at a line of the Dockerfile made, or -1.
func (im *image) madeBy(line int) int {
	return slices.IndexFunc(im.report.Layers, func(l facts.Layer) bool {
		return l.Source != nil && l.Source.Line == line && l.Source.File == im.report.Dockerfile.Name
	})
}

func latestBase() Rule {
	return Rule{
		Name:     "latest-base",
		Severity: facts.SeverityWarn,
		Means:    "The base image has no version: it has the tag latest, or none.",
		Why:      "The next build can start from another base, with other packages, although the Dockerfile has not changed.",
		Fix:      "Name a version, or a version and a digest: `FROM debian:12@sha256:…`.",
		Not:      "A base with a digest, `scratch`, a stage, and a name that a build argument gives.",
		lines:    true,
		find: ofDockerfile(func(im *image, d *dockerfile) ([]*finding, error) {
			s := &d.Stages[d.stages[0]]
			name, ok := unversioned(s.From)
			if !ok || s.Parent >= 0 {
				return nil, nil
			}
			fix := facts.Fix{Text: "name a version of " + name + ", with its digest if every build must start from the same base"}
			if b := im.report.Base; b != nil && b.Digest != "" && b.Evidence == facts.EvidenceProvenance {
				line := strings.Join(slices.Concat([]string{"FROM"}, s.Flags, []string{s.From + "@" + b.Digest}), " ")
				if s.Name != "" {
					line += " AS " + s.Name
				}
				fix.Lines = []string{line}
			}
			return []*finding{d.finding(im, s.Line, s.Line, "the base image "+s.From+" has no version", fix)}, nil
		}),
	}
}

// unversioned returns the repository of a base that can change without notice.
func unversioned(from string) (string, bool) {
	if from == "scratch" || from == "" || strings.ContainsAny(from, "@$") {
		return "", false
	}
	name, tag := from, ""
	if i := strings.LastIndexByte(from, ':'); i > strings.LastIndexByte(from, '/') {
		name, tag = from[:i], from[i+1:]
	}
	return name, tag == "" || tag == "latest"
}

// maxDownload is the largest file whose checksum is computed.
const maxDownload = 256 << 20

func remoteAdd() Rule {
	return Rule{
		Name:     "remote-add",
		Severity: facts.SeverityWarn,
		Means:    "An `ADD` downloads a file, and does not check what it gets.",
		Why:      "Whoever controls the server, or the way to it, decides what the image contains.",
		Fix:      "Give the checksum: `ADD --checksum=sha256:… URL DEST`. The line has that of the file in this image.",
		Not:      "Git repositories, which are named by a commit.",
		reads:    true,
		lines:    true,
		find: ofDockerfile(func(im *image, d *dockerfile) ([]*finding, error) {
			var all []*finding
			for _, n := range d.stages {
				for _, i := range d.Stages[n].Instructions {
					url, ok := download(&i)
					if !ok {
						continue
					}
					fix := facts.Fix{Text: "give the checksum, so that another file is an error"}
					sum, err := im.checksum(im.madeBy(i.Line))
					if err != nil {
						return nil, err
					}
					if sum != "" {
						fix.Lines = []string{strings.Join(slices.Concat([]string{"ADD", "--checksum=sha256:" + sum}, i.Flags, []string{i.Text}), " ")}
					}
					all = append(all, d.finding(im, i.Line, i.End, "nothing checks what "+url+" sends", fix))
				}
			}
			return all, nil
		}),
	}
}

// download returns the URL that an ADD downloads without a checksum.
func download(i *origin.Instruction) (string, bool) {
	checked := slices.ContainsFunc(i.Flags, func(f string) bool { return strings.HasPrefix(f, "--checksum") })
	if i.Name != "ADD" || checked {
		return "", false
	}
	words := strings.Fields(i.Text)
	if len(words) != 2 || !strings.HasPrefix(words[0], "https://") && !strings.HasPrefix(words[0], "http://") {
		return "", false
	}
	plain, _, _ := strings.Cut(words[0], "#")
	return words[0], !strings.HasSuffix(plain, ".git")
}

// checksum returns the SHA-256 of the only file that a layer stores; "" if there are
// several, or it is large or can't be read here.
func (im *image) checksum(layer int) (string, error) {
	if layer < 0 {
		return "", nil
	}
	only := filetree.NoContent
	for c := range filetree.Content(im.tree.Contents()) {
		if im.tree.Stored(c).Layer != layer {
			continue
		}
		if only != filetree.NoContent {
			return "", nil
		}
		only = c
	}
	if only == filetree.NoContent || im.tree.Stored(only).Bytes > maxDownload {
		return "", nil
	}
	r, err := im.a.Open(im.ctx, only)
	if err != nil {
		return "", nil //nolint:nilerr // the content is not kept
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// installer is a program that downloads what a project depends on.
type installer struct {
	name  string
	runs  func(call) bool
	mount string   // of its cache
	files []string // what the dependencies are listed in
	only  string   // the command that installs only these; "" for the call itself
}

func installers() []installer {
	runs := func(names []string, subs ...string) func(call) bool {
		return func(c call) bool { return c.is(names...) && (len(subs) == 0 || slices.Contains(subs, c.sub())) }
	}
	cache := func(target string) string { return "--mount=type=cache,target=" + target }
	return []installer{
		{"apt-get", runs([]string{"apt-get", "apt"}, "install"), cache("/var/cache/apt,sharing=locked") + " " + cache("/var/lib/apt,sharing=locked"), nil, ""},
		{"apk", runs([]string{"apk"}, "add"), cache("/var/cache/apk"), nil, ""},
		{"dnf", runs([]string{"dnf", "yum", "microdnf"}, "install"), cache("/var/cache/dnf"), nil, ""},
		{"npm", runs([]string{"npm"}, "ci", "install"), cache("/root/.npm"), []string{"package.json", "package-lock.json"}, ""},
		{"yarn", func(c call) bool { return c.is("yarn") && (c.sub() == "" || c.sub() == "install") }, cache("/root/.cache/yarn"), []string{"package.json", "yarn.lock"}, ""},
		{"pnpm", runs([]string{"pnpm"}, "install"), cache("/root/.local/share/pnpm/store"), []string{"package.json", "pnpm-lock.yaml"}, ""},
		{"pip", pipInstalls, cache("/root/.cache/pip"), []string{"requirements.txt"}, ""},
		{"poetry", runs([]string{"poetry"}, "install"), cache("/root/.cache/pypoetry"), []string{"pyproject.toml", "poetry.lock"}, "poetry install --no-root"},
		{"uv", runs([]string{"uv"}, "sync"), cache("/root/.cache/uv"), []string{"pyproject.toml", "uv.lock"}, "uv sync --no-install-project"},
		{"go", runs([]string{"go"}, "build", "install", "mod"), cache("/go/pkg/mod") + " " + cache("/root/.cache/go-build"), []string{"go.mod", "go.sum"}, "go mod download"},
		{"cargo", runs([]string{"cargo"}, "build", "install"), cache("/usr/local/cargo/registry"), []string{"Cargo.toml", "Cargo.lock"}, ""},
		{"bundle", runs([]string{"bundle"}, "install"), cache("/usr/local/bundle/cache"), []string{"Gemfile", "Gemfile.lock"}, ""},
		{"composer", runs([]string{"composer"}, "install"), cache("/root/.cache/composer"), []string{"composer.json", "composer.lock"}, ""},
		{"mvn", runs([]string{"mvn"}), cache("/root/.m2"), []string{"pom.xml"}, "mvn dependency:go-offline"},
	}
}

// installerOf returns the first installer that a RUN calls, and the call.
func installerOf(i *origin.Instruction) (installer, call, bool) {
	if i.Name != "RUN" || i.JSON || len(i.Heredocs) > 0 {
		return installer{}, nil, false
	}
	s := parseStep("RUN " + i.Text)
	for _, c := range s.calls {
		for _, x := range installers() {
			if x.runs(c) {
				return x, c, true
			}
		}
	}
	return installer{}, nil, false
}

func noCacheMount() Rule {
	return Rule{
		Name:     "no-cache-mount",
		Severity: facts.SeverityInfo,
		Means:    "A step downloads packages, and keeps no cache of them between builds.",
		Why:      "Each build that runs the step downloads everything again.",
		Fix:      "Mount the cache of the package manager: `RUN --mount=type=cache,target=…`. What is in the cache is not part of the image.",
		Not:      "A build without BuildKit knows no mounts.",
		lines:    true,
		find: ofDockerfile(func(im *image, d *dockerfile) ([]*finding, error) {
			var all []*finding
			for n := range d.Stages {
				for _, i := range d.Stages[n].Instructions {
					x, _, ok := installerOf(&i)
					if !ok || slices.ContainsFunc(i.Flags, func(f string) bool { return strings.HasPrefix(f, "--mount=type=cache") }) {
						continue
					}
					line := strings.Join(slices.Concat([]string{"RUN", x.mount}, i.Flags, []string{i.Text}), " ")
					all = append(all, d.finding(im, i.Line, i.End, fmt.Sprintf("line %d downloads with %s again in each build", i.Line, x.name), facts.Fix{
						Text: "mount the cache of " + x.name, Lines: []string{line},
					}))
				}
			}
			return all, nil
		}),
	}
}

func copyBeforeInstall() Rule {
	return Rule{
		Name:     "copy-before-install",
		Severity: facts.SeverityWarn,
		Means:    "The sources are copied before the dependencies are installed.",
		Why:      "Every change of a source installs all dependencies again, and whoever pulls the image gets all of them again.",
		Fix:      "Copy the files that list the dependencies, install these, and copy the sources then.",
		Not:      "A step that gets those files by a bind mount, or a `COPY` of them before.",
		lines:    true,
		find: ofDockerfile(func(im *image, d *dockerfile) ([]*finding, error) {
			var all []*finding
			for n := range d.Stages {
				if f := d.copiesFirst(im, d.Stages[n].Instructions); f != nil {
					all = append(all, f)
				}
			}
			return all, nil
		}),
	}
}

// copiesFirst returns the finding for a stage that copies all sources before it installs
// dependencies, or nil.
func (d *dockerfile) copiesFirst(im *image, instructions []origin.Instruction) *finding {
	var sources *origin.Instruction
	var listed []string // files that were copied by their name before the sources
	for k := range instructions {
		i := &instructions[k]
		if copiesAll(i) && sources == nil {
			sources = i
		}
		if i.Name == "COPY" && sources == nil {
			listed = append(listed, strings.Fields(i.Text)...)
		}
		x, c, ok := installerOf(i)
		if !ok || len(x.files) == 0 {
			continue
		}
		bound := slices.ContainsFunc(i.Flags, func(f string) bool { return strings.Contains(f, "type=bind") })
		before := slices.ContainsFunc(listed, func(name string) bool {
			return slices.ContainsFunc(x.files, func(file string) bool { ok, _ := path.Match(path.Base(name), file); return ok })
		})
		if sources == nil || bound || before || slices.Contains(c, "-g") || x.name == "pip" && !c.has("-r") && !c.has(".") {
			return nil
		}
		fix := facts.Fix{Text: "copy the files that list the dependencies first"}
		if install := cmp.Or(x.only, installsOnly(c)); install != "" {
			fix.Lines = []string{
				"COPY " + strings.Join(x.files, " ") + " ./",
				strings.Join(slices.Concat([]string{"RUN"}, i.Flags, []string{install}), " "),
				"COPY " + strings.Join(slices.Concat(sources.Flags, []string{sources.Text}), " "),
			}
		}
		return d.finding(im, sources.Line, i.End, fmt.Sprintf("every change of the sources installs the dependencies again: line %d copies them before line %d runs %s", sources.Line, i.Line, x.name), fix)
	}
	return nil
}

// installsOnly returns a call of an installer as it is written, or "" if it needs the
// sources, or its words need quotes, which a call has lost.
func installsOnly(c call) string {
	if c.is("cargo") || pipInstalls(c) && slices.ContainsFunc(c, func(w string) bool { return strings.HasPrefix(w, ".") }) {
		return ""
	}
	for _, w := range c {
		if word, ok := shellWord(w); !ok || word != w {
			return ""
		}
	}
	return strings.Join(c, " ")
}

// copiesAll reports whether an instruction copies the whole build context.
func copiesAll(i *origin.Instruction) bool {
	words := strings.Fields(i.Text)
	from := slices.ContainsFunc(i.Flags, func(f string) bool { return strings.HasPrefix(f, "--from") })
	return (i.Name == "COPY" || i.Name == "ADD") && !from && len(words) == 2 && slices.Contains([]string{".", "./", "*"}, words[0])
}
