package load

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/layer"
)

// receive reads an archive that can be read only once. It removes every compression
// around the tar, reads the layers while they stream in, and keeps the tar in a
// temporary file without a name. With NoKeep it keeps only what is needed to open
// the image, in memory. size is the size of r, 0 if unknown.
func (o *opening) receive(ctx context.Context, r io.Reader, size int64, name string) (source, error) {
	verb := "receiving "
	if size > 0 {
		verb = "unpacking "
	}
	task := o.opt.Progress.Start(verb+name, size)
	defer task.Finish()
	v := &arrival{o: o, ctx: ctx, raw: &counter{r: r, n: &task.Read}, workers: make(chan struct{}, runtime.GOMAXPROCS(0))}

	// A read of a pipe can't be interrupted. If ctx is canceled, receive returns and
	// leaves the read running; it ends with the next bytes or with the process.
	done := make(chan error, 1)
	go func() { done <- v.read() }()
	select {
	case err := <-done:
		if err != nil {
			v.discard()
			return nil, err
		}
		if v.file != nil {
			o.files = append(o.files, v.file)
		}
		return &v.index, nil
	case <-ctx.Done():
		go func() {
			<-done //nolint:errcheck // the result is not needed
			v.discard()
		}()
		return nil, context.Cause(ctx)
	}
}

// arrival is an archive that streams in.
type arrival struct {
	o   *opening
	ctx context.Context
	raw *counter // the archive as received
	in  io.Reader
	pos int64 // offset in the tar
	// zeros is as in tarInput.
	zeros bool
	index archive

	file    *os.File // nil with NoKeep
	kept    memory   // used instead of file
	workers chan struct{}
	reading sync.WaitGroup
}

// streamed is a layer that is, or was, read while the archive streams in, before
// the manifest said which digests it must have.
type streamed struct {
	mu   sync.Mutex
	diff *layer.Diff // set to nil by list if the layer can be read again
	err  error
	// again is the layer in the temporary file. It is read if the first reading
	// failed or did not compute the digests in the manifest. again.At is nil if
	// nothing is kept; then the layer can't be read a second time.
	again layer.Blob
	// packed reports whether the layer is compressed. Only then are digests compared
	// before diff is used.
	packed bool
}

// list is the List of a layer.Blob.
func (e *streamed) list(ctx context.Context, opt layer.Options) (*layer.Diff, error) {
	e.mu.Lock()
	d := e.diff
	given := d != nil && e.proves(opt)
	if given && e.again.At != nil {
		e.diff = nil
	}
	e.mu.Unlock()
	switch {
	case given:
		return d, nil
	case e.again.At != nil:
		return layer.Read(ctx, e.again, opt)
	case e.err != nil:
		return nil, e.err
	}
	for _, sum := range []struct {
		what      string
		want, got v1.Hash
	}{{"digest", opt.Digest, e.diff.Digest}, {"diff ID", opt.DiffID, e.diff.DiffID}} {
		if sum.got.Algorithm == sum.want.Algorithm && sum.got != sum.want {
			return nil, fmt.Errorf("%s: expected %s, got %s", sum.what, sum.want, sum.got)
		}
	}
	return e.diff, nil
}

// proves reports whether the first reading computed the digest that layer.Read would
// compare. It returns true for an uncompressed layer.
func (e *streamed) proves(opt layer.Options) bool {
	if !e.packed {
		return true
	}
	if opt.Digest != (v1.Hash{}) {
		return e.diff.Digest == opt.Digest
	}
	return e.diff.DiffID == opt.DiffID
}

// inputError is an error of the input that a tar reader reads, as opposed to one of
// the tar itself.
type inputError struct{ error }

func (v *arrival) read() error {
	defer v.reading.Wait()
	stream, closeAll, err := v.o.peel(v.raw)
	defer closeAll()
	if err != nil {
		return err
	}
	v.in = stream
	v.index.streamed = map[int64]*streamed{}
	v.index.memory = v.o.limits.Memory
	if v.o.opt.NoKeep {
		v.index.r = &v.kept
	} else {
		if v.file, err = analyzer.TempFile(v.o.opt.Temp); err != nil {
			return err
		}
		v.index.r = v.file
	}
	if !v.o.opt.Rootfs {
		if err := v.index.index(v.ctx, v, maxEntries, v.visit); err != nil {
			return err
		}
	}
	// Read and ignore everything after the end marker. Otherwise the writer would
	// fail with a closed pipe.
	if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{v}, make([]byte, 1<<20)); err != nil {
		return readError(err)
	}
	v.index.size = v.pos
	return nil
}

func (v *arrival) discard() {
	if v.file != nil {
		v.file.Close()
	}
}

func (v *arrival) at() int64   { return v.pos }
func (v *arrival) ended() bool { return v.zeros }

// Read reads the next bytes of the tar and keeps them.
func (v *arrival) Read(b []byte) (int, error) {
	if err := v.ctx.Err(); err != nil {
		return 0, &inputError{context.Cause(v.ctx)}
	}
	n, err := v.in.Read(b)
	at := v.pos
	v.pos += int64(n)
	if n == 512 {
		v.zeros = [512]byte(b) == [512]byte{}
	}
	if v.file != nil && n > 0 {
		if err := v.o.limits.Temp.Take(int64(n)); err != nil {
			return 0, &inputError{err}
		}
		if w, err := v.file.WriteAt(b[:n], at); err != nil {
			return 0, &inputError{&TempError{Dir: v.o.tempDir(), Written: at + int64(w), Err: analyzer.WithoutPath(err)}}
		}
	}
	if err != nil && err != io.EOF {
		err = &inputError{fmt.Errorf("reading it after %d bytes: %w", v.raw.n.Load(), err)}
	}
	return n, err
}

// visit reads an entry of the archive that looks like a layer: an uncompressed tar
// while it streams in; a compressed one, if it is kept, from the temporary file
// while the rest of the archive streams in. An error is kept until the layer is
// listed: the entry may not be a layer of the image.
func (v *arrival) visit(t *tar.Reader, name string, e entry) error {
	if e.kind != tar.TypeReg || e.size == 0 {
		return nil
	}
	body := bufio.NewReaderSize(t, headSize)
	head, err := body.Peek(int(min(headSize, e.size)))
	if err != nil {
		return readError(err) // index reports the end of the archive
	}
	form := sniff(head)
	isTar, packed := form == formTar || form == formZeros, form.compressed()
	if v.file == nil {
		n := len(head)
		if !isTar && !packed && e.size <= maxDocument && v.kept.size+e.size <= maxDocuments {
			n = int(e.size)
		}
		b := make([]byte, n)
		if _, err := io.ReadFull(body, b); err != nil {
			return readError(err)
		}
		if err := v.o.limits.Memory.Take(int64(len(b))); err != nil {
			return err
		}
		v.kept.add(e.off, b)
		body = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(b), body), headSize)
	}
	if !isTar && !packed || v.o.opt.Verify && v.file != nil {
		return nil
	}
	l := &streamed{packed: packed}
	v.index.streamed[e.off] = l
	if v.file != nil {
		l.again = layer.Blob{At: io.NewSectionReader(v.file, e.off, e.size), Size: e.size}
	}
	opt := layer.Options{Limits: v.o.limits, Look: v.o.opt.Look}
	if packed {
		opt.Digest = parseDigest(promised(name)).hash()
		opt.Sum = v.file == nil || opt.Digest == (v1.Hash{})
	}
	if packed && v.file != nil {
		if _, err := io.CopyBuffer(io.Discard, struct{ io.Reader }{body}, make([]byte, 256<<10)); err != nil {
			return readError(err)
		}
		task := v.o.opt.Progress.Start("reading "+name, e.size)
		opt.Read = &task.Read
		v.reading.Go(func() {
			v.workers <- struct{}{}
			l.diff, l.err = layer.Read(v.ctx, l.again, opt)
			<-v.workers
			task.Finish()
		})
		return nil
	}
	l.diff, l.err = layer.Read(v.ctx, layer.Blob{Size: e.size, Stream: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(body, e.size)), nil
	}}, opt)
	if err := readError(l.err); err != nil {
		return err
	}
	return v.ctx.Err()
}

// promised returns the digest in the name of a layer of an archive, or "".
func promised(name string) string {
	if d := namedDigest(name); d != "" {
		return d
	}
	if d := "sha256:" + path.Base(name); parseDigest(d).checkable() {
		return d // as skopeo names layers in dir:
	}
	return ""
}

// readError returns an error of the input. It returns nil for the end of the
// archive, which index finds itself.
func readError(err error) error {
	var broken *inputError
	if errors.As(err, &broken) {
		return broken.error
	}
	return nil
}

// memory holds the parts of an archive that are kept in memory.
type memory struct {
	parts []part // sorted by offset
	size  int64
}

type part struct {
	at    int64
	bytes []byte
}

func (m *memory) add(at int64, b []byte) {
	m.parts = append(m.parts, part{at, b})
	m.size += int64(len(b))
}

// ErrNotKept is the error of reading content that was not kept.
var ErrNotKept = errors.New("the content streamed by and was not kept")

// ReadAt reads from the part that holds off. It returns ErrNotKept if the part does
// not hold all of b.
func (m *memory) ReadAt(b []byte, off int64) (int, error) {
	i, found := slices.BinarySearchFunc(m.parts, off, func(p part, off int64) int { return cmp.Compare(p.at, off) })
	if !found {
		i--
	}
	if i < 0 || off-m.parts[i].at > int64(len(m.parts[i].bytes)) {
		return 0, ErrNotKept
	}
	n := copy(b, m.parts[i].bytes[off-m.parts[i].at:])
	if n < len(b) {
		return n, ErrNotKept
	}
	return n, nil
}
