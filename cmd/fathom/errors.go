package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"

	"fathom/analyzer/filetree"
	"fathom/analyzer/gate"
	"fathom/analyzer/inspect"
	"fathom/analyzer/layer"
	"fathom/analyzer/load"
	"fathom/analyzer/load/registry"
	"fathom/ui"
	"fathom/ui/report"
)

// timeoutHint helps against a peer that sent nothing for too long.
const timeoutHint = "--timeout DURATION waits longer"

// errRule ends a run whose gate failed. The verdict has been printed.
var errRule = errors.New("a rule failed")

// hintError is an error with a hint about what to do.
type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// hinted returns an error with a hint.
func hinted(hint, format string, args ...any) error {
	return &hintError{fmt.Errorf(format, args...), hint}
}

// exit prints the error, if there is one to print, and returns the exit code.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	var sig signalError
	if errors.Is(err, ui.ErrCancelled) {
		err = signalError{os.Interrupt}
	}
	if errors.As(err, &sig) || errors.As(context.Cause(ctx), &sig) {
		a.report(sig, "")
		return sig.exitCode()
	}
	var out *outputError
	var failed *builderError
	switch {
	case errors.Is(err, errRule):
		return exitRule
	case errors.As(err, &failed):
		a.report(err, "")
		return failed.code
	case errors.As(err, &out) && out.closed():
		return exitError
	}
	a.report(err, hint(err))
	var crash *ui.Crash
	if errors.As(err, &crash) {
		for l := range strings.Lines(string(crash.Stack)) {
			fmt.Fprintln(a.stderr, line(strings.TrimRight(l, "\n")))
		}
	}
	return exitError
}

// maxLine is how many columns an error may take: an image can have
// names of any length.
const maxLine = 4000

func (a *app) report(err error, hint string) {
	fmt.Fprintf(a.stderr, "fathom: error: %s\n", line(err.Error()))
	if hint != "" {
		fmt.Fprintf(a.stderr, "fathom: hint: %s\n", line(hint))
	}
}

// line returns s on one line, safe to print.
func line(s string) string { return runewidth.Truncate(report.Safe(s), maxLine, "…") }

// hint returns what may help against err, or "". Only this package knows flags
// and commands: the others describe the problem in the types of their errors.
func hint(err error) string {
	var (
		own      *hintError
		notFound *load.NotFoundError
		choice   *load.ChoiceError
		notImage *load.NotImageError
		temp     *load.TempError
		quota    *layer.QuotaError
		missing  *filetree.MissingError
		storage  *load.StorageError
		saved    *inspect.SavedError
		crash    *ui.Crash
		remote   *registry.Error
		gone     *load.UnavailableError
		terminal *ui.TerminalError
		toc      *gate.UnverifiedError
		none     *load.NoImageError
		scheme   *load.SchemeError
	)
	switch {
	case errors.As(err, &own):
		return own.hint
	case errors.Is(err, load.ErrSilent):
		return timeoutHint
	case errors.As(err, &remote):
		return registryHint(remote)
	case errors.As(err, &notFound):
		return notFoundHint(notFound)
	case errors.As(err, &gone):
		return gone.Kind.String() + " save NAME | fathom - works wherever the command does"
	case errors.As(err, &scheme):
		return schemeHint(scheme)
	case errors.As(err, &none):
		return noImageHint(none)
	case errors.As(err, &choice):
		return "--image TAG, DIGEST or @N and --platform OS/ARCH choose one"
	case errors.As(err, &notImage):
		return notImageHint(notImage.Kind)
	case errors.As(err, &crash):
		return "this is a bug in fathom; include what follows in a bug report"
	case errors.As(err, &storage) && storage.Engine == "podman" && errors.Is(err, fs.ErrPermission):
		return "podman unshare fathom IMAGE also reads files of the image's other users"
	case errors.As(err, &saved):
		return "a report is what fathom --json FILE IMAGE wrote"
	case errors.As(err, &terminal):
		return "TERM=xterm-256color suits most terminals; fathom IMAGE | cat needs none"
	case errors.As(err, &missing):
		return missingHint(missing)
	case errors.As(err, &quota):
		return quotaHint(quota)
	case errors.As(err, &temp):
		return "--temp DIR keeps temporary files in another folder, --no-keep needs none"
	case errors.As(err, &toc):
		return "--verify compares it, --allow-toc judges all the same"
	case errors.Is(err, gate.ErrNoBaseline):
		return "--baseline IMAGE, or the file of an earlier fathom --json FILE"
	case errors.Is(err, gate.ErrNoFiles):
		return "--baseline IMAGE names an image, which has files"
	case errors.Is(err, gate.ErrNoCompressedSize):
		return "an image in a registry or in an OCI archive has compressed layers; --max-compressed-size off leaves the rule out"
	case errors.Is(err, gate.ErrNoPaths):
		return "give the image itself, or --deny-path off and --deny-layer-path off"
	case errors.Is(err, gate.ErrNoFindings):
		return "give the image itself, or --max-findings-bytes off and --fail-on-finding off"
	case errors.Is(err, gate.ErrNoPackages):
		return "give the image itself, or --max-package-size off and --deny-package off"
	case errors.Is(err, gate.ErrIncompletePackages):
		return "--max-package-size off and --deny-package off leave the rules out"
	case errors.Is(err, gate.ErrUnreadPackages):
		return "--verify reads them"
	case errors.Is(err, gate.ErrNoSecrets):
		return "--secrets all searches it"
	case errors.Is(err, load.ErrNotKept):
		return "without --no-keep it is"
	}
	return ""
}

// missingHint names the layer that removed or adds the path, if any does.
func missingHint(e *filetree.MissingError) string {
	switch {
	case e.RemovedBy >= 0:
		return fmt.Sprintf("layer %d removed it: --layer %d shows it as it was", e.RemovedBy, e.RemovedBy-1)
	case e.AddedBy >= 0:
		return fmt.Sprintf("layer %d adds it", e.AddedBy)
	}
	return ""
}

// quotaHint names the flag of a limit.
func quotaHint(e *layer.QuotaError) string {
	switch e.What {
	case layer.Memory:
		return "--max-memory SIZE allows more"
	case layer.Unpacked:
		return "--max-unpacked SIZE allows more"
	}
	return "--max-temp SIZE allows more, --no-keep needs none"
}

// plainName matches image names that need no quotes on a command line.
var plainName = regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9._/:@]{0,200}$`)

// fileName matches names that can only mean a file.
var fileName = regexp.MustCompile(`(?i)\.(tar|tgz|tzst|gz|zst|xz|bz2)$`)

func notFoundHint(e *load.NotFoundError) string {
	if e.Scheme == "file" || fileName.MatchString(e.Name) {
		return ""
	}
	name := "NAME"
	if plainName.MatchString(e.Name) {
		name = e.Name
	}
	if e.Engines != nil && containerd() {
		return "containerd may have it: ctr images export - " + name + " | fathom -, or nerdctl save " + name + " | fathom -"
	}
	return "fathom alone lists the images of the engines here; fathom demo needs none"
}

// schemeHint returns how to open what another tool's scheme names.
func schemeHint(e *load.SchemeError) string {
	name := "NAME"
	if plainName.MatchString(e.Name) {
		name = e.Name
	}
	switch e.Scheme {
	case "containerd":
		return "ctr images export - " + name + " | fathom -, or nerdctl save " + name + " | fathom -"
	case "containers-storage":
		return "podman --root DIR save NAME | fathom - reads a store of its own"
	case "sif", "singularity":
		return "a SIF image has no layers: give the image that it was built from"
	case "ostree":
		return "skopeo copy ostree:NAME oci-archive:FILE writes what fathom reads"
	case "tarball":
		return "fathom FILE opens the tar of a layer or of a root filesystem"
	}
	return "registry:" + e.Scheme + ":TAG is the image of that name"
}

// noImageHint helps if the named engine doesn't have the image. skopeo's
// docker:// means a registry, dive's means docker, and so does fathom's.
func noImageHint(e *load.NoImageError) string {
	if e.Kind.String() != "docker" || !plainName.MatchString(e.Name) {
		return ""
	}
	return "docker: is the engine; registry:" + e.Name + " reads from a registry, as docker:// does in skopeo"
}

// containerd reports whether a containerd runs here. fathom can't read from it,
// but its own commands can.
func containerd() bool {
	_, err := os.Stat("/run/containerd/containerd.sock")
	return err == nil
}

func notImageHint(kind load.Kind) string {
	switch kind {
	case load.OtherTar:
		return "--rootfs opens it as one layer"
	case load.OldArchive:
		return "docker load and docker save convert it"
	}
	return ""
}

// registryHint returns what may help against a registry's error.
func registryHint(e *registry.Error) string {
	host := "HOST"
	if plainName.MatchString(e.Host) {
		host = e.Host
	}
	home := "HOST"
	if plainName.MatchString(e.Registry) {
		home = e.Registry
	}
	login := "docker login " + home
	if home == "index.docker.io" {
		login = "docker login"
	}
	switch e.Kind {
	case registry.Unauthorized, registry.Forbidden, registry.NotFound:
		if e.User != "" {
			return login + " as another user, if this one may not read it"
		}
		return login + ", if the image is private"
	case registry.RateLimited:
		if e.User == "" {
			return login + " allows more; or wait, or use --registry-mirror"
		}
		return "wait, or use --registry-mirror"
	case registry.UnknownCA:
		return "--ca FILE trusts its signer, --insecure-registry " + host + " skips the check"
	case registry.TLS:
		return "--insecure-registry " + host + " reads it whatever its certificate says"
	case registry.PlainHTTP:
		return "--insecure-registry " + host + " reads it over plain http"
	case registry.NoRegistry:
		return "is the name of the registry right? HOST[:PORT]/NAME[:TAG]"
	case registry.Stalled:
		return timeoutHint
	case registry.Credentials:
		return "docker logout " + home + " forgets them, docker login asks for them again"
	}
	return ""
}
