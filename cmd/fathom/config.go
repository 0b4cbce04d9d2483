package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"fathom/ui"
)

const (
	configName = ".fathom.yaml"
	maxConfig  = 1 << 20
)

// config is what the config files say. docs/config.md tells of each key.
type config struct {
	file  string // the one being read
	ui    uiConfig
	hasUI bool
	ci    *ciConfig // nil when no file has the section
	read  []string  // the files that were read, the nearest first
}

// uiConfig is its section ui; what it doesn't say is zero.
type uiConfig struct {
	theme, sort  string
	ascii, mouse *bool
	keys         map[string][]string
}

// readConfig reads the project's config file, or explicit in its place, and the
// user's. Each section is taken whole from the first that has it. An error has
// the place in it.
func (a *app) readConfig(explicit string) (*config, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", configName, err)
	}
	project, user := configFiles(dir)
	if explicit != "" {
		project = []string{explicit}
	}
	c := &config{}
	for _, name := range project {
		shown := name
		if rel, err := filepath.Rel(dir, name); err == nil && explicit == "" {
			shown = rel
		}
		found, err := c.add(name, shown)
		if err != nil {
			return nil, err
		}
		if found {
			break
		}
		if explicit != "" {
			return nil, fmt.Errorf("reading %s: no such file or directory", explicit)
		}
	}
	_, err = os.Stat(filepath.Join(dir, diveName))
	switch dive := err == nil && explicit == ""; {
	case dive && len(c.read) == 0:
		if _, err := c.add(filepath.Join(dir, diveName), diveName); err != nil {
			c.ci = &ciConfig{err: err}
		}
	case dive && c.ci == nil:
		c.ci = &ciConfig{warnings: []string{fmt.Sprintf("%s is not read, because there is %s, which says nothing of ci", diveName, c.read[0])}}
	}
	if user == "" {
		return c, nil
	}
	_, err = c.add(user, user)
	return c, err
}

// add reads one file, if it is there, and takes the sections of it that no
// file before it had. A .dive-ci has a section ci and nothing else.
func (c *config) add(name, shown string) (found bool, err error) {
	data, err := readSmall(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	next := &config{file: shown}
	switch {
	case err != nil:
	case strings.HasPrefix(filepath.Base(name), diveName):
		next.ci, err = parseDive(data, shown)
	default:
		err = parseConfig(data, next.sections())
	}
	var own *hintError
	switch {
	case errors.As(err, &own):
		return true, hinted(own.hint, "reading %s: %w", shown, own.err)
	case err != nil:
		return true, fmt.Errorf("reading %s: %w", shown, err)
	}
	c.read = append(c.read, shown)
	if !c.hasUI {
		c.ui, c.hasUI = next.ui, next.hasUI
	}
	if c.ci == nil {
		c.ci = next.ci
	}
	return true, nil
}

// configFiles are the places of a config file: the project's, the nearest
// first, which is the working directory and then its parents up to the root of
// the repository, if it is in one; and the user's, "" when there is no place
// for it.
func configFiles(dir string) (project []string, user string) {
	for d := dir; ; d = filepath.Dir(d) {
		project = append(project, filepath.Join(d, configName))
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			break
		}
		if d == filepath.Dir(d) { // in no repository
			project = project[:1]
			break
		}
	}
	if home, err := os.UserConfigDir(); err == nil {
		user = filepath.Join(home, "fathom", "config.yaml")
	}
	return project, user
}

// readSmall reads a regular file of a moderate size.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(data) > maxConfig {
		return nil, errors.New("it is larger than 1 MiB")
	}
	return data, nil
}

// cause is err without the name of the file, which stands before it anyway.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// sections are the keys that a config file can have, and where they go.
func (c *config) sections() section {
	return section{
		"version": version1,
		"ci": func(n *yaml.Node) error {
			c.ci = &ciConfig{file: c.file}
			return c.ci.section().read(n)
		},
		"ui": func(n *yaml.Node) error {
			c.hasUI = true
			return section{
				"theme": oneOf(&c.ui.theme, ui.Themes()),
				"sort":  oneOf(&c.ui.sort, ui.Sorts()),
				"ascii": boolean(&c.ui.ascii),
				"mouse": boolean(&c.ui.mouse),
				"keys":  keyTable(&c.ui.keys),
			}.read(n)
		},
	}
}

// options are the explorer's: a flag beats the environment, that the file.
func (a *app) options(f *exploreFlags, c *config) (ui.Options, error) {
	o := f.ui
	o.Keys = c.ui.keys
	text := func(to *string, flag, variable, file string, all []string) error {
		env := a.getenv(variable)
		switch {
		case f.set.Changed(flag):
		case env != "" && !slices.Contains(all, env):
			return fmt.Errorf("%s: %q is none of %s", variable, env, strings.Join(all, ", "))
		case env != "":
			*to = env
		case file != "":
			*to = file
		}
		return nil
	}
	yes := func(to *bool, flag, variable string, file *bool, negated bool) error {
		env := a.getenv(variable)
		switch {
		case f.set.Changed(flag):
		case env != "":
			v, err := strconv.ParseBool(env)
			if err != nil {
				return fmt.Errorf("%s: %q is neither true nor false", variable, env)
			}
			*to = v != negated
		case file != nil:
			*to = *file != negated
		}
		return nil
	}
	return o, cmp.Or(
		text(&o.Theme, "theme", "FATHOM_THEME", c.ui.theme, ui.Themes()),
		text(&o.Sort, "sort", "FATHOM_SORT", c.ui.sort, ui.Sorts()),
		yes(&o.ASCII, "ascii", "FATHOM_ASCII", c.ui.ascii, false),
		yes(&o.NoMouse, "no-mouse", "FATHOM_MOUSE", c.ui.mouse, true),
	)
}
