package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// The model: two dbs of keys, of which some are sessions, and random operations in
// every way by which a session comes, changes and goes. What must hold afterwards is
// computed anew from the keyspace, and from what it was before.

type id struct {
	db  int
	key string
}

// truth is what the keyspace says.
type truth struct {
	users map[id]string // of all sessions
	at    map[id]engine.UnixMilli
}

type model struct {
	t     *testing.T
	f     *enginetest.Fixture
	k     *Keeper
	rng   engine.Rand
	opt   Options
	born  map[id]engine.UnixMilli
	tombs map[id]engine.UnixMilli
	said  string // the last operation
	// renamed, copied: to whom a value went, from whom, in the last operation
	to, from id
	done     bool // it did
	kept     bool // the last operation ends nothing: MOVE, SWAPDB
	swapped  bool
}

const life = 5000

func newModel(t *testing.T, seed uint64, opt Options) *model {
	m := &model{
		t: t, f: enginetest.New(t), rng: engine.NewRand(seed), opt: opt,
		born: map[id]engine.UnixMilli{}, tombs: map[id]engine.UnixMilli{},
	}
	m.k = New(m.f.Engine, 16, func() string { return "x" })
	h := m.f.Lock()
	m.k.Set(h, m.now(), opt)
	h.Unlock()
	return m
}

func (m *model) now() engine.UnixMilli { return engine.UnixMilli(m.f.Now().UnixMilli()) }

func (m *model) key() []byte {
	if m.rng.IntN(5) == 0 {
		return fmt.Append(nil, "other:", m.rng.IntN(3))
	}
	return fmt.Append(nil, "s:", m.rng.IntN(6))
}

func (m *model) value() []byte {
	return []byte([]string{
		`{"cookie":{},"passport":{"user":"alice"}}`, `{"cookie":{},"passport":{"user":"bob"}}`,
		`{"cookie":{}}`, `{"passport":{"user":{"id":7}}}`, `no JSON`, `{"bff":{"sub":"al\u0069ce"}}`,
	}[m.rng.IntN(6)])
}

func (m *model) at() engine.UnixMilli {
	switch m.rng.IntN(4) {
	case 0:
		return engine.Never
	case 1:
		return m.now() + 20_000
	}
	return m.now() + engine.UnixMilli(1+m.rng.IntN(3000))
}

// step does something.
func (m *model) step() {
	db := m.rng.IntN(2)
	key, other, val, at := m.key(), m.key(), m.value(), m.at()
	m.to, m.from, m.done, m.kept, m.swapped = id{}, id{}, false, false, false
	n := m.rng.IntN(22)
	m.said = fmt.Sprintf("%d: db %d %s %s %s at %d", n, db, key, other, val, at-m.now())
	err := m.f.Do(db, func(tx *engine.Tx) (err error) {
		switch n {
		case 0, 1, 2, 3:
			_, err = tx.StringSet(key, val, engine.SetOptions{At: at, KeepTTL: m.rng.IntN(4) == 0, Get: false})
		case 4:
			tx.StringSetMany([][]byte{key, val, other, m.value()}, m.rng.IntN(2) == 0)
		case 5:
			_, err = tx.HashSet(key, []byte("passport.user"), []byte("carol"))
		case 6:
			_, err = tx.HashSet(key, []byte("x"), []byte("1"))
		case 7:
			tx.Delete("UNLINK", key, other)
		case 8:
			tx.KeyExpire(key, at, 0)
		case 9:
			tx.KeyExpire(key, m.now()-1, 0)
		case 10:
			tx.KeyPersist(key)
		case 11:
			m.from, m.to = id{db, string(key)}, id{db, string(other)}
			m.done, err = tx.KeyRename(key, other, m.rng.IntN(2) == 0)
		case 12:
			to := m.rng.IntN(2)
			m.from, m.to = id{db, string(key)}, id{to, string(other)}
			m.done, err = tx.KeyCopy(key, other, to, m.rng.IntN(2) == 0)
		case 13:
			m.kept = true
			m.from, m.to = id{db, string(key)}, id{1 - db, string(key)}
			m.done, err = tx.KeyMove(key, 1-db)
		case 14:
			m.kept, m.swapped = true, true
			err = tx.SwapDB(0, 1)
		case 15:
			if m.rng.IntN(3) == 0 {
				tx.FlushDB()
			}
		case 16:
			if m.rng.IntN(6) == 0 {
				tx.FlushAll()
			}
		case 17:
			v := &engine.Value{Type: engine.TString, Str: val}
			err = tx.ValueRestore(key, v, engine.RestoreOptions{At: at, Replace: m.rng.IntN(2) == 0, Idle: -1, Freq: -1})
		case 18:
			_, _, err = tx.StringGetDelete(key)
		case 19:
			_, err = tx.ListPush(key, engine.Head, false, val)
		case 20:
			_, _, err = tx.StringGetExpire(key, engine.TTLChange{Persist: at == engine.Never, At: max(at, 0)})
		}
		return err
	})
	_ = err // a wrong type, a missing key, a refusal: nothing changed, which is what is checked
	if n == 21 {
		m.said = "the clock"
		m.f.Advance(time.Duration(m.rng.IntN(1500)) * time.Millisecond)
	}
}

// look reads the keyspace.
func (m *model) look() truth {
	tr := truth{map[id]string{}, map[id]engine.UnixMilli{}}
	words := []string{"passport.user", "passport.user.id", "bff.sub"}
	for db := range 2 {
		require.NoError(m.t, m.f.Do(db, func(tx *engine.Tx) error {
			for i := range 6 {
				key := fmt.Appendf(nil, "s:%d", i)
				v, ok := tx.View(key)
				if !ok {
					continue
				}
				name := ""
				switch v.Type() {
				case engine.TString:
					name = byTheBook(v.Packed(), words)
				case engine.THash:
					v.HashEach(func(int) {}, func(field, value []byte, _ engine.UnixMilli) {
						if string(field) == "passport.user" {
							name = string(value)
						}
					})
				}
				if m.opt.Users == nil {
					name = ""
				}
				tr.users[id{db, string(key)}] = name
				tr.at[id{db, string(key)}] = v.ExpireAt()
			}
			return nil
		}))
	}
	return tr
}

// indexed is what the keeper says.
func (m *model) indexed() map[id]string {
	h := m.f.Lock()
	defer h.Unlock()
	got := map[id]string{}
	for db := range 2 {
		m.k.dbs[db].each(func(r *record) {
			key := r.key
			s, ok := m.k.Session(db, []byte(key))
			require.True(m.t, ok)
			require.Equal(m.t, db, r.db)
			got[id{db, key}] = s.User
		})
	}
	byUser := map[id]string{}
	users, _ := m.k.Users(0, 100)
	for _, u := range users {
		n, last := 0, uint64(0)
		for db := range 2 {
			list, next := m.k.Of(db, []byte(u.Name), 0, 100)
			require.Zero(m.t, next)
			last = 0
			for _, s := range list {
				byUser[id{db, s.Key}] = u.Name
				require.Greater(m.t, s.Age, last)
				last = s.Age
				n++
			}
		}
		require.Equal(m.t, u.Sessions, n)
	}
	for who, name := range got {
		require.Equal(m.t, name, byUser[who])
	}
	f := m.k.Figures()
	require.Equal(m.t, len(got), f.Active)
	if m.opt.Events > 0 { // every coming and going has its event
		var all int64
		for r, n := range f.Ended {
			if Reason(r) != Flushed {
				all += n
			}
		}
		require.LessOrEqual(m.t, all, int64(f.LastEvent))
	}
	return got
}

// check compares all with what was before.
func (m *model) check(before truth) {
	after := m.look()
	require.Equal(m.t, after.users, m.indexed(), m.said)
	now := m.now()
	if m.swapped {
		before = before.swap()
		m.born = swapped(m.born)
	}
	for who := range before.users { // what has gone
		_, still := after.users[who]
		if at := before.at[who]; still || m.kept || at != engine.Never && at <= now && !m.opt.TombstoneExpired {
			continue
		}
		gone := now
		if at := before.at[who]; at != engine.Never {
			gone = min(now, at)
		}
		m.tombs[who] = gone + engine.UnixMilli(m.opt.TombstoneTTL)
	}
	inherited, heir := m.born[m.from]
	for who := range m.born {
		if _, ok := after.users[who]; !ok {
			delete(m.born, who)
		}
	}
	for who := range after.users {
		_, had := before.users[who]
		if !had && !m.swapped && m.tombs[who] > now && m.opt.TombstoneTTL > 0 {
			require.Fail(m.t, "it was written again", "%v by %s", who, m.said)
		}
		switch {
		case who == m.to && m.done && m.from != m.to: // as old as the older of the two
			if !had {
				m.born[who] = now
			}
			if heir {
				m.born[who] = min(m.born[who], inherited)
			}
		case !had && m.swapped:
		case !had || m.born[who] == 0:
			m.born[who] = now
		}
		r := m.k.find(who.db, []byte(who.key))
		require.Equal(m.t, m.born[who], r.born, "%v after %s", who, m.said)
		if at := after.at[who]; m.opt.MaxLifetime > 0 {
			require.NotEqual(m.t, engine.Never, at, "%v after %s", who, m.said)
			require.LessOrEqual(m.t, at, m.born[who]+life, "%v after %s", who, m.said)
		}
	}
	if m.opt.MaxPerUser > 0 {
		n := map[string]int{}
		for _, name := range after.users {
			if name != "" {
				n[name]++
				require.LessOrEqual(m.t, n[name], m.opt.MaxPerUser, m.said)
			}
		}
	}
}

func (tr truth) swap() truth { return truth{swapped(tr.users), swapped(tr.at)} }

func swapped[T any](m map[id]T) map[id]T {
	out := map[id]T{}
	for k, v := range m {
		out[id{1 - k.db, k.key}] = v
	}
	return out
}

func everything(t testing.TB) Options {
	return Options{
		Prefix: "s:", TombstoneTTL: 2000, TombstoneMax: 1000, MaxLifetime: life,
		Users: parse(t, "passport.user", "passport.user.id", "bff.sub"), Events: 100,
	}
}

// Whatever happens to sessions, the index, the deadlines and the tombstones are exact
// after each step.
func TestModel(t *testing.T) {
	variants := map[string]func(o *Options){
		"all":      func(o *Options) { o.TombstoneExpired = true },
		"nobody":   func(o *Options) { o.Users = nil },
		"index":    func(o *Options) { o.TombstoneTTL, o.MaxLifetime, o.Events = 0, 0, 0 },
		"lifetime": func(o *Options) { o.TombstoneTTL = 0 },
		"oldest":   func(o *Options) { o.MaxPerUser = 2 },
		"refuse":   func(o *Options) { o.MaxPerUser, o.Refuse, o.TombstoneTTL = 2, true, 0 },
	}
	for _, name := range slices.Sorted(maps.Keys(variants)) {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				opt := everything(t)
				variants[name](&opt)
				m := newModel(t, seed, opt)
				for range 700 {
					before := m.look()
					m.step()
					m.check(before)
				}
				m.leaveNothing()
			}
		})
	}
}

// leaveNothing ends all sessions: nothing may be kept of them then, and without policies
// nothing at all.
func (m *model) leaveNothing() {
	require.NoError(m.t, m.f.Do(0, func(tx *engine.Tx) error { tx.FlushAll(); return nil }))
	h := m.f.Lock()
	defer h.Unlock()
	require.Zero(m.t, m.k.index.bytes)
	require.Zero(m.t, m.k.index.count())
	used := h.Memory().Elsewhere
	require.Equal(m.t, m.k.bytes(), used)
	m.k.Set(h, m.now(), Options{Prefix: "s:"})
	require.Zero(m.t, h.Memory().Elsewhere)
}

// What was there before the policies came is found, and what they are changed to holds.
func TestSetLearns(t *testing.T) {
	m := newModel(t, 1, Options{Prefix: "s:"})
	for i := range 5 {
		require.NoError(t, m.f.Do(i%2, func(tx *engine.Tx) error {
			_, err := tx.StringSet(fmt.Appendf(nil, "s:%d", i), []byte(`{"passport":{"user":"alice"}}`), engine.SetOptions{})
			return err
		}))
	}
	m.opt = everything(t)
	set := func(change func(o *Options)) {
		h := m.f.Lock()
		defer h.Unlock()
		change(&m.opt)
		m.k.Set(h, m.now(), m.opt)
	}
	set(func(*Options) {})
	require.Equal(t, m.look().users, m.indexed())
	require.Len(t, m.indexed(), 5)
	for _, at := range m.look().at {
		require.Equal(t, m.now()+life, at)
	}
	set(func(o *Options) { o.MaxPerUser = 3 })
	require.Len(t, m.indexed(), 3)
	m.f.Advance(time.Second)
	set(func(o *Options) { o.MaxLifetime = 1500 })
	for _, at := range m.look().at {
		require.Equal(t, m.now()+500, at)
	}
	set(func(o *Options) { o.Prefix = "x:" })
	require.Empty(t, m.indexed())
	require.Zero(t, m.k.Figures().Users)
}

// Tombstones are bounded, and so is the log.
func TestBounds(t *testing.T) {
	opt := everything(t)
	opt.TombstoneMax, opt.Events, opt.MaxLifetime = 100, 50, 0
	m := newModel(t, 1, opt)
	for i := range 3000 {
		require.NoError(t, m.f.Do(0, func(tx *engine.Tx) error {
			key := fmt.Appendf(nil, "s:%d", i)
			_, err := tx.StringSet(key, m.value(), engine.SetOptions{})
			tx.Delete("DEL", key)
			return err
		}))
	}
	f := m.k.Figures()
	require.Equal(t, 100, f.Tombstones)
	require.Less(t, f.Memory, int64(60_000))
	list, first, last := m.k.Events(0, 1000)
	require.Len(t, list, 50)
	require.Equal(t, first, list[0].Seq)
	require.EqualValues(t, 6000, last)
	require.Equal(t, last, list[49].Seq)
	list, _, _ = m.k.Events(last-2, 10)
	require.Len(t, list, 2)
	h := m.f.Lock()
	opt.Events = 10
	m.k.Set(h, m.now(), opt)
	h.Unlock()
	list, first, _ = m.k.Events(1, 1000)
	require.Len(t, list, 10)
	require.EqualValues(t, last-9, first)
	require.True(t, strings.HasPrefix(list[0].Key, "s:"))
	m.f.Advance(3 * time.Second)
	require.NoError(t, m.f.Do(0, func(tx *engine.Tx) error {
		_, err := tx.StringSet([]byte("s:2999"), []byte("again"), engine.SetOptions{})
		return err
	}))
	require.EqualValues(t, 1, m.k.Figures().Active)
}

// Eviction ends sessions, for good where that is asked for.
func TestEviction(t *testing.T) {
	opt := everything(t)
	opt.TombstoneEvicted = true
	m := newModel(t, 1, opt)
	put := func(i int) error {
		return m.f.Do(0, func(tx *engine.Tx) error {
			_, err := tx.StringSet(fmt.Appendf(nil, "s:%d", i), make([]byte, 300), engine.SetOptions{})
			return err
		})
	}
	for i := range 500 {
		require.NoError(t, put(i))
	}
	h := m.f.Lock()
	l := engine.DefaultLimits
	l.Policy, l.MaxMemory = engine.AllKeysRandom, h.Memory().Used-20_000
	h.SetLimits(l)
	require.NoError(t, h.MakeRoom())
	h.Unlock()
	f := m.k.Figures()
	require.Positive(t, f.Ended[Evicted])
	require.EqualValues(t, 500-f.Ended[Evicted], f.Active)
	require.EqualValues(t, f.Ended[Evicted], f.Tombstones)
	list, _, _ := m.k.Events(0, 1)
	require.Equal(t, Evicted, list[0].Reason)
	var key int
	_, err := fmt.Sscanf(list[0].Key, "s:%d", &key)
	require.NoError(t, err)
	require.ErrorIs(t, put(key), engine.ErrRefused)
}
