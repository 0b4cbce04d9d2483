package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// streamed returns the entries of a layer's tar read as a stream.
func streamed(t testing.TB, tar []byte) *layer.Diff {
	t.Helper()
	d, err := layer.Read(t.Context(), layer.Blob{Size: int64(len(tar)), Stream: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(tar)), nil
	}}, layer.Options{Digest: imagetest.Digest(tar), Look: []layer.Looker{
		{Name: "none 1", Min: 1 << 40},
		{Name: "start 2", Look: func(_ string, s *layer.Sample) []string { return []string{string(s.Head[:1]), ""} }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// numbered returns a digest that differs for each n.
func numbered(n int) v1.Hash {
	return v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%064x", n)}
}

func open(t testing.TB, dir string, limit int64) *Cache {
	t.Helper()
	c, err := Open(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func put(t testing.TB, c *Cache, digest v1.Hash, d *layer.Diff) {
	t.Helper()
	if err := c.Put(digest, d); err != nil {
		t.Fatal(err)
	}
}

// equal fails the test unless want and got are equal. It reports only the first
// entry that differs.
func equal(t testing.TB, want, got *layer.Diff) {
	t.Helper()
	type rest struct {
		Entries      int
		Stored, Size int64
		Plain        bool
		Warnings     []layer.Warning
		Looked       []string
		Notes        []layer.Note
	}
	of := func(d *layer.Diff) rest {
		return rest{d.Len(), d.Stored, d.Size, d.Plain, d.Warnings, d.Looked, d.Notes}
	}
	if diff := cmp.Diff(of(want), of(got)); diff != "" {
		t.Errorf("differs from the stored layer (-want +got)\n%s", diff)
		return
	}
	for i := range want.Len() {
		if *want.At(i) != *got.At(i) {
			t.Errorf("entry %d differs from the stored one (-want +got)\n%s", i, cmp.Diff(*want.At(i), *got.At(i)))
			return
		}
	}
}

func TestGivesBackEveryImage(t *testing.T) {
	c := open(t, t.TempDir(), 0)
	for _, name := range imagetest.Names(t) {
		img := imagetest.Load(t, name)
		for i := range img.Layers {
			tar := img.LayerTar(i)
			d := streamed(t, tar)
			put(t, c, imagetest.Digest(tar), d)
			got, ok := c.Get(imagetest.Digest(tar))
			if !ok {
				t.Fatalf("%s, layer %d: not in the cache", name, i)
			}
			equal(t, d, got)
		}
	}
	files, err := c.List()
	if err != nil || len(files) < 100 {
		t.Errorf("got %d files, %v", len(files), err)
	}
}

func TestKeepsOnlyWhatWasReadToTheEnd(t *testing.T) {
	file := layer.Entry{Path: "a", Size: 3, Held: 3, Hashed: true}
	unhashed, table := file, file
	unhashed.Hashed, table.FromTable = false, true
	for name, d := range map[string]*layer.Diff{
		"read by its headers": {Plain: true},
		"without a hash":      diff(unhashed),
		"hash from a table":   diff(table),
	} {
		if err := open(t, t.TempDir(), 0).Put(numbered(1), d); !errors.Is(err, errUnverified) {
			t.Errorf("a layer %s: got %v", name, err)
		}
	}
	for _, digest := range []v1.Hash{
		{}, {Algorithm: "md5", Hex: strings.Repeat("0", 32)}, {Algorithm: "sha256", Hex: "../../../../x"},
		{Algorithm: "sha256", Hex: strings.Repeat("A", 64)},
	} {
		if err := open(t, t.TempDir(), 0).Put(digest, diff(file)); err == nil {
			t.Errorf("%q was accepted as a digest", digest)
		}
	}
}

func diff(es ...layer.Entry) *layer.Diff {
	d := &layer.Diff{Size: 10240}
	for _, e := range es {
		d.Add(e)
	}
	return d
}

// Get does not return a damaged layer; it removes the file.
func TestDropsWhatIsDamaged(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 0)
	d := streamed(t, imagetest.Load(t, "apt-pattern").LayerTar(0))
	name, err := fileName(numbered(1))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	put(t, c, numbered(1), d)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Get(numbered(1)); ok {
			t.Errorf("%s: Get returned the layer", what)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the file was not removed: %v", what, err)
		}
	}
	for i := 0; i < len(whole); i += 1 + i/64 {
		if i >= len(magic) && i < len(magic)+2 {
			continue // the versions: files of other versions are kept
		}
		bad := bytes.Clone(whole)
		bad[i] ^= 0x10
		try(fmt.Sprintf("bit of byte %d", i), bad)
		try(fmt.Sprintf("cut at byte %d", i), whole[:i])
	}
	try("a byte more", append(bytes.Clone(whole), 0))
	put(t, c, numbered(2), d)
	other, err := fileName(numbered(2))
	if err != nil {
		t.Fatal(err)
	}
	swapped, err := os.ReadFile(filepath.Join(dir, other))
	if err != nil {
		t.Fatal(err)
	}
	try("another layer's file", swapped)
	put(t, c, numbered(1), d)
	got, ok := c.Get(numbered(1))
	if !ok {
		t.Fatal("not in the cache after Put")
	}
	equal(t, d, got)
}

func TestLeavesOtherVersions(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 0)
	put(t, c, numbered(1), diff())
	name, err := fileName(numbered(1))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(magic)+1]++
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(numbered(1)); ok {
		t.Error("another version's file was read")
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestOldestUsedGoFirst(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 4*block)
	for n := 1; n <= 4; n++ {
		put(t, c, numbered(n), diff())
		age(t, c, n, time.Duration(10-n)*time.Minute)
	}
	if _, ok := c.Get(numbered(1)); !ok { // makes layer 1 the most recently used
		t.Fatal("layer 1 is not in the cache")
	}
	put(t, c, numbered(5), diff())
	var have []int
	for n := 1; n <= 5; n++ {
		if _, ok := c.Get(numbered(n)); ok {
			have = append(have, n)
		}
	}
	if diff := cmp.Diff([]int{1, 3, 4, 5}, have); diff != "" {
		t.Error(diff)
	}
	big := diff()
	for n := range 3000 {
		e := layer.Entry{Path: fmt.Sprint(n), Size: 1, Held: 1, Hashed: true}
		copy(e.Hash[:], fmt.Sprintf("%016x", uint64(n)*0x9e3779b97f4a7c15))
		big.Add(e)
	}
	if err := c.Put(numbered(6), big); err == nil {
		t.Error("a layer larger than the cache was stored")
	}
}

func age(t *testing.T, c *Cache, n int, by time.Duration) {
	t.Helper()
	name, err := fileName(numbered(n))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-by)
	if err := os.Chtimes(filepath.Join(c.dir, name), at, at); err != nil {
		t.Fatal(err)
	}
}

func TestClearLeavesWhatIsNotItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	c := open(t, dir, 0)
	if n, bytes, err := c.Clear(); n != 0 || bytes != 0 || err != nil {
		t.Errorf("clearing no folder: %d, %d, %v", n, bytes, err)
	}
	put(t, c, numbered(1), diff())
	put(t, c, numbered(2), diff())
	files, err := c.List()
	if err != nil || len(files) != 2 {
		t.Fatalf("got %v, %v", files, err)
	}
	theirs := filepath.Join(dir, "notes.txt")
	left := filepath.Join(dir, temp+"123")
	for _, path := range []string{theirs, left} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * stale)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	n, bytes, err := c.Clear()
	if n != 2 || bytes != files[0].Size+files[1].Size || err != nil {
		t.Errorf("got %d, %d, %v", n, bytes, err)
	}
	var names []string
	rest, err := os.ReadDir(dir)
	for _, e := range rest {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"notes.txt"}, names); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes on windows")
	}
	dir := filepath.Join(t.TempDir(), "layers")
	c := open(t, dir, 0)
	put(t, c, numbered(1), diff())
	files, err := c.List()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, files[0].path: 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
	if err := os.Chmod(files[0].path, 0o622); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Get(numbered(1)); ok {
		t.Error("a file that other users can write was read")
	}
}

// If the folder is a file or can't be created, Put fails and Get finds nothing.
func TestFolderThatTakesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		c := open(t, dir, 0)
		if err := c.Put(numbered(1), diff()); err == nil || !strings.Contains(err.Error(), "in the cache: ") {
			t.Errorf("%s: got %v", dir, err)
		}
		if _, ok := c.Get(numbered(1)); ok {
			t.Errorf("%s holds a layer", dir)
		}
	}
}

// TestTogether uses two caches on one folder, as two processes would. They are so
// small that each removes files the other reads. Whatever Get returns must be
// correct.
func TestTogether(t *testing.T) {
	dir := t.TempDir()
	together(t, open(t, dir, 6*block), open(t, dir, 6*block))
}

func together(t *testing.T, caches ...*Cache) {
	var work sync.WaitGroup
	for at, c := range caches {
		for worker := range 4 {
			work.Go(func() {
				for n := range 100 {
					k := (n*7 + worker*3 + at) % 10
					if err := c.Put(numbered(k), layerOf(k)); err != nil {
						t.Error(err)
					}
					k = (k + worker) % 10
					if d, ok := c.Get(numbered(k)); ok {
						equal(t, layerOf(k), d)
					}
				}
			})
		}
	}
	work.Wait()
	files, err := caches[0].List()
	if err != nil || len(files) == 0 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
}

func layerOf(n int) *layer.Diff {
	d := diff()
	for i := range 20 * n {
		d.Add(layer.Entry{Kind: layer.Dir, Path: fmt.Sprintf("%d/%d", n, i), Mode: 0o755, ModTime: int64(n)})
	}
	return d
}

const sharedDir = "FATHOM_TEST_SHARED_CACHE"

// TestProcesses does the same as TestTogether in several processes.
func TestProcesses(t *testing.T) {
	if dir := os.Getenv(sharedDir); dir != "" {
		together(t, open(t, dir, 6*block))
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var work sync.WaitGroup
	for range 3 {
		work.Go(func() {
			cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestProcesses$")
			cmd.Env = append(os.Environ(), sharedDir+"="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	work.Wait()
	files, err := open(t, dir, 0).List()
	if err != nil || len(files) == 0 || len(files) > 3*6 {
		t.Errorf("%d files are left, %v", len(files), err)
	}
	rest, err := filepath.Glob(filepath.Join(dir, temp+"*"))
	if err != nil || len(rest) > 0 {
		t.Errorf("left behind: %v, %v", rest, err)
	}
}

func TestWhere(t *testing.T) {
	t.Setenv(Variable, "")
	t.Setenv("XDG_CACHE_HOME", "/somewhere")
	t.Setenv("HOME", "/home/of")
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := open(t, "", 0).Dir(), filepath.Join(user, "fathom", "layers"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	other := t.TempDir()
	t.Setenv(Variable, other)
	if got := open(t, "", 0).Dir(); got != other {
		t.Errorf("got %s, want %s", got, other)
	}
	given := t.TempDir()
	if got := open(t, given, 0).Dir(); got != given {
		t.Errorf("got %s, want %s", got, given)
	}
}
