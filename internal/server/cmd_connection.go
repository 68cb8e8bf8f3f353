package server

import (
	"math"
	"slices"
	"strings"

	"coatcheck/engine/errs"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// connFlags are the flags of commands that every client may call at any time.
const connFlags = command.NoScript | command.Loading | command.Stale

var connectionCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "AUTH", Syntax: "[username] password", Arity: -2,
		Flags: connFlags | command.Fast | command.NoAuth | command.AllowBusy,
		Group: command.GroupConnection, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Logs the connection in.",
		History: [][2]string{{"6.0.0", "A user name may stand before the password."}},
	}, Run: auth},
	{Spec: command.Spec{
		Name: "ECHO", Syntax: "message", Arity: 2,
		Flags: command.Loading | command.Stale | command.Fast,
		Group: command.GroupConnection, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Returns the given string.",
	}, Run: echo},
	{Spec: command.Spec{
		Name: "HELLO", Syntax: "arguments:[protover:integer [AUTH username password] [SETNAME clientname]]", Arity: -1,
		Flags: connFlags | command.Fast | command.NoAuth | command.AllowBusy,
		Group: command.GroupConnection, Since: "6.0.0", Complexity: "O(1)",
		Summary: "Chooses the protocol version, logs in and names the connection.",
		History: [][2]string{{"6.2.0", "Without arguments it only tells of the connection."}},
	}, Run: hello},
	{Spec: command.Spec{
		Name: "PING", Syntax: "[message]", Arity: -1, Flags: command.Fast | command.InPubSub | command.AsksDisk,
		Group: command.GroupConnection, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Answers PONG, or the given message.",
		Tips:    []string{"request_policy:all_shards", "response_policy:all_succeeded"},
	}, Run: ping},
	{Spec: command.Spec{
		Name: "QUIT", Arity: -1,
		Flags: connFlags | command.Fast | command.NoAuth | command.AllowBusy | command.InPubSub | command.InMulti,
		Group: command.GroupConnection, Since: "1.0.0", Complexity: "O(1)",
		Summary:  "Closes the connection.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "7.2.0", ReplacedBy: "just closing the connection",
	}, Run: quit},
	{Spec: command.Spec{
		Name: "RESET", Arity: 1,
		Flags: connFlags | command.Fast | command.NoAuth | command.AllowBusy | command.InPubSub | command.InMulti,
		Group: command.GroupConnection, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Makes the connection as good as new.",
	}, Run: reset},
	{Spec: command.Spec{
		Name: "SELECT", Syntax: "index:integer", Arity: 2,
		Flags: command.Loading | command.Stale | command.Fast,
		Group: command.GroupConnection, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Changes the selected database.",
	}, Run: selectDB},
}

// AUTH [username] password
//
// Logs the connection in as a user, the default one when only a password comes.
func auth(c *Client, in command.Args, out *resp.Reply) error {
	user, password := []byte(acl.DefaultName), in[1]
	switch {
	case len(in) > 3:
		return errs.Syntax
	case len(in) == 3:
		user, password = in[1], in[2]
	case c.srv.users.Default.HasNoPassword():
		return errNoPass
	}
	if err := c.authenticate(user, password); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// ECHO message
func echo(c *Client, in command.Args, out *resp.Reply) error {
	out.BulkString(in[1])
	return nil
}

// PING [message]
//
// A client of RESP2 with subscriptions gets an array, as it gets nothing else.
func ping(c *Client, in command.Args, out *resp.Reply) error {
	switch {
	case len(in) > 2:
		return errs.WrongArity("ping")
	case c.proto == 2 && c.subs.Total() > 0:
		out.Array(2)
		out.BulkText("pong")
		out.BulkString(slices.Concat(in[1:]...))
	case len(in) == 2:
		out.BulkString(in[1])
	default:
		out.Status("PONG")
	}
	return nil
}

// QUIT
//
// The connection is closed after the reply is sent.
func quit(c *Client, in command.Args, out *resp.Reply) error {
	out.Status("OK")
	c.closeAfterReply = true
	return nil
}

// RESET
//
// Leaves MONITOR, all subscriptions, RESP3, the selected db, the name and the login.
func reset(c *Client, in command.Args, out *resp.Reply) error {
	c.leave()
	c.db, c.proto, c.name = 0, 2, ""
	c.replyOff, c.replySkip, c.replySkipNext = false, false, false
	c.noEvict, c.noTouch = false, false
	c.forgetUser()
	out.Proto = 2
	out.Status("RESET")
	return nil
}

// SELECT index
func selectDB(c *Client, in command.Args, out *resp.Reply) error {
	n, ok := resp.ParseInt(in[1])
	switch {
	case !ok:
		return errs.NotInteger
	case n != int64(int32(n)):
		return errs.OutOfRange(math.MinInt32, math.MaxInt32)
	}
	if n < 0 || n >= int64(c.srv.cfg.Databases) {
		return errs.DBIndex
	}
	c.db = int(n)
	out.Status("OK")
	return nil
}

var (
	errNoProto    = &errs.Error{Code: "NOPROTO", Text: "unsupported protocol version"}
	errProtoInt   = &errs.Error{Code: "ERR", Text: "Protocol version is not an integer or out of range"}
	errHelloAuth  = &errs.Error{Code: "NOAUTH", Text: "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"}
	errClientName = &errs.Error{Code: "ERR", Text: "Client names cannot contain spaces, newlines or special characters."}
)

// HELLO [protover [AUTH username password] [SETNAME clientname]]
//
// Replies with what the server is. Nothing changes when any part is refused,
// but the login: as in Redis, that holds.
func hello(c *Client, in command.Args, out *resp.Reply) error {
	proto := c.proto
	var user, password, name []byte
	setName := false
	if len(in) > 1 {
		n, ok := resp.ParseInt(in[1])
		if !ok {
			return errProtoInt
		}
		if n < 2 || n > 3 {
			return errNoProto
		}
		proto = int(n)
	}
	for i := 2; i < len(in); i++ {
		switch left := len(in) - 1 - i; {
		case equalFold(in[i], "AUTH") && left >= 2:
			user, password = in[i+1], in[i+2]
			i += 2
		case equalFold(in[i], "SETNAME") && left >= 1:
			name, setName = in[i+1], true
			if !validName(name) {
				return errClientName
			}
			i++
		default:
			return &errs.Error{Code: "ERR", Text: "Syntax error in HELLO option '" + errs.Shown(in[i], len(in[i])) + "'"}
		}
	}
	if user != nil {
		if err := c.authenticate(user, password); err != nil {
			return err
		}
	}
	if c.srv.authRequired(c) {
		return errHelloAuth
	}
	if setName {
		c.name = string(name)
	}
	c.proto = proto
	out.Proto = proto
	c.srv.greet(c, out)
	return nil
}

// greet is HELLO's reply.
func (s *Server) greet(c *Client, out *resp.Reply) {
	out.Map(7)
	out.BulkText("server")
	out.BulkText("redis")
	out.BulkText("version")
	out.BulkText(RedisVersion)
	out.BulkText("proto")
	out.Int(int64(c.proto))
	out.BulkText("id")
	out.Int(c.id)
	out.BulkText("mode")
	out.BulkText("standalone")
	out.BulkText("role")
	out.BulkText("master")
	out.BulkText("modules")
	out.Array(0)
}

// RedisVersion is the version of Redis whose behaviour we have, as HELLO and
// INFO tell it: clients choose by it what to try.
const RedisVersion = "7.2.4"

// validName says whether a client name has printable characters only.
func validName(name []byte) bool {
	for _, b := range name {
		if b < '!' || b > '~' {
			return false
		}
	}
	return true
}

func equalFold(b []byte, word string) bool { return strings.EqualFold(string(b), word) }
