package server

import (
	"time"

	"coatcheck/resp"
)

// await is returned as an error by a handler whose reply comes later, from what
// goes on off the lock (a save). The client's later commands wait for it.
type await struct {
	c     *Client
	ended bool
	reply func(out *resp.Reply) error
}

// Error implements error; nobody sees the text.
func (*await) Error() string { return "server: the reply comes later" }

// await makes one for the client's command.
func (c *Client) await() *await { return &await{c: c} }

// end gives the reply. The caller holds the lock.
func (a *await) end(reply func(out *resp.Reply) error) {
	a.ended, a.reply = true, reply
	if !a.c.gone {
		a.c.wake()
	}
}

// done is a reply of OK, or of the error.
func done(err error) func(out *resp.Reply) error {
	return func(out *resp.Reply) error {
		if err == nil {
			out.Status("OK")
		}
		return err
	}
}

// awaited replies what has come.
func (s *Server) awaited(c *Client, w *waiting, out *resp.Reply) {
	c.waits = nil
	c.wrote = s.logged() // what it did is somewhere before
	mark := out.Len()
	if err := w.await.reply(out); err != nil {
		out.Rewind(mark)
		s.replyError(out, err)
		w.cmd.Stats.Failed++
	}
	c.muteReply(out, mark)
	s.finish(c, w.cmd, w.argv, w.began, w.spent)
}

// waitFor makes the client wait.
func (a *await) waitFor(cmd *Cmd, argv [][]byte, began time.Time, took time.Duration) {
	a.c.waits = &waiting{cmd: cmd, argv: copyArgv(argv), await: a, began: began, spent: took}
	if a.ended {
		a.c.wake()
	}
}
