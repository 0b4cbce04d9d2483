package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionOf(t *testing.T) {
	settings := func(kv ...string) (out []debug.BuildSetting) {
		for i := 0; i < len(kv); i += 2 {
			out = append(out, debug.BuildSetting{Key: kv[i], Value: kv[i+1]})
		}
		return out
	}
	platform := []string{"GOOS", "linux", "GOARCH", "arm64"}
	for _, tt := range []struct {
		info debug.BuildInfo
		want string
	}{
		{debug.BuildInfo{GoVersion: "go1.26.0", Settings: settings(platform...)}, "fathom (devel) go1.26.0 linux/arm64"},
		{
			debug.BuildInfo{
				GoVersion: "go1.26.0", Main: debug.Module{Version: "v0.1.0"},
				Settings: settings(append(platform, "vcs.revision", "0123456789abcdef", "vcs.time", "2026-11-21T10:00:00Z", "vcs.modified", "true")...),
			},
			"fathom v0.1.0 (commit 0123456789ab, 2026-11-21T10:00:00Z, modified) go1.26.0 linux/arm64",
		},
	} {
		if got := versionOf(&tt.info); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestHomeOf(t *testing.T) {
	for path, want := range map[string]string{"fathom": "", "": "", "example.com/shop/fathom": "https://example.com/shop/fathom"} {
		if got := homeOf(&debug.BuildInfo{Main: debug.Module{Path: path}}); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
