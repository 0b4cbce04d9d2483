package gate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
	"fathom/analyzer/packages"
)

// TestCheckPackageGlob checks that a glob that no package can match is an error: its
// rule would always pass.
func TestCheckPackageGlob(t *testing.T) {
	for _, good := range []string{"npm:left-pad", "deb:gcc*", "*:log4j*", "*:*", "{npm,gem}:x", "npm:@a/*", "n?m:x", "java:org.x:y", "[a-d]eb:x"} {
		if err := CheckPackageGlob(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
	for bad, why := range map[string]string{
		"": "empty", "left-pad": "no type, as in *:left-pad", "*": "no type", "deb:": "no name", ":x": "types are deb, apk", "debian:x": "types are deb, apk",
		"!npm:x": "exceptions", "npm:[x": "no glob", "npm:x npm:y": "spaces", "'npm:x'": "quotes", "npm:x,npm:y": "alone",
	} {
		if err := CheckPackageGlob(bad); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v, want an error with %q", bad, err, why)
		}
	}
}

// packaged is the report of based with packages: of the base, of own layers, one that
// was upgraded and one that layer 2 removes.
func packaged(t *testing.T) *facts.Report {
	t.Helper()
	r := based(facts.CertainExact)
	r.Packages = []facts.Package{
		{Type: "npm", Name: "@a/left-pad", Version: "1", Database: "/app/node_modules/@a/left-pad/package.json", VisibleBytes: 100, WastedBytes: 60, BroughtBy: 1, RemovedBy: -1},
		{Type: "deb", Name: "libc6", Version: "2", Database: "/var/lib/dpkg/status", VisibleBytes: 150, RemovedBy: -1},
		{Type: "deb", Name: "gcc", Version: "14", Database: "/var/lib/dpkg/status", WastedBytes: 120, BroughtBy: 1, RemovedBy: 2},
		{Type: "java", Name: "org.apache:log4j-core", Version: "2.14", Database: "/app/x.jar", VisibleBytes: 20, BroughtBy: 2, RemovedBy: -1},
		{Type: "deb", Name: "gcc-base", Version: "14", Database: "/var/lib/dpkg/status", VisibleBytes: 9, RemovedBy: -1},
	}
	return r
}

// asPackages returns the offenders of a rule as "PACKAGE VERSION BYTES LAYER REMOVED".
func asPackages(r *Rule) []string {
	var out []string
	for o := range r.All() {
		out = append(out, fmt.Sprint(o.Package, " ", o.Version, " ", o.Bytes, " ", o.StoredIn, " ", o.HiddenBy))
	}
	return out
}

func TestPackageRules(t *testing.T) {
	for _, tt := range []struct {
		name, rule string
		limit      []string
		own        bool
		seen       float64
		want       []string
	}{
		{"equal passes", MaxPackageSize, []string{"160"}, false, 160, nil},
		{"visible and wasted", MaxPackageSize, []string{"119"}, false, 160, []string{"npm:@a/left-pad 1 160 1 -1", "deb:libc6 2 150 0 -1", "deb:gcc 14 120 1 2"}},
		{"own layers", MaxPackageSize, []string{"119"}, true, 160, []string{"npm:@a/left-pad 1 160 1 -1", "deb:gcc 14 120 1 2"}},
		{"only small ones", MaxPackageSize, []string{"1kB"}, true, 160, nil},
		{"by name", DenyPackage, []string{"deb:libc6"}, false, 1, []string{"deb:libc6 2 150 0 -1"}},
		{"a removed one is not installed", DenyPackage, []string{"deb:gcc*"}, false, 1, []string{"deb:gcc-base 14 9 0 -1"}},
		{"slashes and colons", DenyPackage, []string{"*:log4j*", "npm:*pad"}, false, 2, []string{"npm:@a/left-pad 1 160 1 -1", "java:org.apache:log4j-core 2.14 20 2 -1"}},
		{"one of each glob first", DenyPackage, []string{"java:*", "npm:*", "deb:*"}, false, 4, []string{
			"npm:@a/left-pad 1 160 1 -1", "deb:libc6 2 150 0 -1", "java:org.apache:log4j-core 2.14 20 2 -1", "deb:gcc-base 14 9 0 -1",
		}},
		{"an exception", DenyPackage, []string{"deb:*", "!deb:lib*"}, false, 1, []string{"deb:gcc-base 14 9 0 -1"}},
		{"of the base", DenyPackage, []string{"deb:*"}, true, 0, nil},
	} {
		l, err := Parse(tt.rule, tt.limit...)
		if err != nil {
			t.Fatal(err)
		}
		if tt.own {
			l.Scope = Own
		}
		v, err := Check(packaged(t), Limits{l}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rule := &v.Rules[0]
		if diff := cmp.Diff(tt.want, asPackages(rule)); diff != "" || rule.Observed != tt.seen || rule.Err != nil || rule.OK != (tt.want == nil) {
			t.Errorf("%s: got %v, %v, %v: %s", tt.name, rule.Observed, rule.OK, rule.Err, diff)
		}
	}
}

// TestSuppressPackages checks that packages are suppressed by name and by the path of
// their database, once where two rules are about them, and until the last day.
func TestSuppressPackages(t *testing.T) {
	r := packaged(t)
	both := []string{MaxPackageSize, DenyPackage}
	s := []Suppression{
		{Rules: both, Package: "npm:*", Reason: "r"},
		{Rules: []string{DenyPackage}, Path: "/app/*.jar", Reason: "r"},
		{Rules: []string{MaxPackageSize}, Package: "deb:libc6", Reason: "r", Until: day(t, "2026-11-20")},
		{Rules: []string{MaxPackageSize}, Package: "deb:gcc-base", Reason: "r"},
	}
	large, err := Parse(MaxPackageSize, "130")
	if err != nil {
		t.Fatal(err)
	}
	denied, err := Parse(DenyPackage, "npm:*", "java:*")
	if err != nil {
		t.Fatal(err)
	}
	v, err := Check(r, Limits{large, denied}, Options{Suppress: s, Today: day(t, "2026-11-21")})
	if err != nil {
		t.Fatal(err)
	}
	if v.Rules[0].Observed != 150 || v.Rules[0].Count() != 1 || !v.Rules[1].OK {
		t.Errorf("got %+v", v.Rules)
	}
	var got []string
	for _, s := range v.Suppressed {
		got = append(got, fmt.Sprint(s.Pieces, " ", s.Bytes, " ", s.Expired))
	}
	if diff := cmp.Diff([]string{"1 160 false", "1 20 false", "1 150 true", "0 0 false"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		`the suppression of "deb:libc6" ended on 2026-11-20: what it covers counts (packages: 1)`, `the suppression of "deb:gcc-base" covers nothing`,
	}, v.Warnings); diff != "" {
		t.Error(diff)
	}
	for want, s := range map[string]Suppression{
		"no rule":            {Package: "npm:x", Reason: "r"},
		"not about packages": {Rules: []string{DenyPath}, Package: "npm:x", Reason: "r"},
		"no type":            {Rules: both, Package: "x", Reason: "r"},
		"path and a package": {Rules: both, Package: "npm:x", Path: "/x", Reason: "r"},
		"empty":              {Rules: both, Reason: "r"},
	} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// TestUnknownPackages checks that a rule about packages is not evaluated where packages
// are unknown, and says so where only some are.
func TestUnknownPackages(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(r *facts.Report)
		want   error
	}{
		"a report of an older version": {func(r *facts.Report) { r.Packages = nil }, ErrNoPackages},
		"none at all":                  {func(r *facts.Report) { r.Packages = []facts.Package{} }, nil},
		"a table of contents":          {func(r *facts.Report) { r.Layers[1].Unverified = true }, ErrUnreadPackages},
		"a damaged database": {func(r *facts.Report) {
			r.Warnings = []facts.Warning{{Path: "/var/lib/dpkg/status", Text: packages.Unreadable + "odd"}}
		}, ErrIncompletePackages},
		"a layer without content": {func(r *facts.Report) { r.Secrets = facts.SecretsSome }, ErrUnreadPackages},
	} {
		r := packaged(t)
		tt.change(r)
		l := Limits{{Rule: MaxPackageSize, Unit: Bytes, Number: 1000}, {Rule: DenyPackage, Unit: Count, Globs: []string{"npm:none"}}}
		v, err := Check(r, l, Options{AllowUnverified: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range v.Rules {
			if !errors.Is(rule.Err, tt.want) || rule.OK != (tt.want == nil) {
				t.Errorf("%s: %s: got %v, %v", name, rule.Name, rule.OK, rule.Err)
			}
		}
	}
	r := packaged(t)
	r.Warnings = []facts.Warning{{Path: "/app/node_modules/x/package.json", Text: packages.Unreadable + "odd"}}
	v, err := Check(r, Limits{{Rule: DenyPackage, Unit: Count, Globs: []string{"npm:none"}}}, Options{})
	if err != nil || !v.Pass() || len(v.Notes) != 1 || !strings.Contains(v.Notes[0], "deny-package: a package database can't be read") {
		t.Errorf("got %v, %v", v.Notes, err)
	}
}
