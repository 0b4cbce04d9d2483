package ui

import (
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// TestHidesSecrets has a token in a command, a variable and the Dockerfile: no screen
// shows it whole. The report itself keeps it, for the search for secrets.
func TestHidesSecrets(t *testing.T) {
	token := "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc"
	a := load(t, "shop")
	r := a.Report
	r.Layers[1].Command += " --token " + token
	r.History[2].Command = r.Layers[1].Command
	r.Image.Config.Env = []string{"TOKEN=" + token}
	r.Dockerfile = &facts.Dockerfile{Name: "Dockerfile", Text: "FROM a\nRUN make --token " + token + "\n", Certainty: facts.CertainLikely}
	s := newStage(t, a, "dark", false, 200, 60)
	for _, key := range []string{"1", "j", "2", "i", "esc", "D", "3", "enter", "H"} {
		s.press(key)
		if strings.Contains(s.text(), token[8:]) {
			t.Fatalf("after %s the screen shows the token:\n%s", key, s.text())
		}
	}
	if !strings.Contains(r.Layers[1].Command, token) || !strings.Contains(r.Image.Config.Env[0], token) {
		t.Error("the report itself was changed")
	}
}
