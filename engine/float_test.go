package engine_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
)

// The sums are a real server's; TestIncrByFloatAsRedis asks it about many more.
func TestFloatSums(t *testing.T) {
	for _, c := range [][3]string{
		{"0.1", "0.2", "0.3"},
		{"3", "1.1", "4.1"},
		{"10.5", "0.1", "10.6"},
		{"1", "18446744073709551615", "18446744073709551616"},
		{"-1e-20", "0", "0"},
		{"5e3", "200", "5200"},
		{"0x1p3", ".5", "8.5"},
	} {
		x, ok := engine.ParseFloat(b(c[0]))
		require.True(t, ok, c[0])
		y, ok := engine.ParseFloat(b(c[1]))
		require.True(t, ok, c[1])
		sum, ok := x.Add(y)
		require.True(t, ok)
		require.Equal(t, c[2], string(sum.Append(nil)), "%s + %s", c[0], c[1])
	}
}

// What is a number to ParseFloat is one to math/big too, in the same place, and
// writing it is stable.
func FuzzParseFloat(f *testing.F) {
	for _, s := range []string{"1.5", "-0", "1e4932", "0x1.8p-3", "inf", ".", "1e", "0x", "3.6e-4951", "1_0", "0b1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, ok := engine.ParseFloat(b(s))
		if !ok {
			return
		}
		if _, ok = x.Add(engine.Float{}); !ok { // infinity
			return
		}
		text := x.Append(nil)
		exact, _, err := big.ParseFloat(s, 0, 200, big.ToNearestEven)
		if err == nil {
			got, _, err := big.ParseFloat(string(text), 10, 200, big.ToNearestEven)
			require.NoError(t, err)
			// 64 bits of mantissa and 17 decimals
			bound := new(big.Float).Abs(exact)
			bound.SetMantExp(bound, -63).Add(bound, big.NewFloat(1e-17))
			diff := new(big.Float).Sub(got, exact)
			require.True(t, diff.Abs(diff).Cmp(bound) <= 0, "%q became %q", s, text)
		}
		again, ok := engine.ParseFloat(text)
		require.True(t, ok, "%q became %q", s, text)
		require.Equal(t, string(text), string(again.Append(nil)))
	})
}
