package policy

import (
	"unsafe"

	"coatcheck/engine"
)

// Event is one line of the log: a session came or went.
type Event struct {
	Seq    uint64 // from 1 on, without gaps
	At     engine.UnixMilli
	Reason Reason
	DB     int
	Key    string // "" where a whole db went
	User   string // that the session had at its end
	Born   engine.UnixMilli
	// By is who did it, as far as it was a client.
	By string
}

// log keeps the last events.
type log struct {
	ring  []Event // by Seq modulo size
	size  int
	last  uint64 // Seq of the last one; it goes on when the size changes
	first uint64 // Seq of the first that is kept; last+1 for none
	bytes int64
}

const perEvent = int64(unsafe.Sizeof(Event{}))

func textOf(e *Event) int64 { return int64(len(e.Key) + len(e.User) + len(e.By)) }

// add keeps an event.
func (l *log) add(e Event) {
	l.last++
	e.Seq = l.last
	old := &l.ring[e.Seq%uint64(l.size)]
	if l.last-l.first >= uint64(l.size) {
		l.first++
	}
	l.bytes += textOf(&e) - textOf(old)
	*old = e
}

// resize keeps so many events from now on, and of those that are there the last.
func (l *log) resize(size int) {
	if size == l.size {
		return
	}
	kept := l.after(0, size)
	if n := len(kept); n > size {
		kept = kept[n-size:]
	}
	*l = log{size: size, last: l.last, first: l.last + 1 - uint64(len(kept))}
	if size > 0 {
		l.ring = make([]Event, size)
		l.bytes = perEvent * int64(size)
	}
	for _, e := range kept {
		l.ring[e.Seq%uint64(size)] = e
		l.bytes += textOf(&e)
	}
}

// after is the first n events whose numbers are higher than seq; for 0 the last n.
func (l *log) after(seq uint64, n int) []Event {
	if l.size == 0 || l.last == 0 {
		return nil
	}
	from := max(seq+1, l.first)
	if seq == 0 && l.last-from+1 > uint64(n) {
		from = l.last + 1 - uint64(n)
	}
	var out []Event
	for ; from <= l.last && len(out) < n; from++ {
		out = append(out, l.ring[from%uint64(l.size)])
	}
	return out
}

// ended is the last event about the end of a session.
func (l *log) ended(db int, key string) (e Event, ok bool) {
	for seq := l.last; l.size > 0 && seq >= l.first && seq > 0; seq-- {
		e = l.ring[seq%uint64(l.size)]
		if e.DB == db && (e.Key == key || e.Key == "" && e.Reason == Flushed) && e.Reason != Created {
			return e, true
		}
	}
	return Event{}, false
}
