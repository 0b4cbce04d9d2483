package layer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
)

func sha(p []byte) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sha256.Sum256(p))}
}

func sha5(p []byte) v1.Hash {
	return v1.Hash{Algorithm: "sha512", Hex: fmt.Sprintf("%x", sha512.Sum512(p))}
}

// small returns a tar with a few kinds of entries, and text that compresses
// badly.
func small() []byte {
	body := fmt.Sprintf("%x", sha256.Sum256([]byte("x")))
	return raws(
		raw{name: "d/", flag: '5'},
		raw{flag: 'x', body: records("path", "d/long")}, raw{name: "x", flag: '0', body: body},
		raw{name: "e", flag: '0', body: strings.Repeat(body, 9)},
		raw{name: "l", link: "e", flag: '1'})
}

// TestCut truncates a layer at every byte. No truncated layer may be accepted as
// a complete one.
func TestCut(t *testing.T) {
	step := 1
	if testing.Short() {
		step = 29
	}
	p := small()
	z, s := gz(t, p), zs(t, p)
	ends := len(p) - 2*blockSize // where the end marker begins
	for n := 0; n < len(p); n += step {
		for how, b := range map[string]Blob{"plain": at(p[:n]), "stream": streamed(p[:n])} {
			d, err := Read(t.Context(), b, Options{})
			if n > 0 && err == nil {
				t.Fatalf("%s: cut at %d of %d: %d entries and no error", how, n, len(p), d.Len())
			}
			// The diff ID of the whole tar proves that this one is truncated.
			// The diff ID of this one proves that it was written so.
			if _, err := Read(t.Context(), b, Options{DiffID: sha(p)}); err == nil {
				t.Fatalf("%s: cut at %d passes for the whole", how, n)
			}
			_, err = Read(t.Context(), b, Options{DiffID: sha(p[:n])})
			if n >= ends && n%blockSize == 0 && err != nil {
				t.Fatalf("%s: without an end marker at %d: %v", how, n, err)
			}
		}
	}
	_, b := bz(t)
	for what, z := range map[string][]byte{"gzip": z, "zstd": s, "xz": xzed(t, p), "bzip2": b} {
		for n := 1; n < len(z); n += step {
			for how, b := range map[string]Blob{"at": at(z[:n]), "stream": streamed(z[:n])} {
				if d, err := Read(t.Context(), b, Options{}); err == nil {
					t.Fatalf("%s %s: cut at %d of %d: %d entries and no error", what, how, n, len(z), d.Len())
				}
			}
			b := streamed(z[:n])
			b.Size = int64(len(z))
			if _, err := Read(t.Context(), b, Options{}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("unexpected end after %d of %d bytes", n, len(z))) && n > magicSize {
				t.Fatalf("%s: cut at %d of %d: %v", what, n, len(z), err)
			}
		}
	}
}

// TestFlip flips one bit in each byte. A digest or diff ID must find every flip.
// Without one, a flip must be found in the first header of a plain layer, and
// in a compressed layer wherever it changes the entries.
func TestFlip(t *testing.T) {
	_, bzip2ed := bz(t)
	step := 1
	if testing.Short() {
		step = 29
	}
	p := small()
	for i := 0; i < len(p); i += step {
		q := bytes.Clone(p)
		q[i] ^= 0x04
		if _, err := Read(t.Context(), at(q), Options{DiffID: sha(p), Verify: true}); err == nil {
			t.Fatalf("plain: flip at %d not found by the diff ID", i)
		}
		if _, err := Read(t.Context(), streamed(q), Options{Digest: sha(p)}); err == nil {
			t.Fatalf("stream: flip at %d not found by the digest", i)
		}
		if i < blockSize && i != 155 { // the checksum's last byte is ignored
			if _, err := Read(t.Context(), at(q), Options{}); err == nil {
				t.Fatalf("plain: flip at %d of a header not found", i)
			}
		}
	}
	for what, z := range map[string][]byte{"gzip": gz(t, p), "zstd": zs(t, p), "xz": xzed(t, p), "bzip2": bzip2ed} {
		whole := entries(mustRead(t, at(z), Options{}))
		for i := 0; i < len(z); i += step {
			q := bytes.Clone(z)
			q[i] ^= 0x04
			if _, err := Read(t.Context(), at(q), Options{Digest: sha(z)}); err == nil {
				t.Fatalf("%s: flip at %d not found by the digest", what, i)
			}
			// Some bits mean nothing: the time in gzip's header, unused codes.
			if d, err := Read(t.Context(), at(q), Options{}); err == nil && !slices.Equal(entries(d), whole) {
				t.Fatalf("%s: flip at %d not found", what, i)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	p := small()
	z := gz(t, p)
	bad := bytes.Clone(p)
	bad[512+3] ^= 1
	big := raws(raw{name: "f", flag: '0', body: strings.Repeat("x", 3000)})
	window := zstdFrame(29 - 10)
	damaged := xzed(t, p)
	damaged[len(damaged)/2] ^= 1
	// The header of the first block follows the 12 bytes of the xz file's
	// header. Its last byte before the padding is the dictionary size; 40
	// means 4 GiB.
	hungry := xzed(t, p)
	head := hungry[12 : 12+4*(int(hungry[12])+1)]
	head[bytes.Index(head, []byte{0x21, 0x01})+2] = 40
	binary.LittleEndian.PutUint32(head[len(head)-4:], crc32.ChecksumIEEE(head[:len(head)-4]))
	crowd := raws(slices.Repeat([]raw{{name: "f", flag: '0'}}, 100)...)
	unpacked := Limits{Unpacked: NewQuota(Unpacked, 1000)}
	for _, c := range []struct {
		name string
		b    Blob
		opt  Options
		want string // part of the error
	}{
		{"checksum", at(bad), Options{}, "entry at byte 512: header checksum: expected "},
		{"content cut", at(big[:2000]), Options{}, "entry at byte 0: content of f: unexpected end after 2000 bytes, 1512 of the content are missing"},
		{"content cut, stream", streamed(big[:2000]), Options{}, "entry at byte 0: content of f: unexpected end after 2000 bytes, 1512 of the content are missing"},
		{"no marker", at(p[:len(p)-1024]), Options{}, fmt.Sprintf("unexpected end after %d bytes: there is no end marker and no diff ID", len(p)-1024)},
		{"no marker, wrong diff ID", at(p[:len(p)-1024]), Options{DiffID: sha(p)}, fmt.Sprintf("unexpected end after %d bytes: there is no end marker; diff ID: expected sha256:", len(p)-1024)},
		{"negative", at(corpus(t)["negative"]), Options{}, "entry at byte 0: header: the size is negative (-1)"},
		{"negative pax", at(corpus(t)["pax size"]), Options{}, "entry at byte 1024: extended header: the size is negative"},
		{"2^63", at(corpus(t)["pax huge"]), Options{}, "entry at byte 1024: content of x: unexpected end after"},
		{"not a tar", at([]byte(strings.Repeat("hello world ", 100))), Options{}, "entry at byte 0: header checksum:"},
		{"one byte", at([]byte{'x'}), Options{}, "entry at byte 0: unexpected end after 1 bytes, inside the header"},
		{"digest", at(z), Options{Digest: sha(p)}, fmt.Sprintf("digest: expected %s, got %s", sha(p), sha(z))},
		{"sha512", at(z), Options{Digest: sha5(p)}, fmt.Sprintf("digest: expected %s, got %s", sha5(p), sha5(z))},
		{"diff ID", at(z), Options{DiffID: sha(z), Verify: true}, fmt.Sprintf("diff ID: expected %s, got %s", sha(z), sha(p))},
		{"diff ID alone", at(z), Options{DiffID: sha(z)}, fmt.Sprintf("diff ID: expected %s, got %s", sha(z), sha(p))},
		{"diff ID alone, zstd", streamed(zs(t, p)), Options{DiffID: sha5(z)}, fmt.Sprintf("diff ID: expected %s, got %s", sha5(z), sha5(p))},
		{"diff ID beside a digest of an unknown algorithm", at(z), Options{Digest: v1.Hash{Algorithm: "blake3", Hex: "00"}, DiffID: sha(z)}, fmt.Sprintf("diff ID: expected %s, got %s", sha(z), sha(p))},
		{"diff ID, plain", at(p), Options{DiffID: sha(z), Verify: true}, fmt.Sprintf("diff ID: expected %s, got %s", sha(z), sha(p))},
		{"digest, plain", at(p), Options{Digest: sha(z), Verify: true}, fmt.Sprintf("digest: expected %s, got %s", sha(z), sha(p))},
		{"damaged xz", at(damaged), Options{}, fmt.Sprintf("xz: at about byte %d: the data is damaged", len(damaged))},
		{"xz with a dictionary of 4 GiB", at(hungry), Options{}, "xz: a dictionary of more than 134217728 bytes: over the limit"},
		{"blake3", at(z), Options{Digest: v1.Hash{Algorithm: "blake3", Hex: "00"}, Verify: true}, "digest: can't check blake3:00"},
		{"empty, with a diff ID", at(nil), Options{DiffID: sha(p)}, "diff ID: expected " + sha(p).String()},
		{"garbage after gzip", at(append(bytes.Clone(z), "garbage"...)), Options{}, fmt.Sprintf("gzip: 7 bytes that are not gzip at the end, from byte %d on", len(z))},
		{"second member cut", at(append(bytes.Clone(z), z[:9]...)), Options{}, "gzip: unexpected end after"},
		{"memory", at(crowd), Options{Limits: Limits{Memory: NewQuota(Memory, 10_000)}}, "more than 10000 bytes of memory: over the limit"},
		{"bytes, gzip", at(z), Options{Limits: unpacked}, "gzip: more than 1000 bytes of unpacked data: over the limit"},
		{"bytes, stream", Blob{Size: -1, Stream: streamed(p).Stream}, Options{Limits: unpacked}, "more than 1000 bytes of unpacked data: over the limit"},
		{"window", at(window), Options{}, "zstd: a window of more than 134217728 bytes: over the limit"},
		{"reading", Blob{Size: -1, Stream: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(z[:99]), iotest.ErrReader(errors.New("cable cut")))), nil
		}}, Options{}, "cable cut"},
		{"opening", Blob{Size: -1, Stream: func(context.Context) (io.ReadCloser, error) { return nil, errors.New("no door") }}, Options{}, "no door"},
		{"longer than said", Blob{Size: 700, Stream: streamed(p).Stream}, Options{}, "the blob goes on after its 700 bytes"},
		{"shorter than said", Blob{Size: int64(len(p)) + 1, Stream: streamed(p).Stream}, Options{}, fmt.Sprintf("unexpected end after %d of %d bytes", len(p), len(p)+1)},
		{"file shrank", Blob{Size: 1 << 20, At: bytes.NewReader(p)}, Options{}, "unexpected end after"},
	} {
		d, err := Read(t.Context(), c.b, c.opt)
		if err == nil || d != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
		}
	}
}

// zstdFrame returns a frame header that asks for a window of 2^(10+exp) bytes.
func zstdFrame(exp byte) []byte {
	return append(append([]byte(nil), zstdMagic...), 0, exp<<3, 1, 0, 0)
}

// TestAccepted reads blobs that are unusual but complete.
func TestAccepted(t *testing.T) {
	p := small()
	z := gz(t, p)
	half := len(p) / 2
	skip := append([]byte{0x53, 0x2a, 0x4d, 0x18}, binary.LittleEndian.AppendUint32(nil, 5)...)
	skip = append(skip, "skip!"...)
	wide, _ := zstd.NewWriter(nil, zstd.WithWindowSize(zstdWindow))
	member := append(gz(t, p[:half]), gz(t, p[half:])...)
	for _, c := range []struct {
		name string
		p    []byte
		opt  Options
		n    int    // number of entries
		warn string // text of the only warning
	}{
		{"gzip members", member, Options{}, 4, ""},
		{"an empty member", append(gz(t, nil), z...), Options{}, 4, ""},
		{"zeros after gzip", append(bytes.Clone(z), make([]byte, 3000)...), Options{}, 4, "3000 zeros after the end of the gzip data"},
		{"garbage after gzip, right digest", append(bytes.Clone(z), "xyz"...), Options{Digest: sha(append(bytes.Clone(z), "xyz"...))}, 4, "3 bytes after the end of the gzip data"},
		{"garbage after gzip, right diff ID", append(bytes.Clone(z), "xyz"...), Options{DiffID: sha(p), Verify: true}, 4, "3 bytes after the end of the gzip data"},
		{"zstd", zs(t, p), Options{}, 4, ""},
		{"zstd, skippable first", append(bytes.Clone(skip), zs(t, p)...), Options{}, 4, ""},
		{"zstd, skippable last", append(zs(t, p), skip...), Options{}, 4, ""},
		{"zstd frames", append(append(zs(t, p[:half]), skip...), zs(t, p[half:])...), Options{}, 4, ""},
		{"zstd, widest window", wide.EncodeAll(p, nil), Options{}, 4, ""},
		{"zeros", make([]byte, 1024), Options{}, 0, ""},
		{"nothing", nil, Options{}, 0, ""},
		{"nothing, right diff ID", nil, Options{DiffID: sha(nil)}, 0, ""},
		{"gzip of nothing", gz(t, nil), Options{}, 0, ""},
		{"bytes after the marker", append(bytes.Clone(p), "trailing"...), Options{}, 4, ""},
		{"padded to 10240", append(bytes.Clone(p), make([]byte, 10240-len(p))...), Options{}, 4, ""},
		{"both digests", z, Options{Digest: sha(z), DiffID: sha(p), Verify: true}, 4, ""},
		{"sha512", z, Options{Digest: sha5(z), DiffID: sha5(p), Verify: true}, 4, ""},
		{"unknown algorithm", z, Options{Digest: v1.Hash{Algorithm: "blake3", Hex: "00"}}, 4, ""},
		{"plain, all checked", p, Options{Digest: sha(p), DiffID: sha(p), Verify: true}, 4, ""},
		{"no marker, right digest", p[:len(p)-1024], Options{DiffID: sha(p[:len(p)-1024])}, 4, ""},
		{"no marker, gzip, right digest", gz(t, p[:len(p)-1024]), Options{Digest: sha(gz(t, p[:len(p)-1024]))}, 4, ""},
		{"no marker, gzip, right diff ID", gz(t, p[:len(p)-1024]), Options{DiffID: sha(p[:len(p)-1024])}, 4, ""},
	} {
		for how, b := range map[string]Blob{"at": at(c.p), "stream": streamed(c.p), "size unknown": {At: bytes.NewReader(c.p), Size: -1}, "odd reads": {Size: -1, Stream: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(iotest.DataErrReader(iotest.OneByteReader(bytes.NewReader(c.p)))), nil
		}}} {
			var read atomic.Int64
			c.opt.Read = &read
			d, err := Read(t.Context(), b, c.opt)
			if err != nil {
				t.Errorf("%s, %s: %v", c.name, how, err)
				continue
			}
			if d.Len() != c.n {
				t.Errorf("%s, %s: got %d entries, want %d", c.name, how, d.Len(), c.n)
			}
			if warned := len(d.Warnings) > 0; warned != (c.warn != "") || warned && d.Warnings[0].Text != c.warn {
				t.Errorf("%s, %s: got warnings %v, want %q", c.name, how, d.Warnings, c.warn)
			}
			if read.Load() != int64(len(c.p)) {
				t.Errorf("%s, %s: counted %d bytes of %d", c.name, how, read.Load(), len(c.p))
			}
		}
	}
}

// TestSkipped checks that the content of a plain layer is not read.
func TestSkipped(t *testing.T) {
	p := raws(raw{name: "big", flag: '0', body: strings.Repeat("x", 8<<20)}, raw{name: "z", flag: '0'})
	r := &readCounter{r: bytes.NewReader(p)}
	mustRead(t, Blob{At: r, Size: int64(len(p))}, Options{})
	if r.n > 1<<20 {
		t.Errorf("read %d bytes of %d", r.n, len(p))
	}
}

type readCounter struct {
	r io.ReaderAt
	n int64
}

func (c *readCounter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// TestCancel cancels the reading of a stream that blocks for ever.
func TestCancel(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := Read(ctx, Blob{Size: -1, Stream: func(context.Context) (io.ReadCloser, error) { return r, nil }}, Options{})
		done <- err
	}()
	w.Write(small()[:700])
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := Read(ctx, at(small()), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("plain: got %v, want %v", err, context.Canceled)
	}
}

// zeros returns a gzipped tar with a file of n MiB of zeros.
func zeros(t *testing.T, n int) []byte {
	var all bytes.Buffer
	all.Write(gz(t, raw{name: "zeros", flag: '0', size: fmt.Sprintf("%011o\x00", int64(n)<<20)}.bytes()))
	member := gz(t, make([]byte, 1<<20))
	for range n {
		all.Write(member)
	}
	all.Write(gz(t, make([]byte, 2*blockSize)))
	return all.Bytes()
}

// TestBomb checks that a gzip of zeros is an error as soon as it is over the
// limit, and that without a limit it is read, however well it is compressed.
func TestBomb(t *testing.T) {
	bomb := zeros(t, 64)
	quota := NewQuota(Unpacked, 32<<20)
	_, err := Read(t.Context(), at(bomb), Options{Limits: Limits{Unpacked: quota}})
	var over *QuotaError
	if !errors.As(err, &over) || over.What != Unpacked || over.Most != 32<<20 {
		t.Errorf("got %v", err)
	}
	if used := quota.Used(); used < 31<<20 {
		t.Errorf("it was refused after %d bytes", used)
	}
	if testing.Short() {
		t.Skip("decodes a gigabyte")
	}
	d, err := Read(t.Context(), at(zeros(t, 1200)), Options{})
	if err != nil || d.Stored != 1200<<20 {
		t.Errorf("1200 MiB of zeros: got %v", err)
	}
}

// TestMemory checks that Read takes memory from the quota for the entries of a
// layer, and gives it back if it fails.
func TestMemory(t *testing.T) {
	p := raws(slices.Repeat([]raw{{name: "f", flag: '0'}}, 1000)...)
	quota := NewQuota(Memory, 1<<20)
	opt := Options{Limits: Limits{Memory: quota}}
	for _, b := range []Blob{at(p), at(gz(t, p))} {
		d := mustRead(t, b, opt)
		if least := int64(d.Len()) * entryBytes; d.Memory > quota.Used() || d.Memory < least-takeAt || d.Memory > 2*least {
			t.Errorf("%d bytes for %d entries, %d are taken", d.Memory, d.Len(), quota.Used())
		}
		quota.Give(d.Memory)
		if _, err := Read(t.Context(), at(p[:len(p)-1024]), opt); err == nil || quota.Used() != 0 {
			t.Errorf("got error %v; %d bytes are taken, want none", err, quota.Used())
		}
	}
}
