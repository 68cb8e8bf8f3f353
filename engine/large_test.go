package engine_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
)

func TestSetRangeAt512MB(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		n, err := tx.StringSetRange([]byte("k"), 512<<20-1, []byte{'x'})
		require.NoError(t, err)
		require.Equal(t, 512<<20, n)
		_, err = tx.StringSetRange([]byte("k"), 512<<20, []byte{'x'})
		require.Error(t, err)
		val, err := tx.StringRange([]byte("k"), -2, -1)
		require.NoError(t, err)
		require.Equal(t, "\x00x", string(val))
		val, err = tx.StringRange([]byte("k"), 100_000_000, 100_000_003)
		require.NoError(t, err)
		require.Equal(t, "\x00\x00\x00\x00", string(val))
		require.True(t, tx.KeyExpire([]byte("k"), tx.Now()+1000, 0))
		done, err := tx.KeyRename([]byte("k"), []byte("a longer name"), false)
		require.NoError(t, err)
		require.True(t, done)
		done, err = tx.KeyMove([]byte("a longer name"), 1)
		require.NoError(t, err)
		require.True(t, done)
	})
	held(f, func(h engine.Held) { require.InDelta(t, 513<<20, h.Memory().Used, 2<<20) })
	f.Check()
	f.Advance(time.Second)
	held(f, func(h engine.Held) { require.Less(t, h.Memory().Used, int64(1<<20)) })
}

// Small appends to a large value must not copy it each time: half a million of
// them to 100 MB would take hours.
func TestAppendIsAmortised(t *testing.T) {
	f := enginetest.New(t)
	key := []byte("k")
	want := bytes.Repeat([]byte("0123456789"), 10<<20)
	f.Tx(func(tx *engine.Tx) {
		_, err := tx.StringSet(key, want, engine.SetOptions{At: tx.Now() + 60_000})
		require.NoError(t, err)
		for range 500_000 {
			_, err := tx.StringAppend(key, []byte("abcdefgh"))
			require.NoError(t, err)
		}
		val, _, _ := tx.String(key)
		require.Len(t, val, len(want)+4_000_000)
		require.True(t, bytes.Equal(want, val[:len(want)]))
		require.True(t, bytes.Equal(bytes.Repeat([]byte("abcdefgh"), 500_000), val[len(want):]))
	})
}

// grow is a value that comes into being by many appends, through all ways of
// keeping it.
func TestAppendFromNothing(t *testing.T) {
	f := enginetest.New(t)
	var want []byte
	for i := range 30_000 {
		part := []byte{byte(i), byte(i >> 8), 'x'}
		want = append(want, part...)
		f.Tx(func(tx *engine.Tx) {
			_, err := tx.StringAppend([]byte("k"), part)
			require.NoError(t, err)
			if i == 100 {
				require.True(t, tx.KeyExpire([]byte("k"), tx.Now()+1000, 0))
			}
		})
	}
	f.Tx(func(tx *engine.Tx) {
		val, _, _ := tx.String([]byte("k"))
		require.True(t, bytes.Equal(want, val))
		at, _ := tx.ExpireAt([]byte("k"))
		require.Equal(t, now(f)+1000, at)
	})
}

func TestCopyOfALargeValueIsAnother(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		_, err := tx.StringSet([]byte("a"), bytes.Repeat([]byte{'a'}, 100_000), engine.SetOptions{})
		require.NoError(t, err)
		done, err := tx.KeyCopy([]byte("a"), []byte("b"), 1, false)
		require.NoError(t, err)
		require.True(t, done)
		_, err = tx.StringSetRange([]byte("a"), 0, []byte("changed"))
		require.NoError(t, err)
	})
	require.NoError(t, f.Do(1, func(tx *engine.Tx) error {
		val, _, _ := tx.String([]byte("b"))
		require.True(t, bytes.Equal(bytes.Repeat([]byte{'a'}, 100_000), val))
		return nil
	}))
}

// Without more memory from the system writes fail one by one; nothing is left half
// done, and what needs none goes on.
func TestNoMemory(t *testing.T) {
	f := enginetest.New(t)
	key := func(i int) []byte { return fmt.Appendf(nil, "key:%d", i) }
	put := func(key []byte, size int) error {
		return f.Do(0, func(tx *engine.Tx) error {
			_, err := tx.StringSet(key, make([]byte, size), engine.SetOptions{At: tx.Now() + 1000})
			return err
		})
	}
	require.NoError(t, put([]byte("medium"), 100_000))
	require.NoError(t, put([]byte("huge"), 3<<20))
	held(f, func(h engine.Held) { h.RefuseMemory(true) })
	n := 0
	var err error
	for ; err == nil; n++ {
		require.Less(t, n, 100_000)
		err = put(key(n), 400)
	}
	require.ErrorIs(t, err, errs.NoMemory)
	require.Greater(t, n, 1)
	f.Check()
	for name, op := range map[string]func(tx *engine.Tx) error{
		"SET": func(tx *engine.Tx) error {
			_, err := tx.StringSet([]byte("huge"), make([]byte, 4<<20), engine.SetOptions{})
			return err
		},
		"SETRANGE": func(tx *engine.Tx) error { _, err := tx.StringSetRange([]byte("new"), 5<<20, []byte("x")); return err },
		"APPEND":   func(tx *engine.Tx) error { _, err := tx.StringAppend([]byte("new"), make([]byte, 20_000)); return err },
		"EXPIRE":   func(tx *engine.Tx) error { tx.KeyExpire([]byte("huge"), engine.UnixMilli(1)<<50, 0); return nil },
		"COPY":     func(tx *engine.Tx) error { _, err := tx.KeyCopy([]byte("huge"), []byte("copy"), 0, false); return err },
		"MOVE":     func(tx *engine.Tx) error { _, err := tx.KeyMove([]byte("medium"), 1); return err },
	} {
		require.ErrorIs(t, f.Do(0, op), errs.NoMemory, name)
		f.Check()
	}
	f.Tx(func(tx *engine.Tx) {
		require.Equal(t, n+1, tx.Len())
		for i := range n - 1 {
			require.Equal(t, 1, tx.Delete("DEL", key(i)))
		}
	})
	held(f, func(h engine.Held) { h.RefuseMemory(false) })
	require.NoError(t, put(key(0), 5<<20))
	f.Advance(time.Minute)
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
}
