package inspect

import (
	"encoding/json"
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
			Env: []string{"PATH=/bin", "APP_PASSWORD=" + value}, Entrypoint: []string{"sh", "-c", step}, Cmd: []string{"https://me:" + value + "@shop.example/"},
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
			Env: []string{"PATH=/bin", "APP_PASSWORD=sque… (39 characters)"}, Entrypoint: []string{"sh", "-c", hidden}, Cmd: []string{"https://me:sque… (39 characters)@shop.example/"},
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
