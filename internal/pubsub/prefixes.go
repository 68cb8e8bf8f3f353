package pubsub

import (
	"slices"

	"coatcheck/engine"
)

// Patterns are found by the bytes they begin with. Of ten thousand patterns like
// "user:17:*" a channel's name can match only those whose literal beginning it
// shares: one look-up for each length that such beginnings have, whatever the
// number of patterns. A pattern that begins with a wildcard is tried on every
// message, as all are in Redis.

// maxPrefix bounds how many lengths there can be.
const maxPrefix = 64

type prefixes[S any] struct {
	byPrefix map[string][]*Topic[S]
	// lengths is how many different prefixes there are of each length.
	lengths [maxPrefix + 1]int
}

// prefixOf is a pattern's beginning that stands for itself.
func prefixOf(pattern string) string {
	p := pattern[:min(len(pattern), maxPrefix)]
	for i := range len(p) {
		switch p[i] {
		case '*', '?', '[', '\\':
			return p[:i]
		}
	}
	return p
}

func (x *prefixes[S]) add(t *Topic[S]) {
	p := prefixOf(t.Name)
	if x.byPrefix == nil {
		x.byPrefix = map[string][]*Topic[S]{}
	}
	if x.byPrefix[p] == nil {
		x.lengths[len(p)]++
	}
	x.byPrefix[p] = append(x.byPrefix[p], t)
}

func (x *prefixes[S]) remove(t *Topic[S]) {
	p := prefixOf(t.Name)
	left := slices.DeleteFunc(x.byPrefix[p], func(o *Topic[S]) bool { return o == t })
	if len(left) > 0 {
		x.byPrefix[p] = left
		return
	}
	delete(x.byPrefix, p)
	x.lengths[len(p)]--
}

// match calls visit with each pattern that matches the whole of channel.
func (x *prefixes[S]) match(channel []byte, visit func(*Topic[S])) {
	for n, count := range x.lengths[:min(len(channel), maxPrefix)+1] {
		if count == 0 {
			continue
		}
		for _, t := range x.byPrefix[string(channel[:n])] {
			if t.matches(n, channel) {
				visit(t)
			}
		}
	}
}

// matches is engine.Match of a pattern whose first n bytes are the channel's.
// The empty channel's name matches the empty pattern only.
func (t *Topic[S]) matches(n int, channel []byte) bool {
	if t.Name[n:] == "*" {
		return len(channel) > 0
	}
	return engine.Match(t.pattern, channel)
}
