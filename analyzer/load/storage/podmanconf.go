package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// PodmanOptions says where podman's storage is; the zero value is where the
// caller's own podman looks.
type PodmanOptions struct {
	// Root is the graph root; "" is what storage.conf says. With it no
	// storage.conf is read.
	Root string
	// Driver is the graph's; "" is what storage.conf says, or whichever the
	// root holds.
	Driver string
	// Env is os.Getenv when nil, UID is os.Getuid() when Env is.
	Env func(string) string
	UID int
}

// storageConf is what matters of storage.conf.
type storageConf struct {
	Storage struct {
		Driver       string `toml:"driver"`
		GraphRoot    string `toml:"graphroot"`
		RootlessPath string `toml:"rootless_storage_path"`
		Options      struct {
			Additional []string `toml:"additionalimagestores"`
		} `toml:"options"`
	} `toml:"storage"`
}

// podmanDrivers are those whose layers are plain folders.
var podmanDrivers = []string{"overlay", "vfs", "btrfs"}

// stores are the places where images may be, the writable one first.
func (o PodmanOptions) stores() ([]store, error) {
	if o.Env == nil {
		o.Env, o.UID = os.Getenv, os.Getuid()
	}
	o.UID = o.user()
	roots, driver := []string{o.Root}, o.Driver
	if o.Root == "" {
		conf, err := o.conf()
		if err != nil {
			return nil, err
		}
		roots[0] = o.graphRoot(conf)
		if driver == "" {
			driver = conf.Storage.Driver
		}
		if d := o.Env("STORAGE_DRIVER"); d != "" && o.Driver == "" {
			driver = d
		}
		roots = append(roots, conf.Storage.Options.Additional...)
	}
	var all []store
	for i, root := range roots {
		if _, err := os.ReadDir(root); err != nil {
			if i == 0 {
				return nil, denied(err)
			}
			continue // a further store is not always mounted
		}
		name := driver
		if name == "" || i > 0 {
			name = driverIn(root, driver)
		}
		if name == "" {
			continue
		}
		known := false
		for _, d := range podmanDrivers {
			known = known || d == name
		}
		if !known {
			return nil, &IncompleteError{What: fmt.Sprintf("%s is of the graph driver %q, whose layers are no plain folders", root, name)}
		}
		all = append(all, store{root, name})
	}
	if len(all) == 0 {
		return []store{{roots[0], podmanDrivers[0]}}, nil // one without images
	}
	return all, nil
}

// user is whose storage it is: "podman unshare" makes a user root among their
// own files, and tells who they are.
func (o PodmanOptions) user() int {
	if uid, err := strconv.Atoi(o.Env("_CONTAINERS_ROOTLESS_UID")); err == nil && o.UID == 0 {
		return uid
	}
	return o.UID
}

// driverIn is the driver of which a graph root holds images.
func driverIn(root, first string) string {
	for _, d := range append([]string{first}, podmanDrivers...) {
		if d == "" {
			continue
		}
		if _, err := os.Lstat(filepath.Join(root, d+"-images", "images.json")); err == nil {
			return d
		}
	}
	return ""
}

// conf reads storage.conf: that of the user, or the machine's.
func (o PodmanOptions) conf() (*storageConf, error) {
	places := []string{"/etc/containers/storage.conf", "/usr/share/containers/storage.conf"}
	if file := o.Env("CONTAINERS_STORAGE_CONF"); file != "" {
		places = []string{file}
	} else if o.UID != 0 {
		dir := o.Env("XDG_CONFIG_HOME")
		if dir == "" {
			dir = filepath.Join(o.Env("HOME"), ".config")
		}
		places = append([]string{filepath.Join(dir, "containers", "storage.conf")}, places...)
	}
	conf := new(storageConf)
	for i, file := range places {
		raw, err := read(file, maxDocument)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, denied(err)
		}
		if err := toml.Unmarshal(raw, conf); err != nil {
			return nil, &IncompleteError{"reading " + file, err}
		}
		if own := len(places) - i; o.UID != 0 && own <= 2 && o.Env("CONTAINERS_STORAGE_CONF") == "" {
			conf.Storage.GraphRoot = "" // the machine's is root's
		}
		return conf, nil
	}
	return conf, nil
}

// graphRoot is where the images are that podman writes.
func (o PodmanOptions) graphRoot(conf *storageConf) string {
	if root := conf.Storage.GraphRoot; root != "" {
		return o.expand(root)
	}
	if o.UID == 0 {
		return "/var/lib/containers/storage"
	}
	if root := conf.Storage.RootlessPath; root != "" {
		return o.expand(root)
	}
	data := o.Env("XDG_DATA_HOME")
	if data == "" {
		data = filepath.Join(o.Env("HOME"), ".local", "share")
	}
	return filepath.Join(data, "containers", "storage")
}

func (o PodmanOptions) expand(path string) string {
	return strings.NewReplacer("$HOME", o.Env("HOME"), "$UID", strconv.Itoa(o.UID), "$USER", o.Env("USER")).Replace(path)
}
