// Package propagate turns effects into the bytes of the commands that repeat them: what
// an append-only file keeps and what replicas are sent. It knows effects and the shape of
// commands, not files or sockets.
//
// Who propagates is a sink (engine.UnitSink) that wants Argv and has an Encoder of its own:
//
//	func (l *Log) Effect(_ *engine.Tx, e *engine.Effect) { l.enc.Effect(e) }
//	func (l *Log) EndUnit(*engine.Tx)                    { l.pending = l.enc.AppendUnit(l.pending) }
//
// A unit with more than one command stands between MULTI and EXEC; a SELECT comes before a
// command for another db than the last one's, inside them, as with Redis. Reset is for a new
// file, or for a stream that somebody joins who has not heard the last SELECT.
package propagate

import (
	"strconv"

	"coatcheck/engine"
)

// Encoder collects the commands of the unit that runs. Its zero value is at the beginning
// of a file or stream, where no db is selected.
type Encoder struct {
	unit []byte
	cmds int
	db   int // that is selected, plus 1; 0: none is
}

// keptUnit is how large a buffer is kept from one unit to the next.
const keptUnit = 1 << 20

// Effect adds what repeats an effect, if that carries a command.
func (c *Encoder) Effect(e *engine.Effect) {
	if e.Argv == nil {
		return
	}
	c.Command(max(e.ArgvDB, 0), e.Argv...)
}

// Command adds a command for a db to the unit.
func (c *Encoder) Command(db int, argv ...[]byte) {
	if db+1 != c.db {
		c.unit = AppendSelect(c.unit, db)
		c.db = db + 1
	}
	c.unit = AppendCommand(c.unit, argv...)
	c.cmds++
}

// Commands is how many the unit has so far, SELECTs not counted.
func (c *Encoder) Commands() int { return c.cmds }

// AppendUnit ends the unit and appends it. One without commands is nothing.
func (c *Encoder) AppendUnit(dst []byte) []byte {
	switch c.cmds {
	case 0:
		return dst
	case 1:
		dst = append(dst, c.unit...)
	default:
		dst = append(append(append(dst, Multi...), c.unit...), Exec...)
	}
	c.cmds = 0
	if c.unit = c.unit[:0]; cap(c.unit) > keptUnit {
		c.unit = nil
	}
	return dst
}

// Reset has the next command select its db. It is called between units.
func (c *Encoder) Reset() { c.db = 0 }

// What units of several commands stand between.
const (
	Multi = "*1\r\n$5\r\nMULTI\r\n"
	Exec  = "*1\r\n$4\r\nEXEC\r\n"
)

// AppendSelect appends a SELECT.
func AppendSelect(dst []byte, db int) []byte {
	var digits [20]byte
	return AppendCommand(dst, []byte("SELECT"), strconv.AppendInt(digits[:0], int64(db), 10))
}

// AppendCommand appends a command as clients send it.
func AppendCommand(dst []byte, argv ...[]byte) []byte {
	dst = appendHeader(dst, '*', len(argv))
	for _, arg := range argv {
		dst = appendHeader(dst, '$', len(arg))
		dst = append(append(dst, arg...), "\r\n"...)
	}
	return dst
}

func appendHeader(dst []byte, mark byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, mark), int64(n), 10), "\r\n"...)
}
