package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/gate"
)

//go:embed demo.txt
var demoText string

// demoStart is the base of the demo's times: the step at index n ran n minutes
// later.
var demoStart = time.Date(2026, 10, 2, 9, 2, 0, 0, time.UTC)

// writeDemo writes the demo image in the format of docker save. It writes the same
// bytes every time and holds one layer in memory.
func writeDemo(w io.Writer) error {
	d := demo{tar: tar.NewWriter(w), files: map[string]demoFile{}}
	for i, line := range strings.Split(demoText, "\n") {
		if err := d.line(line); err != nil {
			return fmt.Errorf("demo.txt, line %d: %w", i+1, err)
		}
	}
	return d.finish()
}

// demo writes the demo image.
type demo struct {
	tar    *tar.Writer // the archive
	config v1.ConfigFile
	tags   []string
	layers []string

	// The layer being written, if layer isn't nil.
	layer    *tar.Writer
	content  bytes.Buffer
	uid, gid int
	edition  int
	listed   map[string]bool // the directories it has entries for

	files map[string]demoFile // the files and directories that the layers so far show
}

// demoFile describes a file or a directory of demo.txt.
type demoFile struct {
	kind    string // of content; "dir" for a directory
	text    string // for kind "is"
	size    int64
	mode    int64
	edition int

	uid, gid int
}

func (d *demo) line(s string) error {
	indented := strings.HasPrefix(s, "  ")
	key, rest, _ := strings.Cut(strings.TrimLeft(s, " "), " ")
	switch {
	case key == "" || key == "#":
		return nil
	case indented && d.layer != nil:
		return d.entry(key, rest)
	case indented:
		return fmt.Errorf("%s stands in no layer", key)
	}
	if err := d.endLayer(); err != nil {
		return err
	}
	return d.heading(key, rest)
}

func (d *demo) heading(key, rest string) error {
	c := &d.config.Config
	switch key {
	case "tag":
		d.tags = append(d.tags, rest)
	case "env":
		c.Env = append(c.Env, rest)
	case "label":
		name, value, _ := strings.Cut(rest, "=")
		if c.Labels == nil {
			c.Labels = map[string]string{}
		}
		c.Labels[name] = value
	case "workdir":
		c.WorkingDir = rest
	case "user":
		c.User = rest
	case "entrypoint":
		c.Entrypoint = strings.Fields(rest)
	case "cmd":
		c.Cmd = strings.Fields(rest)
	case "expose":
		c.ExposedPorts = map[string]struct{}{rest: {}}
	case "step", "layer":
		d.config.History = append(d.config.History, v1.History{Created: v1.Time{Time: d.time()}, CreatedBy: rest, EmptyLayer: key == "step"})
		if key == "layer" {
			d.content.Reset()
			d.layer = tar.NewWriter(&d.content)
			d.uid, d.gid, d.edition, d.listed = 0, 0, 1, map[string]bool{}
		}
	default:
		return fmt.Errorf("unknown heading %q", key)
	}
	return nil
}

// time returns the time of the step that is being written.
func (d *demo) time() time.Time {
	return demoStart.Add(time.Duration(len(d.config.History)) * time.Minute)
}

// entry writes the entries of one line of a layer: a keyword, a path with
// {alternatives}, and the keyword's arguments.
func (d *demo) entry(key, rest string) error {
	pattern, rest, _ := strings.Cut(rest, " ")
	switch key {
	case "owner":
		_, err := fmt.Sscanf(pattern, "%d:%d", &d.uid, &d.gid)
		return err
	case "edition":
		n, err := strconv.Atoi(pattern)
		d.edition = n
		return err
	case "again":
		return d.again(pattern, rest)
	}
	for _, p := range alternatives(pattern) {
		if err := d.one(key, p, rest); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) one(key, p, rest string) error {
	switch key {
	case "symlink":
		return d.add(&tar.Header{Typeflag: tar.TypeSymlink, Name: p, Linkname: rest, Mode: 0o777}, "")
	case "link":
		return d.add(&tar.Header{Typeflag: tar.TypeLink, Name: p, Linkname: rest[1:], Mode: 0o755}, "")
	case "rm":
		maps.DeleteFunc(d.files, func(have string, _ demoFile) bool { return have == p || strings.HasPrefix(have, p+"/") })
		return d.add(&tar.Header{Typeflag: tar.TypeReg, Name: path.Dir(p) + "/.wh." + path.Base(p)}, "")
	case "opaque":
		maps.DeleteFunc(d.files, func(have string, _ demoFile) bool { return strings.HasPrefix(have, p+"/") })
		return d.add(&tar.Header{Typeflag: tar.TypeReg, Name: p + "/.wh..wh..opq"}, "")
	}
	f := demoFile{kind: key, edition: d.edition, mode: 0o644}
	mode := rest
	switch key {
	case "dir":
		f.mode = 0o755
	case "is":
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return err
		}
		if f.text, err = strconv.Unquote(quoted); err != nil {
			return err
		}
		f.size, mode = int64(len(f.text)), strings.TrimSpace(rest[len(quoted):])
	case "npm", "dpkg", "list":
		size, args, _ := strings.Cut(rest, " ")
		n, err := gate.ParseBytes(size)
		if err != nil {
			return err
		}
		if f.text, err = database(key, p, int(n), strings.Fields(args)); err != nil {
			return err
		}
		f.kind, f.size, mode = "is", n, ""
	default:
		size, after, _ := strings.Cut(rest, " ")
		n, err := gate.ParseBytes(size)
		if err != nil {
			return err
		}
		f.size, mode = n, after
	}
	if mode != "" {
		n, err := strconv.ParseInt(mode, 8, 64)
		if err != nil {
			return err
		}
		f.mode = n
	}
	return d.file(p, f)
}

// again stores p and everything below it once more, with another owner or mode.
func (d *demo) again(p, what string) error {
	owner := strings.Contains(what, ":")
	if owner {
		if _, err := fmt.Sscanf(what, "%d:%d", &d.uid, &d.gid); err != nil {
			return err
		}
	}
	for _, at := range slices.Sorted(maps.Keys(d.files)) {
		if at != p && !strings.HasPrefix(at, p+"/") {
			continue
		}
		f := d.files[at]
		if !owner {
			mode, err := strconv.ParseInt(what, 8, 64)
			if err != nil {
				return err
			}
			f.mode = mode
		}
		if err := d.file(at, f); err != nil {
			return err
		}
	}
	return nil
}

// file writes a file or directory.
func (d *demo) file(p string, f demoFile) error {
	f.uid, f.gid = d.uid, d.gid
	d.files[p] = f
	if f.kind == "dir" {
		d.listed[p] = true
		return d.add(&tar.Header{Typeflag: tar.TypeDir, Name: p + "/", Mode: f.mode}, "")
	}
	content := f.text
	if f.kind != "is" {
		content = filler(f.kind, fmt.Sprint(p, f.edition), int(f.size))
	}
	return d.add(&tar.Header{Typeflag: tar.TypeReg, Name: p, Mode: f.mode, Size: int64(len(content))}, content)
}

// add writes an entry. Before it, add writes the parent directories that the layer
// has no entry for yet, as engines do.
func (d *demo) add(h *tar.Header, content string) error {
	if dir := path.Dir(strings.TrimSuffix(h.Name, "/")); dir != "/" && !d.listed[dir] {
		f, ok := d.files[dir]
		if !ok {
			f = demoFile{kind: "dir", mode: 0o755, uid: d.uid, gid: d.gid}
		}
		uid, gid := d.uid, d.gid
		d.uid, d.gid = f.uid, f.gid
		if err := d.file(dir, f); err != nil {
			return err
		}
		d.uid, d.gid = uid, gid
	}
	h.Name = h.Name[1:]
	h.Uid, h.Gid, h.ModTime = d.uid, d.gid, d.time()
	if err := d.layer.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.WriteString(d.layer, content)
	return err
}

// endLayer adds the current layer, if there is one, to the archive.
func (d *demo) endLayer() error {
	if d.layer == nil {
		return nil
	}
	if err := d.layer.Close(); err != nil {
		return err
	}
	d.layer = nil
	sum := fmt.Sprintf("%x", sha256.Sum256(d.content.Bytes()))
	d.config.RootFS.DiffIDs = append(d.config.RootFS.DiffIDs, v1.Hash{Algorithm: "sha256", Hex: sum})
	d.layers = append(d.layers, sum+"/layer.tar")
	return d.put(sum+"/layer.tar", d.content.Bytes())
}

// finish writes the config and the manifest.
func (d *demo) finish() error {
	if err := d.endLayer(); err != nil {
		return err
	}
	d.config.Architecture, d.config.OS, d.config.RootFS.Type = "amd64", "linux", "layers"
	d.config.Created = v1.Time{Time: d.time()}
	config, err := json.Marshal(d.config)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%x.json", sha256.Sum256(config))
	if err := d.put(name, config); err != nil {
		return err
	}
	manifest, err := json.Marshal([]map[string]any{{"Config": name, "RepoTags": d.tags, "Layers": d.layers}})
	if err != nil {
		return err
	}
	if err := d.put("manifest.json", manifest); err != nil {
		return err
	}
	return d.tar.Close()
}

func (d *demo) put(name string, content []byte) error {
	err := d.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: demoStart})
	if err != nil {
		return err
	}
	_, err = d.tar.Write(content)
	return err
}

// alternatives returns every path that a pattern with {a,b} stands for. Braces can
// be nested.
func alternatives(pattern string) []string {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}
	}
	var inside []string
	depth, from, end := 0, open+1, len(pattern)
	for i := open; i < end; i++ {
		switch c := pattern[i]; {
		case c == '{':
			depth++
		case c == ',' && depth == 1:
			inside = append(inside, pattern[from:i])
			from = i + 1
		case c == '}':
			if depth--; depth == 0 {
				inside = append(inside, pattern[from:i])
				end = i
			}
		}
	}
	tails := alternatives(pattern[min(end+1, len(pattern)):])
	var all []string
	for _, s := range inside {
		for _, middle := range alternatives(s) {
			for _, tail := range tails {
				all = append(all, pattern[:open]+middle+tail)
			}
		}
	}
	return all
}
