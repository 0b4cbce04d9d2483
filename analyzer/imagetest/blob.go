package imagetest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/zstd"

	"fathom/analyzer"
	"fathom/analyzer/layer"
)

// Compression is the compression of a layer. Functions that take several use the
// i-th for layer i, the last one for all remaining layers, and None if there are
// none.
type Compression int

const (
	None Compression = iota
	Gzip
	Zstd
)

func pick(cs []Compression, i int) Compression {
	if len(cs) == 0 {
		return None
	}
	return cs[min(i, len(cs)-1)]
}

// Compress returns data compressed with c.
func Compress(data []byte, c Compression) []byte {
	var b bytes.Buffer
	var w io.WriteCloser
	switch c {
	case Gzip:
		w = gzip.NewWriter(&b)
	case Zstd:
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err) // the options are constant
		}
		w = z
	default:
		return data
	}
	w.Write(data) // writing to memory can't fail
	w.Close()
	return b.Bytes()
}

func (c Compression) mediaType() types.MediaType {
	switch c {
	case Gzip:
		return types.OCILayer
	case Zstd:
		return types.OCILayerZStd
	}
	return types.OCIUncompressedLayer
}

// Digest returns the sha256 of data.
func Digest(data []byte) v1.Hash {
	sum := sha256.Sum256(data)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

// ConfigFile returns the image's config. Equal layers have the same diff ID.
func (img *Image) ConfigFile() *v1.ConfigFile {
	c := &v1.ConfigFile{
		Architecture: img.Platform.Architecture,
		OS:           img.Platform.OS,
		OSVersion:    img.Platform.OSVersion,
		Variant:      img.Platform.Variant,
		Created:      v1.Time{Time: img.Created},
		Config:       img.Config,
		RootFS:       v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}},
	}
	if !img.NoHistory {
		c.History = append([]v1.History{}, img.History...)
		for i := range c.History {
			c.History[i].Created = c.Created
		}
	}
	for i := range img.Layers {
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, Digest(img.LayerTar(i)))
	}
	return c
}

// Image returns the image as if opened from memory, with its layers compressed as
// in cs.
func (img *Image) Image(cs ...Compression) *analyzer.Image {
	config := img.ConfigFile()
	out := &analyzer.Image{
		Reference: img.Name,
		Source:    "text",
		ID:        Digest(toJSON(config)),
		Platform:  img.Platform,
		Tags:      img.Tags,
		Config:    config,
	}
	for i := range img.Layers {
		c := pick(cs, i)
		blob := Compress(img.LayerTar(i), c)
		out.Layers = append(out.Layers, analyzer.Layer{
			DiffID:     config.RootFS.DiffIDs[i],
			Digest:     Digest(blob),
			MediaType:  c.mediaType(),
			Blob:       layer.Blob{At: bytes.NewReader(blob), Size: int64(len(blob))},
			Compressed: c != None,
		})
	}
	return out
}

// toJSON marshals v, a value made by this package for which that can't fail.
func toJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshalling %T: %v", v, err))
	}
	return b
}
