package origin

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"fathom/analyzer/facts"
)

// FuzzProvenance checks that lines of an attestation exist in its files.
func FuzzProvenance(f *testing.F) {
	for _, name := range []string{"v0.2.json", "v1.json", "base.json"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	digests := strings.Fields("sha256:9ac95dc86d079a7e0dea54d725e417aef5f2145988339075e48d6233732c4bcc sha256:4e86bd1ff7036e254c76cd1843de7a7cd76bf8f4a62603a06d2850f22f41dca0")
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProvenance(text)
		if err != nil {
			return
		}
		for _, s := range p.Sources(digests) {
			if s != nil && (s.Line < 1 || s.End < s.Line) {
				t.Errorf("got the lines %d to %d", s.Line, s.End)
			}
		}
		if _, layers, ok := p.Base(digests); ok && (layers < 1 || layers > len(digests)) {
			t.Errorf("got a base of %d layers", layers)
		}
		p.Dockerfile()
	})
}

// FuzzAlign checks that lines are in the file, and that the order is kept.
func FuzzAlign(f *testing.F) {
	for _, name := range []string{"align", "heredoc"} {
		text, err := os.ReadFile("testdata/" + name + ".Dockerfile")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "RUN chmod 600 /app/out.txt\nEXPOSE map[80/tcp:{}]\n")
	}
	f.Add([]byte("FROM a AS a\nFROM 0\nRUN <<A <<B\nA\nB\n"), "RUN <<A")
	f.Fuzz(func(t *testing.T, text []byte, history string) {
		d, err := ParseDockerfile("Dockerfile", text)
		if err != nil {
			return
		}
		a := d.Align(strings.Split(history, "\n"))
		if a.Matched > a.Of {
			t.Errorf("%d of %d have a step", a.Matched, a.Of)
		}
		lines := 1 + bytes.Count(text, []byte{'\n'})
		for _, s := range a.Sources {
			if s != nil && (s.Line < 1 || s.End < s.Line || s.End > lines) {
				t.Errorf("got the lines %d to %d of %d", s.Line, s.End, lines)
			}
		}
	})
}

// BenchmarkAlign has 500 steps and 500 instructions, of which every tenth differs.
func BenchmarkAlign(b *testing.B) {
	text := strings.Builder{}
	text.WriteString("FROM debian\n")
	var steps []string
	for i := range 500 {
		fmt.Fprintf(&text, "RUN apt-get install -y package-%d && make target-%d\n", i, i)
		if i%10 != 0 {
			steps = append(steps, facts.Command(fmt.Sprintf("RUN /bin/sh -c apt-get install -y package-%d && make target-%d # buildkit", i, i)))
		} else {
			steps = append(steps, "COPY a b")
		}
	}
	d, err := ParseDockerfile("Dockerfile", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if a := d.Align(steps); a.Matched != 450 {
			b.Fatalf("%d of %d", a.Matched, a.Of)
		}
	}
}
