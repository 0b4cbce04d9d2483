package analyzer

import (
	"fmt"
	"os"
)

// TempFile creates a temporary file in dir, or in the system's folder if dir is "".
// It removes the name of the file at once, so that nothing is left, however the
// process ends. The error is a *TempError.
func TempFile(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	f, err := os.CreateTemp(dir, "fathom-")
	if err != nil {
		return nil, &TempError{Dir: dir, Err: WithoutPath(err)}
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, &TempError{Dir: dir, Err: WithoutPath(err)}
	}
	return f, nil
}

// TempError reports a temporary file that could not be created or written.
type TempError struct {
	Dir     string
	Written int64 // bytes written before the error
	Err     error
}

func (e *TempError) Error() string {
	if e.Written == 0 {
		return fmt.Sprintf("making a temporary file in %s: %v", e.Dir, e.Err)
	}
	return fmt.Sprintf("writing a temporary file in %s after %d bytes: %v", e.Dir, e.Written, e.Err)
}

func (e *TempError) Unwrap() error { return e.Err }
