package load

import (
	"fmt"
	"strings"

	dockerref "github.com/distribution/reference"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// fullName returns a name with its registry, path and tag, as engines and
// containerd write it: "app" becomes "docker.io/library/app:latest". It returns
// an invalid name unchanged.
func fullName(name string) string {
	r, err := dockerref.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return dockerref.TagNameOnly(r).String()
}

// tagPart returns what follows the last colon of a name, or all of a bare tag.
func tagPart(name string) string {
	base := name[strings.LastIndex(name, "/")+1:]
	if _, tag, ok := strings.Cut(base, ":"); ok {
		return tag
	}
	return base
}

// platform is an operating system and an architecture, normalized as containerd
// does it: "arm64/v8" becomes "arm64", "x86_64" becomes "amd64".
type platform struct{ os, arch, variant string }

// parsePlatform parses "os/arch" or "os/arch/variant"; "" means any platform.
func parsePlatform(s string) (platform, error) {
	if s == "" {
		return platform{}, nil
	}
	parts := strings.Split(strings.ToLower(s), "/")
	bad := len(parts) < 2 || len(parts) > 3
	for _, part := range parts {
		bad = bad || part == "" || strings.ContainsAny(part, " \t\n:")
	}
	if bad {
		return platform{}, fmt.Errorf("platform %q is not OS/ARCH or OS/ARCH/VARIANT", s)
	}
	p := platform{os: parts[0], arch: parts[1]}
	if len(parts) == 3 {
		p.variant = parts[2]
	}
	return p.normal(), nil
}

func platformOf(p v1.Platform) platform {
	return platform{p.OS, p.Architecture, p.Variant}.normal()
}

func (p platform) normal() platform {
	switch p.arch {
	case "x86_64", "x86-64":
		p.arch = "amd64"
	case "aarch64":
		p.arch = "arm64"
	case "i386", "i686":
		p.arch = "386"
	case "armhf":
		p.arch, p.variant = "arm", "v7"
	case "armel":
		p.arch, p.variant = "arm", "v6"
	}
	if p.arch == "arm64" && p.variant == "v8" || p.arch == "amd64" && p.variant == "v1" {
		p.variant = ""
	}
	return p
}

// fits reports whether an image for the platform have can be used for p.
func (p platform) fits(have v1.Platform) bool {
	h := platformOf(have)
	if h.arch == "arm" && h.variant == "" {
		h.variant = "v7"
	}
	return p == platform{} || p.os == h.os && p.arch == h.arch && (p.variant == "" || p.variant == h.variant)
}

func (p platform) String() string {
	s := p.os
	if p.arch != "" {
		s += "/" + p.arch
	}
	if p.variant != "" {
		s += "/" + p.variant
	}
	return s
}
