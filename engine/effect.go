package engine

// Class groups effects as notify-keyspace-events does.
type Class uint32

// The classes, with the letter that notify-keyspace-events gives each.
const (
	ClassGeneric Class = 1 << iota // g
	ClassString                    // $
	ClassList                      // l
	ClassSet                       // s
	ClassHash                      // h
	ClassZSet                      // z
	ClassStream                    // t
	ClassExpired                   // x
	ClassEvicted                   // e
	ClassNew                       // n
	ClassMissed                    // m: announced, but not a change
	// ClassOverwritten is of values that gave way to another key's (RENAME,
	// COPY); the event "new" of the same key follows. Not for clients.
	ClassOverwritten
	// ClassRepeat is of effects that only carry the command for the changes of
	// an operation on several keys, announced just before. Not for clients.
	ClassRepeat
)

// Effect is one change of the keyspace, as told to the sinks.
type Effect struct {
	DB    int // -1: all of them
	Class Class
	// Event is Redis' event name: "set", "del", "expire", "expired", …
	// Empty for changes that have none (flushall, swapdb) and for ClassRepeat.
	Event string
	// Key is the key that changed; nil when the whole db or keyspace did, and
	// for ClassRepeat. It is good until Effect returns.
	Key []byte
	// Argv is the command that repeats the change exactly (absolute times,
	// chosen members), nil where another effect of the same operation
	// carries it, or where no sink asked for it. It is always there for changes
	// without a Key. Good until Effect returns.
	Argv [][]byte
	// ArgvDB is the db on which Argv is to run: DB, except for a COPY to
	// another one.
	ArgvDB int
	// Also says that this is a further event of a change which another effect
	// of the same operation stands for: the "new" or the "expire" of a SET.
	Also bool
}

// Concerns says whether a change without a Key is one of db: of all dbs, of this
// one, or of two that were exchanged.
func (e *Effect) Concerns(db int) bool {
	if e.DB < 0 || e.DB == db {
		return true
	}
	if len(e.Argv) != 3 || string(e.Argv[0]) != "SWAPDB" {
		return false
	}
	other, _ := ParseInt(e.Argv[2])
	return other == int64(db)
}

// Sink is told of every effect, in order, under the engine's lock. It must not
// block, and not call the engine but through tx.
type Sink interface {
	// Wants says what the sink needs; asked when it is added, and when
	// WantsChanged is called.
	Wants() Wants
	Effect(tx *Tx, e *Effect)
}

// Wants is what a sink needs of effects.
type Wants struct {
	// Events: be called at all for effects of these classes.
	Events Class
	// Prefix: of these, only for those on keys that begin so.
	Prefix []byte
	// Argv: effects must carry the command that repeats them.
	Argv bool
}

// ReplaySink is a Sink that also hears of what is run again (Held.Replay).
type ReplaySink interface {
	Sink
	HearsReplay()
}

// UnitSink is a Sink that also hears where execution units end, and with them
// what others must repeat as a whole: the effects since the last end are of one
// unit (a command, an EXEC, a script, one key that expired or was evicted by
// itself). A unit without effects does not end audibly. Who propagates commands
// puts those of a unit between MULTI and EXEC when there is more than one.
type UnitSink interface {
	Sink
	EndUnit(tx *Tx)
}
