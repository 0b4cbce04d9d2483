package compare

import (
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// culprit is a kind of file with content that differs from build to build.
type culprit struct {
	glob string // of the path without the first slash
	why  string
}

// culprits returns the kinds of files that make layers irreproducible. The first one
// that matches counts.
func culprits() []culprit {
	const log = "a log: its lines have times"
	return []culprit{
		{"**/__pycache__/*.pyc", "Python's bytecode has the modification time of its source"},
		{"**/*.pyc", "Python's bytecode has the modification time of its source"},
		{"{usr/,}lib/apk/db/scripts.tar{.gz,}", "apk's archive of scripts has the time of the installation"},
		{"{var,usr}/lib/{rpm,sysimage/rpm}/rpmdb.sqlite-{shm,wal}", "memory and journal of SQLite, left by rpm"},
		{"{var,usr}/lib/{rpm,sysimage/rpm}/{rpmdb.sqlite,Packages.db,Packages,Installtid}", "rpm's database has the time of each installation"},
		{"var/lib/dnf/**", "dnf's history has the time of each transaction"},
		{"var/lib/yum/**", "yum's history has the time of each transaction"},
		{"var/log/**", log},
		{"**/.npm/_logs/**", log},
		{"var/cache/ldconfig/aux-cache", "ldconfig's cache has inode numbers and times"},
		{"etc/machine-id", "the machine ID is random"},
		{"var/lib/dbus/machine-id", "the machine ID is random"},
		{"etc/ssh/ssh_host_*_key{.pub,}", "the host keys of ssh are random"},
		{"var/lib/systemd/random-seed", "the seed is random"},
		{"var/cache/apt/{src,}pkgcache.bin", "apt's cache has times"},
		{"etc/shadow{-,}", "the day of the last change of a password"},
		{"**/.git/index", "git's index has inode numbers and times"},
		{"**/_cacache/index-v5/**", "npm's cache has the time of each download"},
	}
}

// Culprit returns why the content of a file differs from build to build, even if its
// sources don't, or "" if no reason is known. path begins with a slash.
func Culprit(path string) string {
	for _, c := range culprits() {
		if doublestar.MatchUnvalidated(c.glob, strings.TrimPrefix(path, "/")) {
			return c.why
		}
	}
	return ""
}
