package layer

import (
	"fmt"
	"sync/atomic"
)

// Limits bounds what reading an image takes, against input that was made to
// exhaust its reader. All layers of the image share them. A nil Quota is no
// limit.
type Limits struct {
	Memory   *Quota // entries, the tree that is made of them, documents
	Unpacked *Quota // bytes that decompressing, or a stream of unknown length, gives
	Temp     *Quota // bytes in temporary files
}

// Quota is an amount of bytes that may be taken. Its methods may be called
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

// NewQuota returns a Quota of so many bytes of one of the three kinds.
func NewQuota(what string, bytes int64) *Quota { return &Quota{what: what, most: bytes} }

// Take takes n bytes. The error is a *QuotaError, and nothing is taken then.
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

// Give gives back n bytes that were taken.
func (q *Quota) Give(n int64) {
	if q != nil {
		q.used.Add(-n)
	}
}

// Used is how many bytes are taken now.
func (q *Quota) Used() int64 {
	if q == nil {
		return 0
	}
	return q.used.Load()
}

// QuotaError says that an image takes more than its Limits.
type QuotaError struct {
	What string // the kind of Quota
	Most int64  // bytes
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("more than %d bytes of %s: over the limit for one image", e.Most, e.What)
}
