package policy

import "unsafe"

// index finds sessions by user. Those of a user are in a list, in the order in which
// they were created.
type index struct {
	names map[string]*user
	slots []*user // by number, for cursors; nil where a number is free
	free  []int
	bytes int64 // of all this and of the records
}

// user is one who has sessions.
type user struct {
	name       string
	slot       int
	n          int
	head, tail *record
}

const perUser = int64(unsafe.Sizeof(user{})) + 40 + 8

func (x *index) clear() { *x = index{names: map[string]*user{}} }

func (x *index) count() int { return len(x.names) }

// assign makes a session one of the named user's; of nobody's without a name.
func (x *index) assign(r *record, name []byte) {
	if r.user != nil {
		x.unlink(r)
	}
	if len(name) == 0 {
		return
	}
	u := x.names[string(name)]
	if u == nil {
		u = x.addUser(string(name))
	}
	u.n++
	after := u.tail
	for after != nil && after.age > r.age {
		after = after.prev
	}
	r.user, r.prev = u, after
	if after == nil {
		r.next, u.head = u.head, r
	} else {
		r.next, after.next = after.next, r
	}
	if r.next == nil {
		u.tail = r
	} else {
		r.next.prev = r
	}
}

func (x *index) addUser(name string) *user {
	u := &user{name: name, slot: len(x.slots)}
	if last := len(x.free) - 1; last >= 0 {
		u.slot, x.free = x.free[last], x.free[:last]
		x.slots[u.slot] = u
	} else {
		x.slots = append(x.slots, u)
	}
	x.names[name] = u
	x.bytes += perUser + int64(len(name))
	return u
}

// unlink takes a session from its user, who is forgotten with the last.
func (x *index) unlink(r *record) {
	u := r.user
	if r.prev == nil {
		u.head = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next == nil {
		u.tail = r.prev
	} else {
		r.next.prev = r.prev
	}
	r.user, r.prev, r.next = nil, nil, nil
	if u.n--; u.n > 0 {
		return
	}
	delete(x.names, u.name)
	x.bytes -= perUser + int64(len(u.name))
	x.slots[u.slot] = nil
	x.free = append(x.free, u.slot)
	if len(x.names) == 0 {
		x.slots, x.free = nil, nil
	}
}
