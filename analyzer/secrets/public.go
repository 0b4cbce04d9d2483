package secrets

import "strings"

// installed are the names of folders that hold packages as they are published.
var installed = namesOf("node_modules", "bower_components", "site-packages", "dist-packages", "google-cloud-sdk", "gems", "_cacache")

// installedRoots are folders of distributions and of toolchains.
var installedRoots = []string{
	"usr/local/go/", "usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/perl/", "usr/share/perl5/", "usr/share/python", "usr/share/javascript/", "usr/share/gocode/", "usr/share/go-",
	"usr/lib/go", "usr/lib/python", "usr/lib/ruby/", "usr/lib/jvm/", "usr/lib/perl", "usr/lib/x86_64-linux-gnu/perl", "usr/lib/aarch64-linux-gnu/perl",
	"usr/local/lib/python", "usr/local/lib/ruby/", "usr/local/lib/perl", "usr/include/", "var/lib/dpkg/", "var/lib/apt/lists/",
}

// published are the names of folders that hold tests, examples and documentation.
var published = namesOf(
	"test", "tests", "testing", "testdata", "test_data", "test-data", "test-fixtures", "__tests__", "__fixtures__", "spec", "specs", "fixtures", "fixture", "e2e",
	"example", "examples", "sample", "samples", "demo", "demos", "doc", "docs", "mock", "mocks", "__mocks__", "vendor", "third_party",
)

func namesOf(names ...string) map[string]bool {
	out := map[string]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// Installed reports whether a file belongs to an installed package, going by the
// folders that package managers and distributions use.
func Installed(path string) bool {
	path = strings.TrimLeft(path, "/")
	for _, root := range installedRoots {
		if strings.HasPrefix(path, root) {
			return true
		}
	}
	if anyFolder(path, installed) {
		return true
	}
	path = "/" + path
	return strings.Contains(path, "/go/pkg/mod/") || strings.Contains(path, "/.cargo/registry/") || strings.Contains(path, "/src/crypto/x509/") // Go's own tree can be anywhere
}

// Wanted reports whether to scan a file. Of installed packages, which are published
// and large, only files are wanted that are named like keys and settings.
func Wanted(path string) bool {
	if !Installed(path) {
		return true
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	switch {
	case name == "" || name[0] == '.' || strings.HasPrefix(name, "id_"):
		return true
	case table().byName["/"+name] != nil:
		return true
	}
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "pem", "key", "p8", "pk8", "ppk", "jwk", "env", "priv":
		return true
	}
	return false
}

// Published reports whether a file lies where keys and tokens are published: in an
// installed package, or in the tests, the examples or the documentation of a program.
// A secret there is hardly ever one that the maker of the image has to keep.
func Published(path string) bool {
	path = strings.TrimLeft(path, "/")
	// Debian makes this key for tests, when it installs ssl-cert.
	if Installed(path) || anyFolder(path, published) || path == "etc/ssl/private/ssl-cert-snakeoil.key" {
		return true
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	stem, ext := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		stem, ext = name[:i], name[i+1:]
	}
	switch ext {
	case "md", "rst", "adoc", "example", "sample", "template", "dist":
		return true
	case "":
		return false
	}
	for _, mark := range []string{"_test", ".test", ".spec", "_spec"} {
		if strings.HasSuffix(stem, mark) {
			return true
		}
	}
	return ext == "py" && strings.HasPrefix(stem, "test_")
}

// anyFolder reports whether a folder of the path has one of the names.
func anyFolder(path string, names map[string]bool) bool {
	for {
		i := strings.IndexByte(path, '/')
		if i < 0 {
			return false
		}
		if names[path[:i]] {
			return true
		}
		path = path[i+1:]
	}
}
