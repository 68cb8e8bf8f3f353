package server

import (
	"fmt"
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var replCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "SYNC", Arity: 1,
		Flags: command.Admin | command.NoScript | command.NoAsyncLoading | command.NoMulti,
		Group: command.GroupServer, Since: "1.0.0",
		Summary: "Has this connection sent all data and then every change, as old replicas ask for it.",
	}, Run: syncCommand},
	{Spec: command.Spec{
		Name: "PSYNC", Syntax: "replicationid offset:integer", Arity: -3,
		Flags: command.Admin | command.NoScript | command.NoAsyncLoading | command.NoMulti,
		Group: command.GroupServer, Since: "2.8.0",
		Summary: "Has this connection sent every change from an offset on, after all data where that is needed.",
	}, Run: psync},
	{Spec: command.Spec{
		Name: "REPLCONF", Arity: -1,
		Flags: command.Admin | command.NoScript | command.Loading | command.Stale | command.AllowBusy,
		Group: command.GroupServer, Since: "3.0.0", Complexity: "O(1)",
		Summary: "Tells a master of its replica.", DocFlags: []string{"syscmd"},
	}, Run: replconf},
}

// Errors of replication.
var (
	errFailoverHere = &errs.Error{Code: "ERR", Text: "PSYNC FAILOVER can't be sent to a master."}
	errPending      = &errs.Error{Code: "ERR", Text: "SYNC and PSYNC are invalid with pending output"}
	errFiltered     = &errs.Error{Code: "ERR", Text: "Filtered replica requires EOF capability"}
	errNoMaster     = &errs.Error{Code: "NOMASTERLINK", Text: "Can't SYNC while failing over"}
)

// SYNC
//
// The connection is a replica's from now on: there is no reply but the data.
func syncCommand(c *Client, _ command.Args, out *resp.Reply) error {
	if c.isReplica() || c.monitor {
		return nil
	}
	if err := c.maySync(out); err != nil {
		return err
	}
	c.replconf().plainSync = true
	c.srv.fullSync(c)
	return nil
}

// PSYNC replicationid offset [FAILOVER]
//
// Replies with CONTINUE, and the stream from the offset on, when the history is ours
// and the backlog has that; else with FULLRESYNC and all data first.
func psync(c *Client, in command.Args, out *resp.Reply) error {
	if c.isReplica() || c.monitor {
		return nil
	}
	if len(in) > 3 && equalFold(in[3], "FAILOVER") {
		return errFailoverHere
	}
	if err := c.maySync(out); err != nil {
		return err
	}
	offset, ok := resp.ParseInt(in[2])
	if !ok {
		return errs.NotInteger
	}
	r := c.srv.repl
	if next, ok := r.stream.Continue(string(in[1]), offset); ok {
		r.partial++
		c.srv.follow(c, replicaOnline)
		c.replica.next = next
		if c.replica.capaPSYNC2 {
			out.Status("CONTINUE " + r.stream.ID())
		} else {
			out.Status("CONTINUE")
		}
		c.srv.log.Info("Partial resynchronization request accepted", "replica", c.replicaName(), "offset", offset)
		r.countGood()
		return nil
	}
	if string(in[1]) != "?" {
		r.refused++
		c.srv.log.Info("Partial resynchronization not accepted", "replica", c.addr, "offset", offset)
	}
	c.srv.fullSync(c)
	return nil
}

// maySync says why the client cannot become a replica.
func (c *Client) maySync(out *resp.Reply) error {
	switch {
	case c.srv.pause.failover:
		return errNoMaster
	case out.Len() > 0 || c.unsent.Load() > 0 || c.pushed.Len() > 0:
		return errPending
	case c.replica != nil && (c.replica.noKeys || c.replica.noFunctions) && !c.replica.capaEOF:
		return errFiltered
	}
	return nil
}

// fullSync has a client wait for a snapshot.
func (s *Server) fullSync(c *Client) {
	r := s.repl
	r.full++
	r.open()
	s.follow(c, replicaWaits)
	r.startSync()
}

// REPLCONF option value [option value ...]
//
// Replies with OK, or not at all to what a replica or a master tells in the middle of
// the stream.
func replconf(c *Client, in command.Args, out *resp.Reply) error {
	if len(in)%2 == 0 {
		return errs.Syntax
	}
	for i := 1; i < len(in); i += 2 {
		silent, err := c.replconfOption(strings.ToLower(string(in[i][:min(len(in[i]), 32)])), in, i)
		if err != nil || silent {
			return err
		}
	}
	out.Status("OK")
	return nil
}

// maxIP is how long an address may be (Redis NET_HOST_STR_LEN).
const maxIP = 256

// replconfOption takes an option at in[i]. silent: there is no reply.
func (c *Client) replconfOption(name string, in command.Args, i int) (silent bool, err error) {
	val := in[i+1]
	switch name {
	case "listening-port":
		port, ok := resp.ParseInt(val)
		if !ok {
			return false, errs.NotInteger
		}
		c.replconf().port = port
	case "ip-address":
		if len(val) >= maxIP {
			return false, &errs.Error{Code: "ERR", Text: fmt.Sprintf("REPLCONF ip-address provided by replica instance is too long: %d bytes", len(val))}
		}
		c.replconf().ip = string(val)
	case "capa":
		rep := c.replconf()
		rep.capaEOF = rep.capaEOF || equalFold(val, "eof")
		rep.capaPSYNC2 = rep.capaPSYNC2 || equalFold(val, "psync2")
	case "version":
		if len(val) < maxIP {
			c.replconf().version = string(val)
		}
	case "rdb-only":
		n, ok := resp.ParseInt(val)
		switch {
		case !ok:
			return false, errs.NotInteger
		case n < 0 || n > 1:
			return false, &errs.Error{Code: "ERR", Text: "value is out of range, value must between 0 and 1"}
		}
		c.replconf().rdbOnly = n == 1
	case "rdb-filter-only":
		return false, c.filterSnapshot(val)
	case "ack":
		if c.isReplica() {
			c.srv.replicaAcked(c, in, i)
		}
		return true, nil
	case "getack":
		return true, nil // only a replica answers its master
	default:
		return false, &errs.Error{Code: "ERR", Text: "Unrecognized REPLCONF option: " + errs.Shown(in[i], len(in[i]))}
	}
	return false, nil
}

// filterSnapshot notes the only parts that a client wants in its snapshot.
func (c *Client) filterSnapshot(list []byte) error {
	rep := c.replconf()
	rep.noKeys, rep.noFunctions = true, true
	for _, word := range strings.Fields(string(list)) {
		if !strings.EqualFold(word, "functions") {
			return &errs.Error{Code: "ERR", Text: "Unsupported rdb-filter-only option: " + word}
		}
		rep.noFunctions = false
	}
	return nil
}

// replicaAcked notes how far a replica has come.
func (s *Server) replicaAcked(c *Client, in command.Args, i int) {
	rep, r := c.replica, s.repl
	offset, ok := resp.ParseInt(in[i+1])
	if !ok {
		return
	}
	// No replica is ahead of the stream, whatever it says.
	offset = min(offset, r.stream.Offset())
	rep.acked = max(rep.acked, offset)
	if i+3 < len(in) && equalFold(in[i+2], "FACK") {
		if n, ok := resp.ParseInt(in[i+3]); ok {
			rep.ackedAOF = max(rep.ackedAOF, min(n, offset))
		}
	}
	rep.heard = s.now
	if rep.state == replicaOnline && rep.needsAck {
		rep.needsAck = false
		c.wake()
	}
	r.countGood()
	r.srv.retryAcks()
}

// replicasAt counts the replicas that have applied the stream up to an offset.
func (r *replication) replicasAt(offset int64) (n int64) {
	for _, c := range r.replicas {
		if rep := c.replica; rep.state == replicaOnline && !rep.needsAck && !c.closing && rep.acked >= offset {
			n++
		}
	}
	return n
}

// replicasSyncedAt counts those that have it in their append-only file.
func (r *replication) replicasSyncedAt(offset int64) (n int64) {
	for _, c := range r.replicas {
		if rep := c.replica; rep.state == replicaOnline && !c.closing && rep.ackedAOF >= offset && offset > 0 {
			n++
		}
	}
	return n
}

// askAcks has replicas tell how far they have come, behind what is in the stream now.
func (r *replication) askAcks() {
	if len(r.replicas) > 0 && !r.asked && !r.follows() {
		r.asked = true
		r.tellLater()
	}
}

// ROLE
//
// Replies with "master", the offset of the stream, and the replicas that follow it: each
// with address, port and how far it has come.
func role(c *Client, _ command.Args, out *resp.Reply) error {
	r := c.srv.repl
	out.Array(3)
	out.BulkText("master")
	out.Int(r.stream.Offset())
	list := out.DeferArray()
	n := 0
	for _, each := range r.replicas {
		if each.replica.state != replicaOnline || each.closing {
			continue
		}
		n++
		ip, port := each.replicaAddr()
		out.Array(3)
		out.BulkText(ip)
		out.BulkText(decimal(port))
		out.BulkText(decimal(each.replica.acked))
	}
	out.EndArray(list, n)
	return nil
}
