package load

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

const (
	headSize        = 1 << 10
	maxLevels       = 2 // compression within compression
	defaultMaxSpool = 64 << 30
	// Above bombFloor an archive that unpacks to more than bombRatio times
	// its size is taken for a bomb.
	bombFloor = 1 << 30
	bombRatio = 200
)

// unpack decompresses r as often as it is compressed, keeps the tar in a
// temporary file that has no name, and indexes it. size is r's, 0 if unknown.
func (o *opening) unpack(ctx context.Context, r io.Reader, size int64, name string) (source, error) {
	verb := "receiving "
	if size > 0 {
		verb = "unpacking "
	}
	task := o.opt.Progress.Start(verb+name, size)
	defer task.Finish()
	in := &counter{r: r, n: &task.Read}

	// A read of a pipe can't be interrupted. On a cancelled context the copy
	// is left behind: it ends with the next bytes, or with the process.
	type result struct {
		f    *os.File
		size int64
		err  error
	}
	done := make(chan result, 1)
	go func() {
		f, size, err := o.spool(ctx, in)
		done <- result{f, size, err}
	}()
	var res result
	select {
	case res = <-done:
	case <-ctx.Done():
		go func() {
			if res := <-done; res.f != nil {
				res.f.Close()
			}
		}()
		return nil, ctx.Err()
	}
	if res.err != nil {
		return nil, res.err
	}
	o.files = append(o.files, res.f)
	a, err := index(ctx, res.f, res.size, maxEntries)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// spool writes the tar that is in r to a temporary file.
func (o *opening) spool(ctx context.Context, in *counter) (*os.File, int64, error) {
	stream, closeAll, err := o.peel(in)
	defer closeAll()
	if err != nil {
		return nil, 0, err
	}
	f, err := temporary(o.opt.Temp)
	if err != nil {
		return nil, 0, err
	}
	n, err := o.copy(ctx, f, stream, in)
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, n, nil
}

// peel takes the compressions off a stream until a tar shows.
func (o *opening) peel(in io.Reader) (io.Reader, func(), error) {
	var closers []func()
	closeAll := func() {
		for _, c := range closers {
			c()
		}
	}
	r := bufio.NewReaderSize(in, 1<<20)
	for level := 0; ; level++ {
		head, err := r.Peek(headSize)
		if err != nil && err != io.EOF {
			return nil, closeAll, fmt.Errorf("reading its first bytes: %w", err)
		}
		form := sniff(head)
		if !form.compressed() {
			return r, closeAll, expectTar(head)
		}
		if level == maxLevels {
			return nil, closeAll, fmt.Errorf("it is compressed more than %d times over", maxLevels)
		}
		next, closer, err := o.decompress(form, r)
		if err != nil {
			return nil, closeAll, fmt.Errorf("decompressing %s: %w", form, err)
		}
		if closer != nil {
			closers = append(closers, closer)
		}
		r = bufio.NewReaderSize(&decoding{next, form}, 1<<18)
	}
}

func (o *opening) decompress(form form, r *bufio.Reader) (io.Reader, func(), error) {
	switch form {
	case formGzip:
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, nil, err
		}
		z.Multistream(false)
		return &members{z: z, r: r, warn: o.warn}, nil, nil
	case formZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case formXz:
		z, err := xz.NewReader(r)
		return z, nil, err
	}
	return bzip2.NewReader(r), nil, nil
}

// members reads a gzip file of several members, and the zeros that some tools
// pad it with. (A gzip.Reader takes anything behind a member for a broken one.)
type members struct {
	z    *gzip.Reader
	r    *bufio.Reader
	warn func(string, ...any)
}

func (m *members) Read(b []byte) (int, error) {
	for {
		n, err := m.z.Read(b)
		if n > 0 || err != io.EOF {
			if err == io.EOF {
				err = nil
			}
			return n, err
		}
		head, err := m.r.Peek(3)
		if len(head) == 0 {
			return 0, err
		}
		if sniff(head) != formGzip {
			return 0, m.padding()
		}
		if err := m.z.Reset(m.r); err != nil {
			return 0, err
		}
		m.z.Multistream(false)
	}
}

// padding reads what stands behind the last member.
func (m *members) padding() error {
	buf := make([]byte, 32<<10)
	for total := 0; ; {
		n, err := m.r.Read(buf)
		total += n
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return errors.New("other bytes follow the compressed ones")
		}
		if err == io.EOF {
			m.warn("%d zero bytes follow the gzip stream", total)
			return io.EOF
		}
		if err != nil {
			return err
		}
	}
}

// decoding says in its errors what was being decompressed.
type decoding struct {
	r    io.Reader
	form form
}

func (d *decoding) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	if err == io.ErrUnexpectedEOF {
		err = errors.New("it ends in the middle")
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("decompressing %s: %w", d.form, err)
	}
	return n, err
}

// counter counts the bytes read through it.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// temporary is a file that has lost its name already: nothing is left of it,
// however the process ends.
func temporary(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	f, err := os.CreateTemp(dir, "fathom-")
	if err != nil {
		return nil, &TempError{Dir: dir, Err: reason(err)}
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, &TempError{Dir: dir, Err: reason(err)}
	}
	return f, nil
}

func (o *opening) copy(ctx context.Context, f *os.File, r io.Reader, in *counter) (int64, error) {
	limit := o.opt.MaxSpool
	if limit <= 0 {
		limit = defaultMaxSpool
	}
	buf := make([]byte, 1<<20)
	var total int64
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := r.Read(buf)
		total += int64(n)
		if total > limit {
			return total, &LimitError{What: "what it unpacks to", Limit: limit, Unit: "bytes"}
		}
		if total > bombFloor && total/bombRatio > in.n.Load() {
			return total, &LimitError{What: "its compression", Limit: bombRatio, Unit: "to 1"}
		}
		if w, err := f.Write(buf[:n]); err != nil {
			return total, &TempError{Dir: o.tempDir(), Written: total - int64(n) + int64(w), Err: reason(err)}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, fmt.Errorf("reading it after %d bytes: %w", in.n.Load(), err)
		}
	}
}

func (o *opening) tempDir() string {
	if o.opt.Temp != "" {
		return o.opt.Temp
	}
	return os.TempDir()
}
