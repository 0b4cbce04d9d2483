package analyzer_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// processWide are functions that change the whole process and that package testing
// can't undo. t.Setenv and t.Chdir replace some of them.
var processWide = []string{
	"syscall.Setrlimit", "unix.Setrlimit", "syscall.Umask", "unix.Umask",
	"signal.Notify", "signal.NotifyContext", "signal.Ignore", "signal.Reset", "signal.Stop",
	"os.Setenv", "os.Unsetenv", "os.Clearenv", "os.Chdir", "syscall.Chdir", "unix.Chdir", "syscall.Dup2", "unix.Dup2",
	"debug.SetGCPercent", "debug.SetMemoryLimit", "debug.SetMaxStack", "debug.SetMaxThreads",
}

// processVariables are variables of the whole process.
var processVariables = []string{"os.Stdin", "os.Stdout", "os.Stderr", "os.Args", "time.Local", "http.DefaultTransport", "http.DefaultClient"}

// TestNoProcessWideEffects finds tests that change their whole process. Such code
// belongs in a function that only proctest.Alone or the TestMain of a child
// process calls.
func TestNoProcessWideEffects(t *testing.T) {
	fset := token.NewFileSet()
	packages := map[string][]*ast.File{} // by folder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 10 {
		t.Errorf("only %d packages have tests", len(packages))
	}
	for _, files := range packages {
		apart := childFunctions(files)
		for _, file := range files {
			for _, decl := range file.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && !slices.Contains(apart, fn.Name.Name) {
					checkProcess(t, fset, fn)
				}
			}
		}
	}
}

// checkProcess reports everything in fn that changes the whole process.
func checkProcess(t *testing.T, fset *token.FileSet, fn *ast.FuncDecl) {
	ast.Inspect(fn, func(n ast.Node) bool {
		name := ""
		switch n := n.(type) {
		case *ast.CallExpr:
			if isAlone(n) {
				return false
			}
			called := selector(n.Fun)
			switch {
			case slices.Contains(processWide, called):
				name = called
			case called == "runtime.GOMAXPROCS" && !isZero(n.Args[0]):
				name = called
			case (called == "syscall.Kill" || called == "unix.Kill") && (isZero(n.Args[0]) || isOwn(n.Args[0])):
				name = called
			}
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if v := selector(l); slices.Contains(processVariables, v) {
					name = v
				}
			}
		}
		if name != "" {
			t.Errorf("%s: %s changes the whole process: call it in proctest.Alone", fset.Position(n.Pos()), name)
		}
		return true
	})
}

// childFunctions returns the functions that run in a child process: those called
// within proctest.Alone or TestMain.
func childFunctions(files []*ast.File) []string {
	var names []string
	collect := func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if id, ok := call.Fun.(*ast.Ident); ok {
				names = append(names, id.Name)
			}
		}
		return true
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "TestMain" {
					names = append(names, n.Name.Name)
					ast.Inspect(n, collect)
				}
			case *ast.CallExpr:
				if isAlone(n) {
					ast.Inspect(n, collect)
				}
			}
			return true
		})
	}
	return names
}

// isAlone reports whether the call is proctest.Alone, or Alone within proctest.
func isAlone(call *ast.CallExpr) bool {
	id, ok := call.Fun.(*ast.Ident)
	return selector(call.Fun) == "proctest.Alone" || ok && id.Name == "Alone"
}

func isZero(e ast.Expr) bool {
	lit, ok := e.(*ast.BasicLit)
	return ok && lit.Value == "0"
}

// isOwn reports whether e is the ID of this process.
func isOwn(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	return ok && strings.HasSuffix(selector(call.Fun), ".Getpid")
}

// selector returns the text of an expression PACKAGE.NAME, or "" for any other.
func selector(e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return id.Name + "." + sel.Sel.Name
}
