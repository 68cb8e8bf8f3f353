package server

import (
	"container/heap"
	"slices"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// endOfBatch serves what became ready without a command of a client.
func (b *blocked) endOfBatch(h engine.Held) {
	if len(b.ready) > 0 && !b.srv.closed {
		b.srv.begin(h)
		b.srv.serveReady()
	}
}

// serveReady serves the keys that became ready, and those that this makes ready.
// It must not be called within a unit.
func (s *Server) serveReady() {
	b := s.blocked
	if b.serves {
		return
	}
	b.serves = true
	for i := 0; i < len(b.ready); i++ {
		q := b.ready[i].q
		b.ready[i].q = nil
		q.ready = false
		s.serveQueue(q)
	}
	b.ready = b.ready[:0]
	b.serves = false
}

// serveQueue runs the commands of a queue again as long as there is something
// for them. Whoever queues up meanwhile is not asked.
func (s *Server) serveQueue(q *waitQueue) {
	last := q.last
	var inVain []string                      // the Alikes that found nothing
	for p := q.first; p != nil; p = p.next { // which stays when p leaves
		here, wait := s.holds(q), p.w.wait
		if !here && q.orGone == 0 {
			return
		}
		asked := here || wait.OrGone
		if wait.Alike != "" && slices.Contains(inVain, wait.Alike) {
			asked = false
		}
		if asked && !s.tryAgain(p.w) && wait.Alike != "" {
			inVain = append(inVain, wait.Alike)
		}
		if p == last {
			return
		}
	}
}

// holds says whether the key of q holds a value of its type.
func (s *Server) holds(q *waitQueue) bool {
	tx := s.held.BeginAt(q.of.db, engine.UnixMilli(s.now.UnixMilli()))
	defer tx.End()
	return tx.Holds(q.key, q.of.typ)
}

// tryAgain runs the command of a waiter again, and says whether that ended the
// wait.
func (s *Server) tryAgain(w *waiter) (done bool) {
	c := w.c
	if c.closing {
		return false
	}
	out, running := &s.blocked.reply, s.running
	out.Proto = c.proto
	c.again, c.waits, s.running = w, nil, c
	s.admit(c, w.argv, out)
	c.again, s.running = nil, running
	if c.waits == &w.waiting {
		return false
	}
	s.blocked.leave(w)
	s.answered(c, out)
	return true
}

// answered sends the reply of a command that has waited.
func (s *Server) answered(c *Client, out *resp.Reply) {
	c.pushed.AppendReply(out)
	s.checkOutput(c)
	c.wake()
}

// endWaitWith ends the wait of w with a reply that its command does not give.
func (s *Server) endWaitWith(w *waiter, reply func(out *resp.Reply)) {
	c := w.c
	out := &s.blocked.reply
	out.Proto = c.proto
	s.blocked.leave(w)
	c.waits = nil
	reply(out)
	c.muteReply(out, 0)
	c.again = w
	s.finish(c, w.cmd, w.argv, w.began, w.spent)
	c.again = nil
	s.answered(c, out)
}

// unblock ends a wait as its timeout would, or with an error.
func (s *Server) unblock(w *waiter, withError bool) {
	if !withError {
		s.endWaitWith(w, w.wait.OnTimeout)
		return
	}
	w.cmd.Stats.Failed++
	s.endWaitWith(w, func(out *resp.Reply) { s.replyError(out, errs.Unblocked) })
}

// deadlines is a heap of waiters, the first deadline on top; of the same one, the
// older client.
type deadlines []*waiter

func (d deadlines) Len() int { return len(d) }

func (d deadlines) Less(i, j int) bool {
	if d[i].deadline != d[j].deadline {
		return d[i].deadline < d[j].deadline
	}
	return d[i].c.id < d[j].c.id
}

func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].at, d[j].at = i, j
}

// Push implements heap.Interface.
func (d *deadlines) Push(x any) {
	w := x.(*waiter)
	w.at = len(*d)
	*d = append(*d, w)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	w := (*d)[last]
	(*d)[last], w.at = nil, -1
	*d = (*d)[:last]
	return w
}

// arm sets the timer for the first deadline, unless it goes off before.
func (b *blocked) arm() {
	if len(b.timed) == 0 {
		return
	}
	first := b.timed[0].deadline
	if b.armed != 0 && b.armed <= first {
		return
	}
	b.disarm()
	b.armed = first
	b.stop = b.srv.clock.AfterFunc(max(first.Time().Sub(b.srv.clock.Now()), 0), b.due)
}

func (b *blocked) disarm() {
	if b.stop != nil {
		b.stop()
	}
	b.stop, b.armed = nil, 0
}

// due runs when the timer goes off.
func (b *blocked) due() {
	s := b.srv
	h := s.eng.Lock()
	defer h.Unlock()
	if s.closed {
		return
	}
	s.begin(h)
	b.stop, b.armed = nil, 0
	now := engine.UnixMilli(s.now.UnixMilli())
	for len(b.timed) > 0 && b.timed[0].deadline <= now {
		w := heap.Pop(&b.timed).(*waiter)
		s.unblock(w, false)
	}
	b.arm()
}
