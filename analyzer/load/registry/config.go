package registry

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/google/go-containerregistry/pkg/name"
)

// rule is one [[registry]] of containers-registries.conf(5), for the images whose
// name begins with Prefix. Short names are not resolved with that file: the
// default registry is docker.io.
type rule struct {
	Prefix       string
	location     `toml:",inline"`
	Blocked      bool
	Mirrors      []location `toml:"mirror"`
	ByDigestOnly bool       `toml:"mirror-by-digest-only"`

	file string
}

// location is a registry, perhaps with a path.
type location struct {
	Location string
	Insecure bool
	PullFrom string `toml:"pull-from-mirror"` // "all", "digest-only", "tag-only"
}

// rules reads registries.conf and the files in registries.conf.d. Of two rules for
// a prefix the later one counts.
func (opt *Options) rules() ([]rule, error) {
	etc, user := filepath.Join("/", opt.root, "etc/containers"), opt.userConfig("containers")
	main, dirs := filepath.Join(etc, "registries.conf"), []string{etc, user}
	if own := filepath.Join(user, "registries.conf"); exists(own) {
		main, dirs = own, []string{user}
	}
	files := []string{cmp.Or(opt.env("CONTAINERS_REGISTRIES_CONF"), main)}
	for _, dir := range dirs {
		more, err := filepath.Glob(filepath.Join(dir, "registries.conf.d", "*.conf"))
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	var all []rule
	for _, file := range files {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		var conf struct {
			Rules []rule `toml:"registry"`
		}
		if err == nil {
			err = toml.Unmarshal(text, &conf)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %s", file, plain(err.Error()))
		}
		for _, r := range conf.Rules {
			r.file = file
			all = append(all, r)
		}
	}
	return all, nil
}

// ruleFor returns the rule with the longest prefix of an image's full name, or
// nil.
func ruleFor(rules []rule, image string) *rule {
	var best *rule
	length := 0
	for i := range rules {
		if n := rules[i].covers(image); n > 0 && n >= length {
			best, length = &rules[i], n
		}
	}
	return best
}

// covers returns how many bytes of an image's full name the rule's prefix
// matches, 0 if it doesn't. "*.HOST" matches every host below HOST.
func (r *rule) covers(image string) int {
	prefix := cmp.Or(r.Prefix, r.Location)
	end := len(prefix)
	if domain, ok := strings.CutPrefix(prefix, "*"); ok && strings.HasPrefix(domain, ".") {
		at := strings.Index(image, domain)
		if at < 0 || strings.Contains(image[:at], "/") {
			return 0
		}
		end = at + len(domain)
	} else if !strings.HasPrefix(image, prefix) {
		return 0
	}
	if end < len(image) && !strings.ContainsRune(":/@", rune(image[end])) {
		return 0
	}
	return end
}

// places returns where to look for the image, in that order. Each location
// replaces the prefix in the image's name.
func (r *rule) places(image string, digested bool) []location {
	var out []location
	for _, m := range r.Mirrors {
		from := m.PullFrom
		if r.ByDigestOnly {
			from = "digest-only"
		}
		if from == "digest-only" && !digested || from == "tag-only" && digested {
			continue
		}
		out = append(out, m)
	}
	out = append(out, r.location)
	for i := range out {
		if out[i].Location == "" {
			out[i].Location = image
		} else {
			out[i].Location += image[r.covers(image):]
		}
	}
	return out
}

// certificates reads the certificates for a registry where docker and podman do,
// from the first folder that exists: NAME.crt is an authority to trust, NAME.cert
// with NAME.key a client certificate.
func (opt *Options) certificates(host string, config *tls.Config) error {
	if host == name.DefaultRegistry {
		host = "docker.io"
	}
	for _, parent := range []string{
		filepath.Join(opt.userConfig("containers")), filepath.Join("/", opt.root, "etc/containers"),
		filepath.Join(opt.userConfig("docker")), filepath.Join("/", opt.root, "etc/docker"),
	} {
		dir := filepath.Join(parent, "certs.d", host)
		files, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading certificates: %w", err)
		}
		for _, f := range files {
			path := filepath.Join(dir, f.Name())
			switch base, kind := strings.TrimSuffix(path, filepath.Ext(path)), filepath.Ext(path); kind {
			case ".crt":
				if err := trust(config, path); err != nil {
					return err
				}
			case ".cert":
				pair, err := tls.LoadX509KeyPair(path, base+".key")
				if err != nil {
					return fmt.Errorf("reading certificates: %s with its .key: %w", path, err)
				}
				config.Certificates = append(config.Certificates, pair)
			}
		}
		return nil
	}
	return nil
}

// trust adds the certificates in a file to those that are trusted.
func trust(config *tls.Config, file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading certificates: %w", err)
	}
	if config.RootCAs == nil {
		if config.RootCAs, err = x509.SystemCertPool(); err != nil {
			config.RootCAs = x509.NewCertPool()
		}
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("reading certificates: there are none in PEM form in %s", file)
	}
	return nil
}

func (opt *Options) env(name string) string {
	if opt.root != "" {
		return "" // a test must not depend on the environment
	}
	return os.Getenv(name)
}

// userConfig returns the user's configuration folder of that program.
func (opt *Options) userConfig(program string) string {
	if opt.root != "" {
		return filepath.Join(opt.root, "home", program)
	}
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return filepath.Join("/", "nonexistent")
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, program)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
