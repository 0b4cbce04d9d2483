package advice

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
	"fathom/analyzer/packages"
)

// find returns the analysis and the findings of an image whose packages are known. It
// checks, also for unknown packages, that no byte
// counts twice and that a saved report could hold the findings.
func find(t testing.TB, img *imagetest.Image) (*analyzer.Analysis, []facts.Finding) {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), img.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pkgs, err := packages.Find(t.Context(), a, packages.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all []facts.Finding
	for _, known := range []*packages.Packages{nil, pkgs} {
		sum := int64(0)
		if all, sum, err = Find(t.Context(), a, Options{On: []string{"missing-healthcheck"}, Packages: known}); err != nil {
			t.Fatal(err)
		}
		checkSum(t, a, all, sum)
	}
	return a, all
}

func checkSum(t testing.TB, a *analyzer.Analysis, all []facts.Finding, sum int64) {
	t.Helper()
	added := int64(0)
	for _, f := range all {
		added += f.Bytes
		places := int64(0)
		for _, p := range f.Places {
			places += p.Bytes
		}
		if f.MorePlaces == 0 && places != f.Bytes {
			t.Errorf("%s: %d bytes, and its places have %d", f.Title, f.Bytes, places)
		}
		if f.Title == "" || f.Fix.Text == "" {
			t.Errorf("%+v has no title or no fix", f)
		}
	}
	if added != sum || sum > a.Report.Totals.StoredBytes {
		t.Errorf("the findings add up to %d, the sum is %d, and the image stores %d", added, sum, a.Report.Totals.StoredBytes)
	}
}

// of returns the findings of a rule as text.
func of(all []facts.Finding, rule string) string {
	var b strings.Builder
	for _, f := range all {
		if f.Rule == rule {
			b.WriteString(asText(f))
		}
	}
	return b.String()
}

// TestBeforeAndAfter finds each rule in the image before its fix and not in the one
// after it. What the layers store must shrink by the bytes of the finding.
func TestBeforeAndAfter(t *testing.T) {
	for _, tt := range []struct{ rule, want string }{
		{"package-cache", `warn 1200000: npm's cache takes 1.2 MB in layer 1
  fix: keep the cache out of the layer with a cache mount, or end the step with && npm cache clean --force
  > RUN --mount=type=cache,target=/root/.npm \
  >     npm ci --omit=dev
  /root/.npm layer 1, 1200000 bytes, 3 files
`},
		{"build-context", `warn 1900050: layer 1 copies *.log, .env, .git and node_modules of the build context, 1.9 MB
  fix: add these lines to .dockerignore
  > **/*.log
  > **/.dockerignore
  > **/.env
  > **/.git
  > **/node_modules
  /app/.git layer 1, 1400000 bytes, 1 files
  /app/node_modules layer 1, 500000 bytes, 1 files
  /app/debug.log layer 1, 30 bytes, 1 files
  /app/.env layer 1, 20 bytes, 1 files
`},
		{"sparse-log", `warn 2000000: layer 1 stores a file of zeros, 2.0 MB
  fix: create the user with useradd --no-log-init
  > RUN useradd --no-log-init -u 100000 app
  /var/log/lastlog layer 1, 2000000 bytes, 1 files
`},
		{"removed-later", `warn 2000000: layer 2 removes 2.0 MB that layer 1 stores
  fix: remove it in the step that stores it, not in that of layer 2, or make it in an earlier stage
  > RUN curl -o /src/a.c https://example.com/a.c \
  >     && rm -rf /src
  /src layer 1, 2000000 bytes, 2 files, hidden by 2
`},
		{"stored-again", `warn 1500000: layer 2 stores 1.5 MB of layer 1 again, with another owner
  fix: copy it with --chown=1000:1000 in the step of layer 1, and leave that out of the step of layer 2
  > COPY --chown=1000:1000 app /app
  /app layer 1, 1500000 bytes, 2 files, hidden by 2
`},
		{"overwritten", `warn 1200000: layer 2 overwrites 1.2 MB that layer 1 stores
  fix: store it once: leave it out of layer 1, or make both changes in one step
  > RUN make -C /src v1 \
  >     && make -C /src v2
  /opt/model layer 1, 1200000 bytes, 1 files, hidden by 2
`},
		{"build-tools", `warn 1301000: build tools take 1.3 MB in layer 1
  fix: build in an earlier stage and copy only what runs: name the first stage (FROM … AS build), and begin a second one with a base that has what the program needs to run
  > FROM debian:stable-slim
  > COPY --from=build /app/server /app/server
  /usr/local/go layer 1, 1301000 bytes, 3 files
`},
		{"dev-dependencies", `warn 1200079: npm packages that only development needs take 1.2 MB in layer 2: typescript and @types/node
  fix: add --omit=dev
  > RUN cd /app && npm ci --omit=dev
  /app/node_modules/typescript layer 2, 900039 bytes, 2 files
  /app/node_modules/@types/node layer 2, 300040 bytes, 2 files
`},
		{"duplicate-dependency", `warn 1200068: npm packages that are further out, too, take 1.2 MB in layer 2: lodash and @a/x
  fix: run npm dedupe where package-lock.json is, and commit the new one; or end the step with && npm dedupe
  > RUN cd /app && npm ci \
  >     && npm dedupe
  /app/node_modules/b/node_modules/lodash layer 2, 900035 bytes, 2 files
  /app/node_modules/b/node_modules/c/node_modules/@a/x layer 2, 300033 bytes, 2 files
`},
		{"docs", `info 7000: documentation and translations take 7.0 kB in layer 1
  fix: tell dpkg to leave them out, in a step before the one that installs
  > RUN printf 'path-exclude=/usr/share/%s/*\n' doc man info locale > /etc/dpkg/dpkg.cfg.d/nodoc \
  >     && echo 'path-include=/usr/share/doc/*/copyright' >> /etc/dpkg/dpkg.cfg.d/nodoc
  /usr/share/doc layer 1, 4000 bytes, 1 files
  /usr/share/man layer 1, 2000 bytes, 1 files
  /usr/share/locale layer 1, 1000 bytes, 1 files
`},
		{"leftover", `info 3000: Python's compiled files take 3.0 kB in layer 1
  fix: set this before the step that installs: programs start somewhat later
  > ENV PYTHONDONTWRITEBYTECODE=1 PIP_NO_COMPILE=1
  /usr/lib/python3/dist-packages/p/__pycache__ layer 1, 3000 bytes, 1 files
`},
		{"root-user", `warn 0: the program runs as root
  fix: add this line before the entrypoint, and give the user the folders it writes to
  > USER 10001
   layer -1, 0 bytes, 0 files
`},
		{"setuid", `warn 0: the image has 1 file with the setuid or setgid bit
  fix: remove the bits in the step that stores them
  > RUN chmod a-s /opt/tool
  /opt/tool layer 1, 0 bytes, 1 files
`},
		{"world-writable", `warn 0: every user may change 1 path in the system's folders
  fix: set the mode in the step that stores them
  > RUN chmod o-w /usr/lib/lib.so
  /usr/lib/lib.so layer 1, 0 bytes, 1 files
`},
		{"sudo", `warn 0: layer 1 installs sudo
  fix: leave sudo out of the packages, and put the steps that need root before USER
  /usr/bin/sudo layer 1, 0 bytes, 1 files
`},
		{"missing-healthcheck", `info 0: the image has no health check
  fix: add a HEALTHCHECK with a command that fails if the program doesn't work
   layer -1, 0 bytes, 0 files
`},
		{"sensitive-volume", `warn 0: /etc is declared as a volume
  fix: declare only folders with the program's data as VOLUME
   layer -1, 0 bytes, 0 files
`},
		{"too-many-layers", `info 0: the image has 61 layers
  fix: join RUN steps that belong together, and copy several files in one COPY
   layer -1, 0 bytes, 0 files
`},
		{"empty-step", `info 0: the step of layer 1 changes nothing
  fix: remove the step, or move it to the step that needs it
   layer 1, 0 bytes, 0 files
`},
		{"install-options", `info 0: layer 1 installs recommended packages, too
  fix: add --no-install-recommends
  > RUN apt-get update && apt-get install --no-install-recommends -y curl
   layer 1, 0 bytes, 0 files
`},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			a, before := find(t, imagetest.Load(t, "finding-"+tt.rule+"-before"))
			if diff := cmp.Diff(tt.want, of(before, tt.rule)); diff != "" {
				t.Errorf("before (-want +got):\n%s", diff)
			}
			b, after := find(t, imagetest.Load(t, "finding-"+tt.rule+"-after"))
			if got := of(after, tt.rule); got != "" {
				t.Errorf("after: got\n%s", got)
			}
			bytes := int64(0)
			for _, f := range before {
				if f.Rule == tt.rule {
					bytes += f.Bytes
				}
			}
			less := a.Report.Totals.StoredBytes - b.Report.Totals.StoredBytes
			if bytes > 0 && bytes != less {
				t.Errorf("the finding says %d bytes, and the fix saves %d", bytes, less)
			}
		})
	}
}

// TestEveryRuleTested checks that each rule has all its texts and images before and
// after its fix.
func TestEveryRuleTested(t *testing.T) {
	names := imagetest.Names(t)
	for _, r := range Rules() {
		if r.Means == "" || r.Why == "" || r.Fix == "" || r.Severity == "" {
			t.Errorf("%s lacks a text", r.Name)
		}
		// The images of the others hold binary files, or need a Dockerfile or a base image
		// (TestDockerfileRules, TestOwner).
		needs := []string{"outdated-base", "latest-base", "remote-add", "copy-before-install", "no-cache-mount"}
		if r.reads || slices.Contains(needs, r.Name) {
			continue
		}
		for _, name := range []string{"finding-" + r.Name + "-before", "finding-" + r.Name + "-after"} {
			if !slices.Contains(names, name) {
				t.Errorf("there is no image %s", name)
			}
		}
	}
}

// TestSums checks on every test image that no byte counts in two findings, and that
// all rules together find each content once.
func TestSums(t *testing.T) {
	for _, name := range imagetest.Names(t) {
		find(t, imagetest.Load(t, name))
	}
}

// short returns the findings of a rule as "SEVERITY BYTES TITLE", one a line, with
// "likely" if they are.
func short(all []facts.Finding, rule string) string {
	var b strings.Builder
	for _, f := range all {
		if f.Rule == rule {
			fmt.Fprintf(&b, "%s %d %s", f.Severity, f.Bytes, f.Title)
			if f.Certainty == facts.CertainLikely {
				b.WriteString(" (likely)")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// TestRules has the cases of each rule besides its images before and after.
func TestRules(t *testing.T) {
	base := "layer ADD file:1a2b in /\n  file bin/sh 755 10xs\n"
	for _, tt := range []struct{ rule, name, image, want string }{
		{"package-cache", "a hard link elsewhere keeps the content", base + "layer RUN pnpm i\n  file root/.local/share/pnpm/store/v10/a 9xa\n  link app/node_modules/a -> root/.local/share/pnpm/store/v10/a\n  file root/.local/share/pnpm/store/v10/b 5xb\n", "info 5 pnpm's store takes 5 B in layer 1\n"},
		{"package-cache", "a project's .yarn/cache", base + "layer COPY . .\n  file app/.yarn/cache/a.zip 9xa\n", ""},
		{"package-cache", "Maven's repository", base + "layer RUN mvn package\n  file root/.m2/repository/a.jar 2000000xa\n", "info 2000000 Maven's repository takes 2.0 MB in layer 1 (likely)\n"},
		{"package-cache", "NuGet's packages", base + "layer RUN dotnet restore\n  file root/.nuget/packages/a.dll 2000000xa\n", "info 2000000 NuGet's packages take 2.0 MB in layer 1 (likely)\n"},
		{"package-cache", "Poetry's environments are the program", base + "layer RUN poetry install\n  file root/.cache/pypoetry/virtualenvs/a 9xa\n  file root/.cache/pypoetry/artifacts/a 8xa\n", "info 8 Poetry's cache takes 8 B in layer 1\n"},
		{"package-cache", "a .npm that is none", base + "layer RUN x\n  file srv/.npm/a 9xa\n", ""},
		{"package-cache", "conda", base + "layer RUN conda install x\n  file opt/conda/conda-meta/x.json 1x1\n  file opt/conda/pkgs/x 9xa\n  file srv/pkgs/y 8xb\n", "info 9 conda's cache takes 9 B in layer 1\n"},
		{"package-cache", "gems", base + "layer RUN bundle install\n  file usr/local/bundle/specifications/x 1x1\n  file usr/local/bundle/gems/x 1x1\n  file usr/local/bundle/cache/x.gem 9xa\n  file srv/cache/y 8xb\n", "info 9 Bundler's cache takes 9 B in layer 1\n"},
		{"package-cache", "removed and stored later", base + "layer RUN apt-get update\n  file var/lib/apt/lists/a 2000000xa\nlayer RUN rm -rf /var/lib/apt/lists/*\n  file var/lib/apt/lists/.wh.a\nlayer RUN apt-get update\n  file var/lib/apt/lists/a 1000000xb\n", "warn 2000000 apt's cache takes 2.0 MB in layer 1\nwarn 1000000 apt's cache takes 1.0 MB in layer 3\n"},
		{"package-cache", "the limit of a warning", base + "layer RUN pip install x\n  file root/.cache/pip/a 999999xa\n", "info 999999 pip's cache takes 1000 kB in layer 1\n"},
		{"package-cache", "a path that is only like that of a cache", base + "layer RUN x\n  file srv/var/cache/apt/a 9xa\n  file var/cache/apt-x/a 9xa\n  file root/.cache/pip.txt 9xa\n", ""},

		{"build-context", "another stage", base + "layer COPY /src/node_modules /app/node_modules # buildkit\n  file app/node_modules/a 9xa\nlayer COPY --from=build . .\n  file srv/.git/a 9xa\n", ""},
		{"build-context", "a submodule", base + "layer COPY . .\n  file app/sub/.git text=\"gitdir: x\"\n", ""},
		{"build-context", "an unpacked base", "layer ADD rootfs.tar.xz /\n  file var/log/dpkg.log 9xa\n", ""},
		{"build-context", "installed by a step", base + "layer RUN npm ci\n  file app/node_modules/a 9xa\n", ""},
		{"build-context", "the classic builder and a stage", base + "layer /bin/sh -c #(nop) COPY dir:1a2b in /app \n  file app/node_modules/a 9xa\n", ""},
		{"build-context", "the classic builder and a context", base + "layer /bin/sh -c #(nop) COPY dir:1a2b in /app \n  file app/node_modules/a 9xa\n  file app/Dockerfile 1xf\n", "info 10 layer 1 copies Dockerfile and node_modules of the build context, 10 B (likely)\n"},
		{"build-context", "a file named like a folder", base + "layer COPY . .\n  file app/node_modules 9xa\n  file app/catalog 9xl\n", ""},

		{"sparse-log", "short logs", base + "layer RUN useradd a\n  file var/log/lastlog 1048575xz\n", ""},
		{"sparse-log", "a log of another program", base + "layer RUN x\n  file srv/var/log/lastlog 1048576xz\n", ""},
		{"sparse-log", "every layer counts its own", base + "layer RUN useradd -l a\n  file var/log/faillog 1048576xz\nlayer RUN x\n  file var/log/faillog 1048577xz\n", "warn 1048577 layer 2 stores a file of zeros, 1.0 MB\nwarn 1048576 layer 1 stores a file of zeros, 1.0 MB\n"},

		{"stored-again", "touch", base + "layer RUN x\n  file a 1000000xa\nlayer RUN touch a\n  file a 1000000xa mtime=5\n", "warn 1000000 layer 2 stores 1.0 MB of layer 1 again, with only another time\n"},
		{"stored-again", "copied again", base + "layer COPY a /a\n  file a 1000000xa\nlayer COPY a /a\n  file a 1000000xa\n", "warn 1000000 layer 2 stores 1.0 MB of layer 1 again, with nothing changed\n"},
		{"stored-again", "mode and owner", base + "layer COPY a /a\n  file a 600 1000000xa\nlayer RUN x\n  file a 755 1:1 1000000xa\n", "warn 1000000 layer 2 stores 1.0 MB of layer 1 again, with another owner and another mode\n"},
		{"stored-again", "attributes", base + "layer COPY a /a\n  file a 1000000xa\nlayer RUN setcap x\n  file a 1000000xa xattr:user.a=b\n", "warn 1000000 layer 2 stores 1.0 MB of layer 1 again, with other extended attributes\n"},

		{"overwritten", "the package database of the base", base + "layer x\n  file var/lib/dpkg/status 9xa\nlayer RUN apt-get install -y a\n  file var/lib/dpkg/status 8xb\n", ""},
		{"overwritten", "the package database of a step", base + "layer RUN apt-get install -y a\n  file var/lib/dpkg/status 9xa\n  file etc/a 3xa\nlayer RUN apt-get install -y b\n  file var/lib/dpkg/status 8xb\n  file etc/a 4xa\n", "info 9 layer 2 stores the package database of layer 1 again, 9 B\ninfo 3 layer 2 overwrites 3 B that layer 1 stores\n"},

		{"build-tools", "headers without a compiler", base + "layer RUN x\n  file usr/include/a.h 2000000xh\n", "info 2000000 headers and libraries to build with take 2.0 MB in layer 1\n"},
		{"build-tools", "an image for building", "entrypoint /usr/local/go/bin/go\n" + base + "layer x\n  file usr/local/go/pkg/tool/compile 2000000xc\n", "info 2000000 build tools take 2.0 MB in layer 1\n"},
		{"build-tools", "a base for building", "cmd bash\n" + base + "layer x\n  file usr/lib/gcc/x86/14/cc1 2000000xc\n", "info 2000000 build tools take 2.0 MB in layer 1\n"},
		{"build-tools", "static libraries", base + "layer x\n  file usr/lib/x86/libc.a 9xa\n  file usr/lib/x86/crt1.o 8xo\n  file srv/lib/x.a 7xa\n  file usr/lib/a 6xa\n", "info 17 headers and libraries to build with take 17 B in layer 1\n"},
		{"build-tools", "a program called go", base + "layer x\n  file usr/local/go/go 9xg\n", ""},

		{"build-tools", "a compiler by its packages", "cmd /app/run\n" + base + "layer RUN apt-get install -y gcc\n" + debs("gcc-14", "/usr/bin/gcc-14", "libc6-dev", "/usr/lib/x/crt1.o /usr/share/doc/libc6-dev/copyright", "make", "/usr/bin/make", "gcc-14-base", "/usr/share/gcc/x", "curl", "/usr/bin/curl") +
			"  file usr/bin/gcc-14 900000xg\n  file usr/bin/make 200000xm\n  file usr/bin/curl 9xc\n  file usr/lib/x/crt1.o 5xo\n  file usr/share/doc/libc6-dev/copyright 7xd\n  file usr/share/gcc/x 3xb\n", "warn 1100012 build tools take 1.1 MB in layer 1: gcc-14, make and libc6-dev\n"},
		{"build-tools", "without a compiler", base + "layer RUN apt-get install -y make\n" + debs("make", "/usr/bin/make") + "  file usr/bin/make 2000000xm\n", "info 2000000 build tools take 2.0 MB in layer 1: make\n"},
		{"build-tools", "libraries alone", base + "layer RUN apt-get install -y libssl-dev\n" + debs("libssl-dev", "/usr/include/s.h /usr/lib/s.so") + "  file usr/include/s.h 20xm\n  file usr/lib/s.so 3xl\n", "info 23 headers and libraries to build with take 23 B in layer 1: libssl-dev\n"},
		{"build-tools", "many packages", base + "layer RUN apt-get install -y gcc\n" + debs("a-dev", "/a", "b-dev", "/b", "c-dev", "/c", "d-dev", "/d", "e-dev", "/e") + "  file a 1xa\n  file b 2xb\n  file c 3xc\n  file d 4xd\n  file e 5xe\n", "info 15 headers and libraries to build with take 15 B in layer 1: e-dev, d-dev, c-dev and 2 other packages\n"},
		{"build-tools", "what debian:slim has", base + "layer x\n" + debs("gcc-14-base", "/usr/share/gcc/x", "libgcc-s1", "/usr/lib/libgcc_s.so.1") + "  file usr/share/gcc/x 20xm\n  file usr/lib/libgcc_s.so.1 3xl\n", ""},
		{"build-tools", "removed with its package", base + "layer RUN apt-get install -y gcc\n" + debs("gcc", "/usr/bin/gcc") + "  file usr/bin/gcc 2000000xg\nlayer RUN apt-get purge -y gcc\n  file var/lib/dpkg/status\n  file usr/bin/.wh.gcc\n", ""},
		{"build-tools", "an image for building, by its packages", "cmd bash\n" + base + "layer x\n" + debs("gcc", "/usr/bin/gcc") + "  file usr/bin/gcc 2000000xg\n", "info 2000000 build tools take 2.0 MB in layer 1: gcc\n"},

		{"dev-dependencies", "another package of the same name that is needed", base + "layer RUN npm ci\n" + npmList("node_modules/a dev", "node_modules/b") + "  file app/node_modules/a/x 5xa\n  file app/node_modules/b/node_modules/a/x 6xa\n", "info 5 npm packages that only development needs take 5 B in layer 1: a\n"},
		{"dev-dependencies", "below a package for development", base + "layer RUN npm ci\n" + npmList("node_modules/a dev", "node_modules/a/node_modules/b dev") + "  file app/node_modules/a/x 5xa\n  file app/node_modules/a/node_modules/b/x 6xa\n", "info 11 npm packages that only development needs take 11 B in layer 1: a\n"},
		{"dev-dependencies", "the list of another layer", base + "layer RUN npm ci\n" + npmList("node_modules/a dev") + "  file app/node_modules/a/x 5xa\nlayer RUN npm prune --omit=dev\n" + npmList("node_modules/b") + "  file app/node_modules/.wh.a\n", ""},
		{"dev-dependencies", "in two layers", base + "layer RUN npm ci\n" + npmList("node_modules/a dev") + "  file app/node_modules/a/x 5xa\nlayer RUN x\n  file app/node_modules/a/y 6xa\n", "info 6 npm packages that only development needs take 6 B in layer 2: a\ninfo 5 npm packages that only development needs take 5 B in layer 1: a\n"},
		{"dev-dependencies", "without npm's list", base + "layer RUN yarn\n  file app/package.json text=\"{\\\"devDependencies\\\":{\\\"a\\\":\\\"1\\\",\\\"b\\\":\\\"1\\\"},\\\"dependencies\\\":{\\\"b\\\":\\\"1\\\"}}\"\n  file app/node_modules/a/x 2000000xa\n  file app/node_modules/b/x 5xb\n", "info 2000000 npm packages that only development needs take 2.0 MB in layer 1: a (likely)\n"},
		{"dev-dependencies", "npm's list knows better", base + "layer RUN npm i\n  file app/package.json text=\"{\\\"devDependencies\\\":{\\\"a\\\":\\\"1\\\"}}\"\n" + npmList("node_modules/a") + "  file app/node_modules/a/x 5xa\n", ""},
		{"dev-dependencies", "npm itself", base + "layer RUN x\n  file opt/npm/package.json text=\"{\\\"devDependencies\\\":{\\\"a\\\":\\\"1\\\"},\\\"bundleDependencies\\\":[\\\"b\\\"]}\"\n  file opt/npm/node_modules/a/x 5xa\n", ""},
		{"dev-dependencies", "behind pnpm's links", base + "layer RUN pnpm i\n  file app/package.json text=\"{\\\"devDependencies\\\":{\\\"a\\\":\\\"1\\\",\\\"own\\\":\\\"1\\\"}}\"\n  symlink app/node_modules/a -> .pnpm/a@1/node_modules/a\n  symlink app/node_modules/own -> ../own\n  file app/node_modules/.pnpm/a@1/node_modules/a/x 7xa\n  file app/own/x 8xb\n", "info 7 npm packages that only development needs take 7 B in layer 1: a (likely)\n"},
		{"dev-dependencies", "the command starts one", "cmd npm start\n" + base + "layer RUN npm ci\n  file app/package.json text=\"{\\\"scripts\\\":{\\\"start\\\":\\\"npm run dev\\\",\\\"dev\\\":\\\"tsn x.ts\\\"}}\"\n" + npmList("node_modules/@s/ts-node dev") + "  symlink app/node_modules/.bin/tsn -> ../@s/ts-node/bin.js\n  file app/node_modules/@s/ts-node/bin.js 2000000xa\n", "info 2000000 npm packages that only development needs take 2.0 MB in layer 1: @s/ts-node (likely)\n"},
		{"dev-dependencies", "scripts that name themselves", "cmd npm run a\n" + base + "layer RUN npm ci\n  file app/package.json text=\"{\\\"scripts\\\":{\\\"a\\\":\\\"a b a b\\\",\\\"b\\\":\\\"b a\\\"}}\"\n" + npmList("node_modules/x dev") + "  file app/node_modules/x/x 2000000xa\n", "warn 2000000 npm packages that only development needs take 2.0 MB in layer 1: x\n"},
		{"dev-dependencies", "a list that is none", base + "layer RUN npm ci\n  file app/node_modules/.package-lock.json text=\"{\\\"packages\\\":[]}\"\n  file app/node_modules/a/x 5xa\n", ""},
		{"dev-dependencies", "paths out of the project", base + "layer RUN npm ci\n" + npmList("../node_modules/a dev", "node_modules/../../bin dev", "/node_modules/a dev", "bin dev") + "  file node_modules/a/x 5xa\n", ""},

		{"duplicate-dependency", "another version between them", npmApp("x 1 a", "b 1 b", "b/node_modules/x 2 a", "b/node_modules/c 1 c", "b/node_modules/c/node_modules/x 1 a"), ""},
		{"duplicate-dependency", "other content", npmApp("x 1 a", "b 1 b", "b/node_modules/x 1 b"), ""},
		{"duplicate-dependency", "other files", npmApp("x 1 a", "b 1 b", "b/node_modules/x 1 a") + "  file app/node_modules/x/more 1xm\n", ""},
		{"duplicate-dependency", "side by side", npmApp("a 1 a", "b 1 b", "a/node_modules/x 1 x", "b/node_modules/x 1 x"), ""},
		{"duplicate-dependency", "the same", npmApp("x 1 a", "b 1 b", "b/node_modules/x 1 a"), "info 130 npm packages that are further out, too, take 130 B in layer 0: x (likely)\n"},
		{"duplicate-dependency", "npm's list knows them", npmApp("x 1 a", "b 1 b", "b/node_modules/x 1 a") + npmList("node_modules/x"), "info 130 npm packages that are further out, too, take 130 B in layer 0: x\n"},
		{"duplicate-dependency", "bundled", npmApp("x 1 a", "b 1 b", "b/node_modules/x 1 a") + strings.Replace(npmList("node_modules/b/node_modules/x"), `dev\":false`, `inBundle\":true`, 1), ""},
		{"duplicate-dependency", "no project", strings.Replace(npmApp("x 1 a", "b 1 b", "b/node_modules/x 1 a"), "app/package.json", "app/x.json", 1), ""},
		{"duplicate-dependency", "for development alone", npmApp("x 1 a", "b 1 b", "b/node_modules/x 1 a") + npmList("node_modules/b dev", "node_modules/b/node_modules/x dev"), ""},

		{"docs", "whose documentation", base + "layer RUN apt-get install -y a b\n" + debs("a", "/usr/share/doc/a/x /bin/a", "b", "/usr/share/man/b") + "  file bin/a 90xa\n  file usr/share/doc/a/x 2xa\n  file usr/share/man/b 3xb\n  file usr/share/info/c 5xc\n", "info 10 documentation and translations take 10 B in layer 1, most of it of b and a\n"},
		{"docs", "licenses stay", base + "layer x\n  file usr/share/doc/a/copyright 9xc\n  file srv/usr/share/doc/a/b 9xc\n", ""},
		{"leftover", "a module called test", base + "layer x\n  file app/node_modules/test/index.js 9xa\n  file app/node_modules/@a/docs/index.js 9xa\n", ""},
		{"leftover", "tests of packages", base + "layer x\n  file app/node_modules/a/test/b.js 9xa\n  file app/node_modules/a/a.js.map 8xm\n  file app/test/b.js 7xb\n  file usr/lib/python3/site-packages/a/tests/b.py 6xb\n", "info 17 tests, source maps and documentation of Node.js packages take 17 B in layer 1 (likely)\ninfo 6 tests of Python packages take 6 B in layer 1 (likely)\n"},

		{"root-user", "by name", "cmd /app/run\nuser root:root\n" + base, "warn 0 the program runs as root\n"},
		{"root-user", "by number", "cmd /app/run\nuser 0:5\n" + base, "warn 0 the program runs as root\n"},
		{"root-user", "another user", "cmd /app/run\nuser app:root\n" + base, ""},
		{"root-user", "a base image", "cmd bash\n" + base, "info 0 the program runs as root\n"},
		{"root-user", "the base image of an interpreter", "entrypoint docker-entrypoint.sh\ncmd node\n" + base, "info 0 the program runs as root\n"},
		{"root-user", "a program of an interpreter", "cmd node app.js\n" + base, "warn 0 the program runs as root\n"},
		{"root-user", "no shell", "entrypoint /app\nlayer x\n  file app 755 9xa\n", "info 0 the program runs as root\n"},

		{"setuid", "of the system", base + "layer x\n  file usr/bin/su 4755 9xs\n  file usr/bin/wall 2755 9xs\n  file usr/bin/off 4644 9xs\n  dir var/mail 2775\n", "info 0 the image has 2 files with the setuid or setgid bit in the system's folders\n"},
		{"world-writable", "sticky folders, links and devices", base + "layer x\n  dir tmp/ 1777\n  symlink a -> b\n  char dev/null 666 1,3\n", ""},
		{"world-writable", "a program's own folder", base + "layer x\n  dir app/ 777\n  dir usr/share/x/ 777\n", "warn 0 every user may change 1 path in the system's folders\ninfo 0 every user may change 1 path\n"},
		{"world-writable", "changed later", base + "layer x\n  file etc/a 666 9xa\nlayer x\n  file etc/a 644 9xa\n", ""},
		{"sudo", "removed", base + "layer x\n  file usr/bin/sudo 4755 9xs\nlayer x\n  file usr/bin/.wh.sudo\n", ""},

		{"sensitive-volume", "others", "volume /etc/app /var/lib/mysql /usr/share/nginx/html /data\n" + base, ""},
		{"sensitive-volume", "several", "volume /root/ /proc /usr\n" + base, "warn 0 /proc is declared as a volume\nwarn 0 /root/ is declared as a volume\nwarn 0 /usr is declared as a volume\n"},
		{"empty-step", "WORKDIR", base + "layer WORKDIR /bin\n  dir bin/\n", ""},
		{"empty-step", "an empty file", base + "layer RUN touch /a\n  file a\n", ""},

		{"install-options", "apk and pip without a cache", base + "layer RUN apk add a && pip install b\n  file a 9xa\n", ""},
		{"install-options", "apk and pip with a cache", base + "layer RUN apk add a && pip install b\n  file var/cache/apk/x 9xa\n  file root/.cache/pip/x 9xa\n", "info 0 layer 1 keeps apk's index (likely)\ninfo 0 layer 1 keeps pip's downloads (likely)\n"},
		{"install-options", "npm", base + "layer RUN npm ci\n  dir app/node_modules/\n", "info 0 layer 1 installs what only development needs, too (likely)\n"},
		{"install-options", "npm writes only its lock", base + "layer RUN npm i --package-lock-only && npm ci --omit=dev\n  dir app/node_modules/\n", ""},
		{"install-options", "npm in a mount", base + "layer RUN npm ci\n  file app/a 9xa\n", ""},
		{"install-options", "npm in production", "env NODE_ENV=production\n" + base + "layer RUN npm ci\n  dir app/node_modules/\n", ""},
		{"install-options", "npm with prune", base + "layer RUN npm ci && npm run build && npm prune --production\n  dir app/node_modules/\n", ""},
	} {
		t.Run(tt.rule+"/"+tt.name, func(t *testing.T) {
			_, all := find(t, imagetest.Must(t, tt.image))
			if diff := cmp.Diff(tt.want, short(all, tt.rule)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// debs returns entries of dpkg's database: for each package a name and its files.
func debs(list ...string) string {
	var status, files strings.Builder
	for i := 0; i < len(list); i += 2 {
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nVersion: 1\n\n", list[i])
		fmt.Fprintf(&files, "  file var/lib/dpkg/info/%s.list text=%q\n", list[i], strings.ReplaceAll(list[i+1], " ", "\n")+"\n")
	}
	return fmt.Sprintf("  file var/lib/dpkg/status text=%q\n%s", status.String(), files.String())
}

// npmList returns the entry of npm's list of installed packages: folders, with " dev".
func npmList(list ...string) string {
	var b strings.Builder
	for i, p := range list {
		folder, dev := strings.CutSuffix(p, " dev")
		fmt.Fprintf(&b, "%s%q:{\"version\":\"1\",\"dev\":%v}", strings.Repeat(",", min(i, 1)), folder, dev)
	}
	return fmt.Sprintf("  file app/node_modules/.package-lock.json text=%q\n", `{"packages":{`+b.String()+"}}")
}

// npmApp returns a layer with an npm project: for each package its folder below
// node_modules, its version and the character of which its file has 100.
func npmApp(list ...string) string {
	var b strings.Builder
	b.WriteString("layer RUN npm ci\n  file app/package.json text=\"{\\\"scripts\\\":{\\\"a\\\":\\\"b\\\"}}\"\n")
	for _, p := range list {
		word := strings.Fields(p)
		name := word[0][strings.LastIndexByte(word[0], '/')+1:]
		fmt.Fprintf(&b, "  file app/node_modules/%s/package.json text=%q\n", word[0], fmt.Sprintf(`{"name":"%s","version":"%s.0.0"}`, name, word[1]))
		fmt.Fprintf(&b, "  file app/node_modules/%s/index.js 100x%s\n", word[0], word[2])
	}
	return b.String()
}

// TestDevFixes has the texts and lines about packages for development.
func TestDevFixes(t *testing.T) {
	for name, tt := range map[string]struct{ first, last, want string }{
		"installed":           {"RUN npm ci", "RUN x", "add --omit=dev\nRUN npm ci --omit=dev"},
		"the step builds":     {"RUN npm ci && npm run build", "RUN x", "remove them at the end of the step that builds with them\nRUN npm ci && npm run build \\\n    && npm prune --omit=dev"},
		"a later step builds": {"RUN npm ci", "RUN npm run build", "the step of layer 1 builds with them: make both an earlier stage, end it with npm prune --omit=dev, and copy the result\nRUN npm prune --omit=dev"},
		"copied":              {"COPY --from=build /app /app", "RUN x", "end the stage that it is copied from with npm prune --omit=dev\nRUN npm prune --omit=dev"},
		"by another program":  {"RUN yarn", "RUN x", "install without what only development needs: npm ci --omit=dev, yarn install --production, pnpm install --prod"},
	} {
		_, all := find(t, imagetest.Must(t, "layer "+tt.first+"\n"+npmList("node_modules/a dev")+"  file app/node_modules/a/x 5xa\nlayer "+tt.last+"\n  file b 1xb\n"))
		got := ""
		for _, f := range all {
			if f.Rule == "dev-dependencies" {
				got += strings.Join(append([]string{f.Fix.Text}, f.Fix.Lines...), "\n")
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if got := short(all, "install-options"); got != "" {
			t.Errorf("%s: found twice: %s", name, got)
		}
	}
}

// TestTools checks which packages are for building, and that the globs are good.
func TestTools(t *testing.T) {
	kinds := buildPackages()
	for kind, names := range map[string]map[tool]string{
		facts.TypeDeb: {
			compiler: "gcc gcc-14 gcc-14-x86-64-linux-gnu g++-12 cpp-14-aarch64-linux-gnu clang-19 rustc golang-1.24-go build-essential",
			builder:  "make cmake binutils binutils-x86-64-linux-gnu libbinutils dpkg-dev libcc1-0 libctf-nobfd0 libisl23",
			library:  "libc6-dev linux-libc-dev libstdc++-14-dev python3-dev libc-dev-bin libasan8",
			// What Debian's minimal system has, and libraries that other programs use.
			noTool: "gcc-14-base gcc-4.9-base libgcc-s1 libstdc++6 libc6 libc-bin libdevmapper1.02.1 python3 perl-base libgomp1 libmpfr6 libgmp10 device-tree-compiler makedev udev libclang1-19 cpp11",
		},
		facts.TypeAPK: {
			compiler: "gcc g++ clang19 rust go build-base", builder: "make binutils samurai isl26", library: "musl-dev libc-dev python3-dev linux-headers",
			noTool: "musl musl-utils busybox apk-tools libgcc libstdc++ scanelf go-bootstrap.x zlib alpine-baselayout",
		},
		facts.TypeRPM: {
			compiler: "gcc gcc-c++ cpp golang-bin", builder: "make cmake cmake-data binutils annobin-plugin-gcc", library: "glibc-devel kernel-headers glibc-headers-x86 openssl-devel",
			noTool: "libgcc libstdc++ glibc glibc-common bash kernel-core elfutils-libs",
		},
		facts.TypeNPM: {noTool: "make gcc x-dev"},
	} {
		for want, list := range names {
			for _, name := range strings.Fields(list) {
				if got := toolOf(kinds, &facts.Package{Type: kind, Name: name, RemovedBy: -1}); got != want {
					t.Errorf("%s %s: got %d, want %d", kind, name, got, want)
				}
			}
		}
		for _, globs := range kinds[kind] {
			for _, g := range globs {
				if _, err := path.Match(g, "x"); err != nil {
					t.Errorf("%s: %v", g, err)
				}
			}
		}
	}
	if toolOf(kinds, &facts.Package{Type: facts.TypeDeb, Name: "gcc", RemovedBy: 1}) != noTool {
		t.Error("a removed package counts")
	}
}

// TestCaches finds every folder of the catalogue, with the line that keeps it out.
func TestCaches(t *testing.T) {
	for path, want := range map[string]string{
		"var/lib/apt/lists/x":                     "apt's cache: --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked",
		"var/cache/apt/x":                         "apt's cache: --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked",
		"var/cache/apk/x":                         "apk's cache: --mount=type=cache,target=/var/cache/apk",
		"etc/apk/cache/x":                         "apk's cache: --mount=type=cache,target=/etc/apk/cache",
		"var/cache/dnf/x":                         "dnf's cache: --mount=type=cache,target=/var/cache/dnf",
		"var/cache/libdnf5/x":                     "dnf's cache: --mount=type=cache,target=/var/cache/libdnf5",
		"var/cache/yum/x":                         "yum's cache: --mount=type=cache,target=/var/cache/yum",
		"var/cache/zypp/x":                        "zypper's cache: --mount=type=cache,target=/var/cache/zypp",
		"var/cache/pacman/pkg/x":                  "pacman's cache: --mount=type=cache,target=/var/cache/pacman/pkg",
		"root/.cache/pip/x":                       "pip's cache: --mount=type=cache,target=/root/.cache/pip",
		"root/.cache/uv/x":                        "uv's cache: --mount=type=cache,target=/root/.cache/uv",
		"root/.cache/pypoetry/cache/x":            "Poetry's cache: --mount=type=cache,target=/root/.cache/pypoetry/cache",
		"root/.cache/pypoetry/artifacts/x":        "Poetry's cache: --mount=type=cache,target=/root/.cache/pypoetry/artifacts",
		"home/a/.npm/_cacache/x":                  "npm's cache: --mount=type=cache,target=/home/a/.npm",
		"usr/local/share/.cache/yarn/x":           "yarn's cache: --mount=type=cache,target=/usr/local/share/.cache/yarn",
		"root/.yarn/berry/cache/x":                "yarn's cache: --mount=type=cache,target=/root/.yarn/berry/cache",
		"root/.local/share/pnpm/store/x":          "pnpm's store: --mount=type=cache,target=/root/.local/share/pnpm/store",
		"app/.pnpm-store/x":                       "pnpm's store: --mount=type=cache,target=/app/.pnpm-store",
		"root/.bun/install/cache/x":               "Bun's cache: --mount=type=cache,target=/root/.bun/install/cache",
		"root/.cache/go-build/x":                  "Go's cache: --mount=type=cache,target=/root/.cache/go-build",
		"go/pkg/mod/cache/x":                      "Go's cache: --mount=type=cache,target=/go/pkg/mod",
		"root/go/pkg/sumdb/x":                     "Go's cache: --mount=type=cache,target=/root/go/pkg/sumdb",
		"root/.cargo/registry/x":                  "Cargo's cache: --mount=type=cache,target=/root/.cargo/registry",
		"root/.cargo/git/x":                       "Cargo's cache: --mount=type=cache,target=/root/.cargo/git",
		"usr/local/cargo/registry/x":              "Cargo's cache: --mount=type=cache,target=/usr/local/cargo/registry",
		"usr/local/cargo/git/x":                   "Cargo's cache: --mount=type=cache,target=/usr/local/cargo/git",
		"root/.gradle/caches/x":                   "Gradle's cache: --mount=type=cache,target=/root/.gradle/caches",
		"root/.cache/composer/x":                  "Composer's cache: --mount=type=cache,target=/root/.cache/composer",
		"root/.composer/cache/x":                  "Composer's cache: --mount=type=cache,target=/root/.composer/cache",
		"root/.bundle/cache/x":                    "Bundler's cache: --mount=type=cache,target=/root/.bundle/cache",
		"root/.m2/repository/x":                   "Maven's repository: --mount=type=cache,target=/root/.m2/repository",
		"root/.nuget/packages/x":                  "NuGet's packages: --mount=type=cache,target=/root/.nuget/packages",
		"root/.cache/other/x":                     "",
		"\"home/a b/.cache/pip/x\"":               "pip's cache: ",
		"\"home/a,target=/b/.cache/pip/x\"":       "pip's cache: ",
		"\"home/a\\n\\\\nRUN evil/.cache/pip/x\"": "pip's cache: ",
	} {
		_, all := find(t, imagetest.Must(t, "layer RUN install\n  file "+path+" 9xa\n"))
		got := ""
		for _, f := range all {
			if f.Rule != "package-cache" {
				continue
			}
			name, _, _ := strings.Cut(f.Title, " take")
			got = name + ": "
			if len(f.Fix.Lines) > 0 {
				got += strings.TrimSuffix(strings.TrimPrefix(f.Fix.Lines[0], "RUN "), ` \`)
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

// TestCacheFixes has the lines of other steps than a plain RUN of root.
func TestCacheFixes(t *testing.T) {
	for name, tt := range map[string]struct{ image, want string }{
		"the owner of the folder": {
			"layer RUN npm ci\n  dir home/node/.npm 755 1000:1001\n  file home/node/.npm/_cacache/x 9xa\n",
			"keep the cache out of the layer with a cache mount, or end the step with && npm cache clean --force\nRUN --mount=type=cache,target=/home/node/.npm,uid=1000,gid=1001 \\\n    npm ci",
		},
		"removed too late": {
			"layer RUN pip install x\n  file root/.cache/pip/x 9xa\nlayer RUN rm -rf /root/.cache\n  file root/.wh..cache\n",
			"keep the cache out of the layer with a cache mount, or end the step with && pip cache purge: layer 1 removes it too late\nRUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install x",
		},
		"overwritten": {
			"layer RUN pip install x\n  file root/.cache/pip/x 9xa\nlayer x\n  file root/.cache/pip/x 1xa\n",
			"keep the cache out of the layer with a cache mount, or end the step with && pip cache purge\nRUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install x",
		},
		"copied": {
			"layer COPY /root /root\n  file root/.cache/pip/x 9xa\n",
			"leave the cache out of what layer 0 copies: copy only what the image needs",
		},
		"an unknown step": {
			"layer\n  file root/.cache/pip/x 9xa\n",
			"keep the cache out of the layer with a cache mount, or end the step with && pip cache purge",
		},
		"no command to empty it": {
			"layer RUN gradle build\n  file root/.gradle/caches/x 9xa\n",
			"keep the cache out of the layer with a cache mount, or end the step with && rm -rf /root/.gradle/caches\nRUN --mount=type=cache,target=/root/.gradle/caches \\\n    gradle build",
		},
		"lists in one step, packages in the next": {
			"layer RUN apt-get update\n  file var/lib/apt/lists/x 9xa\nlayer RUN apt-get install -y a\n  file usr/bin/a 1xa\n",
			"keep the cache out of the layer with a cache mount, or end the step with && apt-get clean && rm -rf /var/lib/apt/lists/*; run apt-get update in the step that installs\nRUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked \\\n    apt-get update \\\n    && apt-get install -y a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, all := find(t, imagetest.Must(t, tt.image))
			for _, f := range all {
				if f.Rule == "package-cache" && f.Layers[0] == 0 {
					got := strings.Join(append([]string{f.Fix.Text}, f.Fix.Lines...), "\n")
					if diff := cmp.Diff(tt.want, got); diff != "" {
						t.Error(diff)
					}
				}
			}
		})
	}
}

func TestRunLines(t *testing.T) {
	for _, tt := range []struct {
		flags        []string
		script, want string
	}{
		{nil, "a && b", "RUN a && b"},
		{[]string{"--x", "--y"}, "a && b", "RUN --x --y \\\n    a && b"},
		{[]string{"--x"}, "a\nb\n", "RUN --x <<EOF\na\nb\nEOF"},
		{nil, "cat <<EOF\nb\nEOF\n", "RUN <<EOF_\ncat <<EOF\nb\nEOF\nEOF_"},
	} {
		if got := strings.Join(runLines(tt.flags, tt.script), "\n"); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.script, got, tt.want)
		}
	}
}

// TestAgainFixes has the texts of content that is stored again.
func TestAgainFixes(t *testing.T) {
	const two = "  file a 600 1:1 5xa\n  file b 644 2:2 5xb\n"
	for name, tt := range map[string]struct{ image, want string }{
		"mode":             {"layer COPY x /\n  file a 5xa\nlayer RUN chmod 755 a\n  file a 755 5xa\n", "copy it with --chmod=755 in the step of layer 0, and leave that out of the step of layer 1"},
		"several owners":   {"layer COPY x /\n  file a 5xa\n  file b 5xb\nlayer RUN x\n" + two, "copy it with --chown --chmod in the step of layer 0, and leave that out of the step of layer 1"},
		"made by a step":   {"layer RUN x\n  file a 5xa\nlayer RUN chmod 755 a\n  file a 755 5xa\n", "set the owner and mode in the step that stores it, not in that of layer 1"},
		"copied again":     {"layer COPY x /\n  file a 5xa\nlayer COPY x /\n  file a 5xa\n", "copy it once: layer 1 copies what layer 0 has"},
		"copied as others": {"layer COPY x /\n  file a 5xa\nlayer COPY x /\n  file a 755 5xa\n", "copy it once, with the owner and mode that layer 1 gives it"},
		"touch":            {"layer COPY x /\n  file a 5xa\nlayer RUN touch a\n  file a 5xa mtime=5\n", "leave it as layer 0 stores it, or make the change in that step"},
	} {
		t.Run(name, func(t *testing.T) {
			_, all := find(t, imagetest.Must(t, tt.image))
			for _, f := range all {
				if f.Rule == "stored-again" && f.Fix.Text != tt.want {
					t.Errorf("got %q, want %q", f.Fix.Text, tt.want)
				}
			}
			if short(all, "stored-again") == "" {
				t.Error("not found")
			}
		})
	}
}

// TestHiddenFixes has the texts of content that a later step removes or overwrites.
func TestHiddenFixes(t *testing.T) {
	for name, tt := range map[string]struct{ image, rule, want string }{
		"a copied file is removed": {"layer COPY x /\n  file a 5xa\nlayer RUN rm a\n  file .wh.a\n", "removed-later", "leave it out of what layer 0 copies, or copy it in an earlier stage: layer 1 removes it too late"},
		"packages are upgraded":    {"layer Imported from -\n  file usr/lib/a 5xa\nlayer RUN apt-get upgrade -y\n  file usr/lib/a 6xb\n", "overwritten", "begin with a newer base image: layer 1 upgrades packages of a lower layer"},
		"two steps install":        {"layer RUN apk add a\n  file lib/apk/db/installed 5xa\nlayer RUN apk add b\n  file lib/apk/db/installed 6xb\n", "overwritten", "install the packages of layers 0 and 1 in one step"},
	} {
		t.Run(name, func(t *testing.T) {
			_, all := find(t, imagetest.Must(t, tt.image))
			found := false
			for _, f := range all {
				if f.Rule == tt.rule {
					found = true
					if f.Fix.Text != tt.want {
						t.Errorf("got %q, want %q", f.Fix.Text, tt.want)
					}
				}
			}
			if !found {
				t.Error("not found")
			}
		})
	}
}

// TestClaimedOnce checks with the claims themselves that each content is in one
// finding.
func TestClaimedOnce(t *testing.T) {
	a, err := analyzer.Analyze(t.Context(), imagetest.Load(t, "finding-package-cache-before").Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	im := &image{ctx: t.Context(), a: a, tree: a.Tree, report: a.Report, claimed: make([]bool, a.Tree.Contents())}
	f := im.newFinding("", facts.Fix{})
	if !f.claim(filetree.Root, 0, 5) || f.claim(filetree.Root, 0, 5) || f.Bytes != 5 {
		t.Errorf("claimed twice: %d bytes", f.Bytes)
	}
}
