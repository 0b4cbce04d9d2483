package advice

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// A tar of a/b with 5 bytes and a/c with one, made by GNU tar, in xz and bzip2.
const (
	tarXz    = "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AHhdADCLyEAOUCcI/OcFvm95VdZcBs4OxNwt+UGk9okOq5huYoxdvrlCYnMtPisRF/Uu51p4cfaULF67bsbEeY0VWZSrYvouqoaJ24L4TX1iXIM+GEVYIpfotVMh8ljJaEqPa0Jlm7nTuRESO6pMU57BXfIHIelnkfhPAABpMYwcf7A8ZQABlAGAUAAAszEn+bHEZ/sCAAAAAARZWg=="
	tarBzip2 = "QlpoOTFBWSZTWbNn6MEAAJz7kMmAAEJAAO+AAAJ6RJ5ABAAASCAAcGMABMAATAqkhNDQNMnqekyaepqVnPqvXPkgb8ogR5xvWJFmWzuwcUISIlEaMlqEKLmSRFqmdjoW9lHC9RI91o0bV+7pmpNmzVXFVWGKIP4u5IpwoSFmz9GC"
)

// members returns what the looker for archives notes about p.
func members(l *layer.Looker, p []byte) string {
	s := layer.Sample{Size: int64(len(p)), Head: p}
	if len(p) > layer.MaxWhole {
		s.Head, s.Tail = p[:layer.MaxWhole/2], p[len(p)-layer.MaxWhole/2:]
	}
	if !l.Sniff(p[:min(len(p), layer.SniffSize)]) {
		return "no archive"
	}
	return strings.ReplaceAll(strings.Join(l.Look("", &s), "|"), "\x00", " ")
}

func gzipped(p []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(p)
	w.Close()
	return b.Bytes()
}

func zstandard(p []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return w.EncodeAll(p, nil)
}

func base64Bytes(s string) []byte {
	p, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return p
}

// tarOf returns a tar of files, each "NAME SIZE".
func tarOf(files ...string) []byte {
	var all []imagetest.Entry
	for _, f := range files {
		name, size, _ := strings.Cut(f, " ")
		var n int
		fmt.Sscan(size, &n)
		all = append(all, imagetest.Entry{Kind: "file", Name: name, Data: make([]byte, n)})
	}
	return imagetest.Tar(all)
}

func zipOf(files ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		name, size, _ := strings.Cut(f, " ")
		var n int
		fmt.Sscan(size, &n)
		e, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			panic(err)
		}
		e.Write(make([]byte, n))
	}
	w.SetComment("a comment")
	w.Close()
	return b.Bytes()
}

func numbered(n int, format string) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

func TestArchiveMembers(t *testing.T) {
	l := archiveLooker()
	small := tarOf("a/b 5", "a/c 1")
	long := strings.Repeat("n", 254)
	brokenEnd := zipOf("a 5")
	brokenEnd = brokenEnd[:len(brokenEnd)-len("a comment")-3]
	hugeDir := zipOf("a 5")
	binary.LittleEndian.PutUint32(hugeDir[len(hugeDir)-len("a comment")-22+12:], 1<<32-1)
	hugeName := zipOf("a 5")
	binary.LittleEndian.PutUint16(hugeName[bytes.Index(hugeName, []byte("PK\x01\x02"))+28:], 1<<16-1)
	for name, tt := range map[string]struct {
		file []byte
		want string
	}{
		"tar":                     {small, " 5 a/b 1 a/c"},
		"gzip":                    {gzipped(small), "-z 5 a/b 1 a/c"},
		"xz":                      {base64Bytes(tarXz), "-J 5 a/b 1 a/c"},
		"bzip2":                   {base64Bytes(tarBzip2), "-j 5 a/b 1 a/c"},
		"zstd":                    {zstandard(small), "--zstd 5 a/b 1 a/c"},
		"zip":                     {zipOf("a/b 5", "a/ 0", "a/c 1"), "zip 5 a/b 1 a/c"},
		"zip with a large middle": {slices.Concat(zipOf("x 1")[:40], make([]byte, 2<<20), zipOf("a/b 5")), "zip 5 a/b"},
		"gzip of no tar":          {gzipped(make([]byte, 100_000)), ""},
		"a cut gzip":              {gzipped(small)[:40], ""},
		"damaged xz":              {append(base64Bytes(tarXz)[:100], make([]byte, 100)...), "-J 5 a/b"},
		"an empty file":           {nil, "no archive"},
		"a text":                  {[]byte("BZh is no bzip2"), ""},
		"another text":            {[]byte("PK"), "no archive"},
		"a zip without an end":    {brokenEnd, ""},
		"a zip of 4 GB of names":  {hugeDir, ""},
		"a zip with a long name":  {hugeName, ""},
		"a jar":                   {zipOf("META-INF/MANIFEST.MF 5", "a 5"), ""},
		"a wheel":                 {zipOf("a 5", "a-1.dist-info/METADATA 5"), ""},
		"an Alpine package":       {gzipped(tarOf(".PKGINFO 5", "usr/bin/a 5")), ""},
		"a huge first member":     {gzipped(tarOf("a 5000000", "b 5")), "-z 5000000 a"},
		"a bomb":                  {gzipped(make([]byte, 100<<20)), ""},
		"hostile names":           {tarOf("/etc/a 1", "../b 1", "x/../../c 1", "./d/./e//f 1", "/ 1"), " 1 etc/a 1 d/e/f"},
		"many members":            {tarOf(numbered(20, "m%02d 1")...), " 1 m00 1 m01 1 m02 1 m03 1 m04 1 m05 1 m06 1 m07 1 m08 1 m09 1 m10 1 m11 1 m12 1 m13 1 m14 1 m15"},
		"long names":              {tarOf("a"+long+" 1", "aa"+long+" 1", "b"+long+" 1", "c"+long+" 1", "d"+long+" 1", "e"+long+" 1"), fmt.Sprintf(" 1 a%[1]s 1 b%[1]s 1 c%[1]s 1 d%[1]s", long)},
	} {
		if got := members(l, tt.file); got != tt.want {
			t.Errorf("%s: got %.200q, want %.200q", name, got, tt.want)
		}
	}
	for name, want := range map[string]bool{"a.tar.gz": true, "a": true, "lib/a.JAR": false, "x.whl": false} {
		if got := l.Wants(name); got != want {
			t.Errorf("%s: wanted %v", name, got)
		}
	}
}

// An archive counts only if enough of its members are in the image, in one place.
func TestUnpackedWhere(t *testing.T) {
	const pack = `
archive a tar
  file d/1 10xx
  file d/2 20xx
  file d/e/3 30xx
  file d/e/4 400000xx
  file big 1100000xx
layer COPY a /
  file a archive=a
layer RUN tar
`
	for name, tt := range map[string]struct {
		files string
		want  string // the end of the title; "" for no finding
	}{
		"all":                 {"file s/d/1 10xx\n file s/d/2 20xx\n file s/d/e/3 30xx\n file s/d/e/4 400000xx\n file s/big 1100000xx", "/s"},
		"at the root":         {"file d/1 10xx\n file d/2 20xx\n file d/e/3 30xx\n", "/"},
		"without a directory": {"file s/1 10xx\n file s/2 20xx\n file s/e/3 30xx\n", "/s"},
		"two":                 {"file s/d/1 10xx\n file s/d/2 20xx\n", ""},
		"other sizes":         {"file s/d/1 11xx\n file s/d/2 20xx\n file s/d/e/3 30xx\n", ""},
		"in two places":       {"file s/d/1 10xx\n file s/d/2 20xx\n file t/d/e/3 30xx\n", ""},
		"one large of five":   {"file s/big 1100000xx\n", ""},
	} {
		got := foundBy(t, "archive-and-content", imagetest.Must(t, pack+" "+tt.files+"\n"))
		title, _, _ := strings.Cut(got, "\n")
		if _, to, _ := strings.Cut(title, "unpacked from it in "); to != tt.want {
			t.Errorf("%s: got %q, want %q", name, title, tt.want)
		}
	}
	const small = "archive a tar\n file 1 10xx\n file 2 20xx\n file 3 1100000xx\nlayer COPY a /\n file a archive=a\nlayer RUN x\n file s/1 10xx\n file s/2 20xx\n"
	if got := foundBy(t, "archive-and-content", imagetest.Must(t, small)); got != "" {
		t.Errorf("two small files of three: got\n%s", got)
	}
	const one = "archive a tar\n  file linux/tool 1100000xx\n"
	moved := "layer COPY a /\n file a archive=a\nlayer RUN x\n file usr/bin/tool 1100000xx\n"
	if got := foundBy(t, "archive-and-content", imagetest.Must(t, one+moved)); !strings.Contains(got, "--strip-components=1") {
		t.Errorf("one large file that was moved: got\n%s", got)
	}
	packed := "layer RUN x\n file usr/bin/tool 1100000xx\nlayer RUN tar c\n file a archive=a\n"
	if got := foundBy(t, "archive-and-content", imagetest.Must(t, one+packed)); got != "" {
		t.Errorf("an archive that was made of what is there: got\n%s", got)
	}
}

func TestArchiveFix(t *testing.T) {
	for _, tt := range []struct{ step, where, want string }{
		{"COPY a.tar.gz /tmp/", "", "ADD a.tar.gz /s/"},
		{"COPY --chown=1:1 sub/a.tar.gz other /tmp/", "", "ADD sub/a.tar.gz /s/"},
		{"/bin/sh -c #(nop) COPY file:0123abcd in /tmp/a.tar.gz ", "", "ADD a.tar.gz /s/"},
		{"/bin/sh -c #(nop) COPY dir:0123abcd in /tmp ", "", ""},
		{`COPY ["a.tar.gz", "/tmp/"]`, "", "ADD a.tar.gz /s/"},
		{"COPY --from=build /out/a.tar.gz /tmp/", "", "RUN --mount=type=bind,from=build,source=/out/a.tar.gz,target=/mnt/a.tar.gz mkdir -p /s && tar -xf /mnt/a.tar.gz -C /s"},
		{"COPY /out/a.tar.gz /tmp/ # buildkit", "", ""},
		{"COPY --from=$(x) /out/a.tar.gz /tmp/", "", ""},
		{"COPY /out/a.tar.gz /tmp/ # buildkit", "", ""},
		{"COPY . /tmp", "", "RUN --mount=type=bind,source=a.tar.gz,target=/mnt/a.tar.gz mkdir -p /s && tar -xf /mnt/a.tar.gz -C /s"},
		{"COPY vendor /", "", "RUN --mount=type=bind,source=vendor/tmp/a.tar.gz,target=/mnt/a.tar.gz mkdir -p /s && tar -xf /mnt/a.tar.gz -C /s"},
		{"COPY *.gz /tmp/", "", ""},
		{"COPY", "", ""},
		{"ADD https://example.com/a.tar.gz /tmp/", "", "RUN mkdir -p /s && curl -fsSL -o /tmp/archive https://example.com/a.tar.gz && tar -xf /tmp/archive -C /s && rm /tmp/archive"},
		{"RUN curl -O 'https://example.com/a.tar.gz?b=1&c' && ls", "", "RUN mkdir -p /s && curl -fsSL -o /tmp/archive 'https://example.com/a.tar.gz?b=1' && tar -xf /tmp/archive -C /s && rm /tmp/archive"},
		{"RUN make", "", ""},
		{"RUN make", "same layer", "RUN make \\"},
	} {
		text := "archive a tar.gz\n file 1 1xx\n file 2 2xx\n file 3 1100000xx\nlayer " + tt.step + "\n file tmp/a.tar.gz archive=a\n"
		if tt.where == "" {
			text += "layer RUN tar\n"
		}
		got := foundBy(t, "archive-and-content", imagetest.Must(t, text+" file s/1 1xx\n file s/2 2xx\n file s/3 1100000xx\n"))
		_, line, _ := strings.Cut(got, "\n  > ")
		line, _, _ = strings.Cut(line, "\n")
		if line != tt.want || got == "" {
			t.Errorf("%s:\n got %s\nwant %s\n%s", tt.step, line, tt.want, got)
		}
	}
}

// A flag and an ADD take no quotes: such paths are left to a shell.
func TestArchiveFixQuotes(t *testing.T) {
	for _, tt := range []struct{ dir, to, second, want string }{
		{"t,ro", "s", "tar && make && rm /t,ro/a.tar", "RUN --mount=type=bind,source=a.tar,target=/mnt/a.tar mkdir -p /s && tar -xf /mnt/a.tar -C /s"},
		{"t", "s;t", "tar", "RUN --mount=type=bind,source=a.tar,target=/mnt/a.tar mkdir -p '/s;t' && tar -xf /mnt/a.tar -C '/s;t'"},
	} {
		text := fmt.Sprintf("archive a tar\n file 1 1xx\n file 2 2xx\n file 3 1100000xx\nlayer COPY a.tar /%[1]s/\n file %[1]s/a.tar archive=a\nlayer RUN %s\n file %[1]s/.wh.a.tar\n", tt.dir, tt.second)
		for i, size := range []string{"1", "2", "1100000"} {
			text += fmt.Sprintf(" file %s/%d %sxx\n", tt.to, i+1, size)
		}
		got := foundBy(t, "archive-and-content", imagetest.Must(t, text))
		_, line, _ := strings.Cut(got, "\n  > ")
		if line, _, _ = strings.Cut(line, "\n"); line != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
}

// BenchmarkArchiveBomb looks at an archive that takes longest.
func BenchmarkArchiveBomb(b *testing.B) {
	for name, p := range map[string][]byte{
		"gzip": gzipped(tarOf("a 500000000")), "zstd": zstandard(tarOf("a 500000000")),
		"zip": zipOf(numbered(20_000, "%d 1")...), "tar": tarOf(numbered(2000, "%0250d 0")...),
	} {
		b.Run(name, func(b *testing.B) {
			l := archiveLooker()
			for b.Loop() {
				members(l, p)
			}
		})
	}
}
