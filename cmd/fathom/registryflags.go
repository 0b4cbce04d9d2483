package main

import (
	"github.com/spf13/pflag"

	"fathom/analyzer/load"
	"fathom/analyzer/load/cache"
	"fathom/analyzer/load/registry"
)

// registryFlags say how registries are read.
type registryFlags struct {
	insecure []string
	mirrors  []string
	ca       string
	noCache  bool
}

func (f *registryFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.mirrors, "registry-mirror", nil, "read what lies in HOST, or else in docker.io, from there first: `[HOST=]MIRROR`; may be repeated")
	flags.StringArrayVar(&f.insecure, "insecure-registry", nil, "read `HOST[:PORT]` also over plain http, and whatever its certificate; may be repeated")
	flags.StringVar(&f.ca, "ca", "", "trust registries by the certificates in `FILE` too")
	flags.BoolVar(&f.noCache, "no-cache", false, "read every layer of a registry anew, and remember none")
}

// into sets what opening an image has to know of them.
func (f *registryFlags) into(opt *load.Options) {
	opt.Registry = registry.Options{
		Insecure: f.insecure, Mirrors: f.mirrors, CA: f.ca,
	}
	if !f.noCache {
		if c, err := cache.Open("", 0); err == nil { // a user without a folder for it does without
			opt.Cache = c
		}
	}
}

// registryHint is what may help where a registry didn't.
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
			return login + " with another name, if that one may not read it"
		}
		return login + ", if the image is private"
	case registry.RateLimited:
		if e.User == "" {
			return login + " allows more; or wait, or use --registry-mirror"
		}
		return "wait, or use --registry-mirror"
	case registry.UnknownCA:
		return "--ca FILE trusts who signed it, --insecure-registry " + host + " asks nobody"
	case registry.TLS:
		return "--insecure-registry " + host + " reads it whatever its certificate says"
	case registry.PlainHTTP:
		return "--insecure-registry " + host + " reads it over plain http"
	case registry.NoRegistry:
		return "is the name of the registry right? HOST[:PORT]/NAME[:TAG]"
	case registry.Stalled:
		return timeoutHint
	case registry.Credentials:
		return "docker logout " + home + " forgets them, docker login asks for them anew"
	}
	return ""
}
