package command_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// hotLines are what sessions and counters do all day. %k is one of many keys.
var hotLines = []string{
	"GET %k",
	"SET %k %v",
	"SET %k %v PX 1800000",
	"SET %k %v EX 1800",
	"SETEX %k 1800 %v",
	"GETEX %k EX 1800",
	"PEXPIRE %k 1800000",
	"EXPIRE %k 1800 GT",
	"PTTL %k",
	"EXISTS %k",
	"TOUCH %k",
	"STRLEN %k",
	"GETRANGE %k 0 10",
	"MGET %k %k",
	"DEL missing",
	"DEL %k",
	"INCR counter",
}

// hotHashLines are the same on hashes of ten fields, f0 to f9, and n, a number.
var hotHashLines = []string{
	"HSET %k f3 abc",
	"HSET %k f3 abc f4 def f5 ghi",
	"HSET %k f3 %v",
	"HGET %k f3",
	"HMGET %k f3 f4 nof",
	"HGETALL %k",
	"HLEN %k",
	"HEXISTS %k f3",
	"HINCRBY %k n 1",
	"HDEL %k nof",
}

// hot runs one line over and over, on n keys in turn.
type hot struct {
	eng  *engine.Engine
	row  *command.Entry[*engine.Tx]
	argv []command.Args
	out  resp.Reply
	at   int
}

func newHot(t testing.TB, line string, n int) *hot {
	our := startOurs(t)
	h := &hot{eng: our.eng, row: our.rows[strings.Fields(line)[0]], out: resp.Reply{Proto: 2}}
	value := strings.Repeat("x", 324)
	for i := range n {
		key := "myapp:" + strings.Repeat(string(rune('a'+i%26)), 26) + string(rune('A'+i/26%26)) + string(rune('A'+i/676%26))
		if h.row.Group == command.GroupHash {
			fill := []string{"HSET", key, "n", "0"}
			for f := range 10 {
				fill = append(fill, "f"+strconv.Itoa(f), "value of the field")
			}
			our.do(t, fill)
		} else {
			our.do(t, []string{"SET", key, value, "EX", "3600"})
		}
		var in command.Args
		for _, word := range strings.Fields(line) {
			word = strings.ReplaceAll(strings.ReplaceAll(word, "%k", key), "%v", value)
			in = append(in, []byte(word))
		}
		h.argv = append(h.argv, in)
	}
	return h
}

func (h *hot) run(t testing.TB) {
	held := h.eng.Lock()
	tx := held.Begin(0)
	if err := h.row.Run(tx, h.argv[h.at%len(h.argv)], &h.out); err != nil {
		t.Fatal(err)
	}
	tx.End()
	held.Unlock()
	h.out.Reset()
	h.at++
}

// A command of the hot path allocates nothing.
func TestHotPathAllocatesNothing(t *testing.T) {
	for _, line := range append(hotHashLines, hotLines...) {
		h := newHot(t, line, 500)
		for range 1000 {
			h.run(t)
		}
		require.Zero(t, testing.AllocsPerRun(5000, func() { h.run(t) }), line)
	}
}

func BenchmarkCommands(b *testing.B) {
	for _, line := range append(hotHashLines, hotLines...) {
		b.Run(strings.ReplaceAll(line, " ", "_"), func(b *testing.B) {
			h := newHot(b, line, 500)
			b.ReportAllocs()
			for b.Loop() {
				h.run(b)
			}
		})
	}
}
