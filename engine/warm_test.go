package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
)

// Warm may be given anything and changes nothing: no figure, no key that has
// expired meanwhile.
func TestWarmChangesNothing(t *testing.T) {
	f := enginetest.New(t)
	var keys [][]byte
	f.Tx(func(tx *engine.Tx) {
		for i := range 5000 {
			keys = append(keys, fmt.Appendf(nil, "k%d", i))
			at := engine.Never
			if i%2 == 0 {
				at = tx.Now() + 10
			}
			_, err := tx.StringSet(keys[i], make([]byte, 1000), engine.SetOptions{At: at})
			require.NoError(t, err)
		}
	})
	h := f.Lock()
	h.SetActiveExpire(false)
	h.Unlock()
	f.Advance(11 * 1e6)
	h = f.Lock()
	defer h.Unlock()
	stats, size := h.Stats(), h.Memory()
	require.True(t, h.Warms(0))
	require.False(t, h.Warms(1), "nothing is there")
	for i := range keys {
		h.Warm(0, keys[i:min(i+20, len(keys))])
	}
	h.Warm(0, [][]byte{nil, {}, []byte("no such key")})
	for _, db := range []int{-1, 1, 15, 16, 1 << 30} {
		h.Warm(db, keys[:engine.WarmKeys])
	}
	require.Equal(t, stats, h.Stats())
	require.Equal(t, size, h.Memory())
	require.Equal(t, 5000, h.DBs()[0].Keys)
}
