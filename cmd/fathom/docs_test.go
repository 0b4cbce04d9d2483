package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"

	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

var update = flag.Bool("update", false, "write what is generated: the end of docs/cli.md, docs/config.schema.json, what scripts expect of cmp")

const (
	cliDoc  = "../../docs/cli.md"
	jsonDoc = "../../docs/json.md"
)

// The end of docs/cli.md is the help of every command.
func TestCommandDocs(t *testing.T) {
	text, err := os.ReadFile(cliDoc)
	if err != nil {
		t.Fatal(err)
	}
	hand, _, ok := strings.Cut(string(text), "-update -->\n")
	if !ok {
		t.Fatalf("%s has no generated part", cliDoc)
	}
	want := hand + "-update -->\n"
	root := newRoot(&app{stdout: &output{}, getenv: os.Getenv})
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	root.InitDefaultHelpCmd()
	commands := []*cobra.Command{root}
	for i := 0; i < len(commands); i++ { // and what is below it, after it
		commands = slices.Insert(commands, i+1, commands[i].Commands()...)
	}
	for _, c := range commands {
		c.InitDefaultHelpFlag()
		want += fmt.Sprintf("\n## %s\n\n%s\n\n```\n%s\n```\n", c.CommandPath(), strings.TrimSpace(describe(c)), strings.TrimSpace(c.UsageString()))
	}
	if *update {
		if err := os.WriteFile(cliDoc, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s is out of date: go test ./cmd/fathom -run TestCommandDocs -update writes it:\n%s", cliDoc, diff)
	}
}

func describe(c *cobra.Command) string {
	if c.Long != "" {
		return c.Long
	}
	return c.Short + "."
}

// sampleIn returns the first code block below a heading of a document.
func sampleIn(t *testing.T, doc, heading string) string {
	t.Helper()
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), "\n"+heading+"\n")
	m := regexp.MustCompile("(?s)```[a-z]*\n(.*?)```").FindStringSubmatch(after)
	if !ok || m == nil {
		t.Fatalf("%s has no sample below %s", doc, heading)
	}
	return m[1]
}

// The samples of docs/json.md are the program's output for the image there.
func TestJSONSamples(t *testing.T) {
	t.Setenv("CI", "") // which would judge them
	img, err := imagetest.Parse([]byte(sampleIn(t, jsonDoc, "## The image of the samples")))
	if err != nil {
		t.Fatal(err)
	}
	samples := map[string][]string{
		"### fathom --json - app.tar":            {"--json", "-", "app.tar"},
		"### fathom ls --json app.tar":           {"ls", "--json", "app.tar"},
		"### fathom ls --json --layer 1 app.tar": {"ls", "--json", "--layer", "1", "app.tar"},
	}
	want := map[string]string{}
	for heading := range samples {
		want[heading] = sampleIn(t, jsonDoc, heading)
	}
	verdict := sampleIn(t, jsonDoc, "### The verdict")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("app.tar", img.DockerArchive().Tar(), 0o666); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--max-layers", "1", "--deny-path", "/etc/conf", "--json", "-", "app.tar"}, nil, &out, io.Discard); code != 1 {
		t.Errorf("the verdict: exit code %d", code)
	}
	if _, got, _ := strings.Cut(out.String(), "\n  \"warnings\": [],\n"); got != verdict+"}\n" {
		t.Errorf("the verdict (-want +got):\n%s", cmp.Diff(verdict+"}\n", got))
	}
	for heading, args := range samples {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), args, nil, &stdout, &stderr); code != 0 {
			t.Fatalf("%s: exit code %d, %s", heading, code, &stderr)
		}
		if diff := cmp.Diff(want[heading], stdout.String()); diff != "" {
			t.Errorf("%s: %s", heading, diff)
		}
	}
}

// Every field of a line of ls --json is explained.
func TestEntryFieldsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(jsonDoc)
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[entry](), reflect.TypeFor[change]()} {
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if name != "" && !strings.Contains(string(text), "| `"+name+"` |") {
				t.Errorf("%s says nothing about %s", jsonDoc, name)
			}
		}
	}
}

var example = regexp.MustCompile("(?m)^\\| \\[(\\S+)\\]\\(\\.\\./testdata/images/(\\S+)\\.txt\\) \\|(?: ([`a-z, ]+) \\|)? (\\d+) \\| (\\d+) \\|")

// Every worked example of docs/analysis.md comes out as it stands there.
func TestAnalysisExamples(t *testing.T) {
	t.Setenv("CI", "") // which would judge them
	text, err := os.ReadFile("../../docs/analysis.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := example.FindAllStringSubmatch(string(text), -1)
	if links := strings.Count(string(text), "](../testdata/images/"); len(examples) != links || links == 0 {
		t.Fatalf("%d examples are understood, %d are there", len(examples), links)
	}
	for _, m := range examples {
		t.Run(m[2], func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "image.tar")
			if err := os.WriteFile(file, imagetest.Load(t, m[2]).DockerArchive().Tar(), 0o666); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), []string{"--json", "-", file}, nil, &stdout, &stderr); code != 0 {
				t.Fatalf("exit code %d, %s", code, &stderr)
			}
			var r facts.Report
			if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			causes := map[string]bool{}
			for _, w := range r.Waste {
				causes["`"+w.Cause+"`"] = true
			}
			found := strings.Join(slices.Sorted(maps.Keys(causes)), ", ")
			if m[3] == "" { // the table isn't about causes
				found = ""
			}
			got := fmt.Sprintf("%s: %d stored, %d wasted, %s", m[1], r.Totals.StoredBytes, r.Totals.WastedBytes, found)
			want := fmt.Sprintf("%s: %s stored, %s wasted, %s", m[2], m[4], m[5], m[3])
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestPackagesDoc checks that docs/packages.md shows what fathom packages prints in its
// script.
func TestPackagesDoc(t *testing.T) {
	text, err := os.ReadFile("../../docs/packages.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := txtar.ParseFile("testdata/script/packages.txtar")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(script.Files, func(f txtar.File) bool { return f.Name == "list" })
	if i < 0 || !strings.Contains(string(text), "```\n"+string(script.Files[i].Data)+"```\n") {
		t.Error("docs/packages.md doesn't show the list of testdata/script/packages.txtar")
	}
}
