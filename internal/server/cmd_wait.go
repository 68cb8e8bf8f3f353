package server

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var waitCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "WAIT", Syntax: "numreplicas:integer timeout:integer", Arity: 3, Flags: command.NoScript,
		Group: command.GroupGeneric, Since: "3.0.0", Complexity: "O(1)",
		Summary:    "Waits until replicas have this connection's writes.",
		Categories: []string{"connection"},
		Tips:       []string{"request_policy:all_shards", "response_policy:agg_min"},
	}, Run: wait},
	{Spec: command.Spec{
		Name: "WAITAOF", Syntax: "numlocal:integer numreplicas:integer timeout:integer", Arity: 4, Flags: command.NoScript,
		Group: command.GroupGeneric, Since: "7.2.0", Complexity: "O(1)",
		Summary:    "Waits until this connection's writes are on disk, here and at replicas.",
		Categories: []string{"connection"},
		Tips:       []string{"request_policy:all_shards", "response_policy:agg_min"},
	}, Run: waitaof},
}

// WAIT numreplicas timeout
//
// Replies with the number of replicas that have all writes of this connection, when
// they are as many as asked for, or when the timeout is over.
func wait(c *Client, in command.Args, out *resp.Reply) error {
	replicas, ok := resp.ParseInt(in[1])
	if !ok {
		return errs.NotInteger
	}
	deadline, err := command.TimeoutMillis(in[2], c.now())
	if err != nil {
		return err
	}
	r, offset := c.srv.repl, c.wroteAt
	reply := func(out *resp.Reply) { out.Int(r.replicasAt(offset)) }
	if r.replicasAt(offset) >= replicas {
		reply(out)
		return nil
	}
	r.askAcks()
	return &command.Wait{Deadline: deadline, OnTimeout: reply, Acks: true}
}

var (
	errLocalAOFs  = &errs.Error{Code: "ERR", Text: "value is out of range, must be between 0 and 1"}
	errNegative   = &errs.Error{Code: "ERR", Text: "value is out of range, must be positive"}
	errNoLocalAOF = &errs.Error{Code: "ERR", Text: "WAITAOF cannot be used when numlocal is set but appendonly is disabled."}
)

// WAITAOF numlocal numreplicas timeout
//
// Replies with how many append-only files, here and at replicas, have all writes
// of this connection on disk.
func waitaof(c *Client, in command.Args, out *resp.Reply) error {
	local, ok := resp.ParseInt(in[1])
	if !ok {
		return errs.NotInteger
	}
	if local < 0 || local > 1 {
		return errLocalAOFs
	}
	replicas, ok := resp.ParseInt(in[2])
	if !ok {
		return errs.NotInteger
	}
	if replicas < 0 {
		return errNegative
	}
	deadline, err := command.TimeoutMillis(in[3], c.now())
	switch {
	case err != nil:
		return err
	case local > 0 && !c.srv.cfg.AOF.On:
		return errNoLocalAOF
	}
	r, offset := c.srv.repl, c.wroteAt
	reply := func(out *resp.Reply) {
		out.Array(2)
		out.Int(c.keptHere())
		out.Int(r.replicasSyncedAt(offset))
	}
	if r.replicasSyncedAt(offset) < replicas || c.keptHere() < local {
		r.askAcks()
		return &command.Wait{Deadline: deadline, OnTimeout: reply, Acks: true}
	}
	reply(out)
	return nil
}

// keptHere is how many append-only files here have all writes of the client on disk.
func (c *Client) keptHere() int64 {
	if a := &c.srv.appendLog; a.log != nil && a.inForce && a.log.Synced() >= c.wrote {
		return 1
	}
	return 0
}

// now is the time of the running command.
func (c *Client) now() engine.UnixMilli { return engine.UnixMilli(c.srv.now.UnixMilli()) }
