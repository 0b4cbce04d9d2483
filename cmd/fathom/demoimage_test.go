package main

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAlternatives(t *testing.T) {
	for pattern, want := range map[string][]string{
		"/a":              {"/a"},
		"/{a,b}/c":        {"/a/c", "/b/c"},
		"/x{,-y}":         {"/x", "/x-y"},
		"/{a,b}{1,2}":     {"/a1", "/a2", "/b1", "/b2"},
		"/{E/{B,L},U}/z":  {"/E/B/z", "/E/L/z", "/U/z"},
		"/{a{1,2},{b,c}}": {"/a1", "/a2", "/b", "/c"},
	} {
		if diff := cmp.Diff(want, alternatives(pattern)); diff != "" {
			t.Errorf("%s: %s", pattern, diff)
		}
	}
}

func TestFiller(t *testing.T) {
	for _, kind := range []string{"elf", "png", "cache", "js", "json", "text"} {
		for _, size := range []int{0, 1, 5000} {
			a, b := filler(kind, "a", size), filler(kind, "b", size)
			if len(a) != size || len(b) != size {
				t.Errorf("%s: %d and %d bytes, want %d", kind, len(a), len(b), size)
			}
			if size > 100 && a == b || a != filler(kind, "a", size) {
				t.Errorf("%s: %d bytes: a seed does not decide", kind, size)
			}
		}
	}
}

func TestDemoIsTheSameEveryTime(t *testing.T) {
	var a, b bytes.Buffer
	if err := writeDemo(&a); err != nil {
		t.Fatal(err)
	}
	if err := writeDemo(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two runs differ")
	}
}
