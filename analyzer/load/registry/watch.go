package registry

import (
	"context"
	"fmt"
	"io"
	"time"
)

// watched is the body of an answer that must not go quiet, nor drip. The time
// that its reader takes between two reads doesn't count.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context // of the request, which is ended when nothing comes
	cancel context.CancelCauseFunc
	opt    *Options
	host   string
	idle   time.Duration
	timer  *time.Timer

	waited time.Duration // since got was 0
	got    int64
}

func watch(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, opt *Options, host string) *watched {
	w := &watched{body: body, ctx: ctx, cancel: cancel, opt: opt, host: host, idle: opt.Idle}
	w.timer = time.AfterFunc(opt.Idle, func() {
		cancel(&Error{Host: host, Kind: Stalled, Reason: nothing(opt.Idle), retry: true})
	})
	w.timer.Stop()
	return w
}

func nothing(d time.Duration) string { return fmt.Sprintf("nothing came for %v", d) }

func (w *watched) Read(p []byte) (int, error) {
	begin := time.Now()
	w.timer.Reset(w.idle)
	n, err := w.body.Read(p)
	w.timer.Stop()
	if err != nil && err != io.EOF && w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	w.got += int64(n)
	if w.waited += time.Since(begin); w.waited >= w.opt.RateTime && err == nil {
		if float64(w.got) < float64(w.opt.Rate)*w.waited.Seconds() {
			err = &Error{Host: w.host, Kind: Slow, Reason: fmt.Sprintf("only %d bytes came in %v", w.got, w.waited.Round(time.Millisecond))}
			w.cancel(err)
		}
		w.waited, w.got = 0, 0
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	w.cancel(nil) // first, or closing would wait for a Read
	return w.body.Close()
}
