package ui

import (
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

func TestOwners(t *testing.T) {
	for _, c := range []struct{ name, image, want string }{
		{"none", "layer a\n file x 1xa\n", "1000:1000"},
		{"names", "layer a\n file etc/passwd text=\"node:x:1000:7:\"\n file etc/group text=\"staff:x:1000:\"\n", "node:staff"},
		{"the first line counts", "layer a\n file etc/passwd text=\"one:x:1000:1\\ntwo:x:1000:1\\n\"\n", "one:1000"},
		{"the last layer counts", "layer a\n file etc/passwd text=\"one:x:1000:1\"\nlayer b\n file etc/passwd text=\"two:x:1000:1\"\n", "two:1000"},
		{"removed", "layer a\n file etc/passwd text=\"one:x:1000:1\"\nlayer b\n file etc/.wh.passwd\n", "1000:1000"},
		{"links are not followed", "layer a\n file etc/real text=\"one:x:1000:1\"\n symlink etc/passwd -> real\n", "1000:1000"},
		{"a folder", "layer a\n dir etc/passwd\n", "1000:1000"},
		{"no lines", "layer a\n file etc/passwd 2000000x:\n", "1000:1000"},
		{"control characters", "layer a\n file etc/passwd text=\"\\x1b[2J:x:1000:1\"\n", `\x1b[2J:1000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, c.image).Image(imagetest.Gzip), analyzer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			who := readOwners(t.Context(), a)
			if got := who.text(1000, 1000); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
