package secrets

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// anchor is a text that every secret of a kind contains, mostly as its prefix.
type anchor struct {
	text string
	kind int // index of the Kind
	skip int // bytes of text before the anchor itself
	gram int // offset of its gram in text
}

// delimiters are the characters that can precede an anchor of three bytes.
const delimiters = " \t\n\"'`=:,;|([{<>/@"

// grams finds anchors in a text. Each anchor is represented by four of its bytes, its
// gram. Of the two groups of three bytes in a gram, one lies at an even offset,
// wherever the gram is: so it is enough to look at the three bytes at every second
// offset, and at the gram itself only where the hash of these is that of one in a
// gram. An anchor of three bytes gets a delimiter before it.
type grams struct {
	short []anchor // those of three bytes
	// threes has two bits for each hash of three bytes: they can be the first of a
	// gram, or the last.
	threes [1 << threeBits]uint8
	taken  [slots / 64]uint64 // a bit for each slot that is not empty
	slots  [slots][]anchor    // by hash of the gram
}

const (
	gramSize  = 4
	threeBits = 16
	slotBits  = 12
	slots     = 1 << slotBits
)

// three returns the hash of the first three of the bytes in p: the multiplication
// shifts the fourth one out.
func three(p uint32) uint32 { return p * (0x9e3779 << 8) >> (32 - threeBits) }

func slot(gram uint32) uint32 { return gram * 0x9e3779b1 >> (32 - slotBits) }

func newGrams(all []anchor) *grams {
	g := &grams{}
	for i := 0; i < len(all); i++ {
		a := all[i]
		if len(a.text) < gramSize {
			g.short = append(g.short, a)
			for _, c := range delimiters {
				all = append(all, anchor{text: string(c) + a.text, kind: a.kind, skip: 1})
			}
			continue
		}
		a.gram = rarest(a.text)
		p := binary.LittleEndian.Uint32([]byte(a.text[a.gram:]))
		g.threes[three(p)] |= 1
		g.threes[three(p>>8)] |= 2
		n := slot(p)
		g.slots[n] = append(g.slots[n], a)
		g.taken[n/64] |= 1 << (n % 64)
	}
	return g
}

// rarest returns the offset of the four bytes of an anchor whose pairs are rarest in
// text.
func rarest(text string) int {
	best, at := 1<<30, 0
	for i := 0; i+gramSize <= len(text); i++ {
		cost := 0
		for j := range gramSize - 1 {
			cost += pairCost(text[i+j], text[i+j+1])
		}
		if cost < best {
			best, at = cost, i
		}
	}
	return at
}

// common has the pairs of letters that are most common in text and code.
const common = "th he in er an re nd at on nt ha es st en ed to it ou ea hi is or ti as te et ng of al de se le si ar ve ra ld ur ro ri io co me ne ll om ma li ic no ct ca ub ul pa ps "

// pairCost says how common two neighbouring bytes are in text.
func pairCost(a, b byte) int {
	lower := func(c byte) bool { return c >= 'a' && c <= 'z' }
	switch {
	case a == b, lower(b) && strings.IndexByte(" ./(\"", a) >= 0, a == '=' && b == '"':
		return 8
	case lower(a) && lower(b):
		if i := strings.Index(common, string([]byte{a, b})); i >= 0 && i%3 == 0 {
			return 20
		}
		return 4
	case lower(a) || lower(b):
		return 2
	}
	return 1
}

// each calls f with each anchor in text and its offset, by offset of the grams.
func (g *grams) each(text []byte, f func(a *anchor, at int)) {
	for i := range g.short {
		if a := &g.short[i]; len(text) >= len(a.text) && string(text[:len(a.text)]) == a.text {
			f(a, 0)
		}
	}
	i := 0
	for ; i+16 <= len(text); i += 12 {
		w := text[i : i+16 : i+16]
		p, q := binary.LittleEndian.Uint64(w), binary.LittleEndian.Uint64(w[6:])
		if g.threes[three(uint32(p))]|g.threes[three(uint32(p>>16))]|g.threes[three(uint32(p>>32))]|
			g.threes[three(uint32(q))]|g.threes[three(uint32(q>>16))]|g.threes[three(uint32(q>>32))] == 0 {
			continue
		}
		for j := range 3 {
			g.check(text, i+2*j, g.threes[three(uint32(p>>(16*j)))], f)
		}
		for j := range 3 {
			g.check(text, i+6+2*j, g.threes[three(uint32(q>>(16*j)))], f)
		}
	}
	for ; i+2 < len(text); i += 2 {
		p := uint32(text[i]) | uint32(text[i+1])<<8 | uint32(text[i+2])<<16
		g.check(text, i, g.threes[three(p)], f)
	}
}

// check calls f with the anchors whose gram begins at offset i, if bit 0 of places is
// set, and one byte before, if bit 1 is.
func (g *grams) check(text []byte, i int, places uint8, f func(a *anchor, at int)) {
	for ; places != 0; places &= places - 1 {
		from := i - bits.TrailingZeros8(places)
		if from < 0 || from+gramSize > len(text) {
			continue
		}
		n := slot(binary.LittleEndian.Uint32(text[from:]))
		if g.taken[n/64]>>(n%64)&1 == 0 {
			continue
		}
		found := g.slots[n]
		for k := range found {
			a := &found[k]
			at := from - a.gram
			if at >= 0 && len(text)-at >= len(a.text) && string(text[at:at+len(a.text)]) == a.text {
				f(a, at+a.skip)
			}
		}
	}
}
