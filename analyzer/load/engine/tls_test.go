package engine

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.pem, _, a.cert, a.key = a.issue("authority", nil)
	return a
}

// issue returns a certificate and its key, as PEM and parsed. host is nil for an
// authority.
func (a *authority) issue(name string, host net.IP) (cert, key string, parsed *x509.Certificate, private *ecdsa.PrivateKey) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := a.cert, a.key
	if host == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, private
	} else {
		template.IPAddresses = []net.IP{host}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &private.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if parsed, err = x509.ParseCertificate(der); err != nil {
		a.t.Fatal(err)
	}
	k, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: k})), parsed, private
}

func TestTLS(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	serve := func(t *testing.T, host net.IP, clients bool) string {
		t.Helper()
		cert, key, _, _ := ours.issue("daemon", host)
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(daemon("1.41", nil))
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		if clients {
			s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			s.TLS.ClientCAs.AddCert(ours.cert)
		}
		s.Config.ErrorLog = quiet
		s.StartTLS()
		t.Cleanup(s.Close)
		return "tcp" + strings.TrimPrefix(s.URL, "https")
	}
	good, elsewhere := net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)
	for _, tt := range []struct {
		name    string
		env     map[string]string
		ca      string // in the folder of certificates, or ""
		client  *authority
		host    net.IP
		clients bool
		context bool // the endpoint and the certificates are in a context
		err     string
	}{
		{name: "verified", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, ca: ours.pem, host: good},
		{name: "both sides", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, ca: ours.pem, client: ours, host: good, clients: true},
		{name: "unverified", env: map[string]string{"DOCKER_TLS": "1"}, host: elsewhere},
		{name: "context", ca: ours.pem, client: ours, host: good, clients: true, context: true},
		{name: "other authority", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, ca: others.pem, host: good, err: "signed by an unknown authority"},
		{name: "context of another authority", ca: others.pem, host: good, context: true, err: "signed by an unknown authority"},
		{name: "other host", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, ca: ours.pem, host: elsewhere, err: "not valid: x509: certificate is valid for 10.0.0.1, not 127.0.0.1"},
		{name: "no certificate", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, ca: ours.pem, host: good, clients: true, err: "refused the TLS connection"},
		{name: "certificate of another", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, ca: ours.pem, client: others, host: good, clients: true, err: "refused the TLS connection"},
		{name: "no files", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, host: good, err: "/certs (DOCKER_CERT_PATH)"},
		{name: "without", host: good, err: "it requires TLS; set DOCKER_TLS_VERIFY=1"},
		{name: "plain", env: map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "DIR/certs"}, ca: ours.pem, err: "doesn't speak TLS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var url string
			if tt.host == nil {
				s := httptest.NewServer(daemon("1.41", nil))
				defer s.Close()
				url = "tcp" + strings.TrimPrefix(s.URL, "http")
			} else {
				url = serve(t, tt.host, tt.clients)
			}
			env := map[string]string{"DOCKER_HOST": url}
			for k, v := range tt.env {
				env[k] = v
			}
			if tt.context {
				env = map[string]string{"DOCKER_CONTEXT": "far"}
			}
			dir, opt := place(t, env)
			certs := filepath.Join(dir, "certs")
			if tt.context {
				certs = writeContext(t, dir, "far", url)
			}
			if tt.ca != "" {
				write(t, filepath.Join(certs, "ca.pem"), tt.ca)
			}
			if tt.client != nil {
				cert, key, _, _ := tt.client.issue("client", good)
				write(t, filepath.Join(certs, "cert.pem"), cert)
				write(t, filepath.Join(certs, "key.pem"), key)
			}
			e, err := Connect(t.Context(), Docker, opt)
			if tt.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				e.Close()
				return
			}
			oneLine(t, err)
			if !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q isn't in: %v", tt.err, err)
			}
		})
	}
}
