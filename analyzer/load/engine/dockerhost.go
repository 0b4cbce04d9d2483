package engine

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/go-connections/tlsconfig"
)

// dockerEndpoints returns the endpoints to try, in order. Like docker's command
// line it takes the first of DOCKER_HOST, DOCKER_CONTEXT and the current context
// of config.json. Without any it returns the default sockets: docker's, and those
// of rootless docker and Docker Desktop.
func dockerEndpoints(opt Options) ([]endpoint, error) {
	dir := opt.env("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(opt.home(), ".docker")
	}
	file, err := config.Load(dir)
	if err != nil {
		return nil, err
	}
	if host := opt.env("DOCKER_HOST"); host != "" {
		secure, err := dockerTLS(opt, dir)
		if err != nil {
			return nil, err
		}
		return one(file, "DOCKER_HOST", host, secure)
	}
	from, name := "DOCKER_CONTEXT", opt.env("DOCKER_CONTEXT")
	if name == "" {
		from, name = "currentContext in "+filepath.Join(dir, "config.json"), file.CurrentContext
	}
	if name != "" && name != "default" {
		at, err := dockerContext(file, dir, from, name)
		return at, err
	}
	paths := []string{filepath.Join("/", opt.root, "var/run/docker.sock")}
	if run := opt.env("XDG_RUNTIME_DIR"); run != "" {
		paths = append(paths, filepath.Join(run, "docker.sock"))
	}
	if home := opt.home(); home != "" {
		paths = append(paths,
			filepath.Join(home, ".docker/run/docker.sock"),
			filepath.Join(home, ".docker/desktop/docker.sock"))
	}
	endpoints := socketEndpoints(Docker, paths)
	for i := range endpoints {
		endpoints[i].headers = file.HTTPHeaders
	}
	return endpoints, nil
}

// socketEndpoints returns the endpoints of sockets at those paths.
func socketEndpoints(kind Kind, paths []string) []endpoint {
	endpoints := make([]endpoint, len(paths))
	for i, p := range paths {
		endpoints[i] = endpoint{kind: kind, url: "unix://" + p}
	}
	return endpoints
}

// one returns the one endpoint that is configured.
func one(file *configfile.ConfigFile, from, address string, secure *tls.Config) ([]endpoint, error) {
	at, err := newEndpoint(Docker, from, address, secure)
	if err != nil {
		return nil, err
	}
	at.headers = file.HTTPHeaders
	return []endpoint{at}, nil
}

// dockerTLS returns the TLS configuration of the environment, nil for none.
func dockerTLS(opt Options, dir string) (*tls.Config, error) {
	verify := opt.env("DOCKER_TLS_VERIFY") != ""
	if !verify && opt.env("DOCKER_TLS") == "" {
		return nil, nil
	}
	if p := opt.env("DOCKER_CERT_PATH"); p != "" {
		dir = p
	}
	files := tlsconfig.Options{CAFile: filepath.Join(dir, "ca.pem"), InsecureSkipVerify: !verify}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if exists(cert) || exists(key) {
		files.CertFile, files.KeyFile = cert, key
	}
	if !verify {
		files.CAFile = ""
	}
	c, err := tlsconfig.Client(files)
	if err != nil {
		return nil, fmt.Errorf("the certificates in %s (DOCKER_CERT_PATH): %s", dir, clean(err.Error()))
	}
	return c, nil
}

// dockerEndpoint is the endpoint in a context's metadata.
type dockerEndpoint struct {
	Host          string
	SkipTLSVerify bool
}

// dockerContext returns the endpoint of a context; from says where the context's
// name is configured.
func dockerContext(file *configfile.ConfigFile, dir, from, name string) ([]endpoint, error) {
	const docker = "docker" // the endpoint's name in the context
	contexts := store.New(filepath.Join(dir, "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(docker, func() any { return &dockerEndpoint{} })))
	title := fmt.Sprintf("the docker context %q (%s)", clean(name), from)
	meta, err := contexts.GetMetadata(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no docker context %q, which %s asks for; %s", clean(name), from, known(contexts))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", title, clean(err.Error()))
	}
	where, ok := meta.Endpoints[docker].(dockerEndpoint)
	if !ok || where.Host == "" {
		return nil, fmt.Errorf("%s has no host for docker", title)
	}
	pem := map[string][]byte{}
	files, err := contexts.ListTLSFiles(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", title, clean(err.Error()))
	}
	for _, f := range files[docker] {
		if pem[f], err = contexts.GetTLSData(name, docker, f); err != nil {
			return nil, fmt.Errorf("%s: %s", title, clean(err.Error()))
		}
	}
	var secure *tls.Config
	if len(pem) > 0 || where.SkipTLSVerify {
		secure = tlsconfig.ClientDefault()
		secure.InsecureSkipVerify = where.SkipTLSVerify
		if ca := pem["ca.pem"]; ca != nil {
			secure.RootCAs = x509.NewCertPool()
			if !secure.RootCAs.AppendCertsFromPEM(ca) {
				return nil, fmt.Errorf("%s: its ca.pem holds no certificate", title)
			}
		}
		if pem["cert.pem"] != nil || pem["key.pem"] != nil {
			pair, err := tls.X509KeyPair(pem["cert.pem"], pem["key.pem"])
			if err != nil {
				return nil, fmt.Errorf("%s: its cert.pem and key.pem: %w", title, err)
			}
			secure.Certificates = []tls.Certificate{pair}
		}
	}
	return one(file, fmt.Sprintf("docker context %q", clean(name)), where.Host, secure)
}

// known lists the existing contexts for an error.
func known(contexts store.Lister) string {
	names, err := store.Names(contexts)
	if err != nil {
		return "the contexts can't be listed: " + clean(err.Error())
	}
	names = append(names, "default")
	slices.Sort(names)
	return "the contexts are " + clean(strings.Join(names, ", "))
}
