package registry

import (
	"context"
	"fmt"
	"io"
	"time"
)

// watched is the body of a response with an idle timeout and a minimum rate. The
// time between two reads doesn't count.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context // of the request, which is cancelled after the idle time
	cancel context.CancelCauseFunc
	opt    *Options
	host   string
	idle   time.Duration
	timer  *time.Timer

	waited   time.Duration // in reads, since received was 0
	received int64
}

func watch(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, opt *Options, host string) *watched {
	w := &watched{body: body, ctx: ctx, cancel: cancel, opt: opt, host: host, idle: opt.Idle}
	w.timer = time.AfterFunc(opt.Idle, func() {
		cancel(&Error{Host: host, Kind: Stalled, Reason: nothing(opt.Idle), retry: true})
	})
	w.timer.Stop()
	return w
}

func nothing(d time.Duration) string { return fmt.Sprintf("nothing was received for %v", d) }

func (w *watched) Read(p []byte) (int, error) {
	begin := time.Now()
	w.timer.Reset(w.idle)
	n, err := w.body.Read(p)
	w.timer.Stop()
	if err != nil && err != io.EOF && w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	w.received += int64(n)
	if w.waited += time.Since(begin); w.waited >= w.opt.RateTime && err == nil {
		if float64(w.received) < float64(w.opt.Rate)*w.waited.Seconds() {
			err = &Error{Host: w.host, Kind: Slow, Reason: fmt.Sprintf("only %d bytes were received in %v", w.received, w.waited.Round(time.Millisecond))}
			w.cancel(err)
		}
		w.waited, w.received = 0, 0
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	w.cancel(nil) // before Close, which would wait for a Read
	return w.body.Close()
}
