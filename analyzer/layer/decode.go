package layer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// encoding is how a blob holds its tar.
type encoding uint8

const (
	tarPlain encoding = iota
	tarGzip
	tarZstd
)

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
	// A frame to be skipped, with any first byte from 0x50 to 0x5f.
	zstdSkip = []byte{0x2a, 0x4d, 0x18}
)

// sniff tells the encoding by the first bytes; names and media types lie.
func sniff(b []byte) encoding {
	switch {
	case bytes.HasPrefix(b, gzipMagic):
		return tarGzip
	case bytes.HasPrefix(b, zstdMagic), len(b) >= 4 && b[0]&0xf0 == 0x50 && bytes.Equal(b[1:4], zstdSkip):
		return tarZstd
	}
	return tarPlain
}

// decoder is the tar inside of a compressed blob. It ends with io.EOF only
// where the compressed data ended properly.
type decoder struct {
	name string
	br   *bufio.Reader
	feed *feed
	max  int64
	out  int64
	gz   *gzip.Reader
	zs   *zstd.Decoder
	err  error
	// tail is how many bytes follow the last gzip member, zeros whether they
	// are only that.
	tail  int64
	zeros bool
}

func newDecoder(enc encoding, br *bufio.Reader, f *feed, limit int64) (*decoder, error) {
	d := &decoder{br: br, feed: f, max: limit, zeros: true}
	var err error
	if enc == tarGzip {
		d.name = "gzip"
		if d.gz, err = gzip.NewReader(br); err == nil {
			d.gz.Multistream(false)
		}
	} else {
		d.name = "zstd"
		// One goroutine: more cost 45 % more time together and win nothing,
		// layers are decoded side by side.
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

// wrap says where in the blob the compressed data is wrong.
func (d *decoder) wrap(err error) error {
	at := d.feed.taken - int64(d.br.Buffered())
	switch {
	case d.feed.ctx.Err() != nil:
		return d.feed.ctx.Err()
	case d.feed.over() != nil && d.feed.err != io.EOF:
		return d.feed.err // the blob could not be read to its end
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return fmt.Errorf("%s: unexpected end after %d bytes", d.name, at)
	case errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return fmt.Errorf("zstd: a window of more than %d bytes: over the limit", int64(zstdWindow))
	}
	return fmt.Errorf("%s: at about byte %d: %w", d.name, at, err)
}

func (d *decoder) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	var n int
	var err error
	if d.gz != nil {
		n, err = d.gunzip(p)
	} else {
		n, err = d.zs.Read(p)
	}
	d.out += int64(n)
	switch {
	case err == nil && d.out > d.max:
		err = fmt.Errorf("%s: more than %d bytes uncompressed: over the limit for one layer", d.name, d.max)
	case err == nil && d.out > ratioFrom && d.out/ratio > d.feed.taken:
		err = fmt.Errorf("%s: %d bytes uncompressed from %d, more than %d:1: over the limit for one layer", d.name, d.out, d.feed.taken, ratio)
	case err == io.EOF && d.feed.over() != nil && d.feed.err != io.EOF:
		err = d.feed.err // zstd takes an error between frames for the end
	case err != nil && err != io.EOF:
		err = d.wrap(err)
	}
	d.err = err
	return n, err
}

// gunzip reads member after member. What follows the last and is no member is
// counted and passed over; whether that is acceptable is not decided here.
func (d *decoder) gunzip(p []byte) (int, error) {
	for {
		n, err := d.gz.Read(p)
		if err == nil || n > 0 && err == io.EOF {
			return n, nil
		}
		if err != io.EOF {
			return n, err
		}
		next, err := d.br.Peek(len(gzipMagic))
		if bytes.Equal(next, gzipMagic) {
			if err := d.gz.Reset(d.br); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return 0, err
			}
			d.gz.Multistream(false)
			continue
		}
		if len(next) == 0 {
			return 0, err
		}
		return 0, d.passTail()
	}
}

func (d *decoder) passTail() error {
	for {
		next, err := d.br.Peek(1)
		if len(next) == 0 {
			return err
		}
		next, _ = d.br.Peek(d.br.Buffered())
		d.tail += int64(len(next))
		for _, c := range next {
			d.zeros = d.zeros && c == 0
		}
		d.br.Discard(len(next))
	}
}
