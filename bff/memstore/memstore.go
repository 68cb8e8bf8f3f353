// Package memstore keeps sessions in this process, in coatcheck's engine: packed
// outside Go's heap, bounded when asked for, with deadlines that are met within
// milliseconds, an exact index of users and numbered events.
//
// It also serves an engine that others write to, such as a coatcheck server's: the
// index and the events follow from what happens to the keys, by whomever.
package memstore

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"coatcheck/bff"
	"coatcheck/bff/connectredis"
	"coatcheck/engine"
)

// Options configure a Store. The zero value works.
type Options struct {
	// MaxMemory bounds the sessions, in bytes; 0: no bound. At the bound those
	// that end first make room.
	MaxMemory int64
	// Clock tells the time; nil: the machine's. A Manager's clock fits.
	Clock engine.Clock
	// User is whose session a stored value is, "" for nobody; nil: what
	// Document.User says by the paths that bff, Passport and their like use.
	User func(value []byte) string
	// Events is how many events are kept for those who watch; 0: 16384.
	Events int
}

// Store is a bff.Store, Lister, Indexer and Watcher.
type Store struct {
	eng   *engine.Engine
	db    int
	owned bool
	local bool
	sink  *sink
}

// New makes a store of its own.
func New(opts Options) *Store {
	eng := engine.New(engine.Options{Databases: 1, Clock: opts.Clock})
	if opts.MaxMemory > 0 {
		h := eng.Lock()
		limits := engine.DefaultLimits
		limits.MaxMemory, limits.Policy = opts.MaxMemory, engine.VolatileTTL
		h.SetLimits(limits)
		h.Unlock()
	}
	s := On(eng, 0, "", opts)
	s.owned, s.local = true, true
	return s
}

// On is a store on an engine that others use, too: the keys under a prefix in one
// of its databases. MaxMemory and Clock are the engine's own affair. What is there
// already is looked through once, which takes a moment for each million keys.
func On(eng *engine.Engine, db int, prefix string, opts Options) *Store {
	if opts.User == nil {
		opts.User = userOf
	}
	if opts.Events <= 0 {
		opts.Events = 1 << 14
	}
	s := &Store{eng: eng, db: db, sink: newSink(db, prefix, opts)}
	h := eng.Lock()
	defer h.Unlock()
	h.AddSink(s.sink)
	tx := h.Begin(db)
	s.sink.learn(tx)
	tx.End()
	return s
}

// userOf is the user by the usual paths.
func userOf(value []byte) string {
	doc, err := connectredis.Parse(value)
	if err != nil {
		return ""
	}
	return doc.User()
}

// Opener has FromEnv open a store for SESSION_STORE=in-memory. It reads
//
//	SESSION_MAX_MEMORY  in bytes; 0 is no bound
func Opener() bff.Opener {
	return bff.Opener{Name: "in-memory", Open: func(env bff.Env) (bff.Store, error) {
		n, err := env.Int("SESSION_MAX_MEMORY", 0)
		if err != nil {
			return nil, err
		}
		return New(Options{MaxMemory: int64(n)}), nil
	}}
}

// Close gives the memory back; for a store On an engine it only lets go of that.
// Nobody may use the store afterwards.
func (s *Store) Close() {
	h := s.eng.Lock()
	h.RemoveSink(s.sink)
	h.Unlock()
	if s.owned {
		s.eng.Close()
	}
}

// Local says that the sessions end with the process.
func (s *Store) Local() bool { return s.local }

// Complete implements bff.Indexer: nothing happens to keys without the index.
func (s *Store) Complete() bool { return true }

// do runs fn on the database.
func (s *Store) do(ctx context.Context, fn func(tx *engine.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.eng.Do(s.db, fn)
}

// room runs fn, which writes, after making room for it.
func (s *Store) room(ctx context.Context, fn func(tx *engine.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h := s.eng.Lock()
	err := h.MakeRoom()
	h.Unlock()
	if err != nil {
		return err
	}
	return s.eng.Do(s.db, fn)
}

// Find implements bff.Store.
func (s *Store) Find(ctx context.Context, key string) (r bff.Record, err error) {
	err = s.do(ctx, func(tx *engine.Tx) error {
		val, ok, err := tx.String([]byte(key))
		if !ok || err != nil { // of another type: no session
			return bff.ErrNoSession
		}
		r = bff.Record{Value: bytes.Clone(val), TTL: ttl(tx, []byte(key))}
		return nil
	})
	return r, err
}

// ttl is what a key has left; 0: no end.
func ttl(tx *engine.Tx, key []byte) time.Duration {
	at, ok := tx.ExpireAt(key)
	if !ok || at == engine.Never {
		return 0
	}
	return time.Duration(at-tx.Now()) * time.Millisecond
}

// deadline is when a time to live from now ends.
func deadline(tx *engine.Tx, ttl time.Duration) engine.UnixMilli {
	if ttl == 0 {
		return engine.Never
	}
	ms := ttl.Milliseconds()
	if ttl > 0 {
		ms = max(ms, 1)
	} else {
		ms = min(ms, -1)
	}
	return tx.Now() + engine.UnixMilli(ms)
}

func write(tx *engine.Tx, key string, r bff.Record) error {
	if r.TTL < 0 {
		tx.Delete("DEL", []byte(key))
		return nil
	}
	_, err := tx.StringSet([]byte(key), r.Value, engine.SetOptions{At: deadline(tx, r.TTL)})
	return err
}

// Create implements bff.Store.
func (s *Store) Create(ctx context.Context, key string, r bff.Record) error {
	return s.room(ctx, func(tx *engine.Tx) error {
		if tx.Has([]byte(key)) {
			return bff.ErrConflict
		}
		return write(tx, key, r)
	})
}

// holds says that a key holds old.
func holds(tx *engine.Tx, key string, old []byte) error {
	val, ok, err := tx.String([]byte(key))
	switch {
	case !ok || err != nil:
		return bff.ErrNoSession
	case !bytes.Equal(val, old):
		return bff.ErrConflict
	}
	return nil
}

// Replace implements bff.Store.
func (s *Store) Replace(ctx context.Context, key string, old []byte, r bff.Record) error {
	return s.room(ctx, func(tx *engine.Tx) error {
		if err := holds(tx, key, old); err != nil {
			return err
		}
		return write(tx, key, r)
	})
}

// Rename implements bff.Store.
func (s *Store) Rename(ctx context.Context, key string, old []byte, to string, r bff.Record) error {
	return s.room(ctx, func(tx *engine.Tx) error {
		if err := holds(tx, key, old); err != nil {
			return err
		}
		if tx.Has([]byte(to)) {
			return bff.ErrConflict
		}
		s.sink.because(bff.EventRenewed, bff.ReasonRenewed)
		tx.Delete("DEL", []byte(key))
		s.sink.because("", "")
		return write(tx, to, r)
	})
}

// Touch implements bff.Store.
func (s *Store) Touch(ctx context.Context, key string, ttl time.Duration) error {
	return s.do(ctx, func(tx *engine.Tx) error {
		if !tx.Has([]byte(key)) {
			return bff.ErrNoSession
		}
		if ttl == 0 {
			tx.KeyPersist([]byte(key))
		} else {
			tx.KeyExpire([]byte(key), deadline(tx, ttl), 0)
		}
		return nil
	})
}

// Delete implements bff.Store.
func (s *Store) Delete(ctx context.Context, why bff.Reason, keys ...string) (n int, err error) {
	err = s.do(ctx, func(tx *engine.Tx) error {
		s.sink.because(bff.EventRevoked, why)
		for _, key := range keys {
			n += tx.Delete("DEL", []byte(key))
		}
		s.sink.because("", "")
		return nil
	})
	return n, err
}

// step bounds how many keys are looked at in one turn under the lock.
const step = 256

// List implements bff.Lister. Its cursor is the engine's.
func (s *Store) List(ctx context.Context, prefix, cursor string, n int) (page []bff.Entry, next string, err error) {
	at := uint64(0)
	if cursor != "" {
		if at, err = strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", errCursor
		}
	}
	match := []byte(globEscape(prefix) + "*")
	for len(page) < n {
		err := s.do(ctx, func(tx *engine.Tx) error {
			var keys [][]byte
			at = tx.KeyScan(at, engine.ScanOptions{Match: match, Type: "string", Count: min(step, n)}, func(key []byte) {
				keys = append(keys, bytes.Clone(key))
			})
			page = appendEntries(tx, page, keys)
			return nil
		})
		if err != nil {
			return nil, "", err
		}
		if at == 0 {
			return page, "", nil
		}
	}
	return page, strconv.FormatUint(at, 10), nil
}

var errCursor = errors.New("memstore: the cursor is not of this store")

// appendEntries adds the sessions at keys, where there still are any.
func appendEntries(tx *engine.Tx, page []bff.Entry, keys [][]byte) []bff.Entry {
	for _, key := range keys {
		val, ok := peek(tx, key)
		if !ok {
			continue
		}
		page = append(page, bff.Entry{Key: string(key), Record: bff.Record{Value: bytes.Clone(val), TTL: ttl(tx, key)}})
	}
	return page
}

// peek is the string at a key, without counting as a look-up.
func peek(tx *engine.Tx, key []byte) (val []byte, ok bool) {
	v, ok := tx.View(key)
	if !ok || v.Type() != engine.TString {
		return nil, false
	}
	return v.Packed(), true
}

// globEscape is a pattern that only the text itself fits.
func globEscape(text string) string {
	var out []byte
	for i := range len(text) {
		switch text[i] {
		case '*', '?', '[', ']', '\\', '^':
			out = append(out, '\\')
		}
		out = append(out, text[i])
	}
	return string(out)
}

// Count implements bff.Lister. For the store's own prefix it is one look-up.
func (s *Store) Count(ctx context.Context, prefix string) (n int, err error) {
	if prefix == s.sink.prefix {
		h := s.eng.Lock()
		defer h.Unlock()
		return s.sink.count(), nil
	}
	match := []byte(globEscape(prefix) + "*")
	for at, first := uint64(0), true; first || at != 0; first = false {
		err := s.do(ctx, func(tx *engine.Tx) error {
			at = tx.KeyScan(at, engine.ScanOptions{Match: match, Type: "string", Count: step}, func([]byte) { n++ })
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// ByUser implements bff.Indexer.
func (s *Store) ByUser(ctx context.Context, prefix, user, cursor string, n int) (page []bff.Entry, next string, err error) {
	after := uint64(0)
	if cursor != "" {
		if after, err = strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", errCursor
		}
	}
	err = s.do(ctx, func(tx *engine.Tx) error {
		keys, last, more := s.sink.of(user, prefix, after, n)
		page = appendEntries(tx, nil, keys)
		if more {
			next = strconv.FormatUint(last, 10)
		}
		return nil
	})
	return page, next, err
}

// Watch implements bff.Watcher.
func (s *Store) Watch(ctx context.Context, prefix string, after uint64) iter.Seq2[bff.StoreEvent, error] {
	return bff.Filtered(prefix, s.sink.log.Follow(ctx, after, bff.ErrGap))
}
