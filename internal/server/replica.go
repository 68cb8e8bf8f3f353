package server

import (
	"net"
	"slices"
	"time"

	"coatcheck/internal/repl"
	"coatcheck/resp"
)

// replicaState is how far a replica has come, in the words of INFO.
type replicaState string

const (
	replicaWaits   replicaState = "wait_bgsave" // for a snapshot to begin, or to be whole
	replicaReceive replicaState = "send_bulk"
	replicaOnline  replicaState = "online"
)

// replica is the part of a client that follows us. What REPLCONF tells comes before the
// client asks to follow; until then the state is "".
type replica struct {
	state replicaState
	// What it told of itself.
	ip                  string
	port                int64
	capaEOF, capaPSYNC2 bool
	noKeys, noFunctions bool // what it does not want in the snapshot
	rdbOnly             bool // it wants the snapshot alone
	version             string
	plainSync           bool // by SYNC: it acknowledges nothing

	since time.Time // when it asked
	// sync is where the snapshot comes from; rdb how far it was read.
	sync *fullSync
	rdb  repl.Cursor
	// moved is when it last took bytes of the snapshot.
	moved time.Time
	// next is how far it has read the stream.
	next repl.Cursor
	// needsAck: it has the whole snapshot, and the stream begins when it says so: only
	// then does it no longer look for the end.
	needsAck bool
	// acked and ackedAOF are how much of the stream it has applied, and synced; heard when
	// it said so.
	acked, ackedAOF int64
	heard           time.Time
}

// replconf is the client's replica, made when needed.
func (c *Client) replconf() *replica {
	if c.replica == nil {
		c.replica = &replica{}
	}
	return c.replica
}

// isReplica says whether the client follows us.
func (c *Client) isReplica() bool { return c.replica != nil && c.replica.state != "" }

// replicaAddr is where clients reach the replica, as far as it told.
func (c *Client) replicaAddr() (ip string, port int64) {
	if ip = c.replica.ip; ip == "" {
		host, _, err := net.SplitHostPort(c.addr)
		if ip = host; err != nil {
			ip = c.addr
		}
	}
	return ip, c.replica.port
}

func (c *Client) replicaName() string {
	ip, port := c.replicaAddr()
	return net.JoinHostPort(ip, decimal(port))
}

// follow makes the client a replica.
func (s *Server) follow(c *Client, state replicaState) {
	rep := c.replconf()
	rep.state, rep.since, rep.heard, rep.moved = state, s.now, s.now, s.now
	s.unweigh(c)
	s.repl.replicas = append(s.repl.replicas, c)
}

// unfollow forgets a replica whose connection has ended.
func (s *Server) unfollow(c *Client) {
	r := s.repl
	if !c.isReplica() {
		return
	}
	s.log.Info("Connection with replica lost", "replica", c.replicaName())
	if i := slices.Index(r.replicas, c); i >= 0 {
		r.replicas = slices.Delete(r.replicas, i, i+1)
	}
	if f := c.replica.sync; f != nil {
		f.leave(c)
	}
	r.countGood()
	if len(r.replicas) == 0 {
		r.alone = s.now
	}
}

// processReplica runs a command of a replica, to which there is no reply: it would be
// read as a part of the stream. One that makes one ends the connection, as in Redis.
func (s *Server) processReplica(c *Client, argv [][]byte, out *resp.Reply, before int) {
	s.process(c, argv, out)
	if out.Len() > before || c.waits != nil {
		s.log.Warn("a replica is disconnected: there was a reply to its command", "replica", c.replicaName(), "command", string(argv[0][:min(len(argv[0]), 64)]))
		out.Rewind(before)
		c.kill()
	}
}

// feedTurn is the part of a replica's turn beside commands. At the server's end it is
// sent all that there is.
func (s *Server) feedTurn(c *Client, out *resp.Reply) {
	if !c.isReplica() {
		return
	}
	s.feed(c, out)
	if s.closed && !c.hungry.Load() {
		c.closeAfterReply = true
	}
}

// feedPiece is how much of a snapshot or the stream waits in a replica's reply buffer.
const feedPiece = 256 << 10

// feed moves what the replica has not had yet into its reply, as far as there is room.
func (s *Server) feed(c *Client, out *resp.Reply) {
	rep := c.replica
	room := feedPiece - max(int(c.unsent.Load()), out.Len())
	for room > 0 {
		b := rep.read(c, room)
		if b == nil {
			c.hungry.Store(false)
			return
		}
		out.AppendShared(b)
		room -= len(b)
	}
	c.hungry.Store(true)
}

// read is the next bytes for the replica, at most so many; nil when there are none yet.
func (rep *replica) read(c *Client, most int) []byte {
	if f := rep.sync; f != nil {
		if b := f.read(c, most); b != nil || rep.sync != nil {
			return b
		}
	}
	if rep.state != replicaOnline || rep.needsAck {
		return nil
	}
	return rep.next.Next(most)
}

// behind is how much of the stream the replica has not been sent, in bytes.
func (s *Server) behind(c *Client) int64 {
	if c.replica.state == replicaWaits && c.replica.sync == nil {
		return 0
	}
	return s.repl.stream.Offset() - c.replica.next.Offset()
}

// isSilent says whether the replica has taken or said nothing for too long.
func (rep *replica) isSilent(now time.Time, timeout time.Duration) bool {
	switch rep.state {
	case replicaReceive:
		return now.Sub(rep.moved) > timeout
	case replicaOnline:
		return !rep.plainSync && now.Sub(rep.heard) > timeout
	}
	return false
}

// wantsAs says whether both want the same of a snapshot.
func (rep *replica) wantsAs(other *replica) bool {
	return rep.noKeys == other.noKeys && rep.noFunctions == other.noFunctions
}

// keepsWaiting says whether the replica hears nothing, and takes a line end for a sign
// of life.
func (rep *replica) keepsWaiting() bool { return rep.state == replicaWaits }

// isGood says whether the replica was heard of in the last lag seconds.
func (rep *replica) isGood(now time.Time, lag int) bool {
	return rep.state == replicaOnline && now.Sub(rep.heard) <= time.Duration(lag)*time.Second
}
