package command_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/realredis"
)

// chance is a source whose seed is shown when the test fails.
func chance(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// floatText is a number as someone might write it, or nearly one.
func floatText(r *rand.Rand) string {
	digits := func(n int) string {
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = byte('0' + r.IntN(10))
		}
		return string(b)
	}
	switch r.IntN(12) {
	case 0:
		return strconv.FormatInt(r.Int64()-r.Int64(), 10)
	case 1:
		return strconv.FormatFloat(r.NormFloat64(), 'g', -1, 64)
	case 2:
		return strconv.FormatFloat(r.NormFloat64()*1e17, 'f', r.IntN(20), 64)
	case 3:
		return fmt.Sprintf("0x%xp%d", r.Uint64(), r.IntN(200)-100)
	case 4:
		return fmt.Sprintf("%s.%se%d", digits(25), digits(25), r.IntN(9990)-4995)
	case 5:
		return pick(r, "inf", "-INF", "Infinity", "+inf", "nan", "infin", "", "-", ".", "e5", "1e", "1e+", "0x", "0x.", "0x1p",
			"1,5", " 1", "1 ", "--1", "+-1", "1e1.5", "0b1", "1_000", "0x1_0p2", "nan(1)", "0x1e5", "-0", "0e99999999999", "1e-99999999999",
			"3.6451995318824746025e-4951", "1e-4950", "-1.8e-4951", "1.18973149535723176502e4932", "1.2e4932", strings.Repeat("9", 255), strings.Repeat("9", 256))
	case 6:
		return fmt.Sprintf("%de-17", r.IntN(100)-50)
	case 7:
		return fmt.Sprintf("0.%s5", strings.Repeat("0", r.IntN(18)))
	}
	return pick(r, "", "-", "+") + digits(12) + "." + digits(20)
}

// Sums of floats, and what counts as one, equal a real server's: it adds in
// 80-bit numbers.
func TestIncrByFloatAsRedis(t *testing.T) {
	srv, our, r := realredis.Start(t), startOurs(t), chance(t)
	for i := range 4000 {
		if i%20 == 0 {
			start := []string{"SET", "k", floatText(r)}
			require.Equal(t, srv.Do(t, start...), our.do(t, start).reply)
		}
		cmd := []string{"INCRBYFLOAT", "k", floatText(r)}
		require.Equal(t, srv.Do(t, cmd...), our.do(t, cmd).reply, "%q to %q", cmd, our.do(t, []string{"GET", "k"}).reply)
	}
}

// Patterns match as a real server's KEYS does.
func TestMatchAsRedis(t *testing.T) {
	srv, r := realredis.Start(t), chance(t)
	text := func(alphabet string, n int) string {
		b := make([]byte, r.IntN(n))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	var keys []string
	for range 300 {
		keys = append(keys, text("abc-^]\\[*?\xff", 9))
	}
	keys = append(keys, "", "a", "ab", "myapp:1", "[", "]", "^", "\\", "*", "a-c", "-")
	for _, key := range keys {
		srv.Do(t, "SET", key, "v")
	}
	for range 6000 {
		pattern := text("aabbc--^]]\\\\[[[**??\xff", 12)
		if r.IntN(4) == 0 {
			pattern += "*"
		}
		want := map[string]bool{}
		for _, key := range srv.Strings(t, "KEYS", pattern) {
			want[key] = true
		}
		if pattern == "*" { // KEYS itself takes it for all, even the empty key
			continue
		}
		for _, key := range keys {
			require.Equal(t, want[key], engine.Match([]byte(pattern), []byte(key)), "%q on %q", pattern, key)
		}
	}
}

// Random substrings: LCS is as Redis', whichever of several it chooses.
func TestLCSAsRedis(t *testing.T) {
	srv, our, r := realredis.Start(t), startOurs(t), chance(t)
	for range 500 {
		for _, key := range []string{"a", "b"} {
			b := make([]byte, r.IntN(60))
			for i := range b {
				b[i] = "abcd"[r.IntN(4)]
			}
			cmd := []string{"SET", key, string(b)}
			require.Equal(t, srv.Do(t, cmd...), our.do(t, cmd).reply)
		}
		for _, line := range []string{"LCS a b", "LCS a b LEN", "LCS a b IDX", "LCS b a IDX MINMATCHLEN 3 WITHMATCHLEN"} {
			cmd := strings.Fields(line)
			require.Equal(t, srv.Do(t, cmd...), our.do(t, cmd).reply, line)
		}
	}
}

// Numbers at the edges, ranges and integers as Redis takes them.
func TestNumbersAsRedis(t *testing.T) {
	srv, our, r := realredis.Start(t), startOurs(t), chance(t)
	number := func() string {
		return pick(r, "0", "1", "-1", "5", "-5", "10", "-10", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
			"4611686018427387904", "-4611686018427387904", "01", "+1", " 1", "1 ", "-0", "", "-", "abc", "1.0", "1e3",
			"18446744073709551615", "99999999999999999999", strconv.Itoa(r.IntN(40)-20))
	}
	for range 8000 {
		cmd := pick(r,
			[]string{"SET", "k", number()},
			[]string{"INCRBY", "k", number()},
			[]string{"DECRBY", "k", number()},
			[]string{"INCR", "k"},
			[]string{"DECR", "k"},
			[]string{"GETRANGE", "k", number(), number()},
			[]string{"SETRANGE", "k", strconv.Itoa(r.IntN(25)), number()},
			[]string{"APPEND", "k", number()},
			[]string{"STRLEN", "k"},
			[]string{"GETDEL", "k"},
			[]string{"OBJECT", "ENCODING", "k"},
			[]string{"OBJECT", "REFCOUNT", "k"},
		)
		require.Equal(t, srv.Do(t, cmd...), our.do(t, cmd).reply, "%q", cmd)
	}
}

// HELP names the same words in the same frame as Redis; the sentences are ours.
func TestObjectHelpAsRedis(t *testing.T) {
	srv, our := realredis.Start(t), startOurs(t)
	words := func(reply string) (out []string) {
		for _, line := range strings.Split(reply, "\r\n")[1:] {
			if line != "" && !strings.HasPrefix(line, "+    ") {
				out = append(out, line)
			}
		}
		return out
	}
	cmd := []string{"OBJECT", "HELP"}
	got := our.do(t, cmd).reply
	require.Equal(t, words(srv.Do(t, cmd...)), words(got))
	lines := strings.Count(got, "\r\n") - 1
	require.True(t, strings.HasPrefix(got, fmt.Sprintf("*%d\r\n", lines)), "%d lines in %q", lines, got)
}
