package gate

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"fathom/analyzer/facts"
)

// Severity is how serious a broken rule is. The zero value is Error.
type Severity uint8

const (
	Error Severity = iota
	Warn
)

// String is the severity as flags and the config file spell it.
func (s Severity) String() string { return Severities()[s] }

// Severities are the names of the severities, the most serious first.
func Severities() []string { return []string{"error", "warn"} }

// Unit is what the numbers of a Rule count.
type Unit uint8

const (
	Ratio   Unit = iota // 0 to 1
	Percent             // also a ratio, but meant to be read as a percentage; growth can be above 1 or below 0
	Bytes
	Count // layers, files, paths
)

// Rule is one limit and what was observed.
type Rule struct {
	Name     string // as its flag and its key in the config file: "min-efficiency"
	Unit     Unit
	AtLeast  bool    // else at most
	Limit    float64 // bytes and counts are exact below 2^53; 0 for the rules that deny paths
	Observed float64
	OK       bool
	Severity Severity
	Own      bool     // only the layers above the base image are judged
	Known    bool     // it passes because the baseline is no better
	Skipped  bool     // it passes because there is no baseline yet: nothing was observed
	Little   bool     // it passes because own layers waste little, whatever the share
	Source   string   // where the limit comes from: "--max-size", "FATHOM_MAX_SIZE", ".fathom.yaml:4:13", "default"; "" when unknown
	Globs    []string // what is denied, of the rules that deny paths
	Names    []string // which findings fail, of fail-on-finding; what is required
	Folders  []Grown  // of max-folder-growth

	// Err says why the rule can't be evaluated: nothing was observed then, and
	// OK is false. It can hold the user's text and the image's.
	Err error

	// Offenders are the first offenders of a broken rule: those that cost most,
	// at most MaxOffenders; of a rule that denies paths at most MaxDenied of
	// each glob, one of each glob after the other. First and All have the others.
	Offenders []Offender
	More      int   // offenders beyond those
	MoreBytes int64 // and what they cost together

	all iter.Seq[Offender] // nil where Offenders are all
}

// How many offenders a Rule keeps at hand.
const (
	MaxOffenders = 5
	MaxDenied    = 20 // of each glob
)

// Denies reports whether the rule is one that denies paths.
func (r *Rule) Denies() bool { return len(r.Globs) > 0 }

// Count is the number of all offenders.
func (r *Rule) Count() int { return len(r.Offenders) + r.More }

// First is at most n offenders for people to read, and how many there are
// beyond those and what they cost. Denied paths come sorted; when only some are
// shown, every glob has its share of them.
func (r *Rule) First(n int) (first []Offender, more int, moreBytes int64) {
	k := min(n, len(r.Offenders))
	first, more, moreBytes = slices.Clone(r.Offenders[:k]), r.More, r.MoreBytes
	for _, o := range r.Offenders[k:] {
		more++
		moreBytes += o.Bytes
	}
	if k < n && more > 0 {
		listed := map[Offender]bool{}
		for _, o := range first {
			listed[o] = true
		}
		for o := range r.All() {
			if len(first) == n {
				break
			}
			if !listed[o] {
				first = append(first, o)
				more--
				moreBytes -= o.Bytes
			}
		}
	}
	if r.Denies() {
		slices.SortFunc(first, func(a, b Offender) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.StoredIn, b.StoredIn), cmp.Compare(a.Package, b.Package))
		})
	}
	return first, more, moreBytes
}

// All yields every offender, of the same rule in the same order each time:
// what costs most first, denied paths as the layers hold them. They are made
// one by one.
func (r *Rule) All() iter.Seq[Offender] {
	if r.all != nil {
		return r.all
	}
	return slices.Values(r.Offenders)
}

// Offender is one thing that a broken rule is about, and what would fix it.
// Path and the commands are the image's text: never print them as they are.
type Offender struct {
	Path               string        // rooted, with the image's own bytes; ends in "/" for everything below a folder; "" for a whole layer
	Files              int           // how many files of Path the bytes are of; of a layer, how many paths it adds
	Bytes              int64         // what it costs
	Cause              string        // why it is wasted (removed, overwritten, metadata, repeated); "" when it isn't
	StoredIn           int           // the layer; -1 for the config, and for places that are not listed
	StoredBy           string        // that layer's command as the history spells it; "" when unknown
	HiddenBy           int           // the layer that hid it; -1 when it is in the final image, or for a whole layer
	HiddenAs           string        // that layer's command
	StoredAt, HiddenAt *facts.Source // the lines of those steps; nil if unknown
	Glob               string        // the glob that denies it; "" for other rules
	Package, Version   string        // of a package, as "npm:left-pad": Path is its database, StoredIn brought it, HiddenBy removed it
	Finding            string        // the rule of the finding that it is a place of; "" for other rules
	Redacted           string        // of a secret: its first characters and its length
	Places             int           // of a finding: it stands for so many places that the report doesn't list
	Change             string        // of rules about a baseline: how it differs; "" for others
	Advice             string        // what would fix it, in a sentence of our own; "" when nothing is known
}

// Totals are the image's waste as the rules count it.
type Totals struct {
	StoredBytes     int64
	WastedBytes     int64 // without what is suppressed or known
	SuppressedBytes int64
	KnownBytes      int64   // wasted by the baseline too, where only what is new counts
	Efficiency      float64 // 1 - WastedRatio
	WastedRatio     float64 // WastedBytes / StoredBytes; 0 when nothing is stored
}

// Suppressed is a suppression and what it covers.
type Suppressed struct {
	Suppression
	Expired bool // then what it covers counts all the same
	Pieces  int  // of waste, denied paths, packages, or places of findings
	Bytes   int64

	packages map[int]bool // by index in the report: those that are counted
}

// Suppression accepts waste, denied paths, packages or places of findings, with a
// reason. It is about the rules of waste or about the Rules that it names, never about
// both.
type Suppression struct {
	Rules   []string  // that deny paths or are about packages, or FindingRules; none is waste
	Path    string    // a glob, see CheckGlob, of a package that of its database; "" for everything that FindingRules find
	Package string    // in place of Path, for rules about packages: a glob, see CheckPackageGlob
	Reason  string    // not empty
	Until   time.Time // its last day; zero for ever. Only year, month and day count
	Source  string    // where it stands: ".fathom.yaml:9:5"
}

// Verdict is what Check found.
type Verdict struct {
	Rules []Rule // those that are active, in the order of Specs
	// Default reports whether the rules are the default ones because no rule is
	// given.
	Default bool
	// FailOn is the least severity that fails: with Error broken rules of
	// severity Warn are shown and nothing more.
	FailOn Severity
	Totals Totals
	// Own are those of the layers above the base image; nil if that is unknown.
	Own *Totals
	// Baseline is nil without one.
	Baseline   *Baseline
	Suppressed []Suppressed // every suppression, as given
	covered    map[placeKey]*Suppressed
	// Config is the file that limits or suppressions were read from, or "".
	// Check leaves it empty: the caller knows.
	Config string
	// Notes are sentences that belong beside the verdict: nothing is wrong.
	Notes []string
	// Warnings are sentences about the gate itself: a suppression that has
	// expired or covers nothing. They can hold the user's text, not the image's.
	Warnings []string
}

// Fails reports whether the rule keeps the verdict from passing: it is broken
// and its severity fails, or it can't be evaluated, whatever its severity.
func (v *Verdict) Fails(r Rule) bool { return !r.OK && (r.Err != nil || r.Severity <= v.FailOn) }

// Pass reports whether every rule was evaluated and none fails. The zero
// Verdict judged nothing and does not pass.
func (v *Verdict) Pass() bool { return len(v.Rules) > 0 && v.Failed() == 0 && v.Errors() == 0 }

// Failed is the number of rules that are broken and fail.
func (v *Verdict) Failed() int {
	return v.count(func(r Rule) bool { return r.Err == nil && v.Fails(r) })
}

// Warned is the number of rules that are broken and don't fail.
func (v *Verdict) Warned() int { return v.count(func(r Rule) bool { return !r.OK && !v.Fails(r) }) }

// Errors is the number of rules that can't be evaluated.
func (v *Verdict) Errors() int { return v.count(func(r Rule) bool { return r.Err != nil }) }

func (v *Verdict) count(which func(Rule) bool) int {
	n := 0
	for _, r := range v.Rules {
		if which(r) {
			n++
		}
	}
	return n
}

// Growth is how many bytes the image stores beyond the baseline, which can be
// less than none, and that as a share of the baseline; ok is false without a
// baseline. The ratio is 0 where neither stores anything, and infinite where
// only the baseline doesn't.
func (v *Verdict) Growth() (bytes int64, ratio float64, ok bool) {
	if v.Baseline == nil {
		return 0, 0, false
	}
	bytes = v.Totals.StoredBytes - v.Baseline.StoredBytes()
	return bytes, growth(bytes, v.Baseline.StoredBytes()), true
}

// Why a rule can't be evaluated, where a caller may know what helps. Another
// reason is an *UnverifiedError.
var (
	ErrNoBaseline       = errors.New("there is no baseline")
	ErrNoFiles          = errors.New("a saved report has no files to compare")
	ErrNoCompressedSize = errors.New("the compressed size of some layer is unknown")
	ErrNoPaths          = errors.New("a report doesn't hold the image's paths, only the image does")
	ErrNoFindings       = errors.New("the report has no findings, because an older version wrote it")
	ErrNoPackages       = errors.New("the report has no packages, because an older version wrote it")
	// ErrIncompletePackages means that a package could hide behind a damaged database.
	ErrIncompletePackages = errors.New("a database of the system's packages can't be read: see the warnings")
	ErrUnreadPackages     = errors.New("some layers are listed from a table of contents, so the packages in them may be unknown")
	ErrNoSecrets          = errors.New("the image was not searched for secrets, or not in all layers")
)

// UnverifiedError says that an image is not judged: a layer's table of contents
// was not compared with its content.
type UnverifiedError struct{ Layer int }

// Unverified is an *UnverifiedError for the first such layer of the report, or
// nil.
func Unverified(r *facts.Report) error {
	for _, l := range r.Layers {
		if l.Unverified {
			return &UnverifiedError{l.Index}
		}
	}
	return nil
}

func (e *UnverifiedError) Error() string {
	return fmt.Sprintf("layer %d is listed from its table of contents, which was not compared with its content", e.Layer)
}
