// Package toc lists a layer of a registry from the table of contents that it
// carries, and reads single files of it, without fetching the whole layer:
// eStargz, and zstd:chunked as containers/storage and as stargz-snapshotter
// write it.
//
// A table is taken only when the manifest vouches for it by an annotation with
// its digest. That binds it to the manifest and not to the tar that engines
// unpack: what it tells is unverified. Whatever is odd about a table is an
// error; the tar itself can always be read.
package toc

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/layer"
)

// The annotations of a layer's descriptor that tell of a table.
const (
	stargzDigest = "containerd.io/snapshot/stargz/toc.digest"
	stargzSize   = "io.containers.estargz.uncompressed-size"

	checksumKey = "zstd-chunked.manifest-checksum"
	positionKey = "zstd-chunked.manifest-position"
	// The one is containers/storage's; the other stargz-snapshotter's, and
	// containers/storage's own until 2022.
	podmanFamily = "io.github.containers."
	stargzFamily = "io.containers."
)

// maxTable is the most bytes of a table, compressed and not; containers/storage
// has the same limit.
const maxTable = 150 << 20

// Place says where a layer's table of contents is and what it must be.
type Place struct {
	// Limits bounds what reading the table takes.
	Limits layer.Limits

	size int64 // of the layer's blob
	// sum is of the table as it stands in the blob, plain of what it unpacks
	// to; either may be zero.
	sum, plain v1.Hash
	// off, n and unpacked are the table's; n is 0 when the blob's footer tells.
	off, n, unpacked int64
	// tarSize is how long the layer's tar is, or 0.
	tarSize int64
}

// Find looks for a table of contents in the annotations of a layer's
// descriptor, which says that the blob has size bytes. It is nil when there is
// none.
func Find(annotations map[string]string, size int64) (*Place, error) {
	toc, podman, stargz := annotations[stargzDigest], annotations[podmanFamily+checksumKey], annotations[stargzFamily+checksumKey]
	family := stargzFamily
	switch {
	case toc == "" && podman == "" && stargz == "":
		return nil, nil
	case podman != "" && (stargz != "" || toc != ""):
		return nil, errors.New("finding the table of contents: there are annotations of two kinds of table")
	case podman != "":
		family = podmanFamily
	}
	p := &Place{size: size}
	var err error
	if podman == "" && stargz == "" {
		p.tarSize, _ = strconv.ParseInt(annotations[stargzSize], 10, 64)
		p.tarSize = max(0, p.tarSize)
	} else {
		if p.sum, err = digest(annotations[family+checksumKey]); err != nil {
			return nil, fmt.Errorf("finding the table of contents: %w", err)
		}
		if err := p.position(annotations[family+positionKey]); err != nil {
			return nil, fmt.Errorf("finding the table of contents: %w", err)
		}
	}
	if toc != "" {
		if p.plain, err = digest(toc); err != nil {
			return nil, fmt.Errorf("finding the table of contents: %w", err)
		}
	}
	return p, nil
}

// position reads "offset:length:unpacked length:type".
func (p *Place) position(s string) error {
	var n [4]int64
	parts := strings.Split(s, ":")
	bad := fmt.Errorf("its position is %q", s)
	if len(parts) != len(n) {
		return bad
	}
	for i, part := range parts {
		var err error
		if n[i], err = strconv.ParseInt(part, 10, 64); err != nil || n[i] <= 0 {
			return bad
		}
	}
	if n[3] != 1 {
		return fmt.Errorf("it is of type %d, which nobody knows", n[3])
	}
	p.off, p.n, p.unpacked = n[0], n[1], n[2]
	if p.unpacked > maxTable {
		return fmt.Errorf("it unpacks to %d bytes, more than %d", p.unpacked, maxTable)
	}
	return p.inside()
}

// inside reports whether the table lies in the blob and within the limits.
func (p *Place) inside() error {
	switch {
	case p.n > maxTable:
		return fmt.Errorf("it has %d bytes, more than %d", p.n, maxTable)
	case p.off < 0 || p.n <= 0 || p.off > p.size || p.n > p.size-p.off:
		return fmt.Errorf("it is at byte %d with %d bytes, the layer has %d", p.off, p.n, p.size)
	}
	return nil
}

func digest(s string) (v1.Hash, error) {
	h, err := v1.NewHash(s)
	if err != nil || h.Algorithm != "sha256" {
		return v1.Hash{}, fmt.Errorf("%q is no sha256 digest", s)
	}
	return h, nil
}

// The footers of an eStargz blob: an empty gzip member whose header has a field
// of its own. Blobs made before eStargz had that name have the shorter one.
const (
	footerSize = 51
	legacySize = 47
	footerText = "STARGZ"
)

// footer reads the position of the table from the last bytes of the blob.
func (p *Place) footer(b []byte) error {
	const (
		head  = "\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff"
		field = len("0123456789abcdef" + footerText)
		tail  = "\x01\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"
	)
	bad := errors.New("the layer does not end with the footer of a table of contents")
	if len(b) != footerSize {
		return bad
	}
	size, extra := footerSize, head+"\x1a\x00SG\x16\x00"
	if string(b[:len(extra)]) != extra {
		size, extra = legacySize, head+"\x16\x00"
		if b = b[footerSize-legacySize:]; string(b[:len(extra)]) != extra {
			return bad
		}
	}
	text, ok := strings.CutSuffix(string(b[len(extra):len(extra)+field]), footerText)
	if !ok || string(b[len(extra)+field:]) != tail {
		return bad
	}
	off, err := strconv.ParseInt(text, 16, 64)
	if err != nil {
		return bad
	}
	p.off, p.n = off, p.size-int64(size)-off
	return p.inside()
}
