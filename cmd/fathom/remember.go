package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"

	"go.yaml.in/yaml/v4"

	"fathom/ui"
	"fathom/ui/report"
)

// stateFile returns the file that keeps what was chosen in the explorer: a config file
// with the section ui. It returns "" if the user has no folder for it.
func (a *app) stateFile() string {
	dir, err := a.getenv("XDG_STATE_HOME"), error(nil)
	switch {
	case filepath.IsAbs(dir):
	case runtime.GOOS == "windows":
		dir, err = os.UserCacheDir() // %LocalAppData%
	case runtime.GOOS == "darwin":
		dir, err = os.UserConfigDir()
	default:
		if dir, err = os.UserHomeDir(); err == nil {
			dir = filepath.Join(dir, ".local", "state")
		}
	}
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "fathom", "ui.yaml")
}

// remembered returns what a state file says; its values go into s. A file that does not
// exist says nothing.
func (s *settings) remembered(file string) (map[string]given, error) {
	data, err := readSmall(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	sections := map[group]*section{}
	if err == nil {
		err = parseConfig(data, s.keys(file, sections))
	}
	if err != nil || sections[explorer] == nil {
		return nil, err
	}
	return sections[explorer].values, nil
}

// recall takes the choices that neither a flag, a variable nor a config file makes from
// the state file. A broken file is ignored.
func (j *job) recall() {
	if !j.remember || j.recalled {
		return
	}
	j.recalled = true
	file := j.stateFile()
	if file == "" {
		return
	}
	values, err := j.remembered(file)
	if err != nil {
		fmt.Fprintf(j.stderr, "fathom: note: the explorer forgets what was chosen: reading %s: %s\n", line(file), line(err.Error()))
	}
	for _, c := range j.explorer.Choices.All() {
		if g := values[c.Name]; g.put != nil && j.given[c.Name].from == "default" {
			g.put(file)
		}
	}
}

// keep makes the choices those of the next start, if they are remembered. Only those
// that have changed are written: others may be from a flag, or another fathom may have
// written them.
func (j *job) keep(chosen ui.Choices) {
	before := j.explorer.Choices
	j.explorer.Choices = chosen
	if !j.remember || reflect.DeepEqual(before, chosen) {
		return
	}
	file := j.stateFile()
	if file == "" {
		return
	}
	old := newSettings()
	values, err := old.remembered(file)
	if err != nil {
		values = nil
	}
	kept := map[string]any{}
	for i, c := range chosen.All() {
		now := reflect.ValueOf(c.Value).Elem()
		if reflect.DeepEqual(c.Value, before.All()[i].Value) {
			g := values[c.Name]
			if g.put == nil {
				continue
			}
			g.put(file)
			now = reflect.ValueOf(old.explorer.Choices.All()[i].Value).Elem()
		}
		if !now.IsZero() {
			kept[c.Name] = now.Interface()
		}
	}
	text, err := yaml.Marshal(map[string]any{"version": 1, string(explorer): kept})
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		err = report.WriteFile(context.Background(), file, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		})
	}
	if err != nil {
		fmt.Fprintf(j.stderr, "fathom: warning: the explorer forgets what was chosen: %s\n", line(err.Error()))
	}
}
