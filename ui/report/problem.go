package report

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"net/url"
	"regexp"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// problem is one problem for the formats that list problems: an offender of a broken
// rule, or a place of a finding. Its texts are safe to show.
type problem struct {
	id         string // of the rule that is broken, or that found it
	level      string // error, warning or note
	text       string // several lines: the problem and the image, where it comes from, how to fix it
	print      string // a fingerprint: the same for the same problem in the next build
	where      *where // nil for a rule as a whole
	lines      lines
	suppressed *gate.Suppressed
}

// where is the place of a problem.
type where struct {
	path           string // not safe to show; "" for a layer or the config
	bytes          int64
	stored, hidden int // layers, or -1
}

// storedAgain is the rule whose findings are about the step that hides.
const storedAgain = "stored-again"

// lines is the place of a problem in a Dockerfile.
type lines struct {
	file       string // relative to the repository, with slashes
	begin, end int
}

// lines returns the place of a source; without one, the first line of the Dockerfile.
func (in *Input) lines(s *facts.Source) lines {
	if s == nil {
		return lines{in.dockerfile(), 1, 1}
	}
	file := s.File
	if d := in.Report.Dockerfile; d != nil && d.Name == file && in.Dockerfile != "" {
		file = in.Dockerfile // the builder knows only its name
	}
	return lines{file, s.Line, s.End}
}

// uri returns the file as a relative URI reference.
func (l *lines) uri() string { return (&url.URL{Path: l.file}).String() }

// sourceOf returns the lines to change: those of the step that stored something or, if
// that is a step of the base or the content was stored again, of the one that hides it.
func sourceOf(r *facts.Report, stored, hidden int, again bool) *facts.Source {
	at := []int{stored, hidden}
	if again {
		at = []int{hidden, stored}
	}
	for _, i := range at {
		if i >= 0 && i < len(r.Layers) && r.Layers[i].Source != nil {
			return r.Layers[i].Source
		}
	}
	return nil
}

// problems returns the problems of an image: of each broken rule, denied paths first, and
// then those that are findings, errors first. There are at most that many, but at least
// one for each broken rule. Findings get up to half of them.
func problems(in *Input, most int) iter.Seq[problem] {
	return func(yield func(problem) bool) {
		found := min(countPlaces(in.Report), most/2)
		p := printer{times: map[[sha256.Size]byte]int{}, of: in.name() + "\x00" + in.dockerfile(), steps: map[string]string{}}
		for x := range brokenProblems(in, most-found, &p) {
			if !yield(x) {
				return
			}
		}
		for x := range foundProblems(in, &p) {
			if found == 0 || !yield(x) {
				return
			}
			found--
		}
	}
}

// brokenProblems returns the problems of broken rules. A rule about findings is one
// problem: their places are problems of their own.
func brokenProblems(in *Input, most int, p *printer) iter.Seq[problem] {
	return func(yield func(problem) bool) {
		broken := brokenRules(in.Verdict)
		title := in.title()
		for i := range broken {
			r := &broken[i]
			room := max(most-(len(broken)-1-i), 1)
			for o := range orNil(r) {
				if room == 0 {
					break
				}
				room--
				most--
				x := problem{id: r.Name, level: r.level(), text: title + ": " + r.line(), lines: in.lines(nil)}
				key := []string{r.Name}
				if o != nil {
					row := alone(o)
					x.text += "\n" + strings.TrimLeft(row.text("stored by ", "hidden by ", "to fix: "), " ")
					x.where = &where{o.Path, o.Bytes, o.StoredIn, o.HiddenBy}
					x.lines = in.lines(sourceOf(in.Report, o.StoredIn, o.HiddenBy, o.Cause == "metadata"))
					key = append(key, o.Path, o.Cause, p.step(o.StoredBy))
					if o.Package != "" {
						key = append(key, o.Package)
					}
					if o.Change != "" {
						key = append(key, o.Change)
					}
				}
				x.print = p.print(key...)
				if !yield(x) {
					return
				}
			}
		}
	}
}

// foundProblems returns the places of findings, errors first. The places that the report
// doesn't list are one problem.
func foundProblems(in *Input, p *printer) iter.Seq[problem] {
	return func(yield func(problem) bool) {
		r, title := in.Report, in.title()
		for _, severity := range facts.Severities() {
			for i := range r.Findings {
				f := &r.Findings[i]
				if f.Severity != severity {
					continue
				}
				words := FindingOf(r, f)
				rest := f.Bytes
				for j := range parts(f) {
					x := problem{id: words.Rule, level: levels()[severity], text: title + ": " + words.Rule + ": " + words.Title + inParentheses(words.Owner), lines: in.lines(f.Source)}
					key := []string{f.Rule}
					size := sizeOr(rest)
					switch {
					case j < len(f.Places):
						place := &f.Places[j]
						rest -= place.Bytes
						size = words.Places[j].Size
						x.text += "\n" + words.Places[j].Line()
						x.where = &where{place.Path, place.Bytes, place.Layer, place.HiddenBy}
						if s := sourceOf(r, place.Layer, place.HiddenBy, f.Rule == storedAgain); s != nil {
							x.lines = in.lines(s)
						}
						key = append(key, place.Path, place.Redacted)
						if place.Layer >= 0 {
							key = append(key, p.step(r.Layers[place.Layer].Command))
						}
					case f.MorePlaces > 0:
						x.text += "\n" + words.More
						x.where = &where{"", rest, -1, -1}
						key = append(key, "more")
					}
					if size != "" {
						x.text += ", " + size
					}
					x.text += words.steps() + "\nto fix: " + strings.Join(append([]string{words.Fix}, words.Lines...), "\n")
					x.print = p.print(key...)
					if in.Verdict != nil {
						x.suppressed = in.Verdict.SuppressedBy(i, j)
					}
					if !yield(x) {
						return
					}
				}
			}
		}
	}
}

// levels maps the severity of a finding to the level of a problem.
func levels() map[string]string {
	return map[string]string{facts.SeverityError: "error", facts.SeverityWarn: "warning", facts.SeverityInfo: "note"}
}

// parts returns the number of places of a finding, as problems: those that the report
// lists, and one for the others.
func parts(f *facts.Finding) int {
	n := len(f.Places)
	if f.MorePlaces > 0 || n == 0 {
		n++
	}
	return n
}

// countPlaces returns the number of problems that are places of findings.
func countPlaces(r *facts.Report) int {
	n := 0
	for i := range r.Findings {
		n += parts(&r.Findings[i])
	}
	return n
}

// steps returns the steps of a finding, each on a line of its own after the first.
func (f *Finding) steps() string {
	text := ""
	for _, s := range f.Steps {
		text += fmt.Sprintf("\nlayer %d: %s", s.Layer, s.short())
	}
	return text
}

// printer makes fingerprints.
type printer struct {
	of    string // image and Dockerfile
	times map[[sha256.Size]byte]int
	steps map[string]string // stable steps: an image has few
}

// step returns a step as it is in the next build.
func (p *printer) step(createdBy string) string {
	s, ok := p.steps[createdBy]
	if !ok {
		s = stableStep(createdBy)
		p.steps[createdBy] = s
	}
	return s
}

// print returns the fingerprint of a problem. The order of identical problems
// distinguishes them.
func (p *printer) print(key ...string) string {
	sum := sha256.Sum256([]byte(p.of + "\x00" + strings.Join(key, "\x00")))
	p.times[sum]++
	sum = sha256.Sum256(fmt.Appendf(sum[:], "%d", p.times[sum]))
	return fmt.Sprintf("%x", sum[:16])
}

// orNil returns the rule's offenders, or one nil if it has none that are problems of the
// rule.
func orNil(r *rule) iter.Seq[*gate.Offender] {
	return func(yield func(*gate.Offender) bool) {
		if r.Count() == 0 || r.found() {
			yield(nil)
			return
		}
		for o := range r.All() {
			if !yield(&o) {
				return
			}
		}
	}
}

// level returns the level of the rule's problems.
func (r *rule) level() string {
	if r.Result == "warn" {
		return "warning"
	}
	return "error"
}

// found reports whether the rule's offenders are places of findings.
func (r *rule) found() bool { return len(r.Offenders) > 0 && r.Offenders[0].Finding != "" }

// problems returns the number of problems of a broken rule.
func (r *rule) problems() int {
	if r.found() {
		return 1
	}
	return max(r.Count(), 1)
}

// countProblems returns the number of problems without a limit.
func countProblems(in *Input) int {
	n := countPlaces(in.Report)
	for _, r := range brokenRules(in.Verdict) {
		n += r.problems()
	}
	return n
}

var contentHash = regexp.MustCompile(`\b(file|dir|multi):[0-9a-f]{64}\b`)

// stableStep returns a step without the hashes that docker's older builder writes
// instead of the names of copied files. They change with every build.
func stableStep(createdBy string) string {
	return contentHash.ReplaceAllString(facts.Command(createdBy), "$1")
}

// text returns the row on several lines. Each line after the first has a label.
func (x *row) text(stored, hidden, fix string) string {
	lines := []string{offender(x.Offender)}
	if x.Stored != "" {
		lines = append(lines, stored+shortStep(x.Stored, x.StoredAt))
	}
	if x.Hidden != "" {
		lines = append(lines, hidden+shortStep(x.Hidden, x.HiddenAt))
	}
	if x.Fix != "" {
		lines = append(lines, fix+x.Fix)
	}
	return strings.Join(lines, "\n")
}

// lines returns the row for a list below a rule.
func (x *row) lines() string {
	return x.text("         stored by  ", "         hidden by  ", "         to fix     ")
}

// ruleText returns a broken rule with as many offenders as fit into most bytes, and the
// number of the others.
func ruleText(r *rule, offenders iter.Seq[gate.Offender], most int) string {
	var b strings.Builder
	b.WriteString(cut(r.line(), most/2))
	left := r.Count()
	for x := range rows(offenders) {
		s := x.lines()
		if b.Len()+len(s)+len("\nand 9223372036854775807 more: --json lists all") > most {
			break
		}
		b.WriteString("\n" + s)
		left--
	}
	if left > 0 {
		fmt.Fprintf(&b, "\nand %d more: --json lists all", left)
	}
	return b.String()
}
