//go:build !linux

package storage

import (
	"archive/tar"
	"context"
	"errors"
)

// WriteUpper fails: only Linux has overlays.
func WriteUpper(context.Context, string, *tar.Writer) error {
	return errors.New("the folder of an overlay can be read only on Linux")
}
