package ui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"fathom/analyzer"
	"fathom/analyzer/layer"
)

// owners has the image's names for user and group IDs.
type owners struct{ users, groups map[int64]string }

// maxAccounts is how many bytes of a passwd or group file are read.
const maxAccounts = 1 << 20

// readOwners reads /etc/passwd and /etc/group as they are in the final image. A
// file that is not regular or can't be read has no names.
func readOwners(ctx context.Context, a *analyzer.Analysis) owners {
	return owners{accounts(ctx, a, "/etc/passwd"), accounts(ctx, a, "/etc/group")}
}

// accounts is the names by ID in a file of lines "name:password:ID:...". The
// first line of an ID counts, as in the C library.
func accounts(ctx context.Context, a *analyzer.Analysis, path string) map[int64]string {
	if a.Tree.Layers() == 0 {
		return nil
	}
	n, ok := a.Tree.Lookup(path)
	if !ok {
		return nil
	}
	st, ok := a.Tree.At(n, a.Tree.Layers()-1)
	if !ok || st.Kind != layer.File {
		return nil
	}
	r, err := a.Open(ctx, st.Content)
	if err != nil {
		return nil
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxAccounts))
	if err != nil {
		return nil
	}
	names := map[int64]string{}
	for l := range bytes.Lines(data) {
		fields := strings.SplitN(strings.TrimRight(string(l), "\r\n"), ":", 4)
		if len(fields) < 3 || fields[0] == "" {
			continue
		}
		id, err := strconv.ParseInt(fields[2], 10, 64)
		if _, there := names[id]; err == nil && !there {
			names[id] = safe(fields[0])
		}
	}
	return names
}

// text returns user and group, by name if the image has names for them.
func (o *owners) text(uid, gid int64) string {
	return nameOf(o.users, uid) + ":" + nameOf(o.groups, gid)
}

// long returns text, followed by the IDs if text has names.
func (o *owners) long(uid, gid int64) string {
	numbers := fmt.Sprintf("%d:%d", uid, gid)
	if s := o.text(uid, gid); s != numbers {
		return s + "  " + numbers
	}
	return numbers
}

func nameOf(names map[int64]string, id int64) string {
	if s, ok := names[id]; ok {
		return s
	}
	return strconv.FormatInt(id, 10)
}
