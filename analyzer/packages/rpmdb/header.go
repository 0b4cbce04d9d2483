package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// The tags of a header that are read.
const (
	tagName       = 1000
	tagVersion    = 1001
	tagRelease    = 1002
	tagEpoch      = 1003
	tagArch       = 1022
	tagFileStates = 1029
	tagDirIndexes = 1116
	tagBaseNames  = 1117
	tagDirNames   = 1118
)

// The types of their values.
const (
	typeChar        = 1
	typeInt32       = 4
	typeString      = 6
	typeStringArray = 8
)

// The states of files that belong to another package: one with the same path that
// was installed over this file, or one for the preferred architecture.
const (
	stateReplaced   = 1
	stateWrongColor = 4
)

// entry is the index entry of a tag.
type entry struct {
	typ, offset, count uint32
}

// header reads headers, one after the other.
type header struct {
	files   int // how many files and folders may follow
	names   int // how many bytes their names may have
	data    []byte
	entries map[uint32]entry
	counts  []int // of the files of each folder; reused
}

// take takes files, and bytes of their names, from what may follow.
func (h *header) take(files, names int) error {
	if files > h.files {
		return fmt.Errorf("more than %d files and folders in all packages", MaxFiles)
	}
	if names > h.names {
		return fmt.Errorf("more than %d bytes of names in all packages", MaxNames)
	}
	h.files -= files
	h.names -= names
	return nil
}

// read reads a header, which is big-endian: the number of index entries, the size of
// the data, the entries of 16 bytes, and the data.
func (h *header) read(blob []byte) (Package, error) {
	var p Package
	if err := h.index(blob); err != nil {
		return p, err
	}
	for _, s := range []struct {
		tag  uint32
		name string
		to   *string
	}{{tagName, "name", &p.Name}, {tagVersion, "version", &p.Version}, {tagRelease, "release", &p.Release}, {tagArch, "architecture", &p.Arch}} {
		value, ok, err := h.text(s.tag)
		if err != nil {
			return p, fmt.Errorf("reading its %s: %w", s.name, err)
		}
		if !ok && s.tag != tagArch {
			return p, fmt.Errorf("it has no %s", s.name)
		}
		*s.to = value
	}
	epoch, err := h.values(tagEpoch, typeInt32, 4)
	if err != nil {
		return p, fmt.Errorf("reading its epoch: %w", err)
	}
	if len(epoch) > 0 {
		p.Epoch = binary.BigEndian.Uint32(epoch)
	}
	if err := h.list(&p); err != nil {
		return p, fmt.Errorf("reading its files: %w", err)
	}
	return p, nil
}

// index reads the index entries.
func (h *header) index(blob []byte) error {
	if len(blob) < 8 {
		return errors.New("it is too short")
	}
	il, dl := int64(binary.BigEndian.Uint32(blob)), int64(binary.BigEndian.Uint32(blob[4:]))
	if il == 0 || 8+16*il+dl != int64(len(blob)) {
		return fmt.Errorf("%d entries and %d bytes of data don't make %d bytes", il, dl, len(blob))
	}
	index := blob[8 : 8+16*il]
	h.data = blob[8+16*il:]
	if h.entries == nil {
		h.entries = make(map[uint32]entry)
	}
	clear(h.entries)
	for ; len(index) > 0; index = index[16:] {
		switch tag := binary.BigEndian.Uint32(index); tag {
		case tagName, tagVersion, tagRelease, tagEpoch, tagArch, tagFileStates, tagDirIndexes, tagBaseNames, tagDirNames:
			// The entries that the package came with are first. What rpm changed when
			// it installed the package (the paths of a relocated one) follows them and
			// counts.
			h.entries[tag] = entry{
				binary.BigEndian.Uint32(index[4:]),
				binary.BigEndian.Uint32(index[8:]),
				binary.BigEndian.Uint32(index[12:]),
			}
		}
	}
	return nil
}

// at returns the data from the offset of a tag, nil if the header doesn't have it.
func (h *header) at(tag, typ uint32) ([]byte, entry, error) {
	e, ok := h.entries[tag]
	switch {
	case !ok:
		return nil, e, nil
	case e.typ != typ:
		return nil, e, fmt.Errorf("tag %d has type %d, not %d", tag, e.typ, typ)
	case e.count == 0 || int64(e.offset) >= int64(len(h.data)):
		return nil, e, fmt.Errorf("tag %d has %d values at byte %d of %d", tag, e.count, e.offset, len(h.data))
	}
	return h.data[e.offset:], e, nil
}

// values returns the values of a tag, each of size bytes.
func (h *header) values(tag, typ uint32, size int64) ([]byte, error) {
	data, e, err := h.at(tag, typ)
	if err != nil {
		return nil, err
	}
	if int64(e.count)*size > int64(len(data)) {
		return nil, fmt.Errorf("tag %d has %d values in %d bytes", tag, e.count, len(data))
	}
	return data[:int64(e.count)*size], nil
}

// text returns the string of a tag and whether the header has it.
func (h *header) text(tag uint32) (string, bool, error) {
	data, _, err := h.at(tag, typeString)
	if data == nil || err != nil {
		return "", false, err
	}
	end := bytes.IndexByte(data, 0)
	if end < 0 {
		return "", false, fmt.Errorf("tag %d has no end", tag)
	}
	if err := h.take(0, end); err != nil {
		return "", false, err
	}
	return string(data[:end]), true, nil
}

// texts returns the strings of a tag. They share one piece of memory.
func (h *header) texts(tag uint32) ([]string, error) {
	data, e, err := h.at(tag, typeStringArray)
	if data == nil || err != nil {
		return nil, err
	}
	n := 0 // bytes of all strings
	for i := range e.count {
		end := bytes.IndexByte(data[n:], 0)
		if end < 0 {
			return nil, fmt.Errorf("tag %d has %d strings, not %d", tag, i, e.count)
		}
		n += end + 1
	}
	if err := h.take(int(e.count), n); err != nil { // each has a byte at least
		return nil, err
	}
	rest := string(data[:n])
	out := make([]string, e.count)
	for i := range out {
		out[i], rest, _ = strings.Cut(rest, "\x00")
	}
	return out, nil
}

// list sets the files of p.
func (h *header) list(p *Package) error {
	dirs, err := h.texts(tagDirNames)
	if err != nil {
		return err
	}
	names, err := h.texts(tagBaseNames)
	if err != nil {
		return err
	}
	indexes, err := h.values(tagDirIndexes, typeInt32, 4)
	if err != nil {
		return err
	}
	states, err := h.values(tagFileStates, typeChar, 1)
	if err != nil {
		return err
	}
	if len(indexes) != 4*len(names) || states != nil && len(states) != len(names) {
		return fmt.Errorf("%d names, but %d folder indexes and %d states", len(names), len(indexes)/4, len(states))
	}
	skip := func(i int) bool {
		return states != nil && (states[i] == stateReplaced || states[i] == stateWrongColor)
	}

	h.counts = append(h.counts[:0], make([]int, len(dirs))...)
	all := 0
	for i, name := range names {
		dir := binary.BigEndian.Uint32(indexes[4*i:])
		if int64(dir) >= int64(len(dirs)) {
			return fmt.Errorf("%q is in folder %d of %d", name, dir, len(dirs))
		}
		if !skip(i) {
			h.counts[dir]++
			all++
		}
	}
	p.Dirs, p.Names = dirs, make([][]string, len(dirs))
	room := make([]string, all)
	for dir, n := range h.counts {
		p.Names[dir], room = room[:0:n], room[n:]
	}
	for i, name := range names {
		if !skip(i) {
			dir := binary.BigEndian.Uint32(indexes[4*i:])
			p.Names[dir] = append(p.Names[dir], name)
		}
	}
	return nil
}
