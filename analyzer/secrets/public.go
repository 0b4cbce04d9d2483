package secrets

import "strings"

// published are the names of folders that hold tests, examples and packages that
// anyone can download.
var published = namesOf(
	"test", "tests", "testing", "testdata", "test_data", "test-data", "test-fixtures", "__tests__", "__fixtures__", "spec", "specs", "fixtures", "fixture", "e2e",
	"example", "examples", "sample", "samples", "demo", "demos", "doc", "docs", "mock", "mocks", "__mocks__",
	"node_modules", "bower_components", "site-packages", "dist-packages", "vendor", "third_party", "google-cloud-sdk", "gems", "_cacache",
)

// publishedRoots are the folders of distributions and of toolchains.
var publishedRoots = []string{
	"usr/local/go/", "usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/perl/", "usr/share/perl5/", "usr/share/python", "usr/share/javascript/", "usr/share/gocode/",
	"usr/lib/go", "usr/lib/python", "usr/lib/ruby/", "usr/lib/jvm/", "usr/lib/perl", "usr/lib/x86_64-linux-gnu/perl", "usr/lib/aarch64-linux-gnu/perl",
	"usr/local/lib/python", "usr/local/lib/ruby/", "usr/local/lib/perl", "usr/include/",
}

// Published reports whether a file lies where keys and tokens are published: in the
// tests, the examples or the documentation of a program, or in an installed package.
// A secret there is hardly ever one that the maker of the image has to keep.
func Published(path string) bool {
	path = strings.TrimLeft(path, "/")
	for _, root := range publishedRoots {
		if strings.HasPrefix(path, root) {
			return true
		}
	}
	// Go's own tree can be anywhere. Debian makes the last one for tests, when it
	// installs ssl-cert.
	if strings.Contains("/"+path, "/go/pkg/mod/") || strings.Contains("/"+path, "/.cargo/registry/") ||
		strings.Contains("/"+path, "/src/crypto/x509/") || path == "etc/ssl/private/ssl-cert-snakeoil.key" {
		return true
	}
	for {
		dir, rest, ok := strings.Cut(path, "/")
		if !ok {
			return publishedName(path)
		}
		if published[strings.ToLower(dir)] {
			return true
		}
		path = rest
	}
}

// publishedName reports whether the name of a file is that of a test or of a text
// to read.
func publishedName(name string) bool {
	stem, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		stem, ext = name[:i], name[i+1:]
	}
	switch ext {
	case "md", "rst", "adoc":
		return true
	case "example", "sample", "template", "dist":
		return true
	}
	for _, mark := range []string{"_test", ".test", ".spec", "_spec"} {
		if ext != "" && strings.HasSuffix(stem, mark) {
			return true
		}
	}
	return ext == "py" && strings.HasPrefix(stem, "test_")
}

func namesOf(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}
