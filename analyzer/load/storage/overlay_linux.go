package storage

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// WriteUpper writes the content of an overlay's upper folder as a layer. A device
// 0:0 becomes a whiteout, the opaque attribute of a folder an opaque whiteout
// (Documentation/filesystems/overlayfs.rst). An entry whose content is in a lower
// folder is an error. WriteUpper reads nothing outside of dir.
func WriteUpper(ctx context.Context, dir string, w *tar.Writer) error {
	return writeUpper(ctx, dir, w, fileAttribute)
}

// fileAttribute returns the value of an extended attribute, "" if the file
// does not have it.
func fileAttribute(f *os.File, name string) (string, error) {
	value := make([]byte, 4096)
	n, err := unix.Fgetxattr(int(f.Fd()), name, value)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return string(value[:n]), nil
}

func writeUpper(ctx context.Context, dir string, w *tar.Writer, attribute func(*os.File, string) (string, error)) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	type inode struct{ dev, ino uint64 }
	first := map[inode]string{} // the first name of each file with several hard links
	return fs.WalkDir(root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil || name == "." {
			return err
		}
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case !ok:
			return fmt.Errorf("reading /%s: its owner is unknown", name)
		case info.Mode()&fs.ModeSocket != 0: // no layer can hold one
			return nil
		case info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0:
			return writeMark(w, path.Join(path.Dir(name), ".wh."+path.Base(name)))
		}
		link := ""
		if info.Mode()&fs.ModeSymlink != 0 {
			if link, err = root.Readlink(name); err != nil {
				return err
			}
		}
		h, err := tar.FileInfoHeader(info, link)
		if err != nil {
			return err
		}
		h.Name, h.Format, h.Uname, h.Gname = name, tar.FormatPAX, "", ""
		if info.IsDir() {
			h.Name += "/"
		}
		h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
		if !info.IsDir() && !info.Mode().IsRegular() {
			return w.WriteHeader(h)
		}
		if other := first[inode{st.Dev, st.Ino}]; other != "" {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, other, 0
			return w.WriteHeader(h)
		}
		f, err := root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		now, err := f.Stat()
		if err != nil {
			return err
		}
		if !os.SameFile(now, info) {
			return fmt.Errorf("reading /%s: it was replaced while it was read", name)
		}
		marks := map[string]string{}
		for _, prefix := range []string{"trusted.overlay.", "user.overlay.", "user.fuseoverlayfs."} {
			for _, mark := range []string{"opaque", "redirect", "metacopy", "whiteout"} {
				value, err := attribute(f, prefix+mark)
				if err != nil {
					return fmt.Errorf("reading /%s: its attribute %s: %w", name, prefix+mark, err)
				}
				if value != "" {
					marks[mark] = value
				}
			}
		}
		switch {
		case marks["redirect"] != "":
			return fmt.Errorf("reading /%s: it was renamed by the overlay (redirect), and its content is in a lower folder", name)
		case marks["metacopy"] != "":
			return fmt.Errorf("reading /%s: only its attributes are here (metacopy), and its content is in a lower folder", name)
		case marks["whiteout"] != "" && info.Size() == 0:
			return writeMark(w, path.Join(path.Dir(name), ".wh."+path.Base(name)))
		}
		if h.PAXRecords, err = capability(f, attribute); err != nil {
			return fmt.Errorf("reading /%s: %w", name, err)
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		if info.IsDir() {
			if marks["opaque"] == "y" {
				return writeMark(w, path.Join(name, ".wh..wh..opq"))
			}
			return nil
		}
		if st.Nlink > 1 {
			first[inode{st.Dev, st.Ino}] = name
		}
		if _, err := io.CopyN(w, f, h.Size); err != nil {
			return fmt.Errorf("reading /%s: %w", name, unexpected(err))
		}
		return nil
	})
}

// capability returns the PAX record of a file's capabilities, the only extended
// attribute that docker writes into layers.
func capability(f *os.File, attribute func(*os.File, string) (string, error)) (map[string]string, error) {
	const name = "security.capability"
	value, err := attribute(f, name)
	if err != nil || value == "" {
		return nil, err
	}
	return map[string]string{"SCHILY.xattr." + name: value}, nil
}

func writeMark(w *tar.Writer, name string) error {
	return w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Format: tar.FormatPAX, ModTime: time.Unix(0, 0)})
}
