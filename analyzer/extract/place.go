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

// setAttributes sets the owner and mode of a file or folder.
func (r *run) setAttributes(it *item, st filetree.State, f *os.File) error {
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

// place renames an entry from its temporary name to its own.
func (r *run) place(dir *os.Root, temp string, it *item) (bool, error) {
	name := r.nameOf(it.node, it.parent)
	if r.caseConflict(dir, name, it) {
		r.skip(it, "its name differs from another only in case, which this disk ignores")
		return false, nil
	}
	var err error
	if it.answer == Overwrite {
		err = dir.Rename(temp, name)
	} else if err = dir.Link(temp, name); err != nil && !errors.Is(err, fs.ErrExist) && !badName(err) {
		// Not every disk has hard links.
		if _, lerr := dir.Lstat(name); lerr == nil {
			err = fs.ErrExist
		} else {
			err = dir.Rename(temp, name)
		}
	}
	switch {
	case badName(err):
		r.skip(it, "this disk can't store its name")
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.EISDIR):
		r.skip(it, "another entry appeared there")
	case err != nil:
		return false, r.failed(it, err)
	default:
		return true, nil
	}
	return false, nil
}

// caseConflict reports whether name is, on this disk, an entry that this run made
// under a name that differs only in case.
func (r *run) caseConflict(dir *os.Root, name string, it *item) bool {
	if it.folded < 0 || r.items[it.folded].skip {
		return false
	}
	other := r.items[it.folded]
	a, err1 := dir.Lstat(name)
	b, err2 := dir.Lstat(r.nameOf(other.node, other.parent))
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// link makes a hard link to a file that was made, or a copy if the disk has no hard
// links.
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
			return false, r.failed(it, errors.New("folders were moved at the same time"))
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

// modTime returns the time of an entry, or zero if the system can't set it.
func modTime(st filetree.State) time.Time {
	const most = 1 << 33 // seconds: near the end of 64 bits of nanoseconds
	if st.ModTime < -most || st.ModTime > most {
		return time.Time{}
	}
	return time.Unix(st.ModTime, 0)
}
