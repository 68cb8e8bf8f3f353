package server

import (
	"strconv"
	"strings"

	"coatcheck/engine"
	"coatcheck/internal/pubsub"
)

// notifier is the sink behind notify-keyspace-events: it publishes the effects of
// the chosen classes, first to the key's channel, then to the event's. While none
// is chosen it wants no effects at all.
type notifier struct {
	srv                *Server
	classes            engine.Class
	keyspace, keyevent bool // the channels that are published to
	channel            []byte
}

// classLetters are the letters of notify-keyspace-events that choose classes.
// "d" is for modules, of which there are none.
var classLetters = map[rune]engine.Class{
	'g': engine.ClassGeneric, '$': engine.ClassString, 'l': engine.ClassList, 's': engine.ClassSet,
	'h': engine.ClassHash, 'z': engine.ClassZSet, 't': engine.ClassStream, 'x': engine.ClassExpired,
	'e': engine.ClassEvicted, 'n': engine.ClassNew, 'm': engine.ClassMissed,
}

// allClasses is the letter A.
const allClasses = "g$lshzxet"

// set chooses by the canonical text of the parameter.
func (n *notifier) set(h engine.Held, text string) {
	text = strings.ReplaceAll(text, "A", allClasses)
	n.keyspace, n.keyevent = strings.Contains(text, "K"), strings.Contains(text, "E")
	n.classes = 0
	for _, letter := range text {
		n.classes |= classLetters[letter]
	}
	h.WantsChanged()
}

// Wants implements engine.Sink.
func (n *notifier) Wants() engine.Wants {
	if !n.keyspace && !n.keyevent {
		return engine.Wants{}
	}
	return engine.Wants{Events: n.classes}
}

// Effect implements engine.Sink.
func (n *notifier) Effect(_ *engine.Tx, e *engine.Effect) {
	reg := &n.srv.pubsub
	if e.Class&n.classes == 0 || e.Key == nil || reg.Count(pubsub.Channel)+reg.Count(pubsub.Pattern) == 0 {
		return
	}
	if n.keyspace {
		n.srv.publish(pubsub.Channel, append(n.begin("__keyspace@", e.DB), e.Key...), []byte(e.Event))
	}
	if n.keyevent {
		n.srv.publish(pubsub.Channel, append(n.begin("__keyevent@", e.DB), e.Event...), e.Key)
	}
}

// begin is how a channel's name begins, in the notifier's own buffer.
func (n *notifier) begin(word string, db int) []byte {
	b := append(n.channel[:0], word...)
	b = append(strconv.AppendInt(b, int64(db), 10), "__:"...)
	n.channel = b
	return b
}
