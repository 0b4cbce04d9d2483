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

	"fathom/ui"
)

const (
	configName = ".fathom.yaml"
	maxConfig  = 1 << 20
)

// config is what a config file says. docs/config.md tells of each key.
type config struct {
	file string // "" when there is none
	ui   uiConfig
}

// uiConfig is its section ui; what it doesn't say is zero.
type uiConfig struct {
	theme, sort  string
	ascii, mouse *bool
	keys         map[string][]string
}

// readConfig reads the nearest config file. An error has the place in it.
func (a *app) readConfig() (*config, error) {
	c := &config{}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", configName, err)
	}
	for _, name := range configFiles(dir) {
		data, err := readSmall(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		c.file = name
		if rel, e := filepath.Rel(dir, name); e == nil && filepath.Base(name) == configName {
			c.file = rel
		}
		if err == nil {
			err = parseConfig(data, c.sections())
		}
		var own *hintError
		switch {
		case errors.As(err, &own):
			return nil, hinted(own.hint, "reading %s: %w", c.file, own.err)
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", c.file, err)
		}
		break
	}
	return c, nil
}

// configFiles are the places of a config file, the nearest first: the working
// directory, then its parents up to the root of the repository, if it is in one,
// then the user's config folder.
func configFiles(dir string) []string {
	var files []string
	for d := dir; ; d = filepath.Dir(d) {
		files = append(files, filepath.Join(d, configName))
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			break
		}
		if d == filepath.Dir(d) { // in no repository
			files = files[:1]
			break
		}
	}
	if home, err := os.UserConfigDir(); err == nil {
		files = append(files, filepath.Join(home, "fathom", "config.yaml"))
	}
	return files
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
		"ui": section{
			"theme": oneOf(&c.ui.theme, ui.Themes()),
			"sort":  oneOf(&c.ui.sort, ui.Sorts()),
			"ascii": boolean(&c.ui.ascii),
			"mouse": boolean(&c.ui.mouse),
			"keys":  keyTable(&c.ui.keys),
		}.read,
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
