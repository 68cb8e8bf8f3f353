package command

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Expiry is the family of commands on deadlines.
var Expiry = []Entry[*engine.Tx]{
	{Spec: expireSpec("EXPIRE", "seconds:integer", "1.0.0",
		"Sets a key's time to live in seconds."), Run: expire},
	{Spec: expireSpec("PEXPIRE", "milliseconds:integer", "2.6.0",
		"Sets a key's time to live in milliseconds."), Run: pexpire},
	{Spec: expireSpec("EXPIREAT", "unix-time-seconds:unix-time", "1.2.0",
		"Sets a key's deadline, in seconds since the Unix epoch."), Run: expireat},
	{Spec: expireSpec("PEXPIREAT", "unix-time-milliseconds:unix-time", "2.6.0",
		"Sets a key's deadline, in milliseconds since the Unix epoch."), Run: pexpireat},
	{Spec: ttlSpec("TTL", "1.0.0", "Tells a key's time to live in seconds."), Run: ttlCmd},
	{Spec: ttlSpec("PTTL", "2.6.0", "Tells a key's time to live in milliseconds."), Run: pttl},
	{Spec: ttlSpec("EXPIRETIME", "7.0.0", "Tells a key's deadline, in seconds since the Unix epoch."), Run: expiretime},
	{Spec: ttlSpec("PEXPIRETIME", "7.0.0", "Tells a key's deadline, in milliseconds since the Unix epoch."), Run: pexpiretime},
	{Spec: Spec{
		Name: "PERSIST", Syntax: "key", Arity: 2,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Drops a key's deadline.",
	}, Run: persist},
}

// expireSpec is what the commands that set a deadline have in common.
func expireSpec(name, when, since, summary string) Spec {
	return Spec{
		Name: name, Syntax: "key " + when + " condition:[NX | XX | GT | LT]", Arity: -3,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: since, Complexity: "O(1)", Summary: summary,
		History: [][2]string{{"7.0.0", "NX, XX, GT and LT."}},
	}
}

// ttlSpec is what the commands that tell a deadline have in common.
func ttlSpec(name, since, summary string) Spec {
	s := Spec{
		Name: name, Syntax: "key", Arity: 2,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: since, Complexity: "O(1)", Summary: summary,
	}
	if since < "7" { // those that count from now
		s.Tips = []string{"nondeterministic_output"}
		s.History = [][2]string{{"2.8.0", "-2 for a missing key."}}
	}
	return s
}

// EXPIRE key seconds [NX | XX | GT | LT]
//
// Replies with 1, or 0 without a key or when the condition forbids it.
func expire(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setDeadline(tx, in, out, exTTL, "expire")
}

// PEXPIRE key milliseconds [NX | XX | GT | LT]
func pexpire(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setDeadline(tx, in, out, pxTTL, "pexpire")
}

// EXPIREAT key unix-time-seconds [NX | XX | GT | LT]
func expireat(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setDeadline(tx, in, out, exatTTL, "expireat")
}

// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]
func pexpireat(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setDeadline(tx, in, out, pxatTTL, "pexpireat")
}

func setDeadline(tx *engine.Tx, in Args, out *resp.Reply, kind ttlKind, name string) error {
	cond, err := expireCond(in)
	if err != nil {
		return err
	}
	n, err := intArg(in[2])
	if err != nil {
		return err
	}
	at, err := deadline(n, kind, tx.Now(), name)
	if err != nil {
		return err
	}
	out.Int(oneIf(tx.KeyExpire(in[1], at, cond)))
	return nil
}

// expireCond reads the conditions behind the number.
func expireCond(in Args) (cond engine.ExpireCond, err error) {
	c := options(in, 3)
	for c.more() {
		switch {
		case c.word("NX"):
			cond |= engine.ExpireNX
		case c.word("XX"):
			cond |= engine.ExpireXX
		case c.word("GT"):
			cond |= engine.ExpireGT
		case c.word("LT"):
			cond |= engine.ExpireLT
		default:
			c.fail(errs.UnsupportedOption(c.in[c.at]))
		}
	}
	const greaterLess = engine.ExpireGT | engine.ExpireLT
	switch {
	case cond&engine.ExpireNX != 0 && cond != engine.ExpireNX:
		c.fail(errs.ExpireNXConflict)
	case cond&greaterLess == greaterLess:
		c.fail(errs.ExpireGTConflict)
	}
	return cond, c.err
}

// TTL key
//
// Replies with whole seconds, rounded; -1 without a deadline, -2 without a key.
func ttlCmd(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellDeadline(tx, in, out, tx.Now(), true)
}

// PTTL key
func pttl(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellDeadline(tx, in, out, tx.Now(), false)
}

// EXPIRETIME key
func expiretime(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellDeadline(tx, in, out, 0, true)
}

// PEXPIRETIME key
func pexpiretime(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellDeadline(tx, in, out, 0, false)
}

// tellDeadline tells it as counted from a time on.
func tellDeadline(tx *engine.Tx, in Args, out *resp.Reply, from engine.UnixMilli, seconds bool) error {
	at, ok := tx.ExpireAt(in[1])
	switch {
	case !ok:
		out.Int(-2)
	case at == engine.Never:
		out.Int(-1)
	case seconds:
		out.Int(int64((uint64(at-from) + 500) / 1000))
	default:
		out.Int(int64(at - from))
	}
	return nil
}

// PERSIST key
//
// Replies with 1, or 0 without a key or a deadline.
func persist(tx *engine.Tx, in Args, out *resp.Reply) error {
	out.Int(oneIf(tx.KeyPersist(in[1])))
	return nil
}
