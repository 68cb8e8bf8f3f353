package engine

// Deadlines.

// ExpireCond are the conditions of KeyExpire, any of them together: it is for
// the caller to refuse those that contradict each other.
type ExpireCond uint8

// The conditions. A key without a deadline counts as having the latest.
const (
	ExpireNX ExpireCond = 1 << iota // there is none yet
	ExpireXX                        // there is one
	ExpireGT                        // the new one is later
	ExpireLT                        // the new one is earlier
)

// holds says whether a deadline may become at.
func (c ExpireCond) holds(now, at UnixMilli) bool {
	switch {
	case c == 0:
		return true
	case c&ExpireNX != 0 && now != Never, c&ExpireXX != 0 && now == Never:
		return false
	case c&ExpireGT != 0 && (now == Never || at <= now):
		return false
	case c&ExpireLT != 0 && now != Never && at >= now:
		return false
	}
	return true
}

// KeyExpire sets the deadline of key and returns whether it did: there is such
// a key and the condition holds. A deadline that has come already deletes it.
//
// Effects: "expire" or "del" (Redis expire.c, expireGenericCommand). O(1).
func (tx *Tx) KeyExpire(key []byte, at UnixMilli, cond ExpireCond) bool {
	p := tx.write(key)
	if !p.exists() || !cond.holds(p.expireAt(), at) {
		return false
	}
	if at <= tx.past {
		tx.drop(&p, "DEL")
		return true
	}
	tx.expireAt(&p, at)
	return true
}

// expireAt sets the deadline of the key at p, which exists, with its effect.
func (tx *Tx) expireAt(p *place, at UnixMilli) {
	tx.setExpireAt(p, at)
	tx.announceExpire(p)
}

// announceExpire tells of the deadline that the key at p has got.
func (tx *Tx) announceExpire(p *place) {
	if tx.wantsArgv() {
		tx.announce(ClassGeneric, "expire", p.key, []byte("PEXPIREAT"), p.key, decimal(int64(p.expireAt())))
	} else {
		tx.announce(ClassGeneric, "expire", p.key)
	}
}

// KeyPersist drops the deadline of key and returns whether there was one.
//
// Effect: "persist". O(1).
func (tx *Tx) KeyPersist(key []byte) bool {
	p := tx.write(key)
	return p.exists() && tx.persist(&p)
}

// persist is KeyPersist at p, which exists.
func (tx *Tx) persist(p *place) bool {
	before := p.expireAt()
	if before == Never {
		return false
	}
	tx.setExpireAt(p, Never)
	if now := p.expireAt(); now != Never { // as late as the guard allows
		if now != before {
			tx.announceExpire(p)
		}
		return now != before
	}
	if tx.wantsArgv() {
		tx.announce(ClassGeneric, "persist", p.key, []byte("PERSIST"), p.key)
	} else {
		tx.announce(ClassGeneric, "persist", p.key)
	}
	return true
}

// ExpireAt is the deadline of key, Never without one; not ok when there is no
// such key. O(1).
func (tx *Tx) ExpireAt(key []byte) (at UnixMilli, ok bool) {
	p := tx.sight(key)
	if !p.exists() {
		return Never, false
	}
	return p.expireAt(), true
}
