package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Kind classifies an error by what the user can do about it.
type Kind uint8

const (
	Failed       Kind = iota
	Unauthorized      // no credentials, or not accepted
	Forbidden         // the credentials don't grant access
	NotFound          // there is no such image, or it is private
	RateLimited       // too many requests
	Unavailable       // the registry answered with a server error
	Unreachable       // there is no connection
	Stalled           // nothing was received for Options.Idle
	Slow              // less was received than Options.Rate
	UnknownCA         // the certificate is signed by an unknown authority
	TLS               // any other error of TLS
	PlainHTTP         // the server doesn't speak https
	NoRegistry        // the server is not a registry
	Redirected        // a redirect that is not followed
	Damaged           // the content is not what was asked for
	Credentials       // they could not be read
)

// Error is a failed request to a registry. It is one line, and holds no secret.
type Error struct {
	Host string // that failed
	// Registry is where to log in. Host may also be that of its token service,
	// or one that it redirects to.
	Registry string
	Op       string // what failed, to follow "Host: "
	Kind     Kind
	Reason   string
	Status   int           // of the response, or 0
	User     string        // who was logged in; "" is anonymous
	Wait     time.Duration // that the registry asked for, or 0
	Err      error         // the cause, or nil; its text is not safe to show

	retry bool // a retry may succeed
}

func (e *Error) Error() string {
	s := e.Host
	if e.Op != "" {
		s += ": " + e.Op
	}
	return s + ": " + e.Reason
}

func (e *Error) Unwrap() error { return e.Err }

// newError returns an error that this package found itself.
func (p *place) newError(op string, kind Kind, reason string) *Error {
	host := p.repo.RegistryStr()
	return &Error{Host: host, Registry: host, Op: op, Kind: kind, Reason: reason, User: p.user}
}

// failed turns the error of a request or a body into an *Error.
func (p *place) failed(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var own *Error
	var status *transport.Error
	switch {
	case errors.As(err, &own):
		// ggcr tries a local registry by https, then by http: own is the error
		// of the first, status that of the second.
		if own.Kind != UnknownCA && own.Kind != TLS && errors.As(err, &status) {
			return p.status(op, status)
		}
		e := *own
		e.Op, e.User, e.Registry = op, p.user, p.repo.RegistryStr()
		if e.Host == "" {
			e.Host = p.repo.RegistryStr()
		}
		return &e
	case errors.As(err, &status):
		return p.status(op, status)
	}
	e := explain(err)
	e.Host, e.Op, e.User = p.repo.RegistryStr(), op, p.user
	e.Registry = e.Host
	return e
}

// status returns the error for a status with which the login was answered.
func (p *place) status(op string, status *transport.Error) error {
	text := ""
	for _, d := range status.Errors {
		text = strings.Trim(string(d.Code)+": "+d.Message, ": ")
		break
	}
	e := p.answered(op, status.StatusCode, redact(text, status.Request), 0)
	if status.Request != nil {
		e.Host = status.Request.URL.Host
		if status.StatusCode == http.StatusNotFound && status.Request.URL.Path == "/v2/" {
			e.Kind, e.Reason = NoRegistry, "no registry answers there (404)"
		}
	}
	e.Err = status
	return e
}

// refused returns the error for a response with an unexpected status. It reads
// the beginning of the body.
func (p *place) refused(op string, res *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody)) // after an error, what was read may still explain it
	detail := redact(message(b), res.Request)
	e := p.answered(op, res.StatusCode, detail, retryAfter(res))
	if res.Request == nil || before(res.Request) == nil {
		return e
	}
	if host := res.Request.URL.Host; host != e.Registry {
		// There is no login at that host, whatever the status.
		e.Host = host
		if e.Kind != Unavailable {
			e.Kind = Failed
		}
		e.Reason = fmt.Sprintf("it answers %d %s, where %s redirects to", res.StatusCode, http.StatusText(res.StatusCode), e.Registry)
		if detail != "" {
			e.Reason += ": " + detail
		}
	}
	return e
}

// answered returns the error for a status.
func (p *place) answered(op string, status int, detail string, wait time.Duration) *Error {
	who := "anonymous"
	if p.user != "" {
		who = "user " + plain(p.user)
	}
	e := p.newError(op, Failed, "it answers "+strconv.Itoa(status)+" "+http.StatusText(status))
	e.Status, e.Wait = status, wait
	switch {
	case status == http.StatusUnauthorized:
		e.Kind, e.Reason = Unauthorized, "access denied as "+who+", or there is no such image (401)"
	case status == http.StatusForbidden:
		e.Kind, e.Reason = Forbidden, "forbidden for "+who+" (403)"
	case status == http.StatusNotFound:
		e.Kind, e.Reason = NotFound, "no such image or tag, or it is private (404)"
	case status == http.StatusTooManyRequests:
		e.Kind, e.Reason = RateLimited, "too many requests as "+who+" (429)"
	case status == http.StatusProxyAuthRequired:
		e.Kind, e.Reason = Unreachable, "the proxy requires a password (407)"
	case status >= 500:
		e.Kind = Unavailable
	}
	if wait > 0 {
		e.Reason += fmt.Sprintf("; it asks to wait %v", wait)
	}
	if detail != "" {
		e.Reason += ": " + detail
	}
	return e
}

// maxErrorBody is how many bytes of an error's body are read.
const maxErrorBody = 1 << 10

// message returns the first error message in a body.
func message(b []byte) string {
	var doc struct {
		Errors []struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(b, &doc) == nil && len(doc.Errors) > 0 {
		return strings.Trim(doc.Errors[0].Code+": "+doc.Errors[0].Message, ": ")
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return line
}

// query matches a URL with a query, which may hold a secret.
var query = regexp.MustCompile(`(https?://[^\s?"'<>]*)\?[^\s"'<>]*`)

// redact removes the credentials of req, and of the requests that were
// redirected to it, from s.
func redact(s string, req *http.Request) string {
	for ; req != nil; req = before(req) {
		_, secret, _ := strings.Cut(req.Header.Get("Authorization"), " ")
		if secret == "" {
			continue
		}
		s = strings.ReplaceAll(s, secret, "…")
		if pair, err := base64.StdEncoding.DecodeString(secret); err == nil {
			if _, password, ok := strings.Cut(string(pair), ":"); ok && password != "" {
				s = strings.ReplaceAll(s, password, "…")
			}
		}
	}
	return plain(s)
}

// before returns the request that was redirected to req, or nil.
func before(req *http.Request) *http.Request {
	if req.Response == nil {
		return nil
	}
	return req.Response.Request
}

// plain returns s on one short line, without control characters and queries.
func plain(s string) string {
	s = query.ReplaceAllString(s, "$1?…")
	var b strings.Builder
	for _, r := range s {
		if b.Len() > 300 {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// explain turns an error of the network into an *Error.
func explain(err error) *Error {
	var (
		cut       *url.Error
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		dns       *net.DNSError
		dial      *net.OpError
		timeout   net.Error
	)
	for errors.As(err, &cut) {
		err = cut.Err // a url.Error shows the whole URL
	}
	e := &Error{Kind: Unreachable, Err: err}
	switch {
	case errors.As(err, &authority):
		e.Kind, e.Reason = UnknownCA, "its certificate is signed by an unknown authority"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Kind, e.Reason = TLS, "its certificate has expired or is not valid yet"
	case errors.As(err, &invalid), errors.As(err, &hostname):
		e.Kind, e.Reason = TLS, "its certificate is not for it: "+plain(strings.TrimPrefix(err.Error(), "tls: failed to verify certificate: "))
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		e.Kind, e.Reason = PlainHTTP, "it doesn't speak https"
	case errors.As(err, &alert), strings.HasPrefix(err.Error(), "tls: "):
		e.Kind, e.Reason = TLS, "no encrypted connection: "+plain(err.Error())
	case errors.As(err, &dns):
		e.Reason, e.retry = "no such host: "+plain(dns.Name), dns.IsTemporary && !dns.IsNotFound
	case errors.As(err, &dial) && dial.Op == "dial" && dial.Timeout():
		e.Reason = "it does not answer"
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Kind, e.Reason = Stalled, "it does not answer"
	case strings.HasPrefix(err.Error(), "no token in bearer response"):
		e.Kind, e.Reason = Unauthorized, "its token service gives no token"
	case errors.As(err, new(*json.SyntaxError)), errors.As(err, new(*json.UnmarshalTypeError)):
		e.Kind, e.Reason = Failed, "its token service answers with something other than a token"
	case strings.Contains(err.Error(), "realm"):
		e.Kind, e.Reason = Failed, "its challenge can't be followed: "+plain(err.Error())
	case err.Error() == http.StatusText(http.StatusProxyAuthRequired):
		e.Reason = "the proxy requires a password (407)"
	case strings.HasPrefix(err.Error(), "proxyconnect "):
		e.Reason, e.retry = "the proxy can't be reached: "+plain(strings.TrimPrefix(err.Error(), "proxyconnect tcp: ")), true
	default:
		e.Reason, e.retry = plain(err.Error()), true
	}
	return e
}
