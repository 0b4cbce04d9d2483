package report

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/facts"
)

const sampleJSON = `{
  "schema": 1,
  "image": {
    "reference": "app\u001b.tar",
    "source": "docker-archive",
    "id": "sha256:aa",
    "digest": "",
    "platform": "linux/amd64",
    "tags": [
      "shop/app:1.4"
    ],
    "created": "2026-10-03T08:30:00Z",
    "config": {
      "user": "",
      "entrypoint": [],
      "cmd": [],
      "env": [
        "A=<b>&\u202e"
      ],
      "workingDir": "",
      "labels": {
        "a": "\u007f\u009b",
        "z": "1"
      },
      "exposedPorts": [],
      "volumes": []
    }
  },
  "totals": {
    "storedBytes": 3000000,
    "visibleBytes": 2000000,
    "wastedBytes": 1000000,
    "efficiency": 0.6666666666666666,
    "compressedBytes": 0,
    "files": 7,
    "layers": 2,
    "findingsBytes": 940000,
    "own": null,
    "base": null
  },
  "layers": [
    {"index":0,"diffId":"sha256:d0","digest":"","mediaType":"","command":"/bin/sh -c #(nop) ADD file:1 in / ","created":"2026-10-03T08:30:00Z","storedBytes":2500000,"visibleBytes":1500000,"wastedBytes":1000000,"hidesBytes":0,"compressedBytes":0,"added":9,"modified":0,"removed":0,"source":null},
    {"index":1,"diffId":"sha256:d1","digest":"","mediaType":"","command":"RUN /bin/sh -c rm \u001b[2J # buildkit","created":null,"storedBytes":500000,"visibleBytes":500000,"wastedBytes":0,"hidesBytes":1000000,"compressedBytes":0,"added":0,"modified":1,"removed":2,"source":null}
  ],
  "history": [
    {"command":"ENV A=b","created":null,"comment":"","author":"","layer":-1,"source":null}
  ],
  "waste": [
    {"path":"/var/lib/\ufffd\n","pathBytes":"L3Zhci9saWIv/wo=","bytes":900000,"cause":"removed","storedIn":0,"hiddenBy":1},
    {"path":"/etc/\udb40\udc41","bytes":100000,"cause":"overwritten","storedIn":0,"hiddenBy":1}
  ],
  "folders": [
    {"path":"/","visibleBytes":2000000,"wastedBytes":1000000,"pieces":9,"layers":[{"layer":0,"visibleBytes":1500000,"wastedBytes":1000000},{"layer":1,"visibleBytes":500000,"wastedBytes":0}]},
    {"path":"/var/\ufffd","pathBytes":"L3Zhci//","visibleBytes":0,"wastedBytes":900000,"pieces":1,"layers":[{"layer":0,"visibleBytes":0,"wastedBytes":900000}]}
  ],
  "warnings": [
    {"layer":1,"path":"/a\tb","text":"odd"},
    {"layer":-1,"path":"","text":"old\r"}
  ],
  "findings": [
    {"rule":"removed-later","severity":"warn","certainty":"proven","title":"layer 1 removes what layer 0 stores","bytes":900000,"fix":{"text":"join the two steps","lines":["RUN fetch && \\","    rm -rf ` + "`pwd`" + `/*"]},"places":[{"path":"/var/lib/\ufffd\n","pathBytes":"L3Zhci9saWIv/wo=","layer":0,"bytes":800000,"files":3,"hiddenBy":1}],"morePlaces":120,"layers":[0,1],"source":null,"owner":"unknown"},
    {"rule":"docs","severity":"info","certainty":"proven","title":"documentation","bytes":40000,"fix":{"text":"leave it out","lines":[]},"places":[{"path":"/usr/share/doc","layer":0,"bytes":40000,"files":9,"hiddenBy":-1}],"morePlaces":0,"layers":[0],"source":null,"owner":"unknown"},
    {"rule":"secret","severity":"error","certainty":"likely","title":"2 secrets","bytes":0,"fix":{"text":"mount it","lines":["RUN --mount=type=secret,id=key ..."]},"places":[{"path":"/srv/key","layer":1,"bytes":0,"files":1,"hiddenBy":-1,"redacted":"AKIA\u001b (20 characters)"},{"path":"","layer":-1,"bytes":0,"files":0,"hiddenBy":-1,"redacted":"ghp_ (40 characters)"}],"morePlaces":0,"layers":[1],"source":null,"owner":"unknown"}
  ],
  "secrets": "all",
  "packages": [
    {"type":"deb","name":"libc6","version":"2.36-9","arch":"amd64","database":"/var/lib/dpkg/status","visibleBytes":1200000,"wastedBytes":0,"files":3,"broughtBy":0,"removedBy":-1,"layers":[{"layer":0,"visibleBytes":1200000,"wastedBytes":0}]},
    {"type":"npm","name":"left|pad","version":"1.0.0","arch":"","database":"/srv/node_modules/left|pad/package.json","visibleBytes":0,"wastedBytes":900000,"files":0,"broughtBy":0,"removedBy":1,"layers":[{"layer":0,"visibleBytes":0,"wastedBytes":900000}]},
    {"type":"npm","name":"left|pad","version":"1.0.0","arch":"","database":"/app/\u001b/package.json","visibleBytes":500000,"wastedBytes":0,"files":2,"broughtBy":0,"removedBy":-1,"layers":[{"layer":0,"visibleBytes":50000,"wastedBytes":0},{"layer":1,"visibleBytes":450000,"wastedBytes":0}]}
  ],
  "unowned": {
    "visibleBytes": 300000,
    "wastedBytes": 100000,
    "files": 2,
    "folders": [
      {
        "path": "/var/\ufffd",
        "pathBytes": "L3Zhci//",
        "visibleBytes": 250000,
        "wastedBytes": 0,
        "files": 1
      },
      {
        "path": "/etc",
        "visibleBytes": 0,
        "wastedBytes": 90000,
        "files": 0
      }
    ],
    "moreFolders": 3
  },
  "base": null,
  "dockerfile": null
}
`

func TestJSON(t *testing.T) {
	var b strings.Builder
	r := sample()
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleJSON, b.String()); diff != "" {
		t.Error(diff)
	}
	if r.Image.Config.Cmd != nil {
		t.Error("the report was changed")
	}
	var back facts.Report
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Image.Config.Labels["a"]; got != "\x7f\u009b" {
		t.Errorf("label reads back as %q", got)
	}
	if got := back.Waste[1].Path; got != "/etc/\U000e0041" {
		t.Errorf("path reads back as %q", got)
	}
}

func TestJSONEmpty(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, &facts.Report{}); err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{"layers", "history", "waste", "folders", "warnings"} {
		if l, ok := v[list].([]any); !ok || len(l) != 0 {
			t.Errorf("%s is %v, want []", list, v[list])
		}
	}
	if findings, ok := v["findings"]; !ok || findings != nil {
		t.Errorf("findings is %v, want null: none were looked for", findings)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if strings.Contains(line, "null") && !strings.Contains(line, `"created": null`) && !slices.ContainsFunc([]string{"findings", "packages", "unowned", "own", "base", "dockerfile"}, func(name string) bool { return strings.Contains(line, `"`+name+`": null`) }) {
			t.Errorf("null in %s", line)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add("a\x1b\u202e\U000e0041\xff\u2028<&>\\\"")
	f.Add("/a##[stop-commands]###vso[x")
	f.Fuzz(func(t *testing.T, s string) {
		line, err := Line(map[string]string{"k": s})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range string(line) {
			if !unicode.IsPrint(r) {
				t.Fatalf("%U in %q", r, line)
			}
		}
		if bytes.Contains(line, []byte("##[")) || bytes.Contains(line, []byte("##vso[")) {
			t.Fatalf("%q holds a command to a CI's runner", line)
		}
		var back map[string]string
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if utf8.ValidString(s) && back["k"] != s {
			t.Fatalf("%q reads back as %q", s, back["k"])
		}
	})
}
