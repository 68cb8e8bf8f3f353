package policy

import "coatcheck/engine"

// Session is one of a list.
type Session struct {
	Key  string
	Age  uint64 // the cursor behind it, in a list of a user's
	User string
	Born engine.UnixMilli // 0: nobody knows
	DB   int
}

// Session is what is known of a session. Without policies that is nothing.
func (k *Keeper) Session(db int, key []byte) (s Session, ok bool) {
	r := k.find(db, key)
	if r == nil {
		return Session{}, false
	}
	return r.show(), true
}

func (r *record) show() Session {
	s := Session{Key: r.key, Age: r.age, Born: r.born, DB: r.db}
	if r.user != nil {
		s.User = r.user.name
	}
	return s
}

// Of is up to n of a user's sessions in a db, the oldest first, from behind the cursor
// on, and the next cursor: 0 at the end. O(sessions of the user).
func (k *Keeper) Of(db int, name []byte, after uint64, n int) (list []Session, next uint64) {
	u := k.index.names[string(name)]
	if u == nil {
		return nil, 0
	}
	for r := u.head; r != nil; r = r.next {
		if r.age <= after || r.db != db {
			continue
		}
		if len(list) == n {
			return list, list[n-1].Age
		}
		list = append(list, r.show())
	}
	return list, 0
}

// User is one of a list.
type User struct {
	Name     string
	Sessions int
}

// Users is up to n users from a cursor on, and the next: 0 at the end. Who has sessions
// from the first to the last of a row of calls is told.
func (k *Keeper) Users(cursor uint64, n int) (list []User, next uint64) {
	slots := k.index.slots
	for i := cursor; i < uint64(len(slots)); i++ {
		u := slots[i]
		if u == nil {
			continue
		}
		if len(list) == n {
			return list, i
		}
		list = append(list, User{u.name, u.n})
	}
	return list, 0
}

// Events are the first n whose numbers are higher than seq, for 0 the last n; first is
// the number of the first that is kept: one higher than seq+1 tells of a gap.
func (k *Keeper) Events(seq uint64, n int) (list []Event, first, last uint64) {
	return k.log.after(seq, n), k.log.first, k.log.last
}

// Ended is how a session ended, as far as the log knows.
func (k *Keeper) Ended(db int, key []byte) (e Event, ok bool) { return k.log.ended(db, string(key)) }

// IsBuried says whether an id can't be written now, because its session has ended.
func (k *Keeper) IsBuried(db int, key []byte, now engine.UnixMilli) bool {
	return k.tombs.has(db, key, now)
}
