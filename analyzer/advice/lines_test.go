package advice

import (
	"strings"
	"testing"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// pasted returns the lines for the steps of the second and the third layer of an
// image: joined, and with the owner and mode in the first of them.
func pasted(t *testing.T, text string) (joined, copied string) {
	t.Helper()
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, text).Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	im := &image{ctx: t.Context(), a: a, tree: a.Tree, report: a.Report}
	return strings.Join(im.joined(1, im.last()), "\n"), strings.Join(im.copied(1, im.last()), "\n")
}

func TestJoinedSteps(t *testing.T) {
	for _, tt := range []struct{ name, steps, want string }{
		{"two", "layer RUN a\nlayer RUN b", "RUN a \\\n    && b"},
		{"all forms", "layer RUN |1 V=1 /bin/sh -c a 'x  y' # buildkit\nlayer /bin/sh -c b", "RUN a 'x  y' \\\n    && b"},
		{"three", "layer RUN a && b\nstep LABEL a=b\nlayer RUN c\nlayer RUN rm -rf /src", "RUN a && b \\\n    && c \\\n    && rm -rf /src"},
		{"cd stays in its step", "layer RUN cd /src && make\nlayer RUN rm -r src", "RUN (cd /src && make) \\\n    && rm -r src"},
		{"a variable stays in its step", "layer RUN V=1; make $V\nlayer RUN rm -r src", "RUN (V=1; make $V) \\\n    && rm -r src"},
		{"|| binds as tightly as &&", "layer RUN a || b\nlayer RUN c || d", "RUN (a || b) \\\n    && (c || d)"},
		{"; ends a command", "layer RUN a; b\nlayer RUN c; d;", "RUN (a; b) \\\n    && (c; d;)"},
		{"a pipe", "layer RUN a | b\nlayer RUN ! c", "RUN a | b \\\n    && ! c"},
		{"ENV between", "layer RUN a\nstep ENV A=b\nlayer RUN b", ""},
		{"USER between", "layer RUN a\nstep USER app\nlayer RUN b", ""},
		{"COPY between", "layer RUN a\nlayer COPY x /x\nlayer RUN b", ""},
		{"COPY first", "layer COPY x /x\nlayer RUN rm /x", ""},
		{"in the background", "layer RUN a &\nlayer RUN b", ""},
		{"a comment", "layer RUN a # why\nlayer RUN b", ""},
		{"no shell", `layer /bin/sh -c ["a", "b"]` + "\nlayer RUN b", ""},
		{"not a script", "layer RUN a && (\nlayer RUN b", ""},
		{"unknown", "layer a\nlayer", ""},
		{"nine steps", "layer RUN 1" + strings.Repeat("\nlayer RUN 2", 8), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := pasted(t, "layer\n"+tt.steps+"\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestCopiedSteps(t *testing.T) {
	const (
		files = "  dir app/\n  file app/a 644 10xa\n  file app/b 644 10xb\n"
		owned = "  dir app/ 755 5:6\n  file app/a 644 5:6 10xa\n  file app/b 644 5:6 10xb\n"
		hash  = "e84370af22db03d674f14cdec6ac640db4edce018f0f7259cd6f1f1a373b169a"
	)
	for _, tt := range []struct{ name, layers, want string }{
		{"owner by number", "layer\nlayer COPY app /app\n" + files + "layer RUN chown -R 5:6 /app\n" + owned, "COPY --chown=5:6 app /app"},
		{"owner by name", "layer\nlayer COPY app /app\n" + files + "layer RUN chown -R app: /app\n" + owned, "COPY --chown=5:6 app /app"},
		{"other flags", "layer\nlayer COPY --link --chown=1 out /app\n" + files + "layer RUN chown -R 5:6 /app\n" + owned, "COPY --link --chown=5:6 out /app"},
		{"a stage that BuildKit doesn't say", "layer\nlayer COPY /out /app # buildkit\n" + files + "layer RUN chown -R 5:6 /app\n" + owned, ""},
		{"what else the step does", "layer\nlayer COPY app /app\n" + files + "layer RUN x && chown -R 5:6 /app && y > z\n" + owned, "COPY --chown=5:6 app /app\nRUN x && y > z"},
		{"a relative path", "step WORKDIR /app\nlayer WORKDIR /app\n  dir app/\nlayer COPY . .\n" + files + "layer RUN chown -R 5:6 .\n" + owned, "COPY --chown=5:6 . .\nRUN chown 5:6 /app"},
		{"a folder that was there", "layer WORKDIR /app\n  dir app/\nlayer COPY . /app\n" + files + "layer RUN chown -R 5:6 /app\n" + owned, "COPY --chown=5:6 . /app\nRUN chown 5:6 /app"},
		{"a folder whose name a shell would run", "layer WORKDIR /a;b\n  dir a;b/\nlayer COPY . .\n  dir a;b/\n  file a;b/a 644 10xa\nlayer RUN chown -R 5:6 .\n  dir a;b/ 755 5:6\n  file a;b/a 644 5:6 10xa\n", "COPY --chown=5:6 . .\nRUN chown 5:6 '/a;b'"},
		{"mode of a file", "layer\nlayer COPY app/a /app/a\n  file app/a 644 10xa\nlayer RUN chmod +x /app/a\n  file app/a 755 10xa\n", "COPY --chmod=755 app/a /app/a"},
		{"mode and owner", "layer\nlayer COPY app/a /app/a\n  file app/a 644 10xa\nlayer RUN chown 5:6 /app/a && chmod 700 /app/a\n  file app/a 700 5:6 10xa\n", "COPY --chown=5:6 --chmod=700 app/a /app/a"},
		{"only some of the files", "layer\nlayer COPY app /app\n" + files + "layer RUN chown -R 5:6 /app/a\n  file app/a 644 5:6 10xa\n", ""},
		{"files of another layer", "layer\n  file app/a 644 10xa\nlayer COPY b /app\n  file app/b 644 10xb\nlayer RUN chown -R 5:6 /app\n" + owned, ""},
		{"two owners", "layer\nlayer COPY app /app\n" + files + "layer RUN chown 5:6 /app/a && chown 7:8 /app/b\n  file app/a 644 5:6 10xa\n  file app/b 644 7:8 10xb\n", ""},
		{"two modes", "layer\nlayer COPY app /app\n" + files + "layer RUN chmod -R g-r /app\n  dir app/ 715\n  file app/a 604 10xa\n  file app/b 604 10xb\n", ""},
		{"another path", "layer\nlayer COPY app /app\n" + files + "layer RUN chown -R 5:6 /app /srv\n" + owned, ""},
		{"another working directory", "step WORKDIR /app\nlayer\nlayer COPY app /app\n" + files + "layer RUN cd /srv && chown -R 5:6 .\n" + owned, ""},
		{"a pattern", "layer\nlayer COPY app /app\n" + files + "layer RUN chown -R 5:6 /a*\n" + owned, ""},
		{"one of two commands", "layer\nlayer COPY app /app\n" + files + "layer RUN chown -R 5:6 /app || true\n" + owned, ""},
		{"names that the builder doesn't say", "layer\nlayer /bin/sh -c #(nop) COPY dir:" + hash + " in /app\n" + files + "layer RUN chown -R 5:6 /app\n" + owned, ""},
		{"not copied", "layer\nlayer RUN make install\n" + files + "layer RUN chown -R 5:6 /app\n" + owned, ""},
		{"copied again", "layer\nlayer COPY app /app\n" + files + "layer COPY --chown=5:6 app /app\n" + owned, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, got := pasted(t, tt.layers); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestMountedSteps(t *testing.T) {
	const mount = "type=secret,id=key,target=/root/.ssh/key"
	for _, tt := range []struct{ name, run, want string }{
		{"used and removed", "git clone x && rm /root/.ssh/key", "git clone x"},
		{"removed with its folder", "git clone x && rm -rf /root/.ssh", "git clone x"},
		{"removed with other files", "git clone x && rm -rf /root/.ssh/key /tmp/x", ""},
		{"removed in the middle", "a && rm -f key && b", "a && b"},
		{"not removed", "git clone x", "git clone x"},
		{"only removed", "rm /root/.ssh/key", ""},
		{"removed with what was there", "a && rm -rf /root", ""},
		{"removed if something fails", "a || rm /root/.ssh/key", ""},
		{"removed somewhere", "cd /x && rm key", ""},
		{"not a script", "a && (", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, "layer\n  dir root/\nstep WORKDIR /root/.ssh\nlayer COPY key /root/.ssh/\n  dir root/.ssh/\n  file root/.ssh/key 3xk\nlayer RUN "+tt.run+"\n  file root/.ssh/.wh.key\n").Image(), analyzer.Options{})
			if err != nil {
				t.Fatal(err)
			}
			im := &image{ctx: t.Context(), a: a, tree: a.Tree, report: a.Report}
			if tt.want != "" {
				tt.want = "RUN --mount=" + mount + " " + tt.want
			}
			if got := strings.Join(im.mounting(1, 2, mount, "/root/.ssh/key"), "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// Pairs of layers are many: what is done for each of them has a limit.
func TestLineLimits(t *testing.T) {
	script := "a" + strings.Repeat(" && a", maxLine/8)
	if got, _ := pasted(t, "layer\nlayer RUN "+script+"\nlayer RUN "+script+"\n"); got != "" {
		t.Errorf("scripts that are too long are joined: %d bytes", len(got))
	}
	between := strings.Repeat("step LABEL a=b\n", maxBetween)
	if got, _ := pasted(t, "layer\nlayer RUN a\n"+between+"layer RUN b\n"); got != "" {
		t.Errorf("steps that are far from each other are joined: %s", got)
	}
	if got, _ := pasted(t, "layer\nlayer RUN a\n"+between[:len(between)/2]+"layer RUN b\n"); got != "RUN a \\\n    && b" {
		t.Errorf("got %s", got)
	}
	a, err := analyzer.Analyze(t.Context(), imagetest.Must(t, "layer COPY a /a\n  file a 644 3xa\nlayer RUN chown 5:6 /a\n  file a 644 5:6 3xa\n").Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	im := &image{ctx: t.Context(), a: a, tree: a.Tree, report: a.Report}
	if got := im.copied(0, 1); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	im.visits = maxVisits
	if got := im.copied(0, 1); got != nil {
		t.Errorf("after too many visits: %q", got)
	}
}
