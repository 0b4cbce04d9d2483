package report

import (
	"cmp"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fathom/analyzer/advice"
	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

const (
	htmlTop      = 3    // findings that are open, besides the errors
	htmlFindings = 500  // findings
	htmlWhole    = 20   // findings with all their places
	htmlPlaces   = 10   // places of each other finding
	htmlSteps    = 4    // steps of a finding
	htmlWaste    = 10   // groups of waste, in place of findings
	htmlRows     = 60   // rows of the tree, without the page's script
	htmlDenied   = 1000 // paths of each rule
)

// page is the data of the page's template. Its own strings are safe to show.
type page struct {
	*Input
	Title, Name   string
	About         []string // of the image, below its name
	Sentence      string   // the result in one sentence
	Policy        string
	Style         template.CSS
	Script        template.JS
	Growth        *growth
	Layers        []pageLayer
	First, Others []pageFinding
	OfBase        []pageFinding // that only another base can fix
	Origin        *pageOrigin   // nil if the base is unknown
	Blocks        []*pageBlock  // of the Dockerfile
	LinesLeft     int           // lines of the Dockerfile that are left out
	lines         []string      // those that are shown
	Sum           FindingsSum
	Left          int // number of the findings that are left out
	Rows          []pageRow
	Packages      *pagePackages // nil if the image has none
	Rules         []pageRule
	Config        []pageConfig
}

// pageLayer is a layer. Its positions and widths are percentages: of the whole image
// and, in the list of layers, of the largest layer.
type pageLayer struct {
	facts.Layer
	OfBase                                bool
	At, Visible, WastedAt, Wasted, Middle string
	VisibleWidth, WastedWidth             string
	Wide                                  bool // enough for a number
}

// pageFinding is a finding with the steps that it is about.
type pageFinding struct {
	*facts.Finding
	Number int // on the page
	Text   Finding
	Open   bool
	Files  int // in the listed places
	More   int // places after the first
}

// pageRow is a row of the folder tree without the page's script.
type pageRow struct {
	Depth                     int
	Name                      string
	Bytes, Wasted             int64
	VisibleWidth, WastedWidth string
}

type pageRule struct {
	rule
	Rows      []row
	Left      int // number of the other offenders
	LeftBytes int64
}

type pageConfig struct {
	Name   string
	Values []string
}

func newPage(in *Input) *page {
	r := in.Report
	p := &page{Input: in, Title: in.title(), Name: in.tag(), Growth: growthOf(in.Verdict)}
	created := ""
	if r.Image.Created != nil {
		created = "created " + r.Image.Created.UTC().Format("2006-01-02 15:04 UTC")
	}
	reference := Safe(r.Image.Reference)
	if reference == p.Name {
		reference = ""
	}
	for _, s := range []string{Safe(r.Image.Platform), created, Safe(r.Image.Source), reference} {
		if s != "" {
			p.About = append(p.About, s)
		}
	}
	p.readDockerfile()
	p.layers()
	p.origin()
	p.findings()
	p.dockerfile()
	p.rows()
	p.packages()
	for _, r := range rulesOf(in.Verdict) {
		n := gate.MaxOffenders
		if r.Denies() {
			n = htmlDenied
		}
		first, left, bytes := r.First(n)
		p.Rules = append(p.Rules, pageRule{r, slices.Collect(rows(slices.Values(first))), left, bytes})
	}
	p.config()
	return p
}

// tag returns the image's tag, or else the most telling part of its reference, safe
// to show.
func (in *Input) tag() string {
	img := &in.Report.Image
	if len(img.Tags) > 0 {
		i := slices.IndexFunc(img.Tags, func(tag string) bool { return names(img.Reference, tag) })
		tag := strings.TrimPrefix(img.Tags[max(i, 0)], "docker.io/")
		return Safe(strings.TrimPrefix(tag, "library/"))
	}
	ref := img.Reference
	for _, scheme := range []string{"registry:", "docker:", "podman:", "archive:", "oci:"} {
		ref = strings.TrimPrefix(ref, scheme)
	}
	if name, digest, ok := strings.Cut(ref, "@sha256:"); ok {
		return Safe(name + "@" + digest[:min(len(digest), 12)])
	}
	if strings.Contains(img.Source, "archive") || path.IsAbs(ref) || strings.HasPrefix(ref, ".") {
		ref = path.Base(strings.ReplaceAll(ref, `\`, "/"))
	}
	return cmp.Or(Safe(ref), "(no name)")
}

func percentOf(n, of int64) string {
	return strconv.FormatFloat(100*float64(n)/float64(max(of, 1)), 'f', 3, 64)
}

func (p *page) layers() {
	all, largest, at := p.Report.Totals.StoredBytes, int64(0), int64(0)
	for _, l := range p.Report.Layers {
		largest = max(largest, l.StoredBytes)
	}
	for _, l := range p.Report.Layers {
		p.Layers = append(p.Layers, pageLayer{
			Layer: l, OfBase: p.Report.Base != nil && l.Index < p.Report.Base.Layers, At: percentOf(at, all), Visible: percentOf(l.VisibleBytes, all), WastedAt: percentOf(at+l.VisibleBytes, all),
			Wasted: percentOf(l.WastedBytes, all), Middle: percentOf(at+l.StoredBytes/2, all), Wide: l.StoredBytes > all/40,
			VisibleWidth: percentOf(l.VisibleBytes, largest), WastedWidth: percentOf(l.WastedBytes, largest),
		})
		at += l.StoredBytes
	}
}

// findings sorts the findings for people: errors first and those of severity info
// last. Errors and those that save most are open.
func (p *page) findings() {
	r := p.Report
	all := slices.Clone(p.openFindings())
	if r.Findings == nil {
		all = wasteFindings(r)
	}
	slices.SortStableFunc(all, func(a, b facts.Finding) int {
		return cmp.Compare(slices.Index(facts.Severities(), a.Severity), slices.Index(facts.Severities(), b.Severity))
	})
	p.Sum = SumFindings(all)
	p.Sentence = sentence(r, all)
	p.Left = max(len(all)-htmlFindings, 0)
	top := htmlTop
	for i := range all[:len(all)-p.Left] {
		f := &all[i]
		if n := len(f.Places) - htmlPlaces; i >= htmlWhole && n > 0 {
			f.Places, f.MorePlaces = f.Places[:htmlPlaces], f.MorePlaces+n
		}
		x := pageFinding{Finding: f, Number: i, Text: FindingOf(r, f), More: len(f.Places) + f.MorePlaces - 1}
		x.Text.Title, x.Text.Fix = sentenceCase(x.Text.Title), sentenceCase(x.Text.Fix)
		x.Text.Steps = x.Text.Steps[:min(len(x.Text.Steps), htmlSteps)]
		for i := range x.Text.Steps {
			x.Text.Steps[i].Command = stepOr(r.Layers[x.Text.Steps[i].Layer].Command)
		}
		for _, place := range f.Places {
			x.Files += place.Files
		}
		own := f.Owner != facts.OwnerBase
		if f.Severity != facts.SeverityError && own {
			top--
		}
		if x.Open = f.Severity == facts.SeverityError || f.Severity == facts.SeverityWarn && top >= 0 && own; x.Open {
			p.First = append(p.First, x)
		} else if !own {
			p.OfBase = append(p.OfBase, x)
		} else {
			p.Others = append(p.Others, x)
		}
	}
}

// wasteFindings returns the largest waste of a report without findings, grouped by
// cause and steps.
func wasteFindings(r *facts.Report) []facts.Finding {
	type group struct {
		cause          string
		stored, hidden int
	}
	at := map[group]int{}
	all := []facts.Finding{}
	for _, w := range advice.Groups(r, nil) {
		k := group{w.Cause, w.StoredIn, w.HiddenBy}
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			title := fmt.Sprintf("layer %d %s what layer %d stores", w.HiddenBy, causeVerb(w.Cause), w.StoredIn)
			if w.StoredIn == w.HiddenBy {
				title = fmt.Sprintf("layer %d stores files more than once", w.StoredIn)
			}
			all = append(all, facts.Finding{
				Rule: w.Cause, Severity: facts.SeverityWarn, Certainty: facts.CertainProven, Title: title,
				Layers: slices.Compact([]int{w.StoredIn, w.HiddenBy}),
			})
		}
		f := &all[i]
		f.Bytes += w.Bytes
		if len(f.Places) < facts.MaxPlaces {
			f.Places = append(f.Places, facts.Place{Path: w.Path, Layer: w.StoredIn, HiddenBy: w.HiddenBy, Bytes: w.Bytes, Files: w.Files})
		} else {
			f.MorePlaces++
		}
	}
	slices.SortStableFunc(all, facts.CompareFindings)
	return all[:min(len(all), htmlWaste)]
}

func causeVerb(cause string) string {
	switch cause {
	case "removed":
		return "removes"
	case "metadata":
		return "stores again"
	}
	return "replaces"
}

// rows lists the top of the folder tree or, for a report without folders, the largest
// waste.
func (p *page) rows() {
	stored := p.Report.Totals.StoredBytes
	add := func(depth int, name string, visible, wasted int64) {
		p.Rows = append(p.Rows, pageRow{depth, Safe(name), visible + wasted, wasted, percentOf(visible, stored), percentOf(wasted, stored)})
	}
	for depth := 3; depth > 0 && (len(p.Rows) == 0 || len(p.Rows) > htmlRows); depth-- {
		p.Rows = nil
		for _, f := range p.Report.Folders {
			d := strings.Count(f.Path, "/")
			switch {
			case f.Path == "/":
				add(0, "/", f.VisibleBytes, f.WastedBytes)
			case d <= depth:
				add(d, f.Path[strings.LastIndexByte(f.Path, '/')+1:], f.VisibleBytes, f.WastedBytes)
			}
		}
	}
	if len(p.Report.Folders) == 0 {
		for _, w := range p.Report.Waste[:min(len(p.Report.Waste), htmlRows)] {
			add(0, w.Path, 0, w.Bytes)
		}
	}
}

func (p *page) config() {
	img := &p.Report.Image
	add := func(name string, values ...string) {
		x := pageConfig{Name: name}
		for _, v := range values {
			if v != "" {
				x.Values = append(x.Values, Safe(v))
			}
		}
		if len(x.Values) > 0 {
			p.Config = append(p.Config, x)
		}
	}
	c := &img.Config
	add("tags", img.Tags...)
	add("ID", img.ID)
	add("digest", img.Digest)
	add("user", c.User)
	add("entrypoint", c.Entrypoint...)
	add("command", c.Cmd...)
	add("working directory", c.WorkingDir)
	add("ports", c.ExposedPorts...)
	add("volumes", c.Volumes...)
	// The values are in the JSON report. They can hold secrets, and the page is made
	// to be sent.
	var vars, labels []string
	for _, e := range c.Env {
		name, _, _ := strings.Cut(e, "=")
		vars = append(vars, name)
	}
	for name := range c.Labels {
		labels = append(labels, name)
	}
	slices.Sort(labels)
	add("environment", vars...)
	add("labels", labels...)
}

// pasteable returns a line as it is if it is safe to paste, and otherwise with visible
// escapes.
func pasteable(line string) string {
	if utf8.ValidString(line) && !strings.ContainsFunc(line, hidden) {
		return line
	}
	return Safe(line)
}
