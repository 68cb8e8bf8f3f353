package server

import (
	"cmp"
	"container/heap"
)

// clientMemory is maxmemory-clients: what all clients hold together, and that the
// largest are closed when it is too much (Redis server.c, clientEviction). While
// there is no limit nobody is weighed.
//
// A client is weighed at the end of its turns and by the housekeeping. What others
// hold may have become less since, so nobody is closed before all are weighed
// again.
type clientMemory struct {
	limit int64 // 0: none
	total int64 // of all clients, as they were weighed
	// stuck: nobody is left that may be closed. Until the next tick of the
	// housekeeping it is of no use to look again.
	stuck bool
}

// leastClientMemory is the smallest limit in force: with less nobody could
// connect to set another.
const leastClientMemory = 128 << 10

// clientMemoryChanged takes over maxmemory-clients, and a maxmemory that it is a
// part of.
func (s *Server) clientMemoryChanged() {
	s.clientMemory = clientMemory{}
	if limit := s.cfg.ClientMemory(); limit > 0 {
		s.clientMemory.limit = max(limit, leastClientMemory)
	}
	for c := range s.clients.all() {
		c.weighed = 0
		s.weigh(c)
	}
}

// memory is what the client holds, in bytes: buffers, and what it has queued,
// watches, subscribed to or waits for.
func (c *Client) memory() int64 {
	n := clientSize + c.qcap + c.multi.memory() + c.watchedMem + c.subs.Memory() + c.waits.memory() +
		len(c.name) + len(c.libName) + len(c.libVer)
	if c.tracking != nil {
		n += c.tracking.prefixMem
	}
	return int64(n) + int64(c.pushed.Memory()) + c.unsent.Load() + c.replied
}

// memory is the size of the command that waits.
func (w *waiting) memory() int {
	if w == nil {
		return 0
	}
	if w.argvMem == 0 {
		w.argvMem = argvSize(w.argv)
	}
	return w.argvMem
}

// argvSize is about what a copy of argv takes.
func argvSize(argv [][]byte) int {
	const perArg = 24
	n := perArg * len(argv)
	for _, a := range argv {
		n += len(a)
	}
	return n
}

// weigh brings the total up to date with one client.
func (s *Server) weigh(c *Client) {
	if s.clientMemory.limit == 0 || c.closing || c.isReplica() {
		return
	}
	n := c.memory()
	s.clientMemory.total += n - c.weighed
	c.weighed = n
}

// unweigh takes a client that goes out of the total.
func (s *Server) unweigh(c *Client) {
	s.clientMemory.total -= c.weighed
	c.weighed = 0
}

// checkClientMemory weighs the client whose turn ends, and closes the largest
// clients while all together hold more than they may.
func (s *Server) checkClientMemory(c *Client) {
	m := &s.clientMemory
	if m.limit == 0 {
		return
	}
	if s.weigh(c); m.total > m.limit && !m.stuck {
		s.evictClients()
	}
}

// weighAll is part of the housekeeping.
func (s *Server) weighAll() {
	m := &s.clientMemory
	if m.limit == 0 {
		return
	}
	m.stuck = false
	for c := range s.clients.all() {
		s.weigh(c)
	}
	if m.total > m.limit {
		s.evictClients()
	}
}

// evictClients closes clients, the largest first, until the others hold no more
// than they may. O(N) in the clients, and O(log N) for each that is closed.
func (s *Server) evictClients() {
	m := &s.clientMemory
	var all heaviest
	for c := range s.clients.all() {
		if s.weigh(c); !c.noEvict && !c.closing && !c.isReplica() {
			all = append(all, c)
		}
	}
	heap.Init(&all)
	for m.total > m.limit {
		if len(all) == 0 {
			m.stuck = true
			return
		}
		c := heap.Pop(&all).(*Client)
		s.Stats.EvictedClients++
		s.log.Warn("evicting a client: together they hold more than maxmemory-clients", "client", s.clientLine(c))
		s.unweigh(c)
		c.kill()
	}
}

// heaviest is a heap of clients, the largest on top, of equals the oldest.
type heaviest []*Client

// Len implements heap.Interface.
func (h heaviest) Len() int { return len(h) }

// Less implements heap.Interface.
func (h heaviest) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[j].weighed, h[i].weighed), cmp.Compare(h[i].id, h[j].id)) < 0
}

// Swap implements heap.Interface.
func (h heaviest) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *heaviest) Push(c any) { *h = append(*h, c.(*Client)) }

// Pop implements heap.Interface.
func (h *heaviest) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}
