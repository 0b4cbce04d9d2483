package storage

import (
	"errors"
	"io"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// folder is a layer's folder. It follows no symlinks, so that nothing outside of
// it can be read.
type folder struct {
	mu   sync.RWMutex // held while fd is used
	fd   int          // -1 once closed
	walk bool         // without openat2: open one folder after the other
}

func openFolder(name string) (*folder, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	d := &folder{fd: fd}
	if probe, err := d.at(".", unix.O_PATH|unix.O_DIRECTORY); err == nil {
		unix.Close(probe)
	} else {
		d.walk = true
	}
	return d, nil
}

func (d *folder) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	fd := d.fd
	if d.fd = -1; fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

// at opens a clean name beneath the folder.
func (d *folder) at(name string, flags int) (int, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.fd < 0 {
		return -1, os.ErrClosed
	}
	if d.walk {
		return d.step(name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC)
	}
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := retry(func() (int, error) { return unix.Openat2(d.fd, name, &how) })
	return fd, linked(err)
}

// step opens one folder after the other, following no symlink.
func (d *folder) step(name string, flags int) (int, error) {
	at := d.fd
	for {
		first, rest, more := strings.Cut(name, "/")
		how := flags
		if more {
			how = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
		}
		fd, err := retry(func() (int, error) { return unix.Openat(at, first, how, 0) })
		if at != d.fd {
			unix.Close(at)
		}
		if err != nil || !more {
			return fd, linked(err)
		}
		at, name = fd, rest
	}
}

// linked returns errLink for the errors that a symlink causes.
func linked(err error) error {
	if err == unix.ELOOP || err == unix.EXDEV {
		return errLink
	}
	return err
}

// retry repeats a call that a signal, or a rename at the same time, interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR && err != unix.EAGAIN {
			return n, err
		}
	}
}

// content is an open file.
type content struct{ fd int }

// open opens a regular file. It never blocks, whatever stands in the file's
// place.
func (d *folder) open(name string) (content, info, error) {
	fd, err := d.at(beneath(name), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err == unix.ENXIO { // a socket, or a device without a driver
		err = errNotRegular
	}
	if err != nil {
		return content{-1}, info{}, err
	}
	var st unix.Stat_t
	if _, err = retry(func() (int, error) { return 0, unix.Fstat(fd, &st) }); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNotRegular
	}
	if err != nil {
		unix.Close(fd)
		return content{-1}, info{}, err
	}
	return content{fd}, infoOf(&st), nil
}

func infoOf(st *unix.Stat_t) info {
	return info{st.Mode&unix.S_IFMT == unix.S_IFREG, st.Size, int64(st.Mtim.Sec)} //nolint:unconvert // 32 bits on some processors
}

// ReadAt reads all of p, or returns io.EOF.
func (c content) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) && err == nil {
		var got int
		got, err = retry(func() (int, error) { return unix.Pread(c.fd, p[n:], off+int64(n)) })
		if n += max(got, 0); err == nil && got == 0 {
			err = io.EOF
		}
	}
	return n, err
}

func (c content) close() { unix.Close(c.fd) }

// directory is an open folder below a layer's folder.
type directory struct{ fd int }

func (d *folder) directory(name string) (directory, error) {
	if name == "" {
		name = "."
	}
	fd, err := d.at(name, unix.O_PATH|unix.O_DIRECTORY)
	return directory{fd}, err
}

func (d directory) stat(name string) (info, error) {
	var st unix.Stat_t
	if _, err := retry(func() (int, error) {
		return 0, unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	}); err != nil {
		return info{}, err
	}
	return infoOf(&st), nil
}

func (d directory) close() { unix.Close(d.fd) }

// owner returns the owner of the nearest folder at or above name of which that
// is known; "" if it is of none.
func owner(name string) string {
	for name != "" {
		if info, err := os.Lstat(name); err == nil {
			st, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return ""
			}
			id := strconv.FormatUint(uint64(st.Uid), 10)
			if u, err := user.LookupId(id); err == nil {
				return u.Username
			}
			return "user " + id
		} else if !errors.Is(err, os.ErrPermission) {
			return ""
		}
		up := name[:max(strings.LastIndexByte(name, '/'), 0)]
		name = up
	}
	return ""
}
