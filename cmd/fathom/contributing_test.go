package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// CONTRIBUTING.md lists the packages that exist, and every test that takes -update.
func TestContributing(t *testing.T) {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]bool{}
	updates := 0
	err = filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".go" {
			return err
		}
		dir, err := filepath.Rel("../..", filepath.Dir(file))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		packages[dir] = true
		if !strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range parsed.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && usesUpdate(f) {
				updates++
				if command := "go test ./" + dir + " -run " + f.Name.Name + " -update"; !strings.Contains(string(text), "`"+command+"`") {
					t.Errorf("CONTRIBUTING.md does not list: %s", command)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if updates == 0 {
		t.Error("no test takes -update")
	}
	_, list, _ := strings.Cut(string(text), "## Packages\n\n```\n")
	list, _, _ = strings.Cut(list, "```")
	listed := map[string]bool{}
	for line := range strings.Lines(list) {
		name, _, _ := strings.Cut(strings.TrimLeft(line, " │├└─"), " ")
		if strings.HasPrefix(name, "load/") {
			name = "analyzer/" + name
		}
		listed[name] = true
		if !packages[name] {
			t.Errorf("CONTRIBUTING.md lists package %s, which does not exist", name)
		}
	}
	for dir := range packages {
		if !listed[dir] {
			t.Errorf("CONTRIBUTING.md does not list package %s", dir)
		}
	}
}

// usesUpdate reports whether f reads the -update flag.
func usesUpdate(f *ast.FuncDecl) bool {
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		star, ok := n.(*ast.StarExpr)
		if ok {
			id, ok := star.X.(*ast.Ident)
			found = found || ok && id.Name == "update"
		}
		return !found
	})
	return found
}

// Links between the documents lead to files and headings that exist.
func TestLinks(t *testing.T) {
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "testdata/README.md", "testdata/engines/README.md"} {
		docs = append(docs, filepath.Join("../..", name))
	}
	links := 0
	for _, doc := range docs {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(string(text), -1) {
			file, heading, _ := strings.Cut(m[1], "#")
			if strings.HasPrefix(file, "https:") {
				continue
			}
			links++
			target := doc
			if file != "" {
				target = filepath.Join(filepath.Dir(doc), file)
			}
			there, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: %v", doc, err)
			} else if heading != "" && !slices.Contains(anchors(string(there)), heading) {
				t.Errorf("%s: %s has no heading #%s", doc, target, heading)
			}
		}
	}
	if links == 0 {
		t.Error("no links found")
	}
}

// anchors returns the names that GitHub gives the headings of a document.
func anchors(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		if h := strings.TrimLeft(line, "#"); h != line {
			h = strings.ToLower(strings.TrimSpace(h))
			names = append(names, strings.ReplaceAll(regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(h, ""), " ", "-"))
		}
	}
	return names
}
