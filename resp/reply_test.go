package resp

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bytesOf is what a client would read.
func bytesOf(r *Reply) string {
	var b []byte
	for _, p := range r.Buffers(make([][]byte, 0, 10000)) {
		b = append(b, p...)
	}
	if string(b) != string(r.Bytes()) {
		panic("Buffers and Bytes differ")
	}
	return string(b)
}

func TestReply(t *testing.T) {
	for _, c := range []struct {
		name         string
		do           func(r *Reply)
		resp2, resp3 string
	}{
		{"status", func(r *Reply) { r.Status("OK"); r.Status("PONG") }, "+OK\r\n+PONG\r\n", ""},
		{"status with a line break", func(r *Reply) { r.Status("a\r\n+b") }, "+a  +b\r\n", ""},
		{"int", func(r *Reply) { r.Int(0); r.Int(math.MinInt64) }, ":0\r\n:-9223372036854775808\r\n", ""},
		{"bulk", func(r *Reply) { r.BulkString([]byte("a\r\n")); r.BulkText("") }, "$3\r\na\r\n\r\n$0\r\n\r\n", ""},
		{"null", func(r *Reply) { r.Null() }, "$-1\r\n", "_\r\n"},
		{"null array", func(r *Reply) { r.NullArray() }, "*-1\r\n", "_\r\n"},
		{"bool", func(r *Reply) { r.Bool(true); r.Bool(false) }, ":1\r\n:0\r\n", "#t\r\n#f\r\n"},
		{"double", func(r *Reply) { r.Double(0.1) }, "$3\r\n0.1\r\n", ",0.1\r\n"},
		{"verbatim", func(r *Reply) { r.Verbatim("txt", "hi") }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"},
		{"big number", func(r *Reply) { r.BigNumber("123") }, "$3\r\n123\r\n", "(123\r\n"},
		{"array", func(r *Reply) { r.Array(2); r.Int(1); r.Int(2) }, "*2\r\n:1\r\n:2\r\n", ""},
		{"map", func(r *Reply) { r.Map(1); r.Int(1); r.Int(2) }, "*2\r\n:1\r\n:2\r\n", "%1\r\n:1\r\n:2\r\n"},
		{"set", func(r *Reply) { r.Set(1); r.Int(1) }, "*1\r\n:1\r\n", "~1\r\n:1\r\n"},
		{"push", func(r *Reply) { r.Push(1); r.Int(1) }, "*1\r\n:1\r\n", ">1\r\n:1\r\n"},
		{"error", func(r *Reply) { r.Error(errors.New("ERR a")) }, "-ERR a\r\n", ""},
		{"error with line breaks", func(r *Reply) { r.Error(errors.New("ERR X\r\n+OK\r\n")) }, "-ERR X  +OK\r\n", ""},
		{"deferred", func(r *Reply) {
			a := r.DeferArray()
			r.Int(1)
			m := r.DeferArray()
			r.Int(2)
			r.Int(3)
			r.EndMap(m, 1)
			s := r.DeferArray()
			r.EndSet(s, 0)
			r.EndArray(a, 3)
		}, "*3\r\n:1\r\n*2\r\n:2\r\n:3\r\n*0\r\n", "*3\r\n:1\r\n%1\r\n:2\r\n:3\r\n~0\r\n"},
		{"deferred push", func(r *Reply) { d := r.DeferArray(); r.Int(1); r.EndPush(d, 1) }, "*1\r\n:1\r\n", ">1\r\n:1\r\n"},
		{"rewind", func(r *Reply) {
			r.Int(1)
			mark := r.Len()
			r.DeferArray()
			r.BulkText("gone")
			r.Rewind(mark)
			r.Int(2)
		}, ":1\r\n:2\r\n", ""},
	} {
		if c.resp3 == "" {
			c.resp3 = c.resp2
		}
		for proto, want := range map[int]string{2: c.resp2, 3: c.resp3} {
			r := &Reply{Proto: proto}
			c.do(r)
			require.Equal(t, want, bytesOf(r), "%s, RESP%d", c.name, proto)
			require.Equal(t, len(want), r.Len())
		}
	}
}

// The texts are what Redis answered to ZSCORE.
func TestAppendDouble(t *testing.T) {
	for want, f := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "1": 1, "-1": -1, "1.5": 1.5, "-1.5": -1.5, "3000": 3e3,
		"inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN(), "0.1": 0.1,
		"1000000000000000": 1e15, "1000000000000000000": 1e18, "9007199254740992": 1 << 53,
		"1e+19": 1e19, "1e+20": 1e20, "1e+100": 1e100, "1e+308": 1e308,
		"123456789012345690000000": 1.2345678901234569e23, "12345678901234567000": 12345678901234567890,
		"0.00001": 1e-5, "0.000001": 1e-6, "1e-7": 1e-7, "2.5e-8": 2.5e-8, "1.5e-100": 1.5e-100,
		"5e-324": 5e-324, "-1e+20": -1e20,
	} {
		require.Equal(t, want, string(AppendDouble(nil, f)))
	}
}

// Random appends, deferred headers and rewinds, sent in random pieces, give the
// same bytes as one plain buffer.
func TestReplyChunks(t *testing.T) {
	for seed := range uint64(15) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		r := &Reply{Proto: 3}
		var want, got []byte
		for range 60 {
			mark, plain := r.Len(), len(want)
			d := r.DeferArray()
			n := rnd.IntN(5)
			var body []byte
			for range n {
				b := bytes.Repeat([]byte{byte('a' + rnd.IntN(26))}, 1<<rnd.IntN(18)+rnd.IntN(5))
				r.BulkString(b)
				body = fmt.Appendf(body, "$%d\r\n%s\r\n", len(b), b)
			}
			r.EndArray(d, n)
			want = append(fmt.Appendf(want, "*%d\r\n", n), body...)
			if rnd.IntN(4) == 0 {
				r.Rewind(mark)
				want = want[:plain]
			}
			if rnd.IntN(4) == 0 {
				side := &Reply{Proto: 3}
				side.BulkText(strings.Repeat("s", rnd.IntN(100_000)))
				want = append(want, bytesOf(side)...)
				r.AppendReply(side)
				require.Zero(t, side.Len())
				require.Zero(t, side.Memory())
			}
			require.Equal(t, len(want)-len(got), r.Len(), "seed %d", seed)
			for rnd.IntN(3) > 0 && r.Len() > 0 {
				k := 1 + rnd.IntN(r.Len())
				got = append(got, bytesOf(r)[:k]...)
				r.Advance(k)
			}
		}
		for b := r.Head(); b != nil; b = r.Head() {
			got = append(got, b...)
			r.Advance(len(b))
		}
		require.True(t, bytes.Equal(want, got), "seed %d", seed)
		require.Zero(t, r.Len())
		require.Zero(t, r.Memory(), "seed %d: an empty reply owns nothing", seed)
	}
}

// Bytes that several replies share are never written to, whatever else happens to
// the replies.
func TestSharedBytesStay(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var shared, kept [][]byte
		for i := range 12 {
			b := bytes.Repeat([]byte{byte('A' + i)}, []int{1, 100, class0 - 1, class0, class0 + 1, 2000, class1, class1 + 1, 9000, class2, 40000, class3}[i])
			shared, kept = append(shared, b), append(kept, bytes.Clone(b))
		}
		replies, sides := make([]Reply, 4), make([]Reply, 4)
		want := make([][]byte, 4)
		for range 400 {
			i := rnd.IntN(4)
			r, side := &replies[i], &sides[i]
			switch rnd.IntN(6) {
			case 0, 1:
				b := shared[rnd.IntN(len(shared))]
				side.AppendShared(b)
				want[i] = append(want[i], b...)
			case 2:
				side.BulkText("own")
				want[i] = append(want[i], "$3\r\nown\r\n"...)
			case 3:
				r.AppendReply(side)
			case 4:
				r.AppendReply(side)
				mark := r.Len()
				r.AppendShared(shared[rnd.IntN(len(shared))])
				r.Rewind(mark)
				r.Int(7)
				want[i] = append(want[i], ":7\r\n"...)
			case 5:
				for b := r.Head(); b != nil && rnd.IntN(4) > 0; b = r.Head() {
					n := 1 + rnd.IntN(len(b))
					require.True(t, bytes.HasPrefix(want[i], b[:n]), "seed %d", seed)
					want[i] = want[i][n:]
					r.Advance(n)
				}
			}
			require.Equal(t, len(want[i]), r.Len()+side.Len())
		}
		for i := range replies {
			replies[i].AppendReply(&sides[i])
			require.True(t, bytesOf(&replies[i]) == string(want[i]), "seed %d", seed)
			replies[i].Reset()
		}
		require.Equal(t, kept, shared, "seed %d", seed)
	}
}

func TestReplyReset(t *testing.T) {
	r := &Reply{}
	r.BulkString(make([]byte, 1<<20))
	r.Advance(100)
	r.Reset()
	require.Zero(t, r.Len())
	require.Zero(t, r.Memory())
	r.Int(1)
	require.Equal(t, ":1\r\n", bytesOf(r))
}

// A huge reply is not held twice, and small ones do not pile up large buffers.
func TestReplyMemory(t *testing.T) {
	r := &Reply{}
	for range 100_000 {
		r.BulkString(make([]byte, 100))
	}
	require.Less(t, r.Memory(), r.Len()*11/10+class3)
	r.Reset()
	r.BulkString(make([]byte, 300))
	require.Equal(t, class0, r.Memory())
}

func BenchmarkReply(b *testing.B) {
	b.ReportAllocs()
	r := &Reply{Proto: 2}
	val := make([]byte, 300)
	for b.Loop() {
		for range 16 {
			r.BulkString(val)
			r.Status("OK")
			r.Int(1)
			r.Null()
		}
		r.Advance(r.Len())
	}
}

func TestReplyDoesNotAllocate(t *testing.T) {
	r := &Reply{Proto: 3}
	val := make([]byte, 300)
	allocs := testing.AllocsPerRun(100, func() {
		for range 64 {
			d := r.DeferArray()
			r.BulkString(val)
			r.Status("OK")
			r.Double(0.1)
			r.EndArray(d, 3)
		}
		r.Advance(r.Len())
	})
	if !raceEnabled {
		require.Zero(t, allocs)
	}
}

// A reply past its limit keeps nothing, whatever is done to it, and is as new
// after Reset.
func TestReplyPastItsLimit(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 200_000)
	for name, fill := range map[string]func(r *Reply){
		"bulks":  func(r *Reply) { r.BulkString(long) },
		"shared": func(r *Reply) { r.AppendShared(long) },
		"moved":  func(r *Reply) { side := Reply{Proto: 2}; side.Append(long); r.AppendReply(&side) },
		"small":  func(r *Reply) { r.BulkText("some text"); r.Int(1); r.Status("OK") },
	} {
		t.Run(name, func(t *testing.T) {
			r := Reply{Proto: 2, Limit: 500_000}
			r.Status("before")
			mark, d := r.Len(), r.DeferArray()
			for !r.IsOver() {
				fill(&r)
				require.LessOrEqual(t, r.Len(), r.Limit+class3)
			}
			for range 1000 {
				fill(&r)
				r.EndArray(r.DeferArray(), 0)
			}
			r.EndArray(d, 7)
			r.Rewind(mark)
			require.Nil(t, r.Head())
			require.Empty(t, r.Bytes())
			require.Empty(t, r.Buffers(make([][]byte, 0, 8)))
			require.Equal(t, r.Limit+1, r.Len())
			require.Less(t, r.Memory(), 500_000)
			r.Reset()
			require.Zero(t, r.Len())
			r.Status("OK")
			require.Equal(t, "+OK\r\n", string(r.Bytes()))
		})
	}
}
