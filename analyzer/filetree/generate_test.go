package filetree_test

import (
	"fmt"
	"slices"
	"strings"

	"fathom/analyzer/layer"
)

// layers decodes data to layers of up to twelve entries each. It uses so few names
// that entries often have the same path. Half of the images have hashes.
func layers(data []byte) []*layer.Diff {
	next := func() byte {
		if len(data) == 0 {
			return 0
		}
		b := data[0]
		data = data[1:]
		return b
	}
	path := func() string {
		b := next()
		name := func(b byte) string { return string("abc"[b%3]) }
		switch b % 8 {
		case 0, 1:
			return name(b / 8)
		case 2, 3, 4:
			return name(b/8) + "/" + name(b/24)
		case 5, 6:
			return name(b/8) + "/" + name(b/24) + "/" + name(b/72)
		}
		if b == 255 {
			return ""
		}
		return name(b / 8)
	}
	hashed := next()%2 == 0
	var out []*layer.Diff
	offset := int64(0)
	for len(data) > 0 && len(out) < 6 {
		d := &layer.Diff{}
		for len(data) > 0 && d.Len() < 12 {
			op := next()
			e := layer.Entry{Path: path(), Mode: 0o755, Offset: offset, Hashed: hashed}
			offset += 512
			if b := next(); b%4 == 0 {
				e.Mode = 0o700
			} else if b%16 == 1 {
				e.UID, e.GID = 1, 2
			} else if b%16 == 2 {
				e.Xattrs = "user.a=b\x00"
			} else if b%16 == 3 {
				e.Xattrs = "user.a=c\x00"
			}
			e.ModTime = int64(op / 32)
			switch op % 32 {
			default:
				e.Kind = layer.File
				b := next()
				e.Size = int64(b % 4 * 10)
				e.Held = e.Size
				e.Hash[0] = b / 4 % 2
				if e.Size == 0 {
					e.Hash[0] = 0
				}
				e.Hash[1] = byte(e.Size)
				if b == 77 {
					e.Sparse, e.Size, e.Held, e.Hash[2] = true, 30, 10, 1
				}
			case 0, 1, 2, 3, 4, 5:
				e.Kind = layer.Dir
			case 6, 7, 8, 9:
				e.Kind = layer.Symlink
				e.Link = []string{"", "", "/", "../", "./"}[next()%5] + path()
				if b := next(); b%8 == 0 {
					e.Link += "/../" + path()
				}
			case 10, 11, 12, 13, 14:
				e.Kind = layer.Link
				e.Link = path()
			case 15, 16, 17, 18, 19, 20:
				e.Kind = layer.Whiteout
				if op%32 >= 19 {
					e.Kind = layer.Opaque
				}
				if b := next(); b%4 == 0 {
					e.Size, e.Held = int64(b)+1, int64(b)+1
				}
				if op == 15 {
					e.Kind, e.Path = layer.Ignored, join(e.Path, ".wh..wh.x")
				}
			case 21:
				e.Kind, e.Major, e.Minor = layer.Char, 1, int64(next()%2)
			case 22:
				e.Kind = layer.Fifo
			case 23, 24, 25:
				if d.Len() > 0 {
					out = append(out, d)
					d = &layer.Diff{}
				}
				continue
			}
			if e.Path == "" && e.Kind != layer.Dir && e.Kind != layer.Opaque {
				continue // layer.Read omits such entries
			}
			d.Add(e)
		}
		out = append(out, d)
	}
	return out
}

// reduce removes layers and entries as long as tree and model still disagree.
func reduce(diffs []*layer.Diff, why string) ([]*layer.Diff, string) {
	for i := 0; i < len(diffs); i++ {
		for n := -1; n < diffs[i].Len(); n++ {
			less := slices.Clone(diffs)
			if n < 0 {
				less = slices.Delete(less, i, i+1)
			} else {
				less[i] = &layer.Diff{}
				for k := range diffs[i].Len() {
					if k != n {
						less[i].Add(*diffs[i].At(k))
					}
				}
			}
			if w := compare(less); w != "" {
				return reduce(less, w)
			}
		}
	}
	return diffs, why
}

// text returns the layers in the format of testdata/images.
func text(diffs []*layer.Diff) string {
	var b strings.Builder
	for _, d := range diffs {
		b.WriteString("layer\n")
		for n := range d.Len() {
			e := d.At(n)
			name := e.Path
			if name == "" {
				name = "/"
			}
			dir, base := cut(e.Path)
			switch e.Kind {
			case layer.Whiteout:
				fmt.Fprintf(&b, "  file    %s %dx!\n", join(dir, ".wh."+base), e.Size)
				continue
			case layer.Opaque:
				fmt.Fprintf(&b, "  file    %s %dx!\n", join(e.Path, ".wh..wh..opq"), e.Size)
				continue
			case layer.Ignored:
				fmt.Fprintf(&b, "  file    %s %dx!\n", e.Path, e.Size)
				continue
			case layer.Link:
				fmt.Fprintf(&b, "  link    %s", name)
			default:
				fmt.Fprintf(&b, "  %-7s %s", e.Kind, name)
			}
			if e.Mode != 0o755 || e.Kind != layer.Dir {
				fmt.Fprintf(&b, " %o", e.Mode)
			}
			if e.UID > 0 {
				fmt.Fprintf(&b, " %d:%d", e.UID, e.GID)
			}
			if e.Sparse {
				fmt.Fprintf(&b, " sparse=%d@0", e.Size)
			}
			if e.Held > 0 {
				fmt.Fprintf(&b, " %dx%c", e.Held, 'x'+rune(e.Hash[0]))
			}
			if e.Kind == layer.Char {
				fmt.Fprintf(&b, " %d,%d", e.Major, e.Minor)
			}
			if e.Link != "" || e.Kind == layer.Link {
				fmt.Fprintf(&b, " -> %s", e.Link)
			}
			if e.Xattrs != "" {
				fmt.Fprintf(&b, " xattr:%s", strings.TrimSuffix(e.Xattrs, "\x00"))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
