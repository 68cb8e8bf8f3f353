package server

import (
	"errors"

	"coatcheck/engine/errs"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// Transactions. Between MULTI and EXEC a client's commands pass the gates, and
// are queued in a buffer of the client's. EXEC runs them as one execution unit:
// at one time, nobody in between, their effects told as those of one unit.
//
// callWithin, which runs a command as a part of the running unit, also runs those
// of scripts. There nobody waits: blocking commands reply as if their time were
// over, and long walks go on to their end at once.

// transaction is what a client has queued since MULTI.
type transaction struct {
	queue []queued
	args  []byte // of all commands, one after another
	lens  []int  // of each argument
	argv  [][]byte
	// flags are those that some command has, lacks those that some has not.
	flags, lacks command.Flags
	// refused: a command was, and EXEC will be.
	refused bool
}

// queued is a command with so many of the transaction's arguments.
type queued struct {
	cmd  *Cmd
	argc int
}

// Errors about transactions.
var (
	errNestedMulti    = &errs.Error{Code: "ERR", Text: "MULTI calls can not be nested"}
	errExecAlone      = &errs.Error{Code: "ERR", Text: "EXEC without MULTI"}
	errDiscardAlone   = &errs.Error{Code: "ERR", Text: "DISCARD without MULTI"}
	errNotInMulti     = &errs.Error{Code: "ERR", Text: "Command not allowed inside a transaction"}
	errExecAborted    = &errs.Error{Code: "EXECABORT", Text: "Transaction discarded because of previous errors."}
	errTooLong        = &errs.Error{Code: "ERR", Text: "reply is too long inside a transaction or script"}
	errAwaitsInside   = errors.New("server: a command whose reply comes later was called within a unit")
	monitorNoBlocking = &errs.Error{Code: "ERR", Text: "MONITOR isn't allowed for DENY BLOCKING client"}
)

// maxWithin bounds the reply of a command that is sent in parts elsewhere, but kept as a
// whole within a unit.
const maxWithin = 512 << 20

// maxSpare is how many transactions the server keeps for reuse, and spareBytes
// how large a buffer one may bring.
const (
	maxSpare   = 64
	spareBytes = 16 << 10
)

// beginMulti has the client's commands queued from now on.
func (c *Client) beginMulti() {
	s := c.srv
	if last := len(s.spare) - 1; last >= 0 {
		c.multi, s.spare = s.spare[last], s.spare[:last]
		return
	}
	c.multi = &transaction{}
}

// endMulti forgets what was queued, and what was watched for it.
func (c *Client) endMulti() {
	c.unwatch()
	t := c.multi
	if t == nil {
		return
	}
	c.multi = nil
	c.srv.keepSpare(t)
}

// keepSpare keeps a transaction that is over for the next one.
func (s *Server) keepSpare(t *transaction) {
	if len(s.spare) < maxSpare && cap(t.args) <= spareBytes && cap(t.lens) <= spareBytes/8 {
		*t = transaction{queue: t.queue[:0], args: t.args[:0], lens: t.lens[:0], argv: t.argv[:0]}
		s.spare = append(s.spare, t)
	}
}

// enqueue queues a command that has passed the gates.
func (s *Server) enqueue(c *Client, cmd *Cmd, argv [][]byte, out *resp.Reply) {
	t := c.multi
	mark := out.Len()
	out.Status("QUEUED")
	c.muteReply(out, mark)
	if t.refused || c.watchedChanged { // EXEC is in vain already
		return
	}
	t.flags |= cmd.Flags
	t.lacks |= ^cmd.Flags
	t.queue = append(t.queue, queued{cmd, len(argv)})
	for _, arg := range argv {
		t.args = append(t.args, arg...)
		t.lens = append(t.lens, len(arg))
	}
	// What is queued is still a part of the query, as in Redis.
	if int64(len(t.args)+c.in.Buffered()) > s.cfg.ClientQueryBufferLimit {
		s.protocolError(c, resp.ErrTooBig, out)
	}
}

// memory is what a transaction takes, in bytes; 0 for nil.
func (t *transaction) memory() int {
	if t == nil {
		return 0
	}
	const perCommand, perArg = 16, 8
	return cap(t.args) + perCommand*cap(t.queue) + perArg*cap(t.lens)
}

// flagsOf are the command's flags, those of all that it runs if it is EXEC.
func (c *Client) flagsOf(cmd *Cmd) command.Flags {
	t := c.multi
	if t == nil || cmd.Flags&command.RunsQueue == 0 {
		return cmd.Flags
	}
	const theirs = command.Write | command.DenyOOM | command.MayReplicate
	return (cmd.Flags | t.flags&theirs) &^ (t.lacks & command.Loading)
}

// isQueued says whether the command is queued instead of run.
func (c *Client) isQueued(cmd *Cmd) bool {
	return c.multi != nil && cmd.Flags&command.InMulti == 0
}

// refused notes that a gate refused a command: the transaction that it was meant
// for, or ends with, will not run. It returns the error for the client.
func (s *Server) refused(c *Client, cmd *Cmd, argv [][]byte, err error) error {
	if c.multi != nil {
		c.multi.refused = true
	}
	if cmd == nil || cmd.Flags&command.RunsQueue == 0 {
		return err
	}
	c.endMulti()
	s.tellMonitors(c, cmd, argv)
	text := err.Error()
	var e *errs.Error
	if errors.As(err, &e) && e.Code == "ERR" {
		text = e.Text
	}
	return &errs.Error{Code: "EXECABORT", Text: "Transaction discarded because of: " + text}
}

// runQueue runs what the client has queued as one unit.
func (s *Server) runQueue(c *Client, t *transaction, out *resp.Reply) {
	tx := s.held.BeginAt(c.db, c.now())
	s.within++
	defer func() {
		s.within--
		tx.End()
		s.repl.endUnit() // of messages, where nothing else was
	}()
	start, before := out.Len(), c.replied
	if !c.isMute() {
		out.Array(len(t.queue))
	}
	args, lens := t.args, t.lens
	for _, q := range t.queue {
		t.argv = t.argv[:0]
		for _, n := range lens[:q.argc] {
			t.argv = append(t.argv, args[:n:n])
			args = args[n:]
		}
		lens = lens[q.argc:]
		if d := s.checkCall(c, q.cmd, t.argv, acl.InMulti); d != nil { // its rights are others by now
			s.replyError(out, d.InExec())
		} else {
			_ = s.callWithin(c, q.cmd, t.argv, out) // replied
		}
		if c.replied = before + int64(out.Len()-start); c.replied > s.outputChecks {
			s.checkOutput(c)
		}
		if c.closing { // nobody will read it
			out.Rewind(start)
		}
	}
}

// callWithin runs a command as a part of the running unit. An error has been
// replied and is returned.
func (s *Server) callWithin(c *Client, cmd *Cmd, argv [][]byte, out *resp.Reply) error {
	mark, mute, began := out.Len(), c.isMute(), s.at
	err := s.run(c, cmd, argv, out)
	if err != nil {
		out.Rewind(mark)
		err = s.atOnce(c, cmd, err, out)
	}
	s.at = s.readClock()
	if err != nil {
		out.Rewind(mark)
		s.replyError(out, err)
		cmd.Stats.Failed++
	}
	if mute && c.isMute() {
		out.Rewind(mark)
	}
	s.finish(c, cmd, argv, began, s.at.Sub(began))
	return err
}

// atOnce ends a command that would go on later.
func (s *Server) atOnce(c *Client, cmd *Cmd, err error, out *resp.Reply) error {
	switch later := err.(type) { //nolint:errorlint // handlers return these as they are
	case *command.Wait:
		if j := s.scripts.job; j != nil && c == j.caller {
			return &errs.Error{Code: "ERR", Text: cmd.Name + " command is not allowed with BLOCK option from scripts"}
		}
		later.Refuse(out)
		return nil
	case *command.More:
		start := out.Len()
		for done := false; !done; {
			if done, err = s.runStep(c, cmd, later, out); err != nil {
				return err
			}
			if out.Len()-start > maxWithin {
				return errTooLong
			}
		}
		return nil
	case *await:
		panic(errAwaitsInside)
	}
	return err
}
