package report

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"fathom/analyzer"
)

// WriteFile replaces the content of the file at path with what write writes, as a
// whole or not at all. It writes a temporary file in the same folder, and renames it
// to path when everything is on the disk. An existing file keeps its mode, and a
// symlink its target. WriteFile writes directly to anything but a regular file (a
// pipe, a terminal, /dev/null). If a file can't be replaced because it is a mount
// point, as in a container's volume, WriteFile overwrites its content, after
// everything was written to the temporary file. If ctx ends before that, path does not
// change.
func WriteFile(ctx context.Context, path string, write func(io.Writer) error) (err error) {
	mode := fs.FileMode(0o666) // what the umask leaves of it
	exists := false
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return fmt.Errorf("writing %s: it is a directory", path)
	case err == nil && !info.Mode().IsRegular():
		return writeDirectly(ctx, path, write)
	case err == nil:
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		exists, mode = true, info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("writing %s: %w", path, analyzer.WithoutPath(err))
	default:
		// A symlink may point to a file that does not exist yet.
		if path, err = afterLinks(path); err != nil {
			return err
		}
	}

	temp := filepath.Join(filepath.Dir(path), ".fathom-"+rand.Text())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, analyzer.WithoutPath(err))
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(temp)
			err = fmt.Errorf("writing %s: %w", path, analyzer.WithoutPath(err))
		}
	}()
	if exists {
		if err := f.Chmod(mode); err != nil {
			return err
		}
	}
	if err := write(cancelWriter{ctx, f}); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := os.Rename(temp, path); !errors.Is(err, syscall.EBUSY) {
		return err
	}
	defer os.Remove(temp)
	return copyOver(path, temp)
}

// afterLinks follows the symlinks of a path whose target does not exist, and returns
// the target.
func afterLinks(path string) (string, error) {
	at := path
	for range 40 {
		target, err := os.Readlink(at)
		if err != nil {
			return at, nil
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(at), target)
		}
		at = target
	}
	return "", fmt.Errorf("writing %s: too many symlinks", path)
}

// copyOver overwrites the content of the file at path with that of the file at from.
func copyOver(path, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func writeDirectly(ctx context.Context, path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, analyzer.WithoutPath(err))
	}
	err = write(cancelWriter{ctx, f})
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, analyzer.WithoutPath(err))
	}
	return nil
}

// cancelWriter fails once its context has ended.
type cancelWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c cancelWriter) Write(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}
