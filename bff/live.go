package bff

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// live knows the responses and connections that go on for long, and ends them
// when their session ends. It hears of that from this Manager's own doings, from
// the store's events where it has any, and from looking at the session when its
// deadline comes, and every now and then.
type live struct {
	m *Manager

	mu       sync.Mutex
	streams  map[string]map[*stream]struct{} // by id
	moving   map[string]int                  // ids that this Manager is renaming
	unfollow context.CancelFunc              // nil while no events are followed
}

// stream is one of them.
type stream struct {
	l    *live
	sid  string
	conn net.Conn // hijacked; nil for a response
	stop func(cause error)

	timer func() // stops it
	over  bool
}

func newLive(m *Manager) *live {
	return &live{m: m, streams: map[string]map[*stream]struct{}{}, moving: map[string]int{}}
}

// join begins to watch over a response of a session; one that never asked for a
// session, or has none, is left alone. stop is called once when the session ends,
// unless leave is before.
func (l *live) join(s *Session, conn net.Conn, stop func(cause error)) *stream {
	s.mu.Lock()
	if s.base == nil {
		s.mu.Unlock()
		return &stream{l: l, conn: conn}
	}
	st := &stream{l: l, sid: s.sid, conn: conn, stop: stop}
	left := s.left()
	s.mu.Unlock()

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams[st.sid] == nil {
		l.streams[st.sid] = map[*stream]struct{}{}
	}
	l.streams[st.sid][st] = struct{}{}
	st.arm(left)
	if w, ok := l.m.Store.(Watcher); ok && l.unfollow == nil {
		var ctx context.Context
		ctx, l.unfollow = context.WithCancel(context.Background())
		go l.follow(ctx, w)
	}
	return st
}

// left is how long the session lives if it is not used; 0: no end.
func (s *Session) left() time.Duration {
	now, end := s.m.clock.Now(), s.until
	if ends := fromMillis(s.meta.Ends); end.IsZero() || !ends.IsZero() && ends.Before(end) {
		end = ends
	}
	if end.IsZero() {
		return 0
	}
	return max(end.Sub(now), 0)
}

// arm has the session looked at when it is due, or earlier: a store that tells no
// events has to be asked, and one that does may lose some.
func (st *stream) arm(left time.Duration) {
	if st.timer != nil {
		st.timer()
	}
	wait := st.l.m.RecheckEvery
	if _, tells := st.l.m.Store.(Watcher); tells {
		wait *= 12
	}
	if left > 0 {
		wait = min(wait, left+time.Millisecond)
	}
	st.timer = st.l.m.clock.AfterFunc(wait, st.look)
}

// look asks the store whether the session lives.
func (st *stream) look() {
	l := st.l
	l.mu.Lock()
	sid, over := st.sid, st.over
	if l.moving[sid] > 0 { // there may be nothing under the id just now
		st.arm(0)
		over = true
	}
	l.mu.Unlock()
	if over {
		return
	}
	s := &Session{m: l.m, ctx: context.Background(), sid: sid}
	err := s.read(s.ctx)
	switch {
	case errors.Is(err, ErrExpired):
		return // read has ended it
	case errors.Is(err, ErrNoSession) || err == nil && s.meta.To != nil:
		l.end(sid, ReasonIdle)
		return
	}
	left := time.Duration(0)
	if err == nil {
		left = s.left()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !st.over {
		st.arm(left)
	}
}

// leave ends the watch, since the response has ended by itself.
func (st *stream) leave() {
	l := st.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if st.over || st.stop == nil {
		return
	}
	st.over = true
	st.timer()
	delete(l.streams[st.sid], st)
	if len(l.streams[st.sid]) == 0 {
		delete(l.streams, st.sid)
	}
	l.settle()
}

// settle stops following events when there is nobody to tell.
func (l *live) settle() {
	if len(l.streams) == 0 && l.unfollow != nil {
		l.unfollow()
		l.unfollow = nil
	}
}

func (st *stream) isOver() bool {
	st.l.mu.Lock()
	defer st.l.mu.Unlock()
	return st.over
}

// end ends the streams of a session.
func (l *live) end(sid string, why Reason) {
	cause := ErrRevoked
	if why == ReasonIdle || why == ReasonLifetime {
		cause = ErrExpired
	}
	l.mu.Lock()
	streams := l.streams[sid]
	delete(l.streams, sid)
	for st := range streams {
		st.over = true
		st.timer()
	}
	l.settle()
	l.mu.Unlock()
	for st := range streams {
		st.stop(cause)
		if st.conn != nil {
			st.conn.Close()
		}
	}
}

// endAll ends all streams.
func (l *live) endAll(why Reason) {
	for _, sid := range l.ids() {
		l.end(sid, why)
	}
}

func (l *live) ids() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for sid := range l.streams {
		ids = append(ids, sid)
	}
	return ids
}

// renaming says that this Manager is about to rename a session, or has done so: the
// store's event of that ends no streams.
func (l *live) renaming(sid string, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if on {
		l.moving[sid]++
	} else if l.moving[sid]--; l.moving[sid] == 0 {
		delete(l.moving, sid)
	}
}

// renamed has the streams of a session go on under its new id.
func (l *live) renamed(sid, to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	streams := l.streams[sid]
	if streams == nil {
		return
	}
	delete(l.streams, sid)
	for st := range streams {
		st.sid = to
	}
	l.streams[to] = streams
}

// follow hears the store's events until ctx ends.
func (l *live) follow(ctx context.Context, w Watcher) {
	for ctx.Err() == nil {
		events := w.Watch(ctx, l.m.Prefix, FromNow)
		l.lookAtAll() // for what happened before
		for e, err := range events {
			switch {
			case errors.Is(err, ErrGap):
				l.lookAtAll()
			case err != nil: // the last
			default:
				l.hear(e)
			}
		}
		again := make(chan struct{})
		stop := l.m.clock.AfterFunc(l.m.RecheckEvery, func() { close(again) })
		select {
		case <-again:
		case <-ctx.Done():
			stop()
		}
	}
}

func (l *live) hear(e StoreEvent) {
	switch sid := l.m.id(e.Key); {
	case !e.Type.Ended():
	case e.Key == "":
		l.endAll(e.Reason)
	default:
		l.mu.Lock()
		ours := e.Type == EventRenewed && l.moving[sid] > 0
		l.mu.Unlock()
		if !ours {
			l.end(sid, e.Reason)
		}
	}
}

// lookAtAll looks at each session that has streams.
func (l *live) lookAtAll() {
	l.mu.Lock()
	var some []*stream
	for _, streams := range l.streams {
		for st := range streams {
			some = append(some, st)
			break
		}
	}
	for _, st := range some {
		st.timer()
	}
	l.mu.Unlock()
	for _, st := range some {
		st.look()
	}
}
