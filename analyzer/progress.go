package analyzer

import (
	"sync"
	"sync/atomic"
)

// Progress tracks how far opening and analyzing an image has come. It is safe for
// concurrent use. A nil *Progress is valid and keeps nothing.
type Progress struct {
	mu    sync.Mutex
	tasks []*Task
	notes []string
}

// Task is a piece of work that takes time: a file to unpack, a layer to read.
type Task struct {
	Name  string
	Total int64 // bytes; 0 if not known
	Read  atomic.Int64
	done  atomic.Bool
}

// Start adds a task.
func (p *Progress) Start(name string, total int64) *Task {
	t := &Task{Name: name, Total: total}
	if p != nil {
		p.mu.Lock()
		p.tasks = append(p.tasks, t)
		p.mu.Unlock()
	}
	return t
}

// Finish marks the task as done.
func (t *Task) Finish() { t.done.Store(true) }

// Done reports whether the task is finished.
func (t *Task) Done() bool { return t.done.Load() }

// Tasks returns all tasks, in the order they were started.
func (p *Progress) Tasks() []*Task {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Task(nil), p.tasks...)
}

// Note adds a line on how the image is read, such as "from docker's storage". It is
// shown on the screen while the image loads, or printed to standard error if there
// is no screen. Note ignores a text that repeats the last one.
func (p *Progress) Note(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.notes); n == 0 || p.notes[n-1] != text {
		p.notes = append(p.notes, text)
	}
}

// Notes returns all notes, in the order they were added.
func (p *Progress) Notes() []string {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.notes...)
}
