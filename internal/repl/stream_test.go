package repl_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"coatcheck/internal/repl"
)

func id(c string) string { return strings.Repeat(c, 40) }

// rest is all that a reader can read now.
func rest(c *repl.Cursor, piece int) string {
	var all []byte
	for b := c.Next(piece); b != nil; b = c.Next(piece) {
		all = append(all, b...)
	}
	return string(all)
}

func TestStream(t *testing.T) {
	s := repl.NewStream(id("a"))
	require.False(t, s.IsOpen())
	require.EqualValues(t, []int64{0, 0, 0, -1}, []int64{s.Offset(), s.FirstByte(), s.Len(), s.SecondOffset()})
	_, ok := s.Continue(id("a"), 1)
	require.False(t, ok, "without a backlog nobody goes on")

	s.Open(10)
	early := s.Follower()
	s.Append([]byte("hello"))
	require.EqualValues(t, []int64{5, 1, 5}, []int64{s.Offset(), s.FirstByte(), s.Len()})
	s.Append([]byte("worldlings"))
	require.EqualValues(t, []int64{15, 6, 10}, []int64{s.Offset(), s.FirstByte(), s.Len()})
	for _, c := range []struct {
		id     string
		wanted int64
		want   string
		ok     bool
	}{
		{id("a"), 6, "worldlings", true},
		{id("A"), 15, "s", true},
		{id("a"), 16, "", true},
		{id("a"), 17, "", false},
		{id("a"), 5, "", false},
		{id("a"), 0, "", false},
		{id("a"), -1 << 63, "", false},
		{id("a"), 1<<63 - 1, "", false},
		{id("b"), 10, "", false},
		{"", 10, "", false},
		{"?", -1, "", false},
	} {
		cur, ok := s.Continue(c.id, c.wanted)
		require.Equal(t, c.ok, ok, "%+v", c)
		if ok {
			require.Equal(t, c.want, rest(&cur, 3))
			require.EqualValues(t, 15, cur.Offset())
		}
	}
	require.Equal(t, "helloworldlings", rest(&early, 4), "a slow reader has what the backlog has no more")

	s.Resize(3)
	require.EqualValues(t, []int64{13, 3}, []int64{s.FirstByte(), s.Len()})
	s.Close()
	require.False(t, s.IsOpen())
	require.EqualValues(t, 15, s.Offset())
	s.Renew(id("c"))
	s.Open(10)
	_, ok = s.Continue(id("a"), 16)
	require.False(t, ok)
	cur, ok := s.Continue(id("c"), 16)
	require.True(t, ok)
	s.Append([]byte("x"))
	require.Equal(t, "x", rest(&cur, 1))
}

func TestStreamOfSuccessors(t *testing.T) {
	s := repl.NewStream(id("a"))
	s.Open(100)
	s.Follow(id("m"), 1000)
	s.Append([]byte("abc"))
	_, ok := s.Continue(id("m"), 1000)
	require.False(t, ok)
	cur, ok := s.Continue(id("m"), 1001)
	require.True(t, ok)
	require.Equal(t, "abc", rest(&cur, 100))

	s.Shift(id("p"))
	require.Equal(t, []string{id("p"), id("m")}, []string{s.ID(), s.FormerID()})
	require.EqualValues(t, 1004, s.SecondOffset())
	s.Append([]byte("def"))
	for wanted, want := range map[int64]string{1001: "abcdef", 1004: "def"} {
		cur, ok = s.Continue(id("m"), wanted)
		require.True(t, ok)
		require.Equal(t, want, rest(&cur, 100))
	}
	_, ok = s.Continue(id("m"), 1005)
	require.False(t, ok, "that is another's history")
	_, ok = s.Continue(id("p"), 1005)
	require.True(t, ok)

	s.Rename(id("q"))
	_, ok = s.Continue(id("p"), 1005)
	require.False(t, ok)
	s.Renew(id("r"))
	require.EqualValues(t, []int64{1006, 1007, 0, -1}, []int64{s.Offset(), s.FirstByte(), s.Len(), s.SecondOffset()})
	for _, old := range []string{id("m"), id("p"), id("q")} {
		_, ok = s.Continue(old, 1003)
		require.False(t, ok)
	}
}

// Readers that begin anywhere and read in pieces of any size read what was appended.
func TestStreamModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := repl.NewStream(id("a"))
		size := rapid.Int64Range(1, 300_000).Draw(t, "size")
		s.Open(size)
		var all []byte
		type reader struct {
			cur  repl.Cursor
			from int
			read []byte
		}
		var readers []*reader
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				p := bytes.Repeat([]byte(fmt.Sprint(i, ".")), rapid.IntRange(0, 60_000).Draw(t, "times"))
				s.Append(p)
				all = append(all, p...)
			case 2:
				from := rapid.IntRange(0, len(all)+2).Draw(t, "from")
				cur, ok := s.Continue(id("a"), int64(from))
				in := int64(from) > int64(len(all))-size && from >= 1 && from <= len(all)+1
				if ok != in {
					t.Fatalf("byte %d of %d with a backlog of %d: %v", from, len(all), size, ok)
				}
				if ok {
					readers = append(readers, &reader{cur: cur, from: from - 1})
				}
			case 3:
				for _, r := range readers {
					r.read = append(r.read, r.cur.Next(rapid.IntRange(0, 100_000).Draw(t, "piece"))...)
				}
			}
			if want := min(int64(len(all)), size); s.Len() != want || s.FirstByte() != int64(len(all))-want+1 {
				t.Fatalf("the backlog has %d bytes from %d on", s.Len(), s.FirstByte())
			}
		}
		for _, r := range readers {
			r.read = append(r.read, rest(&r.cur, 1000)...)
			if !bytes.Equal(r.read, all[r.from:]) {
				t.Fatalf("a reader from %d read other bytes", r.from)
			}
		}
	})
}
