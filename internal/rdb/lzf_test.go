package rdb

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChecksum(t *testing.T) {
	// the check value of CRC-64/Redis, as its source has it
	require.Equal(t, uint64(0xe9c6d914c4b8d9ca), Checksum(0, []byte("123456789")))
	require.Equal(t, Checksum(0, []byte("123456789")), Checksum(Checksum(0, []byte("1234")), []byte("56789")))
}

func TestLZF(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var c compressor
	for i := range 2000 {
		src := make([]byte, rng.IntN(3000))
		for j := range src {
			src[j] = byte(rng.IntN(1 + i%40))
		}
		if i%7 == 0 {
			src = bytes.Repeat(src[:min(len(src), 20)], 50)
		}
		out, ok := c.compress([]byte("x"), src)
		if !ok {
			require.Equal(t, "x", string(out))
			continue
		}
		require.LessOrEqual(t, len(out)-1, len(src)-4)
		back := make([]byte, len(src))
		require.NoError(t, decompress(back, out[1:]))
		require.Equal(t, src, back)
	}
}

func FuzzDecompress(f *testing.F) {
	f.Add([]byte("\x02abc\x20\x02"), 6)
	f.Fuzz(func(t *testing.T, src []byte, n int) {
		if n >= 0 && n < 1<<16 {
			_ = decompress(make([]byte, n), src)
		}
	})
}
