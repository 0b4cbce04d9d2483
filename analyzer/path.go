package analyzer

import (
	"errors"
	"io/fs"
	"os"
)

// WithoutPath returns the cause of a file system's error, without the path: the
// caller names the file, and the name of a temporary file says nothing. Other
// errors are returned as they are.
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
