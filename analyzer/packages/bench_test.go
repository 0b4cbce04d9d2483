package packages

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/layer"
)

// nodeApp returns the text of an image with 400 debs and 1,000 npm packages, 61,000
// paths in all.
func nodeApp() string {
	var b strings.Builder
	b.WriteString("layer RUN apt-get install\n  symlink lib -> usr/lib\n")
	var debs []string
	for i := range 400 {
		name := fmt.Sprintf("deb-%d", i)
		debs = append(debs, name+" 1.2.3-4")
		var paths []string
		for k := range 50 {
			path := fmt.Sprintf("lib/x86_64-linux-gnu/%s/part-%d/file", name, k)
			paths = append(paths, "/"+path)
			fmt.Fprintf(&b, "  file usr/%s 1000xa\n", path)
		}
		b.WriteString(files(name, paths...))
	}
	b.WriteString(dpkg(debs...))
	b.WriteString("layer RUN npm install\n")
	for i := range 1000 {
		fmt.Fprintf(&b, "  file app/node_modules/mod-%d/package.json text=%q\n", i, fmt.Sprintf(`{"name": "mod-%d", "version": "1.0.%d", "description": "%s"}`, i, i, strings.Repeat("text ", 300)))
		for k := range 40 {
			fmt.Fprintf(&b, "  file app/node_modules/mod-%d/lib/part-%d.js 2000xb\n", i, k)
		}
	}
	return b.String()
}

func BenchmarkFind(b *testing.B) {
	a, err := analyzer.Analyze(b.Context(), imagetest.Must(b, nodeApp()).Image(imagetest.None), analyzer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Find(b.Context(), a, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPrograms looks at one file that is no program, a small and a large program.
func BenchmarkPrograms(b *testing.B) {
	for name, p := range map[string][]byte{"text": make([]byte, 20<<10), "small": program(b, "audited"), "large": program(b, "kubectl")} {
		b.Run(name, func(b *testing.B) {
			l := layer.Looking{Lookers: []layer.Looker{programs()}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.At("usr/bin/x", int64(len(p)), bytes.NewReader(p)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOneFolder finds the owner of many files in a folder that many packages claim.
func BenchmarkOneFolder(b *testing.B) {
	const many = 20_000
	var text, gone strings.Builder
	text.WriteString(`{"packages": [`)
	for i := range many {
		fmt.Fprintf(&text, `{"name": "a/%d", "install-path": "../x"}, `, i)
		fmt.Fprintf(&gone, "  file vendor/x/%d 1xa\n", i)
	}
	text.WriteString(`{"name": "a/last"}]}`)
	image := fmt.Sprintf("layer RUN composer install\n  file vendor/composer/installed.json text=%q\nlayer RUN make\n  file vendor/composer/installed.json text=%q\n%s", text.String(), `{"packages": []}`, gone.String())
	a, err := analyzer.Analyze(b.Context(), imagetest.Must(b, image).Image(imagetest.None), analyzer.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Find(b.Context(), a, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
