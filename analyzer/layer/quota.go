package layer

import (
	"fmt"
	"sync/atomic"
)

// Limits are the limits for reading one image, against input that is made to
// exhaust its reader. All layers of the image share them. A nil Quota means no
// limit.
type Limits struct {
	Memory   *Quota // entries, the tree made from them, documents
	Unpacked *Quota // bytes from decompression, or from a stream of unknown length
	Temp     *Quota // bytes in temporary files
}

// Quota is a number of bytes that may be used. Its methods may be called
// concurrently.
type Quota struct {
	what string
	most int64
	used atomic.Int64
}

// The three kinds of Quota.
const (
	Memory   = "memory"
	Unpacked = "unpacked data"
	Temp     = "temporary files"
)

// NewQuota returns a Quota of the given number of bytes. what is one of the
// three kinds.
func NewQuota(what string, bytes int64) *Quota { return &Quota{what: what, most: bytes} }

// Take takes n bytes from the quota. If fewer are left, it takes none and returns
// a *QuotaError.
func (q *Quota) Take(n int64) error {
	if q == nil || n <= 0 {
		return nil
	}
	if used := q.used.Add(n); used > q.most || used < 0 {
		q.used.Add(-n)
		return &QuotaError{What: q.what, Most: q.most}
	}
	return nil
}

// Give returns n bytes to the quota.
func (q *Quota) Give(n int64) {
	if q != nil {
		q.used.Add(-n)
	}
}

// Used returns how many bytes are taken now.
func (q *Quota) Used() int64 {
	if q == nil {
		return 0
	}
	return q.used.Load()
}

// QuotaError says that an image needs more than one of its Limits.
type QuotaError struct {
	What string // the kind of Quota
	Most int64  // bytes
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("more than %d bytes of %s: over the limit for one image", e.Most, e.What)
}
