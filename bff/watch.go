package bff

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Filter narrows a Watch; its zero value takes everything.
type Filter struct {
	User   string
	Handle Handle
	Types  []EventType // none: all
}

// Event is something that happened to a session.
type Event struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Type   EventType `json:"type"`
	Handle Handle    `json:"handle,omitempty"` // "": all sessions
	User   string    `json:"user,omitempty"`
	Reason Reason    `json:"reason,omitempty"`
}

// Watch yields what happens to sessions, by whomever, after the event of a number:
// 0 for all that is still known, FromNow for what comes after this call. It ends
// with ctx.
//
// Where events were lost it yields ErrGap and goes on. It fails with
// errors.ErrUnsupported when the store does not tell, and with ErrStore.
func (m *Manager) Watch(ctx context.Context, f Filter, after uint64) iter.Seq2[Event, error] {
	fails := func(err error) iter.Seq2[Event, error] {
		return func(yield func(Event, error) bool) { yield(Event{}, err) }
	}
	if err := m.Check(); err != nil {
		return fails(err)
	}
	w, ok := m.Store.(Watcher)
	if !ok {
		return fails(fmt.Errorf("bff: the store tells no events: %w", errors.ErrUnsupported))
	}
	events := w.Watch(ctx, m.Prefix, after)
	return func(yield func(Event, error) bool) {
		for e, err := range events {
			if err != nil && !errors.Is(err, ErrGap) {
				yield(Event{}, errStore(err))
				return
			}
			if err == nil && !m.wanted(f, e) {
				continue
			}
			if !yield(m.event(e), err) {
				return
			}
		}
	}
}

func (m *Manager) event(e StoreEvent) Event {
	out := Event{Seq: e.Seq, At: e.At, Type: e.Type, User: e.User, Reason: e.Reason}
	if e.Key != "" {
		out.Handle = m.handles.of(m.id(e.Key))
	}
	return out
}

func (m *Manager) wanted(f Filter, e StoreEvent) bool {
	if len(f.Types) > 0 {
		found := false
		for _, t := range f.Types {
			found = found || t == e.Type
		}
		if !found {
			return false
		}
	}
	if e.Key == "" {
		return true // it concerns all
	}
	return (f.User == "" || f.User == e.User) && (f.Handle == "" || m.handles.fits(f.Handle, strings.TrimPrefix(e.Key, m.Prefix)))
}
