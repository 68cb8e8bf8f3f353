package server

import (
	"strconv"
	"time"
)

// slowlog is the commands that took longer than slowlog-log-slower-than, the
// newest first. It keeps beginnings of the arguments, so that an entry is small
// however large the command was.
type slowlog struct {
	entries []slowEntry // a ring: the oldest is at start
	start   int
	nextID  int64
}

type slowEntry struct {
	id         int64
	at         time.Time // when the command had run
	took       time.Duration
	argv       []string
	addr, name string // of the client
}

// What an entry keeps of a command at most (Redis slowlog.h).
const (
	slowArgs    = 32
	slowArgSize = 128
)

// add puts an entry in front and drops what is over limit.
func (l *slowlog) add(e slowEntry, limit int) {
	e.id = l.nextID
	l.nextID++
	if limit <= 0 {
		l.entries, l.start = nil, 0
		return
	}
	l.trim(limit)
	if len(l.entries) < limit {
		l.entries = append(l.entries, e)
		return
	}
	l.entries[l.start] = e
	l.start = (l.start + 1) % len(l.entries)
}

// trim keeps the newest limit entries, in a ring that starts at 0 when it has
// to grow or shrink.
func (l *slowlog) trim(limit int) {
	n := len(l.entries)
	if n == limit || n < limit && l.start == 0 {
		return
	}
	kept := make([]slowEntry, 0, min(n, limit))
	for i := max(0, n-limit); i < n; i++ {
		kept = append(kept, l.entries[(l.start+i)%n])
	}
	l.entries, l.start = kept, 0
}

// newest returns up to n entries, the newest first; all when n is negative.
func (l *slowlog) newest(n int) []slowEntry {
	have := len(l.entries)
	if n < 0 || n > have {
		n = have
	}
	out := make([]slowEntry, n)
	for i := range out {
		out[i] = l.entries[(l.start+have-1-i)%have]
	}
	return out
}

func (l *slowlog) reset() { l.entries, l.start = nil, 0 }

// slowArgv is what the slow log keeps of argv.
func slowArgv(argv [][]byte) []string {
	n := min(len(argv), slowArgs)
	kept := make([]string, n)
	for i := range kept {
		a := argv[i]
		switch {
		case len(argv) > slowArgs && i == slowArgs-1:
			kept[i] = "... (" + strconv.Itoa(len(argv)-slowArgs+1) + " more arguments)"
		case len(a) > slowArgSize:
			kept[i] = string(a[:slowArgSize]) + "... (" + strconv.Itoa(len(a)-slowArgSize) + " more bytes)"
		default:
			kept[i] = string(a)
		}
	}
	return kept
}
