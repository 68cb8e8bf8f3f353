package oidc

import (
	"context"
	"sync"
	"time"

	"coatcheck/bff"
)

// Notes are small texts under keys that all instances of an application see and that
// end by themselves: locks, and what was seen before. redisstore has them in a Redis,
// NewNotes in the process. A failure means that they cannot be asked.
type Notes interface {
	// Claim writes a note unless there is one, and says whether it did.
	Claim(ctx context.Context, key, text string, ttl time.Duration) (bool, error)
	// Extend gives the note ttl from now if it has that text, and says so.
	Extend(ctx context.Context, key, text string, ttl time.Duration) (bool, error)
	// Release takes the note away if it has that text.
	Release(ctx context.Context, key, text string) error
	// Put writes a note over any other.
	Put(ctx context.Context, key, text string, ttl time.Duration) error
	// Get is a note, "" for none.
	Get(ctx context.Context, key string) (string, error)
}

// notes are Notes in a map.
type notes struct {
	clock bff.Clock

	mu    sync.Mutex
	all   map[string]note
	sweep int // how many there may be before ended ones are looked for
}

type note struct {
	text string
	ends time.Time
}

// NewNotes are Notes for an application of one instance.
func NewNotes(clock bff.Clock) Notes {
	return &notes{clock: clock, all: map[string]note{}, sweep: 1024}
}

// get is a note that has not ended. The lock is held.
func (n *notes) get(key string) (string, bool) {
	have, ok := n.all[key]
	if !ok || !n.clock.Now().Before(have.ends) {
		return "", false
	}
	return have.text, true
}

// put writes a note. The lock is held.
func (n *notes) put(key, text string, ttl time.Duration) {
	if len(n.all) >= n.sweep {
		for k := range n.all {
			if _, ok := n.get(k); !ok {
				delete(n.all, k)
			}
		}
		n.sweep = max(1024, 2*len(n.all))
	}
	n.all[key] = note{text, n.clock.Now().Add(ttl)}
}

// Claim implements Notes.
func (n *notes) Claim(_ context.Context, key, text string, ttl time.Duration) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.get(key); ok {
		return false, nil
	}
	n.put(key, text, ttl)
	return true, nil
}

// Extend implements Notes.
func (n *notes) Extend(_ context.Context, key, text string, ttl time.Duration) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if have, ok := n.get(key); !ok || have != text {
		return false, nil
	}
	n.put(key, text, ttl)
	return true, nil
}

// Release implements Notes.
func (n *notes) Release(_ context.Context, key, text string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.all[key].text == text {
		delete(n.all, key)
	}
	return nil
}

// Put implements Notes.
func (n *notes) Put(_ context.Context, key, text string, ttl time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.put(key, text, ttl)
	return nil
}

// Get implements Notes.
func (n *notes) Get(_ context.Context, key string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	text, _ := n.get(key)
	return text, nil
}
