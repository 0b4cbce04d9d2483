package main

import (
	"strings"
	"testing"
	"time"

	"fathom/analyzer"
	"fathom/ui/report"
)

func TestBar(t *testing.T) {
	type task struct {
		name        string
		total, read int64
		done        bool
	}
	for _, tt := range []struct {
		name  string
		tasks []task
		took  time.Duration
		width int
		want  string
	}{
		{"nothing yet", nil, 0, 80, "analysing"},
		{"all done", []task{{"layer 0", 10, 10, true}}, 0, 80, "analysing"},
		{"half", []task{{"layer 0", 2_000_000, 1_000_000, false}}, 0, 80, "[==========          ]  50%  layer 0  1.0 MB of 2.0 MB"},
		{"speed", []task{{"layer 0", 4_000_000, 2_000_000, false}}, 2 * time.Second, 80, "[==========          ]  50%  layer 0  2.0 MB of 4.0 MB  1.0 MB/s  2 s left"},
		{"speed of what has no end", []task{{"docker save", 0, 2_000_000, false}}, 2 * time.Second, 80, "docker save  2.0 MB  1.0 MB/s"},
		{"several", []task{{"layer 0", 100, 10, true}, {"layer 1", 100, 0, false}}, 0, 80, "[==========          ]  50%  layer 1  100 B of 200 B  (1 of 2 done)"},
		{"unknown", []task{{"receiving standard input", 0, 5000, false}}, 0, 80, "receiving standard input  5.0 kB"},
		{"more than promised", []task{{"layer 0", 10, 20, false}}, 0, 80, "[====================] 100%  layer 0  10 B of 10 B"},
		{"narrow", []task{{"layer 0", 10, 5, false}}, 0, 20, "[==========        …"},
		{"no room", []task{{"layer 0", 10, 5, false}}, 0, 0, ""},
		{"hostile", []task{{"unpacking a\x1b[2J", 0, 0, false}}, 0, 80, `unpacking a\x1b[2J  0 B`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p analyzer.Progress
			for _, in := range tt.tasks {
				task := p.Start(in.name, in.total)
				task.Read.Store(in.read)
				if in.done {
					task.Finish()
				}
			}
			var pace report.Pace
			pace.Add(0, 0)
			pace.Add(tt.took, arrived(p.Tasks()))
			if got := bar(p.Tasks(), &pace, tt.width); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// Notes stand above the bar, each once, also where no bar is drawn.
func TestNotes(t *testing.T) {
	var p analyzer.Progress
	var out strings.Builder
	l := progressLine{w: &out, p: &p}
	task := p.Start("layer 0", 4_000_000)
	l.note()
	l.draw(0, 80)
	p.Note("reading it from ghcr.io\x1b[2J")
	l.note()
	task.Read.Store(2_000_000)
	l.draw(2*time.Second, 80)
	p.Note("layer 1 is known")
	l.note()
	l.note()
	l.clear()
	want := "fathom: note: reading it from ghcr.io\\x1b[2J\n" +
		"\r\x1b[K[==========          ]  50%  layer 0  2.0 MB of 4.0 MB  1.0 MB/s  2 s left" +
		"\r\x1b[Kfathom: note: layer 1 is known\n"
	if out.String() != want {
		t.Errorf("got  %q\nwant %q", out.String(), want)
	}
}
