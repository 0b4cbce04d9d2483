package packages

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"fathom/analyzer/facts"
	"fathom/analyzer/layer"
)

// isGemspec reports whether a path describes an installed gem.
func isGemspec(p, name string) bool {
	return strings.HasSuffix(name, ".gemspec") && path.Base(path.Dir(p)) == "specifications"
}

// isDefaultGemspec reports whether a path describes a gem that is part of Ruby.
func isDefaultGemspec(p, name string) bool {
	return strings.HasSuffix(name, ".gemspec") && strings.HasSuffix("/"+path.Dir(p), "/specifications/default")
}

// readGemspec reads the description of a gem.
func readGemspec(name string, s *layer.Sample) ([]record, error) { return readGem(name, "..", s) }

// readDefaultGemspec reads the description of a gem that is part of Ruby. Most of its
// files are Ruby's own.
func readDefaultGemspec(name string, s *layer.Sample) ([]record, error) {
	return readGem(name, "../..", s)
}

// readGem reads the comment with which RubyGems begins a description, so that it need
// not run it: "# stub: NAME VERSION PLATFORM FOLDERS". root leads to the folder of all
// gems.
func readGem(file, root string, s *layer.Sample) ([]record, error) {
	for line := range strings.Lines(string(s.Head)) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		stub, ok := strings.CutPrefix(line, "# stub: ")
		if !ok {
			continue
		}
		part := strings.SplitN(strings.TrimSuffix(stub, "\n"), " ", 4)
		if len(part) < 4 || part[0] == "" {
			return nil, fmt.Errorf("reading the line that begins with # stub: %.80q is not complete", stub)
		}
		r := record{Type: facts.TypeGem, Name: part[0], Version: part[1]}
		full := r.Name + "-" + r.Version
		if platform := part[2]; platform != "ruby" {
			r.Arch = platform
			full += "-" + platform
		}
		if strings.Contains(full, "/") {
			return nil, fmt.Errorf("finding the folder of the gem: %.80q is not a name", full)
		}
		r.Owns = root + "/gems/" + full
		// Below extensions are the platform and the version of Ruby's interface.
		r.Folders = []string{root + "/extensions/*/*/" + full, root + "/doc/" + full}
		r.Files.add(file)
		r.Files.add(root + "/cache/" + full + ".gem")
		r.Files.add(root + "/build_info/" + full + ".info")
		return []record{r}, nil
	}
	return nil, errors.New("finding the name of the gem: no line begins with # stub:")
}
