package coatchecktest

import (
	"slices"
	"time"

	"coatcheck/engine"
)

// Event is a change of a key, by the name that notify-keyspace-events gives it.
type Event struct {
	DB   int
	Name string // "set", "expire", "expired", "del", …
	Key  string
	At   time.Time // by the store's clock
}

// events is the changes that happened. It has no lock of its own: effects come
// under the engine's.
type events struct{ list []Event }

// Wants implements engine.Sink.
func (e *events) Wants() engine.Wants { return engine.Wants{Events: ^engine.ClassMissed} }

// Effect implements engine.Sink.
func (e *events) Effect(tx *engine.Tx, effect *engine.Effect) {
	if effect.Event == "" || effect.Class == engine.ClassMissed {
		return
	}
	e.list = append(e.list, Event{
		DB: effect.DB, Name: effect.Event, Key: string(effect.Key), At: tx.Now().Time(),
	})
}

func (s *Server) watchEvents() {
	h := s.eng.Lock()
	defer h.Unlock()
	h.AddSink(&s.events)
}

// Events are the changes of keys so far, in order: all, or those of the given
// names. Keys that the test itself changed are among them.
func (s *Server) Events(names ...string) []Event {
	h := s.eng.Lock()
	defer h.Unlock()
	var chosen []Event
	for _, e := range s.events.list {
		if len(names) == 0 || slices.Contains(names, e.Name) {
			chosen = append(chosen, e)
		}
	}
	return chosen
}

// ForgetEvents empties what Events returns.
func (s *Server) ForgetEvents() {
	h := s.eng.Lock()
	defer h.Unlock()
	s.events.list = nil
}
