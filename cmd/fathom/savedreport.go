package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"fathom/analyzer"
)

// openSaved is the report that the source's file holds; nil where it holds
// something else, which may be an image.
func openSaved(src source, flags *pflag.FlagSet) (*analyzer.Report, error) {
	if src.ref == "-" || !startsAsJSON(src.ref) {
		return nil, nil
	}
	rep, err := savedReport(src.ref)
	switch {
	case errors.Is(err, analyzer.ErrNotReport):
		return nil, nil // a manifest, say: whoever opens images says so
	case err != nil:
		return nil, hinted("a report is what fathom --json FILE IMAGE wrote", "opening %s: %w", src.ref, err)
	case rep == nil:
		return nil, nil
	}
	for _, name := range []string{"image", "platform", "rootfs", "verify"} {
		if flags.Changed(name) {
			return nil, fmt.Errorf("--%s: %s is a saved report, not an image", name, src.ref)
		}
	}
	return rep, nil
}

// startsAsJSON is whether name is a regular file that begins with a brace and
// is no tar, which may begin with anything.
func startsAsJSON(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	head = head[:n]
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) && bytes.IndexByte(head, 0) < 0
}
