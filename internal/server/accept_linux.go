package server

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
)

// Accepting on loops: listeners belong to the first loop, which hands
// connections to all in turn.

// acceptRound is how many connections a listener takes in a row, so that a
// storm of them does not hold up those that are served.
const acceptRound = 16

// acceptor is a listening socket on a loop.
type acceptor struct {
	fd   int
	kind kind
	path string // of a unix socket
}

// newcomer is a connection that was accepted and is nobody's yet.
type newcomer struct {
	fd          int
	kind        kind
	addr, laddr string
	why         string // it is refused
}

// acceptSome accepts what has come on a listener.
func (l *loop) acceptSome(fd int) {
	for _, a := range l.accepts {
		if a.fd != fd {
			continue
		}
		for range acceptRound {
			if !l.acceptOne(a) {
				return
			}
		}
	}
}

func (l *loop) acceptOne(a *acceptor) (more bool) {
	fd, sa, err := syscall.Accept4(a.fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
	switch err {
	case nil:
	case syscall.EAGAIN:
		return false
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		l.rest(err)
		return false
	default: // the peer has gone already
		return true
	}
	n := newcomer{fd: fd, kind: a.kind}
	if a.kind == kindUnix {
		n.addr, n.laddr = a.path+":0", a.path+":0"
	} else {
		n.addr = sockaddrText(sa)
		if local, err := syscall.Getsockname(fd); err == nil {
			n.laddr = sockaddrText(local)
		}
	}
	l.accepted = append(l.accepted, n)
	return true
}

// rest takes the listeners off epoll until a file descriptor is free, so that
// the loop does not spin on connections it cannot accept.
func (l *loop) rest(err error) {
	if l.resting.Load() {
		return
	}
	l.srv.log.Warn("cannot accept connections for now", "error", err)
	l.resting.Store(true)
	for _, a := range l.accepts {
		l.unwatch(a.fd)
	}
}

// acceptAgain ends a rest.
func (l *loop) acceptAgain() {
	l.resting.Store(false)
	for _, a := range l.accepts {
		if err := l.watch(a.fd, syscall.EPOLLIN, eventListener); err != nil {
			l.srv.log.Error("epoll refuses a listener", "error", err)
		}
	}
}

func (l *loop) unwatch(fd int) {
	if err := syscall.EpollCtl(l.ep, syscall.EPOLL_CTL_DEL, fd, &syscall.EpollEvent{}); err != nil {
		l.srv.log.Error("epoll does not let go of a listener", "error", err)
	}
}

// takeIn makes clients of what was accepted. The caller holds the lock.
func (l *loop) takeIn() {
	s := l.srv
	for i, n := range l.accepted {
		l.accepted[i] = newcomer{}
		n.why = s.refusal(n.addr, n.kind)
		if s.closed || n.why != "" {
			l.refused = append(l.refused, n)
			continue
		}
		if n.kind == kindTCP {
			setTCP(n.fd, s.cfg.TCPKeepalive)
		}
		target := s.loops.next()
		k := &sock{loop: target, fd: n.fd, fresh: true}
		k.c = s.newClient(k, n.kind, n.fd, n.addr, n.laddr)
		s.conns.Add(1)
		if target == l {
			l.join(k)
		} else {
			target.joining = append(target.joining, k)
			target.post()
		}
	}
	l.accepted = l.accepted[:0]
}

// refuse tells newcomers why they are not served, as far as their sockets take
// it, and closes them.
func (l *loop) refuse() {
	for i, n := range l.refused {
		l.refused[i] = newcomer{}
		if n.why != "" {
			_, _ = rawWrite(n.fd, []byte(n.why)) // a peer that is gone misses nothing
		}
		syscall.Close(n.fd)
	}
	l.refused = l.refused[:0]
}

// takePostedAccepts begins, resumes or ends accepting, as others asked.
func (l *loop) takePostedAccepts() {
	for _, fd := range l.drops {
		l.accepts = slices.DeleteFunc(l.accepts, func(a *acceptor) bool { return a.fd == fd })
	}
	l.drops = l.drops[:0]
	for _, a := range l.starts {
		l.accepts = append(l.accepts, a)
		if l.resting.Load() {
			continue
		}
		if err := l.watch(a.fd, syscall.EPOLLIN, eventListener); err != nil {
			l.srv.log.Error("epoll refuses a listener", "error", err)
		}
	}
	l.starts = nil
	if l.tryNow && l.resting.Load() {
		l.acceptAgain()
	}
	l.tryNow = false
	if l.leaving != nil {
		if !l.resting.Load() {
			for _, a := range l.accepts {
				l.unwatch(a.fd)
			}
		}
		l.accepts = nil
		l.resting.Store(false)
		close(l.leaving)
		l.leaving = nil
	}
}

// setTCP makes small writes leave at once, and a dead peer noticed.
func setTCP(fd, keepalive int) {
	// None of these can fail in a way that matters: the connection works.
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if keepalive <= 0 {
		return
	}
	_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, keepalive)
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, max(keepalive/3, 1))
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3)
}

func sockaddrText(sa syscall.Sockaddr) string {
	switch a := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)).String()
	case *syscall.SockaddrInet6:
		ip := netip.AddrFrom16(a.Addr)
		if a.ZoneId != 0 {
			ip = ip.WithZone(zoneName(int(a.ZoneId)))
		}
		return netip.AddrPortFrom(ip, uint16(a.Port)).String()
	}
	return "?:0"
}

func zoneName(id int) string {
	if ifc, err := net.InterfaceByIndex(id); err == nil {
		return ifc.Name
	}
	return strconv.Itoa(id)
}
