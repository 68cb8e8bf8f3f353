package command_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/rdb"
	"coatcheck/resp"
)

// samples makes a key of each type and encoding.
func (o *ours) samples(t *testing.T) (keys []string) {
	for _, cmd := range [][]string{
		{"SET", "s:int", "12345"}, {"SET", "s:long", strings.Repeat("long", 200)},
		{"RPUSH", "l:small", "a", "12", "b", "-70000"}, {"SADD", "set:small", "a", "b", "7"}, {"SADD", "set:ints", "1", "-5", "70000"},
		{"ZADD", "z:small", "1", "a", "2.5", "b", "-inf", "c"},
		{"XADD", "x:1", "1-1", "f", "v", "g", "w"}, {"XADD", "x:1", "1-2", "f", "12", "g", "w"}, {"XADD", "x:1", "5-1", "other", "v"},
		{"XDEL", "x:1", "1-2"},
		{"XGROUP", "CREATE", "x:1", "group", "0"}, {"XREADGROUP", "GROUP", "group", "anna", "COUNT", "1", "STREAMS", "x:1", ">"},
		{"XREADGROUP", "GROUP", "group", "bob", "STREAMS", "x:1", ">"}, {"XGROUP", "CREATE", "x:empty", "g", "$", "MKSTREAM"},
	} {
		o.do(t, cmd)
	}
	for i := range 300 {
		o.do(t, []string{"ZADD", "z:large", fmt.Sprint(i % 17), fmt.Sprint("member", i)})
		o.do(t, []string{"RPUSH", "l:large", fmt.Sprint("element", i), strings.Repeat("x", i)})
		o.do(t, []string{"SADD", "set:large", fmt.Sprint("member", i)})
	}
	return []string{"s:int", "s:long", "l:small", "l:large", "set:small", "set:large", "set:ints", "z:small", "z:large", "x:1", "x:empty"}
}

// touchAll looks at every element of a value, and changes some.
var touchAll = map[string][][]string{
	"string": {{"GET"}, {"APPEND", "x"}, {"LCS", "other"}},
	"list":   {{"LRANGE", "0", "-1"}, {"LPUSH", "new"}, {"LREM", "0", "a"}, {"RPOP", "2"}, {"LSET", "0", "x"}},
	"set":    {{"SMEMBERS"}, {"SADD", "new"}, {"SADD", "12"}, {"SREM", "a", "1"}, {"SPOP", "2"}},
	"zset":   {{"ZRANGE", "0", "-1", "WITHSCORES"}, {"ZADD", "5", "new"}, {"ZPOPMIN", "3"}, {"ZREMRANGEBYRANK", "0", "1"}},
	"stream": {{"XRANGE", "-", "+"}, {"XREVRANGE", "+", "-"}, {"XADD", "*", "f", "v"}, {"XTRIM", "MAXLEN", "1"}, {"XLEN"}},
}

// Payloads whose bytes were changed, and whose checksum is right all the same, are
// refused, or restore a value that can be used like any other.
func TestMutatedDumpsDoNoHarm(t *testing.T) {
	o := startOurs(t)
	r := rand.New(rand.NewPCG(7, 7))
	for _, key := range o.samples(t) {
		payload := o.payload(t, key)
		restored := 0
		for range 1200 {
			p := mutate(r, payload)
			if o.try("RESTORE", "bad", "0", string(p), "REPLACE") != nil {
				continue
			}
			restored++
			typ := o.typeOf(t, "bad")
			for _, cmd := range touchAll[typ] {
				_ = o.try(append([]string{cmd[0], "bad"}, cmd[1:]...)...)
			}
			if restored%10 == 0 {
				h := o.eng.Lock()
				require.NoError(t, h.CheckInvariants(), "%q", p)
				h.Unlock()
			}
		}
		require.NoError(t, o.try("RESTORE", "good", "0", string(payload), "REPLACE"), key)
		require.Equal(t, string(payload), string(o.payload(t, "good")), key)
	}
}

func (o *ours) typeOf(t *testing.T, key string) (typ string) {
	require.NoError(t, o.eng.Do(0, func(tx *engine.Tx) error {
		typ = tx.TypeOf([]byte(key)).String()
		return nil
	}))
	return typ
}

// payload is what DUMP gives.
func (o *ours) payload(t *testing.T, key string) (p []byte) {
	require.NoError(t, o.eng.Do(0, func(tx *engine.Tx) error {
		v, ok := tx.View([]byte(key))
		require.True(t, ok, key)
		p = (&rdb.Encoder{}).AppendDump(nil, v)
		return nil
	}))
	return p
}

// try runs a command and returns its error.
func (o *ours) try(args ...string) error {
	in := make([][]byte, len(args))
	for i, a := range args {
		in[i] = []byte(a)
	}
	return o.eng.Do(0, func(tx *engine.Tx) error {
		return o.rows[args[0]].Run(tx, in, &resp.Reply{Proto: 2})
	})
}

// mutate changes some bytes of a payload, or their number, and signs it.
func mutate(r *rand.Rand, payload []byte) []byte {
	p := append([]byte(nil), payload[:len(payload)-10]...)
	for range 1 + r.IntN(4) {
		at := r.IntN(len(p))
		switch r.IntN(5) {
		case 0:
			p[at] ^= 1 << r.IntN(8)
		case 1:
			p[at] = byte(r.Uint32())
		case 2:
			p[at] = []byte{0, 0xff, 0x7f, 0x80, 0x81}[r.IntN(5)]
		case 3:
			p = append(p[:at], p[min(len(p), at+1+r.IntN(4)):]...)
		case 4:
			p = append(p[:at], append([]byte{byte(r.Uint32())}, p[at:]...)...)
		}
		if len(p) == 0 {
			p = []byte{0}
		}
	}
	p = binary.LittleEndian.AppendUint16(p, rdb.Version)
	return binary.LittleEndian.AppendUint64(p, rdb.Checksum(0, p))
}
