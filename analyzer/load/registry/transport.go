package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxRedirects is how often one request may be sent elsewhere.
const maxRedirects = 10

// base makes single requests. It refuses what nobody should ask, keeps
// credentials where they belong, and watches that answers come.
type base struct {
	opt    *Options
	strict *http.Transport
	lax    *http.Transport // for the hosts that are named as insecure
}

func newBase(opt *Options) (*base, error) {
	strict := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: min(opt.Idle, 15*time.Second), KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   opt.Idle,
		ResponseHeaderTimeout: opt.Idle,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   16,
		ForceAttemptHTTP2:     true,
		DisableCompression:    true, // digests are of what is sent
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if opt.CA != "" {
		pem, err := os.ReadFile(opt.CA)
		if err != nil {
			return nil, fmt.Errorf("reading certificates: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("reading certificates: there are none in PEM form in %s", opt.CA)
		}
		strict.TLSClientConfig.RootCAs = pool
	}
	lax := strict.Clone()
	lax.TLSClientConfig.InsecureSkipVerify = true // of a host that the user named for it
	return &base{opt, strict, lax}, nil
}

func (b *base) close() {
	b.strict.CloseIdleConnections()
	b.lax.CloseIdleConnections()
}

// named is whether a host, which may have a port, is in the list.
func named(list []string, host string) bool {
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

// loopback is whether host is this machine.
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
		return refuse("it redirects to something that is not the web")
	case last.Scheme == "https" && req.URL.Scheme == "http":
		return refuse("it redirects from https to plain http, at " + host)
	}
	if ip, err := netip.ParseAddr(req.URL.Hostname()); err == nil && ip.Unmap().IsLinkLocalUnicast() {
		return refuse("it redirects into the machine's own network, to " + host)
	}
	return nil
}

func (b *base) RoundTrip(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	fail := func(e *Error) error {
		e.Host = host
		return e
	}
	trusted := named(b.opt.Insecure, host)
	if from := before(req); req.URL.Scheme == "http" && !trusted && !loopback(req.URL.Hostname()) {
		if from == nil || from.URL.Scheme != "http" {
			return nil, fail(&Error{Kind: PlainHTTP, Reason: "it is not read over plain http unless it is named for it"})
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
		rt = b.lax
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
	res.Request = req
	res.Body = watch(ctx, cancel, res.Body, b.opt, host)
	if res.StatusCode >= 400 {
		// ggcr reads errors of any length; nobody else needs the rest either.
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxErrorBody), res.Body}
	}
	return res, nil
}

// retrier makes requests again that failed for a reason which may pass.
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
			_, _ = io.Copy(io.Discard, res.Body) // bounded; the connection serves again
			res.Body.Close()
		}
		waited += wait
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// again is whether to try once more, and after which wait.
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

// retryAfter is the wait that an answer asks for, or 0.
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

// sleep waits, unless ctx ends first.
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
