package secrets

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// Secrets are put together while the tests run, so that no scanner finds one in this
// file.

const (
	letters  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	decimals = "0123456789"
	upper    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + decimals
	word     = letters + decimals
	hexes    = "0123456789abcdef"
)

// random returns n characters, the same ones in every run.
func random(set string, n int) string {
	r := mathrand.New(mathrand.NewPCG(uint64(n), uint64(len(set))))
	for {
		out := make([]byte, n)
		for i := range out {
			out[i] = set[r.IntN(len(set))]
		}
		if !placeholder(string(out)) {
			return string(out)
		}
	}
}

// withCRC returns 30 characters and their checksum, as GitHub and npm write them.
func withCRC() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	body := random(word, 30)
	sum := make([]byte, 6)
	for n, i := crc32.ChecksumIEEE([]byte(body)), 5; i >= 0; i-- {
		sum[i] = digits[n%62]
		n /= 62
	}
	return body + string(sum)
}

func grafana() string {
	text := "gl" + "sa_" + random(word, 32)
	return text + "_" + hex.EncodeToString(binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text))))
}

// tokens holds a token of each kind that has an anchor and is no key.
func tokens() map[string]string {
	return map[string]string{
		"aws-access-key":      "AK" + "IA" + random("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
		"aws-secret-key":      random(word+"/+", 40),
		"github-token":        "gh" + "p_" + withCRC(),
		"github-pat":          "github" + "_pat_" + random(word, 22) + "_" + random(word, 59),
		"gitlab-token":        "gl" + "pat-" + random(word, 20),
		"npm-token":           "np" + "m_" + withCRC(),
		"pypi-token":          "pypi" + "-AgEIcHlwaS5vcmc" + random(word, 120),
		"rubygems-token":      "ruby" + "gems_" + random(hexes, 48),
		"docker-token":        "dckr" + "_pat_" + random(word, 27),
		"artifactory-token":   "AK" + "Cp" + random(word, 69),
		"slack-token":         "xo" + "xb-" + random(decimals, 12) + "-" + random(decimals, 13) + "-" + random(word, 24),
		"slack-webhook":       "hooks.slack" + ".com/services/T" + random(upper, 8) + "/B" + random(upper, 10) + "/" + random(word, 24),
		"discord-webhook":     "discord" + ".com/api/webhooks/" + random(decimals, 18) + "/" + random(word, 68),
		"stripe-key":          "sk" + "_live_" + random(word, 24),
		"square-secret":       "sq0" + "csp-" + random(word, 43),
		"shopify-token":       "shp" + "at_" + random(hexes, 32),
		"sendgrid-key":        "S" + "G." + random(word, 22) + "." + random(word, 43),
		"brevo-key":           "xkey" + "sib-" + random(hexes, 64) + "-" + random(word, 16),
		"openai-key":          "sk" + "-proj-" + random(word, 74) + "T3Blbk" + "FJ" + random(word, 74),
		"anthropic-key":       "sk" + "-ant-api03-" + random(word, 93) + "AA",
		"huggingface-token":   "h" + "f_" + random(letters, 34),
		"groq-key":            "gs" + "k_" + random(word, 52),
		"openrouter-key":      "sk" + "-or-v1-" + random(hexes, 64),
		"perplexity-key":      "pp" + "lx-" + random(word, 48),
		"google-api-key":      "AI" + "za" + random(word, 35),
		"google-oauth-secret": "GOC" + "SPX-" + random(word, 28),
		"azure-storage-key":   random(word, 86) + "==",
		"digitalocean-token":  "dop" + "_v1_" + random(hexes, 64),
		"databricks-token":    "da" + "pi" + random(hexes, 32),
		"grafana-token":       grafana(),
		"terraform-token":     random(word, 14) + ".atlas" + "v1." + random(word, 67),
		"vault-token":         "hv" + "s." + random(word, 95),
		"pulumi-token":        "pu" + "l-" + random(hexes, 40),
		"doppler-token":       "dp" + ".pt." + random(word, 43),
		"linear-key":          "lin" + "_api_" + random(word, 40),
		"notion-token":        "nt" + "n_" + random(decimals, 11) + random(word, 35),
		"postman-key":         "PM" + "AK-" + random(hexes, 24) + "-" + random(hexes, 34),
		"sentry-token":        "snt" + "ryu_" + random(hexes, 64),
		"newrelic-key":        "NR" + "AK-" + random(upper, 27),
		"planetscale-token":   "pscale" + "_tkn_" + random(word, 43),
		"supabase-token":      "sb" + "p_" + random(hexes, 40),
		"dynatrace-token":     "dt0" + "c01." + random(upper, 24) + "." + random(upper, 64),
		"atlassian-token":     "ATATT3x" + "FfGF0" + random(word, 170) + "=" + random(upper[:6]+decimals, 8),
		"onepassword-token":   "ops" + "_eyJ" + random(word, 300),
		"tailscale-key":       "tskey" + "-auth-" + random(word, 17) + "-" + random(word, 32),
	}
}

// around says what precedes a token, for kinds that need it.
var around = map[string]string{"aws-secret-key": "aws_secret_access_key = ", "azure-storage-key": "AccountName=x;AccountKey="}

func TestTokens(t *testing.T) {
	all := tokens()
	for _, k := range Kinds() {
		if len(k.anchors) == 0 || strings.HasSuffix(k.Name, "key") && all[k.Name] == "" || k.Name == "jwk" {
			continue // see TestKeys and TestNamedFiles
		}
		token := all[k.Name]
		if token == "" {
			t.Errorf("%s: no token to test it with", k.Name)
			continue
		}
		text := "first line\n" + around[k.Name] + token + "\nlast line"
		got, more := Scan("/app/settings", []byte(text))
		if len(got) != 1 || more != 0 || got[0].Kind != k.Name || got[0].Line != 2 || got[0].What != k.Means {
			t.Errorf("%s: got %+v and %d more, want one on line 2", k.Name, got, more)
			continue
		}
		if want := fmt.Sprintf("%s… (%d characters)", token[:4], len(token)); got[0].Redacted != want {
			t.Errorf("%s: got %q, want %q", k.Name, got[0].Redacted, want)
		}
		for what, text := range map[string]string{
			"one character less":  around[k.Name] + token[:len(token)-1],
			"one character more":  around[k.Name] + token + "q",
			"inside a word":       "x" + strings.TrimSuffix(around[k.Name], "= ") + token,
			"repeated characters": around[k.Name] + token[:5] + strings.Repeat("x", len(token)-5),
		} {
			if loose := strings.Contains("gitlab-token pypi-token stripe-key vault-token planetscale-token onepassword-token tailscale-key terraform-token atlassian-token discord-webhook", k.Name); loose && strings.HasPrefix(what, "one") {
				continue // any length within limits
			}
			if k.Name == "docker-token" && what == "one character more" || what == "inside a word" && strings.Contains("slack-webhook discord-webhook azure-storage-key aws-secret-key", k.Name) {
				continue
			}
			if got, _ := Scan("/app/settings", []byte(text)); len(got) > 0 {
				t.Errorf("%s with %s: got %+v, want nothing", k.Name, what, got)
			}
		}
	}
}

// TestGitHubChecksum checks a token that GitHub published to explain the format.
func TestGitHubChecksum(t *testing.T) {
	token := "gh" + "p_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
	got, _ := Scan("/a", []byte(token))
	if len(got) != 1 || !got[0].Proven {
		t.Errorf("got %+v, want a proven token", got)
	}
	if got, _ := Scan("/a", []byte(strings.Replace(token, "0mLq17", "0mLq18", 1))); len(got) > 0 {
		t.Errorf("got %+v with a wrong checksum", got)
	}
}

func TestPlaceholders(t *testing.T) {
	for _, text := range []string{
		"AKIA" + "IOSFODNN7EXAMPLE",
		"AKIA" + strings.Repeat("X", 16),
		"aws_secret_access_key=" + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		"glpat-" + strings.Repeat("x", 20),
		"glpat-" + "your-token-goes-here1",
		"sk_live_" + "1234567890abcdefghijklmn",
		"sk_live_" + strings.Repeat("ab", 12),
		"dop_v1_" + strings.Repeat("0123456789abcdef", 4),
		"hf_" + strings.Repeat("abcdefgh", 4) + "ij",
		"xoxb-" + "000000000000-000000000000-xxxxxxxxxxxxxxxxxxxxxxxx",
		"AccountKey=" + "Eby8vdM02xNOcq" + "FlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
	} {
		if got, _ := Scan("/app/settings", []byte(text)); len(got) > 0 {
			t.Errorf("%s: got %+v, want nothing", text, got)
		}
	}
}

func TestWhereTokensBegin(t *testing.T) {
	token := tokens()["huggingface-token"]
	for _, text := range []string{token, " " + token, "K=" + token, `{"k":"` + token + `"}`, "a\\nK=" + token, "see [" + token + "]", token + "\n"} {
		if got, _ := Scan("/a", []byte(text)); len(got) != 1 {
			t.Errorf("%q: got %+v, want one", text, got)
		}
	}
	token = tokens()["github-token"]
	for offset := range 24 { // each place that a gram can have among the bytes that are looked at
		text := strings.Repeat(".", offset) + token + strings.Repeat(".", offset%5)
		if got, _ := Scan("/a", []byte(text)); len(got) != 1 || got[0].Offset != offset {
			t.Errorf("at %d: got %+v, want one", offset, got)
		}
	}
}

func pemOf(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

const secretKey = "PRIVATE" + " KEY"

// sshKey returns an Ed25519 key in OpenSSH's format.
func sshKey(seed []byte, cipher string) []byte {
	str := func(b []byte, s string) []byte {
		return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	public := str(str(nil, "ssh-ed25519"), string(seed))
	private := str(str(str([]byte("abcdabcd"), "ssh-ed25519"), string(seed)), string(seed)+string(seed))
	out := str(str(str([]byte("openssh-key-v1\x00"), cipher), "none"), "")
	out = binary.BigEndian.AppendUint32(out, 1)
	return str(str(out, string(public)), string(private))
}

// pgpKey returns a secret key packet in ASCII armor.
func pgpKey(secret []byte) string {
	packet := append([]byte{5<<2 | 0x80, byte(len(secret))}, secret...)
	sum := base64.StdEncoding.EncodeToString(crc24(packet))
	return "-----BEGIN PGP " + secretKey + " BLOCK-----\nVersion: x\n\n" + base64.StdEncoding.EncodeToString(packet) + "\n=" + sum + "\n-----END PGP " + secretKey + " BLOCK-----\n"
}

// TestCRC24 tests the checksum against the value that RFC 9580 gives for no bytes.
func TestCRC24(t *testing.T) {
	if got := base64.StdEncoding.EncodeToString(crc24(nil)); got != "twTO" {
		t.Errorf("got %s, want twTO", got)
	}
}

// keys returns private keys in each form.
func keys(t testing.TB) map[string]string {
	t.Helper()
	must := func(der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	must(nil, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(nil, err)
	public, edKey, err := ed25519.GenerateKey(rand.Reader)
	must(nil, err)
	pkcs1 := pemOf("RSA "+secretKey, x509.MarshalPKCS1PrivateKey(rsaKey))
	locked, err := x509.EncryptPEMBlock(rand.Reader, "RSA "+secretKey, x509.MarshalPKCS1PrivateKey(rsaKey), []byte("x"), x509.PEMCipherAES128) //nolint:staticcheck // a form that exists
	must(nil, err)
	sealed := must(asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}}, public}))
	b64 := base64.RawURLEncoding.EncodeToString
	dsa := must(asn1.Marshal(struct{ V, P, Q, G, Y, X *big.Int }{new(big.Int), rsaKey.N, rsaKey.Primes[0], big.NewInt(7), rsaKey.D, new(big.Int).Sub(rsaKey.Primes[0], big.NewInt(5))}))
	pkcs8 := pemOf(secretKey, must(x509.MarshalPKCS8PrivateKey(ecKey)))
	inJSON := must(json.Marshal(map[string]string{"type": "service_account", "private_key": pemOf(secretKey, must(x509.MarshalPKCS8PrivateKey(rsaKey)))}))
	return map[string]string{
		"RSA private key":                             pkcs1,
		"EC private key":                              pemOf("EC "+secretKey, must(x509.MarshalECPrivateKey(ecKey))),
		"EC private key, indented":                    "  key: |\n    " + strings.ReplaceAll(pkcs8, "\n", "\n    "),
		"DSA private key":                             pemOf("DSA "+secretKey, dsa),
		"Ed25519 private key":                         pemOf(secretKey, must(x509.MarshalPKCS8PrivateKey(edKey))),
		"RSA private key, in JSON":                    string(inJSON),
		"RSA private key, in code":                    "const key = \"" + strings.ReplaceAll(strings.TrimSpace(pkcs1), "\n", "\\n\" +\n  \"") + "\"",
		"RSA private key, with carriage returns":      strings.ReplaceAll(pkcs1, "\n", "\r\n"),
		"RSA private key with a passphrase":           string(pem.EncodeToMemory(locked)),
		"private key with a passphrase":               pemOf("ENCRYPTED "+secretKey, sealed),
		"Ed25519 private key (SSH)":                   pemOf("OPENSSH "+secretKey, sshKey(public, "none")),
		"Ed25519 private key (SSH) with a passphrase": pemOf("OPENSSH "+secretKey, sshKey(public, "aes256-ctr")),
		"PGP private key":                             pgpKey(public),
		"PuTTY private key":                           "PuTTY-User-Key-File-" + "3: ssh-ed25519\r\nEncryption: none\r\nComment: me\r\nPublic-Lines: 1\r\nAAAA\r\nPrivate-Lines: 1\r\n" + base64.StdEncoding.EncodeToString(public) + "\r\nPrivate-MAC: 00\r\n",
		"PuTTY private key with a passphrase":         "PuTTY-User-Key-File-" + "2: ssh-rsa\nEncryption: aes256-cbc\nComment: me\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\n" + base64.StdEncoding.EncodeToString(public) + "\n",
		"EC private key (JWK)":                        `{"crv":"P-256","kty":"EC","d":"` + b64(ecKey.D.FillBytes(make([]byte, 32))) + `"}`, //nolint:staticcheck // the number is what is needed
		"OKP private key (JWK)":                       `{"keys":[{"kty":"OKP","x":"` + b64(public) + `","d":"` + b64(edKey.Seed()) + `"}]}`,
		"RSA private key (JWK)":                       `{"kty":"RSA","n":"` + b64(rsaKey.N.Bytes()) + `","d":"` + b64(rsaKey.D.Bytes()) + `"}`,
	}
}

func TestKeys(t *testing.T) {
	for what, text := range keys(t) {
		got, _ := Scan("/app/key", []byte("x\n"+text+"\ny"))
		noun, _, _ := strings.Cut(what, ", i")
		noun, _, _ = strings.Cut(noun, ", with")
		if len(got) != 1 || got[0].What != noun || !got[0].Proven || got[0].Locked != strings.Contains(what, "passphrase") {
			t.Errorf("%s: got %+v", what, got)
		}
		if len(got) == 1 && strings.Contains(got[0].Redacted, "-") {
			t.Errorf("%s: %q shows nothing of the key", what, got[0].Redacted)
		}
		// Half of a key is none.
		if got, _ := Scan("/app/key", []byte(text[:len(text)/2])); len(got) > 0 {
			t.Errorf("half of %s: got %+v, want nothing", what, got)
		}
	}
}

// TestAgeKey checks a key from the documentation of age, which its checksum proves.
func TestAgeKey(t *testing.T) {
	key := "AGE-SECRET-" + "KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
	got, _ := Scan("/app/key.txt", []byte("# created\n"+key+"\n"))
	if len(got) != 1 || got[0].Kind != "age-key" || !got[0].Proven {
		t.Errorf("got %+v, want a proven key", got)
	}
	if got, _ := Scan("/app/key.txt", []byte(strings.Replace(key, "GAEX", "GAEQ", 1))); len(got) > 0 {
		t.Errorf("got %+v with a wrong checksum", got)
	}
}

func TestSameKey(t *testing.T) {
	all := keys(t)
	sum := func(what string) [16]byte {
		got, _ := Scan("/a", []byte(all[what]))
		if len(got) != 1 {
			t.Fatalf("%s: got %+v", what, got)
		}
		return got[0].Sum
	}
	if a, b, c := sum("RSA private key"), sum("RSA private key, with carriage returns"), sum("RSA private key, in code"); a != b || a != c {
		t.Error("the sums of one key in three forms differ")
	}
	if sum("RSA private key") == sum("EC private key") {
		t.Error("the sums of two keys are equal")
	}
}

func TestNoKeys(t *testing.T) {
	public := "-----BEGIN PUBLIC KEY-----\n" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("public"), 20)) + "\n-----END PUBLIC KEY-----\n"
	der := x509.MarshalPKCS1PrivateKey(must1(rsa.GenerateKey(rand.Reader, 1024)))
	der[60] ^= 1 // in the modulus
	for what, text := range map[string]string{
		"a public key":        public,
		"a certificate":       pemOf("CERTIFICATE", bytes.Repeat([]byte("cert"), 100)),
		"an example":          "-----BEGIN RSA " + secretKey + "-----\nMIIEpAIBAAKCAQEA...\n-----END RSA " + secretKey + "-----",
		"random base64":       pemOf("RSA "+secretKey, []byte(random(word, 600))),
		"primes of another":   pemOf("RSA "+secretKey, der),
		"no end":              "-----BEGIN " + secretKey + "-----\nMIIE",
		"another end":         strings.Replace(pemOf("RSA "+secretKey, der), "END RSA", "END DSA", 1),
		"a name in code":      `if strings.HasPrefix(line, "-----BEGIN ` + secretKey + `-----") {`,
		"a public JWK":        `{"kty":"RSA","n":"` + random(word, 342) + `","e":"AQAB"}`,
		"a JWK with a flag d": `{"kty":"RSA","n":"` + random(word, 342) + `","d":"true"}`,
		"zeros":               pemOf(secretKey, bytes.Repeat([]byte{0}, 48)),
	} {
		if got, _ := Scan("/app/server.key", []byte(text)); len(got) > 0 {
			t.Errorf("%s: got %+v, want nothing", what, got)
		}
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNamedFiles(t *testing.T) {
	b64 := base64.StdEncoding.EncodeToString
	key := keys(t)["EC private key"]
	for _, c := range []struct {
		kind, path, text string
		not              string // the same with a placeholder
	}{
		{"npmrc", "/root/.npmrc", "//npm.example.org/:_authToken=" + random(word, 30), "//npm.example.org/:_authToken=${NPM_TOKEN}"},
		{"docker-config", "root/.docker/config.json", `{"auths":{"r.example.org":{"auth":"` + b64([]byte("me:"+random(word, 12))) + `"}}}`, `{"auths":{"r.example.org":{}},"credsStore":"pass"}`},
		{"git-credentials", "/root/.git-credentials", "https://me:" + random(word, 20) + "@git.example.org", "https://me@git.example.org"},
		{"netrc", "/home/a/.netrc", "machine a.example.org login me password " + random(word, 14), "machine a login me password <password>"},
		{"pypirc", "/root/.pypirc", "[pypi]\nusername = me\npassword = " + random(word, 14), "password = %(pass)s"},
		{"pip-config", "/etc/pip.conf", "[global]\nindex-url = https://me:" + random(word, 14) + "@pypi.example.org/simple", "index-url = https://pypi.org/simple"},
		{"kubeconfig", "/root/.kube/config", "users:\n- name: a\n  user:\n    client-key-data: " + b64([]byte(key)), "    client-key-data: " + b64([]byte("no key"))},
		{"kubeconfig", "/root/.kube/config", "    token: " + random(word, 40), "    token: short"},
		{"env-file", "/app/.env", "DATABASE_URL=postgres://me:" + random(word, 12) + "8@db/x", "DATABASE_URL=postgres://me:${PASSWORD}@db/x"},
		{"cargo-credentials", "/root/.cargo/credentials.toml", "[registry]\ntoken = \"" + random(word, 35) + "\"", "token = \"your-token\""},
		{"composer-auth", "/root/.composer/auth.json", `{"http-basic":{"r.example.org":{"username":"me","password":"` + random(word, 16) + `"}}}`, `{"http-basic":{}}`},
		{"maven-settings", "/root/.m2/settings.xml", "<server><password>" + random(word, 16) + "</password></server>", "<password>{COQLCE6DU6GtcS5P=}</password>"},
		{"gcloud-credentials", "/root/.config/gcloud/application_default_credentials.json", `{"refresh_token": "1//` + random(word, 60) + `"}`, `{"refresh_token": ""}`},
		{"pgpass", "/root/.pgpass", "db:5432:*:me:" + random(word, 12), "# host:port:db:user:password"},
	} {
		got, _ := Scan(c.path, []byte("# x\n"+c.text+"\n"))
		if strings.Contains(c.path, "json") {
			got, _ = Scan(c.path, []byte(c.text))
		}
		if len(got) != 1 || got[0].Kind != c.kind {
			t.Errorf("%s: got %+v, want one", c.path, got)
		}
		if got, _ := Scan("/app/other", []byte(c.text)); len(got) > 0 {
			t.Errorf("the text of %s in another file: got %+v, want nothing", c.path, got)
		}
		if got, _ := Scan(c.path, []byte(c.not)); len(got) > 0 {
			t.Errorf("%s in %s: got %+v, want nothing", c.not, c.path, got)
		}
	}
}

// TestOneValue tests that a token in a file that is known by name is one secret.
func TestOneValue(t *testing.T) {
	token := tokens()["npm-token"]
	got, _ := Scan("/root/.npmrc", []byte("//a/:_authToken="+token+"\n//b/:_authToken="+token+"\n//c/:_authToken="+random(word, 33)))
	var kinds []string
	for _, s := range got {
		kinds = append(kinds, s.Kind)
	}
	if diff := cmp.Diff([]string{"npm-token", "npmrc"}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestSettings(t *testing.T) {
	token := tokens()["github-token"]
	password := random(word, 14) + "7"
	for _, c := range []struct{ name, value, want string }{
		{"TOKEN", token, "github-token"},
		{"NOTHING", token, "github-token"},
		{"URL", "https://me:" + password + "@example.org/x", "url-password"},
		{"URL", "https://me:$PASSWORD@example.org/x", ""},
		{"URL", "postgres://app:app_password@db/x", ""},
		{"URL", "postgres://app:" + password + "@localhost:5432/x", ""},
		{"DB_PASSWORD", password, "suspicious-value"},
		{"npm_config_api-key", password, "suspicious-value"},
		{"DB_PASSWORD", "postgres", ""},
		{"DB_PASSWORD_FILE", "/run/secrets/db1", ""},
		{"SECRET_KEY", "$SECRET_KEY1", ""},
		{"GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568", ""},
		{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin", ""},
		{"NODE_VERSION", "22.11.0", ""},
		{"TOKEN_TTL", "3600seconds1", ""},
	} {
		got := ScanSetting(c.name, c.value)
		if kind := kindOf(got); kind != c.want {
			t.Errorf("%s=%s: got %q, want %q", c.name, c.value, kind, c.want)
		}
	}
}

func kindOf(all []Secret) string {
	var out []string
	for _, s := range all {
		out = append(out, s.Kind)
	}
	return strings.Join(out, " ")
}

func TestCommands(t *testing.T) {
	token, other := tokens()["github-token"], random(word, 24)
	for _, c := range []struct{ command, want string }{
		{"|1 TOKEN=" + token + " /bin/sh -c make", "github-token"},
		{"|2 USER=me API_TOKEN=" + other + " /bin/sh -c make", "suspicious-value"},
		{`RUN curl -H "Authorization: Bearer ` + other + `1" https://example.org`, "authorization-header"},
		{`RUN curl -H "Authorization: Basic ` + base64.StdEncoding.EncodeToString([]byte("me:"+other)) + `" https://example.org`, "authorization-header"},
		{`RUN curl -H "Authorization: Bearer $TOKEN" https://example.org`, ""},
		{"RUN git clone https://me:" + other + "@git.example.org/x.git", "url-password"},
		{"RUN git clone https://me:${TOKEN}@git.example.org/x.git", ""},
		{"ARG PASSWORD=" + other, "suspicious-value"},
		{"ENV API_KEY=" + token, "github-token"},
		{"/bin/sh -c apt-get update && apt-get install -y --no-install-recommends curl=7.88.1-10+deb12u8", ""},
		{"/bin/sh -c set -eux; export GNUPGHOME=\"$(mktemp -d)\"; gpg --batch --verify x.asc x", ""},
		{"docker build --build-arg NPM_TOKEN=" + other + " .", "suspicious-value"},
	} {
		if got := kindOf(ScanCommand(c.command)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.command, got, c.want)
		}
	}
}

func TestHide(t *testing.T) {
	token, key := tokens()["github-token"], keys(t)["RSA private key"]
	for command, want := range map[string]string{
		"RUN make":                                                "RUN make",
		"RUN a " + token + " && b " + token:                       "RUN a ghp_… (40 characters) && b ghp_… (40 characters)",
		"ENV DB_PASSWORD=correct7horse9 B=" + token:               "ENV DB_PASSWORD=cor… (14 characters) B=ghp_… (40 characters)",
		"ENV A_PASSWORD=abcd1234efgh B_PASSWORD=abcd1234efgh5678": "ENV A_PASSWORD=abc… (12 characters) B_PASSWORD=abcd… (16 characters)",
		"RUN echo \"" + key + "\"":                                "",
	} {
		got := Hide(command)
		if want != "" && got != want || strings.Contains(got, token) || strings.Contains(got, key) {
			t.Errorf("%s: got %s, want %s", command, got, want)
		}
	}
	var many strings.Builder
	for i := range MaxHits + 1 {
		fmt.Fprintf(&many, "A%d_PASSWORD=correct%dhorse9 ", i, i)
	}
	if got := Hide(many.String()); strings.Contains(got, "horse") {
		t.Errorf("got %s", got)
	}
}

func TestUTF16(t *testing.T) {
	text := "TOKEN=" + tokens()["github-token"] + "\r\n# Ünïcode\r\n"
	units := utf16.Encode([]rune(text))
	for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
		for _, mark := range []bool{true, false} {
			var p []byte
			if mark {
				p = order.AppendUint16(p, 0xfeff)
			}
			for _, u := range units {
				p = order.AppendUint16(p, u)
			}
			if got, _ := Scan("/a", p); len(got) != 1 || got[0].Kind != "github-token" {
				t.Errorf("%s-endian, byte order mark %v: got %+v, want a token", name, mark, got)
			}
		}
	}
}

func TestSilence(t *testing.T) {
	token := tokens()["github-token"]
	for what, content := range map[string][]byte{
		"a binary file":    append([]byte("\x7fELF\x00\x00"), token...),
		"a file too large": append(bytes.Repeat([]byte("\n"), MaxSize), token...),
		"an empty file":    nil,
	} {
		if got, _ := Scan("/app/id_rsa", content); len(got) > 0 {
			t.Errorf("%s: got %+v, want nothing", what, got)
		}
	}
	if got, _ := Scan("/a", []byte("\xff\xc0 "+token+"\xfe")); len(got) != 1 {
		t.Errorf("with invalid UTF-8: got %+v, want one", got)
	}
}

func TestMany(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(1, 2))
	var text strings.Builder
	for range 5000 {
		fmt.Fprintf(&text, "dop"+"_v1_%016x%016x%016x%016x\n", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64())
	}
	got, more := Scan("/a", []byte(text.String()))
	if len(got) != MaxHits || more != 5000-MaxHits {
		t.Errorf("got %d and %d more, want %d and %d", len(got), more, MaxHits, 5000-MaxHits)
	}
	if got[99].Line != 100 {
		t.Errorf("the last is on line %d, want 100", got[99].Line)
	}
}

// TestRedaction tests that no more than four characters of a secret are shown, and
// at most a quarter of it.
func TestRedaction(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"secret12", "se… (8 characters)"},
		{"abc", "… (3 characters)"},
		{"\x1b[31msecretsecret", "?[31… (17 characters)"},
		{"pässwörtpässwört", "p?ss… (16 characters)"},
	} {
		if got := redact([]byte(c.text)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, token := range tokens() {
		f.Add("/a", []byte("k="+token))
	}
	for _, key := range keys(f) {
		f.Add("/root/.kube/config", []byte(key))
	}
	for _, kind := range files() {
		f.Add("/root"+kind.ends[0], []byte(`{"auths":{"a":{"auth":"YTpiY2RlZg=="}}} https://a:bcdefgh@c`))
	}
	f.Fuzz(func(t *testing.T, path string, content []byte) {
		found, more := Scan(path, content)
		if len(found) > MaxHits || more > 0 && len(found) < MaxHits {
			t.Fatalf("%d secrets and %d more", len(found), more)
		}
		for i, s := range found {
			if s.Kind == "" || s.What == "" || s.Redacted == "" || s.Line < 1 || i > 0 && s.Offset < found[i-1].Offset {
				t.Fatalf("a wrong secret: %+v", s)
			}
		}
		ScanCommand(string(content))
		ScanSetting(path, string(content))
	})
}
