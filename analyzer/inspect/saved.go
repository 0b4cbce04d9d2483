package inspect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"fathom/analyzer"
	"fathom/analyzer/facts"
)

// SavedError is the error for a file that looks like a saved report but can't be
// read as one.
type SavedError struct {
	Name string
	Err  error
}

func (e *SavedError) Error() string { return fmt.Sprintf("opening %s: %v", e.Name, e.Err) }
func (e *SavedError) Unwrap() error { return e.Err }

// Saved reads the report in a file. It returns nil if name is not a regular file, or
// the file is not a report: it may be an image. An error is a *SavedError.
func Saved(name string) (*facts.Report, error) {
	if name == "-" { // standard input
		return nil, nil
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil //nolint:nilerr // opening it as an image returns a better error
	}
	rep, err := readSaved(name)
	switch {
	case errors.Is(err, facts.ErrNotReport):
		return nil, nil // it may be a manifest: opening it as an image says so
	case err != nil:
		return nil, &SavedError{name, err}
	}
	return rep, nil
}

func readSaved(name string) (*facts.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, analyzer.WithoutPath(err)
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, facts.ErrNotReport // it is empty, or can't be read as an image either
	}
	head = head[:n]
	// A tar may begin with a brace, but has a zero byte in its first header.
	if !bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) || bytes.IndexByte(head, 0) >= 0 {
		return nil, facts.ErrNotReport
	}
	return facts.Read(io.MultiReader(bytes.NewReader(head), f))
}
