package filetree

// pile is a slice that grows without being copied: what is in it stays where
// it is. A copy of a long slice costs more than all else that is done with it.
type pile[T any] struct {
	chunks [][]T
	n      int
}

const (
	pileBits = 12
	pileMask = 1<<pileBits - 1
)

// at is element i. The pointer stays good.
func (p *pile[T]) at(i int32) *T { return &p.chunks[i>>pileBits][i&pileMask] }

func (p *pile[T]) add(v T) {
	if p.n&pileMask == 0 {
		size := pileMask + 1
		if p.n == 0 {
			size = 1 << 6 // most images are small
		}
		p.chunks = append(p.chunks, make([]T, 0, size))
	}
	last := &p.chunks[len(p.chunks)-1]
	*last = append(*last, v)
	p.n++
}

// flat is all of it in one slice.
func (p *pile[T]) flat() []T {
	out := make([]T, 0, p.n)
	for _, c := range p.chunks {
		out = append(out, c...)
	}
	return out
}
