package analyzer_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// rooms lists what each package must not depend on, directly or indirectly. A rule
// applies to the packages at its path and below, except for those in except.
var rooms = []struct {
	of     string
	except []string
	never  []string // a path and everything below it
	direct bool     // check only direct imports
	why    string
}{
	{
		of:    "fathom/analyzer",
		never: []string{"fathom/ui", "fathom/cmd", "github.com/rivo/tview", "github.com/gdamore/tcell"},
		why:   "package analyzer and the packages below it must not depend on the UI",
	},
	{
		of:     "fathom/analyzer/facts",
		never:  []string{"fathom", "github.com"},
		direct: true,
		why:    "every package must be able to import the report",
	},
	{
		of:    "fathom/analyzer/filetree",
		never: []string{"fathom/analyzer/load", "fathom/analyzer/gate", "net/http"},
		why:   "the tree depends only on layers",
	},
	{
		of:    "fathom/analyzer/layer",
		never: []string{"fathom/analyzer/filetree", "fathom/analyzer/load", "fathom/analyzer/gate", "net/http"},
		why:   "a layer is a stream of bytes, whatever its source",
	},
	{
		of:     "fathom",
		except: []string{"fathom/analyzer/load", "fathom/analyzer/imagetest"},
		never: []string{
			"github.com/google/go-containerregistry/pkg/v1/remote", "github.com/google/go-containerregistry/pkg/v1/tarball",
			"github.com/google/go-containerregistry/pkg/v1/layout", "github.com/google/go-containerregistry/pkg/v1/daemon",
			"github.com/docker/docker", "github.com/moby/moby", "github.com/containers",
		},
		direct: true,
		why:    "only load opens images",
	},
	{
		of:    "fathom/analyzer/gate",
		never: []string{"fathom/analyzer/load", "fathom/analyzer/imagetest"},
		why:   "the gate judges a report and opens no images",
	},
	{
		of:    "fathom/analyzer/advice",
		never: []string{"fathom/analyzer/load", "fathom/analyzer/inspect", "fathom/analyzer/gate", "fathom/analyzer/imagetest", "net/http"},
		why:   "findings come from an analysis, whatever its source, and the gate judges them",
	},
	{
		of:    "fathom/analyzer/whatif",
		never: []string{"fathom/analyzer/load", "fathom/analyzer/inspect", "fathom/analyzer/imagetest", "net/http"},
		why:   "what is left without some of an image comes from its analysis, whatever its source",
	},
	{
		of:    "fathom/analyzer/secrets",
		never: []string{"fathom/analyzer/layer", "fathom/analyzer/filetree", "fathom/analyzer/facts", "fathom/analyzer/load", "github.com", "net/http"},
		why:   "what is a secret depends on bytes alone",
	},
	{
		of:    "fathom/analyzer/inspect",
		never: []string{"fathom/analyzer/gate", "fathom/analyzer/extract", "fathom/analyzer/imagetest"},
		why:   "inspect must not depend on packages that use its results",
	},
	{
		of:    "fathom/analyzer/extract",
		never: []string{"fathom/analyzer/load", "fathom/analyzer/gate", "fathom/analyzer/imagetest", "net/http"},
		why:   "extracting takes an analysis, whatever its source",
	},
	{
		of:    "fathom/ui/outline",
		never: []string{"github.com/rivo/tview", "github.com/gdamore/tcell", "fathom/ui/report", "fathom/analyzer/load"},
		why:   "which rows the user has opened does not depend on the terminal",
	},
	{
		of:    "fathom/ui/screen",
		never: []string{"fathom/analyzer", "fathom/ui/report", "fathom/ui/outline", "fathom/ui/viewer"},
		why:   "screen draws cells and must not depend on images",
	},
	{
		of:    "fathom/ui/viewer",
		never: []string{"github.com/rivo/tview", "fathom/ui/outline", "fathom/analyzer/load"},
		why:   "the caller opens the content that the viewer shows",
	},
	{
		of:    "fathom/ui/report",
		never: []string{"github.com/rivo/tview", "github.com/gdamore/tcell", "fathom/ui/outline", "fathom/analyzer/load"},
		why:   "reports are printed without the terminal UI",
	},
	{
		of:    "fathom/ui",
		never: []string{"fathom/cmd"},
		why:   "the UI must not depend on the commands",
	},
	{
		of:     "fathom",
		except: []string{"fathom/analyzer/imagetest", "fathom/analyzer/proctest"},
		never:  []string{"fathom/analyzer/imagetest", "fathom/analyzer/proctest", "testing", "net/http/httptest"},
		why:    "test helpers stay in tests",
	},
}

// aboveAnalyzer lists the packages that analyzer itself must not depend on.
var aboveAnalyzer = []string{"fathom/analyzer/load", "fathom/analyzer/inspect", "fathom/analyzer/gate", "fathom/analyzer/whatif", "fathom/analyzer/extract", "fathom/analyzer/imagetest"}

// nameless lists package names that don't say what the package does.
var nameless = []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "shared", "base"}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
	Standard   bool
}

func TestRooms(t *testing.T) {
	ours := list(t)
	for _, rule := range rooms {
		held := false
		for _, p := range ours {
			if !within(p.ImportPath, rule.of) || slices.ContainsFunc(rule.except, func(e string) bool { return within(p.ImportPath, e) }) {
				continue
			}
			held = true
			deps := p.Deps
			if rule.direct {
				deps = p.Imports
			}
			for _, d := range deps {
				if slices.ContainsFunc(rule.never, func(n string) bool { return within(d, n) }) {
					t.Errorf("%s depends on %s: %s", p.ImportPath, d, rule.why)
				}
			}
		}
		if !held {
			t.Errorf("no package at %s: the rule %q applies to nothing", rule.of, rule.why)
		}
	}
	for _, p := range ours {
		if slices.Contains(nameless, path.Base(p.ImportPath)) {
			t.Errorf("%s: the package name says nothing about its purpose", p.ImportPath)
		}
		if p.ImportPath != "fathom/analyzer" {
			continue
		}
		for _, d := range p.Deps {
			if slices.Contains(aboveAnalyzer, d) {
				t.Errorf("fathom/analyzer depends on %s, which is above it", d)
			}
		}
	}
}

// within reports whether path is dir or below it.
func within(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// list returns the module's packages and their dependencies, without those of
// tests.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var ours []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if !p.Standard && within(p.ImportPath, "fathom") {
			ours = append(ours, p)
		}
	}
	if len(ours) < 5 {
		t.Fatalf("got %d packages of our own: %+v", len(ours), ours)
	}
	return ours
}
