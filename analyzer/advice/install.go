package advice

import "slices"

// What install commands are called, and the options that make them leave out what
// the image does not need.
var (
	noRecommends = []string{"--no-install-recommends", "APT::Install-Recommends", "-oAPT::Install-Recommends"}
	pips         = []string{"pip", "pip3", "python", "python3"}
	noDev        = []string{"--omit", "--production", "--only", "--prod"}
)

// pipInstalls reports whether c is pip install or python -m pip install.
func pipInstalls(c call) bool {
	if i := slices.Index(c, "-m"); i >= 0 && i+1 < len(c) {
		return c[i+1] == "pip" && c[i+1:].sub() == "install"
	}
	return c.is("pip", "pip3") && c.sub() == "install"
}

// npmInstalls reports whether c installs what package.json lists, not single
// packages.
func npmInstalls(c call) bool {
	if c.has("--package-lock-only") {
		return false
	}
	switch c.sub() {
	case "ci", "clean-install":
		return true
	case "install", "i":
		n := 0
		for _, w := range c[1:] {
			if w[:min(1, len(w))] != "-" {
				n++
			}
		}
		return n == 1 && !c.hasLetter('g') && !c.has("--global", "--location")
	}
	return false
}
