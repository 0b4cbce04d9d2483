package filetree

import (
	"errors"
	"math"
	"unsafe"
)

// How many bytes are taken from Builder.Memory for each element: the most that
// builder and tree together use for it at any time.
const (
	nodeBytes    = int64(unsafe.Sizeof(node{})+unsafe.Sizeof(place{})) + 2*int64(unsafe.Sizeof(slot(0))) + 24 // 24: temporary arrays of Build
	versionBytes = int64(unsafe.Sizeof(revision{}) + unsafe.Sizeof(version{}) + unsafe.Sizeof(nodeVersion{}))
	pieceBytes   = 2*int64(unsafe.Sizeof(piece{})) + 16
	ownerBytes   = 2*int64(unsafe.Sizeof(owner{})) + 32
	textBytes    = int64(unsafe.Sizeof(""))
	deviceBytes  = int64(unsafe.Sizeof(device{}))
	linkBytes    = 128 // an element of Tree.linkNames and Tree.firsts
	numberBytes  = 48  // an entry of a map of numbers
	markerBytes  = int64(unsafe.Sizeof(marker{}))
	sumBytes     = int64(unsafe.Sizeof(sum{}))
	maxLayers    = math.MaxInt16
	takeAt       = 64 << 10 // the least number of bytes to take at a time
)

var errTooManyLayers = errors.New("more than 32767 layers")

// take takes the bytes used since its last call from Memory, if they are enough to
// be worth it.
func (b *Builder) take() error {
	if b.taken < takeAt {
		return nil
	}
	n := b.taken
	b.taken = 0
	return b.Memory.Take(n)
}
