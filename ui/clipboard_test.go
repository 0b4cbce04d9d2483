//go:build unix

package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestLoadBuffer gives text to tmux: with -w if tmux supports that, without it to an
// older tmux, and not at all if tmux fails or does not exist.
func TestLoadBuffer(t *testing.T) {
	for name, c := range map[string]struct {
		script, want string
		fails        bool
	}{
		"3.3":    {script: `cat >"$OUT"; echo " $*" >>"$OUT"`, want: "the text load-buffer -w -\n"},
		"3.1":    {script: `[ "$2" != -w ] || exit 1; cat >"$OUT"; echo " $*" >>"$OUT"`, want: "the text load-buffer -\n"},
		"gone":   {script: `exit 1`, fails: true},
		"absent": {fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			t.Setenv("OUT", out)
			t.Setenv("PATH", dir)
			if c.script != "" {
				script := fmt.Sprintf("#!/bin/sh\nPATH=/bin:/usr/bin\n%s\n", c.script)
				if err := os.WriteFile(filepath.Join(dir, "tmux"), []byte(script), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := loadBuffer(t.Context(), "the text"); (err != nil) != c.fails {
				t.Errorf("got error %v", err)
			}
			if got, _ := os.ReadFile(out); string(got) != c.want {
				t.Errorf("tmux got %q, want %q", got, c.want)
			}
		})
	}
}
