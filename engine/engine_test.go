package engine_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fill sets n keys "key:<i>".
func fill(f *enginetest.Fixture, n int, at engine.UnixMilli) {
	f.Tx(func(tx *engine.Tx) {
		for i := range n {
			_, _ = tx.StringSet(fmt.Append(nil, "key:", i), []byte("value"), engine.SetOptions{At: at})
		}
	})
}

func TestKeysExpireAtTheirMillisecond(t *testing.T) {
	f := enginetest.New(t)
	r := &recorder{wants: engine.Wants{Events: engine.ClassExpired}}
	held(f, func(h engine.Held) { h.AddSink(r) })
	require.NoError(t, set(f, 2, "k", 1, now(f)+1500))
	require.NoError(t, set(f, 0, "later", 1, now(f)+1501))
	f.Advance(1499 * time.Millisecond)
	require.Empty(t, r.seen)
	f.Advance(time.Millisecond)
	require.Equal(t, []string{"2 expired k"}, r.seen)
	f.Advance(time.Hour)
	require.Equal(t, []string{"2 expired k", "0 expired later"}, r.seen)
	held(f, func(h engine.Held) {
		s := h.Stats()
		require.EqualValues(t, 2, s.Expired)
		require.EqualValues(t, 2, s.Lateness.Buckets[0])
		require.Empty(t, h.DBs())
	})
}

func TestReadersDoNotSeeWhatHasExpired(t *testing.T) {
	f := enginetest.New(t)
	held(f, func(h engine.Held) { h.SetActiveExpire(false) })
	fill(f, 100, now(f)+1000)
	f.Advance(time.Second)
	f.Tx(func(tx *engine.Tx) {
		require.Equal(t, 100, tx.Len())
		_, ok, err := tx.String([]byte("key:1"))
		require.NoError(t, err)
		require.False(t, ok)
		require.False(t, tx.KeyExpire([]byte("key:2"), now(f)+1000, 0))
		require.Equal(t, 98, tx.Len())
		require.Zero(t, tx.KeyScan(0, engine.ScanOptions{Count: 1000}, func([]byte) { t.Error("found a dead key") }))
		require.Zero(t, tx.Len())
	})
	fill(f, 100, now(f)+1000)
	f.Advance(time.Minute)
	held(f, func(h engine.Held) { h.SetActiveExpire(true) })
	f.Advance(0)
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
}

func TestPauseKeepsTheKeyspaceAsItIs(t *testing.T) {
	f := enginetest.New(t)
	r := &recorder{wants: engine.Wants{Events: engine.ClassExpired}}
	held(f, func(h engine.Held) {
		h.AddSink(r)
		h.Pause(true)
	})
	fill(f, 10, now(f)+1000)
	f.Advance(time.Minute)
	f.Tx(func(tx *engine.Tx) {
		require.False(t, tx.Has([]byte("key:1")))
		_, ok, _ := tx.String([]byte("key:1"))
		require.False(t, ok)
		require.Equal(t, 10, tx.Len())
	})
	require.Empty(t, r.seen)
	held(f, func(h engine.Held) { h.Pause(false) })
	f.Advance(0)
	require.Len(t, r.seen, 10)
}

// A session that is touched again and again costs the expire index one move a
// TTL, and none of its touches is lost.
func TestExtendedDeadlines(t *testing.T) {
	f := enginetest.New(t)
	fill(f, 1000, now(f)+60_000)
	for range 10 {
		f.Advance(50 * time.Second)
		f.Tx(func(tx *engine.Tx) {
			for i := range 500 {
				require.True(t, tx.KeyExpire(fmt.Append(nil, "key:", i), now(f)+60_000, 0))
			}
		})
		f.Check()
	}
	f.Tx(func(tx *engine.Tx) { require.Equal(t, 500, tx.Len()) })
	f.Advance(60*time.Second - time.Millisecond)
	f.Tx(func(tx *engine.Tx) { require.Equal(t, 500, tx.Len()) })
	f.Advance(time.Millisecond)
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
}

func TestManyKeysExpireAtOnce(t *testing.T) {
	f := enginetest.New(t)
	var rounds []string
	held(f, func(h engine.Held) {
		h.OnCycle(func(event string, _ time.Duration) { rounds = append(rounds, event) })
	})
	fill(f, 10_000, now(f)+1000)
	f.Advance(time.Second)
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
	require.Greater(t, len(rounds), 20, "the lock was held for too many keys at once")
	require.Equal(t, "expire-cycle", rounds[0])
}

// With the machine's clock keys go without anybody asking for them.
func TestTimerWithoutFakeClock(t *testing.T) {
	gone := make(chan string, 1)
	e := engine.New(engine.Options{})
	defer e.Close()
	h := e.Lock()
	h.AddSink(sinkFunc(func(f *engine.Effect) { gone <- string(f.Key) }))
	tx := h.Begin(3)
	_, _ = tx.StringSet([]byte("k"), []byte("v"), engine.SetOptions{At: tx.Now() + 20})
	tx.End()
	h.Unlock()
	select {
	case key := <-gone:
		require.Equal(t, "k", key)
	case <-time.After(10 * time.Second):
		t.Fatal("the key did not expire")
	}
}

type sinkFunc func(*engine.Effect)

func (sinkFunc) Wants() engine.Wants                      { return engine.Wants{Events: engine.ClassExpired} }
func (fn sinkFunc) Effect(_ *engine.Tx, e *engine.Effect) { fn(e) }

func TestClose(t *testing.T) {
	e := engine.New(engine.Options{})
	require.NoError(t, e.Do(0, func(tx *engine.Tx) error {
		_, err := tx.StringSet([]byte("k"), make([]byte, 1<<20), engine.SetOptions{At: tx.Now() + 1})
		return err
	}))
	e.Close()
	e.Close()
}

func TestEmptyEngineIsSmall(t *testing.T) {
	var before, after runtime.MemStats
	const n = 20
	var engines [n]*engine.Engine
	runtime.ReadMemStats(&before)
	for i := range engines {
		engines[i] = engine.New(engine.Options{})
	}
	runtime.ReadMemStats(&after)
	require.Less(t, (after.TotalAlloc-before.TotalAlloc)/n, uint64(200_000))
	for _, e := range engines {
		h := e.Lock()
		require.Zero(t, h.Memory().Mapped)
		h.Unlock()
		e.Close()
	}
}

func TestFlushIsOffTheLock(t *testing.T) {
	f := enginetest.New(t)
	fill(f, 200_000, now(f)+60_000)
	f.Tx(func(tx *engine.Tx) { tx.FlushAll() })
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
	held(f, func(h engine.Held) { require.Zero(t, h.Memory().Mapped) })
	f.Advance(time.Hour)
	held(f, func(h engine.Held) {
		require.Zero(t, h.Stats().Expired)
		require.EqualValues(t, 400_000, h.Stats().Changes)
	})
}

func TestMemoryPerSession(t *testing.T) {
	const n = 100_000
	f := enginetest.New(t)
	rng := engine.NewRand(5)
	val := make([]byte, 400)
	load := func(order func(i int) int) float64 {
		for i := 0; i < n; i += 1000 {
			f.Tx(func(tx *engine.Tx) {
				for j := i; j < i+1000; j++ {
					_, _ = tx.StringSet(fmt.Appendf(nil, "myapp:%032d", order(j)), val[:324-26+rng.IntN(53)],
						engine.SetOptions{At: tx.Now() + 900_000 + engine.UnixMilli(rng.IntN(600_000))})
				}
			})
		}
		var per float64
		held(f, func(h engine.Held) {
			m := h.Memory()
			require.LessOrEqual(t, m.Used, m.Mapped+100_000)
			// The end of the last arena is mapped, but was never touched.
			per = float64(m.Mapped-4<<20) / n
		})
		return per
	}
	require.Less(t, load(func(i int) int { return i }), 420.0)
	for range 3 {
		require.Less(t, load(func(i int) int { return (i*48271 + 11) % n }), 425.0)
	}
}

func TestUsedMemoryReturnsToWhereItWas(t *testing.T) {
	f := enginetest.New(t)
	var empty, full engine.Memory
	held(f, func(h engine.Held) { empty = h.Memory() })
	fill(f, 50_000, now(f)+60_000)
	held(f, func(h engine.Held) { full = h.Memory() })
	require.InDelta(t, 50_000*(20+5+9+8+13), full.Used, 50_000*8)
	require.EqualValues(t, full.Used, full.Entries+full.Dicts+full.Expires+full.Elsewhere)
	f.Advance(time.Hour)
	held(f, func(h engine.Held) {
		m := h.Memory()
		require.InDelta(t, empty.Used, m.Used, 60_000)
		require.Zero(t, m.Entries)
		require.Equal(t, full.Used, m.Peak)
		h.ResetPeak()
		require.Equal(t, m.Used, h.Memory().Peak)
		require.Less(t, m.Mapped, int64(5<<20))
	})
}

func TestMemoryOfAKey(t *testing.T) {
	f := enginetest.New(t)
	require.NoError(t, set(f, 0, "small", 10, engine.Never))
	require.NoError(t, set(f, 0, "large", 1_000_000, now(f)+1000))
	f.Tx(func(tx *engine.Tx) {
		small, ok := tx.MemoryOf([]byte("small"))
		require.True(t, ok)
		require.Less(t, small, int64(500))
		large, _ := tx.MemoryOf([]byte("large"))
		require.InDelta(t, 1_000_000, large, 6000)
		_, ok = tx.MemoryOf([]byte("none"))
		require.False(t, ok)
	})
}

// Units never overlap, whoever runs them.
func TestUnitsExclude(t *testing.T) {
	e := engine.New(engine.Options{})
	defer e.Close()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				_ = e.Do(0, func(tx *engine.Tx) error {
					_, err := tx.StringIncr([]byte("n"), 1)
					return err
				})
			}
		})
	}
	wg.Wait()
	_ = e.Do(0, func(tx *engine.Tx) error {
		n, _, _ := tx.String([]byte("n"))
		require.Equal(t, "4000", string(n))
		return nil
	})
}

// A closed engine says so.
func TestDoOnAClosedEngine(t *testing.T) {
	e := engine.New(engine.Options{})
	e.Close()
	require.ErrorIs(t, e.Do(0, func(*engine.Tx) error { return nil }), engine.ErrClosed)
	require.ErrorIs(t, e.DoAt(0, 1, func(engine.Held, *engine.Tx) error { return nil }), engine.ErrClosed)
}
