package memstore

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"coatcheck/bff"
	"coatcheck/bff/internal/ring"
	"coatcheck/engine"
)

// sink hears what happens to the keys, and keeps the index by user and the log of
// events. All of it but the log is under the engine's lock.
type sink struct {
	db     int
	prefix string
	user   func(value []byte) string
	log    *ring.Ring[bff.StoreEvent]

	known map[string]*session // by key
	users map[string]map[*session]struct{}
	age   uint64
	// what and why are of the deletion that a Store is doing itself.
	what bff.EventType
	why  bff.Reason
}

// session is what the index knows of one.
type session struct {
	key  string
	user string
	age  uint64 // rises with each that is created
}

func newSink(db int, prefix string, opts Options) *sink {
	return &sink{
		db: db, prefix: prefix, user: opts.User, log: ring.New[bff.StoreEvent](opts.Events),
		known: map[string]*session{}, users: map[string]map[*session]struct{}{},
	}
}

// Wants implements engine.Sink.
func (s *sink) Wants() engine.Wants {
	// Other types, too: one of them may take a session's key.
	return engine.Wants{Events: engine.ClassGeneric | engine.ClassString | engine.ClassExpired | engine.ClassEvicted |
		engine.ClassList | engine.ClassSet | engine.ClassHash | engine.ClassZSet | engine.ClassStream}
}

// because says what the next deletions are.
func (s *sink) because(what bff.EventType, why bff.Reason) { s.what, s.why = what, why }

// Effect implements engine.Sink. It looks at what is at the key now, so that no
// command is known by name but where the name tells why something ended.
func (s *sink) Effect(tx *engine.Tx, e *engine.Effect) {
	switch {
	case e.Key == nil:
		s.all(tx, e)
	case e.Also && e.Event == "expire": // the "set" before has told it
	case e.DB == s.db && strings.HasPrefix(string(e.Key), s.prefix):
		s.one(tx, e)
	}
}

// all is about a change of a whole database, or of all.
func (s *sink) all(tx *engine.Tx, e *engine.Effect) {
	if e.Class == engine.ClassRepeat || len(e.Argv) == 0 {
		return
	}
	verb := strings.ToLower(string(e.Argv[0]))
	if verb == "flushdb" && e.DB != s.db || !strings.HasPrefix(verb, "flush") && verb != "swapdb" {
		return
	}
	s.tell(bff.EventRevoked, "", "", bff.ReasonFlushed, tx)
	tx.InDB(s.db, func() { s.learn(tx) })
}

// learn makes the index anew by walking through the database.
func (s *sink) learn(tx *engine.Tx) {
	clear(s.known)
	clear(s.users)
	keys := s.keys(tx)
	slices.Sort(keys)
	for _, key := range keys {
		if val, ok := peek(tx, []byte(key)); ok {
			s.put(key, s.user(val))
		}
	}
}

// keys are all of ours in the unit's database.
func (s *sink) keys(tx *engine.Tx) (keys []string) {
	opt := engine.ScanOptions{Match: []byte(globEscape(s.prefix) + "*"), Type: "string", Count: 1000}
	for at, first := uint64(0), true; first || at != 0; first = false {
		at = tx.KeyScan(at, opt, func(key []byte) { keys = append(keys, string(key)) })
	}
	return keys
}

// one is about a key of ours.
func (s *sink) one(tx *engine.Tx, e *engine.Effect) {
	before := s.known[string(e.Key)]
	val, exists := peek(tx, e.Key)
	switch {
	case exists && before == nil:
		now := s.put(string(e.Key), s.user(val))
		s.tell(bff.EventCreated, now.key, now.user, "", tx)
	case exists && (e.Event == "expire" || e.Event == "persist"):
		s.tell(bff.EventRefreshed, before.key, before.user, "", tx)
	case exists:
		if user := s.user(val); user != before.user {
			s.move(before, user)
		}
		s.tell(bff.EventChanged, before.key, before.user, "", tx)
	case before != nil:
		s.drop(before)
		what, why := s.ending(e)
		s.tell(what, before.key, before.user, why, tx)
	}
}

// ending is what an effect that took a key away means.
func (s *sink) ending(e *engine.Effect) (bff.EventType, bff.Reason) {
	switch {
	case e.Class == engine.ClassExpired:
		return bff.EventExpired, bff.ReasonIdle
	case e.Class == engine.ClassEvicted:
		return bff.EventRevoked, bff.ReasonEvicted
	case s.what != "":
		return s.what, s.why
	case e.Event == "rename_from":
		return bff.EventRenewed, bff.ReasonRenewed
	}
	return bff.EventRevoked, bff.ReasonDeleted
}

func (s *sink) tell(what bff.EventType, key, user string, why bff.Reason, tx *engine.Tx) {
	at := time.UnixMilli(int64(tx.Now()))
	s.log.Add(func(seq uint64) bff.StoreEvent {
		return bff.StoreEvent{Seq: seq, At: at, Type: what, Key: key, User: user, Reason: why}
	})
}

func (s *sink) put(key, user string) *session {
	s.age++
	one := &session{key: key, age: s.age}
	s.known[key] = one
	s.move(one, user)
	return one
}

// move lists a session under another user.
func (s *sink) move(one *session, user string) {
	s.unlist(one)
	if one.user = user; user == "" {
		return
	}
	if s.users[user] == nil {
		s.users[user] = map[*session]struct{}{}
	}
	s.users[user][one] = struct{}{}
}

func (s *sink) unlist(one *session) {
	if one.user == "" {
		return
	}
	delete(s.users[one.user], one)
	if len(s.users[one.user]) == 0 {
		delete(s.users, one.user)
	}
}

func (s *sink) drop(one *session) {
	s.unlist(one)
	delete(s.known, one.key)
}

func (s *sink) count() int { return len(s.known) }

// of are the keys of a user's sessions under a prefix, the oldest first, that are
// younger than after; last is the age of the last of them.
func (s *sink) of(user, prefix string, after uint64, n int) (keys [][]byte, last uint64, more bool) {
	var found []*session
	for one := range s.users[user] {
		if one.age > after && strings.HasPrefix(one.key, prefix) {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, func(a, b *session) int { return cmp.Compare(a.age, b.age) })
	if n > 0 && len(found) > n {
		found, more = found[:n], true
	}
	for _, one := range found {
		keys = append(keys, []byte(one.key))
		last = one.age
	}
	return keys, last, more
}
