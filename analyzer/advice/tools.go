package advice

import (
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

func buildTools() Rule {
	return Rule{
		Name:     "build-tools",
		Severity: facts.SeverityWarn,
		Means:    "The image has a compiler or other build tools, with libraries, headers or objects.",
		Why:      "They are needed to build the program, not to run it, and help an attacker.",
		Fix:      "Build in an earlier stage and copy only the result into the last one.",
		Not:      "Headers and static libraries without a compiler, and images that are for building, whose entrypoint or command is a compiler or a shell: they are of severity info. Without the database of its package manager, only what is in the folders of compilers counts.",
		find:     (*image).buildTools,
	}
}

// toolFolders are the folders that only a compiler needs: those that begin with "/"
// are paths, the others are the ends of paths.
func toolFolders() []string {
	return []string{"/usr/include", "/usr/local/include", "/usr/lib/gcc", "/usr/libexec/gcc", "/usr/local/go", "/usr/local/rustup", ".rustup"}
}

func (im *image) buildTools() ([]*finding, error) {
	type folder struct {
		names  []string // the last one first
		rooted bool
	}
	byName := map[string][]folder{}
	for _, p := range toolFolders() {
		names := strings.Split(strings.TrimPrefix(p, "/"), "/")
		slices.Reverse(names)
		byName[names[0]] = append(byName[names[0]], folder{names, p[0] == '/'})
	}
	found := noTool // the most serious one
	tools := im.tools()
	var folds []filetree.Node
	if tools != nil {
		folds = im.folded(func(pkg int) bool { return tools[pkg] != noTool })
	}
	libraries := make([]bool, im.tree.Len()) // by node: in /usr/lib or /usr/local/lib
	tops := im.tops(func(n filetree.Node) bool {
		name := im.tree.Name(n)
		libraries[n] = libraries[im.tree.Parent(n)] || name == "lib" && (im.under(n, []string{"lib", "usr"}, true) || im.under(n, []string{"lib", "local", "usr"}, true))
		if im.isDir(n) {
			if name == "go" && !im.hasChild(n, "pkg") && !im.hasChild(n, "src") {
				return false
			}
			llvm := strings.HasPrefix(name, "llvm-") && libraries[im.tree.Parent(n)]
			return llvm || slices.ContainsFunc(byName[name], func(f folder) bool { return im.under(n, f.names, f.rooted) })
		}
		return libraries[n] && (strings.HasSuffix(name, ".a") || strings.HasSuffix(name, ".o"))
	})
	owners := map[int]shares{} // by layer
	lots := im.lots(func(c filetree.Content, s filetree.Stored) (filetree.Node, int) {
		if s.Cause != filetree.Visible {
			return filetree.None, 0
		}
		top := im.inside(tops, c, s)
		if i := im.owner(c); i >= 0 && tools[i] != noTool {
			if top == filetree.None {
				if top = folds[s.Node]; top == filetree.None {
					top = s.Node
				}
			}
			if owners[s.Layer] == nil {
				owners[s.Layer] = shares{}
			}
			owners[s.Layer][i] += s.Bytes
			found = max(found, tools[i])
		}
		if top != filetree.None {
			switch im.tree.Name(s.Node) {
			case "cc1", "cc1plus", "compile", "rustc", "clang":
				found = compiler
			}
		}
		return top, 0
	})
	for _, l := range lots {
		what := "headers and libraries to build with"
		if found >= builder {
			what = "build tools"
		}
		l.Title = fmt.Sprintf("%s take %s in layer %d", what, size(l.Bytes), l.layer)
		if by := owners[l.layer]; by != nil {
			l.Title += ": " + by.names(im, toolsNamed)
		}
		if found != compiler || im.purpose() != application {
			l.Severity = facts.SeverityInfo
		}
		l.Fix = im.stageFix()
	}
	return findings(lots), nil
}

// toolsNamed is how many packages a title names.
const toolsNamed = 3

// stageFix returns how to build in an earlier stage, with the image's own folders.
func (im *image) stageFix() facts.Fix {
	fix := facts.Fix{Text: "build in an earlier stage and copy only what runs"}
	config := im.report.Image.Config
	program := ""
	for _, words := range [][]string{config.Entrypoint, config.Cmd} {
		if len(words) > 0 && program == "" {
			program = words[0]
		}
	}
	from := config.WorkingDir
	if strings.HasPrefix(program, "/") && im.shows(program, layer.File) && !strings.HasPrefix(program, "/usr/bin/") && !strings.HasPrefix(program, "/bin/") {
		from = program
	}
	word, ok := shellWord(from)
	if !ok || word != from || strings.Contains(from, " ") || from == "" || from == "/" {
		return fix
	}
	fix.Text += ": name the first stage (FROM … AS build), and begin a second one with a base that has what the program needs to run"
	fix.Lines = []string{"FROM debian:stable-slim", fmt.Sprintf("COPY --from=build %s %s", from, from)}
	return fix
}

// purpose is what an image is for, by its entrypoint and command.
type purpose int

const (
	application purpose = iota
	base                // a shell, an interpreter, or nothing
	toolchain           // a compiler
)

// purpose returns what the image is for.
func (im *image) purpose() purpose {
	config := im.report.Image.Config
	words := config.Cmd
	if len(config.Entrypoint) > 0 {
		words = config.Entrypoint
		if name := config.Entrypoint[0]; strings.HasSuffix(name, "entrypoint.sh") { // starts the command
			words = config.Cmd
		}
	}
	if len(words) == 0 {
		return base
	}
	name := words[0][strings.LastIndexByte(words[0], '/')+1:]
	switch {
	case slices.Contains([]string{"gcc", "g++", "cc", "clang", "go", "cargo", "rustc", "make", "cmake", "mvn", "gradle", "dotnet-sdk", "tsc", "ld"}, name):
		return toolchain
	case len(words) > 1:
		return application
	case slices.Contains([]string{"sh", "bash", "ash", "dash", "zsh", "fish", "python", "python2", "python3", "node", "irb", "ruby", "perl", "php", "jshell", "julia", "R", "ghci", "iex", "erl", "lua", "pypy3", "pwsh"}, name):
		return base
	}
	return application
}
