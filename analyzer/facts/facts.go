// Package facts is the report as data: what was measured of an image, its JSON
// form, and the checks of a report that is read back. It imports nothing of
// fathom, so that every package can read a report.
package facts

import "time"

// Schema is the number of the report's JSON form. Within one number fields are
// added, never renamed or removed.
const Schema = 1

// Report is the analysis as figures: what every output prints, and as JSON a
// contract (docs/report.schema.json). Sizes are bytes, ratios run from 0 to 1.
type Report struct {
	Schema   int       `json:"schema"`
	Image    Image     `json:"image"`
	Totals   Totals    `json:"totals"`
	Layers   []Layer   `json:"layers"`
	History  []Step    `json:"history"`
	Waste    []Waste   `json:"waste"`
	Folders  []Folder  `json:"folders"`
	Warnings []Warning `json:"warnings"`
}

// Image says which image was measured.
type Image struct {
	Reference string     `json:"reference"`
	Source    string     `json:"source"`
	ID        string     `json:"id"`     // config digest
	Digest    string     `json:"digest"` // manifest digest or ""
	Platform  string     `json:"platform"`
	Tags      []string   `json:"tags"`
	Created   *time.Time `json:"created"` // null when unknown
	Config    Config     `json:"config"`
}

// Config is the part of the config that says how the image runs.
type Config struct {
	User         string            `json:"user"`
	Entrypoint   []string          `json:"entrypoint"`
	Cmd          []string          `json:"cmd"`
	Env          []string          `json:"env"`
	WorkingDir   string            `json:"workingDir"`
	Labels       map[string]string `json:"labels"`
	ExposedPorts []string          `json:"exposedPorts"`
	Volumes      []string          `json:"volumes"`
}

// Totals are the image's figures. StoredBytes = VisibleBytes + WastedBytes.
type Totals struct {
	StoredBytes     int64   `json:"storedBytes"`
	VisibleBytes    int64   `json:"visibleBytes"`
	WastedBytes     int64   `json:"wastedBytes"`
	Efficiency      float64 `json:"efficiency"`
	CompressedBytes int64   `json:"compressedBytes"` // 0 when unknown
	Files           int     `json:"files"`           // regular files of the final filesystem, by name
	Layers          int     `json:"layers"`
}

// Layer is one layer's figures.
type Layer struct {
	Index           int        `json:"index"` // 0 = bottom
	DiffID          string     `json:"diffId"`
	Digest          string     `json:"digest"`
	MediaType       string     `json:"mediaType"`
	Command         string     `json:"command"`
	Created         *time.Time `json:"created"`
	StoredBytes     int64      `json:"storedBytes"`
	VisibleBytes    int64      `json:"visibleBytes"`
	WastedBytes     int64      `json:"wastedBytes"` // stored here, hidden by the end
	HidesBytes      int64      `json:"hidesBytes"`  // of lower layers, hidden by this one
	CompressedBytes int64      `json:"compressedBytes"`
	Added           int        `json:"added"`
	Modified        int        `json:"modified"`
	Removed         int        `json:"removed"`
	// Unverified layers are listed from a table of contents that nobody has
	// compared with their content.
	Unverified bool `json:"unverified,omitempty"`
	// Checked says what was compared with the layer's bytes: one of the Checked
	// constants, or "" where Unverified is set or an older version wrote the
	// report.
	Checked string `json:"checked,omitempty"`
}

// What a layer's bytes were compared with (Layer.Checked).
const (
	CheckedHeaders = "headers" // of the tar alone, and its size and end
	CheckedDigest  = "digest"  // of the blob as stored
	CheckedDiffID  = "diffId"  // of the uncompressed tar
	CheckedBoth    = "both"
)

// Step is one step of the image's history, also one that made no layer.
type Step struct {
	Command string     `json:"command"`
	Created *time.Time `json:"created"`
	Comment string     `json:"comment"`
	Author  string     `json:"author"`
	Layer   int        `json:"layer"` // index, or -1
}

// Waste is one piece of content that nobody will ever see.
type Waste struct {
	Path      string `json:"path"`                // rooted
	PathBytes []byte `json:"pathBytes,omitempty"` // the path as it is, where Path can't carry it
	Bytes     int64  `json:"bytes"`
	Cause     string `json:"cause"` // removed, overwritten, metadata, repeated
	StoredIn  int    `json:"storedIn"`
	HiddenBy  int    `json:"hiddenBy"`
}

// Warning is something about the image that a reader should know: it does not
// change whether the analysis is whole.
type Warning struct {
	Layer int    `json:"layer"` // index, or -1 when it is about no layer
	Path  string `json:"path"`  // rooted, or ""
	Text  string `json:"text"`
}
