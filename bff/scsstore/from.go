package scsstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"coatcheck/bff"
)

// Theirs is scs.Store: what its stores for PostgreSQL, MySQL, Redis and the like
// have.
type Theirs interface {
	Delete(token string) (err error)
	Find(token string) (b []byte, found bool, err error)
	Commit(token string, b []byte, expiry time.Time) (err error)
}

// theirsCtx is scs.CtxStore.
type theirsCtx interface {
	DeleteCtx(ctx context.Context, token string) (err error)
	FindCtx(ctx context.Context, token string) (b []byte, found bool, err error)
	CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) (err error)
}

// FromOptions configure From. The zero value works.
type FromOptions struct {
	// Clock is the time; nil: the machine's. A Manager's clock fits.
	Clock bff.Clock
}

// From makes a bff.Store of a store of scs. It is a bff.Lister as well when that is
// an scs.IterableStore, whose All then reads everything for each page.
//
// Stores of scs cannot compare: a write is checked against what is stored under a
// lock of this process, and two processes on one store can still undo each other's
// writes, or a sign-out. With more than one process another store is the better one.
//
// A store of scs does not tell how long a session has left; therefore its deadline
// stands before the value, and nothing but this package reads what is stored.
func From(theirs Theirs, opts FromOptions) bff.Store {
	f := &from{theirs: theirs, clock: opts.Clock, seed: maphash.MakeSeed()}
	f.ctx, _ = theirs.(theirsCtx)
	if f.clock == nil {
		f.clock = bff.SystemClock{}
	}
	switch it := theirs.(type) {
	case interface {
		AllCtx(ctx context.Context) (map[string][]byte, error)
	}:
		return &iterable{f, it.AllCtx}
	case interface {
		All() (map[string][]byte, error)
	}:
		return &iterable{f, func(context.Context) (map[string][]byte, error) { return it.All() }}
	}
	return f
}

// from is a bff.Store on one of scs.
type from struct {
	theirs Theirs
	ctx    theirsCtx // nil: it takes no contexts
	clock  bff.Clock
	seed   maphash.Seed
	locks  [64]sync.Mutex // of keys, by their hash
}

// lock takes the locks of keys, always in the same order.
func (f *from) lock(keys ...string) (unlock func()) {
	var nums []int
	for _, key := range keys {
		nums = append(nums, int(maphash.String(f.seed, key)%uint64(len(f.locks))))
	}
	slices.Sort(nums)
	nums = slices.Compact(nums)
	for _, i := range nums {
		f.locks[i].Lock()
	}
	return func() {
		for _, i := range nums {
			f.locks[i].Unlock()
		}
	}
}

// mark begins what is stored; after it stands the deadline in milliseconds since
// 1970, 0 for none, in eight bytes, the high one first; then the value.
const mark = "bff1"

// never is the expiry that scs' stores are given for a session without end: the
// nanoseconds since 1970 that some of them count in end in 2262.
var never = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// pack is a record as it is stored, and its expiry.
func (f *from) pack(r bff.Record) ([]byte, time.Time) {
	at, millis := never, int64(0)
	if r.TTL > 0 {
		at = f.clock.Now().Add(r.TTL)
		millis = at.UnixMilli()
	}
	out := make([]byte, 0, len(mark)+8+len(r.Value))
	out = binary.BigEndian.AppendUint64(append(out, mark...), uint64(millis))
	return append(out, r.Value...), at
}

// unpack is a record from what is stored; not ok when its time is over, or another
// program wrote it.
func (f *from) unpack(b []byte) (r bff.Record, ok bool) {
	if len(b) < len(mark)+8 || string(b[:len(mark)]) != mark {
		return bff.Record{}, false
	}
	millis := int64(binary.BigEndian.Uint64(b[len(mark):]))
	r.Value = bytes.Clone(b[len(mark)+8:])
	if millis == 0 {
		return r, true
	}
	r.TTL = time.UnixMilli(millis).Sub(f.clock.Now())
	return r, r.TTL > 0
}

// Find implements bff.Store.
func (f *from) Find(ctx context.Context, key string) (bff.Record, error) {
	if err := ctx.Err(); err != nil {
		return bff.Record{}, err
	}
	var b []byte
	var found bool
	var err error
	if f.ctx != nil {
		b, found, err = f.ctx.FindCtx(ctx, key)
	} else {
		b, found, err = f.theirs.Find(key)
	}
	if err != nil {
		return bff.Record{}, err
	}
	if r, ok := f.unpack(b); ok && found {
		return r, nil
	}
	return bff.Record{}, bff.ErrNoSession
}

// write stores a record, or deletes what must be gone at once.
func (f *from) write(ctx context.Context, key string, r bff.Record) error {
	if r.TTL < 0 {
		return f.remove(ctx, key)
	}
	b, at := f.pack(r)
	if f.ctx != nil {
		return f.ctx.CommitCtx(ctx, key, b, at)
	}
	return f.theirs.Commit(key, b, at)
}

func (f *from) remove(ctx context.Context, key string) error {
	if f.ctx != nil {
		return f.ctx.DeleteCtx(ctx, key)
	}
	return f.theirs.Delete(key)
}

// free fails with bff.ErrConflict when there is a session.
func (f *from) free(ctx context.Context, key string) error {
	_, err := f.Find(ctx, key)
	switch {
	case err == nil:
		return bff.ErrConflict
	case errors.Is(err, bff.ErrNoSession):
		return nil
	}
	return err
}

// holds fails unless the session's value is old.
func (f *from) holds(ctx context.Context, key string, old []byte) error {
	have, err := f.Find(ctx, key)
	if err == nil && !bytes.Equal(have.Value, old) {
		err = bff.ErrConflict
	}
	return err
}

// Create implements bff.Store.
func (f *from) Create(ctx context.Context, key string, r bff.Record) error {
	defer f.lock(key)()
	if err := f.free(ctx, key); err != nil {
		return err
	}
	return f.write(ctx, key, r)
}

// Replace implements bff.Store.
func (f *from) Replace(ctx context.Context, key string, old []byte, r bff.Record) error {
	defer f.lock(key)()
	if err := f.holds(ctx, key, old); err != nil {
		return err
	}
	return f.write(ctx, key, r)
}

// Rename implements bff.Store. The old session goes first: when the process dies in
// between, there is none, which is better than two.
func (f *from) Rename(ctx context.Context, key string, old []byte, to string, r bff.Record) error {
	defer f.lock(key, to)()
	if err := f.holds(ctx, key, old); err != nil {
		return err
	}
	if err := f.free(ctx, to); err != nil {
		return err
	}
	if err := f.remove(ctx, key); err != nil {
		return err
	}
	return f.write(ctx, to, r)
}

// Touch implements bff.Store. It writes the value again: stores of scs have no other
// way to move a deadline.
func (f *from) Touch(ctx context.Context, key string, ttl time.Duration) error {
	defer f.lock(key)()
	r, err := f.Find(ctx, key)
	if err != nil {
		return err
	}
	r.TTL = ttl
	return f.write(ctx, key, r)
}

// Delete implements bff.Store.
func (f *from) Delete(ctx context.Context, _ bff.Reason, keys ...string) (n int, err error) {
	for _, key := range keys {
		was, err := f.deleteOne(ctx, key)
		if err != nil {
			return n, err
		}
		if was {
			n++
		}
	}
	return n, nil
}

func (f *from) deleteOne(ctx context.Context, key string) (was bool, err error) {
	defer f.lock(key)()
	err = f.free(ctx, key)
	if errors.Is(err, bff.ErrConflict) {
		return true, f.remove(ctx, key)
	}
	return false, err
}

// iterable is a from that can be walked through.
type iterable struct {
	*from
	all func(ctx context.Context) (map[string][]byte, error)
}

// List implements bff.Lister, in the order of the keys; the cursor is the last one.
func (l *iterable) List(ctx context.Context, prefix, cursor string, n int) (page []bff.Entry, next string, err error) {
	all, err := l.all(ctx)
	if err != nil {
		return nil, "", err
	}
	var keys []string
	for key := range all {
		if strings.HasPrefix(key, prefix) && key > cursor {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for i, key := range keys {
		if r, ok := l.unpack(all[key]); ok {
			page = append(page, bff.Entry{Key: key, Record: r})
		}
		if len(page) == n && i+1 < len(keys) {
			return page, key, nil
		}
	}
	return page, "", nil
}

// Count implements bff.Lister. It reads everything.
func (l *iterable) Count(ctx context.Context, prefix string) (n int, err error) {
	all, err := l.all(ctx)
	for key, b := range all {
		if _, ok := l.unpack(b); ok && strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n, err
}
