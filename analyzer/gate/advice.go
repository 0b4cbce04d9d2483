package gate

import "strings"

// folder is a kind of folder that many images have. The waste in such a folder is
// explained in one way.
type folder struct {
	part   string // the start of its path or, if any is set, a part of it
	any    bool   // part can be anywhere in the path
	advice string // how to avoid waste in it; "" for none
}

var folders = []folder{
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
	{"/__pycache__/", true, ""},
	{"/.git/", true, "keep .git away from the build with .dockerignore"},
}

// find returns the first known folder in path, nil if there is none, and the index
// of its part.
func find(path string) (*folder, int) {
	var best *folder
	where := len(path)
	for i := range folders {
		f := &folders[i]
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
	return best, where
}

// wasteAdvice says how to avoid the waste of an offender.
func wasteAdvice(o *Offender) string {
	if f, _ := find(o.Path); f != nil && f.advice != "" && (o.Cause == "removed" || o.Cause == "overwritten") {
		return f.advice
	}
	hid := strings.ToLower(o.HiddenAs)
	switch o.Cause {
	case "removed":
		return "remove it in the step that stores it, or make it in an earlier stage and copy only what is needed"
	case "overwritten":
		return "store it once: join the two steps, or leave it out of the first"
	case "metadata":
		switch chown, chmod := strings.Contains(hid, "chown"), strings.Contains(hid, "chmod"); {
		case chown && chmod:
			return "give it its owner and mode where it is stored: COPY --chown --chmod, or in the same RUN"
		case chown:
			return "give it its owner where it is stored: COPY --chown, or chown in the same RUN"
		case chmod:
			return "give it its mode where it is stored: COPY --chmod, or chmod in the same RUN"
		case strings.HasPrefix(hid, "copy") || strings.HasPrefix(hid, "add") || strings.Contains(hid, "#(nop) copy") || strings.Contains(hid, "#(nop) add"):
			return "the same content is copied again: copy it once, with COPY --chown and --chmod where they are needed"
		}
		return "the same content is stored again: set owner, mode and times where it is stored (COPY --chown --chmod)"
	case "repeated":
		return "the layer's archive holds it more than once: the tool that wrote the layer adds it twice"
	}
	return ""
}

// stepAdvice says how to make the layer of a command smaller; "" if that is unknown.
func stepAdvice(command string) string {
	has := func(all ...string) bool {
		for _, s := range all {
			if !strings.Contains(command, s) {
				return false
			}
		}
		return true
	}
	switch {
	case has("chown -R") || has("chmod -R"):
		return "chown and chmod store every file that they change again: set owner and mode where it is stored (COPY --chown --chmod, or in the same RUN)"
	case has("apt-get", "install") && !has("--no-install-recommends"):
		return "apt-get install --no-install-recommends leaves out what is only recommended"
	case has("apk", "add") && !has("--no-cache"):
		return "apk add --no-cache leaves no index behind"
	case has("pip", "install") && !has("--no-cache-dir"):
		return "pip install --no-cache-dir leaves no downloads behind"
	case has("npm ci") && !has("--omit") || has("npm install") && !has("--omit"):
		return "npm ci --omit=dev leaves out what only development needs"
	case has("COPY . ") || has("ADD . ") || has("COPY dir:") || has("ADD dir:"):
		return ".dockerignore keeps away what the image does not need"
	case has("go build") || has("cargo build") || has("make") || has("mvn ") || has("gradle") || has("npm run build"):
		return "build in an earlier stage and copy only the result"
	}
	return ""
}
