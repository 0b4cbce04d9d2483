//go:build unix

package extract_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/extract"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/proctest"
)

func analysis(t *testing.T, text string, cs ...imagetest.Compression) *analyzer.Analysis {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(cs...), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// plan returns a plan to extract path as it is after the last layer, without setting
// owners.
func plan(t *testing.T, a *analyzer.Analysis, path, dest string) *extract.Plan {
	t.Helper()
	n, ok := a.Tree.Lookup(path)
	if !ok {
		t.Fatalf("no %s", path)
	}
	p, err := extract.New(t.Context(), a, n, a.Tree.Layers()-1, dest)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	p.Owner = false
	return p
}

func run(t *testing.T, p *extract.Plan) extract.Result {
	t.Helper()
	r, err := p.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// list lists everything below dir: mode and name; the target of a symlink, the first
// name of a hard link or the beginning of the content; and the time if before 2020.
func list(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	inodes := map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&b, "%s %s", info.Mode(), rel)
		ino := info.Sys().(*syscall.Stat_t).Ino
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " -> %s", target)
		case inodes[ino] != "":
			fmt.Fprintf(&b, " = %s", inodes[ino])
		case info.Mode().IsRegular():
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, " %.20q", text)
			inodes[ino] = rel
		}
		if info.ModTime().Year() < 2020 {
			b.WriteString(info.ModTime().UTC().Format(" 2006-01-02"))
		}
		b.WriteString("\n")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func same(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(want), "\n"), strings.Split(strings.TrimSpace(got), "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

const app = `
layer
  dir     app       755 mtime=1000000000
  file    app/run   4755 text="new\n" mtime=1000000000
  file    app/cfg   600 text="port=80\n" mtime=1100000000
  link    app/alias 600 mtime=1100000000 -> app/cfg
  dir     app/ro    555 mtime=1200000000
  file    app/ro/x  444 text="x" mtime=1200000000
  dir     app/shut  000
  file    app/shut/in 000 text="in"
  symlink app/up    -> ../../etc/passwd mtime=1000000000
  symlink app/abs   -> /etc
  fifo    app/pipe
  char    app/null  666 1,3
  link    app/lost  -> nowhere
  file    app/hole  sparse=300000@200000 text="abc"
  file    other     text="other"
layer
  file    app/run   4755 text="newer\n" mtime=1000000000
  file    app/implied/deep/file text="deep"
  file    app/.wh.cfg
`

// Extracted files are those the image shows, for every compression of its layers.
func TestExtract(t *testing.T) {
	for _, c := range []imagetest.Compression{imagetest.None, imagetest.Gzip, imagetest.Zstd} {
		dest := t.TempDir()
		a := analysis(t, app, c)
		p := plan(t, a, "/app", dest)
		if p.Dest != filepath.Join(dest, "app") || p.Entries != 13 || p.Bytes != 6+8+1+2+300000+4 {
			t.Errorf("got plan %s, %d entries, %d bytes", p.Dest, p.Entries, p.Bytes)
		}
		r := run(t, p)
		if want := (extract.Result{Files: 6, Dirs: 5, Symlinks: 2, Bytes: p.Bytes}); r != want {
			t.Errorf("got %+v, want %+v", r, want)
		}
		os.Chmod(filepath.Join(dest, "app/shut"), 0o700)
		os.Chmod(filepath.Join(dest, "app/shut/in"), 0o400)
		same(t, `
drwxr-xr-x app 2001-09-09
Lrwxrwxrwx app/abs -> /etc
-rw------- app/alias "port=80\n" 2004-11-09
-rw-r--r-- app/hole "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
drwxr-xr-x app/implied
drwxr-xr-x app/implied/deep
-rw-r--r-- app/implied/deep/file "deep"
dr-xr-xr-x app/ro 2008-01-10
-r--r--r-- app/ro/x "x" 2008-01-10
-rwxr-xr-x app/run "newer\n" 2001-09-09
drwx------ app/shut
-r-------- app/shut/in "in"
Lrwxrwxrwx app/up -> ../../etc/passwd 2001-09-09
`, list(t, dest))
		hole, err := os.ReadFile(filepath.Join(dest, "app/hole"))
		if err != nil || len(hole) != 300000 || string(hole[200000:200003]) != "abc" {
			t.Errorf("the sparse file has %d bytes, %v", len(hole), err)
		}
		want := []extract.Note{
			{"/app/lost", "a hard link to nothing"},
			{"/app/null", "a device: only an engine makes it"},
			{"/app/pipe", "a named pipe"},
		}
		if diff := cmp.Diff(want, p.Notes); diff != "" || p.Skipped != 3 {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	}
}

// A destination that is a folder gets the file or folder under its own name. One that
// does not exist is the new name.
func TestDestination(t *testing.T) {
	a := analysis(t, app)
	dest := t.TempDir()
	run(t, plan(t, a, "/other", dest))
	run(t, plan(t, a, "/other", filepath.Join(dest, "name")))
	run(t, plan(t, a, "/app/ro", filepath.Join(dest, "folder")))
	os.Mkdir(filepath.Join(dest, "root"), 0o755)
	p := plan(t, a, "/", filepath.Join(dest, "root"))
	if p.Dest != filepath.Join(dest, "root") {
		t.Errorf("the image's root goes to %s", p.Dest)
	}
	run(t, p)
	run(t, plan(t, a, "/", filepath.Join(dest, "all")))
	for _, path := range []string{"other", "name", "folder/x", "root/other", "root/app/run", "all/app/run"} {
		if _, err := os.Lstat(filepath.Join(dest, path)); err != nil {
			t.Error(err)
		}
	}
	for _, test := range []struct{ dest, want string }{
		{"", "no destination"},
		{filepath.Join(dest, "none") + "/", "no such folder"},
		{filepath.Join(dest, "none/below"), "no such folder"},
		{filepath.Join(dest, "other", "below"), "not a directory"},
	} {
		n, _ := a.Tree.Lookup("/other")
		if _, err := extract.New(t.Context(), a, n, 1, test.dest); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("to %q: got error %v, want %q", test.dest, err, test.want)
		}
	}
}

// TestLayer extracts from the bottom layer: old versions of files, and a file that a
// later layer removed.
func TestLayer(t *testing.T) {
	a := analysis(t, app)
	dest := t.TempDir()
	n, _ := a.Tree.Lookup("/app")
	p, err := extract.New(t.Context(), a, n, 0, filepath.Join(dest, "old"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Owner = false
	r := run(t, p)
	if r.Links != 1 {
		t.Errorf("got %d links, want 1", r.Links)
	}
	got := list(t, filepath.Join(dest, "old"))
	for _, want := range []string{`run "new\n"`, `alias "port=80\n"`, `cfg = alias`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// Existing files are kept unless the answer to their conflict is Overwrite.
func TestConflicts(t *testing.T) {
	a := analysis(t, app)
	for _, answer := range []extract.Answer{extract.Skip, extract.Overwrite} {
		dest, outside := t.TempDir(), t.TempDir()
		write := func(path, text string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
				t.Fatal(err)
			}
		}
		write(filepath.Join(outside, "secret"), "secret")
		os.MkdirAll(filepath.Join(dest, "app/up"), 0o750) // a folder instead of a symlink
		write(filepath.Join(dest, "app/run"), "mine")
		write(filepath.Join(dest, "app/implied"), "mine too") // a file instead of a folder
		// Symlinks to outside of dest, instead of a file and of a folder.
		os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dest, "app/alias"))
		os.Symlink(outside, filepath.Join(dest, "app/ro"))
		p := plan(t, a, "/app", dest)
		var got []string
		for i := range p.Conflicts {
			c := &p.Conflicts[i]
			c.Answer = answer
			got = append(got, strings.TrimPrefix(c.Path, dest)+" "+c.Kind)
		}
		same(t, "/app/alias symlink\n/app/implied file\n/app/ro symlink\n/app/run file", strings.Join(got, "\n"))
		r := run(t, p)
		same(t, `-rw-r----- secret "secret"`, list(t, outside))
		after := list(t, dest)
		for _, want := range map[extract.Answer][]string{
			extract.Skip:      {`run "mine"`, `implied "mine too"`, "app/ro -> /", "app/alias -> /", "drwxr-x--- app/up\n"},
			extract.Overwrite: {`run "newer\n"`, `implied/deep/file "deep"`, `ro/x "x"`, `alias "port=80\n"`, "drwxr-x--- app/up\n"},
		}[answer] {
			if !strings.Contains(after, want) {
				t.Errorf("no %s in\n%s", want, after)
			}
		}
		if want := map[extract.Answer]int{extract.Skip: 4}[answer]; r.Kept != want {
			t.Errorf("kept %d, want %d", r.Kept, want)
		}
		if strings.Contains(after, ".fathom-") {
			t.Errorf("left behind:\n%s", after)
		}
	}
}

// Names and symlinks that lead out of the destination write nothing outside of it.
func TestHostile(t *testing.T) {
	long := strings.Repeat("n", 300)
	deep := strings.Repeat("d/", 600) + "f"
	a := analysis(t, `
layer
  file    ../../evil1 text="e"
  file    /evil2 text="e"
  file    a/../../evil3 text="e"
  symlink out -> /
  symlink up -> ../..
  file    out/tmp/evil4 text="e"
  file    up/evil5 text="e"
  file    "back\\slash" text="b"
  file    "new\nline" text="n"
  file    "bad\xffname" text="u"
  file    Case text="1"
  file    case text="2"
  file    `+long+` text="l"
  file    new/`+long+` text="l"
  file    new/`+long+`x/f text="l"
  file    `+deep+` text="d"
  symlink target -> `+strings.Repeat("t", 5000)+`
`)
	parent := t.TempDir()
	dest := filepath.Join(parent, "dest")
	if err := os.Mkdir(dest, 0o755); err != nil {
		t.Fatal(err)
	}
	p := plan(t, a, "/", dest)
	run(t, p)
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the folder: %v %v", entries, err)
	}
	got := list(t, dest)
	for _, want := range []string{"evil1", "evil2", "evil3", `back\slash`, "new\nline", "bad\xffname", `Case "1"`, `case "2"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	var notes []string
	for _, n := range p.Notes {
		notes = append(notes, fmt.Sprintf("%.8s: %s", n.Path, n.Text))
	}
	same(t, `
/d/d/d/d: more than 500 nested folders
/nnnnnnn: this disk can't store its name
/new/nnn: this disk can't store its name
/new/nnn: this disk can't store its name
/target: this disk can't store such a symlink`, strings.Join(notes, "\n"))
}

// Nothing is written outside of the destination if a folder is replaced by a symlink
// while files are written.
func TestRace(t *testing.T) {
	var image strings.Builder
	image.WriteString("layer\n")
	for i := range 300 {
		fmt.Fprintf(&image, "  file app/d%d/f%d text=\"evil\"\n", i%3, i)
	}
	a := analysis(t, image.String())
	parent := t.TempDir()
	outside := filepath.Join(parent, "outside")
	dest := filepath.Join(parent, "dest")
	for _, dir := range []string{outside, dest} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	swapped := 0
	for round := 0; round < 20 || swapped == 0 && round < 1000; round++ {
		os.RemoveAll(filepath.Join(dest, "app"))
		p := plan(t, a, "/app", dest)
		stop, done := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			for {
				select {
				case <-stop:
					done <- n
					return
				default:
				}
				d := filepath.Join(dest, "app", fmt.Sprintf("d%d", n%3))
				if os.Rename(d, d+"x") == nil {
					os.Symlink(outside, d)
					n++
					os.Remove(d)
					os.Rename(d+"x", d)
				}
			}
		}()
		_, err := p.Run(t.Context(), nil)
		close(stop)
		swapped += <-done
		if err != nil && !strings.HasPrefix(err.Error(), "writing "+dest) {
			t.Errorf("got error %v", err)
		}
		p.Close()
	}
	if left := list(t, outside); left != "" {
		t.Errorf("after %d swaps, outside:\n%s", swapped, left)
	}
	if swapped == 0 {
		t.Error("nothing was swapped")
	}
}

// fuse is a context that is canceled after a number of calls of Err.
type fuse struct {
	context.Context
	left *int
}

func (f fuse) Err() error {
	if *f.left--; *f.left < 0 {
		return context.Canceled
	}
	return nil
}

// A canceled extraction leaves only complete files.
func TestCancel(t *testing.T) {
	a := analysis(t, "layer\n  file a 100000xa\n  file b 50000000xb\n", imagetest.Gzip)
	dest := t.TempDir()
	p := plan(t, a, "/", dest)
	left := 100
	_, err := p.Run(fuse{t.Context(), &left}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if got := list(t, dest); !strings.HasPrefix(got, "-rw-r--r-- a ") || strings.Count(got, "\n") != 1 {
		t.Errorf("left:\n%s", got)
	}
}

// If the disk is full, extracting fails and leaves no partial file.
func TestFull(t *testing.T) { proctest.Alone(t, func() { full(t) }) }

// full limits the size of files that this process can write. Writing more fails as on
// a full disk.
func full(t *testing.T) {
	a := analysis(t, "layer\n  file a 1000xa\n  file big 2000000xb\n")
	dest := t.TempDir()
	p := plan(t, a, "/", dest)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, err := p.Run(t.Context(), nil)
	if err == nil || err.Error() != "writing "+filepath.Join(dest, "big")+": file too large" {
		t.Errorf("got error %v", err)
	}
	if got := list(t, dest); strings.Count(got, "\n") != 1 {
		t.Errorf("left:\n%s", got)
	}
}

// A path that does not exist after the layer can't be extracted.
func TestRemovedPath(t *testing.T) {
	a := analysis(t, app)
	n, _ := a.Tree.Lookup("/app/cfg")
	_, err := extract.New(t.Context(), a, n, 1, t.TempDir())
	if err == nil || err.Error() != "extracting /app/cfg: it is not there after layer 1" {
		t.Errorf("got error %v", err)
	}
}

// Files that appear in the destination after the plan was made are kept.
func TestAppears(t *testing.T) {
	a := analysis(t, app)
	dest, outside := t.TempDir(), t.TempDir()
	p := plan(t, a, "/app", dest)
	if err := os.MkdirAll(filepath.Join(dest, "app"), 0o755); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dest, "app/run"), []byte("mine"), 0o644)
	os.Symlink(outside, filepath.Join(dest, "app/ro"))
	os.Symlink(filepath.Join(outside, "alias"), filepath.Join(dest, "app/alias"))
	run(t, p)
	if got := list(t, outside); got != "" {
		t.Errorf("outside:\n%s", got)
	}
	got := list(t, dest)
	for _, want := range []string{`run "mine"`, "app/ro -> /", "app/alias -> /", `deep/file "deep"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	var notes []string
	for _, n := range p.Notes[3:] {
		notes = append(notes, n.Path+": "+n.Text)
	}
	same(t, `
/app: a folder appeared there
/app/ro: another entry appeared there
/app/alias: another entry appeared there
/app/run: another entry appeared there`, strings.Join(notes, "\n"))
}

// TestOwner checks owners, and the setuid and setgid bits, which are set with them.
func TestOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root sets owners")
	}
	a := analysis(t, `
layer
  dir     d 2770 1001:1002
  file    d/suid 4750 1003:1004 text="x"
  symlink d/l -> x
  file    odd 5000000000:1 text="x"
`)
	dest := t.TempDir()
	p := plan(t, a, "/", dest)
	p.Owner = true
	run(t, p)
	for path, want := range map[string]string{"d": "dgrwxrwx--- 1001:1002", "d/suid": "urwxr-x--- 1003:1004", "d/l": "Lrwxrwxrwx 0:0"} {
		info, err := os.Lstat(filepath.Join(dest, path))
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		if got := fmt.Sprintf("%s %d:%d", info.Mode(), st.Uid, st.Gid); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
