package command

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Walks is the family of commands that walk over keys.
var Walks = []Entry[*engine.Tx]{
	{Spec: Spec{
		Name: "KEYS", Syntax: "pattern:pattern", Arity: 2,
		Flags: ReadOnly | Sliced, Categories: []string{"keyspace", "dangerous"},
		Group: GroupGeneric, Since: "1.0.0", Complexity: "O(N) in the keys of the database.",
		Summary: "Returns all keys that match a pattern.",
		Tips:    []string{"request_policy:all_shards", "nondeterministic_output_order"},
	}, Run: keys},
	{Spec: Spec{
		Name: "SCAN", Arity: -2,
		Syntax: "cursor:integer [MATCH pattern:pattern] [COUNT count:integer] [TYPE type]",
		Flags:  ReadOnly, Categories: []string{"keyspace"},
		Group: GroupGeneric, Since: "2.8.0", Complexity: "O(1) for a call, O(N) for a whole walk over N keys.",
		Summary: "Walks over the keys of the database in steps.",
		Tips:    []string{"nondeterministic_output", "request_policy:special"},
		History: [][2]string{{"6.0.0", "TYPE."}},
	}, Run: scan},
}

// A slice of KEYS ends after so many keys looked at or replied with, bytes replied
// or time, as a pattern may be slow, and keys long. The clock is asked after one
// key, and then after ever more.
const (
	keysSlice  = 1000
	keysGlance = 1
	keysBytes  = 128 << 10
	keysTime   = 500 * time.Microsecond
)

// KEYS pattern
//
// Replies with an array in no particular order. Over many keys it works in
// slices: a key that comes or goes meanwhile may be in it or not.
func keys(tx *engine.Tx, in Args, out *resp.Reply) error {
	pattern := in[1]
	if engine.IsLiteral(pattern) {
		if !tx.Has(pattern) {
			out.Array(0)
			return nil
		}
		out.Array(1)
		out.BulkString(pattern)
		return nil
	}
	if tx.Len() > keysSlice {
		w := &keysWalk{pattern: bytes.Clone(pattern)}
		return &More{Step: w.step}
	}
	n, list := 0, out.DeferArray()
	tx.KeyScan(0, engine.ScanOptions{Match: pattern, Count: keysSlice}, func(key []byte) {
		out.BulkString(key)
		n++
	})
	out.EndArray(list, n)
	return nil
}

// keysWalk is a KEYS in slices: first it finds them all, since the reply begins
// with their number, then it replies.
type keysWalk struct {
	pattern []byte
	cursor  uint64
	found   keyList
	told    int
	walked  bool
}

func (w *keysWalk) step(tx *engine.Tx, out *resp.Reply) (done bool, err error) {
	if !w.walked {
		w.find(tx)
		return false, nil
	}
	if w.told == 0 {
		out.Array(w.found.n)
	}
	start := out.Len()
	for range min(keysSlice, w.found.n-w.told) {
		if out.Len()-start >= keysBytes {
			break
		}
		out.BulkString(w.found.next())
		w.told++
	}
	return w.told == w.found.n, nil
}

// find looks at the keys of one slice.
func (w *keysWalk) find(tx *engine.Tx) {
	clock := engine.SystemClock{}
	start := clock.Now()
	opt := engine.ScanOptions{Match: w.pattern, Count: keysGlance}
	for looked := 0; looked < keysSlice; opt.Count *= 2 {
		w.cursor = tx.KeyScan(w.cursor, opt, w.found.add)
		looked += opt.Count
		if w.walked = w.cursor == 0; w.walked || clock.Now().Sub(start) >= keysTime {
			return
		}
	}
}

// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]
//
// Replies with the cursor to go on from, "0" at the end, and an array of keys.
func scan(tx *engine.Tx, in Args, out *resp.Reply) error {
	at, err := scanCursor(in[1])
	if err != nil {
		return err
	}
	var opt engine.ScanOptions
	c := options(in, 2)
	for c.more() {
		switch {
		case c.word("MATCH"):
			opt.Match = c.arg()
		case c.word("COUNT"):
			opt.Count = countArg(&c)
		case c.word("TYPE"):
			opt.Type = string(c.arg())
			if opt.Type == "" {
				opt.Type = "\x00" // which no type is called
			}
		default:
			c.fail(errs.Syntax)
		}
	}
	if c.err != nil {
		return c.err
	}
	var found keyList
	next := tx.KeyScan(at, opt, found.add)
	out.Array(2)
	out.BulkText(strconv.FormatUint(next, 10))
	out.Array(found.n)
	for range found.n {
		out.BulkString(found.next())
	}
	return nil
}

// countArg takes how many keys to look at, at least one.
func countArg(c *cursor) int {
	n := c.int()
	c.check(n >= 1)
	return int(min(n, math.MaxInt32))
}

// scanCursor reads a cursor as C's strtoul does, which Redis asks: a sign may
// stand in front, and nothing at all is 0.
func scanCursor(arg []byte) (uint64, error) {
	if i := bytes.IndexByte(arg, 0); i >= 0 {
		arg = arg[:i]
	}
	if len(arg) == 0 {
		return 0, nil
	}
	digits, negative := arg, arg[0] == '-'
	if negative || arg[0] == '+' {
		digits = arg[1:]
	}
	for _, ch := range digits {
		if ch < '0' || ch > '9' {
			return 0, errs.InvalidCursor
		}
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0, errs.InvalidCursor
	}
	if negative {
		n = -n
	}
	return n, nil
}

// keyList keeps copies of keys in chunks, so that it never moves what it has.
type keyList struct {
	n      int // keys in it
	chunks [][]byte
	chunk  int // next: the chunk to read, and where in it
	at     int
}

// keyChunk is the size of all chunks but the first few and those for a key that
// is larger.
const keyChunk = 64 << 10

// add appends a copy of key, with its length in front.
func (l *keyList) add(key []byte) {
	need := len(key) + 4
	last := len(l.chunks) - 1
	if last < 0 || cap(l.chunks[last])-len(l.chunks[last]) < need {
		size := min(keyChunk, 512<<min(len(l.chunks), 10))
		l.chunks = append(l.chunks, make([]byte, 0, max(size, need)))
		last++
	}
	n := len(key)
	l.chunks[last] = append(l.chunks[last], byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	l.chunks[last] = append(l.chunks[last], key...)
	l.n++
}

// next returns the keys one after another, and lets go of the chunks it is
// done with.
func (l *keyList) next() []byte {
	for l.at == len(l.chunks[l.chunk]) {
		l.chunks[l.chunk] = nil
		l.chunk++
		l.at = 0
	}
	c := l.chunks[l.chunk][l.at:]
	n := int(c[0]) | int(c[1])<<8 | int(c[2])<<16 | int(c[3])<<24
	l.at += 4 + n
	return c[4 : 4+n]
}
