package layer

import "strings"

// name decides what an entry is and what it is called. Not every member of the
// tar is one.
func (w *walker) name(h *header, e *Entry) (keep bool) {
	raw := joined(h, &w.nameBuf)
	n := clean(raw, &w.scratch)
	if n.absolute && len(n.path) > 0 {
		w.notes.add(noteAbsolute, raw)
	}
	if n.climbs {
		w.notes.add(noteClimbs, raw)
	}
	if n.long {
		w.notes.add(noteLong, n.path)
	}
	switch n.role(&w.whBuf) {
	case whiteout:
		e.Kind = Whiteout
	case opaque:
		e.Kind = Opaque
		if len(n.path) == 0 {
			w.notes.add(noteOpaqueRoot, raw)
		}
	case meta:
		w.notes.add(noteMeta, raw)
		if w.file(h.flag) && strings.HasPrefix(string(n.path), plnkDir) {
			e.Path = string(n.path)
			return true
		}
		return false
	case badMarker:
		w.notes.add(noteMarker, raw)
		return false
	}
	if e.Kind == Whiteout || e.Kind == Opaque {
		e.Path, e.Size, e.Sparse = w.names.keep(n.path), 0, false
		return true
	}
	switch h.flag {
	case '0', '7', 'S':
		e.Kind = File
	case '1':
		e.Kind = Link
	case '2':
		e.Kind = Symlink
	case '3', '4':
		e.Kind = Char
		if h.flag == '4' {
			e.Kind = Block
		}
		e.Major, e.Minor = h.major, h.minor
		if e.Kind == Char && e.Major == 0 && e.Minor == 0 {
			w.notes.add(noteZeroDevice, n.path)
		}
	case '5':
		e.Kind = Dir
	case '6':
		e.Kind = Fifo
	default:
		w.notes.add(noteType, raw)
		w.notes.types[h.flag] = true
		return false
	}
	if len(n.path) == 0 && e.Kind != Dir {
		w.notes.add(noteRoot, raw)
		return false
	}
	if e.Kind != File {
		e.Size, e.Sparse = 0, false
	}
	e.Path = w.names.keep(n.path)
	w.more(h, e)
	return true
}

func (w *walker) file(flag byte) bool { return flag == '0' || flag == '7' || flag == 'S' }

// more fills in what few entries have: a link's target, extended attributes.
func (w *walker) more(h *header, e *Entry) {
	switch e.Kind {
	case Symlink:
		e.Link = w.names.keep(h.link)
	case Link:
		n := clean(h.link, &w.linkScratch)
		if n.climbs {
			w.notes.add(noteLinkClimbs, []byte(e.Path))
		}
		e.Link = w.names.keep(n.path)
	}
	if len(w.pax.xattrs) > 0 {
		s, overlay := w.pax.attributes()
		if overlay {
			w.notes.add(noteOverlay, []byte(e.Path))
		}
		e.Xattrs = w.names.attributes(s)
	}
}

// add keeps an entry.
func (w *walker) add(e *Entry) {
	switch {
	case e.Kind == File && strings.HasPrefix(e.Path, plnkDir):
		if w.plnk == nil {
			w.plnk = map[string]*Entry{}
		}
		c := *e
		w.plnk[e.Path] = &c
		return
	case e.Kind == Link && strings.HasPrefix(e.Link, plnkDir):
		w.pseudoLink(e)
	}
	w.diff.Add(*e)
}

// pseudoLink gives the first hard link to an aufs pseudo-link its content, and
// makes every further one a link to the first.
func (w *walker) pseudoLink(e *Entry) {
	c := w.plnk[e.Link]
	if c == nil {
		w.notes.add(notePlnk, []byte(e.Path))
		return
	}
	if !strings.HasPrefix(c.Path, plnkDir) {
		e.Link = c.Path
		return
	}
	e.Kind, e.Link = File, ""
	e.Size, e.Stored, e.Offset = c.Size, c.Stored, c.Offset
	e.Hash, e.Hashed, e.Sparse = c.Hash, c.Hashed, c.Sparse
	c.Path = e.Path
}
