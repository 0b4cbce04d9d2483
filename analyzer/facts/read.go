package facts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
)

// maxReport is the maximum size of a saved report. A report with a million wasted
// files has about 150 MB.
const maxReport = 512 << 20

// ErrNotReport means that the JSON is not a report.
var ErrNotReport = errors.New("it has no schema: it is another kind of JSON")

// Read reads the JSON form of a report. The report is as complete as one from
// Analyze: the figures add up, every layer it refers to exists, paths are rooted
// and clean, lists are not nil. Its text may come from anyone, so it must be
// escaped before it is printed to a terminal.
//
// Read ignores unknown fields. An unknown schema is an error.
func Read(r io.Reader) (*Report, error) {
	rep, err := readReport(r, maxReport)
	if err != nil {
		return nil, fmt.Errorf("reading a saved report: %w", err)
	}
	return rep, nil
}

func readReport(r io.Reader, most int64) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("it is larger than %d bytes", most)
	}
	if n := objects(data); n > fewObjects+len(data)/smallObject {
		return nil, fmt.Errorf("its %d bytes hold %d objects, more than a report has", len(data), n)
	}
	var form struct {
		Schema   *int64    `json:"schema"`
		Image    *Image    `json:"image"`
		Totals   *Totals   `json:"totals"`
		Layers   []Layer   `json:"layers"`
		History  []Step    `json:"history"`
		Waste    []Waste   `json:"waste"`
		Folders  []Folder  `json:"folders"`
		Warnings []Warning `json:"warnings"`
		Findings []Finding `json:"findings"`
		Secrets  string    `json:"secrets"`

		Packages   []Package   `json:"packages"`
		Unowned    *Unowned    `json:"unowned"`
		Base       *Base       `json:"base"`
		Dockerfile *Dockerfile `json:"dockerfile"`
	}
	err = json.Unmarshal(data, &form)
	// Unmarshal skips values of the wrong type and decodes the rest, so the schema
	// is known even then.
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch s := form.Schema; {
	case errors.As(err, &syntax), errors.As(err, &kind) && (kind.Field == "" || kind.Field == "schema"):
		return nil, placed(data, err)
	case s == nil:
		return nil, ErrNotReport
	case *s > Schema:
		return nil, fmt.Errorf("its schema is %d, and this version knows no newer one than %d", *s, Schema)
	case *s < Schema:
		return nil, fmt.Errorf("there is no schema %d", *s)
	case err != nil:
		return nil, placed(data, err)
	}
	for _, part := range []struct {
		name  string
		there bool
	}{
		{"image", form.Image != nil}, {"totals", form.Totals != nil}, {"layers", form.Layers != nil},
		{"history", form.History != nil}, {"waste", form.Waste != nil}, {"warnings", form.Warnings != nil},
	} {
		if !part.there {
			return nil, fmt.Errorf("it has no %s", part.name)
		}
	}
	rep := &Report{Schema, *form.Image, *form.Totals, form.Layers, form.History, form.Waste, form.Folders, form.Warnings, form.Findings, form.Secrets, form.Packages, form.Unowned, form.Base, form.Dockerfile}
	rep.fill()
	if err := rep.check(); err != nil {
		return nil, err
	}
	return rep, nil
}

// An element of a list in a report takes at least smallObject bytes of JSON, and a few
// times as much memory. An empty object would take a hundred times as much.
const (
	smallObject = 32
	fewObjects  = 1000
)

// objects returns the number of objects in JSON.
func objects(data []byte) int {
	n, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == '{' && !quoted:
			n++
		}
	}
	return n
}

// placed adds the line and column of a JSON error in data.
func placed(data []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := 0
	switch {
	case errors.As(err, &syntax):
		at = int(syntax.Offset)
	case errors.As(err, &kind):
		at = int(kind.Offset)
		if err = fmt.Errorf("%s can't be a %.40s", kind.Field, kind.Value); kind.Field == "" {
			err = fmt.Errorf("it is a %.40s, not an object", kind.Value)
		}
	default: // an invalid time: the error has no offset
		return err
	}
	at = max(min(at, len(data)), 0)
	line := 1 + bytes.Count(data[:at], []byte{'\n'})
	column := at - bytes.LastIndexByte(data[:at], '\n') - 1
	return fmt.Errorf("line %d, column %d: %w", line, max(column, 1), err)
}

// fill sets what the JSON form does not represent directly: paths that are not
// valid UTF-8, and empty lists for null or missing ones.
func (r *Report) fill() {
	for i := range r.Waste {
		if w := &r.Waste[i]; len(w.PathBytes) > 0 && w.Path == asText(w.PathBytes) {
			w.Path = string(w.PathBytes)
		}
	}
	for i := range r.Folders {
		f := &r.Folders[i]
		if len(f.PathBytes) > 0 && f.Path == asText(f.PathBytes) {
			f.Path = string(f.PathBytes)
		}
		if f.Layers == nil {
			f.Layers = []FolderLayer{}
		}
	}
	if r.Folders == nil {
		r.Folders = []Folder{}
	}
	r.fillFindings()
	r.fillPackages()
	if r.Base != nil && r.Base.Chain == nil {
		r.Base.Chain = []Link{}
	}
	r.Image.FillLists()
}

// FillLists replaces each nil list by an empty one, because the JSON form has no
// null lists.
func (r *Image) FillLists() {
	c := &r.Config
	for _, l := range []*[]string{&r.Tags, &c.Entrypoint, &c.Cmd, &c.Env, &c.ExposedPorts, &c.Volumes} {
		if *l == nil {
			*l = []string{}
		}
	}
	if c.Labels == nil {
		c.Labels = map[string]string{}
	}
}

// asText returns a path as its JSON form: each byte that is not valid UTF-8 becomes
// a replacement character.
func asText(path []byte) string { return string([]rune(string(path))) }

// check returns an error if the report contradicts itself.
func (r *Report) check() error {
	t := &r.Totals
	if t.Layers != len(r.Layers) {
		return fmt.Errorf("its totals count %d layers, and it lists %d", t.Layers, len(r.Layers))
	}
	if err := r.checkLayers(); err != nil {
		return err
	}
	if err := t.Check(); err != nil {
		return err
	}
	next := 0
	for i, s := range r.History {
		if s.Layer < -1 || s.Layer >= len(r.Layers) || s.Layer >= 0 && s.Layer < next {
			return fmt.Errorf("step %d can't have made layer %d", i, s.Layer)
		}
		next = max(next, s.Layer+1)
	}
	for i, w := range r.Warnings {
		if w.Layer < -1 || w.Layer >= len(r.Layers) {
			return fmt.Errorf("warning %d is about layer %d of %d", i, w.Layer, len(r.Layers))
		}
	}
	if err := r.checkFolders(); err != nil {
		return err
	}
	if err := r.checkFindings(); err != nil {
		return err
	}
	if err := r.checkWaste(); err != nil {
		return err
	}
	if err := r.checkPackages(); err != nil {
		return err
	}
	return r.checkOrigin()
}

// Check returns an error if the totals contradict each other.
func (t *Totals) Check() error {
	if err := counts("totals", t.StoredBytes, t.VisibleBytes, t.WastedBytes, t.CompressedBytes, int64(t.Files), int64(t.Layers)); err != nil {
		return err
	}
	if t.StoredBytes-t.VisibleBytes != t.WastedBytes {
		return fmt.Errorf("totals: %d bytes stored are not %d visible and %d wasted", t.StoredBytes, t.VisibleBytes, t.WastedBytes)
	}
	efficiency := 1.0
	if t.StoredBytes > 0 {
		efficiency = float64(t.VisibleBytes) / float64(t.StoredBytes)
	}
	if !(math.Abs(t.Efficiency-efficiency) < 1e-9) {
		return fmt.Errorf("its efficiency is %v, and its totals make it %v", t.Efficiency, efficiency)
	}
	return nil
}

func (r *Report) checkLayers() error {
	var stored, visible, wasted, compressed total
	for i := range r.Layers {
		l := &r.Layers[i]
		name := fmt.Sprintf("layer %d", i)
		if l.Index != i {
			return fmt.Errorf("%s says that it is layer %d", name, l.Index)
		}
		if err := counts(name, l.StoredBytes, l.VisibleBytes, l.WastedBytes, l.HidesBytes, l.CompressedBytes,
			int64(l.Added), int64(l.Modified), int64(l.Removed)); err != nil {
			return err
		}
		if l.StoredBytes-l.VisibleBytes != l.WastedBytes {
			return fmt.Errorf("%s stores %d bytes, and %d visible and %d wasted ones are not as many", name, l.StoredBytes, l.VisibleBytes, l.WastedBytes)
		}
		stored.add(l.StoredBytes)
		visible.add(l.VisibleBytes)
		wasted.add(l.WastedBytes)
		compressed.add(l.CompressedBytes)
	}
	t := &r.Totals
	if t.CompressedBytes == 0 { // the compressed size of some layer is unknown
		compressed = 0
	}
	for _, c := range []struct {
		what    string
		is, sum int64
	}{
		{"stored", t.StoredBytes, int64(stored)}, {"visible", t.VisibleBytes, int64(visible)},
		{"wasted", t.WastedBytes, int64(wasted)}, {"compressed", t.CompressedBytes, int64(compressed)},
	} {
		if c.is != c.sum {
			return fmt.Errorf("its total of %s bytes is %d, and its layers add up to %d", c.what, c.is, c.sum)
		}
	}
	return nil
}

// checkWaste checks the list of waste, and that it adds up to the figures of the
// layers.
func (r *Report) checkWaste() error {
	wasted, hides := make([]total, len(r.Layers)), make([]total, len(r.Layers))
	for i, w := range r.Waste {
		name := fmt.Sprintf("waste %d", i)
		if err := counts(name, w.Bytes); err != nil {
			return err
		}
		if w.StoredIn < 0 || w.StoredIn > w.HiddenBy || w.HiddenBy >= len(r.Layers) {
			return fmt.Errorf("%s can't be stored by layer %d and hidden by layer %d: there are %d", name, w.StoredIn, w.HiddenBy, len(r.Layers))
		}
		switch w.Cause {
		case "removed", "overwritten", "metadata", "repeated":
		default:
			return fmt.Errorf("%s has the cause %.40q, which is none", name, w.Cause)
		}
		if len(w.PathBytes) > 0 && w.Path != string(w.PathBytes) {
			return fmt.Errorf("%s has two paths", name)
		}
		if !clean(w.Path) {
			return fmt.Errorf("%s: the path %.80q is not rooted and clean", name, w.Path)
		}
		wasted[w.StoredIn].add(w.Bytes)
		if w.HiddenBy != w.StoredIn {
			hides[w.HiddenBy].add(w.Bytes)
		}
	}
	for i, l := range r.Layers {
		if int64(wasted[i]) != l.WastedBytes {
			return fmt.Errorf("layer %d wastes %d bytes, and its waste adds up to %d", i, l.WastedBytes, wasted[i])
		}
		if int64(hides[i]) != l.HidesBytes {
			return fmt.Errorf("layer %d hides %d bytes, and the waste of lower layers adds up to %d", i, l.HidesBytes, hides[i])
		}
	}
	return nil
}

// clean reports whether path is rooted and has no component that is empty, "." or
// "..".
func clean(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return false
	}
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// counts returns an error if one of the numbers is negative.
func counts(name string, numbers ...int64) error {
	for _, n := range numbers {
		if n < 0 {
			return fmt.Errorf("%s: %d is negative", name, n)
		}
	}
	return nil
}

// total is a sum of numbers that are not negative, or -1 after an overflow.
type total int64

func (t *total) add(n int64) {
	if *t < 0 || int64(*t) > math.MaxInt64-n {
		*t = -1
		return
	}
	*t += total(n)
}
