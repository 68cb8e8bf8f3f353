package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
)

// recorder is a sink that notes effects as "db event key".
type recorder struct {
	wants engine.Wants
	seen  []string
	argv  []string
}

func (r *recorder) Wants() engine.Wants { return r.wants }

func (r *recorder) Effect(_ *engine.Tx, e *engine.Effect) {
	r.seen = append(r.seen, fmt.Sprintf("%d %s %s", e.DB, e.Event, e.Key))
	if e.Argv != nil {
		r.argv = append(r.argv, fmt.Sprintf("%q", e.Argv))
	}
}

func limits(policy engine.Policy, over int64) func(engine.Held) {
	return func(h engine.Held) {
		l := engine.DefaultLimits
		l.Policy, l.MaxMemory = policy, h.Memory().Used+over
		h.SetLimits(l)
	}
}

func held(f *enginetest.Fixture, fn func(engine.Held)) {
	h := f.Lock()
	defer h.Unlock()
	fn(h)
}

// set runs a SET as the server does: room first. It returns MakeRoom's error.
func set(f *enginetest.Fixture, db int, key string, size int, at engine.UnixMilli) (err error) {
	held(f, func(h engine.Held) {
		if err = h.MakeRoom(); err != nil {
			return
		}
		tx := h.Begin(db)
		defer tx.End()
		_, err = tx.StringSet([]byte(key), make([]byte, size), engine.SetOptions{At: at})
	})
	return err
}

func now(f *enginetest.Fixture) engine.UnixMilli { return engine.UnixMilli(f.Now().UnixMilli()) }

var policies = []engine.Policy{
	engine.AllKeysLRU, engine.AllKeysLFU, engine.AllKeysRandom,
	engine.VolatileLRU, engine.VolatileLFU, engine.VolatileRandom, engine.VolatileTTL,
}

func TestMemoryStaysBelowTheLimit(t *testing.T) {
	for _, policy := range policies {
		t.Run(string(policy), func(t *testing.T) {
			f := enginetest.New(t)
			held(f, limits(policy, 1<<20))
			rng := engine.NewRand(3)
			for i := range 6000 {
				size := rng.IntN(600)
				if i%500 == 499 {
					size = rng.IntN(200_000)
				}
				at := now(f) + 60_000 + engine.UnixMilli(rng.IntN(60_000))
				require.NoError(t, set(f, rng.IntN(3), fmt.Sprintf("key:%d", i), size, at))
				held(f, func(h engine.Held) {
					over := h.Memory().Used - h.Limits().MaxMemory
					require.LessOrEqual(t, over, int64(size)+4096+h.Limits().MaxMemory/100)
				})
				if i%100 == 0 {
					f.Advance(time.Second)
				}
			}
			held(f, func(h engine.Held) {
				require.Positive(t, h.Stats().Evicted)
				// The last to go may have been one of the large ones, a fifth of the limit.
				require.Positive(t, h.Memory().Used-h.Limits().MaxMemory*3/4, "more was evicted than needed")
			})
		})
	}
}

func TestNothingToEvict(t *testing.T) {
	for _, policy := range []engine.Policy{
		engine.NoEviction, engine.VolatileLRU, engine.VolatileLFU, engine.VolatileRandom, engine.VolatileTTL,
	} {
		f := enginetest.New(t)
		held(f, limits(policy, 100_000))
		var err error
		for i := 0; err == nil; i++ {
			require.Less(t, i, 2000)
			err = set(f, 0, fmt.Sprint("key:", i), 100, engine.Never)
		}
		require.ErrorIs(t, err, errs.OOM, policy)
		f.Tx(func(tx *engine.Tx) { require.Equal(t, 1, tx.Delete("DEL", []byte("key:0"))) })
		for i := range 3 {
			f.Tx(func(tx *engine.Tx) { tx.Delete("DEL", fmt.Append(nil, "key:", i+1)) })
		}
		require.NoError(t, set(f, 0, "again", 10, engine.Never))
	}
}

// survivors loads 1000 keys, has use work on the first half, makes 300 go, and
// returns how many are left of each half.
func survivors(t *testing.T, policy engine.Policy, use func(f *enginetest.Fixture, key []byte)) (used, unused int) {
	f := enginetest.New(t)
	held(f, func(h engine.Held) {
		l := engine.DefaultLimits
		l.Policy = policy
		h.SetLimits(l)
	})
	for i := range 1000 {
		require.NoError(t, set(f, 0, fmt.Sprint("key:", i), 300, now(f)+3_600_000))
	}
	f.Advance(10 * time.Minute)
	for i := range 500 {
		use(f, fmt.Append(nil, "key:", i))
	}
	f.Advance(time.Second)
	held(f, limits(policy, 0))
	for i := range 300 {
		require.NoError(t, set(f, 0, fmt.Sprint("new:", i), 300, now(f)+3_600_000))
	}
	f.Tx(func(tx *engine.Tx) {
		for i := range 1000 {
			if tx.Has(fmt.Append(nil, "key:", i)) {
				if i < 500 {
					used++
				} else {
					unused++
				}
			}
		}
	})
	return used, unused
}

func TestUsedKeysSurvive(t *testing.T) {
	for _, policy := range []engine.Policy{engine.AllKeysLRU, engine.VolatileLRU, engine.AllKeysLFU, engine.VolatileLFU} {
		used, unused := survivors(t, policy, func(f *enginetest.Fixture, key []byte) {
			for range 20 {
				f.Tx(func(tx *engine.Tx) { _, _, _ = tx.String(key) })
			}
		})
		require.GreaterOrEqual(t, used, 490, policy)
		require.Less(t, unused, 260, policy)
	}
}

func TestNoTouchLeavesFigures(t *testing.T) {
	used, unused := survivors(t, engine.AllKeysLRU, func(f *enginetest.Fixture, key []byte) {
		f.Tx(func(tx *engine.Tx) {
			tx.NoTouch(true)
			_, _, _ = tx.String(key)
		})
	})
	require.InDelta(t, used, unused, 100)
}

func TestVolatileTTLTakesTheFirstToExpire(t *testing.T) {
	f := enginetest.New(t)
	for i := range 500 {
		require.NoError(t, set(f, 0, fmt.Sprint("key:", i), 300, now(f)+engine.UnixMilli(1000*(1000-i))))
	}
	require.NoError(t, set(f, 0, "forever", 300, engine.Never))
	// The last ones were to go first, but have been given more time: their
	// index items are behind the truth.
	f.Tx(func(tx *engine.Tx) {
		for i := 400; i < 500; i++ {
			require.True(t, tx.KeyExpire(fmt.Append(nil, "key:", i), now(f)+5_000_000, 0))
		}
	})
	held(f, limits(engine.VolatileTTL, 0))
	for i := range 200 {
		require.NoError(t, set(f, 0, fmt.Sprint("new:", i), 300, engine.Never))
	}
	f.Tx(func(tx *engine.Tx) {
		left := 0
		for i := range 500 {
			if tx.Has(fmt.Append(nil, "key:", i)) {
				left++
				require.False(t, i >= 250 && i < 400, "key:%d had little time left", i)
			}
		}
		require.InDelta(t, 300, left, 20)
	})
}

func TestLowerLimitIsReachedStepByStep(t *testing.T) {
	f := enginetest.New(t)
	r := &recorder{wants: engine.Wants{Events: engine.ClassEvicted, Argv: true}}
	held(f, func(h engine.Held) { h.AddSink(r) })
	for i := range 5000 {
		require.NoError(t, set(f, 0, fmt.Sprint("key:", i), 300, engine.Never))
	}
	r.argv = nil
	held(f, limits(engine.AllKeysRandom, -1_000_000))
	held(f, func(h engine.Held) {
		require.NoError(t, h.MakeRoom())
		require.Greater(t, h.Memory().Used, h.Limits().MaxMemory)
		require.Less(t, h.Stats().Evicted, int64(200))
	})
	f.Advance(0)
	held(f, func(h engine.Held) {
		require.LessOrEqual(t, h.Memory().Used, h.Limits().MaxMemory)
		require.Greater(t, h.Stats().Evicted, int64(2000))
		require.Len(t, r.argv, int(h.Stats().Evicted))
	})
	require.Regexp(t, `^0 evicted key:\d+$`, r.seen[len(r.seen)-1])
	require.Regexp(t, `^\["DEL" "key:\d+"\]$`, r.argv[0])
}

func TestMemoryOfOthersCounts(t *testing.T) {
	f := enginetest.New(t)
	held(f, limits(engine.NoEviction, 10_000))
	require.NoError(t, set(f, 0, "k", 10, engine.Never))
	held(f, func(h engine.Held) {
		h.Account(20_000)
		require.ErrorIs(t, h.MakeRoom(), errs.OOM)
		h.Account(-20_000)
		require.NoError(t, h.MakeRoom())
	})
}

// LFU counters grow ever more slowly and decay with time, as Redis' do.
func TestFrequency(t *testing.T) {
	f := enginetest.New(t)
	held(f, limits(engine.AllKeysLFU, 1<<20))
	require.NoError(t, set(f, 0, "k", 10, engine.Never))
	freq := func() (n int) {
		f.Tx(func(tx *engine.Tx) {
			var err error
			n, _, err = tx.FreqOf([]byte("k"))
			require.NoError(t, err)
		})
		return n
	}
	require.Equal(t, 5, freq())
	for range 100 {
		f.Tx(func(tx *engine.Tx) { _, _, _ = tx.String([]byte("k")) })
	}
	require.InDelta(t, 10, freq(), 3) // Redis' table: factor 10, 100 hits
	for range 100_000 {
		f.Tx(func(tx *engine.Tx) { _, _, _ = tx.String([]byte("k")) })
	}
	before := freq()
	require.InDelta(t, 142, before, 15) // and 100k hits
	f.Advance(7 * time.Minute)
	require.Equal(t, before-7, freq())
	f.Advance(24 * time.Hour)
	require.Zero(t, freq())
}

func TestIdleTime(t *testing.T) {
	f := enginetest.New(t)
	require.NoError(t, set(f, 0, "k", 10, engine.Never))
	f.Advance(100 * time.Second)
	f.Tx(func(tx *engine.Tx) {
		n, ok, err := tx.IdleTimeOf([]byte("k"))
		require.NoError(t, err)
		require.True(t, ok)
		require.EqualValues(t, 100, n)
		_, _, _ = tx.String([]byte("k"))
		n, _, _ = tx.IdleTimeOf([]byte("k"))
		require.Zero(t, n)
	})
}
