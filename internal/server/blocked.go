package server

import (
	"container/heap"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// Clients that wait for keys. A command that returns a command.Wait parks its
// client: no goroutine, a place in the queue of each of its keys, and one in the
// heap of deadlines, whose first sets a timer.
//
// blocked is a sink. While nobody waits it wants no effects, and costs nothing;
// while somebody does, an effect costs a look-up of its key. Keys with waiters
// are noted in the order of their effects, and served when the unit has ended
// (Server.call), or at the latest before the lock is let go (Held.BeforeUnlock),
// as when an embedder or the expire timer made the change. To serve a key is to
// run the commands of its queue again, one after another, as long as the key
// holds a value of the queue's type. What a command replies goes where things
// that others say to a client go (Client.pushed), since its reply buffer is its
// transport's.
type blocked struct {
	srv      *Server
	keys     map[waitKey]*waitQueue
	all      map[keyOfDB]int // how many queues a key has; they differ by type
	ready    []readyKey
	timed    deadlines
	goneKeys int // queues with waiters with OrGone
	on       bool
	serves   bool // serveReady runs
	stop     func()
	armed    engine.UnixMilli  // when the timer goes off; 0: it is not set
	atEnd    func(engine.Held) // endOfBatch
	reply    resp.Reply        // of commands that run again
}

// keyOfDB is a key, whether it exists or not.
type keyOfDB struct {
	db  int
	key string
}

// waitKey is what a queue is for.
type waitKey struct {
	keyOfDB
	typ engine.Type
}

// waitQueue is the waiters for one type of value in one key, the first first.
type waitQueue struct {
	of          waitKey
	key         []byte
	first, last *seat
	orGone      int // of its waiters, those with OrGone
	ready       bool
}

// seat is a waiter's in one queue.
type seat struct {
	w          *waiter
	q          *waitQueue
	prev, next *seat
}

// readyKey is a queue that may be served, nil once that was done.
type readyKey struct{ q *waitQueue }

// waiter is a client that is parked.
type waiter struct {
	waiting
	c        *Client
	wait     *command.Wait
	deadline engine.UnixMilli // 0: none
	at       int              // in the heap of deadlines; -1: not there
	seats    []seat
}

func newBlocked(s *Server) *blocked {
	b := &blocked{srv: s, keys: map[waitKey]*waitQueue{}, all: map[keyOfDB]int{}}
	b.atEnd = b.endOfBatch
	return b
}

// Wants implements engine.Sink.
func (b *blocked) Wants() engine.Wants {
	if !b.on {
		return engine.Wants{}
	}
	return engine.Wants{Events: engine.ClassGeneric | engine.ClassString | engine.ClassList | engine.ClassSet |
		engine.ClassHash | engine.ClassZSet | engine.ClassStream | engine.ClassExpired | engine.ClassEvicted}
}

// Effect implements engine.Sink.
func (b *blocked) Effect(_ *engine.Tx, e *engine.Effect) {
	switch {
	case !b.on:
	case e.Key != nil:
		if b.all[keyOfDB{e.DB, string(e.Key)}] > 0 {
			b.touched(e.DB, e.Key)
		}
	default: // a whole db, or two that were exchanged
		for k, q := range b.keys {
			if e.Concerns(k.db) {
				b.markReady(q)
			}
		}
	}
}

// waitTypes are the types that queues may be for.
var waitTypes = [...]engine.Type{engine.TString, engine.TList, engine.TSet, engine.THash, engine.TZSet, engine.TStream}

// touched notes that the queues of a key may be served.
func (b *blocked) touched(db int, key []byte) {
	for _, typ := range waitTypes {
		if q := b.keys[waitKey{keyOfDB{db, string(key)}, typ}]; q != nil {
			b.markReady(q)
		}
	}
}

func (b *blocked) markReady(q *waitQueue) {
	if !q.ready {
		if len(b.ready) == 0 {
			b.srv.held.BeforeUnlock(b.atEnd)
		}
		q.ready = true
		b.ready = append(b.ready, readyKey{q})
	}
}

// park makes the client wait for what w says, from the command argv, which
// began at a time and took some already.
func (s *Server) park(c *Client, cmd *Cmd, argv [][]byte, wait *command.Wait, began time.Time, took time.Duration) {
	if w := c.again; w != nil { // it stays where it is
		w.spent += took
		c.waits = &w.waiting
		return
	}
	w := &waiter{c: c, wait: wait, deadline: wait.Deadline, at: -1, seats: make([]seat, 0, len(wait.Keys))}
	w.waiting = waiting{cmd: cmd, began: began, spent: took, parked: w}
	w.argv = copyArgv(argv)
	for _, key := range wait.Keys {
		s.blocked.enqueue(w, waitKey{keyOfDB{c.db, string(key)}, wait.Type})
	}
	if wait.Acks {
		s.appendLog.acks[w] = struct{}{}
		s.appendLog.ackCount.Add(1)
	}
	wait.Keys = nil // they pointed into the query buffer
	c.waits = &w.waiting
	if w.deadline > 0 {
		heap.Push(&s.blocked.timed, w)
		s.blocked.arm()
	}
	s.blocked.turn(len(s.blocked.keys) > 0)
}

// enqueue gives w a place at the end of a queue, unless it has one.
func (b *blocked) enqueue(w *waiter, key waitKey) {
	q := b.keys[key]
	if q == nil {
		q = &waitQueue{of: key, key: []byte(key.key)}
		b.keys[key] = q
		b.all[key.keyOfDB]++
	}
	if q.last != nil && q.last.w == w {
		return
	}
	w.seats = append(w.seats, seat{w: w, q: q, prev: q.last})
	p := &w.seats[len(w.seats)-1] // which do not move: there is room for all
	if q.last == nil {
		q.first = p
	} else {
		q.last.next = p
	}
	q.last = p
	if w.wait.OrGone {
		if q.orGone++; q.orGone == 1 {
			b.goneKeys++
		}
	}
}

// leave takes w out of everything that it is in.
func (b *blocked) leave(w *waiter) {
	for i := range w.seats {
		b.leaveQueue(&w.seats[i])
	}
	w.seats = nil
	if _, ok := b.srv.appendLog.acks[w]; ok {
		delete(b.srv.appendLog.acks, w)
		b.srv.appendLog.ackCount.Add(-1)
	}
	if w.at >= 0 {
		heap.Remove(&b.timed, w.at)
	}
	b.turn(len(b.keys) > 0)
}

// leaveQueue takes p out of its queue. Its next stays, for who walks there.
func (b *blocked) leaveQueue(p *seat) {
	q := p.q
	if p.prev == nil {
		q.first = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		q.last = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.q = nil
	if p.w.wait.OrGone {
		if q.orGone--; q.orGone == 0 {
			b.goneKeys--
		}
	}
	if q.first != nil {
		return
	}
	delete(b.keys, q.of)
	if b.all[q.of.keyOfDB]--; b.all[q.of.keyOfDB] == 0 {
		delete(b.all, q.of.keyOfDB)
	}
}

// turn makes the sink hear of effects, or no longer.
func (b *blocked) turn(on bool) {
	if b.on != on {
		b.on = on
		b.srv.held.WantsChanged()
	}
}
