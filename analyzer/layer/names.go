package layer

import "bytes"

// name is the name of an entry as a path, and what was odd about it.
type name struct {
	path     []byte // clean, without a leading slash; "" is the root
	base     int    // index in path of the last component
	absolute bool   // the name began with a slash
	climbs   bool   // a ".." would have left the root
	long     bool   // a component or the path is longer than Linux allows
}

// clean reads an entry's name as a path from the layer's root. The resulting
// path points into p or scratch.
func clean(p []byte, scratch *[]byte) name {
	if len(p) > 1 && p[0] == '.' && p[1] == '/' {
		p = p[2:]
	}
	if len(p) > 0 && p[len(p)-1] == '/' {
		p = p[:len(p)-1]
	}
	n := name{path: p}
	for i := 0; i < len(p); {
		j := bytes.IndexByte(p[i:], '/')
		last := j < 0
		if last {
			j = len(p) - i
		}
		if j == 0 || p[i] == '.' && (j == 1 || j == 2 && p[i+1] == '.') {
			return cleanSlow(p, scratch)
		}
		n.long = n.long || j > 255
		n.base = i
		i += j + 1
	}
	n.long = n.long || len(p) > 4095
	if len(p) > 0 && p[len(p)-1] == '/' { // two slashes at the end
		return cleanSlow(p, scratch)
	}
	return n
}

func cleanSlow(p []byte, scratch *[]byte) name {
	n := name{absolute: len(p) > 0 && p[0] == '/'}
	out := (*scratch)[:0]
	for part := range bytes.SplitSeq(p, []byte{'/'}) {
		switch {
		case len(part) == 0 || string(part) == ".":
		case string(part) == "..":
			if len(out) == 0 {
				n.climbs = true
			}
			out = out[:max(0, bytes.LastIndexByte(out, '/'))]
		default:
			if len(out) > 0 {
				out = append(out, '/')
			}
			out = append(out, part...)
		}
	}
	*scratch = out
	n.path = out
	for i := 0; i < len(out); {
		j := bytes.IndexByte(out[i:], '/')
		last := j < 0
		if last {
			j = len(out) - i
		}
		n.long = n.long || j > 255
		n.base = i
		i += j + 1
	}
	n.long = n.long || len(out) > 4095
	return n
}

const (
	whPrefix   = ".wh."
	metaPrefix = ".wh..wh."
	opaqueName = ".wh..wh..opq"
)

// role is the meaning of an entry by its name.
type role uint8

const (
	plain     role = iota
	whiteout       // path is the hidden path
	opaque         // path is the opaque directory
	meta           // bookkeeping of a storage driver
	badMarker      // a whiteout without a name, or of "." or ".."
)

// role recognises markers by the last component of the path. It changes the
// path of a marker to the path that is hidden or opaque.
func (n *name) role(scratch *[]byte) role {
	base := n.path[n.base:]
	switch {
	case len(base) == 0 || base[0] != '.' || !bytes.HasPrefix(base, []byte(whPrefix)):
		return plain
	case string(base) == opaqueName:
		n.path = n.path[:max(0, n.base-1)]
		return opaque
	case bytes.HasPrefix(base, []byte(metaPrefix)):
		return meta
	}
	hidden := base[len(whPrefix):]
	if len(hidden) == 0 || string(hidden) == "." || string(hidden) == ".." {
		return badMarker
	}
	*scratch = append(append((*scratch)[:0], n.path[:n.base]...), hidden...)
	n.path = *scratch
	return whiteout
}
