// Package layer reads the entries of one layer of an image: a tar, plain or
// compressed.
package layer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Blob is a layer as it is stored: a tar, plain or compressed. Its first bytes
// tell which.
type Blob struct {
	// At reads the blob at any offset, concurrently; nil for a stream.
	At io.ReaderAt
	// Size is the length of the blob in bytes, or -1 if unknown. If At has a method
	// Length() int64, that is called when the length is needed.
	Size int64
	// Stream opens the blob from its start; used only when At is nil.
	Stream func(context.Context) (io.ReadCloser, error)
	// Window is how many bytes of a plain tar to read at a time, at least 512.
	// 0 means a size that suits a file. A read of more than one header includes
	// content that is then skipped; a small Window avoids that where reading
	// content is expensive.
	Window int

	// Key is comparable, and equal for equal blobs, so that only one of them is
	// read. It is nil if unknown.
	Key any

	// List, if not nil, returns the layer's entries without reading the tar: from
	// a cache, or from a table of contents. It is not called if Options.Verify is
	// set.
	List func(context.Context, Options) (*Diff, error)
	// Open, if not nil, opens the content of a file entry from List without reading
	// the tar up to it.
	Open func(context.Context, *Entry) (io.ReadCloser, error)
}

// Options says what to check while reading. The zero value checks the structure only.
type Options struct {
	// Digest is the digest of the blob as stored. It is compared if the blob is
	// streamed.
	Digest v1.Hash
	// DiffID is the digest of the uncompressed tar. It is compared if the blob is
	// compressed and has no Digest of a known algorithm, or if the tar has no end
	// marker and no digest was compared.
	DiffID v1.Hash
	Verify bool          // compare Digest and DiffID always, even if the blob must be streamed for it
	Sum    bool          // compute the sha256 of the tar in a compressed blob, also without a DiffID
	Read   *atomic.Int64 // counts bytes of the blob as they are read or skipped; may be nil

	// Look looks at the content of regular files. It applies to a layer whose content
	// is read anyway, and not to sparse files.
	Look []Looker

	Limits Limits
}

// The limits for the memory of a decoder, as in engines.
const (
	zstdWindow   = 128 << 20
	xzDictionary = 128 << 20 // twice what xz -9 takes
)

// Read reads a whole layer. Of a plain tar that can be read at offsets, it reads
// only the headers, unless opt.Verify is set. Any other blob it reads to the last
// byte, hashes the content of its files, and compares the digest, or else the
// diff ID. If the tar is truncated, damaged or over a limit, Read returns an
// error and no Diff.
func Read(ctx context.Context, b Blob, opt Options) (*Diff, error) {
	if b.List != nil && !opt.Verify {
		return b.List(ctx, opt)
	}
	b = b.sized()
	plain := false
	if b.At != nil && b.Size >= 0 {
		enc, err := sniffAt(b)
		if err != nil {
			return nil, err
		}
		if plain = enc == tarPlain; plain && !opt.Verify {
			return readPlain(ctx, b, opt)
		}
	}
	d, err := readStream(ctx, b, opt)
	if err != nil {
		return nil, err
	}
	d.Plain = plain
	return d, nil
}

// sized returns b with its Size set, if At knows its length.
func (b Blob) sized() Blob {
	if at, ok := b.At.(interface{ Length() int64 }); ok && b.Size < 0 {
		b.Size = at.Length()
	}
	return b
}

func sniffAt(b Blob) (encoding, error) {
	var magic [magicSize]byte
	n := min(int64(len(magic)), b.Size)
	if got, err := b.At.ReadAt(magic[:n], 0); int64(got) < n {
		return 0, fmt.Errorf("reading the first bytes: %w", err)
	}
	return sniff(magic[:n]), nil
}

// window is how many bytes of a plain tar are read at a time. From 8 to 128 KiB
// are equally fast if entries are small.
const window = 32 << 10

func readPlain(ctx context.Context, b Blob, opt Options) (_ *Diff, err error) {
	reported := int64(0)
	src := &source{ctx: ctx, at: b.At, size: b.Size, buf: make([]byte, cmp.Or(b.Window, window)), progress: func(to int64) {
		if opt.Read != nil {
			opt.Read.Add(to - reported)
		}
		reported = to
	}}
	w := walker{src: src, memory: opt.Limits.Memory, diff: &Diff{Size: b.Size, Plain: true}}
	defer func() {
		if err != nil {
			w.giveBack()
		}
	}()
	ended, err := w.walk()
	if err != nil {
		return nil, err
	}
	if !ended {
		if w.diff.DiffID, err = vouch(ctx, b, opt, b.Size); err != nil {
			return nil, err
		}
	}
	src.progress(b.Size)
	w.diff.Warnings = w.notes.warnings()
	return w.diff, nil
}

// readStream reads a blob as a stream, to its end.
func readStream(ctx context.Context, b Blob, opt Options) (_ *Diff, err error) {
	var sums []*digester
	digest, err := newDigester("digest", opt.Digest)
	if err != nil && opt.Verify {
		return nil, err
	}
	if digest != nil {
		sums = append(sums, digest)
	}
	s, err := b.stream(ctx, opt.Limits.Unpacked, opt.Read, sums)
	if err != nil {
		return nil, err
	}
	defer s.close()

	src := &source{ctx: ctx, r: s, buf: make([]byte, blockSize+128<<10)}
	var diffID *digester
	if opt.Verify || s.dec != nil && digest == nil {
		if diffID, err = newDigester("diff ID", opt.DiffID); err != nil && opt.Verify {
			return nil, err
		}
	}
	whole := digest != nil || diffID != nil // a digest proves that nothing is missing
	if diffID == nil && opt.Sum && s.dec != nil {
		diffID = &digester{Hash: sha256.New()}
	}
	if diffID != nil {
		src.tap = newTap(diffID)
	} else if s.dec != nil && s.dec.r == nil {
		next, stop := iter.Pull2(s.dec.buffers)
		defer stop()
		src.next = func() ([]byte, error) {
			p, err, _ := next()
			return p, err
		}
	}
	w := walker{src: src, stream: true, memory: opt.Limits.Memory, diff: &Diff{}, looking: Looking{Lookers: opt.Look, Memory: opt.Limits.Memory}}
	for i := range opt.Look {
		w.diff.Looked = append(w.diff.Looked, opt.Look[i].Name)
	}
	defer func() {
		if err != nil {
			w.giveBack()
		}
	}()
	ended, err := w.walk()
	if err == nil {
		err = src.drain()
	}
	if src.tap != nil {
		src.tap.close()
	}
	if err != nil {
		return nil, err
	}
	<-s.done // the digest is complete only now
	if w.diff.Digest, err = digest.check(); err != nil {
		return nil, err
	}
	if w.diff.DiffID, err = diffID.check(); err != nil {
		return nil, err
	}
	w.diff.Size = src.off
	w.diff.Warnings = w.notes.warnings()
	if s.dec != nil && s.dec.gz != nil && s.dec.gz.Trailing > 0 {
		what, n := "zeros", s.dec.gz.Trailing
		if s.dec.gz.NonZero {
			what = "bytes"
			if !whole {
				return nil, fmt.Errorf("gzip: %d bytes that are not gzip at the end, from byte %d on", n, s.total-n)
			}
		}
		w.diff.Warnings = append(w.diff.Warnings, Warning{"", fmt.Sprintf("%d %s after the end of the gzip data", n, what)})
	}
	if !ended && !whole {
		if w.diff.DiffID, err = vouch(ctx, b, opt, src.off); err != nil {
			return nil, err
		}
	}
	return w.diff, nil
}

// vouch checks a tar of n bytes that has no end marker. Only the diff ID proves
// that the tar was written so, and not truncated. vouch computes the diff ID,
// compares it with opt.DiffID, and returns it.
func vouch(ctx context.Context, b Blob, opt Options, n int64) (v1.Hash, error) {
	if n == 0 && opt.DiffID == (v1.Hash{}) {
		return v1.Hash{}, nil // an empty layer, as engines take it
	}
	cut := fmt.Errorf("unexpected end after %d bytes: there is no end marker", n)
	sum, err := newDigester("diff ID", opt.DiffID)
	if err != nil || sum == nil {
		return v1.Hash{}, fmt.Errorf("%w and no diff ID to prove that nothing is missing", cut)
	}
	s, err := b.stream(ctx, nil, nil, nil)
	if err != nil {
		return v1.Hash{}, err
	}
	defer s.close()
	if _, err := io.Copy(sum, s); err != nil {
		return v1.Hash{}, err
	}
	id, err := sum.check()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("%w; %w", cut, err)
	}
	return id, nil
}
