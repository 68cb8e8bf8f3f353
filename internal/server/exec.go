package server

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// begin starts a batch of turns under the engine's lock.
func (s *Server) begin(h engine.Held) {
	s.held = h
	s.now = s.clock.Now()
	s.at, s.began = s.now, s.now
}

// readClock reads the clock at the end of a command. The machine's own is asked
// how long ago the batch began.
func (s *Server) readClock() time.Time {
	if clock, ok := s.clock.(engine.SystemClock); ok {
		return clock.Later(s.began)
	}
	return s.clock.Now()
}

// turnBytes is how much reply a client may get in one turn before others have
// theirs.
const turnBytes = 1 << 20

// turn runs what the client's parser has, appending to the client's reply, and
// says whether there is more to run without reading: then the transport calls it
// again after it has served others.
func (s *Server) turn(c *Client) (again bool) {
	s.running = c
	out := &c.out
	start := out.Len()
	out.Proto = c.proto
	out.Limit = s.replyLimit(c, start)
	if c.authenticated {
		c.in.Limits = s.proto
	} else {
		c.in.Limits = s.protoUnauth
	}
	if s.closed && (c.waits == nil || c.waits.more == nil) && !c.isReplica() {
		c.closeAfterReply = true
	}
	c.takePushed(out)
	s.checkUnread(c)
	if c.waits != nil && !s.resume(c, out) {
		again = c.waits != nil && c.waits.more != nil && s.scripts.busy == nil
	} else {
		again = s.runParsed(c, out, start)
	}
	c.takePushed(out)
	if c.replica != nil {
		s.feedTurn(c, out)
	}
	c.replied = int64(out.Len() - start)
	s.checkOutput(c)
	if c.qbuf, c.qcap = c.in.Buffered(), 0; c.qbuf > 0 { // without, Release leaves nothing
		c.qcap = max(c.in.Cap(), c.qbuf)
	}
	s.checkClientMemory(c)
	c.replied = 0
	c.needs = c.wrote
	s.running = nil
	c.argv = nil
	return again && !c.closing
}

// turnBeside is a turn while the transport is reading into the parser: only what
// others said to the client moves, and limits are looked at. There is nothing to
// run: what was parsed has been.
func (s *Server) turnBeside(c *Client) {
	if s.closed && !c.isReplica() {
		c.closeAfterReply = true
	}
	c.replied = int64(c.pushed.Len())
	c.takePushed(&c.out)
	if c.replica != nil {
		s.feedTurn(c, &c.out)
	}
	s.checkUnread(c)
	s.checkOutput(c)
	s.checkClientMemory(c)
	c.replied, c.needs = 0, c.wrote
}

// runParsed runs commands from the parser until there are none, the client has
// to wait, or its turn is over.
func (s *Server) runParsed(c *Client, out *resp.Reply, start int) (again bool) {
	limit := turnBytes
	if !c.authenticated {
		limit = unauthTurnBytes
	}
	ahead := 1 // the loop has looked at the first command
	for !c.closing && !c.closeAfterReply {
		c.takePushed(out) // what the command before had others say
		before := out.Len()
		if before-start > limit {
			return true
		}
		if ahead == 0 {
			ahead = s.lookAhead(c)
		}
		ahead--
		argv, err := c.in.Next()
		if err != nil {
			s.protocolError(c, err, out)
			return false
		}
		if argv == nil {
			break
		}
		c.active, c.argv = s.now, argv
		if c.isReplica() {
			s.processReplica(c, argv, out, before)
			continue
		}
		s.process(c, argv, out)
		if c.waits != nil {
			return c.waits.more != nil
		}
		if c.tracking != nil && c.multi == nil {
			c.endCaching()
		}
		if c.replied = int64(out.Len() - start); c.replied > s.outputChecks {
			s.checkOutput(c)
		}
	}
	return false
}

// lookAhead warms the keys of the next pipelined commands and returns how many
// commands to run before it is called again.
func (s *Server) lookAhead(c *Client) int {
	if !s.held.Warms(c.db) {
		return engine.WarmKeys
	}
	keys := c.in.Peek(s.keys[:0], engine.WarmKeys)
	s.held.Warm(c.db, keys)
	return max(len(keys), 1)
}

// takePushed moves what others said to the client into its reply.
func (c *Client) takePushed(out *resp.Reply) {
	inReply := c.waits != nil && c.waits.more != nil // which came in part
	if c.pushed.Len() > 0 && !inReply {
		out.AppendReply(&c.pushed)
	}
}

// resume goes on with what the client waits for. It says whether that is done.
func (s *Server) resume(c *Client, out *resp.Reply) bool {
	w := c.waits
	switch {
	case w.more != nil && s.scripts.busy != nil:
		s.scripts.later = append(s.scripts.later, c)
	case w.more != nil:
		s.step(c, w, out)
	case w.await != nil && w.await.ended:
		s.awaited(c, w, out)
	case w.paused && !s.isPaused(c, w.cmd):
		c.waits = nil
		s.process(c, w.argv, out)
	case w.delayed && w.stopDelay == nil:
		c.waits = nil
		if w.err != nil {
			s.reject(c, nil, w.argv, w.err, out)
		} else {
			s.admit(c, w.argv, out)
		}
	}
	return c.waits == nil
}

// process passes a command through the gates and runs it.
func (s *Server) process(c *Client, argv [][]byte, out *resp.Reply) {
	if s.intercept != nil && s.intercepted(c, argv, out) {
		return
	}
	s.admit(c, argv, out)
}

// intercepted asks the Intercept and says whether that was the end of it.
func (s *Server) intercepted(c *Client, argv [][]byte, out *resp.Reply) bool {
	v := s.intercept(ClientView{ID: c.id, Name: c.name, Addr: c.addr, User: c.user.Name, DB: c.db, Proto: c.proto}, argv)
	switch {
	case v.Drop:
		c.kill()
	case v.Delay > 0:
		w := &waiting{argv: copyArgv(argv), delayed: true, err: v.Err}
		w.stopDelay = engine.SystemClock{}.AfterFunc(v.Delay, func() {
			h := s.eng.Lock()
			defer h.Unlock()
			if c.waits == w {
				w.stopDelay = nil
				c.wake()
			}
		})
		c.waits = w
	case v.Err != nil:
		s.reject(c, nil, argv, v.Err, out)
	default:
		return false
	}
	return true
}

// admit runs the command when every gate lets it through.
func (s *Server) admit(c *Client, argv [][]byte, out *resp.Reply) {
	cmd, ok := s.table.find(argv)
	if c.lastCmd = cmd; !ok {
		c.lastCmd = nil
	}
	if err := s.gate(c, cmd, ok, argv); err != nil {
		if errors.Is(err, errPaused) {
			c.waits = &waiting{cmd: cmd, argv: copyArgv(argv), paused: true}
			return
		}
		s.reject(c, cmd, argv, err, out)
		return
	}
	if c.isQueued(cmd) {
		s.enqueue(c, cmd, argv, out)
		return
	}
	s.call(c, cmd, argv, out)
}

// reject replies the error of a gate.
func (s *Server) reject(c *Client, cmd *Cmd, argv [][]byte, err error, out *resp.Reply) {
	if cmd != nil {
		cmd.Stats.Rejected++
	}
	err = s.refused(c, cmd, argv, err)
	mark := out.Len()
	s.replyError(out, err)
	c.muteReply(out, mark)
}

// replyError appends an error reply and counts it.
func (s *Server) replyError(out *resp.Reply, err error) {
	code := "ERR"
	var e *errs.Error
	if errors.As(err, &e) {
		code = e.Code
	}
	s.Stats.countError(code)
	out.Error(err)
}

// muteReply takes back a reply that CLIENT REPLY suppresses.
func (c *Client) muteReply(out *resp.Reply, mark int) {
	if c.isMute() {
		out.Rewind(mark)
	}
	c.replySkip, c.replySkipNext = c.replySkipNext, false
}

// isMute says whether CLIENT REPLY suppresses the running command's reply.
func (c *Client) isMute() bool { return c.replyOff || c.replySkip }

// call runs a command, keeps its time and counts it.
func (s *Server) call(c *Client, cmd *Cmd, argv [][]byte, out *resp.Reply) {
	mark, mute, began := out.Len(), c.isMute(), s.now
	err := s.run(c, cmd, argv, out)
	s.noteWrite(c)
	end := s.readClock()
	took := end.Sub(began)
	s.now, s.at = end, end
	if err != nil {
		out.Rewind(mark)
		if s.postponed(c, cmd, argv, err, began, took) {
			return
		}
		s.replyError(out, err)
		cmd.Stats.Failed++
	}
	if !mute { // what an EXEC replied before it was told to be mute stands
		mark = out.Len()
	}
	c.muteReply(out, mark)
	if w := c.again; w != nil {
		took += w.spent
		began = end.Add(-took)
	}
	s.finish(c, cmd, argv, began, took)
	if len(s.blocked.ready) > 0 && s.scripts.busy == nil {
		s.serveReady()
	}
}

// postponed says whether the error of a handler means that its command has not
// ended: it goes on in slices, or waits for a key.
func (s *Server) postponed(c *Client, cmd *Cmd, argv [][]byte, err error, began time.Time, took time.Duration) bool {
	switch later := err.(type) { //nolint:errorlint // handlers return these as they are
	case *await:
		later.waitFor(cmd, argv, began, took)
	case *command.More:
		c.waits = &waiting{cmd: cmd, argv: copyArgv(argv), more: later, began: began, spent: took}
	case *command.Wait:
		if c.again == nil {
			s.tellMonitors(c, cmd, argv)
		}
		s.park(c, cmd, argv, later, began, took)
	default:
		return false
	}
	return true
}

// run calls the handler. A panic in it costs its client the connection, not
// everybody the store.
func (s *Server) run(c *Client, cmd *Cmd, argv [][]byte, out *resp.Reply) (err error) {
	mark := out.Len()
	defer func() {
		switch p := recover(); p {
		case nil:
		case any(engine.ErrRefused): // nobody is told more: unmodified clients write late
			out.Rewind(mark)
			out.Null()
		default:
			err = s.panicked(c, cmd, p)
		}
		if c.tracking != nil && cmd.Flags&command.ReadOnly != 0 {
			s.tracking.remember(c, cmd, argv)
		}
	}()
	if cmd.onData == nil {
		return cmd.onConn(c, argv, out)
	}
	tx := s.held.BeginAt(c.db, engine.UnixMilli(s.now.UnixMilli()))
	tx.NoTouch(c.noTouch)
	defer tx.End()
	return cmd.onData(tx, argv, out)
}

var errInternal = &errs.Error{Code: "ERR", Text: "internal error"}

func (s *Server) panicked(c *Client, cmd *Cmd, p any) error {
	if p == any(engine.ErrNoMemory) {
		s.log.Error("the system gives no more memory", "command", cmd.FullName, "client", c.addr)
		return errs.NoMemory
	}
	s.Stats.Panics++
	s.log.Error("a command failed inside; its client is closed", "command", cmd.FullName,
		"client", c.addr, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	if c.again != nil { // its transport may look at it now, without the lock
		c.kill()
	} else {
		c.closeAfterReply = true
	}
	return errInternal
}

// step runs the next slice of a long command.
func (s *Server) step(c *Client, w *waiting, out *resp.Reply) {
	mark := out.Len()
	done, err := s.runStep(c, w.cmd, w.more, out)
	s.noteWrite(c)
	end := s.readClock()
	w.spent += end.Sub(s.now)
	s.now, s.at = end, end
	if !done && err == nil {
		if c.isMute() { // the last slice takes care of its own part
			out.Rewind(mark)
		}
		return
	}
	c.waits = nil
	if err != nil {
		out.Rewind(mark)
		s.replyError(out, err)
		w.cmd.Stats.Failed++
	}
	c.muteReply(out, mark)
	s.finish(c, w.cmd, w.argv, w.began, w.spent)
}

func (s *Server) runStep(c *Client, cmd *Cmd, more *command.More, out *resp.Reply) (done bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(c, cmd, p)
		}
	}()
	tx := s.held.BeginAt(c.db, engine.UnixMilli(s.now.UnixMilli()))
	defer tx.End()
	return more.Step(tx, out)
}

// finish counts a command that ran and tells who watches: the slow log and the
// latency monitor (see observe.go), and clients in MONITOR.
func (s *Server) finish(c *Client, cmd *Cmd, argv [][]byte, began time.Time, took time.Duration) {
	s.Stats.Commands++
	c.wroteAt = s.repl.stream.Offset()
	cmd.Stats.record(took, s.cfg.LatencyTracking)
	s.observe(c, cmd, argv, began, took)
	if c.again == nil {
		s.tellMonitors(c, cmd, argv)
	}
}

// tellMonitors shows a command to clients in MONITOR, unless it is not to be seen.
func (s *Server) tellMonitors(c *Client, cmd *Cmd, argv [][]byte) {
	if len(s.monitors) > 0 && cmd.Flags&(command.SkipMonitor|command.Admin) == 0 {
		s.feedMonitors(c, cmd, argv)
	}
}

// protocolError ends a client that broke the protocol.
func (s *Server) protocolError(c *Client, err error, out *resp.Reply) {
	switch {
	case errors.Is(err, resp.ErrAttack):
		s.log.Warn("Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. "+
			"This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis instance. Connection aborted.",
			"client", c.addr)
		c.closing = true
	case errors.Is(err, resp.ErrTooBig):
		s.Stats.QueryBufferHits++
		s.log.Warn("closing a client that reached the query buffer limit", "client", s.clientLine(c))
		c.closing = true
	default:
		s.log.Debug("protocol error from a client", "client", c.addr, "error", err)
		s.replyError(out, err)
		c.closeAfterReply = true
	}
}
