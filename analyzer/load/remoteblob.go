package load

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/layer"
	"fathom/analyzer/load/registry"
)

// remoteBlob is a layer in a registry. It is downloaded for its entries, unless
// they are in the cache. It is downloaded again for the content of its files,
// unless the first download was kept in a temporary file.
type remoteBlob struct {
	r          *remote
	desc       descriptor
	digest     v1.Hash
	size       int64 // or -1
	compressed bool

	listing sync.Mutex
	diff    *layer.Diff // read from the cache in advance, until list returns it

	read atomic.Bool   // the entries were read, or are being read
	busy chan struct{} // held while the blob is downloaded into kept for content

	mu   sync.Mutex
	kept *os.File // the whole blob, or nil
	full bool     // the disk is full: nothing more is kept
	over bool     // the image is closed
}

func (b *remoteBlob) blob() layer.Blob {
	return layer.Blob{Size: b.size, Stream: b.stream, List: b.list}
}

// list is the List of a layer.Blob. It returns the entries from the cache, if they
// have the notes of opt.Look, or reads them from the registry.
func (b *remoteBlob) list(ctx context.Context, opt layer.Options) (*layer.Diff, error) {
	b.listing.Lock()
	defer b.listing.Unlock()
	if d := b.diff; d != nil {
		b.diff = nil
		return d, nil
	}
	cache := b.r.o.opt.Cache
	checked := opt.Digest == b.digest && parseDigest(b.digest.String()).checkable()
	d, ok := (*layer.Diff)(nil), false
	if cache != nil && checked {
		d, ok = cache.Get(b.digest)
	}
	if ok && d.LookedAt(opt.Look) {
		if err := d.Take(opt.Limits.Memory); err != nil {
			return nil, err
		}
	} else {
		b.read.Store(true)
		var err error
		d, err = layer.Read(ctx, layer.Blob{Size: b.size, Stream: b.receive}, opt)
		if err != nil {
			return nil, err
		}
		if cache != nil && checked {
			_ = cache.Put(b.digest, d) // after an error it is downloaded again next time
		}
	}
	return d, nil
}

// stream is the Stream of a layer.Blob. With Verify, the first stream is read for
// the entries, unless list read them. All others are read for content: from the kept
// file, which is downloaded first if necessary, or from the registry if nothing may
// be kept.
func (b *remoteBlob) stream(ctx context.Context) (io.ReadCloser, error) {
	if b.r.o.opt.Verify && !b.read.Swap(true) {
		return b.receive(ctx)
	}
	for {
		if f := b.file(); f != nil {
			return io.NopCloser(f), nil
		}
		if !b.mayKeep() {
			return b.open(ctx)
		}
		select {
		case b.busy <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		err := error(nil)
		if b.file() == nil && b.mayKeep() {
			err = b.fetch(ctx)
		}
		<-b.busy
		if err != nil {
			return nil, err
		}
	}
}

// file returns a reader of the kept file, or nil if there is none.
func (b *remoteBlob) file() *io.SectionReader {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil {
		return nil
	}
	info, err := b.kept.Stat()
	if err != nil {
		return nil
	}
	return io.NewSectionReader(b.kept, 0, info.Size())
}

func (b *remoteBlob) mayKeep() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.full && !b.over && !b.r.o.opt.NoKeep
}

// give keeps f, which holds the whole blob. It closes f if the image is closed or
// the blob is kept already.
func (b *remoteBlob) give(f *os.File) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.kept != nil {
		f.Close()
		return
	}
	b.kept = f
}

// fetch downloads the blob into a temporary file, compares its digest, and keeps the
// file for reading content. If the file can't be written, nothing is kept and fetch
// returns nil.
func (b *remoteBlob) fetch(ctx context.Context) error {
	task := b.r.o.opt.Progress.Start("downloading "+short(b.digest), max(0, b.size))
	defer task.Finish()
	f, err := analyzer.TempFile(b.r.o.opt.Temp)
	if err != nil {
		b.stopKeeping()
		return nil
	}
	src, err := b.open(ctx)
	if err != nil {
		f.Close()
		return err
	}
	defer src.Close()
	sum := b.sum()
	w := &keeper{f: f, quota: b.r.o.limits.Temp}
	out := io.Writer(w)
	if sum != nil {
		out = io.MultiWriter(w, sum)
	}
	_, err = io.CopyBuffer(out, &counter{r: src, n: &task.Read}, make([]byte, 256<<10))
	switch {
	case w.err != nil:
		w.drop()
		b.stopKeeping()
		return nil
	case err != nil:
		w.drop()
		return err
	}
	if sum != nil {
		if got := fmt.Sprintf("%x", sum.Sum(nil)); got != b.digest.Hex {
			w.drop()
			return fmt.Errorf("digest: expected %s, got %s:%s", b.digest, b.digest.Algorithm, got)
		}
	}
	b.give(f)
	return nil
}

func (b *remoteBlob) sum() hash.Hash {
	switch b.digest.Algorithm {
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// stopKeeping records that the disk is full.
func (b *remoteBlob) stopKeeping() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full = true
}

// keeper writes to a temporary file and records the first error.
type keeper struct {
	f     *os.File
	quota *layer.Quota
	taken int64 // bytes taken from quota
	err   error
}

func (k *keeper) Write(p []byte) (n int, err error) {
	if err = k.quota.Take(int64(len(p))); err == nil {
		k.taken += int64(len(p))
		n, err = k.f.Write(p)
	}
	if err != nil {
		k.err = err
	}
	return n, err
}

// drop closes the file, which deletes it, and gives back the quota.
func (k *keeper) drop() {
	k.f.Close()
	k.quota.Give(k.taken)
}

// receive downloads the blob for its entries, and keeps it if content will be read.
func (b *remoteBlob) receive(ctx context.Context) (io.ReadCloser, error) {
	src, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(src, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		src.Close()
		return nil, err
	}
	if err := b.expect(sniff(head[:n])); err != nil {
		src.Close()
		return nil, err
	}
	body := &body{Reader: io.MultiReader(bytes.NewReader(head[:n]), src), Closer: src}
	if !b.r.o.opt.Keep || !b.mayKeep() {
		return body, nil
	}
	f, err := analyzer.TempFile(b.r.o.opt.Temp)
	if err != nil {
		b.stopKeeping()
		return body, nil
	}
	return &teed{b: b, src: body, k: &keeper{f: f, quota: b.r.o.limits.Temp}}, nil
}

type body struct {
	io.Reader
	io.Closer
}

// expect returns an error if form is not possible for this layer.
func (b *remoteBlob) expect(form form) error {
	if b.compressed && (form == formTar || form == formZeros) {
		return fmt.Errorf("it is not compressed, so its digest %s should be its diff ID, which is another", b.digest)
	}
	return form.expectLayer(b.desc.MediaType)
}

// teed reads a blob and copies it to a temporary file, which is kept once it is
// complete. If the disk is full, it stops copying and goes on reading.
type teed struct {
	b   *remoteBlob
	src io.ReadCloser

	mu sync.Mutex // Close may be called while Read blocks
	k  *keeper    // nil once the file is kept or dropped
}

func (t *teed) Read(p []byte) (int, error) {
	n, err := t.src.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.k != nil && n > 0 {
		if _, err := t.k.Write(p[:n]); err != nil {
			t.k.drop()
			t.k = nil
			t.b.stopKeeping()
		}
	}
	if err == io.EOF && t.k != nil {
		t.b.give(t.k.f)
		t.k = nil
	}
	return n, err
}

func (t *teed) Close() error {
	t.mu.Lock()
	if t.k != nil {
		t.k.drop()
		t.k = nil
	}
	t.mu.Unlock()
	return t.src.Close()
}

// open streams the blob from the registry.
func (b *remoteBlob) open(ctx context.Context) (io.ReadCloser, error) {
	if data, ok := b.desc.data(); ok && b.desc.matches(data) == nil {
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	src, err := b.r.repo.Blob(ctx, b.digest, b.size)
	var e *registry.Error
	if where := b.desc.foreign(); where != "" && errors.As(err, &e) && e.Kind == registry.NotFound {
		where, _, _ = strings.Cut(where, "?")
		return nil, fmt.Errorf("it is a foreign layer, which %s doesn't have; it is not fetched from %.200q", e.Host, where)
	}
	return src, err
}

func (b *remoteBlob) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.kept == nil {
		return nil
	}
	err := b.kept.Close()
	b.kept = nil
	return err
}

// short abbreviates a digest for messages.
func short(h v1.Hash) string {
	if len(h.Hex) > 12 {
		return h.Algorithm + ":" + h.Hex[:12] + "…"
	}
	return h.String()
}
