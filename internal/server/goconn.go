package server

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/engine"
	"coatcheck/resp"
)

// goConn serves a connection with two goroutines: one reads and runs commands,
// the other writes, so that a client that does not read its replies can still
// send. The writer also takes the turns that others ask for by wake, and ends
// the connection. Both end when the connection does; Server.conns counts them.
//
// The parser is the reader's, except while the client waits for something: then
// the reader keeps off it and collects bytes beside, so that it notices when the
// peer hangs up, and the writer's turns may go on with what was parsed.
type goConn struct {
	srv   *Server
	conn  net.Conn
	c     *Client
	woken atomic.Bool
	note  chan struct{} // capacity 1: for the writer to look around
	// reading: the reader has the parser, and the writer must keep off it.
	// Guarded by the engine's lock.
	reading bool

	freed chan struct{} // capacity 1: replies that waited for the disk need not any more

	mu   sync.Mutex // taken under the engine's lock, never around it
	out  resp.Reply // to be written
	last bool       // close when out is written
	dead bool       // close at once
	// needs is the position in the append-only log that has to be acknowledged before
	// out is written.
	needs int64
}

// readSize is how much is read from a connection at a time.
const readSize = 16 << 10

// writePiece is how much is written at a time, so that what is unsent is known.
const writePiece = 16 << 10

// longAgo as a deadline ends reads and writes at once.
var longAgo = time.Unix(1, 0)

// lingering is how long a peer that has closed its side may take to read what
// is left for it.
const lingering = 5 * time.Second

// serveConn makes a client of a connection and serves it until it ends. It says
// false, and closes conn, when the server is closed.
func (s *Server) serveConn(conn net.Conn, k kind) bool {
	g := &goConn{srv: s, conn: conn, note: make(chan struct{}, 1), freed: make(chan struct{}, 1), reading: true}
	h := s.eng.LockSuspended()
	if s.closed {
		h.Unlock()
		conn.Close()
		return false
	}
	refusal := s.refusal(conn.RemoteAddr().String(), k)
	if refusal == "" {
		addr, laddr := conn.RemoteAddr().String(), conn.LocalAddr().String()
		if k == kindUnix {
			laddr += ":0"
			addr = laddr
		}
		g.c = s.newClient(g, k, -1, addr, laddr)
		s.conns.Add(2)
	}
	h.Unlock()
	if refusal != "" {
		s.refuse(conn, refusal)
		return true
	}
	go g.readLoop()
	go g.writeLoop()
	return true
}

// refuse tells a connection why it is not served and closes it. The few bytes
// fit any socket's buffer.
func (s *Server) refuse(conn net.Conn, why string) {
	conn.SetDeadline(engine.SystemClock{}.Now().Add(time.Second))
	if tcp, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = tcp.NetConn() // as Redis: in plain text, before the handshake
	}
	if _, err := io.WriteString(conn, why); err != nil {
		s.log.Debug("a refused connection did not take its reply", "error", err)
	}
	conn.Close()
}

// wake implements waker.
func (g *goConn) wake() {
	if g.c.closing {
		g.conn.SetDeadline(longAgo)
	}
	g.woken.Store(true)
	g.signal()
}

// hangUp implements waker.
func (g *goConn) hangUp() {
	conn := g.conn
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = c.NetConn() // TLS would write first
	}
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		if err := c.CloseWrite(); err != nil {
			g.srv.log.Debug("a connection had ended when it was killed", "error", err)
		}
	}
}

func (g *goConn) signal() {
	select {
	case g.note <- struct{}{}:
	default:
	}
}

func (g *goConn) readLoop() {
	defer g.srv.conns.Done()
	scratch := make([]byte, readSize)
	beside := false
	for {
		g.waitForDisk()
		buf := scratch
		if !beside {
			buf = g.c.in.Buffer(scratch)
		}
		n, err := g.conn.Read(buf)
		if n > 0 {
			var more bool
			if beside, more = g.received(buf[:n], beside); !more {
				return
			}
		}
		if err != nil {
			g.end(errors.Is(err, io.EOF))
			return
		}
	}
}

// waitForDisk returns when the replies so far may be written: who sends without reading
// would put off their time for ever.
func (g *goConn) waitForDisk() {
	for {
		g.mu.Lock()
		held := g.isHeld() && !g.dead
		g.mu.Unlock()
		if !held {
			return
		}
		<-g.freed
	}
}

// isHeld says whether out waits for the disk. The caller holds mu.
func (g *goConn) isHeld() bool { return g.out.Len() > 0 && !g.srv.acked(g.needs) }

func (g *goConn) free() {
	select {
	case g.freed <- struct{}{}:
	default:
	}
	g.signal()
}

// received takes turns for bytes that were read: into the parser's buffer, or
// beside it. It says whether to read beside next, and false when nothing more is
// to be read.
func (g *goConn) received(b []byte, beside bool) (waits, more bool) {
	g.srv.Stats.NetIn.Add(int64(len(b)))
	g.srv.Stats.Reads.Add(1)
	h := g.srv.eng.LockSuspended()
	defer h.Unlock()
	defer func() { g.reading = !waits }()
	g.reading = false
	if !beside {
		g.c.in.Wrote(len(b))
	}
	for beside && len(b) > 0 {
		n := copy(g.c.in.Buffer(make([]byte, len(b))), b)
		g.c.in.Wrote(n)
		g.c.in.Release()
		b = b[n:]
	}
	return g.takeTurns(h)
}

// takeTurns runs what there is to run, letting others in between. It holds the
// lock before and after.
func (g *goConn) takeTurns(h engine.Held) (waits, more bool) {
	for !g.c.gone {
		g.srv.begin(h)
		again := false
		if g.reading {
			g.srv.turnBeside(g.c)
		} else {
			again = g.srv.turn(g.c)
			g.c.in.Release()
		}
		if !g.handOver() || !again {
			break
		}
		h.Unlock()
		g.srv.eng.LockSuspended()
	}
	return g.c.waits != nil, !g.c.closing && !g.c.closeAfterReply
}

// handOver gives the writer what a turn has made. It says whether the
// connection goes on.
func (g *goConn) handOver() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.c.out.Len()
	g.out.AppendReply(&g.c.out)
	g.c.unsent.Add(int64(n))
	g.needs = g.c.needs
	g.dead = g.dead || g.c.closing
	g.last = g.last || g.c.closeAfterReply
	if n > 0 || g.dead || g.last {
		g.signal()
	}
	return !g.dead && !g.last
}

// end makes the writer close the connection, after what is left when the peer
// only closed its side.
func (g *goConn) end(flush bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if flush {
		g.last = true
		g.conn.SetDeadline(engine.SystemClock{}.Now().Add(lingering))
	} else {
		g.dead = true
	}
	g.signal()
}

func (g *goConn) writeLoop() {
	defer g.srv.conns.Done()
	var out resp.Reply
	for range g.note {
		if g.woken.Swap(false) {
			h := g.srv.eng.LockSuspended()
			g.takeTurns(h)
			h.Unlock()
		}
		g.mu.Lock()
		held, needs := g.isHeld(), g.needs
		if !held {
			out.AppendReply(&g.out)
		}
		dead, last := g.dead, g.last
		g.mu.Unlock()
		if held && !dead {
			g.srv.whenAcked(needs, g.free)
			continue
		}
		if dead || !g.writeAll(&out) || last {
			break
		}
		if g.c.hungry.Load() {
			g.wake()
		}
	}
	h := g.srv.eng.LockSuspended()
	g.srv.drop(g.c)
	h.Unlock()
	g.conn.Close()
	out.Reset()
	g.mu.Lock()
	g.dead = true
	g.mu.Unlock()
	g.free()
}

func (g *goConn) writeAll(out *resp.Reply) bool {
	for b := out.Head(); b != nil; b = out.Head() {
		n, err := g.conn.Write(b[:min(len(b), writePiece)])
		out.Advance(n)
		g.c.unsent.Add(-int64(n))
		g.srv.Stats.NetOut.Add(int64(n))
		g.srv.Stats.Writes.Add(1)
		if err != nil {
			return false
		}
	}
	return true
}
