package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// UnavailableError says that no engine can be reached.
type UnavailableError struct {
	Kind Kind
	// Endpoint is the configured URL, "" where the default sockets were tried.
	Endpoint string
	// From says where Endpoint is configured, such as "DOCKER_HOST".
	From string
	// Tried lists the default sockets that were tried, in order.
	Tried []string
	// Denied says that the user has no permission for a socket.
	Denied bool
	// Err is the most useful error of those that were tried: a missing
	// permission (fs.ErrPermission), then a socket that nothing listens on,
	// then a missing one (fs.ErrNotExist).
	Err error
}

func (e *UnavailableError) Unwrap() error { return e.Err }

func (e *UnavailableError) Error() string {
	what, advice := e.explain()
	if e.Endpoint != "" {
		return fmt.Sprintf("reaching %s at %s (%s): %s; %s", e.Kind, e.Endpoint, e.From, what, advice)
	}
	tried := make([]string, len(e.Tried))
	for i, t := range e.Tried {
		tried[i] = strings.TrimPrefix(t, "unix://")
	}
	return fmt.Sprintf("reaching %s: %s (tried %s); %s", e.Kind, what, strings.Join(tried, ", "), advice)
}

func (e *UnavailableError) explain() (what, advice string) {
	start := "start it, or say where it is with DOCKER_HOST or a docker context"
	if e.Kind == Podman {
		start = "start its service with \"systemctl --user start podman.socket\", or say where it is with CONTAINER_HOST"
	}
	if e.From != "" {
		start = "start it, or correct " + e.From
	}
	var dns *net.DNSError
	switch {
	case errors.Is(e.Err, fs.ErrPermission) && e.Kind == Podman:
		return "permission denied", "use the service of your own user: \"systemctl --user start podman.socket\""
	case errors.Is(e.Err, fs.ErrPermission):
		return "permission denied", "run as root, or become a member of the socket's group: \"sudo usermod -aG docker $USER\", then log in again"
	case errors.Is(e.Err, fs.ErrNotExist):
		return "there is no socket", start
	case errors.Is(e.Err, syscall.ECONNREFUSED):
		return "nothing listens there", start
	case errors.As(e.Err, &dns):
		return "the host " + strconv.Quote(clean(dns.Name)) + " is not known", start
	}
	return clean(e.Err.Error()), start
}

// add records an endpoint that could not be reached.
func (e *UnavailableError) add(one *UnavailableError) {
	e.Tried = append(e.Tried, one.Tried...)
	e.Denied = e.Denied || one.Denied
	if e.Err == nil || rank(one.Err) > rank(e.Err) {
		e.Err = one.Err
	}
}

// rank orders errors by how useful they are to the user.
func rank(err error) int {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return 3
	case errors.Is(err, syscall.ECONNREFUSED):
		return 1
	case errors.Is(err, fs.ErrNotExist):
		return 0
	}
	return 2
}

// unavailable returns the error for an endpoint that can't be reached.
func (e *Engine) unavailable(err error) error {
	u := &UnavailableError{Kind: e.Kind, From: e.at.from, Denied: errors.Is(err, fs.ErrPermission), Err: err}
	if u.From == "" {
		u.Tried = []string{e.at.url}
	} else {
		u.Endpoint = e.Endpoint
	}
	return u
}

// title names the engine and where it is.
func (e *Engine) title() string {
	if e.at.from == "" {
		return fmt.Sprintf("%s at %s", e.Kind, clean(e.at.url))
	}
	return fmt.Sprintf("%s at %s (%s)", e.Kind, clean(e.at.url), e.at.from)
}

// hint returns an error that names the endpoint; what says what happened, and
// what to do about it.
func (e *Engine) hint(what string, err error) error {
	return &endpointError{text: e.title() + ": " + what, err: err}
}

// endpointError has a text that is safe to show, and the cause for callers that
// branch on it.
type endpointError struct {
	text string
	err  error
}

func (e *endpointError) Error() string { return e.text }
func (e *endpointError) Unwrap() error { return e.err }

// fail returns the error for a failed operation, unless err already names the
// endpoint.
func (e *Engine) fail(doing string, err error) error {
	var known *endpointError
	if errors.As(err, &known) || errors.As(err, new(*UnavailableError)) {
		return err
	}
	return e.hint(doing+": "+clean(err.Error()), err)
}

// ask returns the error for a failed request to an engine that Connect reached.
func (e *Engine) ask(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	text := clean(strings.TrimPrefix(err.Error(), "Error response from daemon: "))
	return e.hint(doing+": "+text, err)
}

// reach returns the error for a failed first request.
func (e *Engine) reach(err error) error {
	if dialled := e.dial.last(); dialled != nil {
		if errors.Is(dialled, exec.ErrNotFound) {
			return e.hint("the program ssh is not installed, which an ssh:// address needs", dialled)
		}
		return e.unavailable(dialled)
	}
	if e.at.remote() {
		advice := fmt.Sprintf("\"ssh %s\" must work without asking for anything, and %s must be installed there", e.at.sshHost(), e.Kind)
		if said := e.dial.said(); said != "" {
			return e.hint("ssh says: "+said+"; "+advice, err)
		}
		if e.dial.broke() {
			return e.hint("ssh ended without an error message; "+advice, err)
		}
	}
	text := err.Error()
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &authority):
		return e.hint("its certificate is signed by an unknown authority; put the right ca.pem into the folder that DOCKER_CERT_PATH names", err)
	case errors.As(err, &hostname), errors.As(err, &invalid):
		return e.hint("its certificate is not valid: "+clean(cause(err).Error()), err)
	case errors.As(err, &record), strings.Contains(text, "HTTP response to HTTPS client"):
		return e.hint("it doesn't speak TLS; unset DOCKER_TLS_VERIFY, or correct the port", err)
	case errors.As(err, &alert), strings.Contains(text, "tls: "):
		return e.hint("it refused the TLS connection: "+clean(cause(err).Error())+"; it may require cert.pem and key.pem in the folder that DOCKER_CERT_PATH names", err)
	case strings.Contains(text, "HTTP request to an HTTPS server"), strings.Contains(text, "malformed HTTP response"):
		return e.hint("it requires TLS; set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with its ca.pem, or correct the port", err)
	case strings.Contains(text, "API version"):
		return e.hint(clean(text)+"; it is too old, docker 19.03 and podman 3 are the oldest that can be used", err)
	}
	return e.hint("it answers, but not like an engine: "+clean(strings.TrimPrefix(text, "Error response from daemon: ")), err)
}

// cause returns the innermost error.
func cause(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

const maxQuoted = 1 << 10 // bytes of a response that an error quotes

// clean makes untrusted text safe for one line of an error: it escapes what is
// not printable, and cuts the text where it is long.
func clean(s string) string {
	var b strings.Builder
	space := false // the rune before r was one
	for i, r := range s {
		if b.Len() > maxQuoted {
			b.WriteString("…")
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsSpace(r) && r < 0x80:
			if !space {
				b.WriteByte(' ')
			}
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		space = unicode.IsSpace(r)
	}
	return strings.TrimSpace(b.String())
}
