// Package registry fetches the manifests and blobs of one repository, with the
// credentials of docker and podman. Everything has a limit and a timeout, and a
// download resumes when its connection breaks.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// MaxManifest is the limit for a manifest or an index, in bytes.
const MaxManifest = 20 << 20

// Options for Open; the zero value suits registries on the internet.
type Options struct {
	// Insecure are the hosts, with or without a port, that may use plain http
	// or any certificate. Loopback addresses may always use plain http.
	Insecure []string
	// Mirrors are tried in order before the registry: "MIRROR" for docker.io,
	// "HOST=MIRROR" for HOST. A mirror may have a path, which goes in front of
	// the repository's.
	Mirrors []string
	// CA is a file of certificates in PEM to trust besides the system's.
	CA string
	// Keychain has the credentials; nil means those of docker and podman.
	Keychain authn.Keychain
	// root stands for "/" in the paths of the system's configuration, in tests.
	root string

	UserAgent string // "" means "fathom"

	// Idle is how long a registry, its token service or a credential helper may
	// send nothing, before its response or within it; 0 means a minute. A blob
	// that stalls for half of it is requested once more.
	Idle time.Duration
	// Rate is the minimum number of bytes per second, measured over RateTime of
	// waiting for them; 0 means 1 KiB and a minute.
	Rate     int64
	RateTime time.Duration
	// Retries is how often a request that failed for a temporary reason is
	// repeated; 0 means 3 times, less than 0 never.
	Retries int
	// Backoff is the wait before the first retry, and doubles for each further
	// one; 0 means a quarter of a second.
	Backoff time.Duration
	// MaxWait is the longest wait that a registry may ask for; 0 means a
	// minute.
	MaxWait time.Duration
}

func (opt Options) filled() Options {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&opt.Idle, time.Minute)
	set(&opt.RateTime, time.Minute)
	set(&opt.Backoff, 250*time.Millisecond)
	set(&opt.MaxWait, time.Minute)
	if opt.Rate == 0 {
		opt.Rate = 1 << 10
	}
	if opt.Retries == 0 {
		opt.Retries = 3
	}
	if opt.Keychain == nil {
		opt.Keychain = authn.DefaultKeychain
	}
	if opt.UserAgent == "" {
		opt.UserAgent = "fathom"
	}
	return opt
}

// Repository is the repository of one image: in a registry, and perhaps in
// mirrors of it. Its methods may be called concurrently. They return an *Error,
// or the context's.
type Repository struct {
	ref    name.Reference
	places []*place     // mirrors first
	at     atomic.Int32 // index of the place that had the manifest

	mu    sync.Mutex
	notes []string
}

// place is the repository in one registry.
type place struct {
	repo name.Repository
	opt  *Options
	base *base

	mu     sync.Mutex
	client *http.Client // nil before the login
	user   string       // "" is anonymous
}

// Open parses an image's name and reads the configuration for its registry. It
// makes no request.
func Open(image string, opt Options) (*Repository, error) {
	opt = opt.filled()
	ref, err := parse(image, opt)
	if err != nil {
		return nil, err
	}
	r := &Repository{ref: ref}
	mirrors, err := mirrors(ref.Context(), opt)
	if err != nil {
		return nil, err
	}
	own, err := configured(ref, opt)
	if err != nil {
		return nil, err
	}
	for _, repo := range append(mirrors, own...) {
		p := &place{repo: repo.Repository, opt: &opt}
		if repo.insecure {
			with := opt
			with.Insecure = append(slices.Clone(opt.Insecure), repo.RegistryStr())
			p.opt = &with
		}
		if p.base, err = newBase(p.opt, repo.RegistryStr()); err != nil {
			return nil, err
		}
		r.places = append(r.places, p)
	}
	return r, nil
}

// target is a repository to look into. It is insecure if registries.conf says so.
type target struct {
	name.Repository
	insecure bool
}

// configured returns the repositories in which registries.conf says to look for
// the image. Without a rule for it that is the one in its name.
func configured(ref name.Reference, opt Options) ([]target, error) {
	rules, err := opt.rules()
	if err != nil {
		return nil, err
	}
	full := ref.Name()
	if rest, ok := strings.CutPrefix(full, name.DefaultRegistry); ok {
		full = "docker.io" + rest
	}
	r := ruleFor(rules, full)
	if r == nil {
		return []target{{Repository: ref.Context()}}, nil
	}
	if r.Blocked {
		return nil, fmt.Errorf("%s is blocked by %s", full, r.file)
	}
	_, digested := ref.(name.Digest)
	var out []target
	for _, l := range r.places(full, digested) {
		var how []name.Option
		host, _, _ := strings.Cut(l.Location, "/")
		if l.Insecure || listed(opt.Insecure, host) {
			how = append(how, name.Insecure)
		}
		at, err := name.ParseReference(l.Location, how...)
		if err != nil {
			return nil, fmt.Errorf("reading %s: the location of %s: %s", r.file, plain(full), plain(err.Error()))
		}
		out = append(out, target{at.Context(), l.Insecure})
	}
	return out, nil
}

func parse(image string, opt Options) (name.Reference, error) {
	if strings.HasPrefix(image, "localhost/") {
		return nil, fmt.Errorf("%s: the port of the registry is missing, as in localhost:5000/app", plain(image))
	}
	ref, err := name.ParseReference(image)
	if err != nil {
		return nil, fmt.Errorf("%s is not the name of an image: %s", plain(image), plain(err.Error()))
	}
	if listed(opt.Insecure, ref.Context().RegistryStr()) {
		return name.ParseReference(image, name.Insecure)
	}
	return ref, nil
}

// mirrors returns the repositories to look into before repo.
func mirrors(repo name.Repository, opt Options) ([]target, error) {
	var out []target
	for _, m := range opt.Mirrors {
		of, at, ok := strings.Cut(m, "=")
		if !ok {
			of, at = name.DefaultRegistry, m
		}
		if of == "docker.io" {
			of = name.DefaultRegistry
		}
		host, path, _ := strings.Cut(strings.Trim(at, "/"), "/")
		_, wrong := name.NewRegistry(of, name.StrictValidation)
		reg, err := name.NewRegistry(host, name.StrictValidation)
		if wrong != nil || err != nil || strings.Contains(at, "://") {
			return nil, fmt.Errorf("mirror %s is neither HOST nor HOST=MIRROR", plain(m))
		}
		if of != repo.RegistryStr() {
			continue
		}
		if listed(opt.Insecure, host) {
			if reg, err = name.NewRegistry(host, name.StrictValidation, name.Insecure); err != nil {
				return nil, err
			}
		}
		out = append(out, target{Repository: reg.Repo(path, repo.RepositoryStr())})
	}
	return out, nil
}

// Name returns the full name that Open was called with.
func (r *Repository) Name() string { return r.ref.Name() }

// Host returns the registry in the name, regardless of mirrors.
func (r *Repository) Host() string { return r.ref.Context().RegistryStr() }

// Tag returns the tag in the name, "" if it has a digest.
func (r *Repository) Tag() string {
	if t, ok := r.ref.(name.Tag); ok {
		return t.TagStr()
	}
	return ""
}

// Notes returns remarks for the user, such as a mirror that failed.
func (r *Repository) Notes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.notes)
}

// Close closes idle connections.
func (r *Repository) Close() {
	for _, p := range r.places {
		p.base.close()
	}
}

// accept lists every media type of a manifest.
var accept = strings.Join([]string{
	string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
	string(types.OCIImageIndex), string(types.DockerManifestList),
	string(types.DockerManifestSchema1Signed), string(types.DockerManifestSchema1),
}, ", ")

// each calls try for one place after the other until it succeeds, starting with
// the one that had the last manifest. Its error is that of the last place, which
// is the registry itself, followed by those of the mirrors.
func (r *Repository) each(ctx context.Context, try func(*place) error) error {
	first := int(r.at.Load())
	var before strings.Builder
	for i := first; ; i++ {
		p := r.places[i]
		err := try(p)
		if err == nil {
			r.at.Store(int32(i))
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if i == len(r.places)-1 || errors.Is(err, ErrNoRanges) {
			if before.Len() > 0 {
				err = fmt.Errorf("%w%s", err, before.String())
			}
			return err
		}
		r.note("mirror %v", err)
		fmt.Fprintf(&before, "; mirror %v", err)
	}
}

func (r *Repository) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// get requests something of the repository. It returns a response with any
// status.
func (p *place) get(ctx context.Context, op, path string, header http.Header) (*http.Response, error) {
	client, err := p.login(ctx, op)
	if err != nil {
		return nil, err
	}
	url := p.repo.Scheme() + "://" + p.repo.RegistryStr() + "/v2/" + p.repo.RepositoryStr() + "/" + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, p.failed(ctx, op, err)
	}
	req.Header = header
	res, err := client.Do(req)
	if err != nil {
		return nil, p.failed(ctx, op, err)
	}
	return res, nil
}

// credentials returns the user's credentials for the registry. They may come from
// a program; when ctx ends or the program takes too long, credentials returns
// without it.
func (p *place) credentials(ctx context.Context) (authn.Authenticator, *authn.AuthConfig, error) {
	var auth authn.Authenticator
	var config *authn.AuthConfig
	done := make(chan error, 1)
	go func() {
		var err error
		if auth, err = authn.Resolve(ctx, p.opt.Keychain, p.repo); err == nil {
			config, err = authn.Authorization(ctx, auth)
		}
		done <- err
	}()
	const op = "looking for credentials"
	late := time.NewTimer(p.opt.Idle)
	defer late.Stop()
	select {
	case err := <-done:
		if err != nil {
			return nil, nil, p.newError(op, Credentials, plain(err.Error()))
		}
		return auth, config, nil
	case <-late.C:
		return nil, nil, p.newError(op, Stalled, nothing(p.opt.Idle)+" from the credential helper, or the file that names it")
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
}

// login logs in to the registry. Only the first call makes requests.
func (p *place) login(ctx context.Context, op string) (*http.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client != nil {
		return p.client, nil
	}
	auth, config, err := p.credentials(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case config.Username != "":
		p.user = config.Username
	case config.IdentityToken != "" || config.RegistryToken != "":
		p.user = "the holder of a token"
	}
	rt := transport.NewUserAgent(&realms{next: &retrier{p.base, p.opt}, host: p.repo.RegistryStr()}, p.opt.UserAgent)
	logged, err := transport.NewWithContext(ctx, p.repo.Registry, auth, rt, []string{p.repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, p.failed(ctx, op, err)
	}
	p.client = &http.Client{Transport: logged, CheckRedirect: redirected}
	return p.client, nil
}
