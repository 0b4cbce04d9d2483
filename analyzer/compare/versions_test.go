package compare

import (
	"testing"

	"fathom/analyzer/facts"
)

// TestCompareVersions has versions of which the first is the lower one. Those of
// distributions are as dpkg --compare-versions and rpmdev-vercmp order them.
func TestCompareVersions(t *testing.T) {
	for _, tt := range []struct{ kind, low, high string }{
		{"deb", "1.9", "1.10"},
		{"deb", "1.2-3", "1.2.1-1"},
		{"deb", "2.36-9", "2.36-9+deb12u4"},
		{"deb", "2.36-9+deb12u4", "2.36-9+deb12u13"},
		{"deb", "1.0~rc1-1", "1.0-1"},
		{"deb", "9.9", "1:0.1"},
		{"deb", "1.2", "1.2a"},
		{"deb", "1.2a", "1.2.1"},
		{"deb", "1.2-1", "1.2+dfsg-1"},
		{"apk", "1.36.1-r2", "1.36.1-r15"},
		{"rpm", "5.14.0-70.el9", "5.14.0-162.el9"},
		{"npm", "1.0.0-rc.1", "1.0.0"},
		{"npm", "1.0.0-rc.2", "1.0.0-rc.10"},
		{"npm", "4.17.20", "4.17.21"},
		{"python", "2.0rc1", "2.0"},
		{"python", "2.0a1", "2.0b1"},
		{"python", "2.0", "2.0.post1"},
		{"go", "v1.9.0", "v1.10.0"},
		{"java", "1.0.Final", "1.0.1.Final"},
		{"java", "1.0-SNAPSHOT", "1.0"},
		{"npm", "1.0.0", "100000000000000000000000000.0.0"},
	} {
		for _, p := range []struct {
			old, new, want string
		}{{tt.low, tt.high, PackageUp}, {tt.high, tt.low, PackageDown}, {tt.low, tt.low, PackageResized}} {
			if got := PackageState(&facts.PackageChange{Type: tt.kind, Old: &p.old, New: &p.new}); got != p.want {
				t.Errorf("%s %s -> %s: got %s, want %s", tt.kind, p.old, p.new, got, p.want)
			}
		}
	}
	one, two, build, other := "1.0", "1.0, 2.0", "1.0+b1", "1.0+b2"
	for want, p := range map[string]facts.PackageChange{
		PackageAdded: {New: &one}, PackageRemoved: {Old: &one}, PackageOther: {Old: &one, New: &two}, PackageResized: {},
	} {
		if got := PackageState(&p); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := PackageState(&facts.PackageChange{Type: facts.TypeNPM, Old: &build, New: &other}); got != PackageOther {
		t.Errorf("builds of one version: got %s", got)
	}
}
