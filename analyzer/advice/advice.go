// Package advice finds what the maker of an image can change: what it is, where it
// is, what it costs and how to fix it. A finding is proven by the image itself.
package advice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
	"fathom/analyzer/packages"
)

// Rule is one row of the table of rules: everything that fathom knows about one kind
// of finding. Its section in docs/findings.md and its metadata in reports are made
// from it.
type Rule struct {
	Name     string
	Severity string // of its findings, unless a finding says otherwise
	Means    string // one sentence: what the image has
	Why      string // why that matters
	Fix      string // how to fix it, as Markdown
	Not      string // when there is no finding, or only one of severity info; may be ""

	// optIn is set if the rule is off unless Options.On names it.
	optIn bool
	// reads is set if find reads the content of files, or needs the notes of look.
	reads bool
	// look, if not nil, looks at the content of files in the pass that reads the
	// layers. Its notes are in image.notes.
	look *layer.Looker
	// apart is set if find claims nothing and uses nothing of image but what never
	// changes: it is called concurrently with others.
	apart bool
	// lines is set if there are findings only where the Dockerfile is known.
	lines bool
	// find returns the rule's findings. It claims the content whose bytes it counts.
	find func(*image) ([]*finding, error)
}

// Help returns how to fix the rule's findings and what the rule does not report, as
// Markdown.
func (r *Rule) Help() string {
	help := "To fix it: " + r.Fix
	if r.Not != "" {
		help += "\n\nNot a finding: " + r.Not
	}
	return help
}

// OfDockerfile returns the names of the rules that find something only where the
// Dockerfile is known.
func OfDockerfile() []string {
	var out []string
	for _, r := range Rules() {
		if r.lines {
			out = append(out, r.Name)
		}
	}
	return out
}

// Options for Find.
type Options struct {
	// Quick leaves out the rules that read the content of files.
	Quick bool
	// NoSecrets leaves out the rule that finds secrets.
	NoSecrets bool
	// OwnSecrets leaves out the secrets that the base image has, if that is known for
	// sure.
	OwnSecrets bool
	// Packages tells which package owns which content; nil if that is unknown.
	Packages *packages.Packages
	// On names rules that are off unless they are asked for.
	On []string
	// Progress gets a task if the content of files must be read; may be nil.
	Progress *analyzer.Progress
	// Unread, if not nil, is called with the layers that the rules that read content
	// could not look at; see analyzer.Notes.
	Unread func(layers []int)
	// Claims, if not nil, is called with the content whose bytes each finding counts,
	// in the order of the findings.
	Claims func([][]Claim)
}

// Claim is content whose bytes a finding counts.
type Claim struct {
	Content filetree.Content
	Place   int32 // the index in Places, or behind them if the report does not list the place
	Bytes   int64 // what the fix saves of it
}

// rules returns the rules that the options ask for.
func (opt *Options) rules() []Rule {
	return slices.DeleteFunc(Rules(), func(r Rule) bool {
		return opt.Quick && r.reads || opt.NoSecrets && r.Name == Secret || r.optIn && !slices.Contains(opt.On, r.Name)
	})
}

// Lookers returns the lookers whose notes Find needs. If analyzer.Options has them,
// Find need not read compressed layers again.
func Lookers(opt Options) []layer.Looker {
	var out []layer.Looker
	for _, r := range opt.rules() {
		if r.look != nil {
			out = append(out, *r.look)
		}
	}
	return out
}

// Find returns the findings of an image, in the order of facts.CompareFindings, and
// what they save together. Each byte of the image counts in at most one finding: in
// that of the first rule of the table that claims it.
func Find(ctx context.Context, a *analyzer.Analysis, opt Options) ([]facts.Finding, int64, error) {
	rules := opt.rules()
	found := make([][]*finding, len(rules))
	work, ctx := errgroup.WithContext(ctx)
	// A panic in a goroutine goes on in the caller, which may have to restore a terminal.
	crashes := make(chan any, len(rules)+1)
	start := func(f func() error) {
		work.Go(func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					crashes <- p
					err = errors.New("it crashed")
				}
			}()
			return f()
		})
	}
	im := &image{ctx: ctx, a: a, tree: a.Tree, report: a.Report, claimed: make([]bool, a.Tree.Contents()), ownSecrets: opt.OwnSecrets, packages: opt.Packages, keepClaims: opt.Claims != nil}
	run := func(i int) (err error) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if found[i], err = rules[i].find(im); err != nil {
			return fmt.Errorf("looking for %s: %w", rules[i].Name, err)
		}
		return nil
	}
	// Content is looked at, and the rules apart are run, beside the rules that need
	// neither.
	noted := make(chan *analyzer.Notes, 1)
	start(func() error {
		notes, err := a.Notes(ctx, Lookers(opt), opt.Progress)
		if err == nil {
			noted <- notes
		}
		return err
	})
	start(func() error {
		for i := range rules {
			if rules[i].apart {
				if err := run(i); err != nil {
					return err
				}
			}
		}
		return nil
	})
	start(func() error {
		for i := range rules {
			if rules[i].apart {
				continue
			}
			if rules[i].look != nil && im.notes == nil {
				select {
				case notes := <-noted:
					im.notes = notes.By
					if opt.Unread != nil && len(notes.Unread) > 0 {
						opt.Unread(notes.Unread)
					}
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			if err := run(i); err != nil {
				return err
			}
		}
		return nil
	})
	err := work.Wait()
	select {
	case p := <-crashes:
		panic(p)
	default:
	}
	if err != nil {
		return nil, 0, err
	}
	var sorted []*finding
	for i := range rules {
		for _, f := range found[i] {
			f.complete(&rules[i])
			sorted = append(sorted, f)
		}
	}
	slices.SortStableFunc(sorted, func(a, b *finding) int { return facts.CompareFindings(a.Finding, b.Finding) })
	all := make([]facts.Finding, len(sorted))
	claims := make([][]Claim, len(sorted))
	sum := int64(0)
	for i, f := range sorted {
		all[i], claims[i] = f.Finding, f.claims
		sum += f.Bytes
	}
	if opt.Claims != nil {
		opt.Claims(claims)
	}
	return all, sum, nil
}

// image is an image whose findings are looked for.
type image struct {
	ctx      context.Context
	a        *analyzer.Analysis
	tree     *filetree.Tree
	report   *facts.Report
	claimed  []bool                        // by content
	notes    map[string][]analyzer.Note    // by the name of the looker
	parsed   map[int]*step                 // by layer, and by -1-i for step i of the history; filled in by step and steps
	cached   map[cachedIn]bool             // the caches that package-cache found
	modules  map[int]bool                  // by layer; filled in by storesModules
	workdirs map[int]string                // by layer; filled in by workdir
	file     *dockerfile                   // filled in by dockerfile
	develops map[int]bool                  // the layers with packages that only development needs; filled in by devDependencies
	projects map[filetree.Node]*npmProject // by folder; filled in by npmProjects
	visits   int                           // nodes that copied has looked at

	ownSecrets bool               // as in Options
	packages   *packages.Packages // as in Options
	keepClaims bool               // Options.Claims is set
}

// last returns the index of the last layer.
func (im *image) last() int { return im.tree.Layers() - 1 }

// command returns the step that made layer i, or "" if it is unknown.
func (im *image) command(i int) string {
	if i < 0 {
		return ""
	}
	return im.report.Layers[i].Command
}

// placed is a place without its path, which can be long, and there can be many: only
// those that are listed get it.
type placed struct {
	facts.Place
	node filetree.Node // None for a layer or the config
	nth  int32         // its index before the places were sorted; see complete
}

// setPath sets the path of a place.
func (im *image) setPath(p *placed) {
	if p.node == filetree.None {
		return
	}
	p.Path = im.tree.Path(p.node)
	if !utf8.ValidString(p.Path) {
		p.PathBytes = []byte(p.Path)
	}
}

// finding is a finding that is being put together.
type finding struct {
	facts.Finding
	im *image
	at map[placeKey]int // index in places
	// places holds all places, before the list is sorted and cut.
	places []placed
	claims []Claim // if image.keepClaims is set
}

type placeKey struct {
	node          filetree.Node
	layer, hidden int
}

// newFinding returns an empty finding.
func (im *image) newFinding(title string, fix facts.Fix) *finding {
	f := &finding{im: im, at: map[placeKey]int{}}
	f.Title, f.Fix = title, fix
	return f
}

// claim counts content at the place n, which is its path or a folder above it,
// unless an earlier finding has claimed it. bytes is what the fix saves of it. It
// reports whether the content counts.
func (f *finding) claim(n filetree.Node, c filetree.Content, bytes int64) bool {
	if f.im.claimed[c] {
		return false
	}
	f.im.claimed[c] = true
	s := f.im.tree.Stored(c)
	k := placeKey{n, s.Layer, s.HiddenBy}
	i, ok := f.at[k]
	if !ok {
		i = len(f.places)
		f.at[k] = i
		f.places = append(f.places, placed{Place: facts.Place{Layer: s.Layer, HiddenBy: s.HiddenBy}, node: n})
	}
	f.places[i].Files++
	f.places[i].Bytes += bytes
	f.Bytes += bytes
	if f.im.keepClaims {
		f.claims = append(f.claims, Claim{c, int32(i), bytes})
	}
	return true
}

// add adds a layer or the config, which claims nothing.
func (f *finding) add(p facts.Place) {
	f.places = append(f.places, placed{Place: p, node: filetree.None})
}

// complete sorts and cuts the list of places, and fills in what the rule says of all
// its findings.
func (f *finding) complete(r *Rule) {
	f.Rule = r.Name
	f.Severity = cmp.Or(f.Severity, r.Severity)
	f.Certainty = cmp.Or(f.Certainty, facts.CertainProven)
	f.Layers = []int{}
	for i := range f.places {
		p := &f.places[i]
		p.nth = int32(i)
		if p.Layer >= 0 {
			f.Layers = append(f.Layers, p.Layer)
		}
		if p.HiddenBy >= 0 {
			f.Layers = append(f.Layers, p.HiddenBy)
		}
	}
	slices.Sort(f.Layers)
	f.Layers = slices.Compact(f.Layers)
	order := func(a, b placed) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path), cmp.Compare(a.node, b.node), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.HiddenBy, b.HiddenBy), cmp.Compare(a.Redacted, b.Redacted))
	}
	slices.SortFunc(f.places, order) // the order of nodes nearly is that of paths
	n := min(len(f.places), facts.MaxPlaces)
	for i := range n {
		f.im.setPath(&f.places[i])
	}
	slices.SortFunc(f.places[:n], order)
	sorted := make([]int32, len(f.places)) // by nth
	for i, p := range f.places {
		sorted[p.nth] = int32(i)
	}
	for i := range f.claims {
		f.claims[i].Place = sorted[f.claims[i].Place]
	}
	f.attribute(r)
	if f.Fix.Lines == nil {
		f.Fix.Lines = []string{}
	}
	f.MorePlaces = len(f.places) - n
	f.Places = make([]facts.Place, n)
	for i := range n {
		f.Places[i] = f.places[i].Place
	}
}
