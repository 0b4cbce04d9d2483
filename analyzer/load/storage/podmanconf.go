package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// PodmanOptions says where podman's storage is. The zero value means the places
// where podman looks when the caller runs it.
type PodmanOptions struct {
	// Root is the graph root; then storage.conf is not read. "" means the one
	// in storage.conf.
	Root string
	// Driver is the graph driver. "" means the one in storage.conf, or the one
	// that Root has images of.
	Driver string
	// Env defaults to os.Getenv, and UID to os.Getuid() if Env is nil.
	Env func(string) string
	UID int
}

// storageConf is the part of storage.conf that matters here.
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

// podmanDrivers are the graph drivers that keep layers in plain folders.
var podmanDrivers = []string{"overlay", "vfs", "btrfs"}

// stores returns the stores that may have images, the writable one first.
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
			continue // an additional store is not always mounted
		}
		name := driver
		if name == "" || i > 0 {
			name = driverIn(root, driver)
		}
		if name == "" {
			continue
		}
		if !slices.Contains(podmanDrivers, name) {
			return nil, &IncompleteError{What: fmt.Sprintf("%s uses the graph driver %q, which does not keep layers in plain folders", root, name)}
		}
		all = append(all, store{root, name})
	}
	if len(all) == 0 {
		return []store{{roots[0], podmanDrivers[0]}}, nil // a store without images
	}
	return all, nil
}

// user returns the UID of the user whose storage it is. Under "podman unshare"
// the process has UID 0, and a variable has the user's own.
func (o PodmanOptions) user() int {
	if uid, err := strconv.Atoi(o.Env("_CONTAINERS_ROOTLESS_UID")); err == nil && o.UID == 0 {
		return uid
	}
	return o.UID
}

// driverIn returns the graph driver that a graph root has images of. It tries
// first before the others.
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

// conf reads the user's storage.conf, or the system's.
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
			conf.Storage.GraphRoot = "" // the system's storage.conf has that of root
		}
		return conf, nil
	}
	return conf, nil
}

// graphRoot returns the graph root that podman writes to.
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
