package bff

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// writer commits the session before the first byte of a response, and lets what
// the ResponseWriter beneath can do shine through.
type writer struct {
	s      *Session
	inner  http.ResponseWriter
	r      *http.Request
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	begun  bool
	failed error // the response says that something failed; the rest is dropped
	stream *stream
	said   bool // see say
}

// errSessionOver is what a handler gets that writes on after the session's end.
var errSessionOver = errors.New("bff: the session has ended, and so has the response")

// begin commits, once, and writes the cookie. An error says that the response is
// no longer the handler's.
func (w *writer) begin() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun {
		return w.failed
	}
	w.begun = true
	s := w.s
	s.mu.Lock()
	err := s.commit(context.WithoutCancel(s.ctx))
	s.begun = true
	cookie := s.cookie()
	asked := s.loaded && s.given != ""
	s.mu.Unlock()
	if err != nil {
		w.failed = err
		s.m.ErrorHandler(w.inner, w.r, err)
		return err
	}
	h := w.inner.Header()
	if cookie != "" {
		h.Add("Set-Cookie", cookie)
		h.Set("Cache-Control", "no-store")
	}
	if cookie != "" || asked {
		h.Add("Vary", "Cookie")
	}
	return nil
}

// Header implements http.ResponseWriter.
func (w *writer) Header() http.Header { return w.inner.Header() }

// WriteHeader implements http.ResponseWriter. An informational status commits
// nothing.
func (w *writer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.inner.WriteHeader(status)
		return
	}
	if w.begin() == nil {
		w.inner.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *writer) Write(p []byte) (int, error) {
	if err := w.begin(); err != nil {
		return 0, err
	}
	if w.isOver() {
		return 0, errSessionOver
	}
	return w.inner.Write(p)
}

// ReadFrom implements io.ReaderFrom, so that files go out as they would without
// us.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	if err := w.begin(); err != nil {
		return 0, err
	}
	if w.isOver() {
		return 0, errSessionOver
	}
	return io.Copy(w.inner, src)
}

// Unwrap is for http.ResponseController: deadlines and full duplex.
func (w *writer) Unwrap() http.ResponseWriter { return w.inner }

func (w *writer) isOver() bool {
	w.mu.Lock()
	st := w.stream
	w.mu.Unlock()
	return st != nil && st.isOver()
}

// finish is the end of a handler that did not panic.
func (w *writer) finish() {
	if w.begin() != nil {
		return
	}
	// What was changed after the first byte is stored, if there is a session.
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.changed() {
		return
	}
	if err := s.commit(context.WithoutCancel(s.ctx)); err != nil {
		s.m.log.LogAttrs(s.ctx, slog.LevelError, "session changed after the response began, and was not stored", slog.String("err", err.Error()))
	}
}

// release lets go of the stream, also after a panic. A hijacked connection stays
// watched.
func (w *writer) release() {
	w.mu.Lock()
	st := w.stream
	w.mu.Unlock()
	if st != nil && st.conn == nil {
		st.leave()
	}
}

// streams begins to watch the session, since the response goes on.
func (w *writer) streams(conn net.Conn) *stream {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stream == nil {
		w.stream = w.s.m.live.join(w.s, conn, w.stop)
	}
	return w.stream
}

// farewell is how long a stream may take to end once its session has.
const farewell = 500 * time.Millisecond

// stop ends the response, since the session has ended. The machine's time counts
// for the connection.
func (w *writer) stop(cause error) {
	w.cancel(cause)
	// A handler that is stuck in a Write comes free.
	_ = http.NewResponseController(w.inner).SetWriteDeadline(SystemClock{}.Now().Add(farewell))
}

// say writes the last words of a stream whose session has ended.
func (w *writer) say(p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said || w.stream == nil || !w.stream.isOver() {
		return errSessionOver
	}
	w.said = true
	if _, err := w.inner.Write(p); err != nil {
		return err
	}
	return http.NewResponseController(w.inner).Flush()
}

func (w *writer) flush() error {
	if err := w.begin(); err != nil {
		return err
	}
	w.streams(nil)
	if w.isOver() {
		return errSessionOver
	}
	return http.NewResponseController(w.inner).Flush()
}

func (w *writer) hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := w.begin(); err != nil {
		return nil, nil, err
	}
	conn, buf, err := http.NewResponseController(w.inner).Hijack()
	if err != nil {
		return nil, nil, err
	}
	st := w.streams(conn)
	return &hijacked{conn, st}, buf, nil
}

// hijacked is a connection that its session can close.
type hijacked struct {
	net.Conn
	st *stream
}

// Close implements net.Conn.
func (c *hijacked) Close() error {
	c.st.leave()
	return c.Conn.Close()
}

// The methods that a ResponseWriter may have beside its own.
type (
	flushing  struct{ w *writer }
	hijacking struct{ w *writer }
	pushing   struct{ w *writer }
)

// Flush implements http.Flusher.
func (f flushing) Flush() { _ = f.w.flush() } // the next Write fails, too

// FlushError is for http.ResponseController.
func (f flushing) FlushError() error { return f.w.flush() }

// Hijack implements http.Hijacker.
func (h hijacking) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.w.hijack() }

// Push implements http.Pusher.
func (p pushing) Push(target string, opts *http.PushOptions) error {
	return p.w.inner.(http.Pusher).Push(target, opts)
}

// wrap is the writer with just the methods that the one beneath has, itself or by
// its Unwrap.
func (w *writer) wrap() http.ResponseWriter {
	flushes := reaches[http.Flusher](w.inner) || reaches[interface{ FlushError() error }](w.inner)
	hijacks := reaches[http.Hijacker](w.inner)
	_, pushes := w.inner.(http.Pusher)
	switch {
	case flushes && hijacks:
		return struct {
			*writer
			flushing
			hijacking
		}{w, flushing{w}, hijacking{w}}
	case flushes && pushes:
		return struct {
			*writer
			flushing
			pushing
		}{w, flushing{w}, pushing{w}}
	case flushes:
		return struct {
			*writer
			flushing
		}{w, flushing{w}}
	case hijacks:
		return struct {
			*writer
			hijacking
		}{w, hijacking{w}}
	}
	return w
}

// reaches says whether http.ResponseController would find a T.
func reaches[T any](w http.ResponseWriter) bool {
	for {
		if _, ok := w.(T); ok {
			return true
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
}
