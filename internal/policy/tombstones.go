package policy

import (
	"unsafe"

	"coatcheck/engine"
)

// tombstones are ids that can't be written again for a while. All stand for the same
// time, so that they go in the order in which they came; with another time set
// meanwhile some stay a little longer in memory, not in force.
type tombstones struct {
	dbs   map[int]map[string]engine.UnixMilli // until when
	queue []tombstone                         // from first on, the oldest first
	first int
	most  int
	bytes int64
}

type tombstone struct {
	db    int
	key   string
	until engine.UnixMilli
}

const perTombstone = int64(unsafe.Sizeof(tombstone{})) + 40

func (t *tombstones) count() int { return len(t.queue) - t.first }

func (t *tombstones) clear() {
	t.dbs, t.queue, t.first, t.bytes = nil, nil, 0, 0
}

// limit bounds how many there are.
func (t *tombstones) limit(most int) {
	t.most = most
	for t.count() > most {
		t.pop()
	}
}

// add makes one that stands until then, and forgets those whose time is over.
func (t *tombstones) add(db int, key string, until, now engine.UnixMilli) {
	for t.count() > 0 && (t.queue[t.first].until <= now || t.count() >= t.most) {
		t.pop()
	}
	if t.most <= 0 {
		return
	}
	if t.dbs == nil {
		t.dbs = map[int]map[string]engine.UnixMilli{}
	}
	if t.dbs[db] == nil {
		t.dbs[db] = map[string]engine.UnixMilli{}
	}
	t.dbs[db][key] = until
	t.queue = append(t.queue, tombstone{db, key, until})
	t.bytes += perTombstone + int64(len(key))
}

// pop forgets the oldest one.
func (t *tombstones) pop() {
	old := t.queue[t.first]
	t.queue[t.first] = tombstone{}
	t.first++
	t.bytes -= perTombstone + int64(len(old.key))
	if m := t.dbs[old.db]; m[old.key] == old.until { // else there is a newer one
		delete(m, old.key)
	}
	if t.first > 1024 && t.first > len(t.queue)/2 || t.first == len(t.queue) {
		t.queue = append([]tombstone(nil), t.queue[t.first:]...)
		t.first = 0
	}
}

// has says whether an id can't be written now.
func (t *tombstones) has(db int, key []byte, now engine.UnixMilli) bool {
	until, ok := t.dbs[db][string(key)]
	return ok && until > now
}
