package coatchecktest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/coatchecktest"
)

func TestExpiredEventsComeInOrderAtTheirMoment(t *testing.T) {
	t.Parallel()
	start := time.UnixMilli(1_800_000_000_000)
	srv := coatchecktest.Run(t, coatchecktest.StartAt(start))
	srv.SetEX("later", "x", 2*time.Second)
	srv.SetEX("soon", "x", time.Second)
	srv.DB(3).SetEX("elsewhere", "x", 3*time.Second)
	srv.Set("for ever", "x")
	srv.ForgetEvents()

	srv.Advance(time.Minute)
	require.Equal(t, []coatchecktest.Event{
		{DB: 0, Name: "expired", Key: "soon", At: start.Add(time.Second)},
		{DB: 0, Name: "expired", Key: "later", At: start.Add(2 * time.Second)},
		{DB: 3, Name: "expired", Key: "elsewhere", At: start.Add(3 * time.Second)},
	}, srv.Events())
	require.Equal(t, []string{"for ever"}, srv.Keys())
}

func TestThousandsExpireAtOnce(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	pipe := client(t, srv).Pipeline()
	for i := range 20_000 {
		pipe.Set(ctx, "k"+string(rune('0'+i%10))+time.Duration(i).String(), "x", time.Minute)
	}
	_, err := pipe.Exec(ctx)
	require.NoError(t, err)
	srv.Advance(time.Minute)
	require.Len(t, srv.Events("expired"), 20_000)
	require.Empty(t, srv.Keys())
}

func TestRealClock(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t, coatchecktest.RealClock())
	srv.SetEX("k", "v", 20*time.Millisecond)
	require.Eventually(t, func() bool { return len(srv.Events("expired")) == 1 }, 5*time.Second, time.Millisecond)
}
