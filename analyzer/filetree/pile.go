package filetree

// pile is a list that grows in chunks. Only the first chunk is ever copied, while
// it grows to its full size. For a long slice, copying would cost more than
// everything else done with it.
type pile[T any] struct {
	chunks [][]T
	n      int
}

const (
	pileBits = 12
	pileMask = 1<<pileBits - 1
)

// at returns a pointer to element i. It is valid until the next add.
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

// flat returns a slice of all elements.
func (p *pile[T]) flat() []T {
	out := make([]T, 0, p.n)
	for _, c := range p.chunks {
		out = append(out, c...)
	}
	return out
}
