package server

import (
	"io"
	"net"
	"os"
	"sync"
	"time"

	"coatcheck/engine"
)

// newPipe makes the two ends of a connection in memory, each buffered, with
// deadlines. Closing one end is the end of file for the other, after what was
// written before.
func newPipe() (near, far net.Conn) {
	a, b := newPipeHalf(), newPipeHalf()
	return &pipeConn{r: a, w: b}, &pipeConn{r: b, w: a}
}

// pipeRoom is how much a writer is ahead of the reader at most.
const pipeRoom = 64 << 10

// pipeHalf carries bytes in one direction.
type pipeHalf struct {
	mu     sync.Mutex
	moved  sync.Cond // something below has changed
	buf    []byte
	off    int // of buf, what has been read
	closed bool
	read   deadline
	write  deadline
}

func newPipeHalf() *pipeHalf {
	p := new(pipeHalf)
	p.moved.L = &p.mu
	return p
}

// deadline is passed once at has passed by the machine's clock.
type deadline struct {
	passed bool
	stop   func()
}

// set arms the deadline d of p; the zero time disarms it.
func (p *pipeHalf) set(d *deadline, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.stop != nil {
		d.stop()
	}
	*d = deadline{}
	if at.IsZero() || p.closed {
		return
	}
	left := at.Sub(engine.SystemClock{}.Now())
	if left <= 0 {
		d.passed = true
		p.moved.Broadcast()
		return
	}
	armed := true
	stop := engine.SystemClock{}.AfterFunc(left, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if armed {
			d.passed = true
			p.moved.Broadcast()
		}
	})
	d.stop = func() { armed = false; stop() }
}

func (p *pipeHalf) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, d := range []*deadline{&p.read, &p.write} {
		if d.stop != nil {
			d.stop()
		}
	}
	p.moved.Broadcast()
}

// pipeConn is one end of a pipe.
type pipeConn struct {
	r, w   *pipeHalf
	mu     sync.Mutex
	closed bool
}

func (c *pipeConn) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Read implements net.Conn.
func (c *pipeConn) Read(b []byte) (int, error) {
	p := c.r
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case c.isClosed():
			return 0, net.ErrClosed
		case p.read.passed:
			return 0, os.ErrDeadlineExceeded
		case p.off < len(p.buf):
			n := copy(b, p.buf[p.off:])
			if p.off += n; p.off == len(p.buf) {
				p.buf, p.off = p.buf[:0], 0
			}
			p.moved.Broadcast()
			return n, nil
		case p.closed:
			return 0, io.EOF
		case len(b) == 0:
			return 0, nil
		}
		p.moved.Wait()
	}
}

// Write implements net.Conn.
func (c *pipeConn) Write(b []byte) (n int, err error) {
	p := c.w
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch room := pipeRoom - (len(p.buf) - p.off); {
		case c.isClosed():
			return n, net.ErrClosed
		case p.closed:
			return n, io.ErrClosedPipe
		case p.write.passed:
			return n, os.ErrDeadlineExceeded
		case len(b) == 0:
			return n, nil
		case room > 0:
			m := min(room, len(b))
			if p.off > 0 && len(p.buf)+m > cap(p.buf) {
				p.buf = p.buf[:copy(p.buf, p.buf[p.off:])]
				p.off = 0
			}
			p.buf = append(p.buf, b[:m]...)
			n, b = n+m, b[m:]
			p.moved.Broadcast()
		default:
			p.moved.Wait()
		}
	}
}

// CloseWrite lets the other end read what was written and then the end of file.
func (c *pipeConn) CloseWrite() error {
	c.w.close()
	return nil
}

// Close implements net.Conn.
func (c *pipeConn) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.r.close()
	c.w.close()
	return nil
}

// LocalAddr implements net.Conn.
func (c *pipeConn) LocalAddr() net.Addr { return pipeAddr{} }

// RemoteAddr implements net.Conn.
func (c *pipeConn) RemoteAddr() net.Addr { return pipeAddr{} }

// SetDeadline implements net.Conn.
func (c *pipeConn) SetDeadline(t time.Time) error {
	c.r.set(&c.r.read, t)
	c.w.set(&c.w.write, t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.r.set(&c.r.read, t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.w.set(&c.w.write, t)
	return nil
}

type pipeAddr struct{}

// Network implements net.Addr.
func (pipeAddr) Network() string { return "pipe" }

// String implements net.Addr.
func (pipeAddr) String() string { return "pipe:0" }
