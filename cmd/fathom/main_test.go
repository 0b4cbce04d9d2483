package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"fathom/analyzer/imagetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fathom": func() {
		// Under nohup, or behind an & in a script, tests are started with signals
		// ignored. The program under test has them as a user's shell leaves them.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
		main()
	}})
}

// TestScript runs the scripts testdata/script/*.txtar with the real program.
func TestScript(t *testing.T) {
	docs, err := filepath.Abs("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		ContinueOnError:     true,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("CI", "")
			// Keep the program from asking engines of this machine and registries.
			for _, name := range []string{"DOCKER_HOST", "CONTAINER_HOST"} {
				env.Setenv(name, "unix:///nowhere")
			}
			for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
				env.Setenv(name, "http://127.0.0.1:1")
			}
			env.Setenv("DOCS", docs)
			env.Setenv("BAD", "/a\u202e")
			env.Setenv("LONG", strings.Repeat("/x", 2000))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"mkimage":  mkimage,
			"plain":    plain,
			"validate": validate,
		},
	})
}

// exits implements exits CODE COMMAND..., which runs a command and checks its exit
// code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	default:
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// mkimage implements mkimage NAME FORM FILE, which builds an image from
// testdata/images/NAME.txt, or from NAME if that is a file of the script.
func mkimage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: mkimage NAME FORM FILE")
	}
	name := filepath.Join("../../testdata/images", args[0]+".txt")
	if filepath.Ext(args[0]) == ".txt" {
		name = ts.MkAbs(args[0])
	}
	text, err := os.ReadFile(name)
	ts.Check(err)
	img, err := imagetest.Parse(text)
	ts.Check(err)
	file := ts.MkAbs(args[2])
	var data []byte
	switch form := args[1]; form {
	case "docker":
		data = img.DockerArchive().Tar()
	case "docker-gzip":
		data = imagetest.Compress(img.DockerArchive().Tar(), imagetest.Gzip)
	case "kaniko":
		data = img.Kaniko().Tar()
	case "oci":
		data = img.OCIArchive()
	case "cut": // a docker archive cut in half
		data = img.DockerArchive().Tar()
		data = data[:len(data)/2]
	case "two": // an index with two platforms
		data = imagetest.MultiPlatform([]*imagetest.Image{img, platform(img, "arm64")}).Tar()
	default:
		ts.Fatalf("unknown form %q", form)
	}
	ts.Check(os.WriteFile(file, data, 0o666))
}

// platform returns a copy of img for another architecture.
func platform(img *imagetest.Image, architecture string) *imagetest.Image {
	other := *img
	other.Platform.Architecture = architecture
	return &other
}

// validate implements validate SCHEMA FILE, which checks a JSON file, or stdout,
// against a schema in docs.
func validate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: validate SCHEMA FILE")
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("../../docs", args[0]))
	ts.Check(err)
	f, err := os.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	defer f.Close()
	v, err := jsonschema.UnmarshalJSON(f)
	ts.Check(err)
	if err := schema.Validate(v); (err != nil) != neg {
		ts.Fatalf("%s: %v", args[1], err)
	}
}

// plain implements plain FILE, which checks that a file, stdout or stderr is valid
// UTF-8 without control, bidirectional or zero-width characters.
func plain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: plain FILE")
	}
	text := ts.ReadFile(args[0])
	if text == "" || !utf8.ValidString(text) {
		ts.Fatalf("%s is empty or no UTF-8", args[0])
	}
	for _, r := range text {
		if r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u200b' {
			ts.Fatalf("%s holds %U", args[0], r)
		}
	}
}

func TestRunInProcess(t *testing.T) {
	// A cancelled context is an error for every command.
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(signalError{os.Interrupt})
	dir := t.TempDir()
	var stderr bytes.Buffer
	if code := run(ctx, []string{"demo", "--json", filepath.Join(dir, "r.json")}, nil, io.Discard, &stderr); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if got, want := stderr.String(), "fathom: error: interrupted\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
