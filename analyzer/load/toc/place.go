// Package toc lists a layer in a registry from the layer's table of contents, and
// reads single files, without downloading the whole layer. It supports eStargz, and
// zstd:chunked as containers/storage and stargz-snapshotter write it.
//
// A table is used only if an annotation in the manifest has its digest. The digest
// binds the table to the manifest, but not to the tar that engines unpack, so the
// table's contents are unverified. Anything unexpected in a table is an error: the
// caller can still read the tar.
package toc

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/layer"
)

// Annotations of a layer's descriptor that describe a table.
const (
	stargzDigest = "containerd.io/snapshot/stargz/toc.digest"
	stargzSize   = "io.containers.estargz.uncompressed-size"

	checksumKey = "zstd-chunked.manifest-checksum"
	positionKey = "zstd-chunked.manifest-position"
	// Prefixes of the two keys. containers/storage writes podmanFamily, and wrote
	// stargzFamily until 2022; stargz-snapshotter writes stargzFamily.
	podmanFamily = "io.github.containers."
	stargzFamily = "io.containers."
)

// maxTable bounds the bytes of a table, both compressed and decompressed.
// containers/storage has the same limit.
const maxTable = 150 << 20

// Place says where a layer's table of contents is and what it must be.
type Place struct {
	// Limits bounds the memory that reading the table takes.
	Limits layer.Limits

	size int64 // of the layer's blob
	// sum is the digest of the compressed table, plain that of its JSON. Either
	// may be zero.
	sum, plain v1.Hash
	// The table's offset and length in the blob, and its decompressed length. n is
	// 0 if the position is in the blob's footer.
	off, n, unpacked int64
	// tarSize is the size of the layer's tar, 0 if unknown.
	tarSize int64
}

// Find returns the place of the table of contents that the annotations of a layer's
// descriptor name, nil if they name none. size is the size of the blob.
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
		return fmt.Errorf("it is of type %d, which is unknown", n[3])
	}
	p.off, p.n, p.unpacked = n[0], n[1], n[2]
	if p.unpacked > maxTable {
		return fmt.Errorf("it unpacks to %d bytes, more than %d", p.unpacked, maxTable)
	}
	return p.inside()
}

// inside returns an error unless the table is inside the blob and not too large.
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

// The footer of an eStargz blob is an empty gzip member with an extra field in its
// header. Blobs of the older stargz format have the shorter footer.
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
