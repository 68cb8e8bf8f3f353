package ring

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRing(t *testing.T) {
	r := New[uint64](3)
	add := func() { r.Add(func(seq uint64) uint64 { return seq }) }
	for range 2 {
		add()
	}
	got, last, gap, err := r.After(t.Context(), 0)
	require.NoError(t, err)
	require.False(t, gap)
	require.Equal(t, []uint64{1, 2}, got)
	require.EqualValues(t, 2, last)
	for range 5 {
		add()
	}
	got, last, gap, err = r.After(t.Context(), 2)
	require.NoError(t, err)
	require.True(t, gap, "3 and 4 were overwritten")
	require.Equal(t, []uint64{5, 6, 7}, got)
	require.EqualValues(t, 7, last)
	require.EqualValues(t, 7, r.Last())

	_, last, gap, err = r.After(t.Context(), 100)
	require.NoError(t, err)
	require.True(t, gap, "a number of the future is one of another ring")
	require.EqualValues(t, 7, last)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, _, err = r.After(ctx, 7)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAfterWaits(t *testing.T) {
	r := New[uint64](3)
	got := make(chan []uint64)
	go func() {
		things, _, _, _ := r.After(context.Background(), 0)
		got <- things
	}()
	r.Add(func(seq uint64) uint64 { return seq })
	require.Equal(t, []uint64{1}, <-got)
}
