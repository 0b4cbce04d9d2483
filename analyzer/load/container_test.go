package load

import (
	"archive/tar"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fathom/analyzer/filetree"
	"fathom/analyzer/imagetest"
)

// TestContainer opens a container of a fake engine. The export holds all files; the
// engine lists some as changed. The expected layer is worked out by hand.
func TestContainer(t *testing.T) {
	img := imagetest.Must(t, `
layer
  dir etc
  file etc/passwd text=root
  file etc/issue text=old
  dir gone
  file gone/a text=a
  dir again
  file again/old text=old
  file kept text=kept
  file linked text=kept
`)
	id := imagetest.Digest(img.DockerArchive().Find("manifest.json").Content()).String() // any
	const changes = `[{"Path":"/etc","Kind":0},{"Path":"/etc/passwd","Kind":0},{"Path":"/etc/issue","Kind":2},
		{"Path":"/gone","Kind":2},{"Path":"/again","Kind":2},{"Path":"/again/new","Kind":1},{"Path":"/link","Kind":1},{"Path":"/first","Kind":1},
		{"Path":"/came/and/went","Kind":1},{"Path":"/","Kind":0}]`
	export := func(w http.ResponseWriter) {
		out := tar.NewWriter(w)
		for _, h := range []tar.Header{
			{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
			{Typeflag: tar.TypeDir, Name: "again/", Mode: 0o700},
			{Typeflag: tar.TypeReg, Name: "again/new", Mode: 0o644},
			{Typeflag: tar.TypeDir, Name: "etc/", Mode: 0o755},
			{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o4644, Size: 5},
			{Typeflag: tar.TypeReg, Name: "first", Mode: 0o644, Size: 4},
			{Typeflag: tar.TypeReg, Name: "kept", Mode: 0o644, Size: 4},
			{Typeflag: tar.TypeLink, Name: "link", Linkname: "kept"},
			{Typeflag: tar.TypeLink, Name: "linked", Linkname: "first"},
		} {
			if err := out.WriteHeader(&h); err != nil {
				t.Error(err)
			}
			io.WriteString(out, "eve\nx"[:h.Size])
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		reply := func(v any) { json.NewEncoder(w).Encode(v) }
		switch p := r.URL.Path[strings.Index(r.URL.Path[1:], "/")+1:]; {
		case r.URL.Path == "/_ping":
		case p == "/images/"+id+"/json":
			reply(map[string]any{"Id": id, "Os": "linux", "Architecture": "amd64"})
		case p == "/images/get":
			w.Write(img.DockerArchive().Tar())
		case p == "/containers/box/json":
			reply(map[string]any{"Id": strings.Repeat("c", 64), "Name": "/box", "Image": id})
		case strings.HasSuffix(p, "/changes"):
			io.WriteString(w, changes)
		case strings.HasSuffix(p, "/export"):
			export(w)
		default:
			w.WriteHeader(http.StatusNotFound)
			reply(map[string]string{"message": "No such thing: " + p})
		}
	}))
	defer s.Close()
	opt := Options{Via: ViaAPI}
	opt.Engine.Home = t.TempDir()
	opt.Engine.Getenv = func(name string) string {
		if name == "DOCKER_HOST" {
			return "tcp://" + s.Listener.Addr().String()
		}
		return ""
	}
	for _, noKeep := range []bool{false, true} {
		opt.NoKeep = noKeep
		an := analyze(t, "docker:box", opt)
		var got []string
		for n := range filetree.Node(an.Tree.Len()) {
			if st, ok := an.Tree.At(n, 1); ok && n > 0 {
				got = append(got, an.Tree.Path(n)+" "+st.Kind.String())
			}
		}
		slices.Sort(got)
		want := []string{"/again dir", "/again/new file", "/etc dir", "/etc/passwd file", "/first file", "/kept file", "/link file", "/linked file"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the files (-want +got):\n%s", diff)
		}
		last := an.Report.Layers[1]
		if last.StoredBytes != 9 || last.Command != "changes of container box" || len(an.Report.Image.Tags) > 0 || an.Report.Totals.WastedBytes != 4+3+1+3+4 {
			t.Errorf("got %+v, %+v", last, an.Report.Totals)
		}
		if !noKeep {
			wantContent(t, an, "/etc/passwd", "eve\nx")
		}
	}
	opt.NoKeep = false
	_, err := Open(t.Context(), "docker:none", opt)
	if err == nil || !strings.Contains(err.Error(), "has no image none") {
		t.Errorf("got %v", err)
	}
	opt.MaxTemp = 1 << 10
	_, err = Open(t.Context(), "docker:box", opt)
	if err == nil || !strings.Contains(err.Error(), "more than 1024 bytes of temporary files") {
		t.Errorf("got %v", err)
	}
}
