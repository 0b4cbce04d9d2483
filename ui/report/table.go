package report

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// Table is a list as data: for a spreadsheet or for a program.
type Table struct {
	Head []string // names of the columns, as keys of JSON
	// Rows has a value for each column: a string, a bool or an integer.
	Rows iter.Seq[[]any]
}

// CSV writes the table as comma-separated values, with a line of names. Texts are safe
// to show, and none is a formula: a spreadsheet would run one that begins with =, +, - or
// @, so such a text gets a ' before it.
func (t *Table) CSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(t.Head); err != nil {
		return err
	}
	cells := make([]string, len(t.Head))
	for row := range t.Rows {
		for i, v := range row {
			cells[i] = fmt.Sprint(v)
			if s, ok := v.(string); ok {
				cells[i] = harmless(s)
			}
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// harmless returns a text for a cell of a spreadsheet.
func harmless(s string) string {
	s = Safe(s)
	for _, formula := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(s, formula) {
			return "'" + s
		}
	}
	return s
}

// JSON writes one object per line. A text that is not UTF-8 has its bytes, in Base64, under
// its key with "Bytes" behind it.
func (t *Table) JSON(w io.Writer) error {
	return buffered(w, func(b *bufio.Writer) error {
		for row := range t.Rows {
			between := "{"
			put := func(key string, v any) error {
				text, err := Line(v)
				if err != nil {
					return err
				}
				b.WriteString(between + `"` + key + `":`)
				b.Write(text)
				between = ","
				return nil
			}
			for i, v := range row {
				if err := put(t.Head[i], v); err != nil {
					return err
				}
				if s, ok := v.(string); ok && !utf8.ValidString(s) {
					if err := put(t.Head[i]+"Bytes", []byte(s)); err != nil {
						return err
					}
				}
			}
			if _, err := b.WriteString("}\n"); err != nil {
				return err
			}
		}
		return nil
	})
}
