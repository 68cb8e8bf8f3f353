package server

import (
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// multiFlags are the flags of commands that begin and end transactions.
const multiFlags = connFlags | command.Fast | command.AllowBusy

var multiCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "DISCARD", Arity: 1, Flags: multiFlags | command.InMulti,
		Group: command.GroupTransactions, Since: "2.0.0", Complexity: "O(N) in the commands queued",
		Summary: "Gives up the transaction.",
	}, Run: discard},
	{Spec: command.Spec{
		Name: "EXEC", Arity: 1, Flags: connFlags | command.SkipSlowlog | command.InMulti | command.RunsQueue,
		Group: command.GroupTransactions, Since: "1.2.0", Complexity: "That of the commands queued",
		Summary: "Runs the transaction's commands, nobody else's in between.",
	}, Run: exec},
	{Spec: command.Spec{
		Name: "MULTI", Arity: 1, Flags: multiFlags | command.InMulti,
		Group: command.GroupTransactions, Since: "1.2.0", Complexity: "O(1)",
		Summary: "Begins a transaction: commands are queued.",
	}, Run: multi},
	{Spec: command.Spec{
		Name: "UNWATCH", Arity: 1, Flags: multiFlags,
		Group: command.GroupTransactions, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Watches no key any more.",
	}, Run: unwatch},
	{Spec: command.Spec{
		Name: "WATCH", Syntax: "key...", Arity: -2, Flags: multiFlags | command.InMulti,
		Keys:  []command.KeySpec{{First: 1, Last: -1, Step: 1, Flags: command.RO}},
		Group: command.GroupTransactions, Since: "2.2.0", Complexity: "O(1) for each key",
		Summary: "Has the next transaction run only if keys do not change before.",
	}, Run: watchKeys},
}

// MULTI
func multi(c *Client, _ command.Args, out *resp.Reply) error {
	if c.multi != nil {
		return errNestedMulti
	}
	c.beginMulti()
	out.Status("OK")
	return nil
}

// DISCARD
func discard(c *Client, _ command.Args, out *resp.Reply) error {
	if c.multi == nil {
		return errDiscardAlone
	}
	c.endMulti()
	out.Status("OK")
	return nil
}

// EXEC
//
// Replies with an array of the commands' replies, errors among them, or with a
// null one when a watched key has changed: then none of the commands has run.
func exec(c *Client, _ command.Args, out *resp.Reply) error {
	if c.multi == nil {
		return errExecAlone
	}
	c.lookForExpired()
	t := c.multi
	if t.flags&command.RunsScript != 0 && !t.refused && !c.watchedChanged {
		c.multi = nil // it may last longer than the client
		c.unwatch()
		return c.srv.onScriptGoroutine(c, out, func(out *resp.Reply) error {
			c.srv.runQueue(c, t, out)
			c.srv.keepSpare(t)
			return nil
		})
	}
	defer c.endMulti()
	switch {
	case t.refused:
		return errExecAborted
	case c.watchedChanged:
		out.NullArray()
		return nil
	}
	c.unwatch()
	c.srv.runQueue(c, t, out)
	return nil
}

// WATCH key [key ...]
func watchKeys(c *Client, in command.Args, out *resp.Reply) error {
	if c.multi != nil {
		return errWatchInMulti
	}
	c.watch(in[1:])
	out.Status("OK")
	return nil
}

// UNWATCH
func unwatch(c *Client, _ command.Args, out *resp.Reply) error {
	c.unwatch()
	out.Status("OK")
	return nil
}
