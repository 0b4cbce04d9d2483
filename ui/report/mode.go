package report

import "fathom/analyzer/layer"

// Mode formats the kind and the mode of a path as ls -l does; a hard link
// without its target is an h.
func Mode(k layer.Kind, mode uint16) string {
	s := []byte("?rwxrwxrwx")
	if letters := "-dlhcbp"; int(k) < len(letters) {
		s[0] = letters[k]
	}
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			s[1+i] = '-'
		}
	}
	for _, special := range []struct {
		bit     uint16
		at      int
		on, off byte
	}{{0o4000, 3, 's', 'S'}, {0o2000, 6, 's', 'S'}, {0o1000, 9, 't', 'T'}} {
		switch {
		case mode&special.bit == 0:
		case s[special.at] == 'x':
			s[special.at] = special.on
		default:
			s[special.at] = special.off
		}
	}
	return string(s)
}
