package command

import (
	"math"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// FieldExpiry is the family of commands on deadlines of hashes' fields. As in Redis
// they find out first whether the key holds a hash, and read their words then.
var FieldExpiry = []Entry[*engine.Tx]{
	{Spec: hexpireSpec("HEXPIRE", "seconds:integer",
		"Sets the time to live of fields of a hash in seconds."), Run: hexpire},
	{Spec: hexpireSpec("HPEXPIRE", "milliseconds:integer",
		"Sets the time to live of fields of a hash in milliseconds."), Run: hpexpire},
	{Spec: hexpireSpec("HEXPIREAT", "unix-time-seconds:unix-time",
		"Sets the deadline of fields of a hash, in seconds since the Unix epoch."), Run: hexpireat},
	{Spec: hexpireSpec("HPEXPIREAT", "unix-time-milliseconds:unix-time",
		"Sets the deadline of fields of a hash, in milliseconds since the Unix epoch."), Run: hpexpireat},
	{Spec: httlSpec("HTTL", "Tells the time to live of fields of a hash in seconds."), Run: httl},
	{Spec: httlSpec("HPTTL", "Tells the time to live of fields of a hash in milliseconds."), Run: hpttl},
	{Spec: httlSpec("HEXPIRETIME", "Tells the deadline of fields of a hash, in seconds since the Unix epoch."), Run: hexpiretime},
	{Spec: httlSpec("HPEXPIRETIME", "Tells the deadline of fields of a hash, in milliseconds since the Unix epoch."), Run: hpexpiretime},
	{Spec: Spec{
		Name: "HPERSIST", Syntax: "key " + fieldsSyntax, Arity: -5,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupHash, Since: "7.4.0", Complexity: "O(1) a field.",
		Summary: "Drops the deadlines of fields of a hash.",
	}, Run: hpersist},
	{Spec: Spec{
		Name: "HGETDEL", Syntax: "key " + fieldsSyntax, Arity: -5,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Delete}},
		Group: GroupHash, Since: "8.0.0", Complexity: "O(1) a field.",
		Summary: "Returns the values of fields of a hash and removes them.",
	}, Run: hgetdel},
	{Spec: Spec{
		Name: "HGETEX", Syntax: "key expiration:[EX seconds:integer | PX milliseconds:integer" +
			" | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST] " + fieldsSyntax, Arity: -5,
		Flags: Write | Fast, Keys: []KeySpec{{1, 0, 1, RW | Access | Update}},
		Group: GroupHash, Since: "8.0.0", Complexity: "O(1) a field.",
		Summary: "Returns the values of fields of a hash after setting or dropping their deadlines.",
	}, Run: hgetex},
	{Spec: Spec{
		Name: "HSETEX", Syntax: "key condition:[FNX | FXX] expiration:[EX seconds:integer | PX milliseconds:integer" +
			" | EXAT unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | KEEPTTL]" +
			" FIELDS (numfields:integer data:(field value)...)", Arity: -6,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupHash, Since: "8.0.0", Complexity: "O(1) a field.",
		Summary: "Sets fields of a hash and their deadlines. The key is created when absent.",
	}, Run: hsetex},
}

const fieldsSyntax = "FIELDS (numfields:integer field...)"

// hexpireSpec is what the commands that set a deadline have in common.
func hexpireSpec(name, when, summary string) Spec {
	return Spec{
		Name: name, Syntax: "key " + when + " condition:[NX | XX | GT | LT] " + fieldsSyntax, Arity: -6,
		Flags: Write | DenyOOM | Fast, Keys: []KeySpec{{1, 0, 1, RW | Update}},
		Group: GroupHash, Since: "7.4.0", Complexity: "O(1) a field.", Summary: summary,
	}
}

// httlSpec is what the commands that tell a deadline have in common.
func httlSpec(name, summary string) Spec {
	return Spec{
		Name: name, Syntax: "key " + fieldsSyntax, Arity: -5,
		Flags: ReadOnly | Fast, Keys: []KeySpec{{1, 0, 1, RO | Access}},
		Group: GroupHash, Since: "7.4.0", Complexity: "O(1) a field.", Summary: summary,
	}
}

// fieldsArg reads FIELDS, the number of fields and them from in[at] on. bad answers
// a number that is none.
func fieldsArg(in Args, at int, bad error) ([][]byte, error) {
	if at >= len(in) || !isWord(in[at], "FIELDS") {
		return nil, errs.FieldsMissing
	}
	if at+1 >= len(in) {
		return nil, bad
	}
	n, ok := engine.ParseInt(in[at+1])
	if !ok || n < 1 {
		return nil, bad
	}
	fields := in[at+2:]
	if int64(len(fields)) != n {
		return nil, errs.FieldsNumber
	}
	return fields, nil
}

// fieldDeadline reads a deadline of fields.
func fieldDeadline(arg []byte, kind ttlKind, now engine.UnixMilli, name string) (engine.UnixMilli, error) {
	n, err := intArg(arg)
	switch {
	case err != nil:
		return 0, err
	case n < 0:
		return 0, errs.ExpireNegative
	}
	at, err := deadline(n, kind, now, name)
	if err == nil && at > engine.MaxFieldDue {
		err = errs.InvalidExpire(name)
	}
	return at, err
}

// HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
//
// Replies with an array: for each field -2 where there is none, 0 when the condition
// forbids it, 1, or 2 when the deadline has come already and the field is gone.
func hexpire(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setFieldDeadline(tx, in, out, exTTL, "hexpire")
}

// HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
func hpexpire(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setFieldDeadline(tx, in, out, pxTTL, "hpexpire")
}

// HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
func hexpireat(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setFieldDeadline(tx, in, out, exatTTL, "hexpireat")
}

// HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
func hpexpireat(tx *engine.Tx, in Args, out *resp.Reply) error {
	return setFieldDeadline(tx, in, out, pxatTTL, "hpexpireat")
}

func setFieldDeadline(tx *engine.Tx, in Args, out *resp.Reply, kind ttlKind, name string) error {
	if err := tx.HashIs(in[1]); err != nil {
		return err
	}
	at, err := fieldDeadline(in[2], kind, tx.Now(), name)
	if err != nil {
		return err
	}
	cond, from := engine.ExpireCond(0), 4
	switch {
	case isWord(in[3], "NX"):
		cond = engine.ExpireNX
	case isWord(in[3], "XX"):
		cond = engine.ExpireXX
	case isWord(in[3], "GT"):
		cond = engine.ExpireGT
	case isWord(in[3], "LT"):
		cond = engine.ExpireLT
	default:
		from = 3
	}
	fields, err := fieldsArg(in, from, errs.NumFieldsZero)
	if err != nil {
		return err
	}
	out.Array(len(fields))
	return tx.HashExpire(in[1], at, cond, fields, func(o engine.FieldOutcome) { out.Int(int64(o)) })
}

// HTTL key FIELDS numfields field [field ...]
//
// Replies with an array: for each field -2 where there is none, -1 without a
// deadline, or the whole seconds that are left, rounded up.
func httl(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellFieldDeadlines(tx, in, out, tx.Now(), true)
}

// HPTTL key FIELDS numfields field [field ...]
func hpttl(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellFieldDeadlines(tx, in, out, tx.Now(), false)
}

// HEXPIRETIME key FIELDS numfields field [field ...]
func hexpiretime(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellFieldDeadlines(tx, in, out, 0, true)
}

// HPEXPIRETIME key FIELDS numfields field [field ...]
func hpexpiretime(tx *engine.Tx, in Args, out *resp.Reply) error {
	return tellFieldDeadlines(tx, in, out, 0, false)
}

// tellFieldDeadlines tells them as counted from a time on.
func tellFieldDeadlines(tx *engine.Tx, in Args, out *resp.Reply, from engine.UnixMilli, seconds bool) error {
	if err := tx.HashIs(in[1]); err != nil {
		return err
	}
	fields, err := fieldsArg(in, 2, errs.NumFieldsBad)
	if err != nil {
		return err
	}
	out.Array(len(fields))
	return tx.HashDue(in[1], fields, func(due engine.UnixMilli, ok bool) {
		switch {
		case !ok:
			out.Int(int64(engine.FieldMissing))
		case due == engine.Never:
			out.Int(int64(engine.FieldNoDue))
		case seconds:
			out.Int(int64(due-from+999) / 1000)
		default:
			out.Int(int64(due - from))
		}
	})
}

// HPERSIST key FIELDS numfields field [field ...]
//
// Replies with an array: for each field -2 where there is none, -1 without a
// deadline, or 1.
func hpersist(tx *engine.Tx, in Args, out *resp.Reply) error {
	if err := tx.HashIs(in[1]); err != nil {
		return err
	}
	fields, err := fieldsArg(in, 2, errs.NumFieldsBad)
	if err != nil {
		return err
	}
	out.Array(len(fields))
	return tx.HashPersist(in[1], fields, func(o engine.FieldOutcome) { out.Int(int64(o)) })
}

// HGETDEL key FIELDS numfields field [field ...]
//
// Replies with an array of the values, null where there is no such field.
func hgetdel(tx *engine.Tx, in Args, out *resp.Reply) error {
	if err := tx.HashIs(in[1]); err != nil {
		return err
	}
	fields, err := fieldsArg(in, 2, errs.NumFieldsBad)
	if err != nil {
		return err
	}
	out.Array(len(fields))
	return tx.HashGetDelete(in[1], fields, func(val []byte, ok bool) { bulkOrNull(out, val, ok) })
}

// HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field ...]
//
// Replies with an array of the values, null where there is no such field.
func hgetex(tx *engine.Tx, in Args, out *resp.Reply) error {
	if err := tx.HashIs(in[1]); err != nil {
		return err
	}
	var change engine.TTLChange
	from := 2
	if kind := fieldTTLKind(in[2]); kind != noTTL {
		at, err := fieldDeadline(in[3], kind, tx.Now(), "hgetex")
		if err != nil {
			return err
		}
		change.At = max(at, 1) // all of these have come
		from = 4
	} else if isWord(in[2], "PERSIST") {
		change.Persist = true
		from = 3
	}
	fields, err := fieldsArg(in, from, errs.NumFieldsBad)
	if err != nil {
		return err
	}
	out.Array(len(fields))
	return tx.HashGetExpire(in[1], fields, change, func(val []byte, ok bool) { bulkOrNull(out, val, ok) })
}

// fieldTTLKind is the kind of deadline that a word announces, noTTL for none.
func fieldTTLKind(word []byte) ttlKind {
	switch {
	case isWord(word, "EX"):
		return exTTL
	case isWord(word, "PX"):
		return pxTTL
	case isWord(word, "EXAT"):
		return exatTTL
	case isWord(word, "PXAT"):
		return pxatTTL
	}
	return noTTL
}

// HSETEX key [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS numfields field value [field value ...]
//
// Replies with 1, or 0 when the condition forbade it. Its words are read before the
// key is looked at; FIELDS is the last option.
func hsetex(tx *engine.Tx, in Args, out *resp.Reply) error {
	pairs, opt, err := hsetexArgs(tx, in)
	if err != nil {
		return err
	}
	done, err := tx.HashSetExpire(in[1], pairs, opt)
	if err != nil {
		return err
	}
	out.Int(oneIf(done))
	return nil
}

func hsetexArgs(tx *engine.Tx, in Args) (pairs [][]byte, opt engine.HashSetOptions, err error) {
	for i := 2; i < len(in); i++ {
		kind := fieldTTLKind(in[i])
		switch {
		case isWord(in[i], "FIELDS"):
			pairs, err = hsetexPairs(in, i+1)
			return pairs, opt, err
		case kind != noTTL || isWord(in[i], "KEEPTTL"):
			if opt.At != 0 || opt.KeepTTL {
				return nil, opt, errs.FieldDeadlines
			}
			if kind == noTTL {
				opt.KeepTTL = true
				continue
			}
			if i++; i == len(in) {
				return nil, opt, errs.ExpireMissing
			}
			if opt.At, err = fieldDeadline(in[i], kind, tx.Now(), "hsetex"); err != nil {
				return nil, opt, err
			}
			opt.At = max(opt.At, 1) // all of these have come
		case isWord(in[i], "FXX"), isWord(in[i], "FNX"):
			if opt.If != engine.Always {
				return nil, opt, errs.FieldConditions
			}
			if opt.If = engine.IfMissing; isWord(in[i], "FXX") {
				opt.If = engine.IfExists
			}
		default:
			return nil, opt, errs.UnknownArgument(in[i])
		}
	}
	return nil, opt, errs.WrongArity("hsetex") // no such call is long enough for the arity
}

// hsetexPairs reads the number of fields at in[at] and them with their values.
func hsetexPairs(in Args, at int) ([][]byte, error) {
	if at >= len(in)-1 {
		return nil, errs.WrongArity("hsetex")
	}
	n, ok := engine.ParseInt(in[at])
	if !ok || n < 1 || n > math.MaxInt32 {
		return nil, errs.InvalidFields
	}
	pairs := in[at+1:]
	if int64(len(pairs)) != 2*n {
		return nil, errs.WrongArity("hsetex")
	}
	return pairs, nil
}
