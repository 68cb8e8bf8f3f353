package server

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

var debugCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "DEBUG", Arity: -2, Flags: adminFlags | command.Protected,
		Group: command.GroupServer, Since: "1.0.0", Complexity: "That of its subcommands",
		Summary: "Looks inside, for tests.", DocFlags: []string{"syscmd"},
	}, Run: debugCommand},
}

// debugCall is a subcommand of DEBUG. Like Redis', they are no commands of
// their own and count their arguments themselves.
type debugCall struct {
	name     string
	min, max int // arguments behind the name
	usage    string
	help     string
	run      func(c *Client, args command.Args, out *resp.Reply) error
}

var debugCalls []debugCall

func init() { // HELP reads the table that it is in
	debugCalls = []debugCall{
		{"CHANGE-REPL-ID", 0, 0, "", "Takes another replication id.", debugChangeReplID},
		{"ERROR", 1, 1, "<string>", "Replies with the string as an error.", debugError},
		{"HTSTATS", 1, 2, "<dbid> [full]", "Tells of the structures of a database.", debugHTStats},
		{"JMAP", 0, 0, "", "Tells what the process holds in memory.", debugJMap},
		{"LOADAOF", 0, 0, "", "Empties the keyspace and reads the append-only log again.", debugLoadAOF},
		{"LOG", 1, 1, "<message>", "Writes the message to the log.", debugLog},
		{"OBJECT", 1, 2, "<key>", "Tells how a value is kept.", debugObject},
		{"POPULATE", 1, 3, "<count> [<prefix>] [<size>]", "Creates keys <prefix>:<number> (key:<number>) where missing.", debugPopulate},
		{"PROTOCOL", 1, 1, "<type>", "Replies with a value of a type: " + strings.Join(protocolNames(), ", ") + ".", debugProtocol},
		{"QUICKLIST-PACKED-THRESHOLD", 1, 1, "<size>", "Accepted; no type is kept so yet.", debugPackedThreshold},
		{"SET-ACTIVE-EXPIRE", 1, 1, "<0|1>", "Turns the removal of due keys that nobody looks at off and on.", debugSetActiveExpire},
		{"SET-DISABLE-DENY-SCRIPTS", 1, 1, "<0|1>", "Accepted; there are no scripts yet.", debugAccept},
		{"SLEEP", 1, 1, "<seconds>", "Stops the server for so long. Decimals are allowed.", debugSleep},
		{"STRINGMATCH-LEN", 2, 2, "<length> <pattern>", "Matches a pattern against a string of so many letters a.", debugStringMatch},
		{"HELP", 0, 0, "", "Prints this help.", debugHelp},
	}
}

// DEBUG subcommand [argument ...]
func debugCommand(c *Client, in command.Args, out *resp.Reply) error {
	for _, call := range debugCalls {
		if equalFold(in[1], call.name) && len(in)-2 >= call.min && len(in)-2 <= call.max {
			return call.run(c, in[2:], out)
		}
	}
	return errs.UnknownCall("DEBUG", in[1])
}

func debugHelp(_ *Client, _ command.Args, out *resp.Reply) error {
	out.Array(1 + 2*len(debugCalls))
	out.Status("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, call := range debugCalls {
		out.Status(strings.TrimSpace(call.name + " " + call.usage))
		out.Status("    " + call.help)
	}
	return nil
}

// debugSleep holds everybody up, which is what it is for. Like Redis' atof, what
// is no number is 0.
func debugSleep(_ *Client, args command.Args, out *resp.Reply) error {
	sec, err := strconv.ParseFloat(string(args[0]), 64)
	if err == nil && sec > 0 {
		time.Sleep(time.Duration(sec * float64(time.Second)))
	}
	out.Status("OK")
	return nil
}

func debugAccept(_ *Client, _ command.Args, out *resp.Reply) error {
	out.Status("OK")
	return nil
}

func debugPackedThreshold(_ *Client, args command.Args, out *resp.Reply) error {
	n, err := strconv.ParseInt(strings.TrimRight(string(args[0]), "bB"), 10, 64)
	if err != nil || n < 0 || n > 4<<30 {
		return &errs.Error{Code: "ERR", Text: "argument must be a memory value bigger than 1 and smaller than 4gb"}
	}
	out.Status("OK")
	return nil
}

func debugSetActiveExpire(c *Client, args command.Args, out *resp.Reply) error {
	c.srv.held.SetActiveExpire(string(args[0]) != "0")
	out.Status("OK")
	return nil
}

func debugChangeReplID(c *Client, _ command.Args, out *resp.Reply) error {
	c.srv.repl.stream.Rename(randomID())
	out.Status("OK")
	return nil
}

func debugError(_ *Client, args command.Args, _ *resp.Reply) error {
	code, text, _ := strings.Cut(string(args[0]), " ")
	return &errs.Error{Code: code, Text: text}
}

func debugLog(c *Client, args command.Args, out *resp.Reply) error {
	c.srv.log.Warn("DEBUG LOG: " + string(args[0]))
	out.Status("OK")
	return nil
}

// debugObject tells what Redis tells; the address is a number that stands for
// the value, since values move.
func debugObject(c *Client, args command.Args, out *resp.Reply) error {
	tx := c.begin()
	defer tx.End()
	o, ok := tx.Describe(args[0])
	if !ok {
		return errs.NoSuchKey
	}
	out.Status("Value at:0x" + strconv.FormatUint(o.Address, 16) +
		" refcount:" + decimal(int64(o.References)) + " encoding:" + o.Encoding.String() +
		" serializedlength:" + decimal(o.Serialized) + " lru:" + decimal(int64(o.LRU)) +
		" lru_seconds_idle:" + decimal(o.Idle))
	return nil
}

func debugHTStats(c *Client, args command.Args, out *resp.Reply) error {
	db, ok := resp.ParseInt(args[0])
	if !ok {
		return errs.NotInteger
	}
	if db < 0 || db >= int64(c.srv.cfg.Databases) {
		return &errs.Error{Code: "ERR", Text: "Out of range database"}
	}
	dict, expires := c.srv.held.Overhead(int(db))
	keys, volatile := 0, 0
	for _, d := range c.srv.held.DBs() {
		if d.DB == int(db) {
			keys, volatile = d.Keys, d.Volatile
		}
	}
	out.Verbatim("txt", "[Dictionary HT]\n number of elements: "+decimal(int64(keys))+"\n bytes: "+decimal(dict)+
		"\n[Expires HT]\n number of elements: "+decimal(int64(volatile))+"\n bytes: "+decimal(expires)+"\n")
	return nil
}

func debugJMap(c *Client, _ command.Args, out *resp.Reply) error {
	return memoryMallocStats(c, nil, out)
}

var errNotPositive = &errs.Error{Code: "ERR", Text: "value is out of range, must be positive"}

// debugPopulate creates string keys as redis-server's does: the value is
// "value:<number>", cut or filled with zero bytes where a size is given.
func debugPopulate(c *Client, args command.Args, out *resp.Reply) error {
	n, ok := resp.ParseInt(args[0])
	if !ok || n < 0 {
		return errNotPositive
	}
	prefix, size := "key", int64(-1)
	if len(args) > 1 {
		prefix = string(args[1])
	}
	if len(args) > 2 {
		if size, ok = resp.ParseInt(args[2]); !ok || size < 0 || size > c.srv.cfg.ProtoMaxBulkLen {
			return errNotPositive
		}
	}
	tx := c.begin()
	defer tx.End()
	for i := range n {
		value := []byte("value:" + decimal(i))
		if size > 0 {
			value = append(value[:min(int64(len(value)), size)], make([]byte, max(0, size-int64(len(value))))...)
		}
		if _, err := tx.StringSet([]byte(prefix+":"+decimal(i)), value, engine.SetOptions{If: engine.IfMissing}); err != nil {
			return err
		}
	}
	out.Status("OK")
	return nil
}

func debugStringMatch(_ *Client, args command.Args, out *resp.Reply) error {
	n, ok := resp.ParseInt(args[0])
	if !ok || n < 0 || n > 1<<20 {
		return errs.NotInteger
	}
	out.Bool(engine.Match(args[1], bytes.Repeat([]byte("a"), int(n))))
	return nil
}
