package advice

import "testing"

func TestOfStep(t *testing.T) {
	const (
		chown        = "chown and chmod store every file that they change again: set owner and mode where it is stored (COPY --chown --chmod, or in the same RUN)"
		apt          = "apt-get install --no-install-recommends leaves out what is only recommended"
		apk          = "apk add --no-cache leaves no index behind"
		pip          = "pip install --no-cache-dir leaves no downloads behind"
		npm          = "npm ci --omit=dev leaves out what only development needs"
		dockerignore = ".dockerignore keeps away what the image does not need"
		stage        = "build in an earlier stage and copy only the result"
	)
	for command, want := range map[string]string{
		"RUN chown -R app /app":                            chown,
		"RUN chmod -R 755 /app":                            chown,
		"RUN chgrp --recursive 0 /app":                     chown,
		"RUN chown -hR app /app":                           chown,
		"RUN chown app /app":                               "",
		"RUN echo 'chown -R app /app'":                     "",
		"RUN apt-get update && apt-get install -y curl":    apt,
		"/bin/sh -c apt -y install curl":                   apt,
		"RUN apt-get install -y --no-install-recommends x": "",
		"RUN apt-get -o APT::Install-Recommends=0 install": "",
		"RUN apt-get update":                               "",
		"RUN apk add curl":                                 apk,
		"RUN apk add --no-cache curl":                      "",
		"RUN pip install flask":                            pip,
		"RUN python3 -m pip install flask":                 pip,
		"RUN pip install --no-cache-dir flask":             "",
		"RUN pipx install flask":                           "",
		"RUN npm ci":                                       npm,
		"RUN npm install":                                  npm,
		"RUN npm i --loglevel=error":                       npm,
		"RUN npm ci --omit=dev":                            "",
		"RUN npm install --production":                     "",
		"RUN npm install -g corepack":                      "",
		"RUN npm install left-pad":                         "",
		"RUN pnpm ci":                                      "",
		"RUN true # npm ci":                                "",
		`RUN echo "npm ci"`:                                "",
		"COPY . /app # buildkit":                           dockerignore,
		"COPY --chown=app ./ /app # buildkit":              dockerignore,
		"/bin/sh -c #(nop) ADD dir:1a2b in /app ":          dockerignore,
		"COPY --from=build . /app":                         "",
		"COPY ./src /app":                                  "",
		"/bin/sh -c #(nop) COPY file:1a2b in /app ":        "",
		"RUN go build ./...":                               stage,
		"RUN cargo build --release":                        stage,
		"RUN cd /src && make":                              stage,
		"RUN ./mvnw package":                               stage,
		"RUN gradle build":                                 stage,
		"RUN npm run build":                                stage,
		"RUN go version":                                   "",
		"RUN cmake ..":                                     "",
		"RUN automake && echo make":                        "",
		"RUN npm run start":                                "",
		"":                                                 "",
	} {
		if got := OfStep(command); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}

func TestOfWaste(t *testing.T) {
	const (
		removed     = "remove it in the step that stores it, or make it in an earlier stage and copy only what is needed"
		overwritten = "store it once: join the two steps, or leave it out of the first"
		again       = "the same content is stored again: set owner, mode and times where it is stored (COPY --chown --chmod)"
	)
	for _, tt := range []struct{ path, cause, hiddenAs, want string }{
		{"/srv/x", "removed", "RUN chown -R app /", removed},
		{"/srv/x", "overwritten", "", overwritten},
		{"/srv/x", "metadata", "RUN chown app /srv && chmod 755 /srv", "give it its owner and mode where it is stored: COPY --chown --chmod, or in the same RUN"},
		{"/srv/x", "metadata", "RUN chown app /srv", "give it its owner where it is stored: COPY --chown, or chown in the same RUN"},
		{"/srv/x", "metadata", "RUN find /srv -exec chmod 755 {} +", "give it its mode where it is stored: COPY --chmod, or chmod in the same RUN"},
		{"/srv/x", "metadata", "RUN echo chmod", again},
		{"/srv/x", "metadata", "RUN touch /srv/x", again},
		{"/srv/x", "metadata", "COPY . /srv # buildkit", "the same content is copied again: copy it once, with COPY --chown and --chmod where they are needed"},
		{"/srv/x", "metadata", "/bin/sh -c #(nop) ADD dir:1a2b in /srv ", "the same content is copied again: copy it once, with COPY --chown and --chmod where they are needed"},
		{"/srv/x", "repeated", "", "the layer's archive holds it more than once: the tool that wrote the layer adds it twice"},
		{"/srv/x", "", "", ""},

		{"/var/lib/apt/lists/x", "removed", "", "remove apt's lists in the step that fetches them: apt-get update && apt-get install ... && rm -rf /var/lib/apt/lists/*"},
		{"/var/cache/apt/x", "removed", "", "empty apt's cache in the step that fills it (apt-get clean), or keep it out with RUN --mount=type=cache,target=/var/cache/apt"},
		{"/var/lib/dpkg/status", "overwritten", "", "every step that installs packages stores dpkg's database anew: install them in one step"},
		{"/var/cache/debconf/x", "overwritten", "", "every step that installs packages stores debconf's database anew: install them in one step"},
		{"/var/lib/rpm/x", "overwritten", "", "every step that installs packages stores rpm's database anew: install them in one step"},
		{"/lib/apk/db/x", "overwritten", "", "every step that adds packages stores apk's database anew: add them in one step"},
		{"/var/cache/apk/x", "removed", "", "let apk keep no cache: apk add --no-cache"},
		{"/var/cache/dnf/x", "removed", "", "empty dnf's cache in the step that fills it: dnf clean all"},
		{"/var/cache/yum/x", "removed", "", "empty yum's cache in the step that fills it: yum clean all"},
		{"/root/.npm/", "removed", "", "empty npm's cache in the step that fills it (npm cache clean --force), or keep it out with RUN --mount=type=cache,target=/root/.npm"},
		{"/root/.cache/pip/x", "removed", "", "let pip keep no cache (pip install --no-cache-dir), or keep it out with RUN --mount=type=cache,target=/root/.cache/pip"},
		{"/root/.cache/yarn/x", "removed", "", "empty yarn's cache in the step that fills it (yarn cache clean), or keep it out with RUN --mount=type=cache"},
		{"/root/.cache/go-build/x", "removed", "", "build in an earlier stage, or keep Go's cache out with RUN --mount=type=cache,target=/root/.cache/go-build"},
		{"/go/pkg/mod/x", "removed", "", "build in an earlier stage, or keep the modules out with RUN --mount=type=cache,target=/go/pkg/mod"},
		{"/root/.cargo/registry/x", "removed", "", "build in an earlier stage, or keep the registry out with RUN --mount=type=cache"},
		{"/root/.m2/x", "removed", "", "build in an earlier stage, or keep Maven's repository out with RUN --mount=type=cache,target=/root/.m2"},
		{"/root/.gradle/x", "removed", "", "build in an earlier stage, or keep Gradle's cache out with RUN --mount=type=cache"},
		{"/app/node_modules/x", "removed", "", "leave out what only development needs in the step that installs (npm ci --omit=dev), or build in an earlier stage and copy the result"},
		{"/app/.git/x", "removed", "", "keep .git away from the build with .dockerignore"},

		{"/app/node_modules/x/.git/y", "removed", "", "leave out what only development needs in the step that installs (npm ci --omit=dev), or build in an earlier stage and copy the result"},
		{"/var/cache/apt/x", "metadata", "", again},
		{"/srv/var/cache/apt/x", "removed", "", removed},
		{"/var/cache/apt", "removed", "", removed},
	} {
		if got := OfWaste(tt.path, tt.cause, tt.hiddenAs); got != tt.want {
			t.Errorf("%s %s by %q: got %q, want %q", tt.path, tt.cause, tt.hiddenAs, got, tt.want)
		}
	}
}
