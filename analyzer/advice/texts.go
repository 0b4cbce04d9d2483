package advice

import (
	"slices"
	"strings"
)

// folder is a kind of folder that many images have. The waste in such a folder is
// explained in one way.
type folder struct {
	part   string // the start of its path or, if any is set, a part of it
	any    bool   // part can be anywhere in the path
	advice string // how to avoid waste in it; "" for none
}

// folders returns the folders whose waste OfWaste explains.
func folders() []folder {
	return []folder{
		{"/var/lib/apt/lists/", false, "remove apt's lists in the step that fetches them: apt-get update && apt-get install ... && rm -rf /var/lib/apt/lists/*"},
		{"/var/cache/apt/", false, "empty apt's cache in the step that fills it (apt-get clean), or keep it out with RUN --mount=type=cache,target=/var/cache/apt"},
		{"/var/lib/dpkg/", false, "every step that installs packages stores dpkg's database anew: install them in one step"},
		{"/var/cache/debconf/", false, "every step that installs packages stores debconf's database anew: install them in one step"},
		{"/var/lib/rpm/", false, "every step that installs packages stores rpm's database anew: install them in one step"},
		{"/lib/apk/db/", false, "every step that adds packages stores apk's database anew: add them in one step"},
		{"/var/cache/apk/", false, "let apk keep no cache: apk add --no-cache"},
		{"/var/cache/dnf/", false, "empty dnf's cache in the step that fills it: dnf clean all"},
		{"/var/cache/yum/", false, "empty yum's cache in the step that fills it: yum clean all"},
		{"/.npm/", true, "empty npm's cache in the step that fills it (npm cache clean --force), or keep it out with RUN --mount=type=cache,target=/root/.npm"},
		{"/.cache/pip/", true, "let pip keep no cache (pip install --no-cache-dir), or keep it out with RUN --mount=type=cache,target=/root/.cache/pip"},
		{"/.cache/yarn/", true, "empty yarn's cache in the step that fills it (yarn cache clean), or keep it out with RUN --mount=type=cache"},
		{"/.cache/go-build/", true, "build in an earlier stage, or keep Go's cache out with RUN --mount=type=cache,target=/root/.cache/go-build"},
		{"/go/pkg/mod/", true, "build in an earlier stage, or keep the modules out with RUN --mount=type=cache,target=/go/pkg/mod"},
		{"/.cargo/registry/", true, "build in an earlier stage, or keep the registry out with RUN --mount=type=cache"},
		{"/.m2/", true, "build in an earlier stage, or keep Maven's repository out with RUN --mount=type=cache,target=/root/.m2"},
		{"/.gradle/", true, "build in an earlier stage, or keep Gradle's cache out with RUN --mount=type=cache"},
		{"/node_modules/", true, "leave out what only development needs in the step that installs (npm ci --omit=dev), or build in an earlier stage and copy the result"},
		{"/.git/", true, "keep .git away from the build with .dockerignore"},
	}
}

// knownFolder returns the outermost of the folders in path, or one without advice.
func knownFolder(path string) folder {
	var best folder
	where := len(path)
	for _, f := range folders() {
		at := 0
		if f.any {
			at = strings.Index(path, f.part)
		} else if !strings.HasPrefix(path, f.part) {
			at = -1
		}
		if at >= 0 && at < where {
			best, where = f, at
		}
	}
	return best
}

// OfWaste says how to avoid waste at a path, or below a path that ends in "/".
// hiddenAs is the command of the step that hid it.
func OfWaste(path, cause, hiddenAs string) string {
	if f := knownFolder(path); f.advice != "" && (cause == "removed" || cause == "overwritten") {
		return f.advice
	}
	switch cause {
	case "removed":
		return "remove it in the step that stores it, or make it in an earlier stage and copy only what is needed"
	case "overwritten":
		return "store it once: join the two steps, or leave it out of the first"
	case "metadata":
		s := parseStep(hiddenAs)
		any := func(call) bool { return true }
		switch chown, chmod := s.runs(any, "chown", "chgrp") != nil, s.runs(any, "chmod") != nil; {
		case chown && chmod:
			return "give it its owner and mode where it is stored: COPY --chown --chmod, or in the same RUN"
		case chown:
			return "give it its owner where it is stored: COPY --chown, or chown in the same RUN"
		case chmod:
			return "give it its mode where it is stored: COPY --chmod, or chmod in the same RUN"
		case s.copies():
			return "the same content is copied again: copy it once, with COPY --chown and --chmod where they are needed"
		}
		return "the same content is stored again: set owner, mode and times where it is stored (COPY --chown --chmod)"
	case "repeated":
		return "the layer's archive holds it more than once: the tool that wrote the layer adds it twice"
	}
	return ""
}

// OfStep says how to make the layer of a command smaller; "" if that is unknown.
func OfStep(command string) string {
	s := parseStep(command)
	installs := func(subs ...string) func(call) bool {
		return func(c call) bool { return slices.Contains(subs, c.sub()) }
	}
	recursive := func(c call) bool { return c.hasLetter('R') || c.has("--recursive") }
	without := func(which func(call) bool, flags ...string) func(call) bool {
		return func(c call) bool { return which(c) && !c.has(flags...) }
	}
	any := func(call) bool { return true }
	switch {
	case s.runs(recursive, "chown", "chmod", "chgrp") != nil:
		return "chown and chmod store every file that they change again: set owner and mode where it is stored (COPY --chown --chmod, or in the same RUN)"
	case s.runs(without(installs("install"), noRecommends...), "apt-get", "apt") != nil:
		return "apt-get install --no-install-recommends leaves out what is only recommended"
	case s.runs(without(installs("add"), "--no-cache"), "apk") != nil:
		return "apk add --no-cache leaves no index behind"
	case s.runs(without(pipInstalls, "--no-cache-dir"), pips...) != nil:
		return "pip install --no-cache-dir leaves no downloads behind"
	case s.runs(without(npmInstalls, noDev...), "npm") != nil:
		return "npm ci --omit=dev leaves out what only development needs"
	case s.copiesContext():
		return ".dockerignore keeps away what the image does not need"
	case s.runs(installs("build", "install"), "go", "cargo") != nil || s.runs(any, "make", "mvn", "mvnw", "gradle", "gradlew", "ninja") != nil ||
		s.runs(func(c call) bool { return c.sub() == "run" && c.has("build") }, "npm", "yarn", "pnpm") != nil:
		return "build in an earlier stage and copy only the result"
	}
	return ""
}

// copiesContext reports whether the step copies a whole folder of the build context,
// the folder itself included.
func (s *step) copiesContext() bool {
	if !s.copies() || len(s.args) == 0 || slices.ContainsFunc(s.flags, func(f string) bool { return strings.HasPrefix(f, "--from") }) {
		return false
	}
	return s.args[0] == "." || s.args[0] == "./" || strings.HasPrefix(s.args[0], "dir:")
}
