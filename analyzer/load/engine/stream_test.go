package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/moby/client"

	"fathom/analyzer/imagetest"
)

// saving returns an engine that serves requests for an archive with h.
func saving(t *testing.T, h http.HandlerFunc, change func(*Options)) *Engine {
	t.Helper()
	return connected(t, "1.41", map[string]http.HandlerFunc{"/images/get": h}, change)
}

var app = Image{Name: "app:1"}

func TestSave(t *testing.T) {
	want := bytes.Repeat([]byte("a tar, for all we know. "), 1<<14)
	var names []string
	e := saving(t, func(w http.ResponseWriter, r *http.Request) {
		names = r.URL.Query()["names"]
		w.Header().Set("Content-Type", "application/x-tar")
		w.Write(want)
	}, nil)
	s, err := e.Save(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
	}
	if err := errors.Join(s.Said(), s.Close()); err != nil {
		t.Error(err)
	}
	if fmt.Sprint(names) != "[app:1]" {
		t.Errorf("asked for %v", names)
	}
}

// TestSaveStreams checks that an archive is streamed: the engine sends each part
// only when the part before was read.
func TestSaveStreams(t *testing.T) {
	read := make(chan bool)
	e := saving(t, func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			w.Write(bytes.Repeat([]byte("x"), 1<<20))
			w.(http.Flusher).Flush()
			select {
			case <-read:
			case <-r.Context().Done():
				return
			}
		}
	}, nil)
	s, err := e.Save(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		if n, err := io.CopyN(io.Discard, s, 1<<20); err != nil {
			t.Fatal(n, err)
		}
		read <- true
	}
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
}

func TestSaveFails(t *testing.T) {
	archive := bytes.Repeat([]byte("x"), 100_000)
	flush := func(w http.ResponseWriter, b []byte) {
		w.Write(b)
		w.(http.Flusher).Flush()
	}
	const late = `{"errorDetail":{"message":"write: no space\u001b[2J"},"error":"write: no space"}` + "\r\n"
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		said string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { problem(w, 500, "layers\nare gone") }, "saving app:1: layers are gone"},
		"long":    {func(w http.ResponseWriter, _ *http.Request) { problem(w, 500, strings.Repeat("long ", 100_000)) }, "long long"},
		"instead": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(late)) }, `saving app:1: write: no space\x1b[2J`},
		"podman's": {func(w http.ResponseWriter, _ *http.Request) {
			answer(object{"cause": "c", "message": "no such layer", "response": 500})(w, nil)
		}, "no such layer"},
		"inside":       {func(w http.ResponseWriter, _ *http.Request) { flush(w, archive); flush(w, []byte(late)) }, "no space"},
		"nothing":      {func(http.ResponseWriter, *http.Request) {}, "it sent nothing for"},
		"dies":         {func(w http.ResponseWriter, _ *http.Request) { flush(w, archive); panic(http.ErrAbortHandler) }, "broke 100000 bytes into app:1: unexpected EOF; is the engine still running?"},
		"dies at once": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"dies, counted": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "200000")
			flush(w, archive)
		}, "broke 100000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			e := saving(t, tt.h, nil)
			s, err := e.Save(t.Context(), app)
			if err == nil {
				defer s.Close()
				_, err = io.Copy(io.Discard, s)
				if _, again := s.Read(make([]byte, 1)); again != err {
					t.Errorf("the second error is %v, want the first: %v", again, err)
				}
				if said := s.Said(); said == nil {
					t.Error("Said() = nil, want an error")
				}
			}
			oneLine(t, err)
			if !strings.Contains(err.Error(), tt.said) || !strings.Contains(err.Error(), e.Endpoint) {
				t.Errorf("%q isn't in: %.300v", tt.said, err)
			}
		})
	}
	t.Run("gone", func(t *testing.T) {
		e := connected(t, "1.41", nil, nil)
		var none *NoImageError
		if _, err := e.Save(t.Context(), app); !errors.As(err, &none) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("said after the archive was given up", func(t *testing.T) {
		e := saving(t, func(w http.ResponseWriter, _ *http.Request) { flush(w, archive[:100]); flush(w, []byte(late)) }, nil)
		s, err := e.Save(t.Context(), app)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		io.CopyN(io.Discard, s, 10)
		if err := s.Said(); err == nil || !strings.Contains(err.Error(), "no space") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("what looks like an error", func(t *testing.T) {
		e := saving(t, func(w http.ResponseWriter, _ *http.Request) {
			flush(w, []byte(late))
			flush(w, make([]byte, 1024)) // the end of an archive
		}, nil)
		s, err := e.Save(t.Context(), app)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := io.Copy(io.Discard, s); err != nil {
			t.Error(err)
		}
	})
}

func TestSaveStalls(t *testing.T) {
	soon := func(o *Options) { o.Idle = 50 * time.Millisecond }
	for name, begin := range map[string]int{"before": 0, "inside": 1000} {
		t.Run(name, func(t *testing.T) {
			saving := make(chan bool)
			e := silent(t, soon, func(w http.ResponseWriter, r *http.Request) {
				close(saving)
				if begin > 0 {
					w.Write(make([]byte, begin))
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			}, saving)
			s, err := e.Save(t.Context(), app)
			if err == nil {
				_, err = io.Copy(io.Discard, s)
				s.Close()
			}
			oneLine(t, err)
			if !strings.Contains(err.Error(), "nothing was received for 50ms") || !strings.Contains(err.Error(), e.Endpoint) || !errors.Is(err, ErrSilent) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("a question", func(t *testing.T) {
		e := connected(t, "1.41", map[string]http.HandlerFunc{
			"/images/json": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		}, soon)
		_, err := e.List(t.Context())
		oneLine(t, err)
		if !strings.Contains(err.Error(), "nothing was received for 50ms") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a slow reader", func(t *testing.T) {
		e := saving(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Write(make([]byte, 100))
		}, func(o *Options) { o.Idle = time.Millisecond * 20 })
		s, err := e.Save(t.Context(), app)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		<-time.After(60 * time.Millisecond) // the time between reads doesn't count
		if n, err := io.Copy(io.Discard, s); n != 100 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestSaveCancelled(t *testing.T) {
	for name, begin := range map[string]int{"before": 0, "inside": 1000} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			e := saving(t, func(w http.ResponseWriter, r *http.Request) {
				if begin > 0 {
					w.Write(make([]byte, begin))
					w.(http.Flusher).Flush()
				} else {
					cancel()
				}
				<-r.Context().Done()
			}, nil)
			s, err := e.Save(ctx, app)
			if err == nil {
				io.CopyN(io.Discard, s, int64(begin))
				cancel()
				_, err = io.Copy(io.Discard, s)
				s.Close()
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// silent returns an engine that serves requests for an archive with h. It answers no
// request that arrives after from is closed.
func silent(t *testing.T, change func(*Options), h http.HandlerFunc, from <-chan bool) *Engine {
	t.Helper()
	dir, opt := place(t, map[string]string{"DOCKER_HOST": "unix://DIR/s"})
	answers := daemon("1.41", map[string]http.HandlerFunc{"/images/get": h})
	listen(t, filepath.Join(dir, "s"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-from:
			<-r.Context().Done()
		default:
			answers.ServeHTTP(w, r)
		}
	}))
	change(&opt)
	e, err := Connect(t.Context(), Docker, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// TestSaveTakesLong saves from an engine that sends the first byte after ten times
// the idle time, as docker does for a large image, but answers other requests
// meanwhile. It sends the headers at once or with the first byte.
func TestSaveTakesLong(t *testing.T) {
	for _, flushed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := piped(t, daemon("1.41", map[string]http.HandlerFunc{"/images/get": func(w http.ResponseWriter, r *http.Request) {
				if flushed {
					w.(http.Flusher).Flush()
				}
				<-time.After(10 * defaultIdle)
				w.Write([]byte("a tar"))
			}}))
			s, err := e.Save(t.Context(), app)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got, err := io.ReadAll(s); string(got) != "a tar" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// piped returns an engine served without a network, for tests in a synctest bubble.
func piped(t *testing.T, h http.Handler) *Engine {
	t.Helper()
	transport := &http.Transport{DialContext: imagetest.Pipe(t, h)}
	t.Cleanup(transport.CloseIdleConnections)
	const host = "tcp://engine.test:1"
	api, err := client.New(client.WithHost(host), client.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{api: api, idle: defaultIdle, dial: &dialing{}, at: endpoint{url: host}}
}
