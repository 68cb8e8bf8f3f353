// Package pubsub knows who has subscribed to what: channels, patterns and shard
// channels. It knows neither sockets nor how a message looks, and has no lock of
// its own.
package pubsub

import (
	"cmp"
	"slices"
)

// Kind is what can be subscribed to.
type Kind uint8

// The kinds. Shard channels are a namespace of their own, without patterns.
const (
	Channel Kind = iota
	Pattern
	Shard
)

const kinds = 3

// Topic is a channel, pattern or shard channel that somebody subscribed to.
type Topic[S any] struct {
	Kind Kind
	Name string
	subs []*subscription[S]

	pattern []byte // Name, of a pattern
}

// Len is the number of subscribers.
func (t *Topic[S]) Len() int { return len(t.subs) }

// Each calls visit with every subscriber, in no particular order. visit must not
// subscribe or unsubscribe anybody.
func (t *Topic[S]) Each(visit func(S)) {
	for _, sub := range t.subs {
		visit(sub.owner.Owner)
	}
}

// Subscriber is one party's subscriptions. Its zero value, with Owner set, has
// none.
type Subscriber[S any] struct {
	Owner S
	subs  [kinds]map[string]*subscription[S]
	seq   uint64 // of the last subscription
	mem   int
}

// subscription is one party's place in a topic.
type subscription[S any] struct {
	owner *Subscriber[S]
	topic *Topic[S]
	at    int    // in topic.subs
	seq   uint64 // the owner's count when it came
}

// Count is the number of subscriptions of a kind.
func (s *Subscriber[S]) Count(k Kind) int { return len(s.subs[k]) }

// Total is the number of subscriptions of all kinds.
func (s *Subscriber[S]) Total() int {
	return s.Count(Channel) + s.Count(Pattern) + s.Count(Shard)
}

// Memory is about what the subscriptions take, in bytes; each counts the name, which
// several share.
func (s *Subscriber[S]) Memory() int { return s.mem }

// perSubscription is about what a subscription costs beside its name.
const perSubscription = 128

// Names are what the party subscribed to, in the order in which it did.
func (s *Subscriber[S]) Names(k Kind) []string {
	subs := make([]*subscription[S], 0, len(s.subs[k]))
	for _, sub := range s.subs[k] {
		subs = append(subs, sub)
	}
	slices.SortFunc(subs, func(a, b *subscription[S]) int { return cmp.Compare(a.seq, b.seq) })
	names := make([]string, len(subs))
	for i, sub := range subs {
		names[i] = sub.topic.Name
	}
	return names
}

// Registry is all topics with their subscribers. The zero value is empty.
type Registry[S any] struct {
	topics   [kinds]map[string]*Topic[S]
	prefixes prefixes[S]
}

// Subscribe adds a subscription; false when s has it already. It keeps a copy of
// name. O(1).
func (r *Registry[S]) Subscribe(s *Subscriber[S], k Kind, name []byte) bool {
	if s.subs[k][string(name)] != nil {
		return false
	}
	t := r.topic(k, name)
	s.seq++
	sub := &subscription[S]{owner: s, topic: t, at: len(t.subs), seq: s.seq}
	t.subs = append(t.subs, sub)
	if s.subs[k] == nil {
		s.subs[k] = map[string]*subscription[S]{}
	}
	s.subs[k][t.Name] = sub
	s.mem += perSubscription + len(name)
	return true
}

// topic is the topic of that name, new when nobody subscribed to it before.
func (r *Registry[S]) topic(k Kind, name []byte) *Topic[S] {
	if t := r.topics[k][string(name)]; t != nil {
		return t
	}
	t := &Topic[S]{Kind: k, Name: string(name)}
	if r.topics[k] == nil {
		r.topics[k] = map[string]*Topic[S]{}
	}
	r.topics[k][t.Name] = t
	if k == Pattern {
		t.pattern = []byte(t.Name)
		r.prefixes.add(t)
	}
	return t
}

// Unsubscribe removes a subscription; false when s does not have it. O(1), but
// for a pattern's last subscriber O(patterns with the same beginning).
func (r *Registry[S]) Unsubscribe(s *Subscriber[S], k Kind, name []byte) bool {
	sub := s.subs[k][string(name)]
	if sub == nil {
		return false
	}
	r.remove(k, sub)
	return true
}

// UnsubscribeAll removes every subscription of s.
func (r *Registry[S]) UnsubscribeAll(s *Subscriber[S]) {
	for k := range s.subs {
		for _, sub := range s.subs[k] {
			r.remove(Kind(k), sub)
		}
	}
}

func (r *Registry[S]) remove(k Kind, sub *subscription[S]) {
	t := sub.topic
	if delete(sub.owner.subs[k], t.Name); len(sub.owner.subs[k]) == 0 {
		sub.owner.subs[k] = nil
	}
	sub.owner.mem -= perSubscription + len(t.Name)
	last := len(t.subs) - 1
	t.subs[sub.at] = t.subs[last]
	t.subs[sub.at].at = sub.at
	t.subs[last] = nil
	if t.subs = t.subs[:last]; last > 0 {
		return
	}
	if delete(r.topics[k], t.Name); k == Pattern {
		r.prefixes.remove(t)
	}
}

// Find is the topic of that name, nil when nobody subscribed to it.
func (r *Registry[S]) Find(k Kind, name []byte) *Topic[S] { return r.topics[k][string(name)] }

// Count is the number of topics of a kind.
func (r *Registry[S]) Count(k Kind) int { return len(r.topics[k]) }

// EachTopic calls visit with every topic of a kind, in no particular order.
func (r *Registry[S]) EachTopic(k Kind, visit func(*Topic[S])) {
	for _, t := range r.topics[k] {
		visit(t)
	}
}

// Reached calls visit with each topic that a message to a channel (or shard
// channel) goes to: the channel itself, then the patterns that match it. visit
// must not subscribe or unsubscribe anybody.
func (r *Registry[S]) Reached(k Kind, channel []byte, visit func(*Topic[S])) {
	if t := r.topics[k][string(channel)]; t != nil {
		visit(t)
	}
	if k == Channel && len(r.topics[Pattern]) > 0 {
		r.prefixes.match(channel, visit)
	}
}
