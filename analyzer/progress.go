package analyzer

import (
	"sync"
	"sync/atomic"
)

// Progress is how far the opening and the analysis of an image are. It is safe
// for concurrent use, and a nil *Progress takes everything and keeps nothing.
type Progress struct {
	mu    sync.Mutex
	tasks []*Task
	notes []string
}

// Task is one thing that takes time: a file to unpack, a layer to read.
type Task struct {
	Name  string
	Total int64 // bytes; 0 when not known
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

// Tasks is every task so far, in the order they were started.
func (p *Progress) Tasks() []*Task {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Task(nil), p.tasks...)
}

// Note says in one line how the image is read: "from docker's storage". It
// stands on the screen while the image loads, and on standard error where there
// is none. What was said last is not said again.
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

// Notes is everything that was said, in its order.
func (p *Progress) Notes() []string {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.notes...)
}
