package server

import (
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var shutdownCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "SHUTDOWN", Syntax: "nosave_save:[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", Arity: -1,
		Flags: adminFlags | command.NoMulti | command.AllowBusy,
		Group: command.GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Ends the server.",
		History: [][2]string{{"7.0.0", "NOW, FORCE and ABORT."}},
	}, Run: shutdown},
}

var (
	errNotStopping = &errs.Error{Code: "ERR", Text: "No shutdown in progress."}
	errShutdown    = &errs.Error{Code: "ERR", Text: "Errors trying to SHUTDOWN. Check logs."}
)

// SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]
//
// There is no reply: the connection closes with the server. It saves with SAVE
// and, unless NOSAVE forbids it, where there are save points. When that fails
// there is an error, and the server goes on, unless FORCE is given. Nothing waits
// for replicas, so that NOW changes nothing and ABORT finds nothing to call off.
func shutdown(c *Client, in command.Args, _ *resp.Reply) error {
	var save, nosave, now, force, abort bool
	for _, word := range in[1:] {
		switch {
		case equalFold(word, "SAVE"):
			save = true
		case equalFold(word, "NOSAVE"):
			nosave = true
		case equalFold(word, "NOW"):
			now = true
		case equalFold(word, "FORCE"):
			force = true
		case equalFold(word, "ABORT"):
			abort = true
		default:
			return errs.Syntax
		}
	}
	if save && nosave || abort && (save || nosave || now || force) {
		return errs.Syntax
	}
	s := c.srv
	switch {
	case s.scripts.busy != nil && !nosave:
		return errBusyScript
	case abort:
		return errNotStopping // a shutdown waits for nothing that could be called off
	case s.onShutdown == nil:
		s.log.Warn("SHUTDOWN is refused: the program that runs the server does not offer it", "client", c.addr)
		return errShutdown
	}
	if nosave || s.stopping {
		s.stop(c)
		return nil
	}
	a := c.await()
	s.saveAtEnd(save, func(err error) {
		if err != nil && !force {
			a.end(done(errShutdown))
			return
		}
		s.stop(c)
		a.end(func(*resp.Reply) error { return nil })
	})
	return a
}

// stop ends the server for a client, which has no reply.
func (s *Server) stop(c *Client) {
	c.closeAfterReply = true
	if !s.stopping {
		s.stopping = true
		s.log.Info("User requested shutdown...", "client", c.addr)
		go s.onShutdown()
	}
}
