package inspect

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

// TestHideSecrets checks that no text of a report about commands or the configuration
// keeps a secret, and that hiding it again changes nothing.
func TestHideSecrets(t *testing.T) {
	value := "squeamish" + strings.Repeat("7ossifrage", 3)
	step := "RUN APP_PASSWORD=" + value + " make"
	r := &facts.Report{
		Layers:  []facts.Layer{{Command: step}, {Command: "COPY . /"}},
		History: []facts.Step{{Command: step, Comment: step}},
		Image: facts.Image{Config: facts.Config{
			Env: []string{"PATH=/bin", "APP_PASSWORD=" + value}, Entrypoint: []string{"sh", "-c", step}, Cmd: []string{"https://me:" + value + "@shop.example/", "--password", value, "--verbose", "x"},
			Labels: map[string]string{"app_password": value, "team": "shop", "": ""},
		}},
		Findings: []facts.Finding{{Title: step, Fix: facts.Fix{Text: step, Lines: []string{step}}}},
	}
	HideSecrets(r)
	hidden := "RUN APP_PASSWORD=sque… (39 characters) make"
	want := &facts.Report{
		Layers:  []facts.Layer{{Command: hidden}, {Command: "COPY . /"}},
		History: []facts.Step{{Command: hidden, Comment: hidden}},
		Image: facts.Image{Config: facts.Config{
			Env: []string{"PATH=/bin", "APP_PASSWORD=sque… (39 characters)"}, Entrypoint: []string{"sh", "-c", hidden}, Cmd: []string{"https://me:sque… (39 characters)@shop.example/", "--password", "sque… (39 characters)", "--verbose", "x"},
			Labels: map[string]string{"app_password": "sque… (39 characters)", "team": "shop", "": ""},
		}},
		Findings: []facts.Finding{{Title: hidden, Fix: facts.Fix{Text: hidden, Lines: []string{hidden}}}},
	}
	for range 2 {
		if diff := cmp.Diff(want, r); diff != "" {
			t.Error(diff)
		}
		HideSecrets(r)
	}
	if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "ossifrage") {
		t.Errorf("%s, %v", text, err)
	}
}

// TestHideSecretOfSeveralLines checks that a key in a heredoc is hidden as a whole, and
// that the lines keep their numbers.
func TestHideSecretOfSeveralLines(t *testing.T) {
	seed := sha256.Sum256([]byte("fathom"))
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	body := strings.Split(key, "\n")[1]
	text := "FROM debian:12\nRUN <<EOF\ncat > /key <<KEY\n" + key + "KEY\nEOF\nUSER app\n"
	r := &facts.Report{
		Dockerfile: &facts.Dockerfile{Text: text},
		Findings:   []facts.Finding{{Fix: facts.Fix{Lines: strings.Split(text, "\n")}}},
	}
	shown := Hidden(r)
	for name, got := range map[string]string{"Dockerfile": shown.Dockerfile.Text, "fix": strings.Join(shown.Findings[0].Fix.Lines, "\n")} {
		lines := strings.Split(got, "\n")
		if strings.Contains(got, body) || len(lines) != 10 || lines[8] != "USER app" {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	if r.Dockerfile.Text != text || r.Findings[0].Fix.Lines[4] != body {
		t.Error("the report itself has changed")
	}
}

// TestHideSettings checks that what is found in a setting is hidden in it, whatever
// characters it has.
func TestHideSettings(t *testing.T) {
	const value = "a1;squeamish&7ossifrage'42"
	r := &facts.Report{Image: facts.Image{Config: facts.Config{Env: []string{"DB_PASSWORD=" + value, "EMPTY"}, Labels: map[string]string{"token": value}}}}
	HideSecrets(r)
	want := facts.Config{Env: []string{"DB_PASSWORD=a1;s… (26 characters)", "EMPTY"}, Labels: map[string]string{"token": "a1;s… (26 characters)"}}
	if diff := cmp.Diff(want, r.Image.Config); diff != "" {
		t.Error(diff)
	}
}

// TestHideComparison checks that nothing of a comparison keeps a secret.
func TestHideComparison(t *testing.T) {
	value := "squeamish" + strings.Repeat("7ossifrage", 3)
	step, url := "RUN APP_PASSWORD="+value+" make", "[\"https://me:"+value+"@shop.example/\"]"
	secret := func() *string { s := value; return &s }
	config := func() facts.Config {
		return facts.Config{Env: []string{"APP_PASSWORD=" + value}, Cmd: []string{"sh", step}, Labels: map[string]string{"app_password": value}}
	}
	find := func() []facts.Finding {
		return []facts.Finding{{Title: step, Fix: facts.Fix{Text: step, Lines: []string{step}}}}
	}
	c := &facts.Comparison{
		Old: facts.Image{Config: config()}, New: facts.Image{Config: config()},
		Config: []facts.ConfigChange{
			{Key: "env APP_PASSWORD", Old: secret(), New: nil}, {Key: "env X", New: nil}, {Key: "label app_password", New: secret()}, {Key: "cmd", Old: nil, New: &url},
		},
		Findings: facts.FindingsChange{New: find(), Fixed: find()},
	}
	HideComparison(c)
	if text, err := json.Marshal(c); err != nil || strings.Contains(string(text), "ossifrage") || strings.Count(string(text), "sque… (39 characters)") != 15 {
		t.Errorf("%s, %v", text, err)
	}
}
