package layer

// name sets the kind, the path and what depends on them in e, and notes what is
// odd. keep reports whether the member of the tar becomes an entry at all.
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
		e.Kind = Ignored
	case badMarker:
		w.notes.add(noteMarker, raw)
		e.Kind = Ignored
	}
	if e.Kind != File {
		e.Sparse = false
		if headerOnly(h.flag) {
			e.Size = 0
		}
		if e.Size > 0 {
			w.notes.add(noteBody, raw)
		}
		if e.Kind == Ignored && e.Size == 0 {
			return false
		}
		e.Path = w.names.keep(n.path)
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

// more sets the fields that few entries have: the target of a link and the
// extended attributes.
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
