package command

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/errs"
)

// What redis-server 7.0.15 answers to BLPOP, but for numbers beyond 64 bits of
// milliseconds, which 7.2 calls out of range.
func TestTimeouts(t *testing.T) {
	const now = engine.UnixMilli(1_700_000_000_000)
	for _, c := range []struct {
		arg  string
		want engine.UnixMilli // relative to now; 0: none
		err  error
	}{
		{"0", 0, nil},
		{"0.0", 0, nil},
		{"-0", 0, nil},
		{"1", 1000, nil},
		{"0.001", 1, nil},
		{"0.0001", 1, nil},
		{"1.0001", 1001, nil},
		{"1.5", 1500, nil},
		{"0x10", 16000, nil},
		{"1e3", 1_000_000, nil},
		{"-0.0001", 0, nil},
		{"-0.001", 0, nil}, // as a long double it is a little less, and rounded up
		{"-0.002", 0, errs.TimeoutNegative},
		{"-1", 0, errs.TimeoutNegative},
		{"-inf", 0, errs.TimeoutNegative},
		{"-1e300", 0, errs.TimeoutNegative},
		{"inf", 0, errs.TimeoutOutOfRange},
		{"1e300", 0, errs.TimeoutOutOfRange},
		{"9223372036854775", 0, errs.TimeoutOutOfRange},
		{"9223372036854776", 0, errs.TimeoutOutOfRange},
		{"1000000000000", 1e15, nil},
		{"2000000000000", 2e15, nil},
		{"nan", 0, errs.TimeoutNotFloat},
		{"", 0, errs.TimeoutNotFloat},
		{" 1", 0, errs.TimeoutNotFloat},
		{"1 ", 0, errs.TimeoutNotFloat},
		{"abc", 0, errs.TimeoutNotFloat},
	} {
		at, err := TimeoutSeconds([]byte(c.arg), now)
		if c.err != nil {
			require.Equal(t, c.err, err, c.arg)
			continue
		}
		require.NoError(t, err, c.arg)
		want := c.want
		if want != 0 {
			want += now
		}
		require.Equal(t, want, at, c.arg)
	}
	for arg, want := range map[string]error{
		"1.5": errs.TimeoutNotInteger, "": errs.TimeoutNotInteger, "-1": errs.TimeoutNegative,
		"9223372036854775807": errs.TimeoutOutOfRange, "9223372036854775808": errs.TimeoutNotInteger,
	} {
		_, err := TimeoutMillis([]byte(arg), now)
		require.Equal(t, want, err, arg)
	}
	at, err := TimeoutMillis([]byte("0"), now)
	require.NoError(t, err)
	require.Zero(t, at)
	at, err = TimeoutMillis([]byte("9223370336854775807"), now)
	require.NoError(t, err)
	require.EqualValues(t, math.MaxInt64, at)
}
