package load

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
)

// folder is an unpacked archive, a layout or a dir: of skopeo.
type folder string

func (d folder) open(name string) (section, error) {
	// Symlinks are followed even out of the folder: builders link the blobs of a
	// layout to their cache. With O_NONBLOCK a named pipe doesn't block.
	file := filepath.Join(string(d), filepath.FromSlash(path.Clean("/"+name)))
	if info, err := os.Stat(file); err != nil {
		return section{}, err
	} else if !info.Mode().IsRegular() {
		return section{}, fmt.Errorf("%s is %s, not a file", name, kindOf(info.Mode()))
	}
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return section{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is %s, not a file", name, kindOf(info.Mode()))
	}
	if err != nil {
		f.Close()
		return section{}, err
	}
	s := section{at: f, size: info.Size(), have: info.Size(), file: f}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		s.key = real
	}
	return s, nil
}

func (d folder) flaw() error { return nil }

func (d folder) names() []string {
	entries, err := os.ReadDir(string(d))
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

func kindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
