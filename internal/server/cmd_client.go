package server

import (
	"slices"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var clientCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "CLIENT", Arity: -2,
		Group: command.GroupConnection, Since: "2.4.0", Complexity: "That of its subcommands",
		Summary: "What the server knows of its connections, and how to steer them.",
	}, Subs: slices.Concat(trackingSubcommands, []command.Entry[*Client]{
		{Spec: command.Spec{
			Name: "GETNAME", Arity: 2, Flags: connFlags,
			Group: command.GroupConnection, Since: "2.6.9", Complexity: "O(1)",
			Summary: "Returns the name of this connection.",
		}, Run: clientGetName},
		{Spec: command.Spec{
			Name: "HELP", Arity: 2, Flags: command.Loading | command.Stale,
			Group: command.GroupConnection, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Lists the subcommands.",
		}, Run: clientHelp},
		{Spec: command.Spec{
			Name: "ID", Arity: 2, Flags: connFlags,
			Group: command.GroupConnection, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Returns the number of this connection.",
		}, Run: clientID},
		{Spec: command.Spec{
			Name: "INFO", Arity: 2, Flags: connFlags,
			Group: command.GroupConnection, Since: "6.2.0", Complexity: "O(1)",
			Summary: "Returns what CLIENT LIST says of this connection.",
			Tips:    []string{"nondeterministic_output"},
		}, Run: clientInfo},
		{Spec: command.Spec{
			Name: "KILL", Arity: -3, Flags: command.Admin | connFlags,
			Syntax: "filter:<old-format=ip:port | new-format:<[ID client-id:integer] | " +
				"[TYPE client-type:<NORMAL | MASTER | SLAVE | REPLICA | PUBSUB>] | [USER username] | " +
				"[ADDR addr=ip:port] | [LADDR laddr=ip:port] | [SKIPME <YES | NO>] | [MAXAGE maxage:integer]>...>",
			Group: command.GroupConnection, Since: "2.4.0", Complexity: "O(N) in the connections",
			Summary: "Closes connections.",
			History: [][2]string{
				{"2.8.12", "Filters by name and value."},
				{"2.8.12", "The filter ID."},
				{"3.2.0", "TYPE knows master."},
				{"5.0.0", "TYPE knows replica, and slave as its old name."},
				{"6.2.0", "The filter LADDR."},
			},
		}, Run: clientKill},
		{Spec: command.Spec{
			Name: "LIST", Arity: -2, Flags: command.Admin | connFlags,
			Syntax: "[TYPE client-type:<NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id:integer...]",
			Group:  command.GroupConnection, Since: "2.4.0", Complexity: "O(N) in the connections",
			Summary: "Describes every connection, a line each.",
			Tips:    []string{"nondeterministic_output"},
			History: [][2]string{
				{"2.8.12", "The field id."},
				{"5.0.0", "The filter TYPE."},
				{"6.0.0", "The field user."},
				{"6.2.0", "The fields argv-mem, tot-mem, laddr and redir, and the filter ID."},
				{"7.0.0", "The fields resp, multi-mem, rbs and rbp."},
				{"7.0.3", "The field ssub."},
			},
		}, Run: clientList},
		{Spec: command.Spec{
			Name: "NO-EVICT", Syntax: "enabled:<ON | OFF>", Arity: 3, Flags: command.Admin | connFlags,
			Group: command.GroupConnection, Since: "7.0.0", Complexity: "O(1)",
			Summary: "Keeps this connection when clients use too much memory.",
		}, Run: clientNoEvict},
		{Spec: command.Spec{
			Name: "NO-TOUCH", Syntax: "enabled:<ON | OFF>", Arity: 3, Flags: connFlags,
			Group: command.GroupConnection, Since: "7.2.0", Complexity: "O(1)",
			Summary: "Keeps this connection's commands from counting as use of keys.",
		}, Run: clientNoTouch},
		{Spec: command.Spec{
			Name: "PAUSE", Syntax: "timeout:integer mode:[WRITE | ALL]", Arity: -3, Flags: command.Admin | connFlags,
			Group: command.GroupConnection, Since: "2.9.50", Complexity: "O(1)",
			Summary: "Lets commands wait for some time.",
			History: [][2]string{{"6.2.0", "The modes WRITE and ALL."}},
		}, Run: clientPause},
		{Spec: command.Spec{
			Name: "REPLY", Syntax: "on_off_skip:<ON | OFF | SKIP>", Arity: 3, Flags: connFlags,
			Group: command.GroupConnection, Since: "3.2.0", Complexity: "O(1)",
			Summary: "Says whether this connection wants replies.",
		}, Run: clientReply},
		{Spec: command.Spec{
			Name: "SETINFO", Syntax: "attr:<LIB-NAME libname | LIB-VER libver>", Arity: 4, Flags: connFlags,
			Group: command.GroupConnection, Since: "7.2.0", Complexity: "O(1)",
			Summary: "Tells which client library this connection is from.",
			Tips:    []string{"request_policy:all_nodes", "response_policy:all_succeeded"},
		}, Run: clientSetInfo},
		{Spec: command.Spec{
			Name: "SETNAME", Syntax: "connection-name", Arity: 3, Flags: connFlags,
			Group: command.GroupConnection, Since: "2.6.9", Complexity: "O(1)",
			Summary: "Names this connection.",
		}, Run: clientSetName},
		{Spec: command.Spec{
			Name: "UNBLOCK", Syntax: "client-id:integer timeout_error:[TIMEOUT | ERROR]", Arity: -3, Flags: command.Admin | connFlags,
			Group: command.GroupConnection, Since: "5.0.0", Complexity: "O(1)",
			Summary: "Ends another connection's wait.",
		}, Run: clientUnblock},
		{Spec: command.Spec{
			Name: "UNPAUSE", Arity: 2, Flags: command.Admin | connFlags,
			Group: command.GroupConnection, Since: "6.2.0", Complexity: "O(N) in the clients that wait",
			Summary: "Ends a pause.",
		}, Run: clientUnpause},
	})},
}

// CLIENT GETNAME
func clientGetName(c *Client, in command.Args, out *resp.Reply) error {
	if c.name == "" {
		out.Null()
		return nil
	}
	out.BulkText(c.name)
	return nil
}

// CLIENT HELP
func clientHelp(c *Client, in command.Args, out *resp.Reply) error {
	c.srv.table.Directory().Find("client").WriteHelp(out)
	return nil
}

// CLIENT ID
func clientID(c *Client, in command.Args, out *resp.Reply) error {
	out.Int(c.id)
	return nil
}

// CLIENT INFO
func clientInfo(c *Client, in command.Args, out *resp.Reply) error {
	out.Verbatim("txt", c.srv.clientLine(c)+"\n")
	return nil
}

// CLIENT NO-EVICT <ON | OFF>
func clientNoEvict(c *Client, in command.Args, out *resp.Reply) error {
	return onOff(&c.noEvict, in[2], out)
}

// CLIENT NO-TOUCH <ON | OFF>
func clientNoTouch(c *Client, in command.Args, out *resp.Reply) error {
	return onOff(&c.noTouch, in[2], out)
}

func onOff(flag *bool, word []byte, out *resp.Reply) error {
	switch {
	case equalFold(word, "ON"):
		*flag = true
	case equalFold(word, "OFF"):
		*flag = false
	default:
		return errs.Syntax
	}
	out.Status("OK")
	return nil
}

// CLIENT REPLY <ON | OFF | SKIP>
//
// ON is answered; OFF and SKIP are not.
func clientReply(c *Client, in command.Args, out *resp.Reply) error {
	switch {
	case equalFold(in[2], "ON"):
		c.replyOff, c.replySkip = false, false
		out.Status("OK")
	case equalFold(in[2], "OFF"):
		c.replyOff = true
	case equalFold(in[2], "SKIP"):
		if !c.replyOff {
			c.replySkipNext = true
		}
	default:
		return errs.Syntax
	}
	return nil
}

var (
	errLibAttr  = "Unrecognized option '"
	errLibChars = " cannot contain spaces, newlines or special characters."
)

// CLIENT SETINFO <LIB-NAME libname | LIB-VER libver>
func clientSetInfo(c *Client, in command.Args, out *resp.Reply) error {
	var field *string
	switch {
	case equalFold(in[2], "LIB-NAME"):
		field = &c.libName
	case equalFold(in[2], "LIB-VER"):
		field = &c.libVer
	default:
		return &errs.Error{Code: "ERR", Text: errLibAttr + string(in[2]) + "'"}
	}
	if !validName(in[3]) {
		return &errs.Error{Code: "ERR", Text: string(lower(nil, in[2])) + errLibChars}
	}
	*field = string(in[3])
	out.Status("OK")
	return nil
}

// CLIENT SETNAME connection-name
func clientSetName(c *Client, in command.Args, out *resp.Reply) error {
	if !validName(in[2]) {
		return errClientName
	}
	c.name = string(in[2])
	out.Status("OK")
	return nil
}
