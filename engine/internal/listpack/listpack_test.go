package listpack

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// samples are elements around the lengths and numbers where encodings change.
func samples() [][]byte {
	var all [][]byte
	for _, n := range []int64{0, 1, 127, 128, 4095, 4096, -1, -4096, -4097, math.MaxInt16, math.MinInt16, math.MaxInt16 + 1,
		1<<23 - 1, -1 << 23, 1 << 23, math.MaxInt32, math.MinInt32, math.MaxInt32 + 1, math.MaxInt64, math.MinInt64} {
		all = append(all, strconv.AppendInt(nil, n, 10))
	}
	for _, s := range []string{"", "-", "-0", "01", "1 ", "+1", "9223372036854775808", "a"} {
		all = append(all, []byte(s))
	}
	for _, n := range []int{62, 63, 64, 125, 126, 127, 4095, 4096, 16377, 16378, 16379, 16380, 1 << 21} {
		all = append(all, bytes.Repeat([]byte("x"), n))
	}
	return all
}

func TestElements(t *testing.T) {
	all := samples()
	lp := Of(all...)
	n, err := Validate(lp)
	require.NoError(t, err)
	require.Equal(t, len(all), n)
	require.Equal(t, len(all), Len(lp))
	at := First(lp)
	for i, want := range all {
		require.Equal(t, string(want), string(Get(lp, at).Append(nil)))
		require.True(t, Get(lp, at).Equal(want))
		require.Equal(t, len(want), Get(lp, at).Len())
		found, ok := Find(lp, First(lp), want, 0)
		require.True(t, ok)
		require.Equal(t, at, found)
		seen, ok := Seek(lp, i)
		require.True(t, ok)
		require.Equal(t, at, seen)
		seen, ok = Seek(lp, i-len(all))
		require.True(t, ok)
		require.Equal(t, at, seen)
		require.Equal(t, EncodedLen(want), Next(lp, at)-at)
		if i > 0 {
			prev, ok := Prev(lp, at)
			require.True(t, ok)
			require.Equal(t, at, Next(lp, prev))
		}
		at = Next(lp, at)
	}
	require.Equal(t, End(lp), at)
	_, ok := Prev(lp, First(lp))
	require.False(t, ok)
	_, ok = Seek(lp, len(all))
	require.False(t, ok)
	_, ok = Seek(lp, -len(all)-1)
	require.False(t, ok)
	_, ok = Find(lp, First(lp), []byte("missing"), 0)
	require.False(t, ok)
}

func TestIntegers(t *testing.T) {
	for _, n := range []int64{0, 127, 128, -1, 4095, -4096, 1 << 40, math.MinInt64} {
		text := strconv.AppendInt(nil, n, 10)
		require.Equal(t, Append(nil, text), AppendInt(nil, n))
		require.Equal(t, EncodedLen(text), IntLen(n))
	}
}

func TestFindSkips(t *testing.T) {
	lp := Of([]byte("f"), []byte("g"), []byte("g"), []byte("v"))
	at, ok := Find(lp, First(lp), []byte("g"), 1)
	require.True(t, ok)
	third, _ := Seek(lp, 2)
	require.Equal(t, third, at)
	_, ok = Find(lp, First(lp), []byte("v"), 1)
	require.False(t, ok)
}

// Overwrite gives the bytes that writing the element anew would, or leaves what
// was there.
func TestOverwrite(t *testing.T) {
	done := 0
	for _, was := range samples() {
		for _, now := range samples() {
			hole := Append(nil, was)
			before := bytes.Clone(hole)
			if Overwrite(hole, now) {
				done++
				require.Equal(t, Append(nil, now), hole, "%q to %q", was, now)
			} else {
				require.Equal(t, before, hole)
			}
		}
	}
	require.Positive(t, done)
	hole := Append(nil, []byte("abc"))
	require.True(t, Overwrite(hole, []byte("xyz")))
	require.Equal(t, Append(nil, []byte("xyz")), hole)
	require.False(t, Overwrite(hole, []byte("123")), "an integer")
}

func TestEmpty(t *testing.T) {
	for _, lp := range [][]byte{New(), Of()} {
		n, err := Validate(lp)
		require.NoError(t, err)
		require.Zero(t, n)
		require.Equal(t, End(lp), First(lp))
		require.Equal(t, End(lp), Last(lp))
	}
}

func TestManyElements(t *testing.T) {
	lp := New()[:HeaderSize]
	for i := range 70_000 {
		lp = Append(lp, fmt.Append(nil, i))
	}
	lp = append(lp, 0xff)
	SetHeader(lp, 70_000)
	require.Equal(t, 70_000, Len(lp))
	n, err := Validate(lp)
	require.NoError(t, err)
	require.Equal(t, 70_000, n)
}

// Bytes from outside are refused or can be walked both ways.
func FuzzValidate(f *testing.F) {
	f.Add(New())
	f.Add(Of(samples()[:30]...))
	f.Add([]byte("\x0b\x00\x00\x00\x01\x00\xf0\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, lp []byte) {
		n, err := Validate(lp)
		if err != nil {
			return
		}
		var offsets []int
		for at := First(lp); at < End(lp); at = Next(lp, at) {
			offsets = append(offsets, at)
			Get(lp, at).Append(nil)
		}
		require.Len(t, offsets, n)
		at := End(lp)
		for i := n - 1; i >= 0; i-- {
			prev, ok := Prev(lp, at)
			require.True(t, ok)
			require.Equal(t, offsets[i], prev)
			at = prev
		}
	})
}

// What goes in comes out.
func FuzzElement(f *testing.F) {
	for _, s := range samples()[:40] {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lp := Of([]byte("before"), b, []byte("after"))
		_, err := Validate(lp)
		require.NoError(t, err)
		at, _ := Seek(lp, 1)
		require.Equal(t, string(b), string(Get(lp, at).Append(nil)))
	})
}
