package load

import (
	"fmt"
	"strings"

	"fathom/analyzer"
)

// NotFoundError is a reference that names nothing that can be opened.
type NotFoundError struct {
	Reference string // as the user wrote it
	Scheme    string // "file" for a path; "" when Reference may be a path or a name
	Name      string // Reference without the scheme
	// Engines are the errors of the engines, and Err that of the registry or,
	// for a path, of the file system; each may be nil.
	Engines []error
	Err     error
}

func (e *NotFoundError) Error() string {
	switch {
	case e.Scheme == "" && e.Err != nil:
		return fmt.Sprintf("there is no such file, no engine here has it, and its registry: %v", e.Err)
	case e.Scheme == "" && e.Engines != nil:
		return "no engine here has it"
	case e.Err != nil:
		return e.Err.Error()
	}
	return fmt.Sprintf("opening %s: no such file or folder", e.Reference)
}

func (e *NotFoundError) Unwrap() error { return e.Err }

// SchemeError is a reference with the scheme of another tool that fathom does
// not read.
type SchemeError struct {
	Scheme string
	Name   string // what follows it
	Why    string
}

func (e *SchemeError) Error() string {
	return fmt.Sprintf("opening %s:%s: %s", e.Scheme, e.Name, e.Why)
}

// Choice is one image of a source.
type Choice struct {
	Index    int // N in "@N"
	Tags     []string
	Digest   string // of the manifest, or ""
	ID       string // of the config, or ""
	Platform string // or ""
	Missing  int    // how many of its blobs the source lacks
}

func (c Choice) String() string {
	words := []string{fmt.Sprintf("@%d", c.Index)}
	words = append(words, c.Tags...)
	if c.Platform != "" {
		words = append(words, c.Platform)
	}
	if c.Digest != "" {
		words = append(words, c.Digest)
	} else if c.ID != "" {
		words = append(words, c.ID)
	}
	if c.Missing > 0 {
		words = append(words, "(incomplete)")
	}
	return strings.Join(words, " ")
}

// ChoiceError says that a source has several images that match, or none.
type ChoiceError struct {
	Image    string // that was asked for, or ""
	Platform string // that was asked for, or ""
	Matches  int    // how many of Images match both
	Images   []Choice
}

func (e *ChoiceError) Error() string {
	asked := strings.TrimSpace(e.Image + " " + e.Platform)
	var b strings.Builder
	switch {
	case e.Matches == 0:
		fmt.Fprintf(&b, "no image for %s among ", asked)
	case asked != "":
		fmt.Fprintf(&b, "%d images for %s, choose one of ", e.Matches, asked)
	default:
		fmt.Fprintf(&b, "%d images, choose one of ", e.Matches)
	}
	const most = 20
	for i, c := range e.Images {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(e.Images)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.String())
	}
	return b.String()
}

// NotImageError is a file, folder or manifest that is not an image.
type NotImageError struct {
	Kind Kind
	What string // what it is, to follow "it is"
}

func (e *NotImageError) Error() string { return "not an image: it is " + e.What }

// Kind classifies what a NotImageError found.
type Kind uint8

const (
	Unknown        Kind = iota
	RootFilesystem      // a docker export, or another tar of files
	SingleLayer         // one layer's tar
	OtherTar            // a tar of anything else
	OldArchive          // a docker save from before 1.10
	Artifact            // a manifest of something other than an image
	NoImages            // an archive or layout without any image
)

// LimitError is input that is larger than what fathom is willing to take.
type LimitError struct {
	What  string
	Limit int64
	Unit  string
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s is over the limit of %d %s", e.What, e.Limit, e.Unit)
}

// TempError is a temporary file that could not be made or written.
type TempError = analyzer.TempError
