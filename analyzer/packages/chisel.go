package packages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

const (
	maxManifest    = 64 << 20 // the size in bytes up to which a manifest is decompressed
	manifestWindow = 16 << 20 // Chisel's own take 8 MiB
)

// readManifest reads the manifest of Chisel: a line of JSON for each package, for each
// of the slices into which packages are cut, and for each path of a slice.
func readManifest(_ string, s *layer.Sample) ([]record, error) {
	z, err := zstd.NewReader(bytes.NewReader(s.Head), zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxWindow(manifestWindow), zstd.WithDecoderMaxMemory(manifestWindow))
	if err != nil {
		return nil, fmt.Errorf("decompressing: %w", err)
	}
	defer z.Close()
	r := io.LimitedReader{R: z, N: maxManifest + 1}
	d := json.NewDecoder(&r)
	var out []record
	files := map[string]*list{} // of each package
	count, want := 0, 0
	for {
		var line struct {
			JSONWall string `json:"jsonwall"`
			Count    int    `json:"count"`
			Kind     string `json:"kind"`
			Name     string `json:"name"`
			Version  string `json:"version"`
			Arch     string `json:"arch"`
			Slice    string `json:"slice"`
			Path     string `json:"path"`
		}
		err := d.Decode(&line)
		if r.N <= 0 {
			return nil, fmt.Errorf("decompressing: more than %d bytes", int64(maxManifest))
		}
		if err == io.EOF && count > 0 {
			break
		}
		if err == io.EOF {
			return nil, errors.New("reading the header: the manifest is empty")
		}
		if err != nil {
			return nil, fmt.Errorf("reading line %d: %w", count+1, err)
		}
		count++
		if count == 1 {
			if line.JSONWall == "" {
				return nil, errors.New("reading line 1: it is not the header of a manifest")
			}
			want = line.Count
		}
		switch line.Kind {
		case "package":
			if line.Name == "" {
				return nil, fmt.Errorf("reading line %d: a package without name", count)
			}
			out = append(out, record{Type: facts.TypeDeb, Name: line.Name, Version: line.Version, Arch: line.Arch})
			if len(out) > maxPackages {
				return nil, errTooMany
			}
		case "content":
			if strings.HasSuffix(line.Path, "/") {
				continue
			}
			name, _, _ := strings.Cut(line.Slice, "_") // a slice is PACKAGE_SLICE
			l := files[name]
			if l == nil {
				l = &list{}
				files[name] = l
			}
			l.add(line.Path)
		}
	}
	if count != want {
		return nil, fmt.Errorf("reading to the end: %d lines, and the header says %d", count, want)
	}
	for i := range out {
		if l := files[out[i].Name]; l != nil {
			out[i].Files = *l
			delete(files, out[i].Name)
		}
	}
	if len(files) > 0 {
		return nil, fmt.Errorf("finding the package of a slice: %.80q is not listed", slices.Min(slices.Collect(maps.Keys(files))))
	}
	return out, nil
}
