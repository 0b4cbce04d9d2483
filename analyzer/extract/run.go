package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"fathom/analyzer"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// Result counts what Run made.
type Result struct {
	Files, Dirs, Symlinks, Links int // Links are hard links to Files
	Kept                         int // existing files that were not overwritten
	Bytes                        int64
}

// run is a Plan that is being carried out.
type run struct {
	*Plan
	task *analyzer.Task
	res  Result
	open []opened // from root downwards
	buf  []byte
}

// opened is an open folder.
type opened struct {
	item int32
	root *os.Root
}

// Run carries out the plan. A file appears complete or not at all. After an error,
// or when ctx ends, the entries made until then remain. A file that appeared after
// New is kept, with a note. The task counts bytes of content; it may be nil.
func (p *Plan) Run(ctx context.Context, task *analyzer.Task) (Result, error) {
	for _, c := range p.Conflicts {
		p.items[c.item].answer = c.Answer
		p.items[c.item].skip = c.Answer == Skip
	}
	if task == nil {
		task = new(analyzer.Task)
	}
	r := &run{Plan: p, task: task, buf: make([]byte, 128<<10)}
	defer r.leave(0)
	for i := range p.items {
		if it := &p.items[i]; it.parent >= 0 && p.items[it.parent].skip {
			it.skip = true
		} else if it.skip {
			r.res.Kept++
		}
	}
	err := r.all(ctx)
	return r.res, err
}

func (r *run) all(ctx context.Context) error {
	steps := []func(context.Context) error{r.dirs, r.files, r.symlinks, r.finish}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		}
	}
	return nil
}

// each calls f with every item of a kind that is not skipped.
func (r *run) each(ctx context.Context, kind layer.Kind, f func(i int32, it *item) error) error {
	for i := range r.items {
		it := &r.items[i]
		if it.kind != kind || it.skip {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(int32(i), it); err != nil {
			return err
		}
	}
	return nil
}

// dirs makes the folders, at first accessible to their owner only.
func (r *run) dirs(ctx context.Context) error {
	return r.each(ctx, layer.Dir, func(i int32, it *item) error {
		// The folder above may have been skipped in this loop.
		if it.parent >= 0 && r.items[it.parent].skip {
			it.skip = true
			return nil
		}
		if it.exists {
			return nil
		}
		dir, err := r.in(it)
		if err != nil {
			return err
		}
		name := r.nameOf(it.node, it.parent)
		err = dir.Mkdir(name, 0o700)
		if errors.Is(err, fs.ErrExist) {
			info, lerr := dir.Lstat(name)
			switch {
			case lerr != nil:
				err = lerr
			case info.IsDir():
				it.exists = true
				r.note(it.node, "a folder appeared there")
				return nil
			case it.answer == Overwrite:
				if err = dir.Remove(name); err == nil {
					err = dir.Mkdir(name, 0o700)
				}
			default:
				r.skip(it, "another entry appeared there")
				return nil
			}
		}
		switch {
		case badName(err):
			r.skip(it, "this disk can't store its name")
			return nil
		case err != nil:
			return r.failed(it, err)
		}
		r.res.Dirs++
		return nil
	})
}

func (r *run) skip(it *item, why string) {
	it.skip = true
	r.note(it.node, why)
}

func (r *run) failed(it *item, err error) error {
	return fmt.Errorf("writing %s: %w", r.path(*it), analyzer.WithoutPath(err))
}

// files writes the files, in the order in which the image stores their content.
func (r *run) files(ctx context.Context) error {
	type named struct {
		content filetree.Content
		item    int32
	}
	var all []named
	if err := r.each(ctx, layer.File, func(i int32, it *item) error {
		if it.parent >= 0 && r.items[it.parent].skip {
			it.skip = true
			return nil
		}
		st, _ := r.a.Tree.At(it.node, r.layer)
		all = append(all, named{st.Content, i})
		return nil
	}); err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b named) int { return int(a.content) - int(b.content) })
	var contents []filetree.Content
	var from []int
	for i, n := range all {
		if i == 0 || n.content != all[i-1].content {
			contents, from = append(contents, n.content), append(from, i)
		}
	}
	from = append(from, len(all))
	return r.a.Each(ctx, contents, func(i int, content io.Reader) error {
		var first *item
		for _, n := range all[from[i]:from[i+1]] {
			it := &r.items[n.item]
			if first != nil {
				if _, err := r.link(ctx, it, first); err != nil {
					return err
				}
				continue
			}
			made, err := r.write(ctx, it, content)
			if err != nil {
				return err
			}
			if made {
				first = it
				continue
			}
			// The content was read in part: the next name needs it from the start.
			again, err := r.a.Open(ctx, n.content)
			if err != nil {
				return err
			}
			defer again.Close()
			content = again
		}
		return nil
	})
}

// write makes a file, and reports whether it did: another file may be in its way.
func (r *run) write(ctx context.Context, it *item, content io.Reader) (bool, error) {
	dir, err := r.in(it)
	if err != nil {
		return false, err
	}
	st, _ := r.a.Tree.At(it.node, r.layer)
	temp := tempName()
	f, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false, r.failed(it, err)
	}
	defer dir.Remove(temp) // after a success it was renamed
	err = r.fill(ctx, f, st.Size, content)
	if err == nil {
		err = r.setAttributes(it, st, f)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return false, r.failed(it, err)
	}
	if mod := modTime(st); !mod.IsZero() {
		if err := dir.Chtimes(temp, time.Time{}, mod); err != nil {
			return false, r.failed(it, err)
		}
	}
	made, err := r.place(dir, temp, it)
	if made {
		r.res.Files++
		r.res.Bytes += st.Size
	}
	return made, err
}

// fill writes size bytes of content. Runs of zeros become holes.
func (r *run) fill(ctx context.Context, f *os.File, size int64, content io.Reader) error {
	at := int64(0)
	holed, _ := content.(layer.Holed)
	for {
		if holed != nil {
			n := holed.Hole()
			holed.SkipHole(n)
			at += n
			r.task.Read.Add(n)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(content, r.buf)
		if p := r.buf[:n]; n == len(r.buf) && len(bytes.TrimLeft(p, "\x00")) == 0 {
			// a hole
		} else if _, err := f.WriteAt(p, at); err != nil {
			return err
		}
		at += int64(n)
		r.task.Read.Add(int64(n))
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return fmt.Errorf("reading its content: %w", err)
		}
	}
	if at != size {
		return fmt.Errorf("reading its content: it ends after %d of %d bytes", at, size)
	}
	return f.Truncate(size)
}

// symlinks makes the symlinks after everything else, so that nothing is written
// through them.
func (r *run) symlinks(ctx context.Context) error {
	return r.each(ctx, layer.Symlink, func(i int32, it *item) error {
		if it.parent >= 0 && r.items[it.parent].skip {
			it.skip = true
			return nil
		}
		dir, err := r.in(it)
		if err != nil {
			return err
		}
		st, _ := r.a.Tree.At(it.node, r.layer)
		temp := tempName()
		if err := dir.Symlink(st.Target, temp); err != nil {
			if badName(err) || errors.Is(err, fs.ErrNotExist) { // an empty target
				r.skip(it, "this disk can't store such a symlink")
				return nil
			}
			return r.failed(it, err)
		}
		defer dir.Remove(temp)
		if r.Owner {
			// As with files, a user namespace may not have the owner.
			if err := dir.Lchown(temp, int(st.UID), int(st.GID)); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.EPERM) {
				return r.failed(it, err)
			}
		}
		if mod := modTime(st); !mod.IsZero() {
			if err := symlinkTime(dir, temp, mod); err != nil {
				return r.failed(it, err)
			}
		}
		made, err := r.place(dir, temp, it)
		if made {
			r.res.Symlinks++
		}
		return err
	})
}

// finish sets the modes and times of the folders that were made, from the bottom
// up.
func (r *run) finish(ctx context.Context) error {
	for i := len(r.items) - 1; i >= 0; i-- {
		it := &r.items[i]
		if it.kind != layer.Dir || it.skip || it.exists {
			continue
		}
		dir, err := r.at(int32(i))
		if err != nil {
			return err
		}
		st, ok := r.a.Tree.At(it.node, r.layer)
		if !ok || st.Implied {
			st.Mode = 0o755
		}
		f, err := dir.Open(".")
		if err != nil {
			return r.failed(it, err)
		}
		if mod := modTime(st); ok && !st.Implied && !mod.IsZero() {
			err = dir.Chtimes(".", time.Time{}, mod)
		}
		err = errors.Join(err, r.setAttributes(it, st, f), f.Close())
		if err != nil {
			return r.failed(it, err)
		}
	}
	return nil
}

// in returns the folder of an item.
func (r *run) in(it *item) (*os.Root, error) { return r.at(it.parent) }

// at opens the folder that is item i, from root downwards. The folders on its path
// stay open until they are not on the next path.
func (r *run) at(i int32) (*os.Root, error) {
	var path []int32
	for j := i; j >= 0; j = r.items[j].parent {
		path = append(path, j)
	}
	slices.Reverse(path)
	same := 0
	for same < len(path) && same < len(r.open) && r.open[same].item == path[same] {
		same++
	}
	r.leave(same)
	for _, j := range path[same:] {
		dir := r.root
		if len(r.open) > 0 {
			dir = r.open[len(r.open)-1].root
		}
		sub, err := enter(dir, r.nameOf(r.items[j].node, r.items[j].parent))
		if err != nil {
			return nil, r.failed(&r.items[j], err)
		}
		r.open = append(r.open, opened{j, sub})
	}
	if len(r.open) == 0 {
		return r.root, nil
	}
	return r.open[len(r.open)-1].root, nil
}

// leave closes all folders but the first n.
func (r *run) leave(n int) {
	for _, o := range r.open[min(n, len(r.open)):] {
		o.root.Close()
	}
	r.open = r.open[:min(n, len(r.open))]
}
