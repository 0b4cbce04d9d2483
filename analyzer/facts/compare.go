package facts

// ComparisonSchema is the version of the JSON form of a Comparison. Within a version,
// fields may be added, but never renamed or removed.
const ComparisonSchema = 1

// Comparison says how two images differ. Its JSON form is a contract;
// see docs/comparison.schema.json.
type Comparison struct {
	Schema int         `json:"schema"`
	Old    Image       `json:"old"`
	New    Image       `json:"new"`
	Totals TotalsDelta `json:"totals"`
	// PullBytes is what a machine that has the old image must download for the new
	// one, compressed; nil if that is unknown.
	PullBytes *int64         `json:"pullBytes"`
	Config    []ConfigChange `json:"config"`
	Layers    []LayerPair    `json:"layers"`
	// Files are the paths of the final filesystems that differ, in the order of their
	// paths; nil if one side is a saved report, which has no files.
	Files []FileChange `json:"files"`
	// Folders says the same in few rows: a folder in which everything that differs does
	// so for one reason is one row. Those with the largest difference come first.
	Folders []FolderChange `json:"folders"`
	// Packages are those that differ; nil if the packages of one side are unknown.
	Packages []PackageChange `json:"packages"`
	Findings FindingsChange  `json:"findings"`
}

// Delta is a figure of both images.
type Delta struct {
	Old   int64 `json:"old"`
	New   int64 `json:"new"`
	Delta int64 `json:"delta"` // New - Old
}

// NewDelta returns a Delta.
func NewDelta(old, new int64) Delta { return Delta{old, new, new - old} }

// TotalsDelta compares the totals of two images.
type TotalsDelta struct {
	StoredBytes     Delta      `json:"storedBytes"`
	VisibleBytes    Delta      `json:"visibleBytes"`
	WastedBytes     Delta      `json:"wastedBytes"`
	CompressedBytes *Delta     `json:"compressedBytes"` // nil if unknown
	Files           Delta      `json:"files"`
	Layers          Delta      `json:"layers"`
	FindingsBytes   *Delta     `json:"findingsBytes"` // nil if unknown
	Own             *PartDelta `json:"own"`           // nil if the base of one side is unknown
	Base            *PartDelta `json:"base"`
}

// PartDelta compares the parts of two images that come from their base, or from their
// own layers.
type PartDelta struct {
	StoredBytes  Delta `json:"storedBytes"`
	VisibleBytes Delta `json:"visibleBytes"`
	WastedBytes  Delta `json:"wastedBytes"`
	Layers       Delta `json:"layers"`
}

// ConfigChange is a setting of the config that differs.
type ConfigChange struct {
	Key string  `json:"key"` // "user", "env PATH", "label a", ...
	Old *string `json:"old"` // nil if the image doesn't have it
	New *string `json:"new"`
}

// LayerPair says which layer of the new image is which one of the old image.
type LayerPair struct {
	Old     int      `json:"old"` // -1 for an added layer
	New     int      `json:"new"` // -1 for a removed layer
	State   string   `json:"state"`
	Reasons []string `json:"reasons"` // why the layer is not the same, if it changed
}

// What became of a layer (LayerPair.State).
const (
	LayerSame    = "same"
	LayerChanged = "changed"
	LayerMoved   = "moved" // the same, at another place
	LayerAdded   = "added"
	LayerRemoved = "removed"
)

// FileChange is a path that differs.
type FileChange struct {
	Path      string   `json:"path"`
	PathBytes []byte   `json:"pathBytes,omitempty"` // the path, if it is not valid UTF-8
	Change    string   `json:"change"`              // one of the Change constants
	Also      []string `json:"also,omitempty"`      // what else differs
	From      string   `json:"from,omitempty"`      // the old path of a renamed file
	FromBytes []byte   `json:"fromBytes,omitempty"`
	// Culprit says why the content differs from build to build, even if its sources
	// don't.
	Culprit  string `json:"culprit,omitempty"`
	OldBytes int64  `json:"oldBytes"`
	NewBytes int64  `json:"newBytes"`
}

// FolderChange is a folder in which everything that differs does so for one reason, or
// the files directly in a folder that do, or the files of a culprit, wherever they are
// below the folder. What differs only in its time, with something else beside it, is one
// row for the whole image.
type FolderChange struct {
	Path      string `json:"path"` // if Count is 1, of what differs
	PathBytes []byte `json:"pathBytes,omitempty"`
	Change    string `json:"change"`
	From      string `json:"from,omitempty"` // the old path of a renamed folder
	FromBytes []byte `json:"fromBytes,omitempty"`
	Culprit   string `json:"culprit,omitempty"` // as in FileChange
	Whole     bool   `json:"whole"`             // with everything below; else only what is directly in it
	Count     int    `json:"count"`             // how many paths
	OldBytes  int64  `json:"oldBytes"`
	NewBytes  int64  `json:"newBytes"`
}

// How a path differs (FileChange.Change). If several apply, the first one counts.
const (
	ChangeAdded   = "added"
	ChangeRemoved = "removed"
	ChangeContent = "content"
	ChangeMode    = "mode"
	ChangeOwner   = "owner"
	ChangeMTime   = "mtime"
	ChangeXattr   = "xattr"
	ChangeLink    = "link" // another target of a symlink, or other hard links
	ChangeKind    = "kind"
	ChangeRenamed = "renamed"
)

// PackageChange is a package that was added, removed or changed.
type PackageChange struct {
	Type       string  `json:"type"`
	Name       string  `json:"name"`
	Old        *string `json:"old"` // its version; nil if the image doesn't have it
	New        *string `json:"new"`
	DeltaBytes int64   `json:"deltaBytes"` // of what it stores, visible or wasted
}

// FindingsChange says which findings are new, and which are fixed. Both lists are empty if
// the findings of one side are unknown, as TotalsDelta.FindingsBytes says.
type FindingsChange struct {
	New   []Finding `json:"new"`
	Fixed []Finding `json:"fixed"`
}
