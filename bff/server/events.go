package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"coatcheck/bff"
)

// expiringBefore is how long before its end a session's pages are told.
const expiringBefore = time.Minute

// pingEvery keeps proxies from taking a quiet stream for a dead one.
const pingEvery = 25 * time.Second

// feed is an event stream of a session.
type feed struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	h    bff.Handle
	last bff.Info // as the page knows it
	told bool     // that it is about to end
	lost bool     // the session could not be looked at
}

// events is GET /bff/events: what happens to the session, as server-sent events. An
// open stream is no use of the session.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	sess := s.m.From(r.Context())
	sess.DontSlide()
	info, ok := sess.Info()
	if !ok {
		s.m.ErrorHandler(w, r, sess.Err())
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	f := &feed{s: s, w: w, r: r, h: info.Handle, last: info}
	if f.send("ready", s.sessionJSON(info)) != nil {
		return
	}
	f.run()
}

// send writes an event.
func (f *feed) send(name string, data any) error {
	if _, err := f.w.Write(event(name, data)); err != nil {
		return err
	}
	return http.NewResponseController(f.w).Flush()
}

func event(name string, data any) []byte {
	text, err := json.Marshal(data)
	if err != nil {
		panic(err) // structs of ours
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, text)
}

// run goes on until the session or the connection ends.
func (f *feed) run() {
	ctx, cancel := context.WithCancel(f.r.Context())
	defer cancel()
	changes := make(chan struct{}, 1)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		f.watch(ctx, changes)
	}()
	defer func() { cancel(); <-watching }()
	ping := f.s.clock.Now().Add(pingEvery)
	for {
		now := f.s.clock.Now()
		due := now.Add(f.wait(now, ping))
		wake := make(chan struct{})
		stop := f.s.clock.AfterFunc(due.Sub(now), func() { close(wake) })
		if f.s.clock.Now().Before(due) { // it is not due yet, and time did not leap before the timer was set
			select {
			case <-ctx.Done():
				stop()
				f.farewell()
				return
			case <-f.s.draining.Done():
				stop()
				return // the page connects again, to another instance
			case <-changes:
			case <-wake:
			}
		}
		stop()
		if err := f.look(ctx); err != nil {
			return
		}
		if now = f.s.clock.Now(); !now.Before(ping) {
			ping = now.Add(pingEvery)
			if _, err := f.w.Write([]byte(": ping\n\n")); err != nil || http.NewResponseController(f.w).Flush() != nil {
				continue // the context says why
			}
		}
	}
}

// wait is how long nothing is to be done: until the page must be told of the end, or
// the store asked again.
func (f *feed) wait(now, ping time.Time) time.Duration {
	every := f.s.m.RecheckEvery
	if _, tells := f.s.m.Store.(bff.Watcher); tells {
		every *= 12
	}
	if f.lost {
		return f.s.m.RecheckEvery
	}
	d := min(ping.Sub(now), every)
	if at := f.ends(); !f.told && !at.IsZero() {
		d = min(d, at.Add(-expiringBefore).Sub(now))
	}
	return d
}

// ends is when the session ends if it is not used.
func (f *feed) ends() time.Time {
	at := f.last.IdleExpiresAt
	if abs := f.last.AbsoluteExpiresAt; at.IsZero() || !abs.IsZero() && abs.Before(at) {
		at = abs
	}
	return at
}

// look tells the page what has changed.
func (f *feed) look(ctx context.Context) error {
	info, err := f.inspect(ctx)
	if f.lost = err != nil; f.lost {
		return nil // it has ended, and the context says so soon; or the store is down
	}
	moved := info.IdleExpiresAt.Sub(f.last.IdleExpiresAt)
	f.last = info
	if moved > time.Second { // a deadline that is read twice scatters by less
		f.told = false
		return f.send("refreshed", f.s.sessionJSON(info))
	}
	if at := f.ends(); !f.told && !at.IsZero() && at.Sub(f.s.clock.Now()) <= expiringBefore {
		f.told = true
		return f.send("expiring", f.s.sessionJSON(info))
	}
	return nil
}

// inspect reads the session. What is left to live is read at another moment than the
// time: when the process was held up in between, the deadline that follows is wrong,
// and is read again.
func (f *feed) inspect(ctx context.Context) (info bff.Info, err error) {
	for {
		before := f.s.clock.Now()
		info, err = f.s.m.Inspect(ctx, f.h)
		if err != nil || f.s.clock.Now().Sub(before) < 500*time.Millisecond {
			return info, err
		}
	}
}

// watch says when the session's deadline was moved, where the store tells of that.
func (f *feed) watch(ctx context.Context, changes chan<- struct{}) {
	filter := bff.Filter{Handle: f.h, Types: []bff.EventType{bff.EventRefreshed, bff.EventChanged}}
	for _, err := range f.s.m.Watch(ctx, filter, bff.FromNow) {
		if err != nil && !errors.Is(err, bff.ErrGap) {
			return
		}
		select {
		case changes <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// farewell tells the page how its session ended.
func (f *feed) farewell() {
	name := "revoked"
	switch cause := context.Cause(f.r.Context()); {
	case errors.Is(cause, bff.ErrExpired):
		name = "expired"
	case errors.Is(cause, bff.ErrRevoked):
	default:
		return // the page is gone
	}
	_ = f.s.m.Farewell(f.r.Context(), event(name, struct{}{})) // the page may be gone
}
