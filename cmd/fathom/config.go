package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v4"

	"fathom/analyzer"
)

const (
	configName = ".fathom.yaml"
	maxConfig  = 1 << 20
)

// config holds what the config files say. docs/config.md explains each key.
type config struct {
	of       *settings
	sections map[group]*section // the nearest file that has one counts
	read     []string           // the files that were read, the nearest first
}

// section is what one file says in one of its sections. A .dive-ci is a section
// ci and nothing else.
type section struct {
	file            string
	values          map[string]given // by setting
	notes, warnings []string
	err             error // why the file was not read, if only the gate needs it
}

// section returns what the files say in a section, which may be nothing.
func (c *config) section(g group) *section {
	if s := c.sections[g]; s != nil {
		return s
	}
	return &section{}
}

// place returns the position of n: ".fathom.yaml:4:13".
func (s *section) place(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", s.file, n.Line, n.Column)
}

func newConfig(s *settings) *config { return &config{of: s, sections: map[group]*section{}} }

// readConfig reads the project's config file, or the one of --config in its
// place, and the user's. Each section is taken whole from the first that has it.
// Errors say where.
func (a *app) readConfig(s *settings, flags *pflag.FlagSet) (*config, error) {
	c := newConfig(s)
	if err := a.settle(s, flags, c, configFile); err != nil {
		return nil, err
	}
	dir, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", configName, err)
	}
	if s.config != "" {
		err = c.addNamed(s.config)
	} else {
		err = c.addProject(dir)
	}
	if err != nil {
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

// addNamed reads a file that must be there.
func (c *config) addNamed(name string) error {
	found, err := c.add(name, name)
	if err == nil && !found {
		err = fmt.Errorf("reading %s: no such file or directory", name)
	}
	return err
}

// addProject reads the config file of the project that dir lies in and, where
// that has no section ci, dir's .dive-ci. An error that concerns only the gate is
// kept in the section.
func (c *config) addProject(dir string) error {
	for _, folder := range configFolders(dir) {
		name, err := configIn(folder, configName, ".fathom.yml")
		if err != nil {
			return err
		}
		if name == "" {
			other, err := configIn(folder, "fathom.yaml", "fathom.yml")
			if other != "" && c.sections[judgment] == nil {
				err = hinted("mv "+other+" "+configName+"; or, where it belongs to another program, fathom config init writes "+configName,
					"%s is not read: the config file is called %s", relative(dir, filepath.Join(folder, other)), configName)
			}
			if err != nil {
				c.sections[judgment] = &section{err: err}
			}
			continue
		}
		name = filepath.Join(folder, name)
		if _, err := c.add(name, relative(dir, name)); err != nil {
			return err
		}
		break
	}
	ci := c.sections[judgment]
	switch name, err := configIn(dir, diveName); {
	case err != nil || name == "":
	case ci == nil:
		if _, err := c.add(filepath.Join(dir, diveName), diveName); err != nil {
			c.sections[judgment] = &section{err: err}
		}
	case ci.err == nil:
		ci.notes = append(ci.notes, fmt.Sprintf("%s is not read, because %s has a section ci", diveName, ci.file))
	}
	return nil
}

// configIn returns the one of names that exists in a folder, or "". A dangling
// symlink exists: reading it is the error.
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

// relative returns a path relative to dir.
func relative(dir, name string) string {
	if rel, err := filepath.Rel(dir, name); err == nil {
		return rel
	}
	return name
}

// add reads one file, if it is there, and takes the sections of it that no
// file before it had.
func (c *config) add(name, shown string) (found bool, err error) {
	data, err := readSmall(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	sections := map[group]*section{}
	switch {
	case err != nil:
	case strings.HasPrefix(filepath.Base(name), diveName):
		sections[judgment], err = c.of.parseDive(data, shown)
	default:
		err = parseConfig(data, c.of.keys(shown, sections))
	}
	if err != nil {
		return true, fmt.Errorf("reading %s: %w", shown, err)
	}
	c.read = append(c.read, shown)
	for g, s := range sections {
		if c.sections[g] == nil {
			c.sections[g] = s
		}
	}
	return true, nil
}

// configFolders returns the folders that can have the project's config file, the
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
		return nil, errors.New("it is a broken symlink")
	}
	if err != nil {
		return nil, analyzer.WithoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, analyzer.WithoutPath(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, analyzer.WithoutPath(err)
	}
	if len(data) > maxConfig {
		return nil, errors.New("it is larger than 1 MiB")
	}
	return data, nil
}

// keys returns the keys that a config file can have. They are read into sections.
func (s *settings) keys(file string, sections map[group]*section) mapping {
	top := mapping{"version": version1}
	for _, g := range []group{explorer, building, search, judgment} {
		top[string(g)] = func(n *yaml.Node) error {
			found := &section{file: file, values: map[string]given{}}
			sections[g] = found
			keys := mapping{}
			for _, r := range s.rows {
				if r.group == g && r.in&inFile != 0 {
					keys[r.name] = func(n *yaml.Node) (err error) {
						found.values[r.name], err = r.takes.node(n, found.place)
						return err
					}
				}
			}
			return keys.read(n)
		}
	}
	return top
}
