package analyzer

import (
	"errors"
	"io/fs"
	"os"
)

// WithoutPath returns the cause of a file system error without its path. Callers
// use it when they name the file themselves or when the file is temporary. It
// returns other errors unchanged.
func WithoutPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}
