package server

import (
	"errors"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// SAVE
//
// Replies with OK when all data of this moment are on the disk.
func save(c *Client, _ command.Args, _ *resp.Reply) error {
	a := c.await()
	err := c.srv.startSave(func() {
		if c.srv.saves.failed {
			a.end(done(errSaveFailed))
		} else {
			a.end(done(nil))
		}
	})
	if err != nil {
		return err
	}
	return a
}

var errOtherSnapshot = &errs.Error{Code: "ERR", Text: "Another child process is active (AOF?): can't BGSAVE right now. " +
	"Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible."}

// BGSAVE [SCHEDULE]
//
// Replies with a status. With SCHEDULE, a save that can not begin now does when
// the one that runs has ended.
func bgsave(c *Client, in command.Args, out *resp.Reply) error {
	schedule := false
	if len(in) > 1 {
		if len(in) > 2 || !equalFold(in[1], "SCHEDULE") {
			return errs.Syntax
		}
		schedule = true
	}
	if c.srv.within > 0 {
		c.srv.saves.again = true
		out.Status("Background saving scheduled")
		return nil
	}
	err := c.srv.startSave(nil)
	if errors.Is(err, engine.ErrSnapshot) {
		if !schedule {
			return errOtherSnapshot
		}
		c.srv.saves.again = true
		out.Status("Background saving scheduled")
		return nil
	}
	if err != nil {
		return err
	}
	out.Status("Background saving started")
	return nil
}

// LASTSAVE
//
// Replies with seconds since the epoch: of the last save that went well, or of
// the start.
func lastsave(c *Client, _ command.Args, out *resp.Reply) error {
	out.Int(c.srv.saves.last.Unix())
	return nil
}
