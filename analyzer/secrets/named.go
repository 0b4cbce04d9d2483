package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// file is a kind of file that holds secrets in places of its own.
type file struct {
	Kind
	// ends are the ends of paths: "/" and a name, or more of a path.
	ends []string
	// secrets returns the secrets in it.
	secrets func(text []byte) []string
}

// files returns the files that are known by name.
func files() []file {
	return []file{
		{Kind{Name: "npmrc", Means: "npm registry password", Form: "`.npmrc`: `_authToken`, `_auth`, `_password`"},
			[]string{"/.npmrc", "/etc/npmrc"}, values(regexp.MustCompile(`(?m)^[^#;\n=]*_(?:authToken|auth|password)[ \t]*=[ \t]*(.*)$`))},
		{Kind{Name: "docker-config", Means: "registry password", Form: "`.docker/config.json`, `.dockercfg`, `containers/auth.json`: `auth`, `password`, `identitytoken`, `registrytoken` of `auths`"},
			[]string{"/.docker/config.json", "/.dockercfg", "/.dockerconfigjson", "/containers/auth.json"}, dockerSecrets},
		{Kind{Name: "git-credentials", Means: "git password", Form: "`.git-credentials`, `.git/config`: the password of a URL"},
			[]string{"/.git-credentials", "/git/credentials", "/.git/config", "/.gitconfig"}, urlPasswords},
		{Kind{Name: "netrc", Means: "password", Form: "`.netrc`: `password`"},
			[]string{"/.netrc", "/_netrc"}, values(regexp.MustCompile(`(?m)(?:^|\s)password\s+(\S+)`))},
		{Kind{Name: "pypirc", Means: "package index password", Form: "`.pypirc`: `password`"},
			[]string{"/.pypirc"}, values(regexp.MustCompile(`(?m)^\s*password\s*[=:]\s*(.*)$`))},
		{Kind{Name: "pip-config", Means: "package index password", Form: "`pip.conf`, `pip.ini`, `uv.toml`: the password of a URL"},
			[]string{"/pip.conf", "/pip.ini", "/uv.toml"}, urlPasswords},
		{Kind{Name: "kubeconfig", Means: "Kubernetes credential", Form: "`.kube/config`, `kubeconfig`, `kubernetes/admin.conf`: `token`, and `client-key-data` that is a private key"},
			[]string{"/.kube/config", "/kubeconfig", "/kubernetes/admin.conf", "/kubeconfig.yaml", "/kubeconfig.yml"}, kubeSecrets},
		{Kind{Name: "env-file", Means: "password in a URL", Form: "`.env`, `.env.local`, `.envrc` …: the password of a URL with letters and digits, not for localhost; tokens and keys are found everywhere"},
			[]string{"/.env", "/.env.local", "/.env.production", "/.env.prod", "/.env.development", "/.env.staging", "/.envrc"}, envPasswords},
		{Kind{Name: "cargo-credentials", Means: "crates.io token", Form: "`.cargo/credentials`, `.cargo/credentials.toml`: `token`"},
			[]string{"/.cargo/credentials", "/.cargo/credentials.toml"}, values(regexp.MustCompile(`(?m)^\s*token\s*=\s*(.*)$`))},
		{Kind{Name: "composer-auth", Means: "Composer password", Form: "`.composer/auth.json`, `composer/auth.json`: every password and token"},
			[]string{"/.composer/auth.json", "/composer/auth.json"}, composerSecrets},
		{Kind{Name: "maven-settings", Means: "Maven password", Form: "`.m2/settings.xml`: `password` that is not encrypted"},
			[]string{"/.m2/settings.xml"}, values(regexp.MustCompile(`<password>\s*([^<{]*?)\s*</password>`))},
		{Kind{Name: "gcloud-credentials", Means: "Google Cloud refresh token", Form: "`gcloud/application_default_credentials.json`: `refresh_token`"},
			[]string{"/gcloud/application_default_credentials.json"}, values(regexp.MustCompile(`"refresh_token"\s*:\s*"([^"]*)"`))},
		{Kind{Name: "pgpass", Means: "PostgreSQL password", Form: "`.pgpass`: the last field"},
			[]string{"/.pgpass"}, values(regexp.MustCompile(`(?m)^[^#:\n]+:[^:\n]*:[^:\n]*:[^:\n]*:(.*)$`))},
	}
}

// namedKinds returns the kinds that have no anchor.
func namedKinds() []Kind {
	var out []Kind
	for _, f := range files() {
		out = append(out, f.Kind)
	}
	return append(out,
		Kind{Name: urlPassword, Means: "password in a URL", Form: "`scheme://user:password@host` with letters and digits, not for localhost, in the configuration and the history of the image"},
		Kind{Name: authorization, Means: "Authorization header", Form: "`Authorization: Bearer …`, `Basic …` or `token …`, in the configuration and the history"},
		Kind{Name: Suspicious, Means: "value that looks like a secret", Form: "an environment variable, label or build argument whose name says password, secret, token or key, with a value of letters and digits; severity info"},
	)
}

// named finds the secrets of a file that is known by its name.
func (s *scan) named(path string) {
	path = "/" + strings.TrimLeft(path, "/")
	for _, f := range table().byName[path[strings.LastIndexByte(path, '/'):]] {
		if !slices.ContainsFunc(f.ends, func(end string) bool { return strings.HasSuffix(path, end) }) {
			continue
		}
		at := 0
		for _, secret := range f.secrets(s.text) {
			if len(secret) < 6 || len(secret) > 16<<10 || standsFor(secret) {
				continue
			}
			i := bytes.Index(s.text[at:], []byte(secret))
			if i < 0 { // they are not in order
				at = 0
				if i = bytes.Index(s.text, []byte(secret)); i < 0 {
					continue // it is written with escapes
				}
			}
			s.add(f.Name, span{from: at + i, to: at + i + len(secret), what: f.Means})
			at += i
		}
	}
}

// standsFor reports whether the value of a setting only stands for a secret: a
// variable, a placeholder, or the word itself.
func standsFor(value string) bool {
	if strings.ContainsAny(value, "${}<>%*…") && (strings.ContainsAny(value[:1], "$<{%*") || strings.Contains(value, "${") || strings.Contains(value, "{{")) {
		return true
	}
	switch strings.Trim(strings.ToLower(value), `"'`) {
	case "password", "passwd", "secret", "token", "x-oauth-basic", "anonymous", "changeit", "postgres", "username", "hunter2":
		return true
	}
	return placeholder(value)
}

// values returns the function that finds what the first group of re matches.
func values(re *regexp.Regexp) func([]byte) []string {
	return func(text []byte) []string {
		var out []string
		for _, m := range re.FindAllSubmatch(text, MaxHits) {
			out = append(out, strings.Trim(strings.TrimSpace(string(m[1])), `"'`))
		}
		return out
	}
}

// urlPattern matches a URL with a password.
var urlPattern = regexp.MustCompile(`[a-z][a-z0-9+.-]{1,20}://[^\s/:@"'<>]{0,100}:([^\s/@"'<>]{1,300})@[A-Za-z0-9\[]`)

// goodPassword reports whether the password in a match of urlPattern is that of a
// service: not a mere word, and not for this machine.
func goodPassword(text []byte, match []int) bool {
	host := text[match[3]+1:]
	return suspiciousValue(string(text[match[2]:match[3]])) && !bytes.HasPrefix(host, []byte("localhost")) && !bytes.HasPrefix(host, []byte("127.0.0.1"))
}

// envPasswords returns the passwords of the URLs in a file of settings, which often
// has those of a development machine.
func envPasswords(text []byte) []string {
	var out []string
	for _, m := range urlPattern.FindAllSubmatchIndex(text, MaxHits) {
		if goodPassword(text, m) {
			out = append(out, string(text[m[2]:m[3]]))
		}
	}
	return out
}

func urlPasswords(text []byte) []string {
	return values(urlPattern)(text)
}

// dockerSecrets returns the passwords of a configuration file of docker.
func dockerSecrets(text []byte) []string {
	type auth struct{ Auth, Password, IdentityToken, RegistryToken string }
	var config struct{ Auths map[string]auth }
	var old map[string]auth // .dockercfg
	if json.Unmarshal(text, &config) != nil || len(config.Auths) == 0 && json.Unmarshal(text, &old) != nil {
		return nil
	}
	var out []string
	for _, all := range []map[string]auth{config.Auths, old} {
		for _, a := range all {
			if plain, err := base64.StdEncoding.DecodeString(a.Auth); err == nil {
				if _, password, ok := strings.Cut(strings.TrimRight(string(plain), "\x00"), ":"); ok && len(password) >= 4 && !standsFor(password) {
					out = append(out, a.Auth)
				}
			}
			out = append(out, a.Password, a.IdentityToken, a.RegistryToken)
		}
	}
	slices.Sort(out)
	return out
}

// kubeSecrets returns the tokens of a kubeconfig and its keys.
func kubeSecrets(text []byte) []string {
	var out []string
	for _, v := range values(kubeKey)(text) {
		if pem, err := base64.StdEncoding.DecodeString(v); err == nil {
			const anchor = "PRIVATE KEY" + dashes
			if _, ok := findPEM(&scan{text: pem}, max(0, bytes.Index(pem, []byte(anchor))), anchor); ok {
				out = append(out, v)
			}
		}
	}
	for _, v := range values(kubeToken)(text) {
		if len(v) >= 20 {
			out = append(out, v)
		}
	}
	return out
}

var (
	kubeKey   = regexp.MustCompile(`(?m)^\s*(?:- )?client-key-data:\s*(\S+)\s*$`)
	kubeToken = regexp.MustCompile(`(?m)^\s*(?:- )?token:\s*(\S+)\s*$`)
)

// composerSecrets returns the strings in an auth.json that are no user names.
func composerSecrets(text []byte) []string {
	var all map[string]map[string]any
	if json.Unmarshal(text, &all) != nil {
		return nil
	}
	var out []string
	for _, hosts := range all {
		for _, v := range hosts {
			switch v := v.(type) {
			case string:
				out = append(out, v)
			case map[string]any:
				for _, key := range []string{"password", "token", "consumer-secret"} {
					if secret, ok := v[key].(string); ok {
						out = append(out, secret)
					}
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
