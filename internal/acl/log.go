package acl

import "time"

// Context is where a denied call came from.
type Context string

// The contexts, as ACL LOG tells them.
const (
	TopLevel Context = "toplevel"
	InMulti  Context = "multi"
	InScript Context = "lua"
	InLua    Context = "lua"
)

// LogEntry is a denial, or several of a kind within a minute.
type LogEntry struct {
	ID      int64
	Count   int64
	Reason  Reason
	Context Context
	Object  string // a command's full name, a key, a channel, or for a login its command
	User    string
	Client  string    // the client that was denied last, as CLIENT LIST tells it
	Created time.Time // when the entry was made
	Updated time.Time // when it counted last
}

// Log is what was denied, the newest first (Redis acl.c, addACLLogEntry).
type Log struct {
	entries []*LogEntry
	nextID  int64

	denied [DeniedAuth + 1]int64
}

// An entry counts for a denial that is not older than grouping and among the
// newest so many entries.
const (
	logGrouping = time.Minute
	logLook     = 10
)

// Add counts a denial and logs it, with Count, ID and times its own business,
// keeping at most limit entries.
func (l *Log) Add(e LogEntry, now time.Time, limit int64) {
	l.denied[e.Reason]++
	e.Updated = now
	for i, old := range l.entries[:min(logLook, len(l.entries))] {
		if old.Reason == e.Reason && old.Context == e.Context && old.Object == e.Object && old.User == e.User &&
			now.Sub(old.Updated).Abs() <= logGrouping {
			old.Client, old.Updated = e.Client, now
			old.Count++
			copy(l.entries[1:i+1], l.entries[:i])
			l.entries[0] = old
			return
		}
	}
	e.ID, e.Count, e.Created = l.nextID, 1, now
	l.nextID++
	l.entries = append(l.entries, nil)
	copy(l.entries[1:], l.entries)
	l.entries[0] = &e
	l.trim(limit)
}

// trim drops the oldest above limit.
func (l *Log) trim(limit int64) {
	if limit = max(limit, 0); int64(len(l.entries)) > limit {
		clear(l.entries[limit:])
		l.entries = l.entries[:limit]
	}
}

// Newest returns up to n entries, the newest first.
func (l *Log) Newest(n int64) []*LogEntry {
	return l.entries[:max(0, min(n, int64(len(l.entries))))]
}

// Reset forgets the entries; their numbers go on.
func (l *Log) Reset() { l.entries = nil }

// Denied is how often something was denied for a reason since the figures were
// reset.
func (l *Log) Denied(r Reason) int64 { return l.denied[r] }

// ResetFigures is CONFIG RESETSTAT.
func (l *Log) ResetFigures() { clear(l.denied[:]) }
