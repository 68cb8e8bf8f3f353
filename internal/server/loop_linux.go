package server

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"coatcheck/engine"
)

// An epoll loop serves many sockets with one goroutine. A round: wait for
// events; read each readable socket once, into the next window of an arena that
// all its sockets share (so that idle clients own no buffers); take the engine's
// lock once and give every socket that brought bytes, or was woken, its turn;
// unlock; write each client's replies with one call. What a socket does not take
// waits for EPOLLOUT, in the client's reply buffer, and stops nobody.
//
// System calls that cannot block are made without telling the scheduler
// (RawSyscall); only the wait for events when nothing is ready is announced.

const (
	arenaSize  = 256 << 10
	windowSize = 32 << 10
	maxEvents  = 256
	// roundClients is how many clients have their turn in a round: their reply
	// buffers should still be in the processor's cache when they are sent.
	roundClients = 64
	// batchTime is how long a round keeps the engine's lock at a time while
	// others may be waiting for it.
	batchTime = time.Millisecond
	// writeTurn is how much one client is sent in a round.
	writeTurn = 256 << 10
)

// What an event's file descriptor is.
const (
	eventSocket = iota
	eventListener
	eventWake
)

type loop struct {
	srv    *Server
	ep     int // the epoll instance
	wakeFD int // an eventfd, to end its wait
	done   chan struct{}

	socks  []*sock // by file descriptor
	arena  []byte
	used   int     // of the arena, by this round
	ready  []*sock // have a turn in this round
	again  []*sock // … in the next round too
	events [maxEvents]syscall.EpollEvent

	netIn, netOut, reads, writes int64 // of this round

	held    []*sock     // whose replies wait for the disk
	awaits  atomic.Bool // the loop will be told when some need not any more
	release func()      // tells it

	accepted []newcomer // by this round
	refused  []newcomer // … with words to send before they are closed
	accepts  []*acceptor
	resting  atomic.Bool // out of file descriptors: accepts are off epoll

	// asleep: the loop waits for events. posted: there is something below.
	asleep, posted atomic.Bool

	// Guarded by the engine's lock.
	woken   []*sock
	awake   int     // of woken, those that had their turn
	joining []*sock // taken in by other loops for this one
	starts  []*acceptor
	drops   []int // listeners that are closed
	tryNow  bool  // to accept again
	stop    bool
	leaving chan struct{} // to be closed when the loop accepts no more
}

// sock is a connection on a loop. All but queued is the loop's own.
type sock struct {
	loop   *loop
	fd     int
	c      *Client
	events uint32 // asked of epoll
	queued bool   // in woken; guarded by the engine's lock

	fresh  bool // not yet known to epoll
	listed bool // in ready or again
	held   bool // its replies wait for the disk
	more   bool // has commands to run without reading
	waits  bool // … but not now: the client waits, as its last turn saw it
	eof    bool // the peer has closed its side
	broken bool // nothing can be read or written any more
}

func newLoop(s *Server) (*loop, error) {
	ep, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	fd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		syscall.Close(ep)
		return nil, fmt.Errorf("eventfd: %w", errno)
	}
	l := &loop{srv: s, ep: ep, wakeFD: int(fd), done: make(chan struct{})}
	l.release = func() {
		l.awaits.Store(false)
		l.post()
	}
	if err := l.watch(l.wakeFD, syscall.EPOLLIN, eventWake); err != nil {
		l.closeFDs()
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return l, nil
}

func (l *loop) closeFDs() {
	syscall.Close(l.ep)
	syscall.Close(l.wakeFD)
}

// watch asks epoll for events of a new file descriptor.
func (l *loop) watch(fd int, events uint32, what int32) error {
	ev := syscall.EpollEvent{Events: events, Fd: int32(fd), Pad: what}
	return syscall.EpollCtl(l.ep, syscall.EPOLL_CTL_ADD, fd, &ev)
}

func (l *loop) run() {
	defer close(l.done)
	for {
		n := l.wait()
		for i := range l.events[:n] {
			l.event(&l.events[i])
			if arenaSize-l.used < windowSize || len(l.ready) >= roundClients {
				l.round()
			}
		}
		if l.round() {
			l.closeFDs()
			return
		}
	}
}

// wait returns the number of events, at once when there is other work.
func (l *loop) wait() int {
	n := epollPoll(l.ep, l.events[:])
	if n > 0 || len(l.again) > 0 || l.posted.Load() {
		return n
	}
	l.asleep.Store(true)
	defer l.asleep.Store(false)
	if l.posted.Load() {
		return 0
	}
	n, err := syscall.EpollWait(l.ep, l.events[:], -1)
	if err != nil {
		return 0 // EINTR
	}
	return n
}

func (l *loop) event(ev *syscall.EpollEvent) {
	switch ev.Pad {
	case eventWake:
		var b [8]byte
		_, _ = rawRead(l.wakeFD, b[:]) // only to empty it
	case eventListener:
		l.acceptSome(int(ev.Fd))
	default:
		if k := l.socks[ev.Fd]; k != nil {
			l.socketEvent(k, ev.Events)
		}
	}
}

func (l *loop) socketEvent(k *sock, events uint32) {
	if events&syscall.EPOLLOUT != 0 {
		l.flush(k)
		if k.needsTurn() {
			l.list(k)
		} else {
			l.ask(k)
		}
	}
	switch reading := k.events&syscall.EPOLLIN != 0; {
	case k.listed: // its turn comes first
	case reading && events&^uint32(syscall.EPOLLOUT) != 0:
		l.read(k)
	case events&(syscall.EPOLLHUP|syscall.EPOLLERR|syscall.EPOLLRDHUP) != 0:
		k.broken = true
		l.list(k)
	}
}

// read reads once; what came is parsed and run in the round.
func (l *loop) read(k *sock) {
	if l.arena == nil {
		l.arena = make([]byte, arenaSize)
	}
	window := l.arena[l.used : l.used+windowSize : l.used+windowSize]
	buf := k.c.in.Buffer(window)
	n, errno := receive(k.fd, buf)
	l.reads++
	switch {
	case n > 0:
		k.c.in.Wrote(n)
		l.netIn += int64(n)
		if &buf[:cap(buf)][cap(buf)-1] == &window[windowSize-1] { // it lies in the window
			l.used = (l.used + windowSize - len(buf) + n + 63) &^ 63
		}
	case n == 0:
		k.eof = true
	case errno == syscall.EAGAIN || errno == syscall.EINTR:
		return
	default:
		k.broken = true
	}
	l.list(k)
}

// list gives k a turn in this round.
func (l *loop) list(k *sock) {
	if !k.listed {
		k.listed = true
		l.ready = append(l.ready, k)
	}
}

// round runs what the ready sockets brought and sends the replies. It says
// whether the loop has ended.
func (l *loop) round() (ended bool) {
	l.ready = append(l.ready, l.again...)
	l.again = l.again[:0]
	if len(l.ready) == 0 && len(l.accepted) == 0 && !l.posted.Load() {
		return false
	}
	ended = l.turns()
	for i, k := range l.ready {
		l.ready[i] = nil
		l.settle(k)
	}
	l.ready = l.ready[:0]
	l.used = 0
	l.letGo()
	l.refuse()
	l.countBytes()
	return ended
}

// turns gives each ready socket its turn under the engine's lock.
func (l *loop) turns() (ended bool) {
	s := l.srv
	h := s.eng.LockSuspended()
	s.begin(h)
	s.logInline(true)
	if len(l.accepted) > 0 {
		l.takeIn()
	}
	if l.posted.Load() {
		ended = l.takePosted()
	}
	began := s.now
	for i, k := range l.ready {
		if i%engine.WarmKeys == 0 {
			l.lookAhead(l.ready[i:])
		}
		if s.now.Sub(began) > batchTime {
			s.logInline(false)
			h.Unlock()
			h = s.eng.LockSuspended()
			s.begin(h)
			s.logInline(true)
			began = s.now
		}
		l.turn(k)
	}
	s.logInline(false)
	h.Unlock()
	s.flushLog()
	return ended
}

// letGo sends what has waited for the disk and need not any more.
func (l *loop) letGo() {
	if len(l.held) == 0 {
		return
	}
	var first int64 // that is still waited for
	kept := l.held[:0]
	for _, k := range l.held {
		if k.c.gone {
			continue
		}
		if !l.srv.acked(k.c.needs) {
			kept = append(kept, k)
			if first == 0 || k.c.needs < first {
				first = k.c.needs
			}
			continue
		}
		k.held = false
		if !k.listed {
			l.flush(k)
			l.ask(k)
			if k.needsTurn() {
				k.listed = true
				l.again = append(l.again, k)
			}
		}
	}
	clear(l.held[len(kept):])
	l.held = kept
	if first > 0 && !l.awaits.Swap(true) {
		l.srv.whenAcked(first, l.release)
	}
}

// lookAhead warms the key of the first command of each of the next sockets, as
// far as they use the same db.
func (l *loop) lookAhead(next []*sock) {
	s := l.srv
	if !s.held.Warms(next[0].c.db) {
		return
	}
	keys := s.keys[:0]
	for _, k := range next[:min(len(next), engine.WarmKeys)] {
		if k.c.db == next[0].c.db {
			keys = k.c.in.Peek(keys, 1)
		}
	}
	s.held.Warm(next[0].c.db, keys)
}

func (l *loop) turn(k *sock) {
	c := k.c
	if k.eof {
		if c.out.Len() > 0 {
			c.closeAfterReply = true
		} else {
			k.broken = true
		}
	}
	if !k.broken && !c.closing {
		k.more = l.srv.turn(c)
	}
	k.waits = c.waits != nil
	if k.broken || c.closing {
		k.broken = true
		l.srv.drop(c)
	}
}

// settle ends a socket's part in a round: its replies are sent, and epoll is
// asked for what it needs next.
func (l *loop) settle(k *sock) {
	k.listed = false
	if k.c.gone {
		l.close(k)
		return
	}
	k.c.in.Release()
	l.flush(k)
	l.ask(k)
	if k.needsTurn() {
		k.listed = true
		l.again = append(l.again, k)
	}
}

// needsTurn says whether k wants the lock without new bytes: to run more, to be
// closed, or to be looked at since it does not read.
func (k *sock) needsTurn() bool {
	return k.more || k.broken || k.c.hungry.Load() && k.c.out.Len() < feedPiece/2 || !k.c.authenticated && k.c.out.Len() > unauthUnread
}

// ask tells epoll what k waits for, when that has changed.
func (l *loop) ask(k *sock) {
	var want uint32
	switch {
	case k.c.closeAfterReply || k.more:
	case k.waits, k.held:
		want = syscall.EPOLLRDHUP
	default:
		want = syscall.EPOLLIN
	}
	if k.c.out.Len() > 0 && !k.held {
		want |= syscall.EPOLLOUT
	}
	if want == k.events && !k.fresh {
		return
	}
	op := syscall.EPOLL_CTL_MOD
	if k.fresh {
		op = syscall.EPOLL_CTL_ADD
	}
	k.events, k.fresh = want, false
	ev := syscall.EpollEvent{Events: want, Fd: int32(k.fd)}
	if err := syscall.EpollCtl(l.ep, op, k.fd, &ev); err != nil {
		l.srv.log.Error("epoll refuses a socket; it is closed", "error", err)
		k.broken = true
	}
}

// flush sends what the socket takes, up to writeTurn bytes.
func (l *loop) flush(k *sock) {
	out := &k.c.out
	if out.Len() > 0 && !l.srv.acked(k.c.needs) {
		if !k.held {
			k.held = true
			l.held = append(l.held, k)
		}
		return
	}
	sent := 0
	for b := out.Head(); b != nil && sent < writeTurn; b = out.Head() {
		n, errno := send(k.fd, b)
		l.writes++
		if n > 0 {
			sent += n
			out.Advance(n)
		}
		if n < len(b) {
			if n < 0 && errno != syscall.EAGAIN && errno != syscall.EINTR {
				k.broken = true
				out.Reset()
			}
			break
		}
	}
	l.netOut += int64(sent)
	if left := int64(out.Len()); left != k.c.unsent.Load() {
		k.c.unsent.Store(left)
	}
	if k.c.closeAfterReply && out.Len() == 0 {
		k.broken = true
	}
}

func (l *loop) close(k *sock) {
	l.socks[k.fd] = nil
	syscall.Close(k.fd) // takes it off epoll too
	k.c.out.Reset()
	if l.resting.Load() {
		l.acceptAgain()
	}
	l.srv.conns.Done()
}

func (l *loop) countBytes() {
	st := &l.srv.Stats
	if l.reads > 0 {
		st.NetIn.Add(l.netIn)
		st.Reads.Add(l.reads)
	}
	if l.writes > 0 {
		st.NetOut.Add(l.netOut)
		st.Writes.Add(l.writes)
	}
	l.netIn, l.netOut, l.reads, l.writes = 0, 0, 0, 0
}

// post makes the loop look at what others left for it under the engine's lock.
func (l *loop) post() {
	if l.posted.Swap(true) {
		return // who did it before has seen to that
	}
	if l.asleep.Load() {
		one := [8]byte{1}
		_, _ = rawWrite(l.wakeFD, one[:]) // full is as good as one more
	}
}

// wake implements waker.
func (k *sock) wake() {
	if !k.queued {
		k.queued = true
		k.loop.woken = append(k.loop.woken, k)
		k.loop.post()
	}
}

// hangUp implements waker.
func (k *sock) hangUp() {
	if err := syscall.Shutdown(k.fd, syscall.SHUT_RDWR); err != nil {
		k.loop.srv.log.Debug("a connection had ended when it was killed", "error", err)
	}
}

// takePosted takes over what others left. It says whether the loop is to end.
func (l *loop) takePosted() (ended bool) {
	l.posted.Store(false)
	l.takeWoken()
	for i, k := range l.joining {
		l.joining[i] = nil
		l.join(k)
	}
	l.joining = l.joining[:0]
	l.takePostedAccepts()
	return l.stop
}

// takeWoken gives those who were woken a turn in this round, not more than a
// round has room for: of ten thousand subscribers, the first have their message
// while the others' buffers are still out of the cache.
func (l *loop) takeWoken() {
	for ; l.awake < len(l.woken) && len(l.ready) < roundClients; l.awake++ {
		k := l.woken[l.awake]
		l.woken[l.awake], k.queued = nil, false
		if !k.c.gone {
			l.list(k)
		}
	}
	if l.awake < len(l.woken) {
		l.posted.Store(true)
		return
	}
	l.woken, l.awake = l.woken[:0], 0
}

// join makes k one of the loop's.
func (l *loop) join(k *sock) {
	if grow := k.fd + 1 - len(l.socks); grow > 0 {
		l.socks = append(l.socks, make([]*sock, grow)...)
	}
	l.socks[k.fd] = k
	l.list(k)
}

// receive and send are read and write for sockets only: the kernel has less to
// find out on the way.
func receive(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0, 0, 0)
	return int(n), errno
}

func send(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), syscall.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

func rawRead(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

func rawWrite(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// epollPoll returns the number of events that are there now.
func epollPoll(ep int, events []syscall.EpollEvent) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}
