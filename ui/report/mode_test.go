package report

import (
	"testing"

	"fathom/analyzer/layer"
)

func TestMode(t *testing.T) {
	for _, tt := range []struct {
		kind layer.Kind
		mode uint16
		want string
	}{
		{layer.File, 0o644, "-rw-r--r--"},
		{layer.Dir, 0o1777, "drwxrwxrwt"},
		{layer.Symlink, 0o777, "lrwxrwxrwx"},
		{layer.Link, 0, "h---------"},
		{layer.Char, 0o620, "crw--w----"},
		{layer.Block, 0o660, "brw-rw----"},
		{layer.Fifo, 0o600, "prw-------"},
		{layer.File, 0o7777, "-rwsrwsrwt"},
		{layer.File, 0o7000, "---S--S--T"},
		{layer.Whiteout, 0o111, "?--x--x--x"},
	} {
		if got := Mode(tt.kind, tt.mode); got != tt.want {
			t.Errorf("%s %04o: got %s, want %s", tt.kind, tt.mode, got, tt.want)
		}
	}
}
