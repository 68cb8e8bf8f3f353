package command

import (
	"math"

	"coatcheck/engine"
	"coatcheck/engine/errs"
)

// ttl is what SET and GETEX are told about the deadline.
type ttl struct {
	kind ttlKind
	arg  []byte // the number as it came; nil for keepTTL and persistTTL
}

type ttlKind uint8

const (
	noTTL      ttlKind = iota
	exTTL              // seconds from now
	pxTTL              // milliseconds from now
	exatTTL            // seconds since the epoch
	pxatTTL            // milliseconds since the epoch
	keepTTL            // as it is
	persistTTL         // none
)

// option takes the next words if they speak of the deadline, and says whether
// they did. The same kind may come again, then the last one counts; two kinds
// contradict each other.
func (t *ttl) option(c *cursor) bool {
	var kind ttlKind
	switch {
	case c.word("EX"):
		kind = exTTL
	case c.word("PX"):
		kind = pxTTL
	case c.word("EXAT"):
		kind = exatTTL
	case c.word("PXAT"):
		kind = pxatTTL
	default:
		return false
	}
	t.choose(c, kind)
	t.arg = c.arg()
	return true
}

// choose makes kind the one, unless there is another one already.
func (t *ttl) choose(c *cursor, kind ttlKind) {
	c.check(t.kind == noTTL || t.kind == kind)
	t.kind = kind
}

// at is the deadline, 0 for none. name is the command's, for its error.
func (t *ttl) at(now engine.UnixMilli, name string) (engine.UnixMilli, error) {
	if t.arg == nil {
		return 0, nil
	}
	n, err := intArg(t.arg)
	if err != nil {
		return 0, err
	}
	if n <= 0 {
		return 0, errs.InvalidExpire(name)
	}
	return deadline(n, t.kind, now, name)
}

// deadline turns a number of one of the first four kinds into a deadline.
func deadline(n int64, kind ttlKind, now engine.UnixMilli, name string) (engine.UnixMilli, error) {
	if kind == exTTL || kind == exatTTL {
		if n > math.MaxInt64/1000 || n < math.MinInt64/1000 {
			return 0, errs.InvalidExpire(name)
		}
		n *= 1000
	}
	if kind == exTTL || kind == pxTTL {
		if n > math.MaxInt64-int64(now) {
			return 0, errs.InvalidExpire(name)
		}
		n += int64(now)
	}
	return engine.UnixMilli(n), nil
}
