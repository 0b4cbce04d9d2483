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
	"syscall"

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
	c := &config{}
	if explicit != "" {
		found, err := c.add(explicit, explicit)
		if err == nil && !found {
			err = fmt.Errorf("reading %s: no such file or directory", explicit)
		}
		if err != nil {
			return nil, err
		}
	} else if err := c.addProject(dir); err != nil {
		return nil, err
	}
	home, err := os.UserConfigDir()
	if err != nil {
		return c, nil //nolint:nilerr // there is no place for it
	}
	home = filepath.Join(home, "fathom")
	name, err := configIn(home, "config.yaml", "config.yml")
	if err != nil || name == "" {
		return c, err
	}
	_, err = c.add(filepath.Join(home, name), filepath.Join(home, name))
	return c, err
}

// addProject reads the config file of the project that dir lies in and, where
// that doesn't have the section ci, dir's .dive-ci. What keeps it from being
// known how to judge matters to the gate only.
func (c *config) addProject(dir string) error {
	for _, folder := range configFolders(dir) {
		name, err := configIn(folder, configName, ".fathom.yml")
		if err != nil {
			return err
		}
		if name == "" {
			other, err := configIn(folder, "fathom.yaml", "fathom.yml")
			if other != "" && c.ci == nil {
				err = hinted("mv "+other+" "+configName+"; or, where it belongs to another program, fathom config init writes "+configName,
					"%s is not read: the config file is called %s", relative(dir, filepath.Join(folder, other)), configName)
			}
			if err != nil {
				c.ci = &ciConfig{err: err}
			}
			continue
		}
		name = filepath.Join(folder, name)
		if _, err := c.add(name, relative(dir, name)); err != nil {
			return err
		}
		break
	}
	switch name, err := configIn(dir, diveName); {
	case err != nil || name == "":
	case c.ci == nil:
		if _, err := c.add(filepath.Join(dir, diveName), diveName); err != nil {
			c.ci = &ciConfig{err: err}
		}
	case c.ci.err == nil:
		c.ci.notes = append(c.ci.notes, fmt.Sprintf("%s is not read, because %s has a section ci", diveName, c.ci.file))
	}
	return nil
}

// configIn is the one of names that there is in a folder, "" when there is
// none. A link that leads nowhere is there: whoever reads it says so.
func configIn(folder string, names ...string) (string, error) {
	found := ""
	for _, name := range names {
		_, err := os.Lstat(filepath.Join(folder, name))
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		case found != "":
			return "", hinted("keep one of them", "%s and %s: only one of them can be the config file", filepath.Join(folder, found), name)
		default:
			found = name
		}
	}
	return found, nil
}

// relative is a path as seen from dir.
func relative(dir, name string) string {
	if rel, err := filepath.Rel(dir, name); err == nil {
		return rel
	}
	return name
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

// configFolders are the folders that can have the project's config file, the
// nearest first: the working directory and then its parents up to the root of
// the repository, if it is in one.
func configFolders(dir string) []string {
	var all []string
	for d := dir; ; d = filepath.Dir(d) {
		all = append(all, d)
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			return all
		}
		if d == filepath.Dir(d) { // in no repository
			return all[:1]
		}
	}
}

// readSmall reads a regular file of a moderate size.
func readSmall(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if _, link := os.Lstat(name); errors.Is(err, fs.ErrNotExist) && link == nil {
		return nil, errors.New("it is a link that leads nowhere")
	}
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
	o.Hold, o.Taken, o.Interrupt = a.hold, a.taken, a.interrupt
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
