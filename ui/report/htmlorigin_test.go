package report

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fathom/analyzer/facts"
	"fathom/analyzer/inspect"
)

// built returns the shop with a base of one layer, and a Dockerfile that made the other
// two in lines 2-3 and 5.
func built() *facts.Report {
	r := shop()
	ownFrom(r, 1)
	r.Base.Chain = []facts.Link{{Reference: "alpine:3", Layers: 1}}
	r.Totals.Own.CopiedFromBaseBytes, r.Totals.Base.HiddenByOwnBytes = 3000, 100_000_000
	r.Dockerfile = &facts.Dockerfile{Name: "docker/app", Text: "FROM debian:12\r\nRUN npm \\\n\tinstall\n# <b>\nRUN chown -R node /app\nUSER node\n", Certainty: facts.CertainExact}
	r.Layers[1].Source = &facts.Source{File: "docker/app", Line: 2, End: 3}
	r.Layers[2].Source = &facts.Source{File: "docker/app", Line: 5, End: 5}
	r.Findings[0].Source = r.Layers[2].Source
	r.Findings[1].Source = r.Layers[1].Source
	return r
}

// TestHTMLOrigin checks that the page tells the base from own layers: in the bar, the
// figures, the list of layers and the findings.
func TestHTMLOrigin(t *testing.T) {
	page := written(t, "html", &Input{Report: built()})
	for _, part := range []string{
		`<g data-layer="0" class="of-base"><title>layer 0 of the base: ADD`, `<g data-layer="1"><title>layer 1: RUN`, `layer 0 of the base 400 MB visible`,
		`<line class="base" x1="0%" x2="25.000%"`, `<line class="own" x1="25.000%" x2="100%"`, `>base 500 MB</text>`, `>own 1.5 GB</text>`,
		`The base image is <code>debian:12</code> (verified: an engine here has it), based on <code>alpine:3 (1 layer)</code>.`,
		`<i class="rule-key own"></i>own</th><td class="num" title="1,500,000,000 bytes">1.5 GB</td><td class="num" title="583,000,000 bytes">583 MB</td><td class="num" title="917,000,000 bytes">917 MB</td>`,
		`<p class="dim">Own layers store 3.0 kB of the base again, unchanged.</p>`, `<p class="dim">Own layers remove or replace 100 MB of the base, which stay stored.</p>`,
		`<a class="source" href="#line-2">docker/app:2-3</a>`, `<code>RUN chown -R node /app</code> <a class="source" href="#line-5">docker/app:5</a>`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't hold %s", part)
		}
	}
	groups := regexp.MustCompile(`<h4 id="\w+-layers">(.*?)</h4> <span class="dim">(.*?)</span>|<li id="(layer-\d)"`).FindAllStringSubmatch(page, -1)
	var got []string
	for _, m := range groups {
		got = append(got, strings.Join(m[1:], "|"))
	}
	want := []string{"Base debian:12|verified: an engine here has it, 1 layer, 500 MB|", "||layer-0", "Own layers|2 layers, 1.5 GB|", "||layer-1", "||layer-2"}
	if !slices.Equal(got, want) {
		t.Errorf("got the layers %q, want %q", got, want)
	}
	_, fold, ok := strings.Cut(page, "<h3>Of the base image: 3 findings</h3>")
	fold, _, _ = strings.Cut(fold, "</section>")
	if !ok || strings.Count(fold, `<details class="finding"`) != 3 || !strings.Contains(fold, "Layer 0 stores manual pages") {
		t.Errorf("the findings of the base are not together: %s", fold)
	}
}

// TestHTMLDockerfile checks the Dockerfile with its figures, and which lines they are
// beside.
func TestHTMLDockerfile(t *testing.T) {
	page := written(t, "html", &Input{Report: built()})
	var got []string
	for _, block := range strings.Split(page, `<div class="block"`)[1:] {
		block, _, _ = strings.Cut(block, "</section>")
		s := ""
		for _, m := range regexp.MustCompile(`<p id="line-(\d+)"><span class="no">(\d+)</span><code>(.*?)</code>`).FindAllStringSubmatch(block, -1) {
			s += m[1] + " " + html.UnescapeString(m[3]) + ";"
		}
		for _, m := range regexp.MustCompile(`href="#(layer-\d+|finding-\d+)"|title="([\d,]+) bytes`).FindAllStringSubmatch(block, -1) {
			s += " " + m[1] + m[2]
		}
		got = append(got, s)
	}
	want := []string{
		"1 FROM debian:12;",
		`2 RUN npm \;3     install; layer-1 1,000,000,000 83,000,000 917,000,000 finding-2`,
		"4 # <b>;",
		"5 RUN chown -R node /app; layer-2 500,000,000 500,000,000 0 finding-1",
		"6 USER node;",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, id := range []string{`id="finding-2"`, `id="finding-1"`, `id="layer-1"`} {
		if strings.Count(page, id) != 1 {
			t.Errorf("%d elements have %s", strings.Count(page, id), id)
		}
	}
	if !strings.Contains(page, "<code>docker/app</code>, from the build’s attestation") {
		t.Error("the page doesn't say where the Dockerfile is from")
	}
}

// TestHTMLHostileDockerfile checks a Dockerfile that no builder accepts: it is shown
// with escapes and without secrets, and with sources that are not in it or overlap.
func TestHTMLHostileDockerfile(t *testing.T) {
	r := built()
	secret := "squeamish" + strings.Repeat("7ossifrage", 3)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))
	r.Dockerfile.Text = hostileName + "\nENV APP_PASSWORD=" + secret + "\nRUN <<E\n" + key + "E\n" + strings.Repeat("x", 1<<20) + "\n\xff\x1b[2J\u202e\n" + strings.Repeat("RUN a\n", 6000)
	r.Dockerfile.Name = hostileName
	for i := range r.Layers {
		r.Layers[i].Source = &facts.Source{File: hostileName, Line: 1 + i, End: 1 << 40}
	}
	r.Findings[0].Source = &facts.Source{File: hostileName, Line: 1 << 40, End: 1 << 40}
	inspect.HideSecrets(r)
	page := written(t, "html", &Input{Report: r})
	isSafePage(t, page)
	lines := 3 + strings.Count(key, "\n") + 3 + 6000 + strings.Count(hostileName, "\n")
	for _, part := range []string{
		"APP_PASSWORD=sque… (39 characters)</code>", `\xff\x1b[2J\u202e</code>`, fmt.Sprintf("and %d more lines</p>", lines-htmlLines), fmt.Sprintf(`<p id="line-%d">`, htmlLines),
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't hold %s", part)
		}
	}
	for _, part := range []string{"ossifrage", strings.Split(key, "\n")[2], fmt.Sprintf("line-%d\"", htmlLines+1)} {
		if strings.Contains(page, part) {
			t.Errorf("the page holds %s", part)
		}
	}
	if n := strings.Count(page, "xxxxxxxxxx"); n > htmlLineBytes/10 {
		t.Errorf("a line of a megabyte is not cut: %d", n)
	}
}

// TestHTMLWithoutOrigin checks that a page says nothing of own layers if the base is
// unknown.
func TestHTMLWithoutOrigin(t *testing.T) {
	page := written(t, "html", &Input{Report: shop()})
	for _, part := range []string{"Own layers", "The base image", `class="source"`, `id="dockerfile"`, "of-base\"", "whole split"} {
		if strings.Contains(page, part) {
			t.Errorf("the page holds %s", part)
		}
	}
}
