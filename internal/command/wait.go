package command

import (
	"math"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// Wait is returned as an error by a handler of a blocking command that found
// nothing to reply with. What the handler appended to the reply is dropped, and
// it must have changed nothing.
//
// The server parks the client, without a goroutine, and runs the whole command
// again, gates included, when one of Keys is ready: when it holds a value of
// type Type and an effect on it was announced, or with OrGone also when it
// holds none of that type any more. The run replies (an error is a reply too),
// or returns a Wait again, and the client stays in its place in the queue with
// its first Deadline. Clients that wait for the same key are served in the order
// in which they began to; keys in the order in which they became ready. All of
// this happens before the lock is let go after the unit that made the key ready,
// also when that was not a command (an Engine.Do, a key that expired).
//
// Nobody waits inside EXEC or a script: there Refuse answers at once. A
// handler needs no other code for any of this, only the order: read the
// timeout with TimeoutSeconds or TimeoutMillis, try, return a Wait.
//
//	// BLPOP key [key ...] timeout
//	func blpop(tx *engine.Tx, in Args, out *resp.Reply) error {
//		last := len(in) - 1
//		deadline, err := TimeoutSeconds(in[last], tx.Now())
//		if err != nil {
//			return err
//		}
//		for _, key := range in[1:last] {
//			… reply with what is there, or fail with the wrong type …
//		}
//		return &Wait{Keys: in[1:last], Type: engine.TList, Deadline: deadline, OnTimeout: (*resp.Reply).NullArray}
//	}
type Wait struct {
	// Keys are what it waits for, in the unit's db; the server copies them. A
	// key that stands here twice counts once. With none, only the deadline or
	// another's CLIENT UNBLOCK ends it.
	Keys [][]byte
	Type engine.Type
	// OrGone: run again also when a key is deleted, or replaced by another type
	// (XREADGROUP, whose group is gone then).
	OrGone bool
	// Acks: run again when the append-only log, or a replica, has acknowledged more.
	Acks bool
	// Deadline is when OnTimeout answers; 0: never.
	Deadline engine.UnixMilli
	// OnTimeout appends the reply of a wait in vain. Required.
	OnTimeout func(out *resp.Reply)
	// AtOnce, unless nil, appends the reply where nobody waits (inside EXEC or a
	// script) instead of OnTimeout.
	AtOnce func(out *resp.Reply)
	// Alike, unless empty, names what is looked for in a key (the group of
	// XREADGROUP): when a client finds nothing, those behind it in the queue of
	// a ready key with the same Alike are not asked, for they would not either.
	Alike string
}

// Refuse appends the reply where nobody waits.
func (w *Wait) Refuse(out *resp.Reply) {
	if w.AtOnce != nil {
		w.AtOnce(out)
		return
	}
	w.OnTimeout(out)
}

// Error implements error; nobody sees the text.
func (*Wait) Error() string { return "command: nothing there to reply with" }

// TimeoutSeconds reads how long a command may wait, in seconds with a fraction,
// and returns the deadline, 0 for none. Part of a millisecond counts as a whole
// one (Redis timeout.c, getTimeoutFromObjectOrReply).
func TimeoutSeconds(arg []byte, now engine.UnixMilli) (engine.UnixMilli, error) {
	if n, ok := engine.ParseInt(arg); ok && n >= -maxWhole && n <= maxWhole {
		return waitUntil(n*1000, now)
	}
	f, ok := engine.ParseFloat(arg)
	if !ok {
		return 0, errs.TimeoutNotFloat
	}
	ms, ok := f.Milliseconds()
	if !ok {
		return 0, errs.TimeoutOutOfRange
	}
	return waitUntil(ms, now)
}

// maxWhole is how many seconds are read without the long way around floats.
const maxWhole = 1 << 40

// TimeoutMillis is TimeoutSeconds of an integer of milliseconds.
func TimeoutMillis(arg []byte, now engine.UnixMilli) (engine.UnixMilli, error) {
	ms, ok := engine.ParseInt(arg)
	if !ok {
		return 0, errs.TimeoutNotInteger
	}
	return waitUntil(ms, now)
}

func waitUntil(ms int64, now engine.UnixMilli) (engine.UnixMilli, error) {
	switch {
	case ms < 0:
		return 0, errs.TimeoutNegative
	case ms == 0:
		return 0, nil
	case ms > math.MaxInt64-int64(now):
		return 0, errs.TimeoutOutOfRange
	}
	return now + engine.UnixMilli(ms), nil
}
