package server

import (
	"bytes"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/internal/policy"
	"coatcheck/resp"
)

// sessionSpec is what the commands about sessions have in common. They name keys that
// no argument is, so that they are for users who may read all of them.
func sessionSpec(name, syntax string, arity int, flags command.Flags, complexity, summary string) command.Spec {
	return command.Spec{
		Name: name, Syntax: syntax, Arity: arity, Flags: flags,
		Group: command.GroupServer, Since: "7.2.4", Complexity: complexity, Summary: summary,
		Categories: []string{"session"}, Tips: []string{"nondeterministic_output"},
		Unnamed: func(command.Args) error { return errSessionKeys },
	}
}

var errSessionKeys = &errs.Error{Code: "NOPERM", Text: "Commands about sessions are for users who may read all keys"}

var sessionCommands = []command.Entry[*Client]{
	{Spec: sessionSpec("SESSION.LIST", "[USER user] [CURSOR cursor:integer] [COUNT count:integer]", -1, command.ReadOnly,
		"O(N) in the keys looked at, or in the sessions of the user", "Lists sessions, a page at a time."), Run: sessionList},
	{Spec: sessionSpec("SESSION.INFO", "id", 2, command.ReadOnly,
		"O(1) for a session that exists, O(N) in the events kept for others", "Tells all about a session, or how it ended."), Run: sessionInfo},
	{Spec: sessionSpec("SESSION.REVOKE", "sessions:<id | USER user>", -2, command.Write,
		"O(N) in the sessions that end", "Ends a session, or all of a user's."), Run: sessionRevoke},
	{Spec: sessionSpec("SESSION.USERS", "[CURSOR cursor:integer] [COUNT count:integer]", -1, command.ReadOnly,
		"O(N) in the users returned", "Lists who has sessions, and how many."), Run: sessionUsers},
	{Spec: sessionSpec("SESSION.EVENTS", "[AFTER seq:integer] [COUNT count:integer]", -1, command.ReadOnly,
		"O(N) in the events returned", "Tells which sessions came and went, and why."), Run: sessionEvents},
	{Spec: sessionSpec("SESSION.STATS", "", 1, command.ReadOnly|command.Fast, "O(1)", "Tells what the policies about sessions did."), Run: sessionStats},
}

// Pages of the lists: as long as nobody says, and at most.
const (
	sessionPage    = 100
	sessionPageMax = 1000
	// sessionLooks is how many keys a page looks at before it may be short.
	sessionLooks = 20_000
)

// sessionOptions are the words that lists take, each at most once.
type sessionOptions struct {
	user          []byte
	cursor, count int64
}

// readSessionOptions reads pairs of a word and a value. from is what this list calls
// where to begin; mayUser says whether it takes USER.
func readSessionOptions(in command.Args, from string, mayUser bool) (o sessionOptions, err error) {
	o.count = sessionPage
	for rest := in[1:]; len(rest) > 0; rest = rest[2:] {
		if len(rest) < 2 {
			return o, errs.Syntax
		}
		switch {
		case mayUser && equalFold(rest[0], "USER"):
			o.user = rest[1]
		case equalFold(rest[0], from):
			o.cursor, err = naturalArg(rest[1], 0)
		case equalFold(rest[0], "COUNT"):
			o.count, err = naturalArg(rest[1], 1)
		default:
			err = errs.Syntax
		}
		if err != nil {
			return o, err
		}
	}
	o.count = min(o.count, sessionPageMax)
	return o, nil
}

// naturalArg is an integer that is not below least.
func naturalArg(arg []byte, least int64) (int64, error) {
	n, ok := engine.ParseInt(arg)
	if !ok {
		return 0, errs.NotInteger
	}
	if n < least {
		return 0, errs.Syntax
	}
	return n, nil
}

// sessionKey is the key of an id, which may have the prefix already.
func (s *Server) sessionKey(id []byte) []byte {
	prefix := []byte(s.cfg.SessionPrefix)
	if bytes.HasPrefix(id, prefix) {
		return id
	}
	return append(bytes.Clone(prefix), id...)
}

// SESSION.LIST [USER user] [CURSOR cursor] [COUNT count]
//
// Replies with the next cursor, 0 at the end, and a map for each session of the
// client's db. A user's are in order, the oldest first.
func sessionList(c *Client, in command.Args, out *resp.Reply) error {
	o, err := readSessionOptions(in, "CURSOR", true)
	if err != nil {
		return err
	}
	tx := c.begin()
	defer tx.End()
	var list []policy.Session
	next := uint64(o.cursor)
	if o.user != nil {
		list, next = c.srv.policies.Of(c.db, o.user, next, int(o.count))
	} else {
		list, next = c.srv.sessionsFrom(tx, c.db, next, int(o.count))
	}
	out.Array(2)
	out.BulkText(decimal(int64(next)))
	replies, n := out.DeferArray(), 0
	for i := range list {
		if v, ok := tx.Glance([]byte(list[i].Key)); ok {
			c.writeSession(tx, &list[i], &v, out)
			n++
		}
	}
	out.EndArray(replies, n)
	return nil
}

// sessionsFrom is about n sessions of a db from a cursor on, as SCAN walks.
func (s *Server) sessionsFrom(tx *engine.Tx, db int, cursor uint64, n int) (list []policy.Session, next uint64) {
	prefix := []byte(s.cfg.SessionPrefix)
	if len(prefix) == 0 {
		return nil, 0
	}
	for looked := 0; looked < sessionLooks && len(list) < n; looked += n {
		cursor = tx.KeyScan(cursor, engine.ScanOptions{Count: n - len(list)}, func(key []byte) {
			if !bytes.HasPrefix(key, prefix) {
				return
			}
			one, ok := s.policies.Session(db, key)
			if !ok {
				one = policy.Session{Key: string(key), DB: db}
			}
			list = append(list, one)
		})
		if cursor == 0 {
			break
		}
	}
	return list, cursor
}

// writeSession writes what is known of a session that exists.
func (c *Client) writeSession(tx *engine.Tx, x *policy.Session, v *engine.View, out *resp.Reply) {
	opt := c.srv.policies.Options()
	fields, n := out.DeferArray(), 10
	writeField(out, "id", x.Key[len(c.srv.cfg.SessionPrefix):])
	writeField(out, "key", x.Key)
	writeField(out, "state", "active")
	writeNumber(out, "db", int64(x.DB))
	writeField(out, "type", v.Type().String())
	writeUser(out, x.User)
	writeMoment(out, "created", x.Born)
	last := engine.UnixMilli(0)
	if opt.MaxLifetime > 0 && x.Born > 0 {
		last = x.Born + engine.UnixMilli(opt.MaxLifetime)
	}
	writeMoment(out, "deadline", last)
	ttl := int64(-1)
	if at := v.ExpireAt(); at != engine.Never {
		ttl = int64(at - tx.Now())
	}
	writeNumber(out, "ttl", ttl)
	writeNumber(out, "size", v.Size())
	out.EndMap(fields, n)
}

func writeField(out *resp.Reply, name, value string) {
	out.BulkText(name)
	out.BulkText(value)
}

func writeNumber(out *resp.Reply, name string, n int64) {
	out.BulkText(name)
	out.Int(n)
}

// writeUser writes a user's name, or null for nobody.
func writeUser(out *resp.Reply, user string) {
	out.BulkText("user")
	if user == "" {
		out.Null()
		return
	}
	out.BulkText(user)
}

// writeMoment writes milliseconds since the epoch, or null for 0.
func writeMoment(out *resp.Reply, name string, at engine.UnixMilli) {
	out.BulkText(name)
	if at == 0 {
		out.Null()
		return
	}
	out.Int(int64(at))
}

// SESSION.INFO id
//
// Replies with a map about the session, with or without the prefix in its id; about its
// end when it has one that is still known; else null.
func sessionInfo(c *Client, in command.Args, out *resp.Reply) error {
	key := c.srv.sessionKey(in[1])
	tx := c.begin()
	defer tx.End()
	k := c.srv.policies
	if v, ok := tx.View(key); ok {
		one, known := k.Session(c.db, key)
		if !known {
			one = policy.Session{Key: string(key), DB: c.db}
		}
		c.writeSession(tx, &one, &v, out)
		return nil
	}
	e, ok := k.Ended(c.db, key)
	buried := k.IsBuried(c.db, key, tx.Now())
	if !ok && !buried {
		out.Null()
		return nil
	}
	fields, n := out.DeferArray(), 4
	writeField(out, "id", string(key[len(c.srv.cfg.SessionPrefix):]))
	writeField(out, "key", string(key))
	writeField(out, "state", "ended")
	if ok {
		writeField(out, "reason", e.Reason.String())
		writeMoment(out, "at", e.At)
		writeUser(out, e.User)
		writeField(out, "by", e.By)
		n += 4
	}
	out.BulkText("tombstone")
	out.Bool(buried)
	out.EndMap(fields, n)
	return nil
}

// SESSION.REVOKE <id | USER user>
//
// Replies with how many sessions of the client's db ended.
func sessionRevoke(c *Client, in command.Args, out *resp.Reply) error {
	k := c.srv.policies
	tx := c.begin()
	defer tx.End()
	switch {
	case len(in) == 2:
		n := int64(0)
		if k.End(tx, c.db, string(c.srv.sessionKey(in[1])), policy.Revoked) {
			n = 1
		}
		out.Int(n)
	case len(in) == 3 && equalFold(in[1], "USER"):
		n := int64(0)
		list, _ := k.Of(c.db, in[2], 0, int(^uint(0)>>1))
		for _, one := range list {
			if k.End(tx, c.db, one.Key, policy.Revoked) {
				n++
			}
		}
		out.Int(n)
	default:
		return errs.Syntax
	}
	return nil
}

// SESSION.USERS [CURSOR cursor] [COUNT count]
//
// Replies with the next cursor, 0 at the end, and pairs of a user and how many sessions
// it has, in all dbs.
func sessionUsers(c *Client, in command.Args, out *resp.Reply) error {
	o, err := readSessionOptions(in, "CURSOR", false)
	if err != nil {
		return err
	}
	list, next := c.srv.policies.Users(uint64(o.cursor), int(o.count))
	out.Array(2)
	out.BulkText(decimal(int64(next)))
	out.Array(len(list))
	for _, u := range list {
		out.Array(2)
		out.BulkText(u.Name)
		out.Int(int64(u.Sessions))
	}
	return nil
}

// SESSION.EVENTS [AFTER seq] [COUNT count]
//
// Replies with a map: the numbers of the first and the last event that are kept, and
// those after seq, the oldest first; the last ones where seq is 0 or not told.
func sessionEvents(c *Client, in command.Args, out *resp.Reply) error {
	o, err := readSessionOptions(in, "AFTER", false)
	if err != nil {
		return err
	}
	list, first, last := c.srv.policies.Events(uint64(o.cursor), int(o.count))
	out.Map(3)
	writeNumber(out, "first", int64(first))
	writeNumber(out, "last", int64(last))
	out.BulkText("events")
	out.Array(len(list))
	for i := range list {
		c.writeEvent(&list[i], out)
	}
	return nil
}

func (c *Client) writeEvent(e *policy.Event, out *resp.Reply) {
	what := "ended"
	if e.Reason == policy.Created {
		what = "created"
	}
	out.Map(9)
	writeNumber(out, "seq", int64(e.Seq))
	writeMoment(out, "at", e.At)
	writeField(out, "type", what)
	writeField(out, "reason", e.Reason.String())
	writeNumber(out, "db", int64(e.DB))
	writeField(out, "key", e.Key)
	writeUser(out, e.User)
	writeMoment(out, "created", e.Born)
	writeField(out, "by", e.By)
}

// SESSION.STATS
//
// Replies with a map of figures.
func sessionStats(c *Client, _ command.Args, out *resp.Reply) error {
	f := c.srv.policies.Figures()
	fields, n := out.DeferArray(), 8
	writeNumber(out, "active", int64(f.Active))
	writeNumber(out, "users", int64(f.Users))
	for r := policy.Created; r <= policy.Flushed; r++ {
		writeNumber(out, r.String(), f.Ended[r])
		n++
	}
	writeNumber(out, "late-writes-refused", f.LateRefused)
	writeNumber(out, "over-limit-refused", f.OverRefused)
	writeNumber(out, "tombstones", int64(f.Tombstones))
	writeNumber(out, "last-event", int64(f.LastEvent))
	writeNumber(out, "memory", f.Memory)
	writeField(out, "prefix", c.srv.cfg.SessionPrefix)
	out.EndMap(fields, n)
	return nil
}
