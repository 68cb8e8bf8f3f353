package bff

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// SignalKind is what may be a sign that a session was stolen, or that somebody
// tries to.
type SignalKind string

// The kinds.
const (
	// SignalAgent: another browser family than at the sign-in.
	SignalAgent SignalKind = "agent"
	// SignalNetwork: another network than at the sign-in. People move about.
	SignalNetwork SignalKind = "network"
	// SignalTwoNetworks: another network than a few seconds ago.
	SignalTwoNetworks SignalKind = "two-networks"
	// SignalTampered: a cookie whose signature fits no secret.
	SignalTampered SignalKind = "tampered"
	// SignalUnknown: many ids within a minute, from one network, that no session
	// has, though they are signed.
	SignalUnknown SignalKind = "unknown-ids"
)

// Action is what follows from a Signal.
type Action int

// The actions, each with those before.
const (
	Log    Action = iota
	StepUp        // Require wants the user to sign in again
	Revoke        // the session ends
)

// Signal is a rule. The scores of those that a request gives are added up in
// Session.Suspicion. SignalTampered and SignalUnknown have no session to act on:
// they are logged.
type Signal struct {
	Kind  SignalKind
	Score int
	Then  Action
}

// DefaultSignals log and score, and end nothing: a weak sign alone is none.
func DefaultSignals() []Signal {
	return []Signal{
		{Kind: SignalAgent, Score: 5}, {Kind: SignalNetwork, Score: 1}, {Kind: SignalTwoNetworks, Score: 3},
		{Kind: SignalTampered, Score: 3}, {Kind: SignalUnknown, Score: 5},
	}
}

// Sighting is a Signal that was seen.
type Sighting struct {
	Signal
	At      time.Time
	Handle  Handle // "" without a session
	User    string
	Network string // coarse
}

// Times of the signals.
const (
	twoNetworksWithin = 10 * time.Second
	unknownWithin     = time.Minute
	unknownMany       = 20
)

// inspect compares the request with the sign-in and with requests before, and
// returns the strongest action that follows. The session's lock is held.
func (m *Manager) inspect(s *Session) (act Action) {
	here, now := coarse(s.from.addr), m.clock.Now()
	seen := map[SignalKind]bool{
		SignalAgent:       s.meta.Family != "" && agentFamily(s.from.agent) != s.meta.Family,
		SignalNetwork:     s.meta.Network != "" && here != s.meta.Network,
		SignalTwoNetworks: here != "" && m.watched.networks(s.sid, here, now),
	}
	for _, sig := range m.Signals {
		if !seen[sig.Kind] {
			continue
		}
		s.score += sig.Score
		s.stepUp = s.stepUp || sig.Then >= StepUp
		act = max(act, sig.Then)
		if sig.Then > Log || m.watched.first(s.sid, sig.Kind, here) {
			m.sighted(Sighting{sig, now, m.handles.of(s.sid), s.user(), here})
		}
	}
	return act
}

// tampered notes a cookie that was not made here.
func (m *Manager) tampered(s *Session, why string) {
	if why == "signature" {
		m.sightedAlone(s, SignalTampered)
	}
}

// unknownID notes an id that was signed here and has no session: it expired, or
// somebody guesses.
func (m *Manager) unknownID(s *Session) {
	if m.watched.burst(coarse(s.from.addr), m.clock.Now()) {
		m.sightedAlone(s, SignalUnknown)
	}
}

// sightedAlone tells of a signal that no session goes with.
func (m *Manager) sightedAlone(s *Session, kind SignalKind) {
	for _, sig := range m.Signals {
		if sig.Kind == kind {
			s.score += sig.Score
			m.sighted(Sighting{Signal: sig, At: m.clock.Now(), Network: coarse(s.from.addr)})
		}
	}
}

func (m *Manager) sighted(g Sighting) {
	m.log.LogAttrs(context.Background(), slog.LevelWarn, "session signal", slog.String("signal", string(g.Kind)),
		slog.String("sid", g.Handle.String()), slog.String("net", g.Network), slog.Int("score", g.Score))
	if m.OnSighting != nil {
		m.OnSighting(g)
	}
}

// sightings is what this process remembers of requests, within bounds.
type sightings struct {
	mu     sync.Mutex
	last   map[string]visit // by id: the network of its last request
	told   map[told]struct{}
	bursts map[string]*burst // by network
}

type visit struct {
	network string
	at      time.Time
}

type told struct {
	sid     string
	kind    SignalKind
	network string
}

type burst struct {
	since time.Time
	n     int
}

// maxSightings bounds each of the maps; a full one begins anew.
const maxSightings = 1 << 14

func newSightings() *sightings {
	return &sightings{last: map[string]visit{}, told: map[told]struct{}{}, bursts: map[string]*burst{}}
}

// networks says whether the session's request before came from another network, a
// moment ago.
func (g *sightings) networks(sid, here string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	before, ok := g.last[sid]
	if len(g.last) >= maxSightings {
		clear(g.last)
	}
	g.last[sid] = visit{here, now}
	return ok && before.network != here && now.Sub(before.at) <= twoNetworksWithin
}

// first says whether that was not told yet.
func (g *sightings) first(sid string, kind SignalKind, network string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := told{sid, kind, network}
	if _, again := g.told[t]; again {
		return false
	}
	if len(g.told) >= maxSightings {
		clear(g.told)
	}
	g.told[t] = struct{}{}
	return true
}

// burst counts an unknown id and says whether they are many just now. It says so
// once a minute.
func (g *sightings) burst(network string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.bursts[network]
	if b == nil || now.Sub(b.since) >= unknownWithin {
		if len(g.bursts) >= maxSightings {
			clear(g.bursts)
		}
		b = &burst{since: now}
		g.bursts[network] = b
	}
	b.n++
	return b.n == unknownMany
}
