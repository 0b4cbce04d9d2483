package advice

import (
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

func buildContext() Rule {
	return Rule{
		Name:     "build-context",
		Severity: facts.SeverityWarn,
		Means:    "A COPY or ADD takes in files of the build context that are not for the image.",
		Why:      "`.git` has the whole history of the program, `.env` often has passwords, and a copied `node_modules` is that of another machine. A change in them makes every later step run again.",
		Fix:      "Name them in the file `.dockerignore`, which is beside the Dockerfile.",
		Not:      "What a stage copies from another stage, what an ADD unpacks, and the `.git` file of a submodule. The classic builder doesn't write whether it copied from a stage: then `node_modules` counts only beside a `.git`, a Dockerfile or a `.dockerignore`.",
		find:     (*image).contextFiles,
	}
}

// stray returns the line of .dockerignore for a file or folder that is not for the
// image, "" for any other.
func stray(name string, dir bool) string {
	switch {
	case dir && (name == ".git" || name == ".svn" || name == ".hg" || name == "node_modules" || name == ".vscode" || name == ".idea"),
		!dir && (name == ".env" || name == "Dockerfile" || name == ".dockerignore" || name == ".DS_Store"):
		return "**/" + name
	case !dir && strings.HasSuffix(name, ".log"):
		return "**/*.log"
	}
	return ""
}

func (im *image) contextFiles() ([]*finding, error) {
	from := make([]bool, im.tree.Layers()) // the layers that copy from the build context
	for i := range from {
		s := im.step(i)
		from[i] = s.fromContext() && !strings.HasPrefix(s.args[0], "file:") && !(s.instruction == "ADD" && archived(s.args[0]))
	}
	if !slices.Contains(from, true) {
		return nil, nil
	}
	tops := im.tops(func(n filetree.Node) bool { return stray(im.tree.Name(n), im.isDir(n)) != "" })
	lots := im.lots(func(c filetree.Content, s filetree.Stored) (filetree.Node, int) {
		if !from[s.Layer] {
			return filetree.None, 0
		}
		top := im.inside(tops, c, s)
		if top != filetree.None && im.tree.Name(top) == "node_modules" && !im.copiedModules(top, s.Layer) {
			return filetree.None, 0
		}
		return top, 0
	})
	for _, l := range lots {
		var names, lines []string
		for _, n := range l.tops {
			name := im.tree.Name(n)
			line := stray(name, im.isDir(n))
			if !slices.Contains(lines, line) {
				names = append(names, strings.TrimPrefix(line, "**/"))
				lines = append(lines, line)
			}
			if name == ".git" || name == ".env" {
				l.Severity = facts.SeverityWarn
			}
		}
		// The file itself would be copied from now on.
		if line := "**/.dockerignore"; !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
		slices.Sort(names)
		slices.Sort(lines)
		l.Title = fmt.Sprintf("layer %d copies %s of the build context, %s", l.layer, list(names), size(l.Bytes))
		l.Fix = facts.Fix{Text: "add these lines to .dockerignore", Lines: lines}
		if strings.HasPrefix(im.step(l.layer).args[0], "dir:") {
			l.Certainty = facts.CertainLikely
		}
	}
	return findings(lots), nil
}

// copiedModules reports whether a node_modules is of the build context. If the
// history doesn't say where a folder was copied from, other files of a context must
// be beside it.
func (im *image) copiedModules(n filetree.Node, i int) bool {
	if !strings.Contains(im.step(i).args[0], ":") {
		return true
	}
	return slices.ContainsFunc([]string{".git", "Dockerfile", ".dockerignore"}, func(name string) bool {
		child, ok := im.tree.Child(im.tree.Parent(n), name)
		if !ok {
			return false
		}
		st, ok := im.tree.At(child, i)
		return ok && st.Layer == i
	})
}

// archived reports whether ADD unpacks a file of that name.
func archived(name string) bool {
	return slices.ContainsFunc([]string{".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".txz", ".tar.zst"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// list joins words: "a, b and c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

func sparseLog() Rule {
	return Rule{
		Name:     "sparse-log",
		Severity: facts.SeverityWarn,
		Means:    "A step stores a large file of zeros, such as the log of logins that useradd writes.",
		Why:      "`useradd` with a large user ID makes `/var/log/lastlog` and `/var/log/faillog` as long as if each lower ID had an entry. A layer's tar often stores the zeros.",
		Fix:      "Create the user with `useradd --no-log-init`.",
		Not:      "Logs below 1 MiB. Of other files only those count whose entry in the tar is sparse and holds no data at all.",
		find: func(im *image) ([]*finding, error) {
			const least = 1 << 20
			lots := im.lots(func(_ filetree.Content, s filetree.Stored) (filetree.Node, int) {
				name := im.tree.Name(s.Node)
				log := (name == "lastlog" || name == "faillog") && im.under(s.Node, []string{name, "log", "var"}, true)
				if s.Bytes < least || !log && !(s.Sparse && s.Held == 0) {
					return filetree.None, 0
				}
				return s.Node, 0
			})
			for _, l := range lots {
				l.Title = fmt.Sprintf("layer %d stores a file of zeros, %s", l.layer, size(l.Bytes))
				if len(l.places) > 1 {
					l.Title = fmt.Sprintf("layer %d stores %s of zeros, %s", l.layer, count(len(l.places), "file"), size(l.Bytes))
				}
				l.Fix = im.sparseFix(l)
			}
			return findings(lots), nil
		},
	}
}

func (im *image) sparseFix(l *lot) facts.Fix {
	s := im.step(l.layer)
	useradd := func(c call) bool { return !c.has("--no-log-init") && !c.hasLetter('l') }
	if s.runs(useradd, "useradd") == nil {
		return facts.Fix{Text: "leave the file out of the step that stores it"}
	}
	script := strings.ReplaceAll(s.script, "useradd ", "useradd --no-log-init ")
	fix := facts.Fix{Text: "create the user with useradd --no-log-init"}
	if after := parseStep("RUN /bin/sh -c " + script); after.runs(useradd, "useradd") == nil {
		fix.Lines = runLines(nil, script)
	}
	return fix
}

func docs() Rule {
	return Rule{
		Name:     "docs",
		Severity: facts.SeverityInfo,
		Means:    "The image has manual pages, documentation or translations of its packages.",
		Why:      "Programs in a container don't read them.",
		Fix:      "Install with `--no-install-recommends`, and tell dpkg to leave them out before the step that installs. The licenses, `doc/*/copyright`, must stay.",
		Not:      "The files named `copyright`. What a base image has can be left out only by another base image.",
		find: func(im *image) ([]*finding, error) {
			share, ok := im.tree.Lookup("/usr/share")
			if !ok {
				return nil, nil
			}
			tops := im.tops(func(n filetree.Node) bool {
				return im.tree.Parent(n) == share && slices.Contains([]string{"doc", "man", "info", "locale"}, im.tree.Name(n))
			})
			owners := map[int]shares{} // by layer
			lots := im.lots(func(c filetree.Content, s filetree.Stored) (filetree.Node, int) {
				if s.Cause != filetree.Visible || im.tree.Name(s.Node) == "copyright" {
					return filetree.None, 0
				}
				top := im.inside(tops, c, s)
				if i := im.owner(c); i >= 0 && top != filetree.None {
					if owners[s.Layer] == nil {
						owners[s.Layer] = shares{}
					}
					owners[s.Layer][i] += s.Bytes
				}
				return top, 0
			})
			for _, l := range lots {
				l.Severity = facts.SeverityInfo
				l.Title = fmt.Sprintf("documentation and translations take %s in layer %d", size(l.Bytes), l.layer)
				if by := owners[l.layer]; by != nil {
					l.Title += ", most of it of " + by.names(im, docsNamed)
				}
				l.Fix = facts.Fix{Text: "leave them out of the packages: install without recommended packages and without documentation"}
				if s := im.step(l.layer); s.runs(func(call) bool { return s.installs() }, "apt-get", "apt") != nil {
					l.Fix.Text = "tell dpkg to leave them out, in a step before the one that installs"
					l.Fix.Lines = []string{
						"RUN printf 'path-exclude=/usr/share/%s/*\\n' doc man info locale > /etc/dpkg/dpkg.cfg.d/nodoc \\",
						"    && echo 'path-include=/usr/share/doc/*/copyright' >> /etc/dpkg/dpkg.cfg.d/nodoc",
					}
				}
			}
			return findings(lots), nil
		},
	}
}

// docsNamed is how many packages a title names.
const docsNamed = 3

// The kinds of files that the rule leftover finds.
const (
	bytecode = iota
	pythonTests
	nodeExtras
)

func leftover() Rule {
	return Rule{
		Name:     "leftover",
		Severity: facts.SeverityInfo,
		Means:    "Packages of Python or Node.js bring tests, source maps or documentation, or Python has stored compiled files.",
		Why:      "The program rarely needs them to run. Python compiles again what it misses.",
		Fix:      "Install without compiled files (`PIP_NO_COMPILE=1`) and without development packages. Bundle a JavaScript program, so that only what it uses is in the image. Don't delete files by a pattern: some packages need files with such names.",
		find: func(im *image) ([]*finding, error) {
			kinds := make([]uint8, im.tree.Len()) // by node: packages of which language are above it
			const python, node = 1, 2
			tops := im.tops(func(n filetree.Node) bool {
				up := im.tree.Parent(n)
				kinds[n] = kinds[up]
				name := im.tree.Name(n)
				switch dir := im.isDir(n); {
				case name == "site-packages" || name == "dist-packages":
					kinds[n] = python
				case name == "node_modules":
					kinds[n] = node
				case name == "__pycache__" && dir:
					return true
				case kinds[n] == python && dir:
					return name == "tests" || name == "test"
				case kinds[n] == node && dir:
					return slices.Contains([]string{"test", "tests", "__tests__", "docs", "doc", "example", "examples"}, name) && !im.isModule(n)
				case kinds[n] == node:
					return strings.HasSuffix(name, ".map") || strings.HasSuffix(name, ".md")
				}
				return false
			})
			lots := im.lots(func(c filetree.Content, s filetree.Stored) (filetree.Node, int) {
				if s.Cause != filetree.Visible {
					return filetree.None, 0
				}
				top := im.inside(tops, c, s)
				switch {
				case top == filetree.None:
					return top, 0
				case im.tree.Name(top) == "__pycache__":
					return top, bytecode
				case kinds[top] == python:
					return top, pythonTests
				}
				return top, nodeExtras
			})
			for _, l := range lots {
				l.Severity = facts.SeverityInfo
				l.Certainty = facts.CertainLikely
				switch l.kind {
				case bytecode:
					l.Title = fmt.Sprintf("Python's compiled files take %s in layer %d", size(l.Bytes), l.layer)
					l.Fix = facts.Fix{Text: "set this before the step that installs: programs start somewhat later", Lines: []string{"ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_COMPILE=1"}}
				case pythonTests:
					l.Title = fmt.Sprintf("tests of Python packages take %s in layer %d", size(l.Bytes), l.layer)
					l.Fix = facts.Fix{Text: "look for releases of these packages without tests; don't delete by a pattern"}
				default:
					l.Title = fmt.Sprintf("tests, source maps and documentation of Node.js packages take %s in layer %d", size(l.Bytes), l.layer)
					l.Fix = facts.Fix{Text: "bundle the program in an earlier stage and copy the result; don't delete by a pattern"}
				}
			}
			return findings(lots), nil
		},
	}
}

// isModule reports whether n is a package in a node_modules, which may be called
// "test".
func (im *image) isModule(n filetree.Node) bool {
	name := im.tree.Name(im.tree.Parent(n))
	return name == "node_modules" || strings.HasPrefix(name, "@") || im.hasChild(n, "package.json")
}

// shows reports whether the final filesystem has something of that kind at a path.
func (im *image) shows(path string, kinds ...layer.Kind) bool {
	n, ok := im.tree.Lookup(path)
	if !ok {
		return false
	}
	st, ok := im.tree.At(n, im.last())
	return ok && (len(kinds) == 0 || slices.Contains(kinds, st.Kind))
}
