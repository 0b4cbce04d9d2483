package filetree

import (
	"errors"
	"math"
	"unsafe"
)

// What is taken from Builder.Memory: what the builder and the tree have of a
// thing at a time, at most.
const (
	nodeBytes    = int64(unsafe.Sizeof(node{})+unsafe.Sizeof(place{})) + 2*int64(unsafe.Sizeof(slot(0))) + 24 // and its places in passing
	versionBytes = int64(unsafe.Sizeof(revision{}) + unsafe.Sizeof(version{}) + unsafe.Sizeof(nodeVersion{}))
	pieceBytes   = 2*int64(unsafe.Sizeof(piece{})) + 16
	ownerBytes   = 2*int64(unsafe.Sizeof(owner{})) + 32
	textBytes    = int64(unsafe.Sizeof(""))
	deviceBytes  = int64(unsafe.Sizeof(device{}))
	linkBytes    = 128 // names of linked content, by piece and by layer
	numberBytes  = 48  // an entry of a map of numbers
	markerBytes  = int64(unsafe.Sizeof(marker{}))
	sumBytes     = int64(unsafe.Sizeof(sum{}))
	maxLayers    = math.MaxInt16
	takeAt       = 64 << 10 // bytes that are taken at a time
)

var errTooManyLayers = errors.New("more than 32767 layers")

// take takes what was added since it last did.
func (b *Builder) take() error {
	if b.taken < takeAt {
		return nil
	}
	n := b.taken
	b.taken = 0
	return b.Memory.Take(n)
}
