package coatchecktest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"coatcheck/coatchecktest"
)

// In a bubble of testing/synctest the machine's clock is the bubble's own: the
// store follows time.Sleep.
func TestInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := coatchecktest.Run(t, coatchecktest.PipeOnly(), coatchecktest.RealClock())
		// The address, which Dial does not look at, keeps go-redis from asking DNS.
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", Dialer: srv.Dial})
		defer rdb.Close()
		require.NoError(t, rdb.Set(t.Context(), "k", "v", 15*time.Minute).Err())
		time.Sleep(15*time.Minute - time.Millisecond)
		require.Equal(t, "v", rdb.Get(t.Context(), "k").Val())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		require.ErrorIs(t, rdb.Get(t.Context(), "k").Err(), redis.Nil)
		require.Len(t, srv.Events("expired"), 1)
	})
}
