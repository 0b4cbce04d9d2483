package advice

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"fathom/analyzer/layer"
)

// The limits for reading the members of one archive. They keep the time for an image
// of many archives below that for reading it.
const (
	leastArchive = 1 << 20   // bytes of an archive
	maxUnpacked  = 512 << 10 // bytes that are unpacked of it
	maxWindow    = 16 << 20  // bytes of memory for unpacking
	maxMembers   = 16        // that are kept
	maxHeaders   = 64        // of members that are read
	maxMember    = 255       // bytes of a member's name
	maxListing   = 1 << 10   // bytes of all names
)

// archiveKind is a kind of archive.
type archiveKind struct {
	name  string // also the option of tar that unpacks it from a pipe
	at    int    // where its magic is
	magic string
	open  func(io.Reader) (io.Reader, error) // of the tar in it; nil for a zip
}

const zipKind = "zip"

func archiveKinds() []archiveKind {
	// A decoder takes longer to make than to decode the start of an archive.
	var decoders sync.Pool
	return []archiveKind{
		{"-z", 0, "\x1f\x8b\x08", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
		{"-J", 0, "\xfd7zXZ\x00", func(r io.Reader) (io.Reader, error) { return xz.NewReader(r, maxWindow) }},
		{"-j", 0, "BZh", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
		{"--zstd", 0, "\x28\xb5\x2f\xfd", func(r io.Reader) (io.Reader, error) {
			z, _ := decoders.Get().(*zstd.Decoder)
			var err error
			if z == nil {
				z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(maxWindow))
			}
			if err == nil {
				err = z.Reset(r)
			}
			return &pooled{z, &decoders}, err
		}},
		{"", 257, "ustar", func(r io.Reader) (io.Reader, error) { return r, nil }},
		{zipKind, 0, "PK\x03\x04", nil},
	}
}

// pooled is a decoder that goes back to its pool when it is closed.
type pooled struct {
	*zstd.Decoder
	pool *sync.Pool
}

func (p *pooled) Close() error {
	err := p.Reset(nil)
	p.pool.Put(p.Decoder)
	return err
}

// neededArchives are the endings of archives that are used as they are.
var neededArchives = []string{
	".jar", ".war", ".ear", ".aar", ".whl", ".egg", ".pyz", ".apk", ".nupkg", ".gem", ".xpi", ".crx", ".conda", ".vsix",
	".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".epub", ".npz", ".pt", ".pth", ".keras",
}

// neededMembers are members of archives that are used as they are, whatever the
// archive is called.
var neededMembers = []string{"META-INF/MANIFEST.MF", "[Content_Types].xml", "mimetype", ".PKGINFO", "metadata.gz"}

func archiveLooker() *layer.Looker {
	kinds := archiveKinds()
	kind := func(head []byte) *archiveKind {
		i := slices.IndexFunc(kinds, func(k archiveKind) bool {
			return len(head) >= k.at && bytes.HasPrefix(head[k.at:], []byte(k.magic))
		})
		if i < 0 {
			return nil
		}
		return &kinds[i]
	}
	return &layer.Looker{
		Name: "archive 1", Min: leastArchive,
		Wants: func(name string) bool { return !slices.Contains(neededArchives, strings.ToLower(path.Ext(name))) },
		Sniff: func(head []byte) bool { return kind(head) != nil },
		Look: func(_ string, s *layer.Sample) []string {
			k := kind(s.Head)
			members := tarMembers
			if k.open == nil {
				members = zipMembers
			}
			l := listing{kind: k.name}
			members(s, k, &l)
			if l.needed || len(l.members) == 0 {
				return nil
			}
			return []string{l.String()}
		},
	}
}

// member is a file in an archive.
type member struct {
	name string // clean
	size int64
}

// listing is what is known of an archive: its kind and its first files.
type listing struct {
	kind    string
	members []member
	bytes   int  // of their names
	needed  bool // the archive is used as it is
}

// add adds a file, unless its name says nothing. It reports whether there is room for
// more.
func (l *listing) add(name string, size int64) bool {
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	l.needed = l.needed || slices.Contains(neededMembers, clean) || strings.Contains(clean, ".dist-info/")
	outside := strings.HasPrefix(path.Clean(strings.TrimLeft(name, "/")), "..")
	if size <= 0 || clean == "" || outside || len(clean) > maxMember || strings.Contains(clean, "\x00") {
		return true
	}
	if l.bytes += len(clean); l.bytes > maxListing {
		return false
	}
	l.members = append(l.members, member{clean, size})
	return len(l.members) < maxMembers
}

// String returns the listing in the form that parseListing reads.
func (l *listing) String() string {
	fields := []string{l.kind}
	for _, m := range l.members {
		fields = append(fields, strconv.FormatInt(m.size, 10), m.name)
	}
	return strings.Join(fields, "\x00")
}

func parseListing(s string) listing {
	kind, rest, _ := strings.Cut(s, "\x00")
	l := listing{kind: kind}
	for rest != "" {
		var size, name string
		size, rest, _ = strings.Cut(rest, "\x00")
		name, rest, _ = strings.Cut(rest, "\x00")
		if n, err := strconv.ParseInt(size, 10, 64); err == nil {
			l.members = append(l.members, member{name, n})
		}
	}
	return l
}

// tarMembers adds the files at the start of a tar.
func tarMembers(s *layer.Sample, k *archiveKind, l *listing) {
	r, err := k.open(bytes.NewReader(s.Head))
	if err != nil {
		return
	}
	if c, ok := r.(io.Closer); ok {
		defer c.Close()
	}
	t := tar.NewReader(io.LimitReader(r, maxUnpacked))
	for n, more := 0, true; more && n < maxHeaders; n++ {
		h, err := t.Next()
		if err != nil {
			return // also where the sample ends
		}
		if h.Typeflag == tar.TypeReg {
			more = l.add(h.Name, h.Size)
		}
	}
}

// zipMembers adds the first files of the directory at the end of a zip. It leaves
// alone what has a directory in the newer form, for more than 65,534 members.
func zipMembers(s *layer.Sample, _ *archiveKind, l *listing) {
	const (
		endSize, fileSize       = 22, 46
		endMagic, fileMagic     = "PK\x05\x06", "PK\x01\x02"
		maxComment              = 1<<16 - 1
		dirSize, size           = 12, 24 // where they are in the end, and in the entry of a file
		nameLen, extra, comment = 28, 30, 32
	)
	p := s.Tail
	if len(p) == 0 {
		p = s.Head
	}
	end := bytes.LastIndex(p[max(0, len(p)-endSize-maxComment):], []byte(endMagic))
	if end < 0 {
		return
	}
	end += max(0, len(p)-endSize-maxComment)
	if end+endSize > len(p) {
		return
	}
	n := int64(binary.LittleEndian.Uint32(p[end+dirSize:]))
	if n > int64(end) {
		return
	}
	p = p[int64(end)-n : end]
	for more := true; more && len(p) >= fileSize && bytes.HasPrefix(p, []byte(fileMagic)); {
		number := func(at int) int { return int(binary.LittleEndian.Uint16(p[at:])) }
		next := fileSize + number(nameLen) + number(extra) + number(comment)
		if next > len(p) {
			return
		}
		more = l.add(string(p[fileSize:fileSize+number(nameLen)]), int64(binary.LittleEndian.Uint32(p[size:])))
		p = p[next:]
	}
}
