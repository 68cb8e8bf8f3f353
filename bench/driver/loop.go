//go:build linux

package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"time"
	"unsafe"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// A loop is one thread with its connections in one epoll set. It shares the
// machine with the server it measures, so it does little: commands are appended
// from prepared bytes, each connection is written with one call, and replies are
// counted, not kept.
type loop struct {
	epoll  int
	conns  []*conn
	events []unix.EpollEvent
	buf    []byte // what any connection reads into
	// timeout is here, not on a stack, as the kernel gets its address.
	timeout unix.Timespec
}

// conn is a connection. Its fields below in are those of the running load.
type conn struct {
	fd     int
	in     replies
	out    []byte // bytes not yet taken by the socket
	armed  bool   // waits for the socket to become writable
	source Source
	dry    bool    // the source has no more
	flight int     // commands sent and not yet answered
	batch  int     // closed loop: commands of the batch
	sentAt int64   // closed loop: when the batch was sent
	due    []int64 // open loop: when each command in flight was due
}

func newLoop() (*loop, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return &loop{epoll: fd, events: make([]unix.EpollEvent, 512), buf: make([]byte, 1<<18)}, nil
}

func sockaddr(addr string) (unix.Sockaddr, error) {
	network, address, err := splitAddr(addr)
	if err != nil {
		return nil, err
	}
	if network == "unix" {
		return &unix.SockaddrUnix{Name: address}, nil
	}
	tcp, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return nil, err
	}
	return &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(tcp.IP.To4())}, nil
}

func (l *loop) connect(sa unix.Sockaddr) error {
	family := unix.AF_INET
	if _, ok := sa.(*unix.SockaddrUnix); ok {
		family = unix.AF_UNIX
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	l.conns = append(l.conns, &conn{fd: fd})
	if err := unix.Connect(fd, sa); err != nil {
		return err
	}
	if family == unix.AF_INET {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
			return err
		}
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(l.conns) - 1)}
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &ev)
}

func (l *loop) close() {
	for _, c := range l.conns {
		unix.Close(c.fd) //nolint:errcheck // the load is over
	}
	unix.Close(l.epoll) //nolint:errcheck // the load is over
}

// loopRun is one load on one loop. Times are nanoseconds since start.
type loopRun struct {
	ctx     context.Context
	loop    *loop
	load    Load
	start   time.Time
	latency *hdrhistogram.Histogram
	lag     *hdrhistogram.Histogram
	chance  rng
	next    int64 // open loop: when the next command is due
	touched []*conn

	sent, answered int
	last           int64 // when the last reply came
	err            error
}

func newLoopRun(ctx context.Context, l *loop, load Load, start time.Time) loopRun {
	return loopRun{
		ctx: ctx, loop: l, load: load, start: start,
		latency: newHistogram(), lag: newHistogram(), chance: rng{uint64(l.epoll)},
	}
}

func (r *loopRun) now() int64 { return int64(time.Since(r.start)) }

func (r *loopRun) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, c := range r.loop.conns {
		c.dry, c.flight, c.due = false, 0, c.due[:0]
	}
	if r.load.Rate > 0 {
		r.err = r.runOpen()
	} else {
		r.err = r.runClosed()
	}
}

func (r *loopRun) runClosed() error {
	for _, c := range r.loop.conns {
		if err := r.sendBatch(c); err != nil {
			return err
		}
	}
	for r.sent > r.answered {
		n, err := r.wait(100 * time.Millisecond)
		if err != nil {
			return err
		}
		for _, ev := range r.loop.events[:n] {
			c := r.loop.conns[ev.Fd]
			if err := r.receive(c); err != nil {
				return err
			}
			if c.flight > 0 {
				continue
			}
			if err := r.sendBatch(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// sendBatch sends the next batch on a connection that waits for nothing.
func (r *loopRun) sendBatch(c *conn) error {
	now := r.now()
	if c.dry || r.isOver(now) {
		return nil
	}
	for c.batch = 0; c.batch < r.load.Depth; c.batch++ {
		if c.out, c.dry = r.take(c); c.dry {
			break
		}
	}
	c.flight, c.sentAt = c.batch, now
	r.sent += c.batch
	return r.flush(c)
}

// take appends the connection's next command to what it has to send.
func (r *loopRun) take(c *conn) (out []byte, dry bool) {
	out, ok := c.source(c.out)
	return out, !ok
}

func (r *loopRun) isOver(now int64) bool {
	return r.ctx.Err() != nil ||
		r.load.Duration > 0 && now >= int64(r.load.Duration) ||
		r.load.Ops > 0 && r.sent >= r.load.Ops
}

func (r *loopRun) runOpen() error {
	// Wake up when a command is due, not up to 50 µs later.
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set timer slack: %w", err)
	}
	r.gap()
	for {
		now := r.now()
		over := r.isOver(now)
		if over && r.sent == r.answered {
			return nil
		}
		if !over {
			if err := r.sendDue(now); err != nil {
				return err
			}
		}
		timeout := 100 * time.Millisecond
		if !over {
			timeout = time.Duration(max(r.next-r.now(), 0))
		}
		n, err := r.wait(timeout)
		if err != nil {
			return err
		}
		for _, ev := range r.loop.events[:n] {
			if err := r.receive(r.loop.conns[ev.Fd]); err != nil {
				return err
			}
		}
	}
}

// gap moves on to the moment the next command is due.
func (r *loopRun) gap() {
	u := float64(r.chance.next()>>11+1) / (1 << 53)
	r.next += int64(-math.Log(u) / r.load.Rate * 1e9)
}

// sendDue sends every command that is due, each on a connection of chance.
func (r *loopRun) sendDue(now int64) error {
	for ; r.next <= now && (r.load.Ops == 0 || r.sent < r.load.Ops); r.gap() {
		c := r.loop.conns[r.chance.below(uint64(len(r.loop.conns)))]
		if len(c.out) == 0 {
			r.touched = append(r.touched, c)
		}
		var dry bool
		if c.out, dry = r.take(c); dry {
			return errors.New("driver: an open loop needs a source without end")
		}
		c.due = append(c.due, r.next)
		c.flight++
		r.sent++
		r.record(r.lag, now-r.next)
	}
	for _, c := range r.touched {
		if err := r.flush(c); err != nil {
			return err
		}
	}
	r.touched = r.touched[:0]
	return nil
}

// flush writes what the connection has to send, as far as the socket takes it.
func (r *loopRun) flush(c *conn) error {
	for len(c.out) > 0 {
		n, errno := rawIO(unix.SYS_WRITE, c.fd, c.out)
		if errno == unix.EAGAIN {
			return r.arm(c, true)
		}
		if errno != 0 {
			return fmt.Errorf("write: %w", errno)
		}
		c.out = c.out[:copy(c.out, c.out[n:])]
	}
	if c.armed {
		return r.arm(c, false)
	}
	return nil
}

// arm says whether to wait for the socket to become writable too.
func (r *loopRun) arm(c *conn, on bool) error {
	if c.armed == on {
		return nil
	}
	c.armed = on
	for i, other := range r.loop.conns {
		if other != c {
			continue
		}
		ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if on {
			ev.Events |= unix.EPOLLOUT
		}
		return unix.EpollCtl(r.loop.epoll, unix.EPOLL_CTL_MOD, c.fd, &ev)
	}
	return nil
}

// receive reads what has come for the connection and records what it answers.
func (r *loopRun) receive(c *conn) error {
	if c.armed {
		if err := r.flush(c); err != nil {
			return err
		}
	}
	for {
		n, errno := rawIO(unix.SYS_READ, c.fd, r.loop.buf)
		if errno == unix.EAGAIN {
			return nil
		}
		if errno != 0 {
			return fmt.Errorf("read: %w", errno)
		}
		if n == 0 {
			return fmt.Errorf("read: %w", io.ErrUnexpectedEOF)
		}
		whole, err := c.in.feed(r.loop.buf[:n])
		if err != nil {
			return err
		}
		if whole > c.flight {
			return fmt.Errorf("%w: %d more than that", errReply, whole-c.flight)
		}
		r.answer(c, whole)
		if n < len(r.loop.buf) {
			return nil
		}
	}
}

// answer records that whole replies have come for the connection.
func (r *loopRun) answer(c *conn, whole int) {
	if whole == 0 {
		return
	}
	c.flight -= whole
	r.answered += whole
	r.last = r.now()
	if r.load.Rate > 0 {
		for _, due := range c.due[:whole] {
			r.record(r.latency, r.last-due)
		}
		c.due = c.due[:copy(c.due, c.due[whole:])]
		return
	}
	if c.flight == 0 {
		took := min(max(r.last-c.sentAt, 1), r.latency.HighestTrackableValue())
		r.latency.RecordValues(took, int64(c.batch)) //nolint:errcheck // in range by the line above
	}
}

func (r *loopRun) record(h *hdrhistogram.Histogram, nanos int64) {
	h.RecordValue(min(max(nanos, 1), h.HighestTrackableValue())) //nolint:errcheck // in range by min and max
}

// wait waits for events, first without giving up the thread's P: under load
// something is nearly always ready. It fails when nothing was answered for too
// long.
func (r *loopRun) wait(timeout time.Duration) (n int, err error) {
	l := r.loop
	events, room := uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events))
	got, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epoll), events, room, 0, 0, 0)
	if got == 0 && errno == 0 && timeout > 0 {
		l.timeout = unix.NsecToTimespec(int64(timeout))
		got, _, errno = unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(l.epoll), events, room,
			uintptr(unsafe.Pointer(&l.timeout)), 0, 0)
	}
	if errno == unix.EINTR {
		return 0, nil
	}
	if errno != 0 {
		return 0, fmt.Errorf("epoll_pwait2 (Linux has it since 5.11): %w", errno)
	}
	if got == 0 && r.sent > r.answered && r.now()-r.last > int64(Timeout+r.load.Duration) {
		return 0, fmt.Errorf("driver: %d commands had no reply within %v", r.sent-r.answered, Timeout)
	}
	return int(got), nil
}

// rawIO reads or writes a socket that never blocks.
func rawIO(trap uintptr, fd int, b []byte) (int, unix.Errno) {
	for {
		n, _, errno := unix.RawSyscall(trap, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}
