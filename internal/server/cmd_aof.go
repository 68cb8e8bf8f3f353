package server

import (
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// aofCommands are about the append-only log.
var aofCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "BGREWRITEAOF", Arity: 1,
		Flags: command.Admin | command.NoScript | command.NoAsyncLoading,
		Group: command.GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Begins to replace the append-only log by a shorter one.",
	}, Run: bgrewriteaof},
}

// BGREWRITEAOF
//
// Replies with a status. While another snapshot is being saved it begins when that has
// ended. Without a log, its files are made once.
func bgrewriteaof(c *Client, _ command.Args, out *resp.Reply) error {
	s := c.srv
	a := &s.appendLog
	switch {
	case s.saves.fs == nil:
		return errNoDisk
	case a.rewriting:
		return errRewriting
	}
	a.asked, a.failed = true, false
	a.loaded = a.loaded || s.saves.loading == nil
	s.driveLog()
	if !a.rewriting {
		out.Status("Background append only file rewriting scheduled")
		return nil
	}
	out.Status("Background append only file rewriting started")
	return nil
}

var errLoadLog = &errs.Error{Code: "ERR", Text: "Error trying to load the AOF files, check server logs."}

var errLoadWithin = &errs.Error{Code: "ERR", Text: "DEBUG LOADAOF is not possible inside a transaction or script: others have to be told that the server is loading"}

// debugLoadAOF empties the keyspace and reads the log again.
func debugLoadAOF(c *Client, _ command.Args, _ *resp.Reply) error {
	s := c.srv
	a := &s.appendLog
	switch {
	case s.within > 0:
		return errLoadWithin
	case a.log == nil || a.busy || !a.inForce:
		return errLoadLog
	}
	a.busy = true
	wait := c.await()
	a.tasks.Go(func() {
		err := s.loadLogAgain()
		h := s.eng.Lock()
		defer h.Unlock()
		s.begin(h)
		s.logWorkDone()
		if err != nil {
			s.log.Error("DEBUG LOADAOF failed", "error", err)
			wait.end(done(errLoadLog))
			return
		}
		wait.end(done(nil))
	})
	return wait
}
