package report

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// Input is the input of a format. The same input results in the same bytes.
type Input struct {
	Report  *facts.Report
	Verdict *gate.Verdict // nil if the image was not judged
	// Dockerfile is the file that problems refer to, relative to the repository,
	// with slashes; "" stands for "Dockerfile".
	Dockerfile string
	Version    string // of fathom
	Home       string // the URL of fathom's repository, or ""
}

// Format is an output format for results.
type Format struct {
	Name  string
	Means string // in a few words
	// Judges says that the format is about rules, and empty without a Verdict.
	Judges bool
	Write  func(io.Writer, *Input) error
	// Omits says what is left out because of a limit of the format's readers; ""
	// for nothing.
	Omits func(*Input) string
}

// Formats returns all formats.
func Formats() []Format {
	return []Format{
		{Name: "text", Means: "for terminals and logs", Write: func(w io.Writer, in *Input) error { return Text(w, in.Report, in.Verdict) }},
		{Name: "json", Means: "for programs, and to open again", Write: func(w io.Writer, in *Input) error { return writeJSON(w, in.Report, in.Verdict) }},
		{Name: "markdown", Means: "for a comment", Write: Markdown},
		{Name: "html", Means: "one page to look around in", Write: HTML},
		{Name: "junit", Means: "tests, one for each rule", Judges: true, Write: JUnit},
		{Name: "sarif", Means: "SARIF 2.1.0", Judges: true, Write: SARIF, Omits: sarifOmits},
		{Name: "codequality", Means: "GitLab's code quality", Judges: true, Write: CodeQuality},
		{Name: "github", Means: "annotations of GitHub Actions", Judges: true, Write: GitHub},
	}
}

// FormatOf returns the format with a name.
func FormatOf(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

func (in *Input) dockerfile() string {
	if in.Dockerfile == "" {
		return "Dockerfile"
	}
	return in.Dockerfile
}

const tagsShown = 3 // in a title

// title returns the image as the user named it, and its tags if they say more, safe to
// show: "app.tar (shop/app:1.4)".
func (in *Input) title() string {
	img := &in.Report.Image
	named := slices.ContainsFunc(img.Tags, func(tag string) bool { return names(img.Reference, tag) })
	if named || len(img.Tags) == 0 {
		return Safe(img.Reference)
	}
	tags := strings.Join(img.Tags[:min(len(img.Tags), tagsShown)], ", ")
	if n := len(img.Tags) - tagsShown; n > 0 {
		tags += fmt.Sprintf(" and %d more", n)
	}
	return Safe(img.Reference + " (" + tags + ")")
}

// name returns a name of the image that does not change from build to build: its
// repository or, for an archive without one, the file.
func (in *Input) name() string {
	img := &in.Report.Image
	if len(img.Tags) > 0 {
		i := slices.IndexFunc(img.Tags, func(tag string) bool {
			return names(img.Reference, tag) || names(img.Reference, repository(tag))
		})
		return repository(img.Tags[max(i, 0)])
	}
	ref := filepath.ToSlash(img.Reference)
	switch {
	case strings.Contains(ref, "@sha256:"):
		return repository(ref)
	case path.IsAbs(ref): // in a checkout or a temporary folder, whose path differs from run to run
		return path.Base(ref)
	}
	return path.Clean(ref)
}

// names reports whether a reference, with or without a scheme, is short for
// name.
func names(reference, name string) bool {
	_, rest, _ := strings.Cut(reference, ":")
	return slices.ContainsFunc([]string{reference, rest}, func(s string) bool {
		return s != "" && (s == name || strings.HasSuffix(name, "/"+s))
	})
}

// repository returns a name without its tag and digest.
func repository(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}

// buffered runs write with a buffered writer for w.
func buffered(w io.Writer, write func(*bufio.Writer) error) error {
	b := bufio.NewWriter(w)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}
