package load

import (
	"encoding/json"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fathom/analyzer"
	"fathom/analyzer/imagetest"
)

// wantProvenance checks that the image's provenance is about its manifest.
func wantProvenance(t *testing.T, img *analyzer.Image) {
	t.Helper()
	if img.Provenance == nil {
		t.Fatalf("%s has no provenance", img.Reference)
	}
	text, err := img.Provenance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), img.Digest.Hex) {
		t.Errorf("%s: the provenance of %s is %s", img.Reference, img.Digest, text)
	}
}

func TestProvenance(t *testing.T) {
	img := imagetest.Must(t, sample)
	wantProvenance(t, openImage(t, write(t, "containerd.tar", img.Containerd().Tar()), Options{}))

	platforms := write(t, "platforms.tar", imagetest.MultiPlatform([]*imagetest.Image{other(t, "linux/amd64"), other(t, "linux/arm64")}).Tar())
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		wantProvenance(t, openImage(t, platforms, Options{Platform: platform}))
	}
	if img := openImage(t, write(t, "plain.tar", img.DockerArchive().Tar()), Options{}); img.Provenance != nil {
		t.Error("an image without attestation has provenance")
	}
}

// TestProvenanceOfRegistry has both forms of the manifest of an attestation: the one
// that its descriptor names, and the one with a subject.
func TestProvenanceOfRegistry(t *testing.T) {
	s := newServer(t)
	d := s.image(t, "app", "", other(t, "linux/amd64"), types.OCIManifestSchema1, imagetest.Gzip, nil)
	statement := s.put(t, "app", []byte(`{"subject":"`+d.Digest.Hex+`"}`))
	statement.MediaType = inTotoType
	statement.Annotations = map[string]string{predicateKey: provenanceURI + "v1"}
	sbom := s.put(t, "app", []byte(`{"sbom": true}`))
	sbom.MediaType = inTotoType
	sbom.Annotations = map[string]string{predicateKey: "https://spdx.dev/Document"}
	config := s.put(t, "app", []byte("{}"))
	config.MediaType = "application/vnd.oci.empty.v1+json"
	push := func(tag string, annotations map[string]string, change func(map[string]any)) {
		doc := map[string]any{"schemaVersion": 2, "mediaType": types.OCIManifestSchema1, "config": config, "layers": []v1.Descriptor{sbom, statement}}
		change(doc)
		a := s.manifest(t, "app", "", types.OCIManifestSchema1, doc)
		a.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
		a.Annotations = annotations
		s.manifest(t, "app", tag, types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{d, a}})
	}
	named := map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": d.Digest.String()}
	push("old", named, func(map[string]any) {})
	push("new", named, func(doc map[string]any) {
		doc["artifactType"] = "application/vnd.docker.attestation.manifest.v1+json"
		doc["subject"] = d
	})
	for _, tag := range []string{"old", "new"} {
		img := openImage(t, "registry:"+s.repo("app")+":"+tag, Options{Platform: "linux/amd64"})
		s.since()
		wantProvenance(t, img)
		if asked := s.since(); asked["manifests"] != 1 || asked["blobs"] != 1 {
			t.Errorf("%s: reading the provenance took %v", tag, asked)
		}
	}

	// A statement that was replaced is an error.
	broken := statement
	broken.Digest, broken.Size = sbom.Digest, sbom.Size+1
	statement = broken
	push("broken", named, func(map[string]any) {})
	img := openImage(t, "registry:"+s.repo("app")+":broken", Options{Platform: "linux/amd64"})
	if text, err := img.Provenance(t.Context()); err == nil || !strings.Contains(err.Error(), "reading the attestation sha256:") {
		t.Errorf("got %s, %v", text, err)
	}
}

// TestAttests has the two ways in which an attestation names its image.
func TestAttests(t *testing.T) {
	for text, want := range map[string]string{
		`{"annotations": {"vnd.docker.reference.digest": "sha256:1"}}`: "sha256:1",
		`{}`: "",
	} {
		var d descriptor
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if got := attests(d, nil); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	doc := document{Subject: &descriptor{Digest: "sha256:2"}, ArtifactType: "application/vnd.docker.attestation.manifest.v1+json"}
	if got := attests(descriptor{}, &doc); got != "sha256:2" {
		t.Errorf("with a subject: got %q", got)
	}
}
