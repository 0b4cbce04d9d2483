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

// dockerEndpoints is where docker's command line would look, in its order:
// DOCKER_HOST, DOCKER_CONTEXT, the config's current context, the usual socket;
// and then the sockets of rootless docker and of Docker Desktop.
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
	places := usual(Docker, paths)
	for i := range places {
		places[i].headers = file.HTTPHeaders
	}
	return places, nil
}

// usual is the places where nobody said anything.
func usual(kind Kind, paths []string) []endpoint {
	places := make([]endpoint, len(paths))
	for i, p := range paths {
		places[i] = endpoint{kind: kind, url: "unix://" + p}
	}
	return places
}

// one is the only place to look at.
func one(file *configfile.ConfigFile, from, address string, secure *tls.Config) ([]endpoint, error) {
	at, err := newEndpoint(Docker, from, address, secure)
	if err != nil {
		return nil, err
	}
	at.headers = file.HTTPHeaders
	return []endpoint{at}, nil
}

// dockerTLS is TLS as the environment asks for it; nil is without.
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

// dockerEndpoint is how a context says where its engine is.
type dockerEndpoint struct {
	Host          string
	SkipTLSVerify bool
}

// dockerContext is the endpoint of a context, that from names.
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
		return nil, fmt.Errorf("%s doesn't say where its docker is", title)
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

// known lists the contexts that there are.
func known(contexts store.Lister) string {
	names, err := store.Names(contexts)
	if err != nil {
		return "the contexts can't be listed: " + clean(err.Error())
	}
	names = append(names, "default")
	slices.Sort(names)
	return "the contexts are " + clean(strings.Join(names, ", "))
}
