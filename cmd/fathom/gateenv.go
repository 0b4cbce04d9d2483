package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"fathom/analyzer/gate"
	"fathom/analyzer/load/cache"
)

// variable is the environment variable that stands in for a flag.
func variable(flag string) string {
	return "FATHOM_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// openingFlags are the flags of opening an image that have a variable. The
// others are about one image.
func openingFlags() []string {
	return []string{"platform", "temp", "verify", "via", "max-memory", "max-unpacked", "max-temp", "no-keep", "no-cache", "ca", "timeout"}
}

// fromEnvironment gives those flags of a command that weren't given the values
// of their variables.
func (a *app) fromEnvironment(flags *pflag.FlagSet) error {
	for _, name := range openingFlags() {
		f, env := flags.Lookup(name), variable(name)
		if f == nil || f.Changed || a.getenv(env) == "" {
			continue
		}
		// Not flags.Set: the flag was not given, and nobody may complain of it.
		if err := f.Value.Set(a.getenv(env)); err != nil {
			if f.Value.Type() == "bool" {
				err = errors.New("neither true nor false")
			}
			return fmt.Errorf("%s: %q is %w", env, a.getenv(env), err)
		}
	}
	return nil
}

// variables are those that fathom reads, beside the ones that other programs
// know too.
func variables() []string {
	names := []string{
		"FATHOM_THEME", "FATHOM_SORT", "FATHOM_ASCII", "FATHOM_MOUSE", "FATHOM_WARN", "FATHOM_FAIL_ON", "FATHOM_NO_FAIL",
		"FATHOM_ALLOW_TOC", "FATHOM_BASELINE", "FATHOM_CONFIG", cache.Variable,
	}
	for _, s := range gate.Specs() {
		names = append(names, variable(s.Name))
	}
	for _, name := range openingFlags() {
		names = append(names, variable(name))
	}
	return names
}

// misspelt is an error for a variable that is nearly one of fathom's, is called
// like a rule, or is a rule of dive's: a rule would be skipped in silence.
func misspelt(environ []string) error {
	all := variables()
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if value == "" || slices.Contains(all, name) {
			continue
		}
		err := fmt.Errorf("%s: fathom has no such variable", name)
		if own := diveVariable(name); own != "" {
			return &hintError{err, own + " is its name for fathom"}
		}
		if !strings.HasPrefix(name, "FATHOM_") {
			continue
		}
		if near := nearestFold(name, all); near != "" {
			return &hintError{err, "did you mean " + near + "?"}
		}
		for _, rule := range []string{"FATHOM_MAX_", "FATHOM_MIN_", "FATHOM_DENY_"} {
			if strings.HasPrefix(name, rule) {
				return &hintError{err, "the rules are " + strings.Join(ruleNames(), ", ")}
			}
		}
	}
	return nil
}
