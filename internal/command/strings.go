package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Strings is the family of commands on whole strings.
var Strings = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "GET", Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Returns the string value of a key.",
	}, Run: get},
	{Spec: Spec{
		Name: "SET", Arity: -3,
		Syntax: "key value condition:[NX | XX] [GET] expiration:[EX seconds:integer | PX milliseconds:integer" +
			" | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL]",
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, RW | Access | Update | VariableFlags}}, KeyFlagsOf: setKeyFlags,
		Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Sets the string value of a key, whatever it held. The key is created when absent.",
		History: [][2]string{
			{"2.6.12", "EX, PX, NX and XX."},
			{"6.0.0", "KEEPTTL."},
			{"6.2.0", "GET, EXAT and PXAT."},
			{"7.0.0", "NX and GET go together."},
		},
	}, Run: set},
	{Spec: Spec{
		Name: "SETNX", Syntax: "key value", Arity: 3,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, OW | Insert}},
		Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary:  "Sets the string value of a key if the key does not exist.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "2.6.12", ReplacedBy: "`SET` with the `NX` argument",
	}, Run: setnx},
	{Spec: Spec{
		Name: "SETEX", Syntax: "key seconds:integer value", Arity: 4,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, OW | Update}},
		Group: GroupString, Since: "2.0.0", Complexity: "O(1)",
		Summary:  "Sets the string value and the time to live of a key.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "2.6.12", ReplacedBy: "`SET` with the `EX` argument",
	}, Run: setex},
	{Spec: Spec{
		Name: "PSETEX", Syntax: "key milliseconds:integer value", Arity: 4,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, 0, 1, OW | Update}},
		Group: GroupString, Since: "2.6.0", Complexity: "O(1)",
		Summary:  "Sets the string value and the time to live in milliseconds of a key.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "2.6.12", ReplacedBy: "`SET` with the `PX` argument",
	}, Run: psetex},
	{Spec: Spec{
		Name: "GETSET", Syntax: "key value", Arity: 3,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupString, Since: "1.0.0", Complexity: "O(1)",
		Summary:  "Sets the string value of a key and returns the old one.",
		DocFlags: []string{"deprecated"}, DeprecatedSince: "6.2.0", ReplacedBy: "`SET` with the `!GET` argument",
	}, Run: getset},
	{Spec: Spec{
		Name: "GETDEL", Syntax: "key", Arity: 2,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}},
		Group: GroupString, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Returns the string value of a key and deletes the key.",
	}, Run: getdel},
	{Spec: Spec{
		Name: "GETEX", Arity: -2,
		Syntax: "key expiration:[EX seconds:integer | PX milliseconds:integer" +
			" | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST]",
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupString, Since: "6.2.0", Complexity: "O(1)",
		Summary: "Returns the string value of a key after setting or dropping its deadline.",
	}, Run: getex},
	{Spec: Spec{
		Name: "MGET", Syntax: "key...", Arity: -2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, -1, 1, RO | Access}},
		Group: GroupString, Since: "1.0.0", Complexity: "O(N) in the keys.",
		Summary: "Returns the string values of several keys.",
		Tips:    []string{"request_policy:multi_shard"},
	}, Run: mget},
	{Spec: Spec{
		Name: "MSET", Syntax: "data:(key value)...", Arity: -3,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, -1, 2, OW | Update}},
		Group: GroupString, Since: "1.0.1", Complexity: "O(N) in the keys.",
		Summary: "Sets the string values of several keys at once.",
		Tips:    []string{"request_policy:multi_shard", "response_policy:all_succeeded"},
	}, Run: mset},
	{Spec: Spec{
		Name: "MSETNX", Syntax: "data:(key value)...", Arity: -3,
		Flags: Write | DenyOOM, Keys: []KeySpec{{1, -1, 2, OW | Insert}},
		Group: GroupString, Since: "1.0.1", Complexity: "O(N) in the keys.",
		Summary: "Sets the string values of several keys at once if none of them exists.",
		Tips:    []string{"request_policy:multi_shard", "response_policy:agg_min"},
	}, Run: msetnx},
}

// GET key
//
// Replies with the string, or null without a key.
func get(tx *engine.Tx, in Args, out *resp.Reply) error {
	val, ok, err := tx.String(in[1])
	if err != nil {
		return err
	}
	bulkOrNull(out, val, ok)
	return nil
}

// bulkOrNull replies with a value that may be missing.
func bulkOrNull(out *resp.Reply, val []byte, ok bool) {
	if !ok {
		out.Null()
		return
	}
	out.BulkString(val)
}

// SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]
//
// Replies with OK, or null when NX or XX forbade it; with GET the old string or
// null, set or not.
func set(tx *engine.Tx, in Args, out *resp.Reply) error {
	var opt engine.SetOptions
	var t ttl
	c := options(in, 3)
	for c.more() {
		switch {
		case c.word("NX"):
			c.check(opt.If != engine.IfExists)
			opt.If = engine.IfMissing
		case c.word("XX"):
			c.check(opt.If != engine.IfMissing)
			opt.If = engine.IfExists
		case c.word("GET"):
			opt.Get = true
		case c.word("KEEPTTL"):
			t.choose(&c, keepTTL)
		case t.option(&c):
		default:
			c.fail(errs.Syntax)
		}
	}
	if c.err != nil {
		return c.err
	}
	opt.KeepTTL = t.kind == keepTTL
	var err error
	if opt.At, err = t.at(tx.Now(), "set"); err != nil {
		return err
	}
	res, err := tx.StringSet(in[1], in[2], opt)
	switch {
	case err != nil:
		return err
	case opt.Get:
		bulkOrNull(out, res.Old, res.Had)
	case !res.Done:
		out.Null()
	default:
		out.Status("OK")
	}
	return nil
}

// setKeyFlags: SET reads its key only when told to.
func setKeyFlags(in Args) KeyFlags {
	if in.HasWord(3, "GET") {
		return RW | Access | Update
	}
	return OW | Update
}

// SETNX key value
//
// Replies with 1, or 0 when the key exists.
func setnx(tx *engine.Tx, in Args, out *resp.Reply) error {
	res, err := tx.StringSet(in[1], in[2], engine.SetOptions{If: engine.IfMissing})
	if err != nil {
		return err
	}
	out.Int(oneIf(res.Done))
	return nil
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// SETEX key seconds value
func setex(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setWithTTL(tx, in, out, exTTL, "setex")
}

// PSETEX key milliseconds value
func psetex(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setWithTTL(tx, in, out, pxTTL, "psetex")
}

func setWithTTL(tx *engine.Tx, in Args, out *resp.Reply, kind ttlKind, name string) error {
	t := ttl{kind, in[2]}
	at, err := t.at(tx.Now(), name)
	if err != nil {
		return err
	}
	if _, err := tx.StringSet(in[1], in[3], engine.SetOptions{At: at}); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// GETSET key value
//
// Replies with the old string, or null without one.
func getset(tx *engine.Tx, in Args, out *resp.Reply) error {
	res, err := tx.StringSet(in[1], in[2], engine.SetOptions{Get: true})
	if err != nil {
		return err
	}
	bulkOrNull(out, res.Old, res.Had)
	return nil
}

// GETDEL key
//
// Replies with the string, or null without one.
func getdel(tx *engine.Tx, in Args, out *resp.Reply) error {
	val, ok, err := tx.StringGetDelete(in[1])
	if err != nil {
		return err
	}
	bulkOrNull(out, val, ok)
	return nil
}

// GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]
//
// Replies with the string, or null without one, for which the deadline's number
// is not looked at.
func getex(tx *engine.Tx, in Args, out *resp.Reply) error {
	var t ttl
	c := options(in, 2)
	for c.more() {
		switch {
		case c.word("PERSIST"):
			t.choose(&c, persistTTL)
		case t.option(&c):
		default:
			c.fail(errs.Syntax)
		}
	}
	if c.err != nil {
		return c.err
	}
	at, invalid := t.at(tx.Now(), "getex")
	if invalid != nil {
		if _, ok, err := tx.String(in[1]); err != nil {
			return err
		} else if ok {
			return invalid
		}
		out.Null()
		return nil
	}
	val, ok, err := tx.StringGetExpire(in[1], engine.TTLChange{At: at, Persist: t.kind == persistTTL})
	if err != nil {
		return err
	}
	bulkOrNull(out, val, ok)
	return nil
}

// MGET key [key ...]
//
// Replies with an array of the strings; null for a key that is missing or holds
// another type.
func mget(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Array(len(in) - 1)
	for _, key := range in[1:] {
		val, ok, err := tx.String(key)
		bulkOrNull(out, val, ok && err == nil)
	}
	return nil
}

// MSET key value [key value ...]
func mset(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in)%2 == 0 {
		return errs.WrongArity("mset")
	}
	tx.StringSetMany(in[1:], false)
	out.Status("OK")
	return nil
}

// MSETNX key value [key value ...]
//
// Replies with 1, or 0 when one of the keys exists: then none is set.
func msetnx(tx *engine.Tx, in Args, out *resp.Reply) error {
	if len(in)%2 == 0 {
		return errs.WrongArity("msetnx")
	}
	out.Int(oneIf(tx.StringSetMany(in[1:], true)))
	return nil
}
