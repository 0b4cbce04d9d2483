package origin

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fathom/analyzer/facts"
)

// Alignment pairs the steps of an image's history with the lines of a Dockerfile.
type Alignment struct {
	Stage   int             // the stage that the image is
	Sources []*facts.Source // by step; nil for one that the Dockerfile did not make
	Matched int             // how many of the stage's RUN, COPY and ADD have a step
	Of      int             // and how many there are
}

// Fits reports whether the Dockerfile belongs to the image: more than half of what
// adds files has a step.
func (a *Alignment) Fits() bool { return 2*a.Matched > a.Of }

// The limits of what is compared: pairs of a step and an instruction, and the bytes of
// the text of all pairs.
const (
	maxAligned      = 4 << 20
	maxAlignedBytes = 1 << 30
)

// Align pairs steps with the instructions of the stage that fits them best. The order
// is kept, and later steps are paired first: the first ones are the base image's.
// Each step is a command as it stands in a Dockerfile, without what builders add.
func (d *Dockerfile) Align(steps []string) *Alignment {
	type choice struct {
		alignment *Alignment
		score     int
	}
	split := make([]step, len(steps))
	size := 0
	for i, s := range steps {
		split[i] = splitStep(s)
		size += len(s)
	}
	best := choice{&Alignment{Stage: len(d.Stages) - 1, Sources: make([]*facts.Source, len(steps))}, -1}
	pairs, compared := 0, 0
	for i := len(d.Stages) - 1; i >= 0 && len(steps) > 0; i-- { // the last stage wins among equals
		chain := d.Chain(i)
		made := d.instructions(chain)
		pairs += (len(chain) + len(made)) * len(steps)
		compared += len(made) * size
		for _, m := range made {
			compared += len(m.Text) * len(steps)
		}
		if pairs > maxAligned || compared > maxAlignedBytes {
			break
		}
		a, score := d.alignStage(i, made, split)
		if score > best.score {
			best = choice{a, score}
		}
	}
	return best.alignment
}

// placed is an instruction and its stage.
type placed struct {
	*Instruction
	stage int
}

// instructions returns the instructions of stages in order.
func (d *Dockerfile) instructions(stages []int) []placed {
	var all []placed
	for _, n := range stages {
		s := &d.Stages[n]
		for i := range s.Instructions {
			all = append(all, placed{&s.Instructions[i], n})
		}
	}
	return all
}

func (i *Instruction) addsFiles() bool { return i.Name == "RUN" || i.Name == "COPY" || i.Name == "ADD" }

// alignStage finds the pairs with the largest sum of scores.
func (d *Dockerfile) alignStage(stage int, made []placed, steps []step) (*Alignment, int) {
	forms := make([]form, len(made))
	for i, m := range made {
		forms[i] = formOf(m.Instruction)
	}
	width := len(steps) + 1
	best := make([]int32, (len(made)+1)*width) // by instruction and step: of those before
	score := make([]int8, len(made)*len(steps))
	for i := range made {
		for j := range steps {
			s := forms[i].match(&steps[j])
			score[i*len(steps)+j] = s
			at := (i+1)*width + j + 1
			best[at] = max(best[at-1], best[at-width])
			if s > 0 {
				best[at] = max(best[at], best[at-width-1]+int32(s))
			}
		}
	}
	a := &Alignment{Stage: stage, Sources: make([]*facts.Source, len(steps))}
	missing := 0
	for _, m := range made {
		if m.addsFiles() {
			a.Of++
		}
	}
	for i, j := len(made), len(steps); i > 0 && j > 0; {
		at := i*width + j
		s := score[(i-1)*len(steps)+j-1]
		switch {
		case s > 0 && best[at] == best[at-width-1]+int32(s):
			i--
			j--
			m := made[i]
			a.Sources[j] = &facts.Source{
				File: d.Name, Line: m.Line, End: m.End, Certainty: facts.CertainLikely,
				Stage: cmp.Or(d.Stages[m.stage].Name, strconv.Itoa(m.stage)),
			}
			if m.addsFiles() {
				a.Matched++
			}
		case best[at] == best[at-width]:
			i--
		default:
			j--
		}
	}
	missing = a.Of - a.Matched
	return a, int(best[len(made)*width+len(steps)]) - missing
}

// The scores of a pair. A step that adds files counts most, since there are few
// different ways to write the others.
const (
	sameFiles  = 16
	hashedCopy = 10 // the step has hashes in place of names
	sameConfig = 4
	sameKind   = 1
)

// step is a step of the history.
type step struct {
	name, text string
	loose      string
	whole      string // the same with the name: the classic builder writes no RUN before the exec form
	hashed     bool   // a COPY or ADD whose sources are hashes
	dest       string // of such a step
}

var hashes = regexp.MustCompile(`(?:file|dir|multi):[0-9a-f]{64} in (.*)$`) // the classic builder writes no space before it

func splitStep(s string) step {
	name, text, _ := strings.Cut(strings.TrimSpace(s), " ")
	st := step{name: strings.ToUpper(name)}
	st.text = assigned(st.name, withoutFlags(oneLine(text)))
	st.loose, st.whole = loose(st.text), loose(s)
	if m := hashes.FindStringSubmatch(text); m != nil {
		st.hashed, st.dest = true, strings.TrimSpace(m[1])
	}
	return st
}

// form is what steps made from an instruction look like.
type form struct {
	name   string
	json   bool     // the exec form
	texts  []string // any of them
	loose  []string // the literals of the text between its variables
	dest   string   // of a COPY or ADD
	varied bool     // the text has variables that the builder replaced
}

var variable = regexp.MustCompile(`\$(?:\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*)`)

func formOf(i *Instruction) form {
	f := form{name: i.Name, json: i.JSON, texts: []string{i.Text}}
	switch i.Name {
	case "RUN":
		f.loose = []string{loose(i.Text)}
		if len(i.Heredocs) == 1 && strings.HasPrefix(i.Text, "<<") && len(strings.Fields(i.Text)) == 1 {
			f.texts = append(f.texts, oneLine(i.Heredocs[0]))
		}
		if len(i.Heredocs) > 0 {
			f.texts = append(f.texts, oneLine(i.Text+" "+strings.Join(i.Heredocs, " ")))
		}
		return f
	case "COPY", "ADD":
		words := strings.Fields(i.Text)
		if len(words) > 0 {
			f.dest = words[len(words)-1]
		}
	}
	text := assigned(i.Name, i.Text)
	f.varied = variable.MatchString(text)
	for _, part := range variable.Split(text, -1) {
		f.loose = append(f.loose, loose(part))
	}
	return f
}

// match returns how well a step fits the instruction: 0 if not at all.
func (f *form) match(s *step) int8 {
	if f.name == "RUN" && f.json && (f.loose[0] == s.whole || f.name == s.name && f.loose[0] == s.loose) {
		return sameFiles
	}
	if f.name != s.name {
		return 0
	}
	switch f.name {
	case "RUN":
		if slices.Contains(f.texts, s.text) {
			return sameFiles
		}
		return 0
	case "COPY", "ADD":
		switch {
		case s.hashed && samePath(f.dest, s.dest):
			return hashedCopy
		case s.hashed:
			return 0
		case f.matchLoose(s.loose):
			return sameFiles
		}
		return 0
	}
	if f.matchLoose(s.loose) {
		return sameConfig
	}
	switch f.name {
	case "EXPOSE", "HEALTHCHECK", "SHELL", "VOLUME", "CMD", "ENTRYPOINT": // builders write them in many ways
		return sameKind
	case "WORKDIR":
		if strings.HasSuffix(s.loose, "/"+strings.Trim(f.loose[len(f.loose)-1], "./")) {
			return sameKind
		}
	}
	return 0
}

// matchLoose reports whether the text has all literals of the form, in order.
func (f *form) matchLoose(text string) bool {
	if !f.varied {
		return text == f.loose[0]
	}
	rest, ok := strings.CutPrefix(text, f.loose[0])
	if !ok {
		return false
	}
	for _, part := range f.loose[1:] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	last := f.loose[len(f.loose)-1]
	return last == "" || strings.HasSuffix(text, last)
}

// samePath reports whether a path from a Dockerfile can be one from a step, which may
// have the working directory in front.
func samePath(written, done string) bool {
	w := strings.Trim(strings.TrimPrefix(written, "./"), "/")
	d := strings.Trim(done, "/")
	return variable.MatchString(w) || w == d || w == "." || strings.HasSuffix(d, "/"+w)
}

// loose removes what builders write differently: quotes, commas, brackets, the shell.
func loose(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`"'[],\`, r) {
			return ' '
		}
		return r
	}, s)
	s = strings.ReplaceAll(oneLine(s), "= ", "=")
	return strings.TrimPrefix(s, "/bin/sh -c ")
}

// assigned returns the text of an ENV or a LABEL with "=" in the old form without it:
// "ENV NAME some words".
func assigned(name, text string) string {
	first, rest, ok := strings.Cut(text, " ")
	if (name == "ENV" || name == "LABEL") && ok && !strings.Contains(first, "=") {
		return first + "=" + rest
	}
	return text
}

// withoutFlags removes the flags at the start of an instruction.
func withoutFlags(s string) string {
	for strings.HasPrefix(s, "--") {
		_, s, _ = strings.Cut(s, " ")
	}
	return s
}
