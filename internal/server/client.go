package server

import (
	"strconv"
	"sync/atomic"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/internal/pubsub"
	"coatcheck/resp"
)

// kind is what a connection came over.
type kind uint8

const (
	kindTCP kind = iota
	kindTLS
	kindUnix
	kindPipe
)

// waker is a transport's side of a connection as the client sees it.
type waker interface {
	// wake makes the transport take a turn for the client soon. It is called
	// under the engine's lock and must not block.
	wake()
	// hangUp lets the peer see the end of the connection at once, ahead of the
	// turn that closes it. It is called under the engine's lock, for a client
	// that is not closing yet, and must not block.
	hangUp()
}

// Client is the state of one connection, guarded by the engine's lock. Its
// transport owns the socket, the parser (in) and what has been taken out of the
// reply buffer; it touches the rest only in turns.
type Client struct {
	srv        *Server
	id         int64
	prev, next *Client // in the registry
	conn       waker
	fd         int // -1 without one
	kind       kind
	addr       string // peer: "127.0.0.1:1234", "/path:0", "pipe:7"
	laddr      string

	in  resp.Parser
	out resp.Reply // the reply buffer: the transport's between turns

	// pushed is what others have said to the client (MONITOR lines, messages),
	// moved in front of its next reply by its own transport.
	pushed resp.Reply
	// unsent is how many bytes the transport holds that the socket has not
	// taken yet. Set by the transport, at any time.
	unsent atomic.Int64
	// wrote is the position in the append-only log behind what the client's commands
	// have logged. needs is the same as of the last turn, the transport's own: what is
	// in out may not be sent before that is acknowledged.
	wrote, needs int64
	// replied is how many bytes of reply the running turn has made.
	replied int64

	proto           int // 2 or 3
	db              int
	authenticated   bool
	user            *acl.User
	name            string
	libName, libVer string
	created         time.Time
	active          time.Time // last command or byte
	oversoftSince   time.Time // zero while under the soft output limit
	lastCmd         *Cmd

	subs            pubsub.Subscriber[*Client]
	tracking        *trackingClient // nil: it does not track
	monitor         bool
	multi           *transaction       // nil: commands are not queued
	watched         map[keyOfDB]*watch // until one has changed
	watchedMem      int                // of watched, in bytes
	watchedChanged  bool
	noEvict         bool
	noTouch         bool
	replyOff        bool // CLIENT REPLY OFF
	replySkip       bool // drop the reply of the command that runs
	replySkipNext   bool // … and of the next one
	closing         bool // close at once
	closeAfterReply bool // close when everything is sent
	gone            bool // dropped from the registry

	replica *replica // what it told by REPLCONF, and how far it follows us; nil: nothing
	// hungry: there is more to feed to the replica than its reply has room for. Set in
	// turns, read by the transport.
	hungry atomic.Bool
	// wroteAt is the offset of the stream for replicas behind its last command.
	wroteAt int64

	waits *waiting // why later commands wait, or nil
	again *waiter  // while its command runs again, or nil

	argv [][]byte // of the command that runs
	// qbuf and qcap are what the parser held after the last turn: bytes that
	// wait, and its memory.
	qbuf, qcap int
	// weighed is the client's part in Server.clientMemory.
	weighed int64
}

// waiting is a command that could not finish in its turn. The client's later
// commands wait for it.
type waiting struct {
	cmd  *Cmd
	argv [][]byte // a copy; nil while more goes on
	// argvMem is the size of argv, 0 until somebody asks.
	argvMem int
	began   time.Time
	more    *command.More // the next slice runs in the next turn
	await   *await        // the reply comes from elsewhere
	// parked: argv runs again when a key is ready, see blocked.go.
	parked *waiter
	// paused: argv is tried again once CLIENT PAUSE ends.
	paused bool
	// delayed: argv runs when the delay of an Intercept is over.
	delayed   bool
	err       error // reply with this instead of running argv
	stopDelay func()
	spent     time.Duration // by the slices so far
}

// newClient lists a connection as a client. The caller holds the lock.
func (s *Server) newClient(w waker, k kind, fd int, addr, laddr string) *Client {
	c := &Client{srv: s, conn: w, fd: fd, kind: k, addr: addr, laddr: laddr, proto: 2, user: s.users.Default}
	c.subs.Owner = c
	c.created = s.clock.Now()
	c.active = c.created
	c.authenticated = c.user.IsOpen()
	s.clients.add(c)
	s.weigh(c)
	s.Stats.Connections++
	if k == kindPipe {
		id := strconv.FormatInt(c.id, 10)
		c.addr, c.laddr = "pipe:"+id, "pipe:0"
	}
	return c
}

// drop forgets a client whose connection has ended. The caller holds the lock.
func (s *Server) drop(c *Client) {
	if c.gone {
		return
	}
	c.gone, c.closing = true, true
	c.endWait()
	c.leave()
	s.unfollow(c)
	delete(s.oversoft, c)
	s.unweigh(c)
	s.clients.remove(c)
}

// leave ends what others have to do with the client: nobody tells it anything
// any more.
func (c *Client) leave() {
	c.endMulti()
	c.stopMonitor()
	c.srv.pubsub.UnsubscribeAll(&c.subs)
	c.srv.tracking.untrack(c)
}

// ID numbers the client; no other client of the server has or had the number.
func (c *Client) ID() int64 { return c.id }

// Server is the server that the client is connected to.
func (c *Client) Server() *Server { return c.srv }

// DB is the number of the selected db.
func (c *Client) DB() int { return c.db }

// User is the name of the user that the client acts as.
func (c *Client) User() string { return c.user.Name }

// Held is the engine's lock, held while a command runs.
func (c *Client) Held() engine.Held { return c.srv.held }

// isLocal says whether the client is on this machine by its address.
func (c *Client) isLocal() bool {
	return c.kind == kindUnix || c.kind == kindPipe || isLoopback(c.addr)
}

// kill closes the connection without sending what is left. The peer sees its end
// before anybody sees a reply to the command that killed it: clients look at a
// pooled connection before they use it, and go on elsewhere.
func (c *Client) kill() {
	if c.closing {
		return
	}
	c.conn.hangUp()
	c.closing = true
	if c.waits != nil && c.waits.parked != nil {
		c.endWait() // what it waited for is for others
	}
	c.wake()
}

// wake makes the client's transport take a turn for it.
func (c *Client) wake() { c.conn.wake() }

// endWait gives up what the client waits for.
func (c *Client) endWait() {
	if w := c.waits; w != nil && w.stopDelay != nil {
		w.stopDelay()
	} else if w != nil && w.parked != nil {
		c.srv.blocked.leave(w.parked)
	}
	c.waits = nil
}

// copyArgv keeps argv beyond the turn it came in.
func copyArgv(argv [][]byte) [][]byte {
	n := 0
	for _, a := range argv {
		n += len(a)
	}
	buf := make([]byte, 0, n)
	kept := make([][]byte, len(argv))
	for i, a := range argv {
		at := len(buf)
		buf = append(buf, a...)
		kept[i] = buf[at:len(buf):len(buf)]
	}
	return kept
}
