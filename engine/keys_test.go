package engine_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
)

func put(t *testing.T, tx *engine.Tx, key, val string, at engine.UnixMilli) {
	t.Helper()
	_, err := tx.StringSet(b(key), b(val), engine.SetOptions{At: at})
	require.NoError(t, err)
}

// onDB runs fn as a unit on a db.
func onDB(t *testing.T, f *enginetest.Fixture, db int, fn func(tx *engine.Tx)) {
	t.Helper()
	require.NoError(t, f.Do(db, func(tx *engine.Tx) error {
		fn(tx)
		return nil
	}))
}

func TestRenameTakesAllAlong(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		at := tx.Now() + 1000
		put(t, tx, "a", "va", at)
		put(t, tx, "b", "vb", at+1)
		done, err := tx.KeyRename(b("a"), b("b"), true)
		require.NoError(t, err)
		require.False(t, done)
		done, err = tx.KeyRename(b("a"), b("b"), false)
		require.NoError(t, err)
		require.True(t, done)
		require.False(t, tx.Has(b("a")))
		require.Equal(t, "va", value(t, tx, "b"))
		got, _ := tx.ExpireAt(b("b"))
		require.Equal(t, at, got)

		tx.PutList(b("l"))
		_, err = tx.KeyRename(b("l"), b("b"), false)
		require.NoError(t, err)
		require.Equal(t, engine.TList, tx.TypeOf(b("b")))
		got, _ = tx.ExpireAt(b("b"))
		require.Equal(t, engine.Never, got)

		_, err = tx.KeyRename(b("missing"), b("b"), false)
		require.ErrorIs(t, err, errs.NoSuchKey)
		require.Equal(t, 1, tx.Len())
	})
}

func TestMoveAndCopyBetweenDBs(t *testing.T) {
	f := enginetest.New(t)
	var at engine.UnixMilli
	f.Tx(func(tx *engine.Tx) {
		at = tx.Now() + 1000
		put(t, tx, "a", "va", at)
		done, err := tx.KeyCopy(b("a"), b("a"), 3, false)
		require.NoError(t, err)
		require.True(t, done)
		done, err = tx.KeyMove(b("a"), 3)
		require.NoError(t, err)
		require.False(t, done, "db 3 has one")
		done, err = tx.KeyMove(b("a"), 4)
		require.NoError(t, err)
		require.True(t, done)
		require.Equal(t, 0, tx.DB(), "the unit stays on its db")
		require.Zero(t, tx.Len())
		for _, db := range []int{-1, 16, 1 << 30} {
			_, err = tx.KeyMove(b("a"), db)
			require.ErrorIs(t, err, errs.DBIndex)
			_, err = tx.KeyCopy(b("a"), b("b"), db, false)
			require.ErrorIs(t, err, errs.DBIndex)
		}
	})
	for _, db := range []int{3, 4} {
		onDB(t, f, db, func(tx *engine.Tx) {
			require.Equal(t, "va", value(t, tx, "a"))
			got, _ := tx.ExpireAt(b("a"))
			require.Equal(t, at, got)
		})
	}
	onDB(t, f, 3, func(tx *engine.Tx) {
		require.NoError(t, tx.SwapDB(3, 4))
		require.NoError(t, tx.SwapDB(0, 3))
		require.Zero(t, tx.Len())
		require.ErrorIs(t, tx.SwapDB(0, 16), errs.DBIndex)
		require.ErrorIs(t, tx.SwapDB(-1, 0), errs.DBIndex)
		tx.FlushAll()
	})
	f.Tx(func(tx *engine.Tx) { require.Zero(t, tx.Len()) })
}

func TestDeleteCountsOnce(t *testing.T) {
	f := enginetest.New(t)
	f.Tx(func(tx *engine.Tx) {
		put(t, tx, "a", "v", 0)
		put(t, tx, "b", "v", 0)
		require.Equal(t, 3, tx.Exists(b("a"), b("b"), b("a"), b("c")))
		require.Equal(t, 2, tx.Delete("DEL", b("a"), b("a"), b("c"), b("b")))
		require.Zero(t, tx.Len())
		_, ok := tx.RandomKey()
		require.False(t, ok)
	})
}
