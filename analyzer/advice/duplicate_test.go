package advice

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

func TestDuplicateContent(t *testing.T) {
	want := `info 4000000: 2 other files are the same as /bin/tool2
  fix: replace the copies by links at the end of the step that stores them
  > RUN make \
  >     && ln -f /bin/tool2 /bin/tool \
  >     && ln -sf /bin/tool2 /bin/tool4
  /bin/tool layer 2, 2000000 bytes, 1 files
  /bin/tool4 layer 2, 2000000 bytes, 1 files
info 1100010: /opt/lib holds the same files as /srv/lib
  fix: do not store the copies; link to the first instead
  > RUN ln -s /srv/lib /opt/lib
  /opt/lib layer 1, 1100010 bytes, 3 files
`
	if d := cmp.Diff(want, foundBy(t, "duplicate-content", imagetest.Load(t, "duplicate-before"))); d != "" {
		t.Errorf("before (-want +got):\n%s", d)
	}
	if got := foundBy(t, "duplicate-content", imagetest.Load(t, "duplicate-after")); got != "" {
		t.Errorf("after: got\n%s", got)
	}
}

// Below a folder that is reported, only what has more copies elsewhere is reported.
func TestDuplicatesFold(t *testing.T) {
	for _, tt := range []struct{ name, files, want string }{
		{"a folder in one layer", "file a/x/f 1000000xf\n file a/x/g 500000xg\n file b/x/f 1000000xf\n file b/x/g 500000xg\n", `info 1500000: /b holds the same files as /a
  fix: replace the copies by links at the end of the step that stores them
  > RUN make \
  >     && rm -r /b && ln -s /a /b
  /b layer 0, 1500000 bytes, 2 files
`},
		{"a file of it once more", "file a/f 1000000xf\n file a/g 1100000xg\n file b/f 1000000xf\n file b/g 1100000xg\n file c 1000000xf\n", `info 2100000: /b holds the same files as /a
  fix: replace the copies by links at the end of the step that stores them
  > RUN make \
  >     && rm -r /b && ln -s /a /b
  /b layer 0, 2100000 bytes, 2 files
info 1000000: /c has the same content as /a/f
  fix: replace the copies by links at the end of the step that stores them
  > RUN make \
  >     && ln -f /a/f /c
  /c layer 0, 1000000 bytes, 1 files
`},
		{"names that do not fit on a line", "file \"a\\n\" 1000000xf\n file \"b c\" 1000000xf\n", `info 1000000: /b c has the same content as /a

  fix: replace the copies by links at the end of the step that stores them
  /b c layer 0, 1000000 bytes, 1 files
`},
		{"other links in a folder", "file a/f 1000000xf\n symlink a/l -> x\n file b/f 999999xf\n file b/g 1xg\n symlink b/l -> y\n", ""},
		{"much", "file a 25000000xf\n file b 25000000xf\n", `warn 25000000: /b has the same content as /a
  fix: replace the copies by links at the end of the step that stores them
  > RUN make \
  >     && ln -f /a /b
  /b layer 0, 25000000 bytes, 1 files
`},
		{"small files", strings.Repeat(" file %d 62499xf\n", 20), ""},
		{"files just large enough", strings.Repeat(" file %d 62500xf\n", 17), `info 1000000: 16 other files are the same as /0
  fix: replace the copies by links at the end of the step that stores them
  /1 layer 0, 62500 bytes, 1 files
`},
	} {
		files := tt.files
		if n := strings.Count(files, "%d"); n > 0 {
			var numbers []any
			for i := range n {
				numbers = append(numbers, i)
			}
			files = fmt.Sprintf(files, numbers...)
		}
		got := foundBy(t, "duplicate-content", imagetest.Must(t, "layer RUN make\n "+files))
		if len(tt.want) > 0 && strings.Contains(tt.name, "just") {
			got, _, _ = strings.Cut(got, "  /10 ")
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
}

// Files of the distribution's packages can't go: what was copied from them can.
func TestOwnedDuplicates(t *testing.T) {
	const two = "  file usr/lib/a/x 1000000xf\n  file opt/b/x 1000000xf\n"
	for name, tt := range map[string]struct{ files, want string }{
		"both are of packages": {debs("p", "/usr/lib/a/x /opt/b/x") + two, ""},
		"the first is":         {debs("p", "/usr/lib/a/x") + two, "info 1000000 /opt/b holds the same files as /usr/lib/a\n"},
		"the last is":          {debs("p", "/opt/b/x") + two, "info 1000000 /usr/lib/a holds the same files as /opt/b\n"},
		"none is":              {two, "info 1000000 /usr/lib/a holds the same files as /opt/b\n"},
		"one file of each folder is": {
			debs("p", "/usr/lib/a/x /opt/b/x") + two + "  file usr/lib/a/y 1100000xg\n  file opt/b/y 1100000xg\n", "info 1100000 /usr/lib/a/y has the same content as /opt/b/y\n",
		},
	} {
		_, all := find(t, imagetest.Must(t, "layer RUN apt-get install -y p && make\n"+tt.files))
		if d := cmp.Diff(tt.want, short(all, "duplicate-content")); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Above a number of findings, the rest is one finding, so that no byte is dropped.
func TestManyDuplicates(t *testing.T) {
	var b strings.Builder
	b.WriteString("layer RUN make\n")
	for i := range 52 {
		fmt.Fprintf(&b, "  file a%d 10%05dxf\n  file b%d 10%05dxf\n", i, i, i, i)
	}
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, b.String()).Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := Find(t.Context(), a, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []facts.Finding
	for _, f := range all {
		if f.Rule == "duplicate-content" {
			got = append(got, f)
		}
	}
	// The two smallest pairs have 1,000,000 and 1,000,001 bytes.
	if len(got) != 51 || got[0].Title != "2 other files or folders are stored elsewhere too" || got[0].Bytes != 2000001 {
		t.Errorf("got %d findings, the first: %+v", len(got), got[0])
	}
}

// What duplicate-content saves is exactly what is stored more than once.
func TestDuplicatesSaveAllCopies(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 15 {
		var b strings.Builder
		paths := map[string]string{}
		for l := range 3 {
			fmt.Fprintf(&b, "layer RUN %d\n", l)
			for range rnd.IntN(6) {
				dir := []string{"a", "b", "a/c", "b/c", "d", "d/a", "d/b"}[rnd.IntN(7)]
				path, content := fmt.Sprintf("%s/%c", dir, 'x'+rune(rnd.IntN(2))), fmt.Sprintf("%dx%c", 1_000_000+rnd.IntN(2), 's'+rune(rnd.IntN(2)))
				if paths[path] == "" {
					paths[path] = content
					fmt.Fprintf(&b, "  file %s %s\n", path, content)
				}
			}
		}
		want, distinct := int64(0), map[string]bool{}
		for _, content := range paths {
			if distinct[content] {
				var n int64
				fmt.Sscan(content, &n)
				want += n
			}
			distinct[content] = true
		}
		for _, cs := range [][]imagetest.Compression{nil, {imagetest.Zstd}, {imagetest.Zstd, imagetest.None}} {
			a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, b.String()).Image(cs...), analyzer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			all, _, err := Find(t.Context(), a, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got := int64(0)
			for _, f := range all {
				if f.Rule == "duplicate-content" {
					got += f.Bytes
				}
			}
			if got != want {
				t.Fatalf("%v: saves %d bytes, and %d are stored again:\n%s", cs, got, want, b.String())
			}
		}
	}
}
