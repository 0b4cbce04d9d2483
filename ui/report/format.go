package report

import (
	"bufio"
	"io"
	"net/url"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/gate"
)

// Input is what a format is made of. The same input gives the same bytes.
type Input struct {
	Report  *analyzer.Report
	Verdict *gate.Verdict // nil where the image was not judged
	// Dockerfile is the file that findings are shown at, relative to the
	// repository, with slashes; "" is "Dockerfile".
	Dockerfile string
	Version    string // of fathom
}

// Format is a form that a result can be written in.
type Format struct {
	Name  string
	Means string // in a few words
	// Judges formats tell of rules, and have nothing to tell without a Verdict.
	Judges bool
	Write  func(io.Writer, *Input) error
}

// Formats are all of them.
func Formats() []Format {
	return []Format{
		{"text", "for terminals and logs", false, func(w io.Writer, in *Input) error { return Text(w, in.Report, in.Verdict) }},
		{"json", "for programs, and to open again", false, func(w io.Writer, in *Input) error { return JSON(w, in.Report) }},
		{"markdown", "for a comment", false, Markdown},
		{"html", "one page to look around in", false, HTML},
		{"junit", "tests, one for each rule", true, JUnit},
		{"sarif", "SARIF 2.1.0", true, SARIF},
		{"codequality", "GitLab's code quality", true, CodeQuality},
		{"github", "annotations of GitHub Actions", true, GitHub},
	}
}

// FormatOf is the format of that name.
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

// dockerfileURI is the Dockerfile as a relative reference.
func (in *Input) dockerfileURI() string {
	return (&url.URL{Path: in.dockerfile()}).String()
}

// buffered runs write with a buffer before w.
func buffered(w io.Writer, write func(*bufio.Writer) error) error {
	b := bufio.NewWriter(w)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// joinLines is the lines as one text, without those that are empty.
func joinLines(lines ...string) string {
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}
