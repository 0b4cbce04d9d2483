package gate

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"fathom/analyzer/facts"
)

// The names of the rules: their flags, and their keys in the config file.
const (
	MinEfficiency        = "min-efficiency"
	MaxWastedBytes       = "max-wasted-bytes"
	MaxWastedPercent     = "max-wasted-percent"
	MaxSize              = "max-size"
	MaxCompressedSize    = "max-compressed-size"
	MaxLayerSize         = "max-layer-size"
	MaxLayers            = "max-layers"
	MaxFiles             = "max-files"
	MaxGrowth            = "max-growth"
	MaxOwnGrowth         = "max-own-growth"
	MaxFolderGrowth      = "max-folder-growth"
	MaxPackageGrowth     = "max-package-growth"
	MaxAllPackagesGrowth = "max-all-packages-growth"
	MaxLayerGrowth       = "max-layer-growth"
	MaxNewLayers         = "max-new-layers"
	Require              = "require"
	DenyPath             = "deny-path"
	DenyLayerPath        = "deny-layer-path"
	MaxPackageSize       = "max-package-size"
	DenyPackage          = "deny-package"
	MaxFindingsBytes     = "max-findings-bytes"
	FailOnFinding        = "fail-on-finding"
)

// Form is how a limit is written.
type Form uint8

const (
	Number  Form = iota // in the rule's unit
	Growth              // in bytes, or as a percentage of the baseline
	Globs               // a list of globs: nothing may match them
	Switch              // true: what the rule is about must not occur
	Names               // a list of Spec.Names: nothing that they name may occur
	Folders             // globs, with the bytes by which each may grow
)

// Spec is a rule without its limit. Everything about a rule is here: its flag,
// its variable, its key in the config file and in the schema, its lines in the
// starter file and in docs/gate.md are made from it.
type Spec struct {
	Name    string
	Form    Form
	Unit    Unit // of what is observed; with Growth it can be Percent too
	AtLeast bool // the limit is the least that passes, not the most
	// Default is the limit that applies when no rule is given, as Parse reads it;
	// "" if the rule doesn't apply then.
	Default         string
	DefaultSeverity Severity

	Means   string // a clause for help, the schema and reports
	Note    string // what docs/gate.md adds to it
	Example string // a limit, as YAML

	since    bool // it compares the image with a baseline
	files    bool // it compares the files of both
	size     bool // it limits a size: in only-new mode, an image that is no worse than the baseline passes
	unscoped bool // its layers can't be chosen

	names   func() []string                        // what a limit of the form Names can name
	finds   bool                                   // the rule is about findings
	about   bool                                   // the rule is about packages
	glob    func(glob string) error                // checks one of Globs
	paths   func(f File) bool                      // of a rule that denies paths: which files its globs are matched against
	observe func(c *check, l Limit) (value, error) // an error says why the rule can't be evaluated
	explain func(c *check, r *Rule, l Limit)       // fills in the offenders of a broken rule
}

// DeniesPaths reports whether the rule's globs are matched against paths.
func (s *Spec) DeniesPaths() bool { return s.paths != nil }

// NeedsBaseline reports whether the rule compares the image with a baseline.
func (s *Spec) NeedsBaseline() bool { return s.since }

// NeedsFiles reports whether the rule compares the files of the image with those of the
// baseline, or with only-new mode needs to know them.
func (s *Spec) NeedsFiles(onlyNew bool) bool { return s.files || onlyNew && s.DeniesPaths() }

// Scoped reports whether a Limit of the rule can have a Scope.
func (s *Spec) Scoped() bool { return !s.unscoped }

// Names returns what a limit of the form Names can name.
func (s *Spec) Names() []string { return s.names() }

// AboutPackages reports whether the rule is about packages. Of the rules of the gate,
// only those and the ones that deny paths can be named in a Suppression.
func (s *Spec) AboutPackages() bool { return s.about }

// value is what was observed: a number for Bytes and Count, else a ratio. A rule
// whose limit can be either observes both.
type value struct {
	number int64
	ratio  float64
}

// Specs are all rules, in the order in which a Verdict has them.
func Specs() []Spec {
	all := []Spec{
		{
			Name: MinEfficiency, Unit: Ratio, AtLeast: true, Default: "0.9", Example: "0.9",
			Means:   "at least this share of what is stored is visible",
			observe: func(c *check, _ Limit) (value, error) { return value{ratio: c.in.counted.Efficiency}, nil },
			explain: (*check).explainWaste,
		},
		{
			Name: MaxWastedBytes, Unit: Bytes, Example: "20MB",
			Means:   "at most this much is wasted",
			observe: func(c *check, _ Limit) (value, error) { return value{number: c.in.counted.WastedBytes}, nil },
			explain: (*check).explainWaste,
		},
		{
			Name: MaxWastedPercent, Unit: Percent, Default: "10%", Example: "10%",
			Means:   "at most this share of what is stored is wasted",
			Note:    "a bare `1` is refused: it would be all of it",
			observe: func(c *check, _ Limit) (value, error) { return value{ratio: c.in.counted.WastedRatio}, nil },
			explain: (*check).explainWaste,
		},
		{
			Name: MaxSize, Unit: Bytes, size: true, Example: "500MB",
			Means:   "all layers together store at most this much, uncompressed",
			Note:    "the report's `storedBytes`: what the image takes on a disk, wasted bytes included",
			observe: func(c *check, _ Limit) (value, error) { return value{number: c.in.figures.StoredBytes}, nil },
			explain: func(c *check, r *Rule, _ Limit) { r.list(c.layers(stored, stores)) },
		},
		{
			Name: MaxCompressedSize, Unit: Bytes, size: true, Example: "200MB",
			Means: "all layers together are at most this large, compressed",
			Note:  "what a pull or a push of all layers transfers",
			observe: func(c *check, _ Limit) (value, error) {
				if t := c.in.figures; t.CompressedBytes == 0 && t.Layers > 0 {
					return value{}, ErrNoCompressedSize
				}
				return value{number: c.in.figures.CompressedBytes}, nil
			},
			explain: func(c *check, r *Rule, _ Limit) {
				r.list(c.layers(compressed, func(x *facts.Layer) bool { return x.CompressedBytes > 0 }))
			},
		},
		{
			Name: MaxLayerSize, Unit: Bytes, size: true, Example: "{limit: 200MB, severity: warn}",
			Means: "no layer stores more than this, uncompressed",
			observe: func(c *check, _ Limit) (value, error) {
				if len(c.r.Layers) != c.r.Totals.Layers {
					return value{}, fmt.Errorf("the report lists %d layers where there are %d", len(c.r.Layers), c.r.Totals.Layers)
				}
				largest := int64(0)
				for _, x := range c.in.layers {
					largest = max(largest, x.StoredBytes)
				}
				return value{number: largest}, nil
			},
			explain: func(c *check, r *Rule, l Limit) {
				r.list(c.layers(stored, func(x *facts.Layer) bool { return x.StoredBytes > l.Number }))
			},
		},
		{
			Name: MaxLayers, Unit: Count, size: true, Example: "30",
			Means:   "at most this many layers",
			Note:    "steps without a layer don't count",
			observe: func(c *check, _ Limit) (value, error) { return value{number: int64(c.in.figures.Layers)}, nil },
			explain: func(c *check, r *Rule, _ Limit) {
				all := c.layers(stored, func(*facts.Layer) bool { return true })
				slices.Reverse(all) // the smallest are the easiest to join with another
				for i := range all {
					all[i].Advice = c.advise(all[i].StoredIn, "join steps that belong together: several commands in one RUN, several sources in one COPY")
				}
				r.list(all)
			},
		},
		{
			Name: MaxFiles, Unit: Count, size: true, Example: "50000",
			Means:   "at most this many files in the final image",
			Note:    "regular files, each name counted",
			observe: func(c *check, _ Limit) (value, error) { return value{number: int64(c.in.figures.Files)}, nil },
			explain: func(c *check, r *Rule, _ Limit) {
				all := c.layers(stored, func(x *facts.Layer) bool { return x.Added > 0 })
				slices.SortStableFunc(all, func(a, b Offender) int { return cmp.Compare(b.Files, a.Files) })
				r.list(all)
			},
		},
		{
			Name: MaxGrowth, Form: Growth, Unit: Bytes, Example: "10%", since: true,
			Means:   "stored bytes grew by at most this much over the baseline",
			Note:    "a smaller image always passes; `0` allows no growth at all",
			observe: (*check).growth,
			explain: (*check).explainGrowth,
		},
		{
			Name: DenyPath, Form: Globs, Unit: Count,
			Example: "[.git, .env, id_rsa, id_ecdsa, id_ed25519, .aws/credentials, .docker/config.json, .netrc, .git-credentials]",
			Means:   "no path of the final image matches",
			glob:    CheckGlob,
			paths:   func(f File) bool { return f.HiddenBy < 0 },
			observe: (*check).deniedPaths,
			explain: (*check).explainDenied,
		},
		{
			Name: DenyLayerPath, Form: Globs, Unit: Count,
			Example: "[.env, id_rsa, id_ecdsa, id_ed25519, .aws/credentials, .docker/config.json, .netrc, .git-credentials]",
			Means:   "no path of any layer matches, even if a later layer removes it",
			Note:    "a path that is hidden, by a later layer or by its own, still ships with the image",
			glob:    CheckGlob,
			paths:   func(File) bool { return true },
			observe: (*check).deniedPaths,
			explain: (*check).explainDenied,
		},
		{
			Name: MaxPackageSize, Unit: Bytes, size: true, Example: "{limit: 200MB, severity: warn}",
			Means:   "the layers store at most this much of any package",
			Note:    "visible and wasted: an upgraded package is stored twice, and one that a later step removes still ships",
			about:   true,
			observe: (*check).largestPackage,
			explain: (*check).explainPackages,
		},
		{
			Name: DenyPackage, Form: Globs, Unit: Count, Example: "['deb:gcc*', 'npm:left-pad', '*:log4j*']",
			Means:   "no installed package matches",
			Note:    "the globs are matched against the type and the name, such as `npm:left-pad`",
			glob:    CheckPackageGlob,
			about:   true,
			observe: (*check).deniedPackages,
			explain: (*check).explainPackages,
		},
		{
			Name: MaxFindingsBytes, Unit: Bytes, Default: "100MB", DefaultSeverity: Warn, Example: "{limit: 100MB, severity: warn}",
			Means:   "fixing the findings saves at most this much",
			Note:    "findings of severity `info` and suppressed places don't count",
			finds:   true,
			observe: (*check).findingsBytes,
			explain: (*check).explainFindingsBytes,
		},
		{
			Name: FailOnFinding, Form: Names, names: FindingNames, Unit: Count, Default: "error", Example: "[error]",
			Means:   "no finding is of one of these rules, or at least as serious as one of these severities",
			Note:    "`error`, `warn`, `info`, or the name of a rule that finds something",
			finds:   true,
			observe: (*check).failingFindings,
			explain: (*check).explainFailing,
		},
	}
	i := slices.IndexFunc(all, func(s Spec) bool { return s.Name == MaxGrowth })
	return slices.Insert(all, i+1, baselineSpecs()...)
}

// SpecOf is the rule of that name.
func SpecOf(name string) (Spec, bool) {
	all := Specs()
	i := slices.IndexFunc(all, func(s Spec) bool { return s.Name == name })
	if i < 0 {
		return Spec{}, false
	}
	return all[i], true
}

// Limit is what one rule asks for. A value equal to the limit passes.
type Limit struct {
	Rule     string
	Unit     Unit
	Number   int64    // of Bytes and Count
	Ratio    float64  // of Ratio and Percent
	Globs    []string // of the form Globs
	Names    []string // of the form Names
	Folders  []Folder // of the form Folders
	Severity Severity
	Scope    Scope
	Source   string // becomes the Rule's
}

// String is the limit as Parse reads it, with spaces between globs and names.
func (l Limit) String() string {
	s, _ := SpecOf(l.Rule)
	switch {
	case s.Form == Switch:
		return "true"
	case s.Form == Globs:
		return strings.Join(l.Globs, " ")
	case s.Form == Names:
		return strings.Join(l.Names, " ")
	case s.Form == Folders:
		texts := make([]string, len(l.Folders))
		for i, f := range l.Folders {
			texts[i] = fmt.Sprintf("%s=%d", f.Glob, f.Limit)
		}
		return strings.Join(texts, " ")
	case l.Unit == Percent:
		return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(l.Ratio*100, 'f', 12, 64), "0"), ".") + "%"
	case l.Unit == Ratio:
		return strconv.FormatFloat(l.Ratio, 'f', -1, 64)
	}
	return strconv.FormatInt(l.Number, 10)
}

// Limits are the rules that an image is judged by: at most one limit for each.
type Limits []Limit

// Default is the limits that apply when no rule is given.
func Default() Limits {
	var l Limits
	for _, s := range Specs() {
		if s.Default != "" {
			x, _ := s.parse(s.Default) // a test parses them all
			x.Source, x.Severity = defaultSource, s.DefaultSeverity
			l = append(l, x)
		}
	}
	return l
}

const defaultSource = "default"

// Parse reads the limit of a rule as people write it: "20MB", "10%", "12",
// "true". Only a rule with globs or names has several texts, one for each.
func Parse(rule string, texts ...string) (Limit, error) {
	s, ok := SpecOf(rule)
	if !ok {
		return Limit{}, fmt.Errorf("%q is not a rule", rule)
	}
	return s.parse(texts...)
}

func (s *Spec) parse(texts ...string) (Limit, error) {
	l := Limit{Rule: s.Name, Unit: s.Unit}
	if s.Form == Globs {
		l.Globs = texts
		return l, s.checkGlobs(texts)
	}
	if s.Form == Names {
		l.Names = texts
		return l, s.checkNames(texts)
	}
	if s.Form == Folders {
		for _, text := range texts {
			f, err := parseFolder(text)
			if err != nil {
				return l, err
			}
			l.Folders = append(l.Folders, f)
		}
		return l, checkFolders(l.Folders)
	}
	if len(texts) != 1 {
		return l, errors.New("it has one limit")
	}
	var err error
	switch text := texts[0]; {
	case s.Form == Switch:
		if text != "true" {
			err = fmt.Errorf("%q is neither true nor off", text)
		}
	case s.Form == Growth && strings.HasSuffix(strings.TrimSpace(text), "%"):
		l.Unit = Percent
		l.Ratio, err = parseGrowth(text)
	case s.Unit == Bytes:
		l.Number, err = ParseBytes(text)
	case s.Unit == Count:
		l.Number, err = parseCount(text)
	default:
		l.Ratio, err = ParseRatio(text)
		if err == nil && s.Unit == Percent && l.Ratio == 1 && !strings.Contains(text, "%") {
			err = fmt.Errorf("%q would be all of it: write 1%% or 100%%", text) // and was hardly meant
		}
	}
	return l, err
}

// CheckGlob says what is wrong with one of the rule's globs, which can be an
// exception.
func (s *Spec) CheckGlob(glob string) error { return s.glob(strings.TrimPrefix(glob, "!")) }

// checkGlobs checks each of the globs. One that begins with ! is an exception,
// and there must be others.
func (s *Spec) checkGlobs(globs []string) error {
	denies := len(globs) == 0
	for _, g := range globs {
		denies = denies || !strings.HasPrefix(g, "!")
		if err := s.CheckGlob(g); err != nil {
			return err
		}
	}
	switch {
	case len(globs) == 0:
		return errors.New("there is no glob")
	case !denies:
		return errors.New("there are only exceptions: nothing is denied")
	}
	return nil
}

// parseGrowth reads a percentage that can be above 100%.
func parseGrowth(s string) (float64, error) {
	digits := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "%"))
	v, err := strconv.ParseFloat(digits+"e-2", 64)
	if !number.MatchString(digits) || err != nil {
		return 0, fmt.Errorf("%q is neither a percentage (10%%) nor a size (20MB)", s)
	}
	return v, nil
}

func parseCount(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if !whole.MatchString(s) {
		return 0, fmt.Errorf("%q is not a whole number", s)
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return v, nil
}

// Validate says what is wrong with the limits themselves.
func (l Limits) Validate() error {
	seen := map[string]bool{}
	for _, x := range l {
		s, ok := SpecOf(x.Rule)
		growth := s.Form == Growth && x.Unit == Percent
		switch {
		case !ok:
			return fmt.Errorf("%q is not a rule", x.Rule)
		case seen[x.Rule]:
			return fmt.Errorf("%s: there are two limits", x.Rule)
		case x.Unit != s.Unit && !growth:
			return fmt.Errorf("%s: its limit has the wrong unit", x.Rule)
		case s.unscoped && x.Scope != Auto:
			return fmt.Errorf("%s has no scope", x.Rule)
		case x.Number < 0:
			return fmt.Errorf("%s: %d is negative", x.Rule, x.Number)
		case !(x.Ratio >= 0) || math.IsInf(x.Ratio, 1) || x.Ratio > 1 && !growth:
			return fmt.Errorf("%s: %v is not between 0 and 1", x.Rule, x.Ratio)
		case s.Form == Globs:
			if err := s.checkGlobs(x.Globs); err != nil {
				return fmt.Errorf("%s: %w", x.Rule, err)
			}
		case s.Form == Names:
			if err := s.checkNames(x.Names); err != nil {
				return fmt.Errorf("%s: %w", x.Rule, err)
			}
		case s.Form == Folders:
			if err := checkFolders(x.Folders); err != nil {
				return fmt.Errorf("%s: %w", x.Rule, err)
			}
		}
		seen[x.Rule] = true
	}
	return nil
}
