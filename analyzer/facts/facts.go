// Package facts defines the report as data: the figures of an image, their JSON
// form, and the checks of a report that is read back. It imports no other package
// of fathom, so that every package can use it.
package facts

import "time"

// Schema is the version of the report's JSON form. Within a version, fields may be
// added, but never renamed or removed.
const Schema = 1

// Report holds the figures of an analysis, which every output format prints. Its
// JSON form is a contract; see docs/report.schema.json. Sizes are in bytes, ratios
// are from 0 to 1.
type Report struct {
	Schema   int       `json:"schema"`
	Image    Image     `json:"image"`
	Totals   Totals    `json:"totals"`
	Layers   []Layer   `json:"layers"`
	History  []Step    `json:"history"`
	Waste    []Waste   `json:"waste"`
	Folders  []Folder  `json:"folders"`
	Warnings []Warning `json:"warnings"`
	// Findings says what to change, what saves most first; nil in a report that an
	// older version wrote.
	Findings []Finding `json:"findings"`
	// Secrets says which layers were searched for secrets: one of the Secrets
	// constants, or "" if an older version wrote the report.
	Secrets string `json:"secrets"`
	// Packages are the packages of all layers, the largest first; nil in a report that
	// an older version wrote.
	Packages []Package `json:"packages"`
	// Unowned is what belongs to no package; nil if Packages is.
	Unowned *Unowned `json:"unowned"`
	// Base is the base image; nil if unknown.
	Base *Base `json:"base"`
	// Dockerfile is what the image was built from; nil if unknown.
	Dockerfile *Dockerfile `json:"dockerfile"`
}

// Image says which image was measured.
type Image struct {
	Reference string     `json:"reference"`
	Source    string     `json:"source"`
	ID        string     `json:"id"`     // config digest
	Digest    string     `json:"digest"` // manifest digest or ""
	Platform  string     `json:"platform"`
	Tags      []string   `json:"tags"`
	Created   *time.Time `json:"created"` // null if unknown
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

// Totals holds the figures of the image. StoredBytes = VisibleBytes + WastedBytes.
type Totals struct {
	StoredBytes     int64   `json:"storedBytes"`
	VisibleBytes    int64   `json:"visibleBytes"`
	WastedBytes     int64   `json:"wastedBytes"`
	Efficiency      float64 `json:"efficiency"`
	CompressedBytes int64   `json:"compressedBytes"` // 0 if unknown
	Files           int     `json:"files"`           // regular files of the final filesystem; each hard link counts
	Layers          int     `json:"layers"`
	FindingsBytes   int64   `json:"findingsBytes"` // what all findings save together; no byte counts twice
	Own             *Part   `json:"own"`           // of the layers above the base; nil if that is unknown
	Base            *Part   `json:"base"`
}

// Layer holds the figures of one layer.
type Layer struct {
	Index           int        `json:"index"` // 0 = bottom
	DiffID          string     `json:"diffId"`
	Digest          string     `json:"digest"`
	MediaType       string     `json:"mediaType"`
	Command         string     `json:"command"`
	Created         *time.Time `json:"created"`
	StoredBytes     int64      `json:"storedBytes"`
	VisibleBytes    int64      `json:"visibleBytes"`
	WastedBytes     int64      `json:"wastedBytes"` // stored here and hidden in the final filesystem
	HidesBytes      int64      `json:"hidesBytes"`  // stored in lower layers and hidden by this one
	CompressedBytes int64      `json:"compressedBytes"`
	Added           int        `json:"added"`
	Modified        int        `json:"modified"`
	Removed         int        `json:"removed"`
	// Unverified reports whether the layer was listed from a table of contents that
	// was not compared with its content.
	Unverified bool `json:"unverified,omitempty"`
	// Checked says what the layer's bytes were compared with: one of the Checked
	// constants, or "" if Unverified is set or an older version wrote the report.
	Checked string `json:"checked,omitempty"`
	// Source is the lines of the Dockerfile that made the layer; nil if unknown.
	Source *Source `json:"source"`
}

// What a layer's bytes were compared with (Layer.Checked).
const (
	CheckedHeaders = "headers" // only the headers of the tar, its size and its end
	CheckedDigest  = "digest"  // the digest of the blob as stored
	CheckedDiffID  = "diffId"  // the digest of the uncompressed tar
	CheckedBoth    = "both"    // digest and diff ID
)

// Step is one step of the image's history. Not every step creates a layer.
type Step struct {
	Command string     `json:"command"`
	Created *time.Time `json:"created"`
	Comment string     `json:"comment"`
	Author  string     `json:"author"`
	Layer   int        `json:"layer"` // index, or -1
	Source  *Source    `json:"source"`
}

// Waste is one piece of wasted content: one that the final filesystem does not
// show.
type Waste struct {
	Path      string `json:"path"`                // rooted
	PathBytes []byte `json:"pathBytes,omitempty"` // the path, if it is not valid UTF-8
	Bytes     int64  `json:"bytes"`
	Cause     string `json:"cause"` // removed, overwritten, metadata, repeated
	StoredIn  int    `json:"storedIn"`
	HiddenBy  int    `json:"hiddenBy"`
	// OwnCopy reports whether it is content of the base image that an own layer
	// stores again, unchanged, and the image shows that copy.
	OwnCopy bool `json:"ownCopy,omitempty"`
}

// Warning is something that a reader should know about the image. The analysis is
// complete all the same.
type Warning struct {
	Layer int    `json:"layer"` // index, or -1 if it is about no single layer
	Path  string `json:"path"`  // rooted, or ""
	Text  string `json:"text"`
}
