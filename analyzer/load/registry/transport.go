package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxRedirects is how often one request may be sent elsewhere.
const maxRedirects = 10

// base makes single requests. It refuses plain http where that isn't allowed,
// keeps credentials away from other hosts, and sets timeouts on responses.
type base struct {
	opt      *Options
	strict   *http.Transport
	insecure *http.Transport // for the hosts in Options.Insecure
}

func newBase(opt *Options, host string) (*base, error) {
	strict := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: min(opt.Idle, 15*time.Second), KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   opt.Idle,
		ResponseHeaderTimeout: opt.Idle,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   16,
		ForceAttemptHTTP2:     true,
		DisableCompression:    true, // digests are of the bytes as sent
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if opt.CA != "" {
		if err := trust(strict.TLSClientConfig, opt.CA); err != nil {
			return nil, err
		}
	}
	if err := opt.certificates(host, strict.TLSClientConfig); err != nil {
		return nil, err
	}
	insecure := strict.Clone()
	insecure.TLSClientConfig.InsecureSkipVerify = true // only for hosts that the user named
	return &base{opt, strict, insecure}, nil
}

func (b *base) close() {
	b.strict.CloseIdleConnections()
	b.insecure.CloseIdleConnections()
}

// listed reports whether a host, which may have a port, is in the list.
func listed(list []string, host string) bool {
	bare := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		bare = h
	}
	return slices.ContainsFunc(list, func(s string) bool {
		if s == "docker.io" {
			s = "index.docker.io"
		}
		return strings.EqualFold(s, host) || strings.EqualFold(s, bare)
	})
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// redirected is an http.Client's CheckRedirect.
func redirected(req *http.Request, via []*http.Request) error {
	refuse := func(reason string) error {
		return &Error{Host: via[0].URL.Host, Kind: Redirected, Reason: reason}
	}
	host := plain(req.URL.Host)
	if len(via) > maxRedirects {
		return refuse(fmt.Sprintf("it redirects more than %d times", maxRedirects))
	}
	switch last := via[len(via)-1].URL; {
	case req.URL.Scheme != "https" && req.URL.Scheme != "http":
		return refuse("it redirects to a URL that is neither https nor http")
	case last.Scheme == "https" && req.URL.Scheme == "http":
		return refuse("it redirects from https to plain http, at " + host)
	}
	if ip, err := netip.ParseAddr(req.URL.Hostname()); err == nil && ip.Unmap().IsLinkLocalUnicast() {
		return refuse("it redirects to a link-local address, " + host)
	}
	return nil
}

func (b *base) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	fail := func(e *Error) error {
		e.Host = host
		return e
	}
	trusted := listed(b.opt.Insecure, host)
	if from := before(req); req.URL.Scheme == "http" && !trusted && !loopback(req.URL.Hostname()) {
		if from == nil || from.URL.Scheme != "http" {
			return nil, fail(&Error{Kind: PlainHTTP, Reason: "plain http is only used for hosts that are listed as insecure"})
		}
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	out := req.WithContext(ctx)
	if from := before(req); from != nil && from.URL.Host != host {
		if shown := from.Header.Get("Authorization"); shown != "" && shown == req.Header.Get("Authorization") {
			out.Header = req.Header.Clone()
			out.Header.Del("Authorization")
		}
	}
	rt := b.strict
	if trusted {
		rt = b.insecure
	}
	res, err := rt.RoundTrip(out)
	if err != nil {
		cancel(nil)
		if req.Context().Err() != nil {
			return nil, err
		}
		e := explain(err)
		if e.Kind == Stalled {
			e.Reason = nothing(b.opt.Idle)
		}
		return nil, fail(e)
	}
	if kind := res.Header.Get("Content-Type"); res.StatusCode == http.StatusOK && strings.HasPrefix(kind, "text/html") && req.URL.Path != "/v2/" {
		res.Body.Close()
		cancel(nil)
		if req.URL.Query().Has("scope") || req.Method == http.MethodPost {
			return nil, fail(&Error{Reason: "it answers with a web page (text/html) instead of a token: there may be a proxy in front of it"})
		}
		return nil, fail(&Error{Kind: NoRegistry, Reason: "it answers with a web page (text/html), so it is not a registry, or there is a proxy in front of it"})
	}
	res.Request = req
	res.Body = watch(ctx, cancel, res.Body, b.opt, host)
	if res.StatusCode >= 400 {
		// ggcr reads errors of any length.
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxErrorBody), res.Body}
	}
	return res, nil
}

// realms lets a registry name a token service on its own host. ggcr refuses a
// token service at a private address unless host and port are the registry's:
// otherwise a registry could make its clients send requests into networks that it
// can't reach itself. The user named the registry's host, so other ports of it
// are safe to ask. realms hides such an address from ggcr behind a host name.
type realms struct {
	next http.RoundTripper
	host string // of the registry, perhaps with a port

	mu     sync.Mutex
	hidden map[string]string // addresses by the names that hide them
}

// realmParameter matches the URL of the token service in a challenge.
var realmParameter = regexp.MustCompile(`(?i)\brealm="([^"]*)"`)

func (t *realms) RoundTrip(req *http.Request) (*http.Response, error) {
	t.mu.Lock()
	if real, ok := t.hidden[req.URL.Host]; ok {
		req = req.Clone(req.Context())
		req.URL.Host, req.Host = real, real
	}
	t.mu.Unlock()
	res, err := t.next.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusUnauthorized || before(req) != nil {
		return res, err
	}
	for i, challenge := range res.Header.Values("WWW-Authenticate") {
		if at := realmParameter.FindStringSubmatchIndex(challenge); at != nil {
			realm := t.hide(req.Context(), challenge[at[2]:at[3]])
			res.Header["Www-Authenticate"][i] = challenge[:at[2]] + realm + challenge[at[3]:]
		}
	}
	return res, nil
}

// hide returns the realm. If its address is the registry's, a name replaces it.
func (t *realms) hide(ctx context.Context, realm string) string {
	u, err := url.Parse(realm)
	if err != nil {
		return realm
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil || u.Host == t.host || !t.own(ctx, ip.Unmap()) {
		return realm
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hidden == nil {
		t.hidden = map[string]string{}
	}
	for name, real := range t.hidden {
		if real == u.Host {
			u.Host = name
			return u.String()
		}
	}
	name := fmt.Sprintf("realm%d.invalid", len(t.hidden))
	t.hidden[name], u.Host = u.Host, name
	return u.String()
}

// own reports whether the registry has that address.
func (t *realms) own(ctx context.Context, ip netip.Addr) bool {
	host := (&url.URL{Host: t.host}).Hostname()
	if own, err := netip.ParseAddr(host); err == nil {
		return own.Unmap() == ip
	}
	if ip.IsLinkLocalUnicast() {
		return false
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	return err == nil && slices.ContainsFunc(all, func(a netip.Addr) bool { return a.Unmap() == ip })
}

// retrier repeats requests that failed for a temporary reason.
type retrier struct {
	next http.RoundTripper
	opt  *Options
}

func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	waited := time.Duration(0)
	for try := 0; ; try++ {
		r := req
		if try > 0 && req.Body != nil {
			body, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			r = req.Clone(ctx)
			r.Body = body
		}
		res, err := t.next.RoundTrip(r)
		if try >= t.opt.Retries || req.Body != nil && req.GetBody == nil || ctx.Err() != nil {
			return res, err
		}
		wait, again := t.again(res, err, try)
		if !again || waited+wait > t.opt.MaxWait {
			return res, err
		}
		if res != nil {
			_, _ = io.Copy(io.Discard, res.Body) // bounded; the connection can be used again
			res.Body.Close()
		}
		waited += wait
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// again reports whether to retry, and after which wait.
func (t *retrier) again(res *http.Response, err error, try int) (time.Duration, bool) {
	wait := t.opt.Backoff << try
	if err != nil {
		var e *Error
		return wait, errors.As(err, &e) && e.retry
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return cmp.Or(retryAfter(res), wait), true
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout, 522:
		return wait, true
	}
	return 0, false
}

// retryAfter returns the wait that a response asks for, or 0.
func retryAfter(res *http.Response) time.Duration {
	s := res.Header.Get("Retry-After")
	if n, err := strconv.ParseInt(s, 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, time.Until(t).Round(time.Second))
	}
	return 0
}

// sleep waits for d. If ctx ends first, it returns the cause.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
