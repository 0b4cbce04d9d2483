package load

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/layer"
	"fathom/analyzer/load/engine"
)

// imageOrContainer opens an engine's image or, where none has that name, the
// image of a container with what the container changed as its last layer.
func (o *opening) imageOrContainer(ctx context.Context, kind engine.Kind, name string, want platform) (*analyzer.Image, error) {
	img, err := o.engine(ctx, kind, name, want)
	var none *engine.NoImageError
	if !errors.As(err, &none) {
		return img, err
	}
	e, gone := engine.Connect(ctx, kind, o.opt.Engine)
	if gone != nil { // only a running engine knows containers
		return nil, err
	}
	defer e.Close()
	c, absent := e.Container(ctx, name)
	switch {
	case errors.As(absent, &none):
		return nil, err
	case absent != nil:
		return nil, absent
	}
	if img, err = o.engine(ctx, kind, c.Image, want); err != nil {
		return nil, fmt.Errorf("the image of container %s: %w", name, err)
	}
	o.opt.Progress.Note(fmt.Sprintf("%s is a container of %s: the last layer is what it changed", name, kind))
	l, err := o.changes(ctx, e, c)
	if err != nil {
		return nil, fmt.Errorf("reading what container %s changed: %w", name, err)
	}
	img.Layers = append(img.Layers, l)
	img.Config.RootFS.DiffIDs = append(img.Config.RootFS.DiffIDs, l.DiffID)
	if len(img.Config.History) > 0 {
		img.Config.History = append(img.Config.History, v1.History{CreatedBy: "changes of container " + c.Name})
	}
	img.Tags, img.Digest = nil, v1.Hash{} // which are the image's alone
	return img, nil
}

// changes returns the layer that a commit of the container would make. It has the
// files of an export that the engine lists as changed, and a whiteout for each
// path that it lists as removed.
func (o *opening) changes(ctx context.Context, e *engine.Engine, c engine.Container) (analyzer.Layer, error) {
	changed, err := e.Changes(ctx, c)
	if err != nil {
		return analyzer.Layer{}, err
	}
	stream, err := e.Export(ctx, c)
	if err != nil {
		return analyzer.Layer{}, err
	}
	defer stream.Close()
	task := o.opt.Progress.Start("exporting "+c.Name, 0)
	defer task.Finish()
	written := map[string]bool{}
	return o.pack(ctx, func(w *tar.Writer) error {
		for in := tar.NewReader(&counter{r: stream, n: &task.Read}); ; {
			h, err := in.Next()
			if err == io.EOF {
				return whiteouts(w, changed)
			}
			if err != nil {
				return err
			}
			name := path.Clean("/" + h.Name)
			kept, listed := changed[name]
			if h.Typeflag == tar.TypeLink && written[path.Clean("/"+h.Linkname)] {
				listed = true // the link made the overlay copy its unchanged target
			}
			if !listed || name == "/" {
				continue
			}
			delete(changed, name)
			written[name] = true
			if err := copyEntry(w, h, in); err != nil {
				return err
			}
			if !kept && h.Typeflag == tar.TypeDir { // removed, and made again
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path.Join(h.Name, ".wh..wh..opq"), Mode: 0o600}); err != nil {
					return err
				}
			}
		}
	})
}

// copyEntry writes an entry in the format that can hold every header.
func copyEntry(w *tar.Writer, h *tar.Header, content io.Reader) error {
	h.Format = tar.FormatPAX
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.Copy(w, content)
	return err
}

// whiteouts writes a whiteout for each path that was removed. A path that was
// changed but isn't in the export existed only for a while.
func whiteouts(w *tar.Writer, changed map[string]bool) error {
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		if changed[name] || name == "/" {
			continue
		}
		dir, base := path.Split(strings.TrimPrefix(name, "/"))
		h := &tar.Header{Typeflag: tar.TypeReg, Name: dir + ".wh." + base, Mode: 0o600, Format: tar.FormatPAX, ModTime: time.Unix(0, 0)}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
	}
	return nil
}

// pack makes a layer of the tar that write writes: in a temporary file or, with
// NoKeep, with its entries only.
func (o *opening) pack(ctx context.Context, write func(*tar.Writer) error) (analyzer.Layer, error) {
	l := analyzer.Layer{MediaType: types.OCIUncompressedLayer}
	if !o.opt.NoKeep {
		f, err := analyzer.TempFile(o.opt.Temp)
		if err != nil {
			return l, err
		}
		o.files = append(o.files, f)
		out := &keeper{f: f, quota: o.limits.Temp}
		size, diffID, err := o.packTo(out, write)
		var over *layer.QuotaError
		if out.err != nil && !errors.As(out.err, &over) {
			err = &TempError{Dir: o.tempDir(), Written: size, Err: analyzer.WithoutPath(out.err)}
		}
		l.DiffID, l.Blob = diffID, layer.Blob{At: io.NewSectionReader(f, 0, size), Size: size}
		return l, err
	}
	r, w := io.Pipe()
	var size int64
	done := make(chan error, 1)
	go func() {
		var err error
		size, l.DiffID, err = o.packTo(w, write)
		w.CloseWithError(err)
		done <- err
	}()
	d, err := layer.Read(ctx, layer.Blob{Size: -1, Stream: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(r), nil }}, layer.Options{Limits: o.limits, Look: o.opt.Look})
	if err == nil {
		_, err = io.Copy(io.Discard, r) // the end marker's rest
	}
	r.CloseWithError(err)
	if err = errors.Join(err, <-done); err != nil {
		return l, err
	}
	l.Blob = layer.Blob{
		Size:   size,
		List:   func(context.Context, layer.Options) (*layer.Diff, error) { return d, nil },
		Stream: func(context.Context) (io.ReadCloser, error) { return nil, ErrNotKept },
	}
	return l, nil
}

// packTo writes a tar and returns its size and digest.
func (o *opening) packTo(out io.Writer, write func(*tar.Writer) error) (int64, v1.Hash, error) {
	sum := sha256.New()
	in := &packed{to: io.MultiWriter(out, sum)}
	w := tar.NewWriter(in)
	if err := write(w); err != nil {
		return in.n, v1.Hash{}, err
	}
	err := w.Close()
	return in.n, v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}, err
}

// packed counts what is written.
type packed struct {
	to io.Writer
	n  int64
}

func (p *packed) Write(b []byte) (int, error) {
	p.n += int64(len(b))
	return p.to.Write(b)
}
