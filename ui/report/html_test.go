package report

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
)

// shop returns a report with a finding of every kind: layer 2 changes the owner of
// what layer 1 stores.
func shop() *facts.Report {
	finding := func(rule, severity, title string, places ...facts.Place) facts.Finding {
		f := facts.Finding{Rule: rule, Severity: severity, Certainty: facts.CertainProven, Title: title, Places: places, Owner: facts.OwnerUnknown}
		for _, p := range places {
			f.Bytes += p.Bytes
		}
		return f
	}
	chown := finding("stored-again", "warn", "layer 2 stores again what layer 1 stores", facts.Place{Path: "/app/node modules", Layer: 1, Bytes: 537_000_000, Files: 4200, HiddenBy: 2})
	chown.Layers, chown.Fix = []int{1, 2}, facts.Fix{Text: "set the owner in the step that stores the files", Lines: []string{"COPY --chown=node:node . /app", `RUN printf 'a\nb' \`}}
	cache := finding("package-cache", "warn", "npm's cache is in layer 1", facts.Place{Path: "/root/.npm", Layer: 1, Bytes: 250_000_000, Files: 900, HiddenBy: -1})
	cache.Layers, cache.MorePlaces = []int{1}, 1234
	small := finding("overwritten", "warn", "layer 1 replaces what layer 0 stores", facts.Place{Path: "/etc/a", Layer: 0, Bytes: 2000, HiddenBy: 1})
	small.Layers = []int{0, 1}
	smaller := finding("removed-later", "warn", "layer 1 removes what layer 0 stores", facts.Place{Path: "/etc/b", Layer: 0, Bytes: 1000, HiddenBy: 1})
	smaller.Layers = []int{0, 1}
	docs := finding("docs", "info", "layer 0 stores manual pages", facts.Place{Path: "/usr/share/man", Layer: 0, Bytes: 90_000_000, Files: 12, HiddenBy: -1})
	docs.Layers, docs.Certainty = []int{0}, facts.CertainLikely
	key := finding("secret", "error", "a private key is in layer 1", facts.Place{Path: "/app/id_rsa", Layer: 1, HiddenBy: -1, Redacted: "MIIE… (1,675 characters)"})
	key.Layers = []int{1}
	root := finding("root-user", "info", "the image runs as root", facts.Place{Layer: -1, HiddenBy: -1})
	r := &facts.Report{
		Schema: facts.Schema, Secrets: facts.SecretsAll,
		Image: facts.Image{
			Reference: "/home/me/build/app.tar", Source: "docker-archive", Tags: []string{"docker.io/library/app:2.4"},
			Config: facts.Config{
				User: "node", Entrypoint: []string{"docker-entrypoint.sh"}, Env: []string{"PATH=/bin", "API_TOKEN=x"}, Labels: map[string]string{"team": "x"}, Volumes: []string{"/data"},
			},
		},
		Totals: facts.Totals{StoredBytes: 2_000_000_000, VisibleBytes: 983_000_000, WastedBytes: 1_017_000_000, Efficiency: 0.4915, Files: 12_345, Layers: 3},
		Layers: []facts.Layer{
			{Command: "ADD rootfs.tar /", StoredBytes: 500_000_000, VisibleBytes: 400_000_000, WastedBytes: 100_000_000},
			{Index: 1, Command: "RUN npm install", StoredBytes: 1_000_000_000, VisibleBytes: 83_000_000, WastedBytes: 917_000_000},
			{Index: 2, Command: "RUN chown -R node /app", StoredBytes: 500_000_000, VisibleBytes: 500_000_000, HidesBytes: 917_000_000},
		},
		History: []facts.Step{{Command: "CMD [\"node\"]", Layer: -1}},
		Folders: []facts.Folder{
			{Path: "/", VisibleBytes: 983_000_000, WastedBytes: 1_017_000_000, Pieces: 12_345},
			{Path: "/app", VisibleBytes: 500_000_000, WastedBytes: 537_000_000, Pieces: 9000},
			{Path: "/app/node modules", VisibleBytes: 500_000_000, WastedBytes: 537_000_000, Pieces: 8400},
		},
		Findings: []facts.Finding{chown, cache, docs, small, smaller, key, root},
	}
	for _, f := range r.Findings {
		r.Totals.FindingsBytes += f.Bytes
	}
	return r
}

// ownFrom makes the first layers those of a base image, and findings in other layers
// own ones.
func ownFrom(r *facts.Report, base int) {
	part := func(all []facts.Layer) *facts.Part {
		p := &facts.Part{Layers: len(all)}
		for _, l := range all {
			p.StoredBytes += l.StoredBytes
			p.VisibleBytes += l.VisibleBytes
			p.WastedBytes += l.WastedBytes
		}
		return p
	}
	r.Base = &facts.Base{Reference: "debian:12", Layers: base, Certainty: facts.CertainVerified, Evidence: facts.EvidenceEngine}
	r.Totals.Base, r.Totals.Own = part(r.Layers[:base]), part(r.Layers[base:])
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Owner = facts.OwnerBase
		for _, p := range f.Places {
			if p.Layer < 0 || p.Layer >= base {
				f.Owner = facts.OwnerOwn
			}
		}
	}
}

// withoutScript returns a page as a browser without scripts shows it: its elements
// without what is hidden, as text.
func withoutScript(page string) string {
	page = regexp.MustCompile(`(?s)<script.*?</script>|<style>.*?</style>|<(\w+)[^>]* hidden>.*?</(\w+)>`).ReplaceAllString(page, "")
	return html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, "\n"))
}

func TestSentence(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*facts.Report)
		want   string
	}{
		{"a secret and a chown", func(*facts.Report) {}, "A private key is in layer 1, and 537 of 1,017 MB wasted come from one chown"},
		{"a chown", func(r *facts.Report) { r.Findings = r.Findings[:5] }, "537 of 1,017 MB wasted come from one chown"},
		{"no waste", func(r *facts.Report) { r.Findings = r.Findings[1:4] }, "250 of 2,000 MB can go: npm's cache is in layer 1"},
		{"a title with the size", func(r *facts.Report) {
			r.Findings = r.Findings[1:4]
			r.Findings[0].Title = "npm's cache takes 250 MB in layer 1"
		}, "Npm's cache takes 250 MB in layer 1, of 2.0 GB in all"},
		{"wasted, and a title with the size", func(r *facts.Report) {
			r.Findings = r.Findings[3:4]
			r.Findings[0].Title = "layer 1 overwrites 2.0 kB that layer 0 stores"
		}, "Layer 1 overwrites 2.0 kB that layer 0 stores, of 1.0 GB wasted"},
		{"a chown of two layers", func(r *facts.Report) {
			other := r.Findings[0]
			other.Bytes, other.Layers, other.Places = 63_000_000, []int{0, 2}, []facts.Place{{Path: "/app", Bytes: 63_000_000, HiddenBy: 2}}
			r.Findings = append(r.Findings[:5], other)
		}, "600 of 1,017 MB wasted come from one chown"},
		{"little waste", func(r *facts.Report) { r.Findings = r.Findings[3:5] }, "2.0 kB of 1.0 GB wasted: layer 1 replaces what layer 0 stores"},
		{"not about size", func(r *facts.Report) {
			r.Findings = []facts.Finding{{Severity: facts.SeverityWarn, Title: "the image runs as root"}}
		}, "The image runs as root"},
		{"a long path", func(r *facts.Report) {
			r.Findings = []facts.Finding{{Severity: facts.SeverityError, Title: "a key is in /" + strings.Repeat("a", 60) + "/" + strings.Repeat("b", 60)}}
		}, "A key is in /aaaaaaaaaaaaaaaaaaaaaaa…bbbbbbbbbbbbbbbbbbbbbbbb"},
		{"only info", func(r *facts.Report) { r.Findings = r.Findings[2:3] }, "Little is wasted: 49.1% of 2.0 GB is visible"},
		{"nothing", func(r *facts.Report) {
			r.Findings, r.Totals = r.Findings[:0], facts.Totals{StoredBytes: 8_300_000, VisibleBytes: 8_300_000, Efficiency: 1}
		}, "Nothing is wasted: all 8.3 MB are visible"},
		{"empty", func(r *facts.Report) { *r = facts.Report{} }, "The image stores no bytes"},
		{"an older report", func(r *facts.Report) {
			r.Findings = nil
			r.Waste = []facts.Waste{
				{Path: "/a", Bytes: 500_000_000, Cause: "removed", StoredIn: 0, HiddenBy: 2}, {Path: "/b", Bytes: 400_000_000, Cause: "removed", StoredIn: 1, HiddenBy: 2},
				{Path: "/c", Bytes: 117_000_000, Cause: "removed", StoredIn: 1, HiddenBy: 2},
			}
		}, "517 of 1,017 MB wasted: layer 2 removes what layer 1 stores"},
		{"a chown in an older report", func(r *facts.Report) {
			r.Findings, r.Waste = nil, []facts.Waste{{Path: "/a", Bytes: 500_000_000, Cause: "metadata", StoredIn: 1, HiddenBy: 2}}
		}, "500 of 1,017 MB wasted come from one chown"},
		{"own layers", func(r *facts.Report) { ownFrom(r, 1) }, "A private key is in layer 1, and 537 of 917 MB wasted in own layers come from one chown"},
		{"what own layers can save", func(r *facts.Report) {
			ownFrom(r, 1)
			r.Findings = r.Findings[1:2]
		}, "250 of 1,500 MB in own layers can go: npm's cache is in layer 1"},
		{"own layers of a guessed base", func(r *facts.Report) {
			ownFrom(r, 1)
			r.Base.Certainty, r.Findings = facts.CertainGuessed, r.Findings[2:3]
		}, "Little is wasted: 49.1% of 2.0 GB is visible"},
		{"own layers that waste something", func(r *facts.Report) {
			ownFrom(r, 1)
			r.Findings = r.Findings[2:3]
		}, "Own layers waste 917 MB of 1.5 GB"},
		{"own layers that waste nothing", func(r *facts.Report) {
			ownFrom(r, 2)
			r.Findings = r.Findings[2:3]
		}, "Own layers waste nothing: all 500 MB are visible"},
		{"own layers without content", func(r *facts.Report) {
			ownFrom(r, 3)
			r.Findings = r.Findings[2:3]
		}, "Own layers store no bytes"},
	} {
		r := shop()
		tt.change(r)
		if got := newPage(&Input{Report: r}).Sentence; got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSizeOf(t *testing.T) {
	for _, tt := range []struct {
		part, whole int64
		want        string
	}{
		{537_000_000, 1_017_000_000, "537 of 1,017 MB"},
		{1_300_000_000, 2_040_000_000, "1.3 of 2.0 GB"},
		{54_000_000, 201_000_000, "54 of 201 MB"},
		{900, 999, "900 of 999 B"},
		{1, 9, "1 of 9 B"},
		{9_900, 10_200, "9.9 of 10 kB"},
		{57_100_000, 56_900_000, "all 57 MB"},
		{1_000, 99_990_000, "1.0 kB of 100 MB"},
	} {
		if got := sizeOf(tt.part, tt.whole); got != tt.want {
			t.Errorf("%d of %d: got %q, want %q", tt.part, tt.whole, got, tt.want)
		}
	}
}

func TestHTMLName(t *testing.T) {
	for _, tt := range []struct {
		reference, source string
		tags              []string
		want              string
	}{
		{"/home/me/app.tar", "docker-archive", []string{"docker.io/library/app:2.4"}, "app:2.4"},
		{"shop/app:2", "docker", []string{"docker.io/shop/app:1", "docker.io/shop/app:2"}, "shop/app:2"},
		{"ghcr.io/shop/app:2", "registry", []string{"ghcr.io/shop/app:2"}, "ghcr.io/shop/app:2"},
		{"/home/me/app.tar", "docker-archive", nil, "app.tar"},
		{"archive:build/app.tar", "oci-archive", nil, "app.tar"},
		{"oci:../layout", "oci-layout", nil, "layout"},
		{"registry:ghcr.io/shop/app@sha256:0123456789abcdef", "registry", nil, "ghcr.io/shop/app@0123456789ab"},
		{"app\x1b", "docker", nil, `app\x1b`},
		{"", "", nil, "(no name)"},
	} {
		in := &Input{Report: &facts.Report{Image: facts.Image{Reference: tt.reference, Source: tt.source, Tags: tt.tags}}}
		if got := in.tag(); got != tt.want {
			t.Errorf("%q %q: got %q, want %q", tt.reference, tt.tags, got, tt.want)
		}
	}
}

// TestHTMLFindings checks the order of the findings, which of them are open, and what
// each shows.
func TestHTMLFindings(t *testing.T) {
	page := written(t, "html", &Input{Report: shop()})
	var got []string
	for _, m := range regexp.MustCompile(`<details class="finding" id="finding-\d+" data-layers="([\d ]*)"( open)?>\n<summary><span class="saves">(.*?)</span><span class="what"><strong>(.*?)</strong> <span class="dim rule-name">(.*?)</span>`).FindAllStringSubmatch(page, -1) {
		got = append(got, html.UnescapeString(fmt.Sprintf("%s|%s|%s|%s|%s", m[1], m[2], m[3], m[4], m[5])))
	}
	want := []string{
		"1 | open||A private key is in layer 1|secret",
		"1 2 | open|537 MB|Layer 2 stores again what layer 1 stores|stored-again",
		"1 | open|250 MB|Npm's cache is in layer 1|package-cache",
		"0 1 | open|2.0 kB|Layer 1 replaces what layer 0 stores|overwritten",
		"0 1 ||1.0 kB|Layer 1 removes what layer 0 stores|removed-later",
		"0 ||90 MB|Layer 0 stores manual pages|docs, likely",
		"|||The image runs as root|root-user",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, part := range []string{
		"<p class=\"dim\">5 findings, 787 MB, and 2 for information.</p>",
		"<pre data-copy>COPY --chown=node:node . /app\nRUN printf &#39;a\\nb&#39; \\\n</pre>", // as it is, to paste
		`<a class="path" href="#path=%2fapp%2fnode%20modules"><code>/app/node modules</code></a> <span class="dim">4,200 files</span>`,
		`<summary>Evidence: <code>/app/node modules</code>, 4,200 files</summary>`,
		`<summary>Evidence: <code>/root/.npm</code> and 1,234 more, 900 or more files</summary>`,
		`<code class="redacted">MIIE… (1,675 characters)</code>`,
		`and 1,234 more: --json lists all`,
		`<td>the image’s config</td>`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't hold %s", part)
		}
	}
}

// TestHTMLInfo checks a page with findings for information only.
func TestHTMLInfo(t *testing.T) {
	r := shop()
	r.Findings = []facts.Finding{r.Findings[2], r.Findings[6]}
	text := withoutScript(written(t, "html", &Input{Report: r}))
	if !strings.Contains(text, "\nNothing needs a fix; 2 findings for information.\n") || strings.Contains(text, "More findings") || strings.Contains(text, "fixes save") {
		t.Error(text)
	}
}

// TestHTMLManyFindings checks that errors stay in a page that leaves findings out.
func TestHTMLManyFindings(t *testing.T) {
	r := shop()
	places := make([]facts.Place, facts.MaxPlaces)
	for range htmlFindings {
		r.Findings = append([]facts.Finding{{Rule: "x", Severity: facts.SeverityInfo, Title: "x", Places: places}}, r.Findings...)
	}
	page := written(t, "html", &Input{Report: r})
	if n := strings.Count(page, `<details class="finding" id="`); n != htmlFindings {
		t.Errorf("%d findings", n)
	}
	// The first 20 findings have all their places, the other 480 have 10 of 100.
	if n := strings.Count(page, "and 90 more: --json lists all"); n != 480 {
		t.Errorf("%d findings have some of their places", n)
	}
	if text := withoutScript(page); !strings.Contains(text, "A private key is in layer 1\n") || !strings.Contains(text, "7 more: --json lists all") {
		t.Error("the error or the number of the others is missing")
	}
}

// TestHTMLWithoutScript checks what can be read without the page's script.
func TestHTMLWithoutScript(t *testing.T) {
	r := shop()
	text := withoutScript(written(t, "html", &Input{Report: r}))
	for _, part := range []string{
		"\napp:2.4\n", "537 of 1,017 MB wasted come from one chown", "\nNpm's cache is in layer 1\n", "\nSet the owner in the step that stores the files\n",
		"\nCOPY --chown=node:node . /app\n", "\n/app/id_rsa\n", "\nRUN chown -R node /app\n", "917,000,000 bytes of lower layers", "\nnode modules\n", "\n1.0 GB\n", "\nCMD [\"node\"]\n", "\ndocker-entrypoint.sh\n",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in %s", part, text)
		}
	}
	if strings.Contains(text, "Search") {
		t.Error("it shows a field that needs the script")
	}
	// A report without folders has its largest waste instead.
	r.Folders, r.Waste = nil, []facts.Waste{{Path: "/app/big", Bytes: 1, Cause: "removed", HiddenBy: 1}}
	if text := withoutScript(written(t, "html", &Input{Report: r})); !strings.Contains(text, "\n/app/big\n") {
		t.Error("waste is missing")
	}
}

// TestHTMLHoldsNoSecrets checks that the page, which is made to be sent, has no values
// of the environment and no secrets of commands.
func TestHTMLHoldsNoSecrets(t *testing.T) {
	secret := "squeamish" + strings.Repeat("7ossifrage", 3)
	step := "RUN " + strings.Repeat("true && ", 11) + "APP_PASSWORD=" + secret + " make"
	r := shop()
	// The list of offenders shortens steps: here, in the middle of the secret.
	long := "RUN " + strings.Repeat("true && ", 11) + "curl https://me:" + secret + "@shop.example/"
	r.Layers[0].Command, r.Layers[1].Command, r.Layers[2].Command = "/bin/sh -c "+step, long, step
	r.History = []facts.Step{{Command: "ENV APP_PASSWORD=" + secret}}
	r.Layers[1].Added = 5
	c := &r.Image.Config
	c.Entrypoint, c.Cmd = []string{"sh", "-c", step}, []string{"https://me:" + secret + "@shop.example/"}
	c.Env, c.Labels = append(c.Env, "A="+secret), map[string]string{"team": secret}
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Title, f.Fix = step, facts.Fix{Text: step, Lines: []string{step}}
	}
	r.Waste = []facts.Waste{{Path: "/a", Bytes: 1_017_000_000, Cause: "removed", StoredIn: 1, HiddenBy: 2}}
	inspect.HideSecrets(r) // as for every report that is printed
	in := judged(t, r, gate.Limits{{Rule: gate.MaxWastedBytes, Unit: gate.Bytes}, {Rule: gate.MaxFiles, Unit: gate.Count}, {Rule: gate.MaxFindingsBytes, Unit: gate.Bytes}})
	page := written(t, "html", in)
	for _, part := range []string{"squeamish", "ossifrage"} {
		if i := strings.Index(page, part); i >= 0 {
			t.Errorf("the page holds %s: %s", part, page[max(i-200, 0):i+50])
		}
	}
	for _, part := range []string{"<code>API_TOKEN</code>", "<code>team</code>", "<code>/data</code>", "APP_PASSWORD=sque… (39 characters) make</code>"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't hold %s", part)
		}
	}
}

// TestHTMLBar checks that the bar of the whole image is as wide as its layers.
func TestHTMLBar(t *testing.T) {
	page := written(t, "html", &Input{Report: shop()})
	var got []string
	for _, m := range regexp.MustCompile(`<rect class="(.)" x="(.*?)" width="(.*?)"/><rect class="(.)" x="(.*?)" width="(.*?)"/>`).FindAllStringSubmatch(page, -1) {
		got = append(got, strings.Join(m[1:], " "))
	}
	want := "v 0.000% 20.000% w 20.000% 5.000%, v 25.000% 4.150% w 29.150% 45.850%, v 75.000% 25.000% w 100.000% 0.000%"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}

// TestHTMLOfOldReport checks a report of an earlier version, which has no findings: its
// waste takes their place.
func TestHTMLOfOldReport(t *testing.T) {
	r := shop()
	r.Findings, r.Totals.FindingsBytes = nil, 0
	for i := range 150 {
		r.Waste = append(r.Waste, facts.Waste{Path: fmt.Sprintf("/f%03d", i), Bytes: 1_000_000, Cause: "metadata", StoredIn: 1, HiddenBy: 2})
	}
	r.Waste = append(r.Waste, facts.Waste{Path: "/twice", Bytes: 9, Cause: "repeated", StoredIn: 2, HiddenBy: 2})
	text := withoutScript(written(t, "html", &Input{Report: r}))
	for _, part := range []string{
		"\nLargest waste\n", "Layer 2 stores again what layer 1 stores", "Evidence: \n/f000\n and 149 more\n", "and 50 more: --json lists all", "Layer 2 stores files more than once",
		"An earlier version wrote this report, without findings.",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q", part)
		}
	}
	for i := range 20 {
		r.Layers = append(r.Layers, facts.Layer{Index: 3 + i})
		r.Waste = append(r.Waste, facts.Waste{Path: "/x", Bytes: 10, Cause: "removed", HiddenBy: 3 + i})
	}
	if n := strings.Count(written(t, "html", &Input{Report: r}), `<details class="finding" id="`); n != htmlWaste {
		t.Errorf("%d groups of waste", n)
	}
	if strings.Contains(text, "fixes save") || strings.Contains(text, "What to change") {
		t.Error("the page claims that fixes are known")
	}
}

func TestHTMLIsSafe(t *testing.T) { isSafePage(t, written(t, "html", hostile(t))) }

// isSafePage checks that a page of a hostile image has its own scripts and none of the
// image's.
func isSafePage(t *testing.T, page string) {
	t.Helper()
	if n := strings.Count(page, "<script"); n != 2 {
		t.Errorf("%d scripts", n)
	}
	if strings.Contains(page, "alert(1)<") || strings.Contains(page, "<!--") {
		t.Error("markup of a name is in the page")
	}
	for _, word := range []string{" src=", "http://x.example\"", "@import", "url(", " onclick="} {
		if strings.Contains(page, word) {
			t.Errorf("the page holds %s", word)
		}
	}
	data := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page)
	d := json.NewDecoder(strings.NewReader(data[1]))
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		// The page's script shows these as they are.
		if text, ok := token.(string); ok && strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }) {
			t.Errorf("the script gets %q", text)
		}
	}
	for _, part := range []string{pageCSS, pageJS} {
		if !strings.Contains(page, part) || !strings.Contains(html.UnescapeString(page), hashOf(part)) {
			t.Error("a part of the page isn't what its policy says")
		}
	}
}

func TestHTMLHostileFindings(t *testing.T) {
	in := hostile(t)
	in.Report.Findings = []facts.Finding{{
		Rule: hostileName, Severity: facts.SeverityError, Certainty: hostileName, Title: hostileName, Layers: []int{0, 1},
		Fix:    facts.Fix{Text: hostileName, Lines: []string{hostileName, "javascript:alert(1)"}},
		Places: []facts.Place{{Path: hostileName, Layer: 0, HiddenBy: 1, Redacted: hostileName}},
	}}
	in.Report.History = []facts.Step{{Command: hostileName}}
	in.Report.Image.Tags = []string{hostileName}
	in.Report.Image.Config = facts.Config{User: hostileName, Cmd: []string{hostileName}, Env: []string{hostileName}, Labels: map[string]string{hostileName: hostileName}}
	page := written(t, "html", in)
	isSafePage(t, page)
	if !strings.Contains(page, `href="#path=%2fa%3c%2fscript%3e%3cscript%3ealert%281%29`) {
		t.Error("the path isn't escaped in its link")
	}
}
