package load

import (
	"bufio"

	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"fathom/analyzer/layer"
)

const (
	headSize     = 1 << 10
	maxLevels    = 2         // of compression within compression
	xzDictionary = 128 << 20 // bytes: twice what xz -9 takes
)

// peel decompresses a stream, several times over where needed, until it is a tar.
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
			return r, closeAll, o.expectTar(head)
		}
		if level == maxLevels {
			return nil, closeAll, fmt.Errorf("it is compressed more than %d times over", maxLevels)
		}
		next, closer, err := o.decompress(form, r)
		if err != nil {
			return nil, closeAll, undecoded(form, err)
		}
		if closer != nil {
			closers = append(closers, closer)
		}
		r = bufio.NewReaderSize(&decoding{next, form, o.limits.Unpacked}, 1<<18)
	}
}

func (o *opening) decompress(form form, r *bufio.Reader) (io.Reader, func(), error) {
	switch form {
	case formGzip:
		z, err := layer.NewGzipReader(r)
		return &gzipArchive{z, o.warn}, nil, err
	case formZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case formXz:
		z, err := xz.NewReader(r, xzDictionary)
		return z, nil, err
	}
	return bzip2.NewReader(r), nil, nil
}

// gzipArchive reads an archive in gzip. Zeros at its end, with which some tools
// pad it, are a warning; any other bytes are an error.
type gzipArchive struct {
	*layer.GzipReader
	warn func(string, ...any)
}

func (a *gzipArchive) Read(p []byte) (int, error) {
	n, err := a.GzipReader.Read(p)
	if err == io.EOF && a.NonZero {
		return n, errors.New("other bytes follow the gzip stream")
	}
	if err == io.EOF && a.Trailing > 0 {
		a.warn("%d zero bytes follow the gzip stream", a.Trailing)
	}
	return n, err
}

// decoding names the compression in its errors, and counts the output.
type decoding struct {
	r     io.Reader
	form  form
	quota *layer.Quota // for what comes out
}

func (d *decoding) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	if over := d.quota.Take(int64(n)); over != nil {
		return 0, over
	}
	if err != nil && err != io.EOF {
		err = undecoded(d.form, err)
	}
	return n, err
}

// undecoded returns the error for compressed data that can't be read.
func undecoded(form form, err error) error {
	switch err {
	case io.ErrUnexpectedEOF, xz.ErrBuf:
		err = errors.New("it ends in the middle")
	case xz.ErrData:
		err = errors.New("its data is damaged")
	case xz.ErrMemlimit:
		err = &LimitError{What: "its dictionary", Limit: xzDictionary, Unit: "bytes"}
	}
	return fmt.Errorf("decompressing %s: %w", form, err)
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

func (o *opening) tempDir() string {
	if o.opt.Temp != "" {
		return o.opt.Temp
	}
	return os.TempDir()
}
