package advice

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/layer"
)

// inConfig is a place in the config.
var inConfig = facts.Place{Layer: -1, HiddenBy: -1}

func rootUser() Rule {
	return Rule{
		Name:     "root-user",
		Severity: facts.SeverityWarn,
		Means:    "The image runs its program as root.",
		Why:      "A program that is taken over has every right in the container, and fewer obstacles on the way out.",
		Fix:      "End the Dockerfile with `USER` and a user that is not root.",
		Not:      "Images whose command is a shell or an interpreter, which others build on, and images without a shell are of severity info.",
		find: func(im *image) ([]*finding, error) {
			user, _, _ := strings.Cut(im.report.Image.Config.User, ":")
			if user != "" && user != "root" && user != "0" {
				return nil, nil
			}
			f := im.newFinding("the program runs as root", facts.Fix{Text: "add this line before the entrypoint, and give the user the folders it writes to", Lines: []string{"USER 10001"}})
			if im.purpose() != application || !im.hasShell() {
				f.Severity = facts.SeverityInfo
			}
			f.add(inConfig)
			return []*finding{f}, nil
		},
	}
}

// hasShell reports whether the image has a shell.
func (im *image) hasShell() bool { return im.shows("/bin/sh") || im.shows("/usr/bin/sh") }

// inSystem reports whether n is in a folder where only packages put files.
func (im *image) inSystem(n filetree.Node) bool {
	for im.tree.Parent(n) > filetree.Root {
		n = im.tree.Parent(n)
	}
	return slices.Contains([]string{"bin", "boot", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr"}, im.tree.Name(n))
}

// states calls do for every path that the final filesystem shows.
func (im *image) states(do func(filetree.Node, filetree.State)) {
	for n := filetree.Root + 1; int(n) < im.tree.Len(); n++ {
		if st, ok := im.tree.At(n, im.last()); ok {
			do(n, st)
		}
	}
}

// show adds a path of the final filesystem, which claims nothing.
func (f *finding) show(n filetree.Node, st filetree.State) {
	f.places = append(f.places, placed{Place: facts.Place{Layer: st.Layer, HiddenBy: -1, Files: 1}, node: n})
}

// chmodFix returns a fix that changes the mode of places.
func (im *image) chmodFix(text, mode string, places []placed) facts.Fix {
	fix := facts.Fix{Text: text}
	if len(places) > maxStripped {
		return fix
	}
	words := []string{"RUN chmod", mode}
	for _, p := range places {
		w, ok := shellWord(im.tree.Path(p.node))
		if !ok {
			return fix
		}
		words = append(words, w)
	}
	fix.Lines = []string{strings.Join(words, " ")}
	return fix
}

func setuid() Rule {
	return Rule{
		Name:     "setuid",
		Severity: facts.SeverityWarn,
		Means:    "A program runs with the rights of its owner or group, whoever starts it.",
		Why:      "A flaw in such a program makes any user root.",
		Fix:      "Remove the bits in the step that stores the program: `chmod a-s`. In Kubernetes, `allowPrivilegeEscalation: false` makes them ineffective.",
		Not:      "Those of the system's folders (`/usr`, `/bin`, …), such as su and mount, are of severity info: they usually are the base image's.",
		apart:    true,
		find: func(im *image) ([]*finding, error) {
			own, system := im.newFinding("", facts.Fix{}), im.newFinding("", facts.Fix{})
			im.states(func(n filetree.Node, st filetree.State) {
				if st.Kind != layer.File || st.Mode&0o6000 == 0 || st.Mode&0o111 == 0 {
					return
				}
				if im.inSystem(n) {
					system.show(n, st)
				} else {
					own.show(n, st)
				}
			})
			return im.modeFindings(own, system, "%s with the setuid or setgid bit", "remove the bits in the step that stores them", "a-s"), nil
		},
	}
}

// modeFindings completes the findings about modes of a program's own files and of
// those of the system, which are of severity info.
func (im *image) modeFindings(own, system *finding, title, text, mode string) []*finding {
	var out []*finding
	for _, f := range []*finding{own, system} {
		if len(f.places) == 0 {
			continue
		}
		f.Title = fmt.Sprintf("the image has "+title, count(len(f.places), "file"))
		if f == system {
			f.Title += " in the system's folders"
			f.Severity = facts.SeverityInfo
		}
		f.Fix = im.chmodFix(text, mode, f.places)
		out = append(out, f)
	}
	return out
}

func worldWritable() Rule {
	return Rule{
		Name:     "world-writable",
		Severity: facts.SeverityWarn,
		Means:    "Every user may change a file or folder.",
		Why:      "A program that is taken over can replace what others run or read, even without being root.",
		Fix:      "Set the mode where the file is stored: `COPY --chmod=755`, or `chmod o-w` in the same step. A program that must write needs the owner, not everyone.",
		Not:      "Folders with the sticky bit, such as `/tmp`, links and devices. Outside of the system's folders (`/usr`, `/etc`, …) it is of severity info.",
		apart:    true,
		find: func(im *image) ([]*finding, error) {
			own, system := im.newFinding("", facts.Fix{}), im.newFinding("", facts.Fix{})
			im.states(func(n filetree.Node, st filetree.State) {
				switch {
				case st.Mode&0o002 == 0, st.Kind != layer.File && st.Kind != layer.Dir, st.Kind == layer.Dir && st.Mode&0o1000 != 0:
				case im.inSystem(n):
					system.show(n, st)
				default:
					own.show(n, st)
				}
			})
			var out []*finding
			for _, f := range []*finding{system, own} {
				if len(f.places) == 0 {
					continue
				}
				f.Title = fmt.Sprintf("every user may change %s", count(len(f.places), "path"))
				if f == system {
					f.Title += " in the system's folders"
				} else {
					f.Severity = facts.SeverityInfo
				}
				f.Fix = im.chmodFix("set the mode in the step that stores them", "o-w", f.places)
				out = append(out, f)
			}
			return out, nil
		},
	}
}

func sudo() Rule {
	return Rule{
		Name:     "sudo",
		Severity: facts.SeverityWarn,
		Means:    "The image has sudo.",
		Why:      "A container changes its user with `USER`. sudo only adds a way to become root.",
		Fix:      "Leave sudo out of the packages. Run steps that need root before `USER`, and start a program as another user with `setpriv` or `su-exec`.",
		find: func(im *image) ([]*finding, error) {
			for _, p := range []string{"/usr/bin/sudo", "/bin/sudo", "/usr/local/bin/sudo"} {
				n, ok := im.tree.Lookup(p)
				if !ok {
					continue
				}
				if st, ok := im.tree.At(n, im.last()); ok && st.Kind == layer.File {
					f := im.newFinding(fmt.Sprintf("layer %d installs sudo", st.Layer), facts.Fix{Text: "leave sudo out of the packages, and put the steps that need root before USER"})
					f.show(n, st)
					return []*finding{f}, nil
				}
			}
			return nil, nil
		},
	}
}

func missingHealthcheck() Rule {
	return Rule{
		Name:     "missing-healthcheck",
		Severity: facts.SeverityInfo,
		Means:    "The image has no HEALTHCHECK.",
		Why:      "Docker and Swarm can't tell whether the program works. Kubernetes ignores it.",
		Fix:      "Add `HEALTHCHECK CMD` with a command that fails if the program doesn't work.",
		Not:      "This rule is off unless it is named: `fathom advise --rule missing-healthcheck`, or in `fail-on-finding` of the gate. Images whose command is a shell or an interpreter need none.",
		optIn:    true,
		find: func(im *image) ([]*finding, error) {
			c := im.a.Image.Config
			if c == nil || c.Config.Healthcheck != nil && len(c.Config.Healthcheck.Test) > 0 || im.purpose() != application {
				return nil, nil
			}
			f := im.newFinding("the image has no health check", facts.Fix{Text: "add a HEALTHCHECK with a command that fails if the program doesn't work"})
			f.add(inConfig)
			return []*finding{f}, nil
		},
	}
}

func sensitiveVolume() Rule {
	return Rule{
		Name:     "sensitive-volume",
		Severity: facts.SeverityWarn,
		Means:    "The image declares a folder of the system as a volume.",
		Why:      "The engine puts a volume there in every container. It hides later changes of the image, and keeps what should go with the container.",
		Fix:      "Declare only folders with the program's data, such as `/var/lib/app`, or leave VOLUME out.",
		find: func(im *image) ([]*finding, error) {
			var out []*finding
			for _, v := range im.report.Image.Config.Volumes {
				clean := path.Clean("/" + v)
				top, _, _ := strings.Cut(clean[1:], "/")
				whole := slices.Contains([]string{"/", "/home", "/root", "/var", "/opt", "/run", "/var/run", "/var/lib"}, clean)
				if !whole && !slices.Contains([]string{"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr"}, top) || strings.HasPrefix(clean, "/etc/") || strings.HasPrefix(clean, "/usr/") && clean != "/usr/bin" && clean != "/usr/lib" {
					continue
				}
				f := im.newFinding(fmt.Sprintf("%s is declared as a volume", v), facts.Fix{Text: "declare only folders with the program's data as VOLUME"})
				f.add(inConfig)
				out = append(out, f)
			}
			return out, nil
		},
	}
}

func tooManyLayers() Rule {
	const most = 60
	return Rule{
		Name:     "too-many-layers",
		Severity: facts.SeverityInfo,
		Means:    "The image has more than 60 layers.",
		Why:      "Each layer costs requests, and time to unpack and mount. Docker's storage allows 125.",
		Fix:      "Join RUN steps that belong together, and copy several files in one COPY.",
		find: func(im *image) ([]*finding, error) {
			if im.tree.Layers() <= most {
				return nil, nil
			}
			f := im.newFinding(fmt.Sprintf("the image has %d layers", im.tree.Layers()), facts.Fix{Text: "join RUN steps that belong together, and copy several files in one COPY"})
			f.add(inConfig)
			return []*finding{f}, nil
		},
	}
}

func emptyStep() Rule {
	return Rule{
		Name:     "empty-step",
		Severity: facts.SeverityInfo,
		Means:    "A step makes a layer that changes nothing.",
		Why:      "The step takes time in each build, and does not do what it was written for, or its work belongs in another step.",
		Fix:      "Remove the step. If it downloads or checks something, do it in the step that uses it.",
		Not:      "Steps that are no RUN, such as WORKDIR.",
		find: func(im *image) ([]*finding, error) {
			var out []*finding
			for i := range im.report.Layers {
				l := &im.report.Layers[i]
				s := im.step(i)
				if l.StoredBytes > 0 || l.Added+l.Modified+l.Removed > 0 || s.instruction != "RUN" || len(s.calls) == 0 {
					continue
				}
				f := im.newFinding(fmt.Sprintf("the step of layer %d changes nothing", i), facts.Fix{Text: "remove the step, or move it to the step that needs it"})
				f.add(facts.Place{Layer: i, HiddenBy: -1})
				out = append(out, f)
			}
			return out, nil
		},
	}
}

// option is an option that an install command lacks.
type option struct {
	names   []string
	lacks   func(im *image, i int, c call) bool
	command *regexp.Regexp // after which it belongs
	add     string
	title   string
}

// options returns the options that the rule install-options looks for.
func options() []option {
	return []option{
		{
			[]string{"apt-get", "apt"},
			func(_ *image, _ int, c call) bool { return c.sub() == "install" && !c.has(noRecommends...) },
			regexp.MustCompile(`\b(apt(?:-get)?(?:\s+-\S+)*\s+install)\b`), "--no-install-recommends",
			"layer %d installs recommended packages, too",
		},
		{
			[]string{"apk"},
			func(im *image, i int, c call) bool {
				return c.sub() == "add" && !c.has("--no-cache") && im.cached[cachedIn{i, "apk's cache"}]
			},
			regexp.MustCompile(`\b(apk(?:\s+-\S+)*\s+add)\b`), "--no-cache",
			"layer %d keeps apk's index",
		},
		{
			pips,
			func(im *image, i int, c call) bool {
				return pipInstalls(c) && !c.has("--no-cache-dir") && im.cached[cachedIn{i, "pip's cache"}]
			},
			regexp.MustCompile(`\b(pip3?\s+install)\b`), "--no-cache-dir",
			"layer %d keeps pip's downloads",
		},
		{
			[]string{"npm"},
			func(im *image, i int, c call) bool {
				return npmInstalls(c) && !c.has(noDev...) && !im.develops[i] && im.storesModules(i) && !slices.Contains(im.report.Image.Config.Env, "NODE_ENV=production") &&
					im.step(i).runs(func(c call) bool { return c.sub() == "prune" }, "npm") == nil
			},
			npmInstall, "--omit=dev",
			"layer %d installs what only development needs, too",
		},
	}
}

// storesModules reports whether layer i stores a node_modules that is still there.
func (im *image) storesModules(i int) bool {
	if im.modules == nil {
		im.modules = map[int]bool{}
		im.states(func(n filetree.Node, st filetree.State) {
			if st.Kind == layer.Dir && im.tree.Name(n) == "node_modules" {
				im.modules[st.Layer] = true
			}
		})
	}
	return im.modules[i]
}

func installOptions() Rule {
	return Rule{
		Name:     "install-options",
		Severity: facts.SeverityInfo,
		Means:    "A step installs packages without the option that leaves out what isn't needed.",
		Why:      "apt-get installs recommended packages, npm what only development needs, apk and pip keep what they downloaded.",
		Fix:      "`apt-get install --no-install-recommends`, `apk add --no-cache`, `pip install --no-cache-dir`, `npm ci --omit=dev`.",
		Not:      "npm with `NODE_ENV=production` or `npm prune`; apk and pip if the layer holds none of their caches. What the option would save can't be told from the image; where it can, there is another finding, such as `dev-dependencies`.",
		find: func(im *image) ([]*finding, error) {
			var out []*finding
			for i := range im.tree.Layers() {
				s := im.step(i)
				for _, o := range options() {
					lacks := func(c call) bool { return o.lacks(im, i, c) }
					if s.runs(lacks, o.names...) == nil {
						continue
					}
					f := im.newFinding(fmt.Sprintf(o.title, i), facts.Fix{Text: "add " + o.add})
					f.Certainty = facts.CertainLikely
					script := o.command.ReplaceAllString(s.script, "$1 "+o.add)
					if after := (step{calls: parseScript(script, 3)}); script != s.script && len(after.calls) == len(s.calls) && after.runs(lacks, o.names...) == nil {
						f.Fix.Lines = runLines(nil, script)
					}
					f.add(facts.Place{Layer: i, HiddenBy: -1})
					out = append(out, f)
				}
			}
			return out, nil
		},
	}
}
