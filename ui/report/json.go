package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"fathom/analyzer/facts"
	"fathom/analyzer/gate"
)

// JSON writes the report as JSON (docs/report.schema.json). Objects are indented, each
// element of a list is on its own line, and lists are never null, except the findings and
// packages of a report in which none were looked for. The same report results in the
// same bytes. Characters that a terminal interprets are escaped.
func JSON(w io.Writer, r *facts.Report) error { return writeJSON(w, r, nil) }

// writeJSON writes the report and, if the image was judged, the verdict.
func writeJSON(w io.Writer, r *facts.Report, v *gate.Verdict) error {
	b := bufio.NewWriter(w)
	fields := reflect.ValueOf(*r)
	b.WriteString("{\n")
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
		fmt.Fprintf(b, "  %q: ", name)
		if err := writeField(b, fields.Field(i)); err != nil {
			if written := b.Flush(); written != nil {
				return written
			}
			return fmt.Errorf("encoding %s: %w", name, err)
		}
		if i < fields.NumField()-1 {
			b.WriteByte(',')
			b.WriteByte('\n')
		}
	}
	if v != nil {
		b.WriteString(",\n  \"verdict\": ")
		if err := writeVerdict(b, r, v); err != nil {
			return fmt.Errorf("encoding verdict: %w", err)
		}
	}
	b.WriteByte('\n')
	b.WriteString("}\n")
	return b.Flush()
}

// writeField writes a field of the report. It writes a list element by element: an
// image may waste a hundred thousand files.
func writeField(b *bufio.Writer, v reflect.Value) error {
	if v.Kind() != reflect.Slice {
		line, err := encode(v.Interface(), "  ")
		if err != nil {
			return err
		}
		_, err = b.Write(line)
		return err
	}
	if v.Len() == 0 {
		none := "[]"
		switch v.Interface().(type) {
		case []facts.Finding, []facts.Package:
			if v.IsNil() {
				none = "null" // an older version, which looked for none, wrote the report
			}
		}
		_, err := b.WriteString(none)
		return err
	}
	b.WriteByte('[')
	if _, err := writeElements(b, "    ", v.Seq(), func(i reflect.Value) any { return v.Index(int(i.Int())).Interface() }); err != nil {
		return err
	}
	_, err := b.WriteString("\n  ]")
	return err
}

// writeElements writes the elements of a JSON list, each on a line of its own behind
// indent, in the given form. It returns how many there were.
func writeElements[T any](b *bufio.Writer, indent string, elements iter.Seq[T], form func(T) any) (n int, err error) {
	for e := range elements {
		line, err := Line(form(e))
		if err != nil {
			return n, err
		}
		if n++; n > 1 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + indent)
		if _, err := b.Write(line); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Line returns v as one line of JSON, without a line feed, escaped like JSON's output.
func Line(v any) ([]byte, error) { return encode(v, "") }

// encode returns v as JSON without null lists. It indents v, with the prefix, if there
// is a prefix.
func encode(v any, prefix string) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false) // < and & are common in commands
	if prefix != "" {
		e.SetIndent(prefix, "  ")
	}
	if img, ok := v.(facts.Image); ok { // the only element that can have nil lists
		img.FillLists()
		v = img
	}
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return escapeJSON(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

// escapeJSON replaces characters of a JSON text by escapes of JSON, which do not change
// its meaning: invisible characters, those that a terminal interprets, and the second
// # of commands for CI runners.
func escapeJSON(text []byte) []byte {
	for _, command := range []string{"##[", "##vso["} {
		if !bytes.Contains(text, []byte(command)) {
			continue
		}
		text = bytes.ReplaceAll(text, []byte(command), []byte(`#\u0023`+command[2:]))
	}
	if !slices.ContainsFunc(text, func(b byte) bool { return b >= 0x7f }) {
		return text
	}
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case !escapedInJSON(r):
			out = append(out, text[:n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = append(appendEscape(out, high), appendEscape(nil, low)...)
		default:
			out = appendEscape(out, r)
		}
		text = text[n:]
	}
	return out
}

func appendEscape(b []byte, r rune) []byte {
	hex := strconv.FormatInt(int64(r), 16)
	return append(append(b, `\u0000`[:6-len(hex)]...), hex...)
}

// escapedInJSON reports whether to escape a character. Line feeds are not escaped: they
// are those between elements, as encoding/json has escaped those in strings.
func escapedInJSON(r rune) bool {
	return r != '\n' && (r == 0x7f || r > 0x7f && !unicode.IsPrint(r))
}
