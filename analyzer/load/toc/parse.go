package toc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"fathom/analyzer/layer"
)

// entry is one entry of the table, in either format.
type entry struct {
	Name        string            `json:"name"`
	Type        string            `json:"type"`
	Size        int64             `json:"size"`
	ModTime     string            `json:"modtime"`
	LinkName    string            `json:"linkName"`
	Mode        int64             `json:"mode"`
	UID         int64             `json:"uid"`
	GID         int64             `json:"gid"`
	DevMajor    int64             `json:"devMajor"`
	DevMinor    int64             `json:"devMinor"`
	Xattrs      map[string][]byte `json:"xattrs"`
	Digest      string            `json:"digest"`
	Offset      int64             `json:"offset"`
	InnerOffset int64             `json:"innerOffset"`
	ChunkOffset int64             `json:"chunkOffset"`
	ChunkSize   int64             `json:"chunkSize"`
	ChunkDigest string            `json:"chunkDigest"`
	ChunkType   string            `json:"chunkType"`
}

// flags maps an entry's type to the type flag of a tar.
var flags = map[string]byte{
	"reg": '0', "hardlink": '1', "symlink": '2', "char": '3', "block": '4', "dir": '5', "fifo": '6',
}

const maxName = 1 << 20 // bytes of one name, the limit for tars too

// chunksAtOnce is the number of chunks for which the quota is charged at a time.
const chunksAtOnce = 64

// maxClaim bounds the sizes that the files of one layer claim, so that sums over
// all layers don't overflow.
const maxClaim = 1 << 46

// parser turns a table into entries and the offsets of their content.
type parser struct {
	list  *layer.Lister
	place *Place
	quota *layer.Quota // for chunks
	total int64        // size that all files claim

	out  contents
	file layer.Header // the file whose chunks are being read
	open bool         // file is set
	left int64        // bytes of file that no chunk covers yet
	sum  string       // the digest of file
}

// parse reads the JSON of a table. file is the entry of the table itself, which the
// tar holds and the table does not list; nil if the tar does not hold it.
func parse(ctx context.Context, b []byte, p *Place, file *layer.Header, opt layer.Options) (_ *layer.Diff, _ contents, err error) {
	ps := &parser{list: layer.NewLister(opt), place: p, quota: opt.Limits.Memory, out: contents{whole: map[int32][sha256.Size]byte{}}}
	defer func() {
		if err != nil {
			ps.list.Close()
		}
	}()
	if err := ps.document(ctx, b); err != nil {
		return nil, contents{}, err
	}
	if file != nil {
		if err := ps.list.Add(file); err != nil {
			return nil, contents{}, err
		}
	}
	d := ps.list.Diff()
	d.Size = p.tarSize
	ps.out.finish(p.off)
	return d, ps.out, nil
}

func (p *parser) document(ctx context.Context, b []byte) error {
	s := &scanner{b: b}
	version, listed := 0, false
	err := s.members(func(key string) error {
		switch key {
		case "version":
			return s.value(&version)
		case "entries":
			if listed {
				return errors.New("it has two lists of entries")
			}
			listed = true
			if s.space() == 'n' { // null: a layer without entries
				return s.value(&json.RawMessage{})
			}
			return s.elements(func(n int) error {
				if n%1024 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				var e entry
				if err := s.entry(&e); err != nil {
					return err
				}
				return p.entry(&e)
			})
		}
		return s.value(&json.RawMessage{})
	})
	switch {
	case err != nil:
		return err
	case version != 1 || !listed:
		return fmt.Errorf("it is of version %d, and not of 1, or has no entries", version)
	}
	return p.close()
}

func (p *parser) entry(e *entry) error {
	if err := e.check(); err != nil {
		return err
	}
	if e.Type == "chunk" {
		if !p.open {
			return errors.New("a chunk of no file")
		}
		return p.chunk(e)
	}
	if err := p.close(); err != nil {
		return err
	}
	flag, ok := flags[e.Type]
	if !ok {
		return fmt.Errorf("it is of type %q, which is unknown", e.Type)
	}
	h := layer.Header{
		Name: e.Name, Link: e.LinkName, Type: flag, Size: e.Size, Mode: e.Mode, UID: e.UID, GID: e.GID,
		Major: e.DevMajor, Minor: e.DevMinor,
	}
	if e.ModTime != "" {
		t, err := time.Parse(time.RFC3339, e.ModTime)
		if err != nil {
			return fmt.Errorf("its time is %q", e.ModTime)
		}
		h.ModTime = t.Unix()
	}
	if len(e.Xattrs) > 0 {
		h.Xattrs = make(map[string]string, len(e.Xattrs))
		for name, value := range e.Xattrs {
			if err := checkName(name); err != nil {
				return err
			}
			h.Xattrs[name] = string(value)
		}
	}
	if flag != '0' {
		return p.list.Add(&h)
	}
	if e.Size == 0 {
		sum := sha256.Sum256(nil)
		h.Sum = sum[:]
		h.Offset = -1
		return p.list.Add(&h)
	}
	if p.total += min(e.Size, maxClaim+1); p.total > maxClaim {
		return fmt.Errorf("the files have %d bytes or more, too many for a layer", p.total)
	}
	h.Offset = int64(len(p.out.files))
	p.out.files = append(p.out.files, int32(len(p.out.chunks)))
	p.file, p.open, p.left, p.sum = h, true, e.Size, e.Digest
	return p.chunk(e)
}

// chunk adds the next chunk of the open file.
func (p *parser) chunk(e *entry) error {
	at := p.file.Size - p.left
	size := e.ChunkSize
	if size == 0 {
		size = p.left
	}
	switch {
	case e.ChunkOffset != at || size > p.left || p.left == 0:
		return fmt.Errorf("the chunks of %q do not cover it one after the other", p.file.Name)
	case e.Offset >= p.place.off:
		return fmt.Errorf("a chunk of %q is at byte %d, outside of the layer", p.file.Name, e.Offset)
	}
	p.left -= size
	c := chunk{off: e.Offset, inner: e.InnerOffset, size: size}
	switch e.ChunkType {
	case "":
	case "zeros":
		c.zeros = true
	default:
		return fmt.Errorf("a chunk of %q is of type %q, which is unknown", p.file.Name, e.ChunkType)
	}
	text := e.ChunkDigest
	if text == "" && size == p.file.Size {
		text = p.sum
	}
	switch {
	case text == "" && c.zeros:
	case text == "":
		return fmt.Errorf("a chunk of %q has no digest", p.file.Name)
	default:
		var err error
		if c.sum, err = sum(text); err != nil {
			return err
		}
		c.known = true
	}
	if len(p.out.chunks) >= maxChunks {
		return fmt.Errorf("it has more than %d chunks", maxChunks)
	}
	if n := len(p.out.chunks); n%chunksAtOnce == chunksAtOnce-1 {
		if err := p.quota.Take(chunksAtOnce * int64(unsafe.Sizeof(c))); err != nil {
			return err
		}
	}
	p.out.chunks = append(p.out.chunks, c)
	return nil
}

// close checks that the chunks of the open file, if any, cover it, and adds the
// file to the list.
func (p *parser) close() error {
	if !p.open {
		return nil
	}
	p.open = false
	if p.left != 0 {
		return fmt.Errorf("the chunks of %q do not cover it: %d bytes are missing", p.file.Name, p.left)
	}
	first := p.out.files[len(p.out.files)-1]
	chunks := p.out.chunks[first:]
	var s [sha256.Size]byte
	switch {
	case len(chunks) == 1 && chunks[0].known:
		s = chunks[0].sum
	case p.sum == "":
		return fmt.Errorf("%q has no digest", p.file.Name)
	default:
		var err error
		if s, err = sum(p.sum); err != nil {
			return err
		}
		p.out.whole[first] = s
	}
	p.file.Sum = s[:]
	return p.list.Add(&p.file)
}

// check returns an error if a number or name of the entry is invalid.
func (e *entry) check() error {
	for _, n := range []int64{e.Size, e.Offset, e.InnerOffset, e.ChunkOffset, e.ChunkSize} {
		if n < 0 {
			return fmt.Errorf("%q has a negative number (%d)", e.Name, n)
		}
	}
	if e.InnerOffset > maxClaim {
		return fmt.Errorf("%q is at byte %d of what its place unpacks to", e.Name, e.InnerOffset)
	}
	for _, s := range []string{e.Name, e.LinkName} {
		if err := checkName(s); err != nil {
			return err
		}
	}
	return nil
}

// checkName returns an error for a name that can't be the one in the tar: JSON
// replaces bytes that are not valid UTF-8, and names in a tar have no NUL.
func checkName(s string) error {
	switch {
	case len(s) > maxName:
		return fmt.Errorf("a name of %d bytes", len(s))
	case strings.ContainsRune(s, utf8.RuneError):
		return fmt.Errorf("the name %q is not valid UTF-8", s)
	case strings.IndexByte(s, 0) >= 0:
		return fmt.Errorf("the name %q has a NUL", s)
	}
	return nil
}

func sum(s string) (out [sha256.Size]byte, err error) {
	h, ok := strings.CutPrefix(s, "sha256:")
	if !ok || len(h) != hex.EncodedLen(len(out)) {
		return out, fmt.Errorf("%q is no sha256 digest", s)
	}
	if _, err := hex.Decode(out[:], []byte(h)); err != nil {
		return out, fmt.Errorf("%q is no sha256 digest", s)
	}
	return out, nil
}
