package policy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// While another store decides, the keeper refuses nothing and ends nothing, and knows
// all the same; once it decides itself, its policies hold.
func TestFollow(t *testing.T) {
	f := enginetest.New(t)
	k := New(f.Engine, 16, func() string { return "" })
	users, err := ParsePaths([]string{"user"})
	require.NoError(t, err)
	now := func() engine.UnixMilli { return engine.UnixMilli(f.Now().UnixMilli()) }
	opt := Options{Prefix: "s:", TombstoneTTL: 1000, TombstoneMax: 10, MaxLifetime: 5000, Users: users, MaxPerUser: 2}
	h := f.Lock()
	k.Set(h, now(), opt)
	k.Follow(h, now(), true)
	k.Set(h, now(), opt) // as at CONFIG SET
	h.Unlock()
	set := func(key string) error {
		return f.Do(0, func(tx *engine.Tx) error {
			_, err := tx.StringSet([]byte(key), []byte(`{"user":"alice"}`), engine.SetOptions{At: engine.Never})
			return err
		})
	}
	for _, key := range []string{"s:a", "s:b", "s:c"} {
		require.NoError(t, set(key))
	}
	f.Tx(func(tx *engine.Tx) { tx.Delete("DEL", []byte("s:a")) })
	require.NoError(t, set("s:a"), "late, but it is not for us to say")
	f.Tx(func(tx *engine.Tx) { require.Equal(t, 3, tx.Len()) })
	require.Equal(t, 3, k.Figures().Active)
	h = f.Lock()
	k.Follow(h, now(), false)
	h.Unlock()
	f.Tx(func(tx *engine.Tx) {
		require.Equal(t, 2, tx.Len(), "alice has one session too many")
		require.False(t, tx.Has([]byte("s:b")), "the oldest")
		v, ok := tx.View([]byte("s:c"))
		require.True(t, ok)
		require.Equal(t, now()+5000, v.ExpireAt())
		tx.Delete("DEL", []byte("s:c"))
	})
	require.ErrorIs(t, set("s:c"), engine.ErrRefused)
}
