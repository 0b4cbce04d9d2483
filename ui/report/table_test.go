package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestTable writes a table with hostile texts in both forms and reads it again.
func TestTable(t *testing.T) {
	rows := [][]any{
		{"/a,b", int64(-5), true},
		{"=1+2", int64(0), false},
		{"+1", int64(1), false},
		{"-1", int64(1), false},
		{"@SUM(A1)", int64(1), false},
		{"＝1", int64(1), false},
		{"/say \"hi\"\nand\r\tgo", int64(7), false},
		{"/\xff\x1b[2J", int64(8), false},
		{"", int64(9), false},
	}
	table := Table{Head: []string{"path", "size", "ok"}, Rows: slices.Values(rows)}
	var out bytes.Buffer
	if err := table.CSV(&out); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"path", "/a,b", "'=1+2", "'+1", "'-1", "'@SUM(A1)", "'＝1", `/say "hi"\nand\r\tgo`, `/\xff\x1b[2J`, ""}
	for i, row := range got {
		if row[0] != want[i] {
			t.Errorf("row %d: got %q, want %q", i, row[0], want[i])
		}
	}
	if got[1][1] != "-5" || got[1][2] != "true" {
		t.Errorf("numbers are not as they are: %q", got[1])
	}

	out.Reset()
	if err := table.JSON(&out); err != nil {
		t.Fatal(err)
	}
	i := 0
	for line := range strings.Lines(out.String()) {
		var v struct {
			Path      string
			PathBytes []byte
			Size      int64
			OK        bool
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		path := v.Path
		if v.PathBytes != nil {
			path = string(v.PathBytes)
		}
		if path != rows[i][0] || v.Size != rows[i][1] || v.OK != rows[i][2] {
			t.Errorf("row %d: got %+v, want %v", i, v, rows[i])
		}
		i++
	}
	if first, _, _ := strings.Cut(out.String(), "\n"); i != len(rows) || first != `{"path":"/a,b","size":-5,"ok":true}` {
		t.Errorf("%d rows, the first is %s", i, first)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("JSON has an escape character")
	}
}
