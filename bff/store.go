package bff

import (
	"context"
	"iter"
	"time"
)

// Store keeps sessions under keys, which are the Manager's prefix and the
// session id; a store takes them as they are. All calls honour ctx. An error that
// is none of those named here means that the store could not be asked.
//
// A store whose sessions end with the process says so by a method Local() bool;
// only then does a Manager do without Secrets.
type Store interface {
	// Find returns the session at key. It fails with ErrNoSession when there is
	// none, also when it has just expired.
	Find(ctx context.Context, key string) (Record, error)
	// Create stores a new session. It fails with ErrConflict when there is one
	// at key, or when the store keeps a deleted one's key from coming back.
	Create(ctx context.Context, key string, r Record) error
	// Replace puts r in the place of a session whose value is old, byte for
	// byte. It fails with ErrConflict when the value is another, and with
	// ErrNoSession, creating nothing, when there is none.
	Replace(ctx context.Context, key string, old []byte, r Record) error
	// Rename is Replace under another key: afterwards there is r at to and
	// nothing at key. Where the store can, no moment in between is seen. It
	// fails as Replace does, and with ErrConflict when there is a session at to.
	// In the index of r.User, to takes key's part.
	Rename(ctx context.Context, key string, old []byte, to string, r Record) error
	// Touch gives the session ttl to live, 0 for ever. It fails with
	// ErrNoSession and never creates.
	Touch(ctx context.Context, key string, ttl time.Duration) error
	// Delete removes sessions and returns how many there were. A key without
	// a session is no error.
	Delete(ctx context.Context, why Reason, keys ...string) (int, error)
}

// Record is a session as a store has it.
type Record struct {
	// Value is what the Codec made. Who is given a Record may keep it, and
	// must not change it.
	Value []byte
	// TTL is what is left to live; 0: no end. Below zero a record that is
	// written is gone at once.
	TTL time.Duration
	// User is, in a record that is written, the user under whom the store's
	// index must list the session from now on; "" leaves that as it is.
	User string
	// Prefix is that of the session's key, and Longest the time that the session
	// may live at most, however much it is used, 0 without a bound. They are
	// there with a User, for stores whose index is kept in keys.
	Prefix  string
	Longest time.Duration
}

// Entry is a Record with its key.
type Entry struct {
	Key string
	Record
}

// Lister is a Store that can be walked through.
type Lister interface {
	// List returns about n sessions under a prefix from cursor on, which is ""
	// or what the call before returned; next is "" when there are no more. A
	// session that exists during a whole walk is there at least once.
	List(ctx context.Context, prefix, cursor string, n int) (page []Entry, next string, err error)
	// Count is the number of sessions under a prefix.
	Count(ctx context.Context, prefix string) (int, error)
}

// Indexer is a Store that finds the sessions of a user without a walk.
type Indexer interface {
	// ByUser is List for one user, the oldest session first.
	ByUser(ctx context.Context, prefix, user, cursor string, n int) (page []Entry, next string, err error)
	// Complete says whether the index has the sessions that other programs
	// write, too.
	Complete() bool
}

// Forgetter is an Indexer that wants to be told when sessions of a user have
// ended; one that is not told finds out later.
type Forgetter interface {
	Forget(ctx context.Context, prefix, user string, keys ...string) error
}

// Watcher is a Store that tells what happens to sessions.
type Watcher interface {
	// Watch yields what happened after the event of that number, FromNow for
	// only what is to come, and goes on until ctx ends. It yields ErrGap where
	// events were lost, and goes on; any other error is the last.
	Watch(ctx context.Context, prefix string, after uint64) iter.Seq2[StoreEvent, error]
}

// FromNow asks a Watch for events to come.
const FromNow = ^uint64(0)

// StoreEvent is an Event as a store knows it.
type StoreEvent struct {
	Seq    uint64 // rises; that events are missing is told by ErrGap
	At     time.Time
	Type   EventType
	Key    string // "": all sessions under the prefix
	User   string // "" when nobody is signed in, or it is not known
	Reason Reason
}

// EventType is what happened to a session.
type EventType string

// The types of events.
const (
	EventCreated   EventType = "created"
	EventChanged   EventType = "changed"
	EventRefreshed EventType = "refreshed" // its deadline moved
	EventRenewed   EventType = "renewed"   // it has another id now; the event is of the old one
	EventExpired   EventType = "expired"
	EventRevoked   EventType = "revoked" // it was ended before its time
	EventDenied    EventType = "denied"  // a write to an ended session was refused
)

// Ended says that the session is gone.
func (t EventType) Ended() bool {
	return t == EventRenewed || t == EventExpired || t == EventRevoked
}

// Reason is why a session ended, or was refused.
type Reason string

// The reasons.
const (
	ReasonLogout   Reason = "logout"   // its user signed out
	ReasonRevoked  Reason = "revoked"  // an operator, or its user from another device
	ReasonLimit    Reason = "limit"    // more sessions than MaxPerUser
	ReasonRenewed  Reason = "renewed"  // it got another id
	ReasonIdle     Reason = "idle"     // nobody used it
	ReasonLifetime Reason = "lifetime" // the absolute timeout
	ReasonSignal   Reason = "signal"   // signs of a stolen session
	ReasonDeleted  Reason = "deleted"  // by another program
	ReasonEvicted  Reason = "evicted"  // the store was out of memory
	ReasonFlushed  Reason = "flushed"  // the store was emptied

	ReasonBackchannel Reason = "backchannel" // its user signed out at the identity provider
	ReasonTokens      Reason = "tokens"      // the identity provider renews its tokens no more
)
