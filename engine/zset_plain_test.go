package engine

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// intset is integers, which are sorted, in Redis' format.
func intset(width int, nums ...int64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(width))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(nums)))
	for _, n := range nums {
		b = append(b, binary.LittleEndian.AppendUint64(nil, uint64(n))[:width]...)
	}
	return b
}

// Plain sets of every encoding are read as sorted sets with scores of 1.
func TestPlainSetsAsInputs(t *testing.T) {
	e := New(Options{Poison: true})
	defer e.Close()
	h := e.Lock()
	defer h.Unlock()
	tx := h.BeginAt(0, 1_700_000_000_000)
	put := func(key string, enc Encoding, val []byte) {
		p := tx.write([]byte(key))
		tx.put(&p, TSet, enc, val, Never)
	}
	put("16", EncIntset, intset(2, math.MinInt16, -5, 1, 2, 3))
	put("32", EncIntset, intset(4, math.MinInt32, -5, 1, 7, 100_000))
	put("64", EncIntset, intset(8, math.MinInt64, -5, 1, 9, math.MaxInt64))
	p := tx.write([]byte("lp"))
	tx.putPacked(&p, TSet, Never, []byte("1"), []byte("x"), []byte("-5"), []byte("name:7"))
	few := DefaultPacking
	few.SetEntries = 4
	h.SetPacking(few)
	for i := range 10 {
		_, err := tx.SetAdd([]byte("table"), fmt.Append(nil, "name:", i))
		require.NoError(t, err)
	}

	read := func(fn func(in *ZSetInputs) []Scored, keys ...string) (text []string) {
		var names [][]byte
		for _, k := range keys {
			names = append(names, []byte(k))
		}
		in, err := tx.ZSetInputs(names)
		require.NoError(t, err)
		for _, x := range fn(in) {
			text = append(text, fmt.Sprint(string(x.Member), " ", x.Score))
		}
		return text
	}
	inter := func(in *ZSetInputs) []Scored { return in.Inter(Sum) }
	union := func(in *ZSetInputs) []Scored { return in.Union(Sum) }
	require.Equal(t, []string{"-5 4", "1 4"}, read(inter, "16", "32", "64", "lp"))
	require.Equal(t, []string{"name:7 2"}, read(inter, "table", "lp"))
	require.Empty(t, read(inter, "table", "16"))
	require.Len(t, read(union, "16", "32", "64"), 11)
	require.Equal(t, []string{"2 1", "3 1"}, read((*ZSetInputs).Diff, "16", "32", "64")[1:])
	require.Len(t, read((*ZSetInputs).Diff, "table", "lp"), 9)
	_, err := tx.ZSetAdd([]byte("z"), ZSetAddOptions{}, Scored{[]byte("1"), 0.5})
	require.NoError(t, err)
	require.Equal(t, []string{"1 2.5"}, read(inter, "z", "16", "lp"))
}

func TestParseDouble(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "1": 1, "1.": 1, ".5": .5, "+1.5": 1.5, "1e3": 1000, "0x10": 16, "0x.8": .5, "-0X1p-1": -.5,
		"inf": math.Inf(1), "-Infinity": math.Inf(-1), "+INF": math.Inf(1), "5e-324": 5e-324, "0e-999": 0, "0x0p-9999": 0,
		"9007199254740993": 9007199254740992, "9223372036854775807": 1 << 63,
	} {
		got, ok := ParseDouble([]byte(text))
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", " 1", "1 ", "nan", "NaN", "1_0", "0x", "0x_1", "1e", ".", "e5", "1e400", "-1e400", "1e-400", "0x1p-2000", "1\x00", "infin", "1,5", "--1", "0b1"} {
		_, ok := ParseDouble([]byte(text))
		require.False(t, ok, text)
	}
}
