package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
)

// The answers are a real server's; TestMatchAsRedis asks one about many more.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", false}, // as Redis; KEYS * is a word of its own
		{"*", "a", true},
		{"**", "abc", true},
		{"a*", "a", true},
		{"*c", "abc", true},
		{"a*c", "ac", true},
		{"a*c", "abcd", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*ab", "aab", true},
		{"?", "", false},
		{"a?c", "abc", true},
		{"[abc]", "b", true},
		{"[^abc]", "b", false},
		{"[^abc]", "d", true},
		{"[a-c]", "b", true},
		{"[c-a]", "b", true},
		{"[a-]", "-", false},
		{"[a-]", "^", true},
		{"[]", "]", false},
		{"[^]", "x", true},
		{"[\\]]", "]", true},
		{"[\\^a]", "^", true},
		{"[a", "a", true},
		{"[a-", "-", true},
		{"[", "a", false},
		{"[^", "a", true},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\a", "a", true},
		{"\\", "\\", true},
		{"a\\", "a\\", true},
		{"[\xfe-\x01]", "\x00", true},
		{"[\xfe-\x01]", "a", false},
	} {
		require.Equal(t, c.want, engine.Match(b(c.pattern), b(c.s)), "%q on %q", c.pattern, c.s)
	}
}

func TestMatchFold(t *testing.T) {
	for pattern, s := range map[string]string{"MAX*": "maxmemory", "[A-C]x": "bX", "[^a]": "b", "\\A": "a", "k?Y": "KeY"} {
		require.True(t, engine.MatchFold(b(pattern), b(s)), "%q on %q", pattern, s)
	}
	require.False(t, engine.MatchFold(b("[^a]"), b("A")))
	require.False(t, engine.Match(b("MAX*"), b("maxmemory")))
}

// Patterns that made matchers take exponential time, or a stack frame a star.
func TestMatchIsBounded(t *testing.T) {
	began := time.Now()
	long := b(strings.Repeat("a", 50_000))
	for _, pattern := range []string{
		strings.Repeat("a*", 50) + "b",
		strings.Repeat("*a", 20_000) + "*b",
		strings.Repeat("*?", 50_000) + "b",
		strings.Repeat("*[a]", 10_000) + "b",
		strings.Repeat("*", 100_000) + "b",
		strings.Repeat("*[^b]", 10_000) + "[^a]",
	} {
		require.False(t, engine.Match(b(pattern), long), "%.20s…", pattern)
	}
	require.True(t, engine.Match(b(strings.Repeat("*?", 50_000)), long))
	require.Less(t, time.Since(began), 5*time.Second)
}

func TestIsLiteral(t *testing.T) {
	for _, pattern := range []string{"", "abc", "a^b", "a-b", "]"} {
		require.True(t, engine.IsLiteral(b(pattern)), pattern)
	}
	for _, pattern := range []string{"*", "a?", "[a]", "\\a"} {
		require.False(t, engine.IsLiteral(b(pattern)), pattern)
	}
}

// A pattern without special characters matches itself only, and whatever the
// pattern and the bytes, matching ends.
func FuzzMatch(f *testing.F) {
	for _, pattern := range []string{"a*b", "[a-z]?", "[^", "\\", "*?*[", "a**b*"} {
		f.Add(b(pattern), b("aXb"))
	}
	f.Fuzz(func(t *testing.T, pattern, s []byte) {
		got := engine.Match(pattern, s)
		if engine.IsLiteral(pattern) {
			require.Equal(t, string(pattern) == string(s), got)
		}
		if got {
			require.True(t, engine.MatchFold(pattern, s) || strings.ContainsAny(string(pattern), "[^-"))
			if len(s) > 0 {
				require.True(t, engine.Match(append(b("*"), pattern...), s))
				require.True(t, engine.Match(append(pattern[:len(pattern):len(pattern)], '*'), append(s[:len(s):len(s)], 'x')) ||
					strings.ContainsAny(string(pattern), "[\\"))
			}
		}
	})
}
