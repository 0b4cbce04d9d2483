package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// CONTRIBUTING.md lists every package, and every test that takes -update.
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
	for dir := range packages {
		// Packages below analyzer/load are listed as load/NAME.
		if name := strings.TrimPrefix(dir, "analyzer/load/"); name != dir {
			dir = "load/" + name
		}
		if !strings.Contains(string(text), " "+dir+" ") && !strings.Contains(string(text), "\n"+dir+" ") {
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
