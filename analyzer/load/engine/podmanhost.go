package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// podmanEndpoints returns the endpoints to try, in order: that of CONTAINER_HOST
// or of CONTAINER_CONNECTION, otherwise the sockets of podman's service and the
// default connection. The connection comes first where podman itself uses it
// without --remote: on other systems than Linux, and with "remote = true" in
// containers.conf.
func podmanEndpoints(opt Options) ([]endpoint, error) {
	if host := opt.env("CONTAINER_HOST"); host != "" {
		at, err := newEndpoint(Podman, "CONTAINER_HOST", host, nil)
		at.identity = opt.env("CONTAINER_SSHKEY")
		return []endpoint{at}, err
	}
	known, err := readConnections(opt)
	if err != nil {
		return nil, err
	}
	if name := opt.env("CONTAINER_CONNECTION"); name != "" {
		at, err := known.endpoint(name, "CONTAINER_CONNECTION")
		return []endpoint{at}, err
	}
	endpoints := socketEndpoints(Podman, podmanSockets(opt))
	if known.Default == "" {
		return endpoints, nil
	}
	at, err := known.endpoint(known.Default, known.file)
	if known.remote || runtime.GOOS != "linux" {
		return append([]endpoint{at}, endpoints...), err
	}
	if err != nil { // podman itself would not read it
		return endpoints, nil
	}
	at.last = true
	return append(endpoints, at), nil
}

func podmanSockets(opt Options) []string {
	run := opt.env("XDG_RUNTIME_DIR")
	if run == "" && os.Getuid() > 0 {
		run = filepath.Join("/", opt.root, "run/user", strconv.Itoa(os.Getuid()))
	}
	rootful := filepath.Join("/", opt.root, "run/podman/podman.sock")
	var paths []string
	if run != "" {
		paths = append(paths, filepath.Join(run, "podman/podman.sock"))
	}
	if os.Getuid() == 0 { // podman of root is the rootful one
		return append([]string{rootful}, paths...)
	}
	return append(paths, rootful)
}

// connections are the connections to remote engines in podman's configuration.
type connections struct {
	Default     string
	Connections map[string]connection

	file   string // that has Default
	remote bool   // podman uses them without --remote
}

type connection struct {
	URI      string `toml:"uri"`
	Identity string `toml:"identity"`
}

// containersConf is the part of containers.conf that matters here.
type containersConf struct {
	Engine struct {
		Remote        *bool                 `toml:"remote"`
		ActiveService *string               `toml:"active_service"`
		Services      map[string]connection `toml:"service_destinations"`
	} `toml:"engine"`
}

// readConnections reads the files in podman's order: the containers.conf of the
// distribution, of the system and of the user, and podman-connections.json, which
// podman 5 writes instead. A later file overrides the earlier ones.
func readConnections(opt Options) (connections, error) {
	all := connections{Connections: map[string]connection{}}
	user := opt.env("XDG_CONFIG_HOME")
	if user == "" {
		user = filepath.Join(opt.home(), ".config")
	}
	user = filepath.Join(user, "containers")
	var files []string
	if only := opt.env("CONTAINERS_CONF"); only != "" {
		files = []string{only}
	} else {
		etc := filepath.Join("/", opt.root, "etc/containers")
		files = append(files, filepath.Join("/", opt.root, "usr/share/containers/containers.conf"))
		for _, dir := range []string{etc, user} {
			more, err := filepath.Glob(filepath.Join(dir, "containers.conf.d", "*.conf"))
			if err != nil {
				return all, err
			}
			files = append(append(files, filepath.Join(dir, "containers.conf")), more...)
		}
	}
	if last := opt.env("CONTAINERS_CONF_OVERRIDE"); last != "" {
		files = append(files, last)
	}
	for _, file := range files {
		if err := all.readConf(file); err != nil {
			return all, err
		}
	}
	file := opt.env("PODMAN_CONNECTIONS_CONF")
	if file == "" {
		file = filepath.Join(user, "podman-connections.json")
	}
	return all, all.readJSON(file)
}

func (all *connections) readConf(file string) error {
	text, err := os.ReadFile(file)
	if skip(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var c containersConf
	if err := toml.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("reading %s: %s", file, clean(err.Error()))
	}
	maps.Copy(all.Connections, c.Engine.Services)
	if c.Engine.ActiveService != nil {
		all.Default, all.file = *c.Engine.ActiveService, file
	}
	if c.Engine.Remote != nil {
		all.remote = *c.Engine.Remote
	}
	return nil
}

func (all *connections) readJSON(file string) error {
	text, err := os.ReadFile(file)
	if skip(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var c struct{ Connection connections }
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("reading %s: %s", file, clean(err.Error()))
	}
	maps.Copy(all.Connections, c.Connection.Connections)
	if c.Connection.Default != "" {
		all.Default, all.file = c.Connection.Default, file
	}
	return nil
}

// endpoint returns the endpoint of the connection with that name; from says where
// the name is configured.
func (all *connections) endpoint(name, from string) (endpoint, error) {
	c, ok := all.Connections[name]
	if !ok {
		there := "there are none"
		if len(all.Connections) > 0 {
			there = "the connections are " + clean(strings.Join(slices.Sorted(maps.Keys(all.Connections)), ", "))
		}
		return endpoint{}, fmt.Errorf("there is no podman connection %q, which %s asks for; %s", clean(name), from, there)
	}
	at, err := newEndpoint(Podman, fmt.Sprintf("podman connection %q", clean(name)), c.URI, nil)
	at.identity = c.Identity
	return at, err
}

// skip reports whether err means that a file is missing or not readable: then
// podman ignores it as well.
func skip(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
