// Package origin tells where the layers of an image come from: which of them are
// the base image's, and which lines of a Dockerfile made the others.
package origin

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// MaxDockerfile is the largest Dockerfile that is parsed. The parser takes a second
// for a few hundred thousand instructions.
const MaxDockerfile = 512 << 10

// Dockerfile is a parsed Dockerfile.
type Dockerfile struct {
	Name   string // as a path
	Text   string
	Stages []Stage
	lines  int            // of the text
	names  map[string]int // the last stage of each name, in lower case
}

// Stage is one stage of a Dockerfile.
type Stage struct {
	Name         string   // of AS; "" if it has none
	Flags        []string // of FROM: "--platform=linux/amd64"
	From         string   // the image or the stage it starts from
	Parent       int      // the stage it starts from; -1 for an image
	Instructions []Instruction
	Line         int // of FROM
}

// Instruction is one instruction of a stage.
type Instruction struct {
	Name      string   // in upper case: "RUN"
	Flags     []string // "--chown=app"
	Text      string   // what follows, on one line, without flags, comments and heredocs
	Heredocs  []string
	JSON      bool // the exec form
	Line, End int  // from 1
}

// ParseDockerfile parses a Dockerfile.
func ParseDockerfile(name string, text []byte) (*Dockerfile, error) {
	if len(text) > MaxDockerfile {
		return nil, fmt.Errorf("it is larger than %d bytes", MaxDockerfile)
	}
	res, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	d := &Dockerfile{Name: name, Text: string(text), names: map[string]int{}}
	d.lines = bytes.Count(text, []byte{'\n'})
	if !bytes.HasSuffix(text, []byte{'\n'}) {
		d.lines++
	}
	for _, n := range res.AST.Children {
		i := instruction(n)
		switch {
		case i.Name == "FROM":
			s := d.stage(i)
			if s.Name != "" {
				d.names[strings.ToLower(s.Name)] = len(d.Stages)
			}
			d.Stages = append(d.Stages, s)
		case len(d.Stages) > 0:
			s := &d.Stages[len(d.Stages)-1]
			s.Instructions = append(s.Instructions, i)
		}
	}
	if len(d.Stages) == 0 {
		return nil, errors.New("it has no FROM")
	}
	return d, nil
}

func instruction(n *parser.Node) Instruction {
	i := Instruction{Name: strings.ToUpper(n.Value), Flags: n.Flags, JSON: n.Attributes["json"], Line: n.StartLine, End: n.EndLine}
	var words []string
	for w := n.Next; w != nil; w = w.Next {
		words = append(words, w.Value)
	}
	switch i.Name {
	case "ENV", "LABEL", "ARG": // name, value, separator
		i.Text = rest(n)
	default:
		i.Text = oneLine(strings.Join(words, " "))
	}
	if len(words) == 0 {
		i.Text = rest(n)
	}
	for _, h := range n.Heredocs {
		i.Heredocs = append(i.Heredocs, h.Content)
		i.End = max(i.End, n.EndLine)
	}
	return i
}

// rest returns what follows the name of an instruction and its flags.
func rest(n *parser.Node) string {
	s := strings.TrimSpace(n.Original)
	s = strings.TrimSpace(s[min(len(n.Value), len(s)):])
	for range n.Flags {
		_, s, _ = strings.Cut(s, " ")
		s = strings.TrimSpace(s)
	}
	return oneLine(s)
}

// stage returns the stage that a FROM begins.
func (d *Dockerfile) stage(from Instruction) Stage {
	s := Stage{Flags: from.Flags, Parent: -1, Line: from.Line}
	words := strings.Fields(from.Text)
	if len(words) > 0 {
		s.From = words[0]
	}
	if len(words) == 3 && strings.EqualFold(words[1], "as") {
		s.Name = words[2]
	}
	if i, ok := d.find(s.From); ok {
		s.Parent = i
	}
	return s
}

// find returns the last stage of that name, or the stage of that number.
func (d *Dockerfile) find(name string) (int, bool) {
	if i, ok := d.names[strings.ToLower(name)]; ok {
		return i, true
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(d.Stages) {
		return i, true
	}
	return 0, false
}

// Chain returns a stage and the stages that it starts from, the lowest first.
func (d *Dockerfile) Chain(stage int) []int {
	var all []int
	for ; stage >= 0 && len(all) < len(d.Stages); stage = d.Stages[stage].Parent {
		all = append(all, stage)
	}
	slices.Reverse(all)
	return all
}

// StageAt returns the stage that has a line, or -1.
func (d *Dockerfile) StageAt(line int) int {
	i, found := slices.BinarySearchFunc(d.Stages, line, func(s Stage, line int) int { return cmp.Compare(s.Line, line) })
	if found {
		return i
	}
	return i - 1
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
