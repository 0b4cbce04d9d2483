package main

import "testing"

// TestWithin holds the second try of an image to the engine that has it.
func TestWithin(t *testing.T) {
	for _, tt := range []struct{ ref, name, engine, wantRef, wantName string }{
		{"app:1", "", "podman", "podman:app:1", "app:1"},
		{"app", "shown", "docker", "docker:app", "shown"},
		{"docker:app", "", "docker", "docker:app", ""},
		{"podman://app", "", "podman", "podman://app", ""},
		{"app", "", "", "app", ""},
	} {
		got := source{ref: tt.ref, name: tt.name}.within(tt.engine)
		if got.ref != tt.wantRef || got.name != tt.wantName {
			t.Errorf("%s within %q: got %q shown as %q, want %q as %q", tt.ref, tt.engine, got.ref, got.name, tt.wantRef, tt.wantName)
		}
	}
}
