//go:build unix

package engine

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestConfigurationStalls makes docker's configuration a named pipe without a
// writer.
func TestConfigurationStalls(t *testing.T) {
	dir, opt := place(t, nil)
	if err := os.MkdirAll(dir+"/home/.docker", 0o700); err != nil {
		t.Fatal(err)
	}
	pipe := dir + "/home/.docker/config.json"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	opt.Idle = 50 * time.Millisecond
	_, err := Connect(t.Context(), Docker, opt)
	oneLine(t, err)
	if !strings.Contains(err.Error(), "reading its configuration: nothing was received for 50ms") || !errors.Is(err, ErrSilent) {
		t.Errorf("got %v", err)
	}
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // ends the read, which is still running
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}
