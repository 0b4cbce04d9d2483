package load

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/layer"
)

// source holds the blobs of an image: an indexed tar or a folder.
type source interface {
	// open finds a regular file by its name, following links. If there is none,
	// the error is fs.ErrNotExist.
	open(name string) (section, error)
	// names lists the top of the source, in no order.
	names() []string
	// flaw returns what is wrong with the source as a whole, or nil.
	flaw() error
}

// section is one file of a source.
type section struct {
	at   io.ReaderAt
	size int64
	have int64 // less than size if the archive ends within the file
	file io.Closer
	// key is a layer.Blob's Key; may be nil.
	key any
	// list returns the entries of a layer that was read while the archive
	// streamed in; may be nil.
	list func(context.Context, layer.Options) (*layer.Diff, error)
}

func (s section) close() {
	if s.file != nil {
		s.file.Close()
	}
}

// read reads a manifest, an index or a config.
func (o *opening) read(s section, name string) ([]byte, error) {
	if s.size > maxDocument {
		return nil, &LimitError{What: name, Limit: maxDocument, Unit: "bytes"}
	}
	// Whatever it says must fit when it is decoded.
	if err := o.limits.Memory.Take(s.size * documentMemory); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	defer o.limits.Memory.Give(s.size * documentMemory)
	if o.documents += s.size; o.documents > maxDocuments {
		return nil, &LimitError{What: "all manifests and configs", Limit: maxDocuments, Unit: "bytes"}
	}
	if s.have < s.size {
		return nil, fmt.Errorf("the archive ends after %d of %d bytes of %s", s.have, s.size, name)
	}
	b := make([]byte, s.size)
	if _, err := io.ReadFull(io.NewSectionReader(s.at, 0, s.size), b); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return b, nil
}

// archive is a tar whose headers were read into an index.
type archive struct {
	r       io.ReaderAt
	size    int64
	entries map[string]entry
	repeats map[string]bool // names that occur more than once
	cut     bool            // there is no end marker
	// streamed holds the layers that were read while the archive streamed in, by
	// where they begin in it.
	streamed map[int64]*streamed
	steps    int64 // bytes of names that were looked up
	// memory is what the index takes, and taken how much it did.
	memory *layer.Quota
	taken  int64
}

// entryMemory is what the index takes for an entry, without its name.
const entryMemory = 200

// forget returns to the quota the memory of the index, and that of the streamed
// layers that don't belong to img, which may be nil.
func (a *archive) forget(img *analyzer.Image) {
	a.memory.Give(a.taken)
	used := map[any]bool{}
	if img != nil {
		for _, l := range img.Layers {
			used[l.Blob.Key] = true
		}
	}
	for off, e := range a.streamed {
		if e.diff != nil && !used[off] {
			a.memory.Give(e.diff.Memory)
		}
	}
}

// entry is one entry of the archive. Of several with one name the last counts.
type entry struct {
	kind      byte
	off, size int64
	link      string
}

// tarInput is a tar that is read from front to back.
type tarInput interface {
	io.Reader
	// at returns the offset of the next byte.
	at() int64
	// ended reports whether the last block that was read was all zeros. At the
	// end of a tar that is the end marker; archive/tar returns io.EOF with and
	// without one.
	ended() bool
}

// index reads the headers of a tar, up to a limit.
func index(ctx context.Context, r io.ReaderAt, size int64, limit int, memory *layer.Quota) (*archive, error) {
	a := &archive{r: r, size: size, memory: memory}
	err := a.index(ctx, &cursor{r: r, size: size}, limit, func(*tar.Reader, string, entry) error { return nil })
	if err != nil {
		return nil, err
	}
	return a, nil
}

// index reads the headers of the tar in. It calls visit for each entry, which may
// read the entry's content.
func (a *archive) index(ctx context.Context, in tarInput, limit int, visit func(*tar.Reader, string, entry) error) error {
	a.entries, a.repeats = map[string]entry{}, map[string]bool{}
	t := tar.NewReader(in)
	at := int64(0)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		var broken *inputError
		switch {
		case errors.As(err, &broken):
			return broken.error
		case err == io.EOF:
			a.cut = !in.ended()
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			a.cut = true
			return nil
		case err != nil:
			return fmt.Errorf("reading the archive's entry at byte %d: %w", at, err)
		}
		at = in.at() + (h.Size+511)&^511
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		e := entry{kind: h.Typeflag, off: in.at(), size: h.Size, link: h.Linkname}
		if sparse(h) {
			e.kind = tar.TypeGNUSparse
		}
		name := clean(h.Name)
		cost := entryMemory + int64(len(name)+len(e.link))
		if err := a.memory.Take(cost); err != nil {
			return fmt.Errorf("listing the archive: %w", err)
		}
		a.taken += cost
		if _, ok := a.entries[name]; ok && e.kind != tar.TypeDir {
			a.repeats[name] = true
		}
		a.entries[name] = e
		if n == limit {
			// A tar with so many entries is usually a root filesystem, which
			// the entries so far show. In any other tar the manifest may still
			// follow.
			if k := a.noImage().Kind; !a.has("manifest.json") && !a.has("index.json") && (k == RootFilesystem || k == SingleLayer) {
				return nil
			}
			return &LimitError{What: "the archive", Limit: int64(limit), Unit: "entries"}
		}
		if err := visit(t, name, e); err != nil {
			return err
		}
	}
}

func sparse(h *tar.Header) bool {
	return h.Typeflag == tar.TypeGNUSparse || h.PAXRecords["GNU.sparse.map"] != "" || h.PAXRecords["GNU.sparse.major"] != ""
}

// clean returns a name in the form of the index: no "./", no leading or trailing
// slash, never above the root.
func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func (a *archive) has(name string) bool {
	_, ok := a.entries[name]
	return ok
}

func (a *archive) open(name string) (section, error) {
	at, e, err := a.resolve(name)
	if err != nil {
		return section{}, err
	}
	switch e.kind {
	case tar.TypeReg, tar.TypeCont:
	case tar.TypeGNUSparse:
		return section{}, fmt.Errorf("%s is a sparse entry of the archive, which is not supported", at)
	case tar.TypeDir:
		return section{}, fmt.Errorf("%s is a folder, not a file", at)
	default:
		return section{}, fmt.Errorf("%s is a special entry (type %q), not a file", at, e.kind)
	}
	s := section{at: io.NewSectionReader(a.r, e.off, e.size), size: e.size, have: min(e.size, max(0, a.size-e.off)), key: e.off}
	if l := a.streamed[e.off]; l != nil {
		s.list = l.list
	}
	return s, nil
}

// resolve follows the symlinks and hard links of the archive to an entry.
func (a *archive) resolve(name string) (string, entry, error) {
	at, todo := "", name
	for hops := 0; ; {
		if len(todo) > maxPath {
			return at, entry{}, &LimitError{What: "a name or a link in the archive", Limit: maxPath, Unit: "bytes"}
		}
		todo = clean(todo)
		e := entry{}
		for e.link == "" && todo != "" {
			var part string
			part, todo, _ = strings.Cut(todo, "/")
			at = path.Join(at, part)
			if e = a.entries[at]; e.kind != tar.TypeSymlink && e.kind != tar.TypeLink {
				e.link = ""
			}
			if a.steps += int64(len(at)) + 1; a.steps > maxSteps {
				return at, entry{}, &LimitError{What: "the names that lead to the archive's files", Limit: maxSteps, Unit: "bytes"}
			}
		}
		if e.link == "" {
			e, ok := a.entries[at]
			if !ok || e.kind == tar.TypeSymlink || e.kind == tar.TypeLink {
				return at, entry{}, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
			}
			return at, e, nil
		}
		if hops++; hops > maxLinks {
			return at, entry{}, fmt.Errorf("%s: more than %d links, one after the other", name, maxLinks)
		}
		target := e.link
		if len(target) <= maxPath {
			if e.kind == tar.TypeSymlink && !strings.HasPrefix(target, "/") {
				target = path.Join(path.Dir(at), target)
			}
			target = clean(target)
		}
		at, todo = "", target+"/"+todo
	}
}

func (a *archive) flaw() error {
	if !a.cut {
		return nil
	}
	return fmt.Errorf("archive ends after %d bytes without its end marker", a.size)
}

func (a *archive) names() []string {
	seen := map[string]bool{}
	var names []string
	for name := range a.entries {
		top, _, _ := strings.Cut(name, "/")
		if !seen[top] {
			seen[top] = true
			names = append(names, top)
		}
	}
	return names
}

// noImage says what a tar without an image's metadata is.
func (a *archive) noImage() *NotImageError {
	if len(a.entries) == 0 {
		return &NotImageError{NoImages, "an empty tar"}
	}
	top := map[string]bool{}
	for _, name := range a.names() {
		top[name] = true
	}
	whiteouts := false
	for name := range a.entries {
		if strings.HasPrefix(path.Base(name), ".wh.") {
			whiteouts = true
		}
		if dir, base := path.Split(name); base == "layer.tar" && a.has(dir+"json") {
			return &NotImageError{OldArchive, "a docker save from before 1.10, without manifest.json"}
		}
	}
	switch {
	case whiteouts:
		return &NotImageError{SingleLayer, "the tar of a single layer"}
	case top["etc"] || top["usr"] || top["bin"]:
		return &NotImageError{RootFilesystem, "a root filesystem without an image around it"}
	}
	return &NotImageError{OtherTar, "a tar with neither manifest.json nor index.json"}
}

// cursor reads a ReaderAt from front to back, and skips.
type cursor struct {
	r         io.ReaderAt
	pos, size int64
	zeros     bool
}

func (c *cursor) at() int64   { return c.pos }
func (c *cursor) ended() bool { return c.zeros }

func (c *cursor) Read(b []byte) (int, error) {
	if c.pos >= c.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), c.size-c.pos)]
	n, err := c.r.ReadAt(b, c.pos)
	c.pos += int64(n)
	if n == 512 {
		c.zeros = [512]byte(b) == [512]byte{}
	}
	if n > 0 {
		err = nil
	}
	return n, err
}

// Seek moves forward from the current position, which is all that archive/tar
// needs. It stops at the end.
func (c *cursor) Seek(n int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || n < 0 {
		return 0, errors.ErrUnsupported
	}
	c.pos += min(n, c.size-c.pos)
	return c.pos, nil
}
