package imagetest

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Parse reads an image in the format described in testdata/README.md. An error
// about a line begins with the line's number.
func Parse(data []byte) (*Image, error) {
	p := &parser{archives: map[string]*packed{}, img: &Image{
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
		Created:  time.Unix(MTime, 0).UTC(),
	}}
	for n, line := range bytes.Split(data, []byte("\n")) {
		if err := p.line(string(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	img := p.img
	if len(img.Status) > len(img.Layers) {
		return nil, fmt.Errorf("status of layer %d: there are %d layers", len(img.Status)-1, len(img.Layers))
	}
	for len(img.Status) < len(img.Layers) {
		img.Status = append(img.Status, map[string]Status{})
	}
	return img, nil
}

type parser struct {
	img *Image
	// section parses the indented lines below the last heading.
	section  func(words []string) error
	archives map[string]*packed
}

// packed is an archive that files may have as their content.
type packed struct {
	kind    string
	entries []Entry
}

func (p *parser) line(s string) error {
	if t := strings.TrimSpace(s); t == "" || t[0] == '#' {
		return nil
	}
	if s[0] != ' ' && s[0] != '\t' {
		key, rest, _ := strings.Cut(strings.TrimSpace(s), " ")
		return p.heading(key, strings.TrimSpace(rest))
	}
	if p.section == nil {
		return fmt.Errorf("an indented line below no heading")
	}
	words, err := split(s)
	if err != nil {
		return err
	}
	return p.section(words)
}

func (p *parser) heading(key, rest string) error {
	img := p.img
	words, err := split(rest)
	if err != nil && key != "from" && key != "note" && key != "layer" && key != "step" {
		return err
	}
	p.section = nil
	switch key {
	case "from":
		img.From = rest
	case "note":
		img.Note = rest
	case "tag":
		img.Tags = append(img.Tags, words...)
	case "platform":
		pl, err := v1.ParsePlatform(rest)
		if err != nil {
			return err
		}
		img.Platform = *pl
	case "created":
		img.Created, err = time.Parse(time.RFC3339, rest)
		return err
	case "user":
		img.Config.User = rest
	case "workdir":
		img.Config.WorkingDir = rest
	case "entrypoint":
		img.Config.Entrypoint = words
	case "cmd":
		img.Config.Cmd = words
	case "env":
		img.Config.Env = append(img.Config.Env, words...)
	case "label":
		for _, w := range words {
			k, v, _ := strings.Cut(w, "=")
			if img.Config.Labels == nil {
				img.Config.Labels = map[string]string{}
			}
			img.Config.Labels[k] = v
		}
	case "expose":
		img.Config.ExposedPorts = set(img.Config.ExposedPorts, words)
	case "volume":
		img.Config.Volumes = set(img.Config.Volumes, words)
	case "nohistory":
		img.NoHistory = true
	case "step":
		img.History = append(img.History, v1.History{CreatedBy: rest, EmptyLayer: true})
	case "archive":
		if len(words) != 2 {
			return fmt.Errorf("want: archive NAME KIND")
		}
		a := &packed{kind: words[1]}
		p.archives[words[0]] = a
		p.section = func(words []string) error {
			e, err := p.entry(words)
			a.entries = append(a.entries, e)
			return err
		}
	case "layer":
		img.History = append(img.History, v1.History{CreatedBy: rest})
		img.Layers = append(img.Layers, nil)
		p.section = p.layerLine
	case "tree":
		p.section = p.treeLine
	case "status":
		return p.statusHeading(rest)
	case "wasted":
		return p.wasted(words)
	case "waste":
		img.Waste = []Waste{}
		p.section = p.wasteLine
	case "warning":
		img.Warnings = append(img.Warnings, rest)
	default:
		return fmt.Errorf("unknown heading %q", key)
	}
	return nil
}

func set(m map[string]struct{}, words []string) map[string]struct{} {
	if m == nil {
		m = map[string]struct{}{}
	}
	for _, w := range words {
		m[w] = struct{}{}
	}
	return m
}

// entry reads an entry whose content may be an archive.
func (p *parser) entry(words []string) (Entry, error) {
	e, err := entry(words)
	if err != nil || e.Archive == "" {
		return e, err
	}
	a := p.archives[e.Archive]
	if a == nil {
		return e, fmt.Errorf("there is no archive %q before this line", e.Archive)
	}
	e.Data, err = Pack(a.kind, a.entries)
	return e, err
}

func (p *parser) layerLine(words []string) error {
	e, err := p.entry(words)
	if err != nil {
		return err
	}
	last := len(p.img.Layers) - 1
	p.img.Layers[last] = append(p.img.Layers[last], e)
	return nil
}

func (p *parser) treeLine(words []string) error {
	e, err := p.entry(words)
	if err != nil {
		return err
	}
	e.Name = strings.Trim(e.Name, "/")
	p.img.Tree = append(p.img.Tree, e)
	return nil
}

func (p *parser) statusHeading(rest string) error {
	i, err := strconv.Atoi(rest)
	if err != nil || i < len(p.img.Status) {
		return fmt.Errorf("status %q: want the index of a layer, in order", rest)
	}
	for len(p.img.Status) <= i {
		p.img.Status = append(p.img.Status, map[string]Status{})
	}
	p.section = func(words []string) error {
		switch Status(strings.TrimSuffix(words[0], "t")) {
		case "A", "M", "R", "=l", "=d":
		default:
			return fmt.Errorf("unknown status %q", words[0])
		}
		for _, name := range words[1:] {
			name = strings.Trim(name, "/")
			if _, ok := p.img.Status[i][name]; ok {
				return fmt.Errorf("second status of %q", name)
			}
			p.img.Status[i][name] = Status(words[0])
		}
		return nil
	}
	return nil
}

// wasted reads "wasted 30 of 86".
func (p *parser) wasted(words []string) (err error) {
	if len(words) != 3 || words[1] != "of" {
		return fmt.Errorf("want: wasted BYTES of BYTES")
	}
	if p.img.Wasted, err = strconv.ParseInt(words[0], 10, 64); err != nil {
		return err
	}
	p.img.Total, err = strconv.ParseInt(words[2], 10, 64)
	return err
}

func (p *parser) wasteLine(words []string) error {
	if len(words) != 5 {
		return fmt.Errorf("want: PATH BYTES CAUSE STORED-IN HIDDEN-BY")
	}
	w := Waste{Path: strings.Trim(words[0], "/"), Cause: words[2]}
	switch w.Cause {
	case "removed", "overwritten", "metadata", "repeated":
	default:
		return fmt.Errorf("unknown cause %q", w.Cause)
	}
	var err error
	if w.Bytes, err = strconv.ParseInt(words[1], 10, 64); err != nil {
		return err
	}
	if w.StoredIn, err = strconv.Atoi(words[3]); err != nil {
		return err
	}
	if w.HiddenBy, err = strconv.Atoi(words[4]); err != nil {
		return err
	}
	p.img.Waste = append(p.img.Waste, w)
	return nil
}

var (
	isMode    = regexp.MustCompile(`^[0-7]{3,4}$`)
	isOwner   = regexp.MustCompile(`^(-?\d+):(-?\d+)$`)
	isDevice  = regexp.MustCompile(`^(-?\d+),(-?\d+)$`)
	isRepeat  = regexp.MustCompile(`(?s)^(\d+)x(.)$`)
	isSparse  = regexp.MustCompile(`^(\d+)@(\d+)$`)
	modeOf    = map[string]int64{"dir": 0o755, "file": 0o644, "link": 0o644, "symlink": 0o777, "char": 0o644, "block": 0o644, "fifo": 0o644}
	errTarget = fmt.Errorf("-> without a target")
)

// entry reads KIND NAME and, in any order, MODE, UID:GID, MAJOR,MINOR,
// SIZExCHAR, -> TARGET, KEY=VALUE.
func entry(words []string) (Entry, error) {
	if len(words) < 2 {
		return Entry{}, fmt.Errorf("want: KIND NAME ...")
	}
	e := Entry{Kind: words[0], Name: words[1], MTime: MTime}
	mode, ok := modeOf[e.Kind]
	if !ok {
		return e, fmt.Errorf("unknown kind %q", e.Kind)
	}
	e.Mode = mode
	for rest := words[2:]; len(rest) > 0; rest = rest[1:] {
		w := rest[0]
		key, value, isPair := strings.Cut(w, "=")
		switch {
		case w == "->":
			if len(rest) < 2 {
				return e, errTarget
			}
			e.Link, rest = rest[1], rest[1:]
		case isMode.MatchString(w):
			e.Mode, _ = strconv.ParseInt(w, 8, 64)
		case isOwner.MatchString(w):
			e.UID, e.GID = pair(isOwner, w)
		case isDevice.MatchString(w):
			e.Major, e.Minor = pair(isDevice, w)
		case isRepeat.MatchString(w):
			m := isRepeat.FindStringSubmatch(w)
			n, err := strconv.Atoi(m[1])
			if err != nil || n > 1<<30 {
				return e, fmt.Errorf("size of %q", w)
			}
			e.Data = bytes.Repeat([]byte(m[2]), n)
		case isPair:
			if err := e.set(key, value); err != nil {
				return e, err
			}
		case w == "gnu":
			e.GNU = true
		default:
			return e, fmt.Errorf("what is %q?", w)
		}
	}
	if (e.Kind == "link" || e.Kind == "symlink") && e.Link == "" {
		return e, errTarget
	}
	return e, nil
}

func (e *Entry) set(key, value string) (err error) {
	name, isXattr := strings.CutPrefix(key, "xattr:")
	switch {
	case isXattr:
		if e.Xattrs == nil {
			e.Xattrs = map[string]string{}
		}
		e.Xattrs[name] = value
	case key == "mtime":
		e.MTime, err = strconv.ParseInt(value, 10, 64)
	case key == "text":
		e.Data = append(e.Data, value...) // so that a test can split what scanners would find
	case key == "archive":
		e.Archive = value
	case key == "elf":
		number, golang := strings.CutSuffix(value, ",go")
		var n int
		if n, err = strconv.Atoi(number); err == nil && (n < 0 || n > 1<<30) {
			err = fmt.Errorf("an ELF file with %d bytes of symbols", n)
		}
		if err == nil {
			e.Data = ELF(n, golang)
		}
	case key == "same":
		e.Same = value
	case key == "sparse" && isSparse.MatchString(value):
		e.Sparse, e.SparseAt = pair(isSparse, value)
	case key == "flag" && len(value) == 1:
		e.Flag = value[0]
	default:
		err = fmt.Errorf("what is %q?", key+"="+value)
	}
	return err
}

func pair(re *regexp.Regexp, s string) (a, b int64) {
	m := re.FindStringSubmatch(s)
	a, _ = strconv.ParseInt(m[1], 10, 64)
	b, _ = strconv.ParseInt(m[2], 10, 64)
	return a, b
}

// split splits a line into words at spaces. A word, or the value of KEY=VALUE, may
// be a Go string in double quotes. A word that begins with # starts a comment.
func split(s string) ([]string, error) {
	var words []string
	for {
		s = strings.TrimLeft(s, " \t")
		if s == "" || s[0] == '#' {
			return words, nil
		}
		i := strings.IndexAny(s, " \t\"")
		if i < 0 {
			return append(words, s), nil
		}
		word := s[:i]
		if s[i] != '"' {
			words, s = append(words, word), s[i:]
			continue
		}
		q, err := strconv.QuotedPrefix(s[i:])
		if err != nil {
			return nil, fmt.Errorf("quoting of %s", s[i:])
		}
		text, err := strconv.Unquote(q)
		if err != nil {
			return nil, fmt.Errorf("quoting of %s", q)
		}
		words, s = append(words, word+text), s[i+len(q):]
	}
}
