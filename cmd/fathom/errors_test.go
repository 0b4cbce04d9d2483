package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"fathom/analyzer/load"
	"fathom/ui"
)

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"reading a\x1b[2J":               `reading a\x1b[2J`,
		"a name\nfathom: hint: trust me": `a name\nfathom: hint: trust me`,
		strings.Repeat("世", 5000):        strings.Repeat("世", 1999) + "…",
	} {
		if got := line(in); got != want {
			t.Errorf("line(%.40q) = %.80q, want %.80q", in, got, want)
		}
	}
}

func TestExit(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("opening x: %w", err) }
	for name, tt := range map[string]struct {
		err  error
		code int
		want string
	}{
		"none":        {nil, 0, ""},
		"rule":        {errRule, 1, ""},
		"closed pipe": {&outputError{syscall.EPIPE}, 2, ""},
		"full disk":   {&outputError{syscall.ENOSPC}, 2, "fathom: error: writing standard output: no space left on device\n"},
		"interrupted": {wrap(signalError{syscall.SIGINT}), 130, "fathom: error: interrupted\n"},
		"choice": {
			wrap(&load.ChoiceError{Matches: 2, Images: []load.Choice{{Tags: []string{"a\x1b"}}, {Index: 1}}}), 2,
			"fathom: error: opening x: 2 images, choose one of @0 a\\x1b, @1\nfathom: hint: --image TAG, DIGEST or @N and --platform OS/ARCH choose one\n",
		},
		"filesystem": {
			wrap(&load.NotImageError{Kind: load.OtherTar, What: "a filesystem"}), 2,
			"fathom: error: opening x: not an image: it is a filesystem\nfathom: hint: --rootfs opens it as one layer\n",
		},
		"crash": {
			&ui.Crash{Value: "boom\x1b", Stack: []byte("goroutine 1:\n\tui.go:3\n")}, 2,
			"fathom: error: the terminal UI crashed: boom\\x1b\nfathom: hint: this is a bug in fathom; include what follows in a bug report\n" +
				"goroutine 1:\n\\tui.go:3\n",
		},
		"rootless": {
			wrap(&load.StorageError{Engine: "podman", Layer: 3, Path: "home/a", Err: &fs.PathError{Op: "openat", Path: "a", Err: syscall.EACCES}}), 2,
			"fathom: error: opening x: layer 3 in the storage: \"home/a\": openat a: permission denied\n" +
				"fathom: hint: podman unshare fathom IMAGE also reads files of the image's other users\n",
		},
		"missing file": {
			wrap(&load.StorageError{Engine: "podman", Layer: 3, Path: "home/a", Err: syscall.ENOENT}), 2,
			"fathom: error: opening x: layer 3 in the storage: \"home/a\": no such file or directory\n",
		},
		"hostile name": {
			&load.NotFoundError{Reference: "a;rm -rf ~", Name: "a;rm -rf ~"}, 2,
			"fathom: error: opening a;rm -rf ~: no such file or folder\nfathom: hint: fathom alone lists the images of the engines here; fathom demo needs none\n",
		},
	} {
		var stderr bytes.Buffer
		a := &app{stderr: &stderr}
		if got := a.exit(t.Context(), tt.err); got != tt.code || stderr.String() != tt.want {
			t.Errorf("%s: got %d and %q, want %d and %q", name, got, &stderr, tt.code, tt.want)
		}
	}
}
