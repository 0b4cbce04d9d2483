package gate

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCheckGlob checks that a glob that no path can match is an error: its rule would
// always pass.
func TestCheckGlob(t *testing.T) {
	for _, good := range []string{
		"*.pem", "/etc/**", "**/x", "**", "/**/x/**", "a/**/b", "{**/a,b}", "{a,b}.pem", "[a-z]", "[!a-z]x", "[^a]", "[a-]", `a\,b`, "a[,]b",
		"a[ ]/b", "My Files/x", ".git", ".git/", "..a", "a..", ".../x", "x{.,y}", "/etc/ssl", "é*", `\*`, `[\]]`, "[~]x", "a~", "a$b", "it's", "{a,b/c}", "{a,{b,c}}",
	} {
		if err := CheckGlob(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"": "empty", "/": "empty", "//": "empty", "[a": "no glob", "{a": "no glob", `a\`: "no glob",
		"!a": "exceptions", "'*.pem'": "quotes", `"*.pem"`: "quotes", "'*.pem": "quotes", "*.key'": "quotes", " *.pem": "space", "*.pem ": "space", "*.pem\u00a0": "space",
		"*.pem *.key": "alone", "*.pem,*.key": "alone", "a, b": "alone", "~/.ssh/**": "not replaced", "$HOME/x": "not replaced", "${X}": "not replaced",
		"./a": "no . and", "../a": "no . and", "a/../b": "no . and", "/a/.": "no . and", "/a/./b": "no . and", ".": "no . and", "a//b": "no empty", "//a": "no empty",
		`etc\shadow`: "slashes", `C:\x`: "slashes", "**.pem": "whole part", "/app/**.pem": "whole part", "a**": "whole part", "/***": "whole part", "[z-a]": "upwards", "[[:alpha:]]": "upwards",
	} {
		if err := CheckGlob(bad); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v, want an error with %q", bad, err, why)
		}
	}
	for list, good := range map[string]bool{"a !b": true, "!b a": true, "!b": false, "!b !c": false, "a !": false, "a !!b": false, "a !./b": false} {
		if _, err := Parse(DenyPath, strings.Fields(list)...); (err == nil) != good {
			t.Errorf("%s: got %v", list, err)
		}
	}
}

// TestDenyExceptions checks that an exception may stand anywhere among the globs, and
// that suppressions of denied paths are listed, expire, and affect only the rules
// that they name.
func TestDenyExceptions(t *testing.T) {
	r := wasting(t)
	all := files(
		File{Path: "/etc/ssl/a.pem", Bytes: 1, HiddenBy: -1}, File{Path: "/etc/ssl/b.pem", Bytes: 2, HiddenBy: 1}, File{Path: "/etc/ssl/b.pem", Bytes: 4, Layer: 1, HiddenBy: -1},
		File{Path: "/srv/c.pem", Bytes: 8, HiddenBy: -1}, File{Path: "/srv/old.pem", Bytes: 16, HiddenBy: 1},
	)
	today := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		globs []string
		list  []Suppression
		want  string // paths denied in the final image and in any layer; covered; warnings
	}{
		{"no exception", []string{"*.pem"}, nil, "3 4 [] 0"},
		{"an exception", []string{"*.pem", "!/etc/ssl/**"}, nil, "1 2 [] 0"},
		{"it comes first", []string{"!/etc/ssl/", "*.pem"}, nil, "1 2 [] 0"},
		{"every path", []string{"*.pem", "!*"}, nil, "0 0 [] 0"},
		{"a suppression", []string{"*.pem"}, []Suppression{{Path: "/etc/ssl/**", Rules: []string{DenyPath}}}, "1 4 [2 paths 5 bytes] 0"},
		{"of both rules", []string{"*.pem"}, []Suppression{{Path: "/etc/ssl/**", Rules: []string{DenyPath, DenyLayerPath}}}, "1 2 [2 paths 7 bytes] 0"},
		{"expired", []string{"*.pem"}, []Suppression{{Path: "/srv/**", Rules: []string{DenyLayerPath}, Until: today.AddDate(0, 0, -1)}}, "3 4 [2 paths 24 bytes] 1"},
		{"the first that holds", []string{"*.pem"}, []Suppression{
			{Path: "/srv/**", Rules: []string{DenyLayerPath}, Until: today.AddDate(0, 0, -1)}, {Path: "*", Rules: []string{DenyLayerPath}},
		}, "3 0 [0 paths 0 bytes 4 paths 31 bytes] 1"},
		{"of waste", []string{"*.pem"}, []Suppression{{Path: "/srv/c.pem"}}, "3 4 [0 paths 0 bytes] 1"},
		{"of nothing", []string{"*.pem"}, []Suppression{{Path: "/x", Rules: []string{DenyPath}}}, "3 4 [0 paths 0 bytes] 1"},
	} {
		for i := range tt.list {
			tt.list[i].Reason = "known"
		}
		v, err := Check(r, Limits{{Rule: DenyPath, Unit: Count, Globs: tt.globs}, {Rule: DenyLayerPath, Unit: Count, Globs: tt.globs}}, Options{Files: all, Suppress: tt.list, Today: today})
		if err != nil {
			t.Fatal(err)
		}
		var covered []string
		for _, s := range v.Suppressed {
			covered = append(covered, fmt.Sprintf("%d paths %d bytes", s.Pieces, s.Bytes))
		}
		got := fmt.Sprint(v.Rules[0].Observed, v.Rules[1].Observed, covered, len(v.Warnings))
		if got != tt.want {
			t.Errorf("%s: got %s, want %s; %q", tt.name, got, tt.want, v.Warnings)
		}
	}
	// The suppression of a rule that is absent or can't be evaluated has no effect,
	// and a warning says so.
	for limits, opt := range map[string]Options{"max-size=1kB": {Files: all}, "deny-path=*.pem": {}} {
		opt.Suppress = []Suppression{{Path: "/srv/**", Reason: "known", Rules: []string{DenyPath}}}
		v := check1(t, r, limits, opt)
		if !slices.ContainsFunc(v.Warnings, func(w string) bool { return strings.Contains(w, "nothing evaluates deny-path") }) {
			t.Errorf("%s: %q", limits, v.Warnings)
		}
	}
}

// TestCheckDefaultSeverity checks that Check reports the default rules as such even
// if their severity was changed.
func TestCheckDefaultSeverity(t *testing.T) {
	l := Default()
	l[0].Severity = Warn
	v, err := Check(totals(10, 5), l, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([2]int{1, 1}, [2]int{v.Failed(), v.Warned()}); diff != "" || !v.Default {
		t.Errorf("default %v, failed and warned (-want +got):\n%s", v.Default, diff)
	}
}
