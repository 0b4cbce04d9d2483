package toc

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/imagetest"
)

// FuzzEntry compares the scanner with encoding/json: whatever plain accepts,
// encoding/json must accept and decode to the same entry.
func FuzzEntry(f *testing.F) {
	for _, s := range []string{
		oneFile, reg("a", 5, ""), `{}`, ` { "name" : "a" , "size":-5,"uid":0 } `, `{"name":"\u00fc"}`, `{"Name":"x"}`,
		`{"name":"a","name":"b"}`, `{"size":01}`, `{"size":1.0}`, `{"size":1e3}`, `{"size":9223372036854775807}`, `{"size":- 1}`,
		`{"size":9223372036854775808}`, `{"name":null}`, `{"xattrs":{"a":"aGk="}}`, `{"xattrs":{"a":"aGk"}}`, `{"xattrs":null}`,
		`{"xattrs":{},"xattrs":{"b":""}}`, `{"xattrs":{"a":""}}`, `{"userName":"x","groupName":5}`, `{"name":"a",}`, `{,}`, `{"name" "a"}`, "{\"name\":\"a\nb\"}",
		`{"xattrs":{"a":"aG k="}}`, `{"xattrs":{"a":"a\nGk="}}`, `{"offset":-0}`, `{"accesstime":5}`, `{"size":5`, `{"endOffset":1.5}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := &scanner{b: text}
		var got, want entry
		if !s.plain(&got) {
			return
		}
		if err := json.Unmarshal(text[:s.at], &want); err != nil {
			t.Fatalf("%q was read as %+v; encoding/json: %v", text[:s.at], got, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-encoding/json +ours)\n%s", text, diff)
		}
	})
}

// The scanner reads the tables of tools without encoding/json, except for entries
// that are not ASCII.
func TestScansWhatToolsWrite(t *testing.T) {
	b, err := sorted(imagetest.Load(t, "config-rich").LayerTar(0))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]built{"stargz": b, "podman": stored(t, "storage-1.59"), "old podman": stored(t, "skopeo-1.9")} {
		text, err := b.open(t).unpack()
		if err != nil {
			t.Fatal(err)
		}
		var table struct{ Entries []json.RawMessage }
		if err := json.Unmarshal(text, &table); err != nil || len(table.Entries) == 0 {
			t.Fatal(err)
		}
		for _, raw := range table.Entries {
			var e entry
			s := &scanner{b: raw}
			ascii := true
			for _, c := range raw {
				ascii = ascii && c < 0x80
			}
			if ok := s.plain(&e); ok != ascii {
				t.Errorf("%s: plain(%s) = %v, want %v", name, raw, ok, ascii)
			}
		}
	}
}
