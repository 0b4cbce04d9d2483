package layer

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// encoding is the compression of a tar in a blob.
type encoding uint8

const (
	tarPlain encoding = iota
	tarGzip
	tarZstd
	tarXz
	tarBzip2
)

// magicSize is how many bytes sniff looks at.
const magicSize = 10

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	// The magic of a skippable frame, after a first byte from 0x50 to 0x5f.
	zstdSkip = []byte{0x2a, 0x4d, 0x18}
	xzMagic  = []byte("\xfd7zXZ\x00")
	// The start of a bzip2 file's first block, or of its end. The first three
	// bytes of the file alone could be the name of a tar's first entry.
	bzip2Block = []byte("1AY&SY")
	bzip2End   = []byte("\x17rE8P\x90")
)

// sniff recognises the encoding by the first bytes of the blob, because names
// and media types may be wrong.
func sniff(b []byte) encoding {
	switch {
	case bytes.HasPrefix(b, gzipMagic):
		return tarGzip
	case bytes.HasPrefix(b, zstdMagic), len(b) >= 4 && b[0]&0xf0 == 0x50 && bytes.Equal(b[1:4], zstdSkip):
		return tarZstd
	case bytes.HasPrefix(b, xzMagic):
		return tarXz
	case len(b) >= magicSize && string(b[:3]) == "BZh" && (bytes.Equal(b[4:10], bzip2Block) || bytes.Equal(b[4:10], bzip2End)):
		return tarBzip2
	}
	return tarPlain
}

// decoder reads the tar in a compressed blob. It returns io.EOF only at the proper
// end of the compressed data.
type decoder struct {
	name  string
	br    *bufio.Reader
	feed  *feed
	quota *Quota // the output is taken from it
	gz    *GzipReader
	zs    *zstd.Decoder
	r     io.Reader // of the other encodings
	err   error
}

func newDecoder(enc encoding, br *bufio.Reader, f *feed, quota *Quota) (*decoder, error) {
	d := &decoder{br: br, feed: f, quota: quota}
	var err error
	switch enc {
	case tarGzip:
		d.name = "gzip"
		d.gz, err = NewGzipReader(br)
	case tarXz:
		d.name = "xz"
		d.r, err = xz.NewReader(br, xzDictionary)
	case tarBzip2:
		d.name = "bzip2"
		d.r = bzip2.NewReader(br)
	default:
		d.name = "zstd"
		// More than one goroutine would take 45 % more CPU time and save nothing:
		// layers are decoded in parallel.
		d.zs, err = zstd.NewReader(br, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecoderMaxMemory(zstdWindow))
	}
	if err != nil {
		return nil, d.wrap(err)
	}
	return d, nil
}

func (d *decoder) close() {
	if d.zs != nil {
		d.zs.Close()
	}
}

// wrap adds the offset in the blob to an error of the compressed data.
func (d *decoder) wrap(err error) error {
	at := d.feed.taken - int64(d.br.Buffered())
	switch {
	case d.feed.ctx.Err() != nil:
		return d.feed.ctx.Err()
	case d.feed.over() != nil && d.feed.err != io.EOF:
		return d.feed.err // the blob could not be read to its end
	case err == io.EOF, err == io.ErrUnexpectedEOF, err == xz.ErrBuf:
		return fmt.Errorf("%s: unexpected end after %d bytes", d.name, at)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fmt.Errorf("zstd: a window of more than %d bytes: over the limit", int64(zstdWindow))
	case err == xz.ErrMemlimit:
		return fmt.Errorf("xz: a dictionary of more than %d bytes: over the limit", xzDictionary)
	case err == xz.ErrData:
		err = errors.New("the data is damaged")
	}
	return fmt.Errorf("%s: at about byte %d: %w", d.name, at, err)
}

func (d *decoder) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	var n int
	var err error
	switch {
	case d.gz != nil:
		n, err = d.gz.Read(p)
	case d.zs != nil:
		n, err = d.zs.Read(p)
	default:
		n, err = d.r.Read(p)
	}
	if err == nil {
		err = d.count(n)
	} else {
		err = d.ended(err)
	}
	d.err = err
	return n, err
}

// count takes n bytes of output from the quota.
func (d *decoder) count(n int) error {
	if err := d.quota.Take(int64(n)); err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	return nil
}

// ended returns the error at the end of the output: io.EOF if it is complete.
func (d *decoder) ended(err error) error {
	switch {
	case err != io.EOF:
		return d.wrap(err)
	case d.feed.over() != nil && d.feed.err != io.EOF:
		return d.feed.err // zstd takes an error between frames for the end
	}
	return err
}

// errStopped ends WriteTo if the consumer of buffers stops.
var errStopped = errors.New("stopped")

// buffers yields the output of gzip and zstd in the decoder's own buffers,
// without a copy. A buffer is valid until the next one. After the last one it
// yields an error, which is io.EOF if the output is complete.
func (d *decoder) buffers(yield func([]byte, error) bool) {
	var refused error // errStopped, or the error of the quota
	out := writerFunc(func(p []byte) error {
		if refused = d.count(len(p)); refused == nil && len(p) > 0 && !yield(p, nil) {
			refused = errStopped
		}
		return refused
	})
	var err error
	if d.gz != nil {
		_, err = d.gz.WriteTo(out)
	} else {
		_, err = d.zs.WriteTo(out)
	}
	if err == nil {
		err = io.EOF
	}
	switch {
	case refused == errStopped:
		return
	case refused != nil:
		yield(nil, refused)
	default:
		yield(nil, d.ended(err))
	}
}

type writerFunc func([]byte) error

func (w writerFunc) Write(p []byte) (int, error) {
	if err := w(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
