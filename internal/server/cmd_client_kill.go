package server

import (
	"math"
	"strings"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/acl"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// killFilter chooses clients; what is not set lets all pass.
type killFilter struct {
	id          int64
	class       *int
	user        *acl.User
	addr, laddr *string
	maxAge      int64 // seconds
	skipMe      bool
}

func (f *killFilter) matches(each, me *Client, now time.Time) bool {
	switch {
	case f.id != 0 && each.id != f.id,
		f.class != nil && each.class() != *f.class,
		f.user != nil && each.user != f.user,
		f.addr != nil && each.addr != *f.addr,
		f.laddr != nil && each.laddr != *f.laddr,
		f.maxAge != 0 && seconds(now.Sub(each.created)) < f.maxAge,
		f.skipMe && each == me:
		return false
	}
	return true
}

var errNoClient = &errs.Error{Code: "ERR", Text: "No such client"}

// CLIENT KILL <ip:port | [ID id] [TYPE type] [USER name] [ADDR ip:port] [LADDR ip:port] [SKIPME yes/no] [MAXAGE seconds]>
//
// The old form, with one address, replies OK or fails when nobody has it; with
// filters the reply is how many clients were closed.
func clientKill(c *Client, in command.Args, out *resp.Reply) error {
	filter := killFilter{skipMe: true}
	old := len(in) == 3
	if old {
		addr := string(in[2])
		filter = killFilter{addr: &addr}
	} else if err := filter.read(in[2:], c.srv.users.Users); err != nil {
		return err
	}
	var killed int64
	for each := range c.srv.clients.all() {
		if !each.closing && filter.matches(each, c, c.srv.now) {
			killed++
			if each == c {
				c.closeAfterReply = true
			} else {
				each.kill()
				each.leave()
			}
		}
	}
	switch {
	case !old:
		out.Int(killed)
	case killed == 0:
		return errNoClient
	default:
		out.Status("OK")
	}
	return nil
}

// read takes the filters from pairs of words.
func (f *killFilter) read(words command.Args, users *acl.Users) error {
	for ; len(words) > 1; words = words[2:] {
		value := words[1]
		switch strings.ToUpper(string(words[0])) {
		case "ID":
			id, ok := resp.ParseInt(value)
			if !ok || id <= 0 {
				return &errs.Error{Code: "ERR", Text: "client-id should be greater than 0"}
			}
			f.id = id
		case "TYPE":
			class, err := clientClass(value)
			if err != nil {
				return err
			}
			f.class = &class
		case "USER":
			if f.user = users.Get(string(value)); f.user == nil {
				return &errs.Error{Code: "ERR", Text: "No such user '" + errs.Shown(value, len(value)) + "'"}
			}
		case "ADDR":
			addr := string(value)
			f.addr = &addr
		case "LADDR":
			addr := string(value)
			f.laddr = &addr
		case "MAXAGE":
			age, ok := resp.ParseInt(value)
			if !ok {
				return &errs.Error{Code: "ERR", Text: "maxage is not an integer or out of range"}
			}
			if age <= 0 {
				return &errs.Error{Code: "ERR", Text: "maxage should be greater than 0"}
			}
			f.maxAge = age
		case "SKIPME":
			switch strings.ToLower(string(value)) {
			case "yes":
				f.skipMe = true
			case "no":
				f.skipMe = false
			default:
				return errs.Syntax
			}
		default:
			return errs.Syntax
		}
	}
	if len(words) == 1 {
		return errs.Syntax
	}
	return nil
}

// CLIENT PAUSE timeout [WRITE | ALL]
func clientPause(c *Client, in command.Args, out *resp.Reply) error {
	all := true
	if len(in) > 4 {
		return errs.SubcommandSyntax("CLIENT", in[1])
	}
	if len(in) == 4 {
		switch {
		case equalFold(in[3], "WRITE"):
			all = false
		case !equalFold(in[3], "ALL"):
			return &errs.Error{Code: "ERR", Text: "CLIENT PAUSE mode must be WRITE or ALL"}
		}
	}
	ms, ok := resp.ParseInt(in[2])
	now := c.srv.now.UnixMilli()
	switch {
	case !ok:
		return errs.TimeoutNotInteger
	case ms > math.MaxInt64-now:
		return errs.TimeoutOutOfRange
	case ms < 0:
		return errs.TimeoutNegative
	}
	c.srv.pauseCommands(engine.UnixMilli(now+ms), all)
	out.Status("OK")
	return nil
}

// CLIENT UNPAUSE
func clientUnpause(c *Client, in command.Args, out *resp.Reply) error {
	c.srv.unpause()
	out.Status("OK")
	return nil
}

// CLIENT UNBLOCK client-id [TIMEOUT | ERROR]
//
// Replies 1 when the client waited for a key, else 0: a pause can not be cut
// short this way.
func clientUnblock(c *Client, in command.Args, out *resp.Reply) error {
	withError := len(in) == 4 && equalFold(in[3], "ERROR")
	switch {
	case len(in) > 4:
		return errs.SubcommandSyntax("CLIENT", in[1])
	case len(in) == 4 && !withError && !equalFold(in[3], "TIMEOUT"):
		return &errs.Error{Code: "ERR", Text: "CLIENT UNBLOCK reason should be TIMEOUT or ERROR"}
	}
	id, ok := resp.ParseInt(in[2])
	if !ok {
		return errs.NotInteger
	}
	target := c.srv.clients.byID[id]
	if target == nil || target.waits == nil || target.waits.parked == nil {
		out.Int(0)
		return nil
	}
	c.srv.unblock(target.waits.parked, withError)
	out.Int(1)
	return nil
}
