package extract

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"fathom/analyzer/filetree"
)

// dress gives a file or folder its owner and mode.
func (r *run) dress(it *item, st filetree.State, f *os.File) error {
	mode := fs.FileMode(st.Mode & 0o777)
	if st.Mode&0o1000 != 0 {
		mode |= fs.ModeSticky
	}
	owner := r.Owner
	if owner {
		err := f.Chown(int(st.UID), int(st.GID))
		switch {
		case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EPERM): // not in this user namespace
			r.remark(it.node, fmt.Sprintf("its owner %d:%d can't be set here", st.UID, st.GID))
			owner = false
		case err != nil:
			return err
		}
	}
	if owner {
		if st.Mode&0o4000 != 0 {
			mode |= fs.ModeSetuid
		}
		if st.Mode&0o2000 != 0 {
			mode |= fs.ModeSetgid
		}
	}
	return f.Chmod(mode)
}

// place gives what was made under a temporary name its own.
func (r *run) place(dir *os.Root, temp string, it *item) (bool, error) {
	name := r.nameOf(it.node, it.parent)
	if r.sameAsTwin(dir, name, it) {
		r.skip(it, "its name differs from another only in case, and this disk makes no difference")
		return false, nil
	}
	var err error
	if it.answer == Overwrite {
		err = dir.Rename(temp, name)
	} else if err = dir.Link(temp, name); err != nil && !errors.Is(err, fs.ErrExist) && !tooLong(err) {
		// There are disks without hard links.
		if _, lerr := dir.Lstat(name); lerr == nil {
			err = fs.ErrExist
		} else {
			err = dir.Rename(temp, name)
		}
	}
	switch {
	case tooLong(err):
		r.skip(it, "this disk takes no such name")
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.EISDIR):
		r.skip(it, "something came to be there")
	case err != nil:
		return false, r.failed(it, err)
	default:
		return true, nil
	}
	return false, nil
}

// sameAsTwin is whether a name leads to what this run made under a name that
// differs from it only in case.
func (r *run) sameAsTwin(dir *os.Root, name string, it *item) bool {
	if it.twin < 0 || r.items[it.twin].skip {
		return false
	}
	twin := r.items[it.twin]
	a, err1 := dir.Lstat(name)
	b, err2 := dir.Lstat(r.nameOf(twin.node, twin.parent))
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// link makes a further name of a file that was made; a copy where the disk has
// no links.
func (r *run) link(ctx context.Context, it, first *item) (bool, error) {
	from, err := r.in(first)
	if err != nil {
		return false, err
	}
	firstName := r.nameOf(first.node, first.parent)
	want, err := from.Lstat(firstName)
	if err != nil {
		return false, r.failed(it, err)
	}
	dir, err := r.in(it)
	if err != nil {
		return false, err
	}
	temp := tempName()
	tempPath := temp
	if it.parent >= 0 {
		tempPath = r.rel(r.items[it.parent]) + "/" + temp
	}
	if err := r.root.Link(r.rel(*first), tempPath); err == nil {
		defer dir.Remove(temp)
		if got, err := dir.Lstat(temp); err != nil || !os.SameFile(got, want) {
			return false, r.failed(it, errors.New("folders were moved meanwhile"))
		}
		made, err := r.place(dir, temp, it)
		if made {
			r.res.Links++
		}
		return made, err
	}
	if from, err = r.in(first); err != nil {
		return false, err
	}
	f, err := from.Open(firstName)
	if err != nil {
		return false, r.failed(it, err)
	}
	defer f.Close()
	return r.write(ctx, it, f)
}

func tempName() string { return ".fathom-" + rand.Text() }

// modTime is the time of an entry; zero when the system's calls can't take it.
func modTime(st filetree.State) time.Time {
	const most = 1 << 33 // seconds; nanoseconds in 64 bits end soon after
	if st.ModTime < -most || st.ModTime > most {
		return time.Time{}
	}
	return time.Unix(st.ModTime, 0)
}
