package storage

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	tarsplit "github.com/vbatts/tar-split/tar/storage"
)

// Limits for one tar-split, against one that is made to exhaust its reader.
const (
	maxLine    = 16 << 20 // bytes of a record: the library splits what is longer than 1 MiB
	maxRecords = 20_000_000
	ratioFrom  = 1 << 30 // uncompressed bytes from which on maxRatio holds
	maxRatio   = 200     // uncompressed bytes per compressed byte
)

// record is one entry of a tar-split: raw bytes of the tar, or the content of a
// file. Its slices are valid until the next record is read.
type record struct {
	file bool
	name []byte // of the file, as the tar has it
	size int64  // in the tar

	coded []byte // the raw bytes in base64
	plain []byte // or the raw bytes themselves
}

// records reads a tar-split: a line of JSON for each record. The reader of the
// tar-split library takes ten times as long, most of it in encoding/json. This
// one uses encoding/json only for lines that the library would have written in
// another way.
type records struct {
	in     *bufio.Reader
	dec    io.Closer
	packed *counter
	read   int64 // uncompressed bytes
	count  int
	long   []byte
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// newRecords reads a tar-split that is compressed with gzip or, by newer engines,
// with zstd.
func newRecords(r io.Reader) (*records, error) {
	s := &records{packed: &counter{r: r}}
	in := bufio.NewReaderSize(s.packed, 32<<10)
	magic, err := in.Peek(4)
	if err != nil {
		return nil, fmt.Errorf("reading its first bytes: %w", unexpected(err))
	}
	if bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, err
		}
		s.dec, s.in = z.IOReadCloser(), bufio.NewReaderSize(z, 64<<10)
		return s, nil
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, unexpected(err)
	}
	s.dec, s.in = z, bufio.NewReaderSize(z, 64<<10)
	return s, nil
}

// unexpected turns io.EOF into io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (s *records) close() error { return s.dec.Close() }

// next reads a record. After the last one it returns io.EOF.
func (s *records) next(r *record) error {
	line, err := s.line()
	if err != nil {
		if err == io.EOF && len(line) == 0 {
			return io.EOF
		}
		return fmt.Errorf("record %d: %w", s.count, unexpected(err))
	}
	if s.count++; s.count > maxRecords {
		return fmt.Errorf("more than %d records", maxRecords)
	}
	if r.parseUsual(line) {
		return nil
	}
	if err := r.parse(line); err != nil {
		return fmt.Errorf("record %d: %w", s.count-1, err)
	}
	return nil
}

func (s *records) line() ([]byte, error) {
	line, err := s.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		s.long = s.long[:0]
		for err == bufio.ErrBufferFull {
			if s.long = append(s.long, line...); len(s.long) > maxLine {
				return nil, fmt.Errorf("it is longer than %d bytes", maxLine)
			}
			line, err = s.in.ReadSlice('\n')
		}
		s.long = append(s.long, line...)
		line = s.long
	}
	s.read += int64(len(line))
	if s.read > ratioFrom && s.read/maxRatio > s.packed.n {
		return nil, fmt.Errorf("it decompresses to more than %d times its size", maxRatio)
	}
	return line, err
}

var (
	rawHead  = []byte(`{"type":2,"payload":"`)
	fileHead = []byte(`{"type":1,"name":"`)
	sizeKey  = []byte(`,"size":`)
	sumKey   = []byte(`,"payload":`)
	atKey    = []byte(`,"position":`)
	null     = []byte("null")
	lineEnd  = []byte("}\n")
)

// parseUsual parses a line that is written exactly as the library writes it, and
// reports whether it was.
func (r *record) parseUsual(line []byte) bool {
	if rest, ok := bytes.CutPrefix(line, rawHead); ok {
		n := bytes.IndexByte(rest, '"')
		if n < 4 || n%4 != 0 || !endsLine(rest[n+1:]) {
			return false
		}
		coded := rest[:n]
		*r = record{coded: coded, size: int64(n / 4 * 3)}
		for i := n - 1; i >= n-2 && coded[i] == '='; i-- {
			r.size--
		}
		return true
	}
	rest, ok := bytes.CutPrefix(line, fileHead)
	if !ok {
		return false
	}
	n := bytes.IndexByte(rest, '"')
	if n < 0 || !literal(rest[:n]) {
		return false
	}
	*r = record{file: true, name: rest[:n]}
	rest = rest[n+1:]
	if more, ok := bytes.CutPrefix(rest, sizeKey); ok {
		if r.size, rest, ok = number(more); !ok {
			return false
		}
	}
	if rest, ok = bytes.CutPrefix(rest, sumKey); !ok {
		return false
	}
	if more, ok := bytes.CutPrefix(rest, null); ok {
		rest = more
	} else if len(rest) > 13 && rest[0] == '"' && rest[13] == '"' && base64Only(rest[1:13]) {
		rest = rest[14:]
	} else {
		return false
	}
	return endsLine(rest)
}

// literal reports whether a JSON string has no escapes and is valid UTF-8.
func literal(s []byte) bool {
	high := false
	for _, c := range s {
		if c < ' ' || c == '\\' {
			return false
		}
		high = high || c >= utf8.RuneSelf
	}
	return !high || utf8.Valid(s)
}

func base64Only(s []byte) bool {
	var sum [9]byte
	_, err := base64.StdEncoding.Decode(sum[:], s)
	return err == nil
}

// number parses digits without a sign, and returns what follows them.
func number(s []byte) (n int64, rest []byte, ok bool) {
	i := 0
	for ; i < len(s) && i < 18 && '0' <= s[i] && s[i] <= '9'; i++ {
		n = n*10 + int64(s[i]-'0')
	}
	if i == 0 || i > 1 && s[0] == '0' {
		return 0, nil, false
	}
	return n, s[i:], true
}

// endsLine reports whether s is the position of the record, which is not needed,
// and the end of the line.
func endsLine(s []byte) bool {
	s, ok := bytes.CutPrefix(s, atKey)
	if !ok {
		return false
	}
	_, s, ok = number(s)
	return ok && bytes.Equal(s, lineEnd)
}

// parse parses any line that encoding/json accepts.
func (r *record) parse(line []byte) error {
	var e tarsplit.Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return err
	}
	switch e.Type {
	case tarsplit.FileType:
		if e.Size < 0 {
			return fmt.Errorf("the size of a file is %d", e.Size)
		}
		*r = record{file: true, name: e.GetNameBytes(), size: e.Size}
	case tarsplit.SegmentType:
		*r = record{plain: e.Payload, size: int64(len(e.Payload))}
	default:
		return fmt.Errorf("its type is %d", e.Type)
	}
	return nil
}

// raw appends the raw bytes of the record to buf.
func (r *record) raw(buf []byte) ([]byte, error) {
	if r.coded == nil {
		return append(buf, r.plain...), nil
	}
	from := len(buf)
	buf = slices.Grow(buf, int(r.size))[:from+int(r.size)]
	return buf, decode(buf[from:], r.coded)
}

const (
	group = 8          // characters of base64, 6 bytes
	zeros = "AAAAAAAA" // the group of zero bytes
)

var errCoded = errors.New("its base64 is damaged")

// decode decodes base64 into dst. Most of a header is long runs of zeros, which
// it recognises in a fraction of the time that other bytes take.
func decode(dst, coded []byte) error {
	for len(coded) > group {
		n, zero := 0, string(coded[:group]) == zeros
		for n+group < len(coded) && (string(coded[n:n+group]) == zeros) == zero {
			n += group
		}
		m := n / 4 * 3
		if zero {
			clear(dst[:m])
		} else if got, err := base64.StdEncoding.Decode(dst, coded[:n]); err != nil || got != m {
			return errCoded
		}
		dst, coded = dst[m:], coded[n:]
	}
	var last [group]byte
	got, err := base64.StdEncoding.Decode(last[:], coded)
	if err != nil || got != len(dst) {
		return errCoded
	}
	copy(dst, last[:])
	return nil
}
