package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const buildLong = `Build an image and open it: docker buildx build, docker build or podman build gets
the ARGUMENTS, and what it built is explored, or judged and reported as by
fathom IMAGE.

The flags of fathom come first; the first argument that is none of them, or --,
begins the ARGUMENTS of the builder. If the build fails, fathom ends with the
builder's exit code.`

const buildExample = `  fathom build -t app .
  fathom build --ci -t app --target prod .
  fathom build --builder podman --json report.json -- --platform linux/arm64 .`

// builder is a program that builds images.
type builder struct {
	name    string   // of --builder
	command []string // what comes before the arguments
	// scheme opens what it built by an ID.
	scheme string
	// metadata reports whether it knows --metadata-file, and writes the provenance
	// of the build there.
	metadata bool
	// there returns an error if it can't be used.
	there []string
}

func builders() []builder {
	return []builder{
		{name: "buildx", command: []string{"docker", "buildx", "build"}, scheme: "docker", metadata: true, there: []string{"docker", "buildx", "version"}},
		{name: "docker", command: []string{"docker", "build"}, scheme: "docker"},
		{name: "podman", command: []string{"podman", "build"}, scheme: "podman"},
	}
}

func builderNames() []string {
	var names []string
	for _, b := range builders() {
		names = append(names, b.name)
	}
	return names
}

func newBuild(a *app) *cobra.Command {
	j := newJob(a)
	j.ciEnvironment = ciEnvironment(a.getenv("CI"))
	name := ""
	cmd := &cobra.Command{
		Use:     "build [flags] [--] ARGUMENTS",
		Short:   "Build an image and open it",
		Long:    buildLong,
		Example: buildExample,
		// The flags of the builder are unknown here: RunE parses those of fathom.
		DisableFlagParsing: true,
	}
	j.add(cmd, explorer, building, search)
	_ = cmd.Flags().MarkHidden("provenance") // that flag is the builder's: fathom reads what it writes
	cmd.Flags().StringVar(&name, "builder", "", "build with `NAME`: "+strings.Join(builderNames(), ", ")+" (default the first that is there)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		own, rest := splitArgs(cmd.Flags(), args)
		if err := cmd.Flags().Parse(own); err != nil {
			return cmd.FlagErrorFunc()(cmd, err)
		}
		if help, _ := cmd.Flags().GetBool("help"); help {
			return cmd.Help()
		}
		return j.run(func() error { return j.build(cmd.Context(), name, rest) })
	}
	return cmd
}

// splitArgs returns the flags of fathom at the start of the arguments, and the rest,
// which is the builder's.
func splitArgs(flags *pflag.FlagSet, args []string) (own, rest []string) {
	for len(args) > 0 {
		name, long := strings.CutPrefix(args[0], "--")
		if args[0] == "--" {
			return own, args[1:]
		}
		name, _, assigned := strings.Cut(name, "=")
		var f *pflag.Flag
		switch {
		case long:
			f = flags.Lookup(name)
		case args[0] == "-h":
			f = flags.Lookup("help")
		}
		if f == nil || f.Hidden {
			break
		}
		n := 1
		if !assigned && f.NoOptDefVal == "" && f.Value.Type() != "bool" {
			n = min(2, len(args))
		}
		own, args = append(own, args[:n]...), args[n:]
	}
	return own, args
}

// build builds an image and opens it.
func (j *job) build(ctx context.Context, name string, args []string) error {
	if len(args) == 0 {
		return hinted("fathom build -t app .", "build: there are no arguments for the builder")
	}
	if err := j.checkOutputs(source{}); err != nil { // before the build, which may take long
		return err
	}
	if err := j.prepare(); err != nil {
		return err
	}
	b, err := chooseBuilder(ctx, name)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(j.load.Temp, "fathom-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer j.taken(func() { os.RemoveAll(dir) })()
	made, err := parseBuild(b, dir, args)
	if err != nil {
		return err
	}
	if err := j.runBuilder(ctx, b, made.args); err != nil {
		return err
	}
	src, err := made.source(b)
	if err != nil {
		return err
	}
	if made.metadata != "" && j.origin.Provenance == "" && hasProvenance(made.metadata) {
		j.origin.Provenance = made.metadata
	}
	if err := j.spare(src, "the image"); err != nil {
		return err
	}
	if !j.origin.Asked && filepath.IsLocal(made.dockerfile) {
		j.origin.Dockerfile = filepath.ToSlash(made.dockerfile)
	}
	return j.output(ctx, src)
}

// chooseBuilder returns the builder of that name, or the first that is there.
func chooseBuilder(ctx context.Context, name string) (*builder, error) {
	for _, b := range builders() {
		if name != "" && name != b.name {
			continue
		}
		if _, err := exec.LookPath(b.command[0]); err != nil {
			if name != "" {
				return nil, fmt.Errorf("--builder %s: %s is not installed", name, b.command[0])
			}
			continue
		}
		if b.there != nil && exec.CommandContext(ctx, b.there[0], b.there[1:]...).Run() != nil {
			if name != "" {
				return nil, fmt.Errorf("--builder %s: %s fails", name, strings.Join(b.there, " "))
			}
			continue
		}
		return &b, nil
	}
	if name != "" {
		return nil, hinted("fathom build -- --builder "+name+" gives it to docker buildx", "--builder: %q is none of %s", name, strings.Join(builderNames(), ", "))
	}
	return nil, errors.New("building: neither docker nor podman is installed")
}

// built is a build: its arguments, and where what it made is.
type built struct {
	args     []string
	tag      string // the first
	id       string // the file with the image's ID
	metadata string // the file of --metadata-file, or ""
	push     bool   // to a registry, and not into the engine
	archive  string // the file of an archive that it writes
	none     string // the output, if that is no image
	// dockerfile is the file that it builds from, if the arguments say so.
	dockerfile string
}

// parseBuild looks for what the arguments say about the result, and adds what says
// where it is.
func parseBuild(b *builder, dir string, args []string) (*built, error) {
	m := &built{}
	loads := false
	for i, arg := range args {
		name, value, assigned := strings.Cut(arg, "=")
		if !assigned && i+1 < len(args) {
			value = args[i+1]
		}
		switch name {
		case "-t", "--tag":
			m.tag = cmp.Or(m.tag, value)
		case "--iidfile":
			m.id = value
		case "--metadata-file":
			m.metadata = value
		case "-f", "--file":
			m.dockerfile = filepath.Clean(value)
		case "--push":
			m.push = true
		case "--load":
			loads = true
		case "-o", "--output":
			if err := m.output(value); err != nil {
				return nil, err
			}
			loads = true
		}
	}
	if m.dockerfile == "" { // the folder of the build context comes last
		m.dockerfile = filepath.Join(args[len(args)-1], "Dockerfile")
	}
	if m.id == "" {
		m.id = filepath.Join(dir, "id")
		m.args = append(m.args, "--iidfile", m.id)
	}
	if b.metadata && m.metadata == "" {
		m.metadata = filepath.Join(dir, "metadata")
		m.args = append(m.args, "--metadata-file", m.metadata)
	}
	if b.name == "buildx" && !loads && !m.push {
		m.args = append(m.args, "--load")
	}
	m.args = append(m.args, args...)
	return m, nil
}

// output reads the value of --output: "type=oci,dest=FILE", or a folder.
func (m *built) output(value string) error {
	fields, err := csv.NewReader(strings.NewReader(value)).Read()
	if err != nil {
		return fmt.Errorf("--output %s: %w", value, err)
	}
	set := map[string]string{}
	for _, f := range fields {
		name, v, _ := strings.Cut(f, "=")
		set[name] = v
	}
	switch set["type"] {
	case "image":
		m.push = m.push || set["push"] == "true"
	case "registry":
		m.push = true
	case "docker", "oci":
		m.archive = set["dest"]
		if set["type"] == "oci" && m.archive == "" {
			m.none = value
		}
	default:
		m.none = value
	}
	m.tag = cmp.Or(m.tag, set["name"])
	return nil
}

// source returns where the image is that was built.
func (m *built) source(b *builder) (source, error) {
	switch {
	case m.archive == "-" || m.none != "":
		return source{}, hinted("fathom opens what docker, podman, a registry or a file has", "the build wrote no image that can be opened: --output %s", cmp.Or(m.none, m.archive))
	case m.archive != "":
		return source{ref: "archive:" + m.archive, name: m.tag}, nil
	case m.push && m.tag == "":
		return source{}, errors.New("the build pushed an image without a name")
	case m.push:
		return source{ref: "registry:" + m.tag}, nil
	}
	id, err := os.ReadFile(m.id)
	if err != nil || len(id) == 0 {
		if m.tag == "" {
			return source{}, errors.New("the builder did not say what it built")
		}
		return source{ref: b.scheme + ":" + m.tag, name: m.tag}, nil
	}
	ref := b.scheme + ":" + strings.TrimSpace(string(id))
	return source{ref: ref, name: cmp.Or(m.tag, ref)}, nil
}

// builderError is the error of a build that failed. The builder has said why.
type builderError struct {
	command string
	code    int
}

func (e *builderError) Error() string {
	return fmt.Sprintf("%s failed: exit code %d", e.command, e.code)
}

// runBuilder runs the builder on the terminal. Its results go to standard error, so
// that standard output has only fathom's.
func (j *job) runBuilder(ctx context.Context, b *builder, args []string) error {
	if j.isTerminal(j.stdin) {
		defer j.hold()() // ctrl-c is for the builder, which ends by it
	}
	cmd := exec.CommandContext(ctx, b.command[0], append(slices.Clone(b.command[1:]), args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = j.stdin, j.stderr, j.stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = grace / 2 // a builder that doesn't end is killed before fathom ends
	if b.metadata {
		cmd.Env = append(os.Environ(), "BUILDX_METADATA_PROVENANCE=max")
	}
	err := cmd.Start()
	if err == nil {
		release := j.taken(func() { _ = cmd.Process.Kill() })
		err = cmd.Wait()
		release()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &exit):
		e := &builderError{strings.Join(b.command, " "), exit.ExitCode()}
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			e.code = 128 + int(status.Signal())
		}
		return e
	case err != nil:
		return fmt.Errorf("running %s: %w", strings.Join(b.command, " "), err)
	}
	return nil
}

// hasProvenance reports whether a metadata file has the provenance of the build:
// older builders write none.
func hasProvenance(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<20))
	return err == nil && strings.Contains(string(text), `"buildx.build.provenance"`)
}
