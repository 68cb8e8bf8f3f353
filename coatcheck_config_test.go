package coatcheck_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck"
)

func TestOptionsAreTheConfiguration(t *testing.T) {
	ctx := context.Background()
	now := &stillClock{time.UnixMilli(1_800_000_000_000)}
	a := client(t, start(t, coatcheck.Options{
		Password: "secret", Databases: 2, MaxMemory: 10 << 20, Clock: now,
		Config: map[string]string{"maxmemory-policy": "volatile-ttl", "slowlog-max-len": "7"},
	}), 0)
	for name, want := range map[string]string{
		"maxmemory": "10485760", "maxmemory-policy": "volatile-ttl", "databases": "2", "slowlog-max-len": "7",
		"requirepass": "secret",
	} {
		require.Equal(t, want, a.ConfigGet(ctx, name).Val()[name], name)
	}
	require.True(t, now.Now().Equal(a.Time(ctx).Val()))

	b := client(t, start(t, coatcheck.Options{}), 0)
	require.NoError(t, b.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru").Err())
	require.Equal(t, "volatile-ttl", a.ConfigGet(ctx, "maxmemory-policy").Val()["maxmemory-policy"])
}

func TestStartSaysWhichOptionIsWrong(t *testing.T) {
	for want, opts := range map[string]coatcheck.Options{
		"coatcheck: option maxmemory lots: argument must be a memory value":                   {Config: map[string]string{"maxmemory": "lots"}},
		"coatcheck: option nope x: Bad directive or wrong number of arguments":                {Config: map[string]string{"nope": "x"}},
		"coatcheck: option databases -1: argument must be between 1 and 2147483647 inclusive": {Databases: -1},
	} {
		_, err := coatcheck.Start(context.Background(), opts)
		require.EqualError(t, err, want)
	}
}
