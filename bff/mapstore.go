package bff

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"coatcheck/bff/internal/ring"
)

// mapStore is what a Manager without a Store uses: a map, so that the core needs
// nothing but the standard library. bff/memstore bounds its memory and packs it.
type mapStore struct {
	clock Clock
	log   *ring.Ring[StoreEvent]

	mu    sync.Mutex
	held  map[string]*held
	due   dueHeap
	timer func() // stops it; nil while nothing is due
	at    time.Time
	count uint64
}

// held is a session in a mapStore.
type held struct {
	key   string
	value []byte
	user  string
	age   uint64    // rises with each creation
	until time.Time // zero: no end
	slot  int       // in the heap; -1: not there
}

const mapStoreEvents = 4096

func newMapStore(clock Clock) *mapStore {
	return &mapStore{clock: clock, log: ring.New[StoreEvent](mapStoreEvents), held: map[string]*held{}}
}

// Local implements what Store asks of stores that end with the process.
func (s *mapStore) Local() bool { return true }

// Complete implements Indexer.
func (s *mapStore) Complete() bool { return true }

// Find implements Store.
func (s *mapStore) Find(ctx context.Context, key string) (Record, error) {
	if err := ctx.Err(); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	h := s.living(key, now)
	if h == nil {
		return Record{}, ErrNoSession
	}
	return h.record(now), nil
}

// Create implements Store.
func (s *mapStore) Create(_ context.Context, key string, r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if s.living(key, now) != nil {
		return ErrConflict
	}
	s.insert(key, r, now)
	s.tell(EventCreated, key, r.User, "", now)
	return nil
}

func (s *mapStore) insert(key string, r Record, now time.Time) {
	s.count++
	h := &held{key: key, age: s.count, slot: -1}
	s.held[key] = h
	s.write(h, r, now)
}

func (s *mapStore) write(h *held, r Record, now time.Time) {
	h.value = bytes.Clone(r.Value)
	if r.User != "" {
		h.user = r.User
	}
	s.deadline(h, r.TTL, now)
}

// Replace implements Store.
func (s *mapStore) Replace(_ context.Context, key string, old []byte, r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	h := s.living(key, now)
	if h == nil {
		return ErrNoSession
	}
	if !bytes.Equal(h.value, old) {
		return ErrConflict
	}
	s.write(h, r, now)
	s.tell(EventChanged, key, h.user, "", now)
	return nil
}

// Rename implements Store.
func (s *mapStore) Rename(_ context.Context, key string, old []byte, to string, r Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	h := s.living(key, now)
	switch {
	case h == nil:
		return ErrNoSession
	case !bytes.Equal(h.value, old) || s.living(to, now) != nil:
		return ErrConflict
	}
	if r.User == "" {
		r.User = h.user
	}
	s.remove(h)
	s.tell(EventRenewed, key, h.user, ReasonRenewed, now)
	s.insert(to, r, now)
	s.tell(EventCreated, to, r.User, "", now)
	return nil
}

// Touch implements Store.
func (s *mapStore) Touch(_ context.Context, key string, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	h := s.living(key, now)
	if h == nil {
		return ErrNoSession
	}
	s.deadline(h, ttl, now)
	s.tell(EventRefreshed, key, h.user, "", now)
	return nil
}

// Delete implements Store.
func (s *mapStore) Delete(_ context.Context, why Reason, keys ...string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, now := 0, s.clock.Now()
	for _, key := range keys {
		if h := s.living(key, now); h != nil {
			s.remove(h)
			s.tell(EventRevoked, key, h.user, why, now)
			n++
		}
	}
	return n, nil
}

// List implements Lister. Its cursor is the last key of the page before. It
// sorts all keys for each page: this is a store for few sessions.
func (s *mapStore) List(_ context.Context, prefix, cursor string, n int) ([]Entry, string, error) {
	return s.page(n, func(h *held) bool { return h.key > cursor && strings.HasPrefix(h.key, prefix) },
		func(a, b *held) int { return strings.Compare(a.key, b.key) }, func(h *held) string { return h.key })
}

// ByUser implements Indexer. Its cursor is the age of the last session of the page
// before.
func (s *mapStore) ByUser(_ context.Context, prefix, user, cursor string, n int) ([]Entry, string, error) {
	after := uint64(0)
	if cursor != "" {
		var err error
		if after, err = strconv.ParseUint(cursor, 10, 64); err != nil {
			return nil, "", fmt.Errorf("bff: the cursor is not of this store: %w", err)
		}
	}
	return s.page(n, func(h *held) bool { return h.user == user && h.age > after && strings.HasPrefix(h.key, prefix) },
		func(a, b *held) int { return cmp.Compare(a.age, b.age) }, func(h *held) string { return strconv.FormatUint(h.age, 10) })
}

func (s *mapStore) page(n int, take func(*held) bool, order func(a, b *held) int, cursor func(*held) string) (page []Entry, next string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var found []*held
	for _, h := range s.held {
		if !h.isOver(now) && take(h) {
			found = append(found, h)
		}
	}
	slices.SortFunc(found, order)
	if n > 0 && len(found) > n {
		found = found[:n]
		next = cursor(found[n-1])
	}
	for _, h := range found {
		page = append(page, Entry{h.key, h.record(now)})
	}
	return page, next, nil
}

// Count implements Lister.
func (s *mapStore) Count(_ context.Context, prefix string) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.held {
		if strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n, nil
}

// Watch implements Watcher.
func (s *mapStore) Watch(ctx context.Context, prefix string, after uint64) iter.Seq2[StoreEvent, error] {
	return Filtered(prefix, s.log.Follow(ctx, after, ErrGap))
}

// Filtered is what concerns sessions under a prefix; for stores that keep the
// events of several.
func Filtered(prefix string, events iter.Seq2[StoreEvent, error]) iter.Seq2[StoreEvent, error] {
	return func(yield func(StoreEvent, error) bool) {
		for e, err := range events {
			if err == nil && e.Key != "" && !strings.HasPrefix(e.Key, prefix) {
				continue
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s *mapStore) tell(t EventType, key, user string, why Reason, now time.Time) {
	s.log.Add(func(seq uint64) StoreEvent {
		return StoreEvent{Seq: seq, At: now, Type: t, Key: key, User: user, Reason: why}
	})
}

func (h *held) isOver(now time.Time) bool { return !h.until.IsZero() && !now.Before(h.until) }

func (h *held) record(now time.Time) Record {
	r := Record{Value: h.value}
	if !h.until.IsZero() {
		r.TTL = h.until.Sub(now)
	}
	return r
}

// living is the session at key, nil when there is none.
func (s *mapStore) living(key string, now time.Time) *held {
	h := s.held[key]
	if h != nil && h.isOver(now) {
		s.expire(h, now)
		return nil
	}
	return h
}

func (s *mapStore) expire(h *held, now time.Time) {
	s.remove(h)
	s.tell(EventExpired, h.key, h.user, ReasonIdle, now)
}

func (s *mapStore) remove(h *held) {
	delete(s.held, h.key)
	if h.slot >= 0 {
		heap.Remove(&s.due, h.slot)
	}
}

func (s *mapStore) deadline(h *held, ttl time.Duration, now time.Time) {
	if ttl == 0 {
		h.until = time.Time{}
		if h.slot >= 0 {
			heap.Remove(&s.due, h.slot)
		}
		return
	}
	h.until = now.Add(ttl)
	if h.slot >= 0 {
		heap.Fix(&s.due, h.slot)
	} else {
		heap.Push(&s.due, h)
	}
	s.arm(now)
}

// arm has the timer ring for the session that ends first.
func (s *mapStore) arm(now time.Time) {
	if len(s.due) == 0 || s.timer != nil && !s.due[0].until.Before(s.at) {
		return
	}
	if s.timer != nil {
		s.timer()
	}
	s.at = s.due[0].until
	s.timer = s.clock.AfterFunc(s.at.Sub(now), s.expireDue)
}

func (s *mapStore) expireDue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	s.timer = nil
	for len(s.due) > 0 && s.due[0].isOver(now) {
		s.expire(s.due[0], now)
	}
	s.arm(now)
}

// dueHeap has the session that ends first on top.
type dueHeap []*held

func (d dueHeap) Len() int           { return len(d) }
func (d dueHeap) Less(i, j int) bool { return d[i].until.Before(d[j].until) }
func (d dueHeap) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].slot, d[j].slot = i, j
}

// Push implements heap.Interface.
func (d *dueHeap) Push(x any) {
	h := x.(*held)
	h.slot = len(*d)
	*d = append(*d, h)
}

// Pop implements heap.Interface.
func (d *dueHeap) Pop() any {
	last := len(*d) - 1
	h := (*d)[last]
	h.slot = -1
	*d = (*d)[:last]
	return h
}
