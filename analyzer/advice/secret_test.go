package advice

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fathom/analyzer"
	"fathom/analyzer/facts"
	"fathom/analyzer/imagetest"
)

// token returns a token that passes for a real one. It is put together here, so that
// no scanner finds it in this file.
func token(seed uint64) string {
	r := rand.New(rand.NewPCG(seed, seed))
	return fmt.Sprintf("dop"+"_v1_%016x%016x%016x%016x", r.Uint64()|1<<63, r.Uint64()|1<<63, r.Uint64()|1<<63, r.Uint64()|1<<63)
}

func file(name, text string) imagetest.Entry {
	return imagetest.Entry{Kind: "file", Name: name, Mode: 0o644, Data: []byte(text)}
}

func whiteout(name string) imagetest.Entry { return file(name, "") }

// image returns an image whose layers were made by these commands.
func imageOf(commands []string, layers ...[]imagetest.Entry) *imagetest.Image {
	c := &imagetest.Image{Name: "secrets", Platform: v1.Platform{OS: "linux", Architecture: "amd64"}, Layers: layers}
	for i := range layers {
		c.History = append(c.History, v1.History{CreatedBy: commands[i]})
	}
	return c
}

// secretsIn returns the findings of the rule, as text that is the same for all forms
// of the layers.
func secretsIn(t *testing.T, c *imagetest.Image) string {
	t.Helper()
	out := ""
	for i, cs := range [][]imagetest.Compression{nil, {imagetest.Gzip}} {
		for _, ahead := range []bool{true, false} {
			opt := analyzer.Options{}
			if ahead {
				opt.Look = Lookers(Options{})
			}
			a, err := analyzer.Analyze(t.Context(), c.Image(cs...), opt)
			if err != nil {
				t.Fatal(err)
			}
			all, bytes, err := Find(t.Context(), a, Options{})
			if err != nil {
				t.Fatal(err)
			}
			text := ""
			for _, f := range all {
				if f.Rule != Secret {
					bytes -= f.Bytes
					continue
				}
				text += fmt.Sprintf("%s %s: %s\n  %s\n", f.Severity, f.Certainty, f.Title, f.Fix.Text)
				for _, l := range f.Fix.Lines {
					text += "  > " + l + "\n"
				}
				for _, p := range f.Places {
					text += fmt.Sprintf("  %q layer %d, hidden by %d: %s\n", p.Path, p.Layer, p.HiddenBy, p.Redacted)
				}
				if f.MorePlaces > 0 {
					text += fmt.Sprintf("  and %d\n", f.MorePlaces)
				}
			}
			if bytes != 0 {
				t.Errorf("secrets save %d bytes, want 0", bytes)
			}
			if i == 0 && ahead {
				out = text
			} else if d := cmp.Diff(out, text); d != "" {
				t.Errorf("form %d, ahead %v: the findings differ (-first +this):\n%s", i, ahead, d)
			}
		}
	}
	return out
}

func TestSecrets(t *testing.T) {
	a, b := token(1), token(2)
	got := secretsIn(t, imageOf(
		[]string{"COPY . /app # buildkit", "RUN /bin/sh -c make # buildkit", "RUN rm -rf /root/.key /app/.env", "RUN cp /app/settings /app/x"},
		[]imagetest.Entry{file("app/.env", "A="+a+"\nB="+b+"\n"), file("app/settings", "x = "+a)},
		[]imagetest.Entry{file("root/.key", b), file("app/README.md", a), file("app/a b", "k="+token(3))},
		[]imagetest.Entry{whiteout("root/.wh..key"), whiteout("app/.wh..env")},
		[]imagetest.Entry{file("app/settings", "nothing to see here")},
	))
	want := `error likely: DigitalOcean token in /app/.env (layer 0), deleted in layer 2 and still in every copy of the image
  revoke it, keep the file out of the build context with this line in .dockerignore, and if a step needs it: RUN --mount=type=secret,id=env,target=/app/.env
  > **/.env
  "/app/.env" layer 0, hidden by 2: dop_… (71 characters)
error likely: DigitalOcean token in /app/.env and another place (layer 0), overwritten in layer 3 and still in every copy of the image
  revoke it, keep the files out of the build context with these lines in .dockerignore, and if a step needs one: RUN --mount=type=secret,id=env,target=/app/.env
  > **/.env
  > **/settings
  "/app/.env" layer 0, hidden by 2: dop_… (71 characters)
  "/app/settings" layer 0, hidden by 3: dop_… (71 characters)
error likely: DigitalOcean token in /app/a b (layer 1)
  revoke it, and mount it in the step that needs it, which then does not store it
  > RUN --mount=type=secret,id=secret \
  "/app/a b" layer 1, hidden by -1: dop_… (71 characters)
error likely: DigitalOcean token in /root/.key (layer 1), deleted in layer 2 and still in every copy of the image
  revoke it, and mount it in the step that needs it, which then does not store it
  > RUN --mount=type=secret,id=key,target=/root/.key \
  "/root/.key" layer 1, hidden by 2: dop_… (71 characters)
info likely: a key or token in tests, documentation or an installed package (layer 1)
  nothing, if they are published with the software; a smaller set of packages without tests and documentation does not ship them
  "/app/README.md" layer 1, hidden by -1: dop_… (71 characters)
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if strings.Contains(got, a) || strings.Contains(got, b) {
		t.Error("a finding contains the secret")
	}
}

func TestSecretsInConfig(t *testing.T) {
	a, b := token(1), token(2)
	c := imageOf([]string{
		"|1 NPM_TOKEN=" + b + " /bin/sh -c npm ci",
		"RUN |1 NPM_TOKEN=" + b + " /bin/sh -c npm run build # buildkit",
	}, []imagetest.Entry{file("a", "a")}, []imagetest.Entry{file("b", "b")})
	c.Config.Env = []string{"PATH=/bin", "API_TOKEN=" + a, "DB_PASSWORD=k3" + "bPq8xZw2mV"}
	c.Config.Labels = map[string]string{"build.token": a}
	c.History = append(c.History, v1.History{CreatedBy: "ENV API_TOKEN=" + a, EmptyLayer: true})
	want := `error likely: DigitalOcean token in the build argument NPM_TOKEN
  revoke it; a step that needs it mounts it and reads /run/secrets/npm_token, and a container gets it when it starts
  > RUN --mount=type=secret,id=npm_token \
  "" layer 0, hidden by -1: dop_… (71 characters)
  "" layer 1, hidden by -1: dop_… (71 characters)
error likely: DigitalOcean token in the environment variable API_TOKEN
  revoke it; a step that needs it mounts it and reads /run/secrets/api_token, and a container gets it when it starts
  > RUN --mount=type=secret,id=api_token \
  "" layer -1, hidden by -1: dop_… (71 characters)
info likely: value that looks like a secret in the environment variable DB_PASSWORD
  revoke it; a step that needs it mounts it and reads /run/secrets/db_password, and a container gets it when it starts
  > RUN --mount=type=secret,id=db_password \
  "" layer -1, hidden by -1: k3b… (12 characters)
`
	if d := cmp.Diff(want, secretsIn(t, c)); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
}

// TestManySecrets tests that the findings of a layer with very many secrets stay
// few, and that they say how many there are.
func TestManySecrets(t *testing.T) {
	var one []imagetest.Entry
	for i := range 300 {
		one = append(one, file(fmt.Sprintf("key%03d", i), "k="+token(uint64(i))))
	}
	var text bytes.Buffer
	for i := range 250 {
		fmt.Fprintln(&text, token(uint64(1000+i)))
	}
	got := secretsIn(t, imageOf([]string{"COPY . /", "COPY . /"}, one, []imagetest.Entry{file("keys", text.String())}))
	if n := strings.Count(got, "DigitalOcean token in /key"); n != 2*maxSecrets {
		t.Errorf("got %d findings of one secret, want %d", n, 2*maxSecrets)
	}
	for _, want := range []string{"200 more secrets in layer 0\n", "  and 100\n", "150 more secrets in layer 1\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in the findings", want)
		}
	}
}

func TestNoSecrets(t *testing.T) {
	for _, opt := range []Options{{NoSecrets: true}, {Quick: true}} {
		if slices.ContainsFunc(opt.rules(), func(r Rule) bool { return r.Name == Secret }) {
			t.Errorf("%+v has the rule", opt)
		}
	}
	c := imageOf([]string{"COPY . /"}, []imagetest.Entry{file("a", token(1))})
	a, err := analyzer.Analyze(t.Context(), c.Image(), analyzer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := Find(t.Context(), a, Options{NoSecrets: true})
	if err != nil || slices.ContainsFunc(all, func(f facts.Finding) bool { return f.Rule == Secret }) {
		t.Errorf("got %+v, %v, want no secret", all, err)
	}
}

func TestArgument(t *testing.T) {
	for command, want := range map[string]string{
		"|1 A=@ /bin/sh -c x": "A", "RUN |2 A=b B=@ /bin/sh -c x": "B", "|1 A=b /bin/sh -c X=@": "", "RUN X=@ make": "", "|x A=@": "", "|@": "", "@": "",
	} {
		if got := argument(command, strings.Index(command, "@")); got != want {
			t.Errorf("%s: got %q, want %q", command, got, want)
		}
	}
}

func TestMountID(t *testing.T) {
	for name, want := range map[string]string{
		"/root/.ssh/id_rsa": "id_rsa", "/app/.env": "env", "/app/.env.local": "env_local", "API_TOKEN": "api_token",
		"/a/...": "secret", "/": "secret", "": "secret", "/a/__": "secret", "/a/x,target=y": "secret", "/a/\n": "secret",
	} {
		if got := mountID(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestSecretFileFix(t *testing.T) {
	const mount = "RUN --mount=type=secret,id=key,target=/root/.ssh/key "
	for _, tt := range []struct{ name, copy, run, between, want string }{
		{"mounted where it is used", "COPY key /root/.ssh/ # buildkit", "RUN git clone x && rm /root/.ssh/key", "", mount + "git clone x"},
		{"by the classic builder", "/bin/sh -c #(nop) COPY file:" + strings.Repeat("0f", 32) + " in /root/.ssh/key ", "/bin/sh -c git clone x && rm /root/.ssh/key", "", mount + "git clone x"},
		{"used in several steps", "COPY key /root/.ssh/", "RUN git clone x && rm /root/.ssh/key", "RUN git clone y", mount + `\`},
		{"copied with a folder", "COPY ssh /root/.ssh", "RUN git clone x && rm /root/.ssh/key", "", "**/key"},
		{"made by a step", "RUN ssh-keygen", "RUN rm /root/.ssh/key", "", mount + `\`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			steps, layers := []string{tt.copy}, [][]imagetest.Entry{{file("root/.ssh/key", token(1))}}
			if tt.between != "" {
				steps, layers = append(steps, tt.between), append(layers, nil)
			}
			got := secretsIn(t, imageOf(append(steps, tt.run), append(layers, []imagetest.Entry{whiteout("root/.ssh/.wh.key")})...))
			_, line, _ := strings.Cut(got, "\n  > ")
			if line, _, _ = strings.Cut(line, "\n"); line != tt.want {
				t.Errorf("got %s, want %s in\n%s", line, tt.want, got)
			}
		})
	}
}

// TestSecretInStep tests that the fix of a secret does not repeat the step if that
// holds another one.
func TestSecretInStep(t *testing.T) {
	other := token(9)
	for _, run := range []string{"RUN fetch --key /root/key a && rm /root/key", "RUN fetch --key /root/key --token " + other + " && rm /root/key"} {
		got := secretsIn(t, imageOf([]string{"COPY key /root/", run}, []imagetest.Entry{file("root/key", token(1))}, []imagetest.Entry{whiteout("root/.wh.key")}))
		if strings.Contains(got, other) || strings.Contains(got, "target=/root/key fetch") == strings.Contains(run, other) {
			t.Errorf("%s:\n%s", run, got)
		}
	}
	ssh := secretsIn(t, imageOf([]string{"RUN apt-get install -y openssh-server"}, []imagetest.Entry{file("etc/ssh/ssh_host_rsa_key", token(1))}))
	if !strings.Contains(ssh, "  >     && rm /etc/ssh/ssh_host_*_key*\n") {
		t.Errorf("a host key:\n%s", ssh)
	}
}
