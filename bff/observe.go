package bff

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Metrics is told what happens; bff/bffprom makes figures for Prometheus of it.
// Its methods must not block.
type Metrics interface {
	// Event counts what happened to sessions by this Manager's doing.
	Event(t EventType, why Reason)
	// StoreCall is told of each call of the store; outcome is "ok", "miss",
	// "conflict" or "error".
	StoreCall(op, outcome string, took time.Duration)
	// Conflict counts writes that met another's: "merged", or "failed".
	Conflict(result string)
	// Refused counts writes that were not done since their session had ended.
	Refused()
	// TokenRefresh counts refreshes of tokens by their result.
	TokenRefresh(result string)
	// CSRFDenied counts requests that Protect turned away.
	CSRFDenied()
	// CookieRejected counts cookies: "unsigned", "signature", "length",
	// "unknown".
	CookieRejected(why string)
	// Late is how long after its deadline a session was found to have ended.
	Late(d time.Duration)
}

// noMetrics is what a Manager without Metrics tells.
type noMetrics struct{}

func (noMetrics) Event(EventType, Reason)                 {}
func (noMetrics) StoreCall(string, string, time.Duration) {}
func (noMetrics) Conflict(string)                         {}
func (noMetrics) Refused()                                {}
func (noMetrics) TokenRefresh(string)                     {}
func (noMetrics) CSRFDenied()                             {}
func (noMetrics) CookieRejected(string)                   {}
func (noMetrics) Late(time.Duration)                      {}

// call asks the store, for at most StoreTimeout, and tells what came of it.
// Errors that the store does not know by name become ErrStore.
func (m *Manager) call(ctx context.Context, op string, fn func(ctx context.Context) error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, m.StoreTimeout)
	defer cancel()
	return m.ask(ctx, op, fn)
}

// ask is call without a bound of its own.
func (m *Manager) ask(ctx context.Context, op string, fn func(ctx context.Context) error) (time.Duration, error) {
	start := m.clock.Now()
	err := fn(ctx)
	took := m.clock.Now().Sub(start)
	outcome := "ok"
	switch {
	case err == nil:
	case errors.Is(err, ErrNoSession), errors.Is(err, ErrRevoked):
		outcome = "miss"
	case errors.Is(err, ErrConflict):
		outcome = "conflict"
	case errors.Is(err, errors.ErrUnsupported):
	default:
		outcome, err = "error", errStore(err)
	}
	m.metrics.StoreCall(op, outcome, took)
	if outcome == "error" && !errors.Is(err, context.Canceled) { // the client may be gone
		m.log.LogAttrs(ctx, slog.LevelWarn, "session store failed", slog.String("op", op), slog.Duration("dur", took), slog.String("err", err.Error()))
	}
	return took, err
}

// storeError is ErrStore with its cause.
type storeError struct{ cause error }

func errStore(cause error) error {
	if errors.Is(cause, ErrStore) {
		return cause
	}
	return &storeError{cause}
}

func (e *storeError) Error() string   { return ErrStore.Error() + ": " + e.cause.Error() }
func (e *storeError) Unwrap() []error { return []error{ErrStore, e.cause} }

// find, create, replace, rename, touch and remove are the store's calls with the log
// lines that the session guide has, with handles in the place of ids.

func (m *Manager) find(ctx context.Context, sid string) (rec Record, err error) {
	took, err := m.call(ctx, "find", func(ctx context.Context) error {
		rec, err = m.Store.Find(ctx, m.Prefix+sid)
		return err
	})
	if m.log.Enabled(ctx, slog.LevelDebug) {
		m.log.LogAttrs(ctx, slog.LevelDebug, "session get", slog.String("sid", m.handles.of(sid).String()),
			slog.Bool("hit", err == nil), slog.Duration("dur", took))
	}
	return rec, err
}

func (m *Manager) logSet(ctx context.Context, sid string, r Record) {
	if m.log.Enabled(ctx, slog.LevelDebug) {
		m.log.LogAttrs(ctx, slog.LevelDebug, "session set", slog.String("sid", m.handles.of(sid).String()),
			slog.Duration("ttl", r.TTL), slog.Int("bytes", len(r.Value)))
	}
}

func (m *Manager) create(ctx context.Context, sid string, r Record) error {
	_, err := m.call(ctx, "create", func(ctx context.Context) error { return m.Store.Create(ctx, m.Prefix+sid, r) })
	if err == nil {
		m.logSet(ctx, sid, r)
		m.metrics.Event(EventCreated, "")
	}
	return err
}

func (m *Manager) replace(ctx context.Context, sid string, old []byte, r Record) error {
	_, err := m.call(ctx, "replace", func(ctx context.Context) error { return m.Store.Replace(ctx, m.Prefix+sid, old, r) })
	if err == nil {
		m.logSet(ctx, sid, r)
		m.metrics.Event(EventChanged, "")
	}
	return err
}

func (m *Manager) rename(ctx context.Context, sid string, old []byte, to string, r Record) error {
	m.live.renaming(sid, true)
	defer m.live.renaming(sid, false)
	_, err := m.call(ctx, "rename", func(ctx context.Context) error {
		return m.Store.Rename(ctx, m.Prefix+sid, old, m.Prefix+to, r)
	})
	if err == nil {
		m.live.renamed(sid, to)
		m.logSet(ctx, to, r)
		m.metrics.Event(EventRenewed, ReasonRenewed)
		m.log.LogAttrs(ctx, slog.LevelDebug, "session renewed",
			slog.String("sid", m.handles.of(sid).String()), slog.String("to", m.handles.of(to).String()))
	}
	return err
}

func (m *Manager) touch(ctx context.Context, sid string, ttl time.Duration) error {
	_, err := m.call(ctx, "touch", func(ctx context.Context) error { return m.Store.Touch(ctx, m.Prefix+sid, ttl) })
	if err == nil {
		m.metrics.Event(EventRefreshed, "")
		m.log.LogAttrs(ctx, slog.LevelDebug, "session touch", slog.String("sid", m.handles.of(sid).String()), slog.Duration("ttl", ttl))
	}
	return err
}

// remove deletes sessions of one user, "" for an unknown one, and ends their
// streams.
func (m *Manager) remove(ctx context.Context, why Reason, user string, sids ...string) (n int, err error) {
	keys := make([]string, len(sids))
	for i, sid := range sids {
		keys[i] = m.Prefix + sid
	}
	_, err = m.call(ctx, "delete", func(ctx context.Context) error {
		n, err = m.Store.Delete(ctx, why, keys...)
		return err
	})
	if err != nil {
		return n, err
	}
	for range n {
		m.metrics.Event(EventRevoked, why)
	}
	for _, sid := range sids {
		m.live.end(sid, why)
		m.log.LogAttrs(ctx, slog.LevelDebug, "session destroy", slog.String("sid", m.handles.of(sid).String()), slog.String("why", string(why)))
	}
	if f, ok := m.Store.(Forgetter); ok && user != "" {
		// The index is only behind when this fails; reading it finds out.
		_, _ = m.call(ctx, "forget", func(ctx context.Context) error { return f.Forget(ctx, m.Prefix, user, keys...) })
	}
	return n, nil
}
