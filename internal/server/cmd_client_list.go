package server

import (
	"fmt"
	"strings"
	"time"

	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/internal/config"
	"coatcheck/internal/pubsub"
	"coatcheck/resp"
)

// CLIENT LIST [TYPE type] [ID id...]
//
// Replies with a line for each client, the oldest first.
func clientList(c *Client, in command.Args, out *resp.Reply) error {
	var text strings.Builder
	line := func(each *Client) {
		text.WriteString(c.srv.clientLine(each))
		text.WriteByte('\n')
	}
	switch {
	case len(in) == 2:
		for each := range c.srv.clients.all() {
			line(each)
		}
	case len(in) == 4 && equalFold(in[2], "TYPE"):
		class, err := clientClass(in[3])
		if err != nil {
			return err
		}
		for each := range c.srv.clients.all() {
			if each.class() == class {
				line(each)
			}
		}
	case len(in) > 3 && equalFold(in[2], "ID"):
		for _, word := range in[3:] {
			id, ok := resp.ParseInt(word)
			if !ok {
				return &errs.Error{Code: "ERR", Text: "Invalid client ID"}
			}
			if each := c.srv.clients.byID[id]; each != nil {
				line(each)
			}
		}
	default:
		return errs.Syntax
	}
	out.Verbatim("txt", text.String())
	return nil
}

// classMaster is the class of a connection to a master, of which there are none.
const classMaster = -1

func clientClass(word []byte) (int, error) {
	switch strings.ToLower(string(word)) {
	case "normal":
		return config.ClassNormal, nil
	case "slave", "replica":
		return config.ClassReplica, nil
	case "pubsub":
		return config.ClassPubSub, nil
	case "master":
		return classMaster, nil
	}
	return 0, &errs.Error{Code: "ERR", Text: "Unknown client type '" + errs.Shown(word, len(word)) + "'"}
}

// clientLine describes a client as CLIENT LIST of Redis 7.2 does.
func (s *Server) clientLine(c *Client) string {
	cmd := "NULL"
	if c.lastCmd != nil {
		cmd = c.lastCmd.FullName
	}
	qbuf, qcap, argvMem := c.qbuf, c.qcap, 0
	for _, a := range c.argv {
		argvMem += len(a)
	}
	obl := c.unsent.Load() + c.replied
	omem := int64(c.pushed.Memory()) + c.unsent.Load()
	total := c.memory() + int64(argvMem)
	queued := -1
	if c.multi != nil {
		queued = len(c.multi.queue)
	}
	events := "r"
	if c.unsent.Load() > 0 {
		events = "rw"
	}
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=%d name=%s age=%d idle=%d flags=%s db=%d sub=%d psub=%d ssub=%d multi=%d "+
		"qbuf=%d qbuf-free=%d argv-mem=%d multi-mem=%d rbs=%d rbp=%d obl=%d oll=%d omem=%d tot-mem=%d events=%s cmd=%s user=%s "+
		"redir=%d resp=%d lib-name=%s lib-ver=%s",
		c.id, c.addr, c.laddr, c.fd, c.name, seconds(s.now.Sub(c.created)), seconds(s.now.Sub(c.active)), c.flags(), c.db,
		c.subs.Count(pubsub.Channel), c.subs.Count(pubsub.Pattern), c.subs.Count(pubsub.Shard), queued,
		qbuf, max(qcap-qbuf, 0), argvMem, c.multi.memory(), c.replied, c.replied, obl, 0, omem, total, events, cmd, c.user.Name,
		c.redirect(), c.proto, c.libName, c.libVer)
}

// clientSize is about what a client costs without its buffers.
const clientSize = 1200

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// flags are the letters of CLIENT LIST, in Redis' order.
func (c *Client) flags() string {
	var f []byte
	add := func(is bool, letter byte) {
		if is {
			f = append(f, letter)
		}
	}
	add(c.isReplica(), 'S')
	add(c.monitor, 'O')
	add(c.subs.Total() > 0, 'P')
	add(c.multi != nil, 'x')
	add(c.waits != nil, 'b')
	if t := c.tracking; t != nil {
		add(true, 't')
		add(t.broken, 'R')
		add(t.bcast, 'B')
	}
	add(c.watchedChanged, 'd')
	add(c.closeAfterReply, 'c')
	add(c.closing, 'A')
	add(c.kind == kindUnix, 'U')
	add(c.noEvict, 'e')
	add(c.noTouch, 'T')
	if len(f) == 0 {
		return "N"
	}
	return string(f)
}
