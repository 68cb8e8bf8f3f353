// Package policy keeps the promises about sessions, the keys under a prefix, that only
// the store can keep: ids that are not written again, a longest life, an index by
// user, a number of sessions per user, and a log of what came and went. It knows the
// engine, not clients or configuration files.
//
// A Keeper hears every effect, and is the engine's guard. For each session it has a
// record; what it knows follows from the effects alone, so that it is exact after
// each, whichever command it came from.
package policy

import (
	"bytes"
	"unsafe"

	"coatcheck/engine"
)

// Reason is why a session came or went.
type Reason uint8

// The reasons.
const (
	Created     Reason = iota // there is a new one
	Deleted                   // a command deleted it
	Expired                   // its time had come
	Evicted                   // it made room for others
	Revoked                   // SESSION.REVOKE
	Limit                     // its user has newer ones, as many as may be
	Renamed                   // it has another id now
	Moved                     // it is in another db now
	Overwritten               // another key took its name
	Flushed                   // with its whole db
	reasons
)

var reasonNames = [reasons]string{"created", "deleted", "expired", "evicted", "revoked", "limit", "renamed", "moved", "overwritten", "flushed"}

func (r Reason) String() string { return reasonNames[r] }

// Options are the policies. Without a Prefix, and with the zero value, there are none.
type Options struct {
	Prefix string
	// TombstoneTTL is how long, in milliseconds, the id of a session that was
	// deleted can't be written again; TombstoneExpired and TombstoneEvicted have
	// those that expired or were evicted treated alike. TombstoneMax bounds how
	// many are kept: the oldest give way.
	TombstoneTTL                       int64
	TombstoneExpired, TombstoneEvicted bool
	TombstoneMax                       int
	// MaxLifetime is how long a session may live from its creation, in milliseconds.
	MaxLifetime int64
	// Users is where a session's user stands; nil: nobody looks.
	Users *Paths
	// MaxPerUser is how many sessions a user may have; the oldest ends when there
	// are more or, with Refuse, a further one is refused.
	MaxPerUser int
	Refuse     bool
	// Events is how many of the last events are kept.
	Events int
}

// isOn says whether there is any policy.
func (o *Options) isOn() bool {
	return o.Prefix != "" && (o.TombstoneTTL > 0 || o.MaxLifetime > 0 || o.Users != nil || o.Events > 0)
}

// Figures count what the policies did. Ended is by reason.
type Figures struct {
	Ended       [reasons]int64 // Created counts those that came
	LateRefused int64          // writes to ids of ended sessions
	OverRefused int64          // writes that would have given a user too many
	Active      int
	Users       int
	Tombstones  int
	LastEvent   uint64
	Memory      int64 // bytes
}

// Keeper keeps the policies of one server. All of it is under the engine's lock.
type Keeper struct {
	opt    Options
	prefix []byte
	on     bool
	by     func() string // who is being served; "" for nobody

	dbs    []*table
	hash   func(key []byte) uint64 // the engine's
	warmth byte                    // keeps the compiler from dropping the reads of Warm
	age    uint64
	index  index
	tombs  tombstones
	log    log
	counts Figures
	memory int64 // as the engine was told, in bytes

	why  Reason // of the deletion that the keeper or SESSION.REVOKE is doing
	busy bool   // such a deletion runs
	heir heir
	same *record // whose value has just been allowed to change, and whose user stays
	// fallen is the last session that another key took the name of.
	fallen *record
	over   []*user // who have too many sessions
	idle   bool    // effects are not to be heard: what is there is being learnt
	follow bool    // see Follow
	loads  map[loadedKey]engine.UnixMilli
}

// record is what is known of a session.
type record struct {
	key  string
	db   int
	age  uint64 // rises with each that is created
	born engine.UnixMilli

	user       *user
	at         spot    // of its user\'s name, while it is a string
	prev, next *record // of the same user, the older and the younger one
}

// heir is what a session takes over from the one whose value it gets.
type heir struct {
	is   bool
	db   int
	key  string
	born engine.UnixMilli
	age  uint64 // 0: its own
}

type loadedKey struct {
	db  int
	key string
}

// perRecord is what a record takes beside its key.
const perRecord = int64(unsafe.Sizeof(record{}))

// New makes a Keeper without policies, of an engine with so many dbs. by says who is
// being served.
func New(eng *engine.Engine, dbs int, by func() string) *Keeper {
	k := &Keeper{by: by, hash: eng.Hash, dbs: make([]*table, dbs)}
	k.forget()
	return k
}

// Set changes the policies. What is there already is learnt by a walk over all keys
// when the prefix or the place of the user changes, or when the first policy comes;
// sessions that live too long get their deadline.
func (k *Keeper) Set(h engine.Held, now engine.UnixMilli, opt Options) {
	was, before := k.on, k.opt
	k.opt, k.prefix, k.on = opt, []byte(opt.Prefix), opt.isOn()
	if was {
		h.RemoveSink(k)
	}
	h.SetGuard(nil)
	k.tombs.limit(opt.TombstoneMax)
	if opt.TombstoneTTL == 0 || !k.on || opt.Prefix != before.Prefix {
		k.tombs.clear()
	}
	k.log.resize(opt.Events)
	if !k.on {
		k.forget()
		k.log.resize(0)
		k.settle(h)
		return
	}
	if !k.follow {
		h.SetGuard(k)
	}
	if !was || opt.Prefix != before.Prefix || opt.Users != before.Users || opt.MaxLifetime != before.MaxLifetime ||
		opt.MaxPerUser != before.MaxPerUser {
		k.learn(h, now)
	}
	h.AddSink(k)
	k.enforce(h, now)
	k.settle(h)
}

// Follow says whether another store decides what happens, and this one only repeats it:
// then the keeper takes note of what it does, refuses nothing and ends nothing. When
// that is over, it sees to it that the policies hold.
func (k *Keeper) Follow(h engine.Held, now engine.UnixMilli, on bool) {
	if k.follow == on {
		return
	}
	k.follow = on
	switch {
	case !k.on:
	case on:
		h.SetGuard(nil)
	default:
		h.SetGuard(k)
		for _, u := range k.index.names {
			if k.opt.MaxPerUser > 0 && u.n > k.opt.MaxPerUser {
				k.over = append(k.over, u)
			}
		}
		k.enforce(h, now)
		k.settle(h)
	}
}

// find is the record of a session, nil without one.
func (k *Keeper) find(db int, key []byte) *record {
	if k.dbs[db] == nil {
		return nil
	}
	return k.dbs[db].find(k.hash(key), key)
}

// forget forgets all sessions.
func (k *Keeper) forget() {
	for db := range k.dbs {
		k.dbs[db] = nil
	}
	k.index.clear()
	k.counts.Active, k.over, k.heir = 0, nil, heir{}
}

// Loaded notes when a session that a file holds was created.
func (k *Keeper) Loaded(db int, key []byte, born engine.UnixMilli) {
	if k.loads == nil {
		k.loads = map[loadedKey]engine.UnixMilli{}
	}
	k.loads[loadedKey{db, string(key)}] = born
}

// Learn makes all records anew, as after loading.
func (k *Keeper) Learn(h engine.Held, now engine.UnixMilli) {
	if k.on {
		k.learn(h, now)
		k.enforce(h, now)
		k.settle(h)
	}
	k.loads = nil
}

// Born is when a session was created; not ok for a key that is none, or whose
// policies do not ask for it.
func (k *Keeper) Born(db int, key []byte) (at engine.UnixMilli, ok bool) {
	if !k.on || !bytes.HasPrefix(key, k.prefix) {
		return 0, false
	}
	r := k.find(db, key)
	if r == nil {
		return 0, false
	}
	return r.born, true
}

// Figures are the counts at the present.
func (k *Keeper) Figures() Figures {
	f := k.counts
	f.Users, f.Tombstones, f.LastEvent, f.Memory = k.index.count(), k.tombs.count(), k.log.last, k.bytes()
	return f
}

// On says whether there is any policy.
func (k *Keeper) On() bool { return k.on }

// Options are the policies in force.
func (k *Keeper) Options() Options { return k.opt }

// bytes is what the keeper keeps.
func (k *Keeper) bytes() int64 { return k.index.bytes + k.tombs.bytes + k.log.bytes }

// account tells the engine what the keeper keeps by now.
func (k *Keeper) account(tx *engine.Tx) {
	if n := k.bytes(); n != k.memory {
		tx.Account(n - k.memory)
		k.memory = n
	}
}

func (k *Keeper) settle(h engine.Held) {
	n := k.bytes()
	h.Account(n - k.memory)
	k.memory = n
}
