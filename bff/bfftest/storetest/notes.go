package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Notes are oidc.Notes.
type Notes interface {
	Claim(ctx context.Context, key, text string, ttl time.Duration) (bool, error)
	Extend(ctx context.Context, key, text string, ttl time.Duration) (bool, error)
	Release(ctx context.Context, key, text string) error
	Put(ctx context.Context, key, text string, ttl time.Duration) error
	Get(ctx context.Context, key string) (string, error)
}

// RunNotes checks what all Notes must do. elapse lets time pass for them.
func RunNotes(t *testing.T, n Notes, elapse func(time.Duration)) {
	ctx := t.Context()
	claim := func(key, text string, ttl time.Duration) bool {
		ok, err := n.Claim(ctx, key, text, ttl)
		require.NoError(t, err)
		return ok
	}
	extend := func(key, text string, ttl time.Duration) bool {
		ok, err := n.Extend(ctx, key, text, ttl)
		require.NoError(t, err)
		return ok
	}
	get := func(key string) string {
		text, err := n.Get(ctx, key)
		require.NoError(t, err)
		return text
	}
	const life = 200 * time.Millisecond
	require.Empty(t, get("lock"))
	require.True(t, claim("lock", "mine", time.Minute))
	require.False(t, claim("lock", "yours", time.Minute))
	require.False(t, claim("lock", "mine", time.Minute), "also not for who has it")
	require.True(t, claim("other", "yours", time.Minute))
	require.NoError(t, n.Release(ctx, "lock", "yours"))
	require.Equal(t, "mine", get("lock"), "nobody else takes it away")
	require.False(t, extend("lock", "yours", time.Hour))
	require.NoError(t, n.Release(ctx, "lock", "mine"))
	require.Empty(t, get("lock"))
	require.False(t, extend("lock", "mine", time.Hour))
	require.NoError(t, n.Release(ctx, "lock", "mine"), "what is not there is no failure")

	require.True(t, claim("brief", "a", life))
	elapse(life)
	require.Empty(t, get("brief"))
	require.False(t, extend("brief", "a", time.Hour), "what has ended stays so")
	require.True(t, claim("brief", "b", life))
	require.True(t, extend("brief", "b", time.Hour))
	elapse(life)
	require.Equal(t, "b", get("brief"))

	require.NoError(t, n.Put(ctx, "seen", "1", time.Hour))
	require.NoError(t, n.Put(ctx, "seen", "2", life))
	require.Equal(t, "2", get("seen"))
	elapse(life)
	require.Empty(t, get("seen"))
}
