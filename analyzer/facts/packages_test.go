package facts_test

import (
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// packaged is a report with two packages, which TestReadPackages makes invalid in
// different ways.
const packaged = `{
  "schema": 1,
  "image": {},
  "totals": {"storedBytes": 30, "visibleBytes": 25, "wastedBytes": 5, "efficiency": 0.8333333333333334, "layers": 2},
  "layers": [{"index": 0, "storedBytes": 20, "visibleBytes": 15, "wastedBytes": 5}, {"index": 1, "storedBytes": 10, "visibleBytes": 10, "hidesBytes": 5}],
  "history": [], "warnings": [],
  "waste": [{"path": "/a", "bytes": 5, "storedIn": 0, "hiddenBy": 1, "cause": "overwritten"}],
  "packages": [
    {"type": "deb", "name": "curl", "version": "8", "database": "/var/lib/dpkg/status", "visibleBytes": 12, "wastedBytes": 5, "files": 1, "broughtBy": 1, "removedBy": -1,
     "layers": [{"layer": 0, "visibleBytes": 4, "wastedBytes": 5}, {"layer": 1, "visibleBytes": 8}]},
    {"type": "npm", "name": "x", "database": "/x/node_modules/x/package.json", "broughtBy": 0, "removedBy": 1, "layers": null}
  ],
  "unowned": {"visibleBytes": 13, "files": 3, "folders": [{"path": "/srv", "visibleBytes": 10, "files": 2}], "moreFolders": 1}
}`

func TestReadPackages(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"as it is", "", "", ""},
		{"bytes for a path", `"/srv"`, `"/\ufffd", "pathBytes": "L/8="`, ""},
		{"bytes for a database", `"/x/node_modules/x/package.json"`, `"/\ufffd", "databaseBytes": "L/8="`, ""},
		{"unowned files of the root", `"/srv"`, `"/"`, ""},

		{"no name", `"curl"`, `""`, "package 0 has no name"},
		{"another type", `"deb"`, `"egg"`, `package 0 has an unknown type: "egg"`},
		{"a database that is not rooted", `"/var/lib/dpkg/status"`, `"status"`, `package 0: the path "status" is not rooted and clean`},
		{"two databases", `"/var/lib/dpkg/status"`, `"/a", "databaseBytes": "L2I="`, "package 0 has two paths"},
		{"brought by no layer", `"broughtBy": 1`, `"broughtBy": 2`, "package 0 can't be brought by layer 2"},
		{"removed before it came", `"broughtBy": 0`, `"broughtBy": 1`, "package 1 can't be brought by layer 1 and removed by layer 1"},
		{"removed by no layer", `"removedBy": -1`, `"removedBy": 2`, "package 0 can't be brought by layer 1 and removed by layer 2: there are 2"},
		{"negative", `"visibleBytes": 12`, `"visibleBytes": -12`, "package 0: -12 is negative"},
		{"a layer that is not there", `{"layer": 1, "vis`, `{"layer": 2, "vis`, "package 0 can't have layer 2 there: there are 2"},
		{"a layer twice", `{"layer": 1, "vis`, `{"layer": 0, "vis`, "package 0 can't have layer 0 there"},
		{"layers that don't add up", `"visibleBytes": 8`, `"visibleBytes": 7`, "package 0 has 12 visible and 5 wasted bytes, and its layers add up to 11 and 5"},
		{"more than the image has", `"visibleBytes": 13`, `"visibleBytes": 14`, "add up to 26 visible and 5 wasted bytes, and its totals say 25 and 5"},
		{"folders of more than all", `"visibleBytes": 10, "files"`, `"visibleBytes": 14, "files"`, "have 14 visible and 0 wasted bytes, of 13 and 0"},
		{"folders of less than all, and no others", `"moreFolders": 1`, `"moreFolders": 0`, "have 10 visible and 0 wasted bytes, of 13 and 0"},
		{"a folder that is not rooted", `"/srv"`, `"srv"`, `the path "srv" is not rooted and clean`},
		{"a folder with two paths", `"/srv"`, `"/srv", "pathBytes": "L2I="`, "has two paths"},
		{"no unowned", `"unowned": {`, `"x": {`, "it has packages, or what belongs to none, but not both"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.old != "" && strings.Count(packaged, tt.old) != 1 {
				t.Fatalf("%d times %s", strings.Count(packaged, tt.old), tt.old)
			}
			r, err := facts.Read(strings.NewReader(strings.Replace(packaged, tt.old, tt.new, 1)))
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				if r.Packages[1].Layers == nil {
					t.Error("a list is nil")
				}
				if tt.name == "bytes for a path" && r.Unowned.Folders[0].Path != "/\xff" || tt.name == "bytes for a database" && r.Packages[1].Database != "/\xff" {
					t.Errorf("got %+v and %+v", r.Packages[1], r.Unowned)
				}
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
