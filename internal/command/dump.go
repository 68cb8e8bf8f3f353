package command

import (
	"errors"
	"math"
	"strconv"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/rdb"
	"coatcheck/resp"
)

// Dumps is the family of commands that take values out of the store and put them
// into another.
var Dumps = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "DUMP", Syntax: "key", Arity: 2,
		Flags: ReadOnly, Keys: []KeySpec{{First: 1, Step: 1, Flags: RO | Access}}, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "2.6.0", Complexity: "O(1) to find the key and O(N*M) to write it down, with N elements of M bytes on average.",
		Summary: "Returns a key's value in the form that RESTORE takes.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: dump},
	restoreEntry("RESTORE", "2.6.0", 0),
	restoreEntry("RESTORE-ASKING", "3.0.0", Asking),
}

// restoreEntry is RESTORE, or what nodes of a cluster call it between them.
func restoreEntry(name, since string, flags Flags) Entry[*engine.Tx] {
	e := Entry[*engine.Tx]{Spec: Spec{
		Name: name, Arity: -4,
		Syntax: "key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:integer] [FREQ frequency:integer]",
		Flags:  Write | DenyOOM | flags, Keys: []KeySpec{{First: 1, Step: 1, Flags: OW | Update}},
		Categories: []string{"keyspace", "dangerous"},
		Group:      GroupGeneric, Since: since,
		Complexity: "O(1) to make the key and O(N*M) to build its value of N elements of M bytes on average; O(N*M*log(N)) for a sorted set.",
		Summary:    "Makes a key of a value that DUMP returned.",
		History: [][2]string{
			{"3.0.0", "REPLACE."},
			{"5.0.0", "ABSTTL."},
			{"5.0.0", "IDLETIME and FREQ."},
		},
	}, Run: restore}
	if flags != 0 {
		e.Group, e.Summary = GroupServer, "Is RESTORE between nodes of a cluster."
		e.DocFlags = []string{"syscmd"}
	}
	return e
}

// DUMP key
//
// Replies with the value and its checksum in Redis' dump format, without the
// deadline, or null without a key.
func dump(tx *engine.Tx, in Args, out *resp.Reply) error {
	v, ok := tx.ViewRead(in[1])
	if !ok {
		out.Null()
		return nil
	}
	e := rdb.Encoder{Compress: true}
	out.BulkString(e.AppendDump(nil, v))
	return nil
}

var (
	errPayload = &errs.Error{Code: "ERR", Text: "DUMP payload version or checksum are wrong"}
	errTTL     = &errs.Error{Code: "ERR", Text: "Invalid TTL value, must be >= 0"}
	errIdle    = &errs.Error{Code: "ERR", Text: "Invalid IDLETIME value, must be >= 0"}
	errFreq    = &errs.Error{Code: "ERR", Text: "Invalid FREQ value, must be >= 0 and <= 255"}
)

// RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
func restore(tx *engine.Tx, in Args, out *resp.Reply) error {
	opt := engine.RestoreOptions{Idle: -1, Freq: -1}
	absolute := false
	c := options(in, 4)
	for c.more() {
		switch {
		case c.word("REPLACE"):
			opt.Replace = true
		case c.word("ABSTTL"):
			absolute = true
		case c.at+1 < len(in) && opt.Freq < 0 && c.word("IDLETIME"):
			if opt.Idle = c.int(); c.err == nil && opt.Idle < 0 {
				c.fail(errIdle)
			}
		case c.at+1 < len(in) && opt.Idle < 0 && c.word("FREQ"):
			if opt.Freq = c.int(); c.err == nil && (opt.Freq < 0 || opt.Freq > math.MaxUint8) {
				c.fail(errFreq)
			}
		default:
			c.fail(errs.Syntax)
		}
	}
	if c.err != nil {
		return c.err
	}
	if !opt.Replace && tx.Has(in[1]) {
		return errs.BusyKey
	}
	ttl, err := intArg(in[2])
	if err != nil {
		return err
	}
	if ttl < 0 {
		return errTTL
	}
	v, err := rdb.ParseDump(in[3])
	switch {
	case errors.Is(err, rdb.ErrDump):
		return errPayload
	case err != nil:
		return engine.ErrValue
	}
	if ttl > 0 {
		if opt.At = engine.UnixMilli(ttl); !absolute {
			opt.At = tx.Now() + engine.UnixMilli(min(ttl, math.MaxInt64-int64(tx.Now())))
		}
	}
	if tx.WantsArgv() {
		opt.Argv = restoreArgv(in, opt)
	}
	if err := tx.ValueRestore(in[1], &v, opt); err != nil {
		return err
	}
	out.Status("OK")
	return nil
}

// restoreArgv is the command that repeats a RESTORE, with an absolute deadline.
func restoreArgv(in Args, opt engine.RestoreOptions) [][]byte {
	argv := [][]byte{[]byte("RESTORE"), in[1], []byte("0"), in[3]}
	if opt.Replace {
		argv = append(argv, []byte("REPLACE"))
	}
	if opt.At > 0 {
		argv[2] = strconv.AppendInt(nil, int64(opt.At), 10)
		argv = append(argv, []byte("ABSTTL"))
	}
	if opt.Idle >= 0 {
		argv = append(argv, []byte("IDLETIME"), strconv.AppendInt(nil, opt.Idle, 10))
	}
	if opt.Freq >= 0 {
		argv = append(argv, []byte("FREQ"), strconv.AppendInt(nil, opt.Freq, 10))
	}
	return argv
}
