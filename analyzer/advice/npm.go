package advice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

const (
	npmNotes   = "npm 1" // the name of the looker
	npmLock    = "node_modules/.package-lock.json"
	maxNPMLock = 16 << 20 // bytes
)

// npmInstall is what installs the packages that package.json lists.
var npmInstall = regexp.MustCompile(`\b(npm\s+(?:ci|clean-install|install|i))\b`)

// npmLooker returns the looker for what npm says about installed packages.
func npmLooker() *layer.Looker {
	return &layer.Looker{
		Name: npmNotes, Max: maxNPMLock, Whole: maxNPMLock,
		Wants: func(p string) bool {
			if path.Base(p) == "package.json" {
				return !strings.Contains("/"+p, "/node_modules/")
			}
			return p == npmLock || strings.HasSuffix(p, "/"+npmLock)
		},
		Look: func(p string, s *layer.Sample) []string {
			read := projectNote
			if path.Base(p) != "package.json" {
				read = lockNote
			}
			if note := read(s.Head); note != "" {
				return []string{note}
			}
			return nil
		},
	}
}

// lockNote returns the packages that npm has installed for development only, one folder
// a line after "dev ", and the ones that come bundled with others, after "bundled ".
func lockNote(text []byte) string {
	var lock struct {
		Packages map[string]struct{ Dev, InBundle bool }
	}
	if json.Unmarshal(text, &lock) != nil {
		return ""
	}
	var lines []string
	for folder, p := range lock.Packages {
		if !inModules(folder) {
			continue
		}
		if p.Dev {
			lines = append(lines, "dev "+folder)
		}
		if p.InBundle {
			lines = append(lines, "bundled "+folder)
		}
	}
	slices.Sort(lines)
	return strings.Join(append([]string{"lock"}, lines...), "\n")
}

// inModules reports whether the folder of a package, as npm writes it, is below that of the
// project and in a node_modules.
func inModules(folder string) bool {
	return path.Clean("/"+folder) == "/"+folder && strings.Contains("/"+folder, "/node_modules/") && !strings.Contains(folder, "\n")
}

// projectNote returns the packages that a package.json lists for development alone, one
// a line after "dev ", and its scripts, after "script NAME ".
func projectNote(text []byte) string {
	var project struct {
		Scripts, DevDependencies, Dependencies, OptionalDependencies, PeerDependencies map[string]any
		// A package that is published with others has only those that it needs.
		BundleDependencies, BundledDependencies any
	}
	if json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &project) != nil {
		return ""
	}
	var lines []string
	if project.BundleDependencies != nil || project.BundledDependencies != nil {
		project.DevDependencies = nil
	}
	for name := range project.DevDependencies {
		needed := false
		for _, other := range []map[string]any{project.Dependencies, project.OptionalDependencies, project.PeerDependencies} {
			_, has := other[name]
			needed = needed || has
		}
		if folder := "node_modules/" + name; !needed && inModules(folder) {
			lines = append(lines, "dev "+folder)
		}
	}
	for name, script := range project.Scripts {
		if text, ok := script.(string); ok && !strings.ContainsAny(name+text, "\n") {
			lines = append(lines, "script "+name+" "+text)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// npmProject is what npm says about a folder with a node_modules.
type npmProject struct {
	dev, bundled []filetree.Node // folders of packages
	scripts      map[string]string
	locked       bool // npm's own list says what is for development
}

// npmProjects returns the projects in the final filesystem, by folder.
func (im *image) npmProjects() map[filetree.Node]*npmProject {
	if im.projects != nil {
		return im.projects
	}
	im.projects = map[filetree.Node]*npmProject{}
	byFolder := map[filetree.Node][2]string{} // the notes of package.json and of the list
	for _, n := range im.notes[npmNotes] {
		at := im.tree.FirstName(n.Content, im.last())
		if at == filetree.None {
			continue
		}
		folder, kind := im.tree.Parent(at), 0
		if im.tree.Name(at) != "package.json" {
			folder, kind = im.tree.Parent(folder), 1
		}
		notes := byFolder[folder]
		notes[kind] = n.Data
		byFolder[folder] = notes
	}
	for folder, notes := range byFolder {
		p := &npmProject{scripts: map[string]string{}, locked: notes[1] != ""}
		for kind, note := range notes {
			for line := range strings.SplitSeq(note, "\n") {
				word, rest, _ := strings.Cut(line, " ")
				switch {
				case word == "script":
					name, text, _ := strings.Cut(rest, " ")
					p.scripts[name] = text
				case word == "dev" && (kind == 1 || !p.locked):
					p.dev = im.addModule(p.dev, folder, rest)
				case word == "bundled":
					p.bundled = im.addModule(p.bundled, folder, rest)
				}
			}
		}
		im.projects[folder] = p
	}
	return im.projects
}

// addModule adds the folder of a package to list, if the final filesystem has it.
// pnpm's packages are behind a link.
func (im *image) addModule(list []filetree.Node, project filetree.Node, folder string) []filetree.Node {
	at := path.Join(im.tree.Path(project), folder)
	for range 2 {
		n, ok := im.tree.Lookup(at)
		if !ok {
			return list
		}
		switch s, ok := im.tree.At(n, im.last()); {
		case ok && s.Kind == layer.Dir:
			return append(list, n)
		case !ok || s.Kind != layer.Symlink:
			return list
		default:
			at = absolute(path.Dir(at), s.Target)
			if !strings.Contains(at, "/node_modules/") {
				return list // a folder of the project itself
			}
		}
	}
	return list
}

func devDependencies() Rule {
	return Rule{
		Name:     "dev-dependencies",
		Severity: facts.SeverityWarn,
		Means:    "The image has npm packages that only development needs, such as compilers, bundlers and test runners.",
		Why:      "The program does not load them. They often take more than what it needs, and bring vulnerabilities of their own.",
		Fix:      "Install with `npm ci --omit=dev`. If the build needs them, build in an earlier stage, end it with `npm prune --omit=dev`, and copy the result.",
		Not:      "What the image's command starts. Without the list that npm leaves in `node_modules/.package-lock.json`, those that `package.json` lists in `devDependencies` are of severity info: another package may need them, too.",
		reads:    true,
		look:     npmLooker(),
		find:     (*image).devDependencies,
	}
}

// devDependencies returns a finding for each layer that stores packages for development.
func (im *image) devDependencies() ([]*finding, error) {
	const listed, locked = 0, 1
	kinds := map[filetree.Node]int{}
	runs := map[filetree.Node]bool{} // the image's command starts one of the project's
	for folder, p := range im.npmProjects() {
		used := im.starts(folder, p)
		for _, n := range p.dev {
			if p.locked {
				kinds[n] = locked
			} else if _, known := kinds[n]; !known {
				kinds[n] = listed
			}
			runs[n] = runs[n] || used
		}
	}
	tops := im.tops(func(n filetree.Node) bool { _, ok := kinds[n]; return ok })
	lots := im.lots(func(c filetree.Content, s filetree.Stored) (filetree.Node, int) {
		if s.Cause != filetree.Visible || im.distributed(c) {
			return filetree.None, 0
		}
		top := im.inside(tops, c, s)
		return top, kinds[top]
	})
	im.develops = map[int]bool{}
	for _, l := range lots {
		im.develops[l.layer] = true
		sizes := map[string]int64{}
		used := false
		for _, p := range l.places {
			_, name, _ := cutLast(im.tree.Path(p.node), "/node_modules/")
			sizes[name] += p.Bytes
			used = used || runs[p.node]
		}
		l.Title = fmt.Sprintf("npm packages that only development needs take %s in layer %d: %s", size(l.Bytes), l.layer, largest(sizes, devNamed))
		if l.kind == listed || used {
			l.Severity, l.Certainty = facts.SeverityInfo, facts.CertainLikely
		}
		l.Fix = im.npmFix(l.layer)
	}
	return findings(lots), nil
}

// devNamed is how many packages a title names.
const devNamed = 3

// cutLast cuts s at the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// starts reports whether the image's command, or a script that it names, starts a
// program of a package for development.
func (im *image) starts(folder filetree.Node, p *npmProject) bool {
	config := im.report.Image.Config
	words := strings.Fields(strings.Join(slices.Concat(config.Entrypoint, config.Cmd), " "))
	named := map[string]bool{}
	for i := 0; i < len(words); i++ { // a script may name another one, or itself
		if w := words[i]; !named[w] {
			named[w] = true
			words = append(words, strings.Fields(p.scripts[w])...)
		}
	}
	dev := map[string]bool{}
	for _, n := range p.dev {
		_, name, _ := cutLast(im.tree.Path(n), "/node_modules/")
		dev[name] = true
	}
	bin := path.Join(im.tree.Path(folder), "node_modules/.bin")
	return slices.ContainsFunc(words, func(w string) bool {
		w = strings.Trim(w, `"';&|()`)
		if dev[w] || dev[path.Base(w)] {
			return true
		}
		n, ok := im.tree.Lookup(path.Join(bin, path.Base(w)))
		if !ok {
			return false
		}
		s, ok := im.tree.At(n, im.last())
		name := strings.TrimPrefix(s.Target, "../")
		if scope, rest, scoped := strings.Cut(name, "/"); scoped {
			name = scope
			if strings.HasPrefix(scope, "@") {
				second, _, _ := strings.Cut(rest, "/")
				name += "/" + second
			}
		}
		return ok && s.Kind == layer.Symlink && dev[name]
	})
}

const npmPrune = "npm prune --omit=dev"

// npmFix says how to leave out what only development needs of what layer i stores.
func (im *image) npmFix(i int) facts.Fix {
	s := im.step(i)
	if s.copies() {
		return facts.Fix{Text: "end the stage that it is copied from with npm prune --omit=dev", Lines: []string{"RUN " + npmPrune}}
	}
	if s.runs(func(c call) bool { return npmInstalls(c) && !c.has(noDev...) }, "npm") == nil {
		return facts.Fix{Text: "install without what only development needs: npm ci --omit=dev, yarn install --production, pnpm install --prod"}
	}
	if s.builds() {
		return facts.Fix{Text: "remove them at the end of the step that builds with them", Lines: im.followed(i, npmPrune)}
	}
	for j := i + 1; j <= im.last(); j++ {
		if im.step(j).builds() {
			return facts.Fix{
				Text:  fmt.Sprintf("the step of layer %d builds with them: make both an earlier stage, end it with npm prune --omit=dev, and copy the result", j),
				Lines: []string{"RUN " + npmPrune},
			}
		}
	}
	fix := facts.Fix{Text: "add --omit=dev"}
	script := npmInstall.ReplaceAllString(s.script, "$1 --omit=dev")
	if after := (step{calls: parseScript(script, 3)}); script != s.script && len(after.calls) == len(s.calls) {
		fix.Lines = runLines(nil, script)
	}
	return fix
}

// builds reports whether the step runs a program of an npm package, or a script of a
// package.json.
func (s *step) builds() bool {
	scripts := func(c call) bool {
		return slices.Contains([]string{"run", "run-script", "test", "t", "exec", "x", "build"}, c.sub())
	}
	return s.runs(func(call) bool { return true }, "npx", "yarn", "tsc", "webpack", "vite") != nil || s.runs(scripts, "npm", "pnpm") != nil ||
		slices.ContainsFunc(s.calls, func(c call) bool { return strings.Contains(c[0], "node_modules/.bin/") })
}
