package secrets

import "testing"

func TestWanted(t *testing.T) {
	for path, want := range map[string]bool{
		"/app/src/index.js": true, "root/.npmrc": true, "/etc/ssl/server.key": true, "/usr/share/nginx/html/config.js": true, "/app/test/index.js": true, "/usr/lib/app/x": true,
		"/app/node_modules/a/index.js": false, "app/node_modules/a/.npmrc": true, "/app/node_modules/a/key.pem": true, "/app/node_modules/.env": true, "/app/node_modules/a/id_rsa": true,
		"/usr/local/go/src/fmt/print.go": false, "/usr/lib/python3.13/ssl.py": false, "/usr/local/lib/python3.12/site-packages/a/b.py": false, "/usr/lib/python3/pip.conf": true,
		"/usr/share/doc/a/copyright": false, "/root/go/pkg/mod/a/b.go": false, "node_modules": true,
	} {
		if got := Wanted(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func TestPublished(t *testing.T) {
	for path, want := range map[string]bool{
		"/usr/local/go/src/crypto/x509/platform_root_key.pem":                 true,
		"/usr/lib/python3.13/test/certdata/keycert.pem":                       true,
		"/usr/local/lib/python3.12/site-packages/botocore/data/examples.json": true,
		"/app/node_modules/https-proxy-agent/test/ssl-cert-snakeoil.key":      true,
		"/root/go/pkg/mod/example.org/tls@v1.0.0/key.go":                      true,
		"/src/server/tls_test.go":                                             true,
		"/src/README.md":                                                      true,
		"/app/.env.example":                                                   true,
		"/usr/share/doc/libxmlsec1-dev/examples/rsakey.pem":                   true,
		"/opt/go/src/crypto/x509/platform_root_key.pem":                       true,
		"/etc/ssl/private/ssl-cert-snakeoil.key":                              true,
		"app/testdata/key.pem":                                                true,

		"/root/.ssh/id_rsa":                 false,
		"/app/.env":                         false,
		"/usr/share/nginx/html/config.js":   false,
		"/etc/ssl/private/server.key":       false,
		"/app/latest/key.pem":               false,
		"/app/testimony.pem":                false,
		"/go/src/app/key.pem":               false,
		"/usr/local/lib/app/key.pem":        false,
		"/test":                             false,
		"/usr/lib/app/service-account.json": false,
		"/home/me/.config/gh/hosts.yml":     false,
		"":                                  false,
	} {
		if got := Published(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
