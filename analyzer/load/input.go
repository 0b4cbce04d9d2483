package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"fathom/analyzer"
)

// source opens the file or folder of a reference.
func (o *opening) source(ctx context.Context, r reference) (source, error) {
	if r.path == "-" {
		return o.stdin(ctx)
	}
	info, err := os.Stat(r.path)
	if err != nil {
		return nil, analyzer.WithoutPath(err)
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return folder(r.path), nil
	case mode&fs.ModeNamedPipe != 0:
		f, err := openPipe(ctx, r.path)
		if err != nil {
			return nil, analyzer.WithoutPath(err)
		}
		defer f.Close()
		return o.stream(ctx, f, r.path)
	case !mode.IsRegular():
		return nil, fmt.Errorf("it is %s, not a file or folder", kindOf(mode))
	}
	f, err := os.Open(r.path)
	if err != nil {
		return nil, analyzer.WithoutPath(err)
	}
	if err := o.keep(f, r.path); err != nil {
		return nil, err
	}
	return o.file(ctx, f, 0, info.Size(), r.path)
}

// stdin opens standard input: as it is if it is a file, otherwise as a stream.
func (o *opening) stdin(ctx context.Context) (source, error) {
	if o.opt.Stdin == nil {
		return nil, errors.New("there is none")
	}
	f, ok := o.opt.Stdin.(*os.File)
	if !ok {
		return o.stream(ctx, o.opt.Stdin, "standard input")
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		o.checks = append(o.checks, func() error { return unchanged(f, info, "standard input") })
		return o.file(ctx, f, at, info.Size()-at, "standard input")
	case mode&fs.ModeCharDevice != 0, mode.IsDir():
		return nil, errors.New("it is neither a pipe nor a file: a tar is expected there")
	}
	return o.stream(ctx, f, "standard input")
}

// openPipe opens a named pipe. It blocks until there is a writer, or ctx ends.
func openPipe(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(path)
		done <- opened{f, err}
	}()
	select {
	case r := <-done:
		return r.f, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// file opens an archive on disk: as it is, or decompressed.
func (o *opening) file(ctx context.Context, f io.ReaderAt, at, size int64, name string) (source, error) {
	size = max(0, size)
	whole := io.NewSectionReader(f, at, size)
	head := make([]byte, min(headSize, size))
	if _, err := io.ReadFull(whole, head); err != nil {
		return nil, fmt.Errorf("reading its first bytes: %w", err)
	}
	if !sniff(head).compressed() {
		return o.tar(ctx, head, whole, size)
	}
	whole.Seek(0, io.SeekStart)
	return o.receive(ctx, whole, size, name)
}

// stream receives an archive that can be read only once.
func (o *opening) stream(ctx context.Context, r io.Reader, name string) (source, error) {
	return o.receive(ctx, r, 0, name)
}

// tar indexes r if head, its first bytes, are those of a tar.
func (o *opening) tar(ctx context.Context, head []byte, r io.ReaderAt, size int64) (source, error) {
	if err := o.expectTar(head); err != nil {
		return nil, err
	}
	if o.opt.Rootfs {
		return &archive{r: r, size: size}, nil
	}
	a, err := index(ctx, r, size, maxEntries, o.limits.Memory)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// expectTar returns an error that says what head is, unless it begins a tar.
func (o *opening) expectTar(head []byte) error {
	switch form := sniff(head); form {
	case formTar:
		return nil
	case formEmpty:
		return &NotImageError{Unknown, "empty"}
	case formZeros:
		if o.opt.Rootfs {
			return nil
		}
		return &NotImageError{NoImages, "an empty tar, or nothing but zero bytes"}
	case "JSON":
		return &NotImageError{Unknown, "JSON: a manifest, a config or a saved report holds no files"}
	default:
		return &NotImageError{Unknown, string(form)}
	}
}
