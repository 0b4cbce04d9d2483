package analyzer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotes(t *testing.T) {
	var p Progress
	for _, s := range []string{"from docker's storage", "from docker's storage", "2 layers are known", "from docker's storage"} {
		p.Note(s)
	}
	notes := p.Notes()
	notes[0] = "changed" // changes only the caller's copy
	if diff := cmp.Diff([]string{"from docker's storage", "2 layers are known", "from docker's storage"}, p.Notes()); diff != "" {
		t.Error(diff)
	}
	var none *Progress
	none.Note("ignored")
	if got := none.Notes(); got != nil {
		t.Errorf("got %q", got)
	}
}
