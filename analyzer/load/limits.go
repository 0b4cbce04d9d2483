package load

import (
	"cmp"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"fathom/analyzer/layer"
)

// The default limits for one image.
const (
	memoryShare   = 16  // one part in so many of the machine's memory
	leastMemory   = 1e9 // bytes, on machines with little memory
	defaultUnpack = 64 << 30
	defaultTemp   = 64 << 30
)

// documentMemory is how many bytes of memory a byte of JSON may take.
const documentMemory = 64

// limits returns the limits of the options.
func (opt *Options) limits() layer.Limits {
	return layer.Limits{
		Memory:   layer.NewQuota(layer.Memory, cmp.Or(opt.MaxMemory, DefaultMemory())),
		Unpacked: layer.NewQuota(layer.Unpacked, cmp.Or(opt.MaxUnpacked, defaultUnpack)),
		Temp:     layer.NewQuota(layer.Temp, cmp.Or(opt.MaxTemp, defaultTemp)),
	}
}

// DefaultMemory returns the default of Options.MaxMemory.
func DefaultMemory() int64 {
	least := uint64(0)
	for _, provider := range []memlimit.Provider{memlimit.FromCgroup, memlimit.FromSystem} {
		if n, err := provider(); err == nil && n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	return max(leastMemory, int64(min(least/memoryShare, 1<<60)))
}
