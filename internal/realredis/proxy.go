package realredis

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy passes connections on to a server, until it is told to cut them. It ends at
// the test's cleanup.
type Proxy struct {
	Addr string // "127.0.0.1:49152"
	Port int

	ln    net.Listener
	to    string
	wg    sync.WaitGroup
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	shut  bool // nobody gets through
	// after is how many bytes of the server's each connection lets through, -1 for all.
	after int64
}

// NewProxy makes a proxy in front of addr.
func NewProxy(t testing.TB, addr string) *Proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: ln.Addr().String(), Port: ln.Addr().(*net.TCPAddr).Port, ln: ln, to: addr, conns: map[net.Conn]struct{}{}, after: -1}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		ln.Close()
		p.Cut()
		p.wg.Wait()
	})
	return p
}

func (p *Proxy) accept() {
	for {
		near, err := p.ln.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			near.Close()
			continue
		}
		p.mu.Lock()
		after, shut := p.after, p.shut
		if !shut {
			p.conns[near], p.conns[far] = struct{}{}, struct{}{}
		}
		p.mu.Unlock()
		if shut {
			near.Close()
			far.Close()
			continue
		}
		p.wg.Go(func() { p.pass(far, near, -1) })
		p.wg.Go(func() { p.pass(near, far, after) })
	}
}

// pass copies what from sends, up to limit bytes, and then closes both.
func (p *Proxy) pass(to, from net.Conn, limit int64) {
	if limit < 0 {
		_, _ = io.Copy(to, from) // a cut connection is what it is for
	} else {
		_, _ = io.CopyN(to, from, limit)
	}
	to.Close()
	from.Close()
	p.mu.Lock()
	delete(p.conns, to)
	delete(p.conns, from)
	p.mu.Unlock()
}

// Cut closes all connections. New ones are passed on.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// Shut closes all connections, and new ones at once while on.
func (p *Proxy) Shut(on bool) {
	p.mu.Lock()
	p.shut = on
	p.mu.Unlock()
	if on {
		p.Cut()
	}
}

// CutAfter has later connections cut when the server has sent n bytes; -1: never.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = n
}
