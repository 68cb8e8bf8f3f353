package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// Of ten thousand clients that wait for one key, each write runs the command of
// the one that it serves, and of no other.
func TestManyWaiters(t *testing.T) {
	const n = 10_000
	runs := 0
	b := newBench(t)
	b.s.AddData(command.Entry[*engine.Tx]{Spec: command.Spec{Name: "BTAKE", Arity: -2, Flags: command.Write}, Run: func(tx *engine.Tx, in command.Args, out *resp.Reply) error {
		runs++
		val, ok, err := tx.StringGetDelete(in[1])
		if ok {
			out.BulkString(val)
			return err
		}
		return &command.Wait{Keys: in[1:], Type: engine.TString, OnTimeout: (*resp.Reply).Null}
	}})
	var waiters [n]*bench
	for i := range waiters {
		h := b.s.eng.Lock()
		c := b.s.newClient(noTransport{}, kindTCP, -1, "127.0.0.1:1", "127.0.0.1:2")
		h.Unlock()
		waiters[i] = &bench{t: t, s: b.s, c: c}
		waiters[i].feed([]byte("BTAKE k k2 k3\r\n"))
	}
	require.Equal(t, n, runs)
	require.Equal(t, n, b.s.Counts().Blocked)
	for range n {
		b.feed([]byte("SET k v\r\n"))
	}
	require.Equal(t, 2*n, runs)
	require.Empty(t, b.s.blocked.keys)
	require.Empty(t, b.s.blocked.all)
	require.Zero(t, b.s.blocked.goneKeys)
	require.False(t, b.s.blocked.on)
	for _, w := range waiters {
		w.turn()
		require.Equal(t, "$1\r\nv\r\n", w.replied())
	}
}

// What is alike in vain is not asked again and again.
func TestAlikeWaitersAreAskedOnce(t *testing.T) {
	const n = 100
	runs := 0
	b := newBench(t)
	b.s.AddData(command.Entry[*engine.Tx]{Spec: command.Spec{Name: "BNEVER", Arity: 3, Flags: command.Write}, Run: func(tx *engine.Tx, in command.Args, out *resp.Reply) error {
		runs++
		return &command.Wait{Keys: in[1:2], Type: engine.TString, Alike: string(in[2]), OnTimeout: (*resp.Reply).Null}
	}})
	for i := range n {
		h := b.s.eng.Lock()
		c := b.s.newClient(noTransport{}, kindTCP, -1, "127.0.0.1:1", "127.0.0.1:2")
		h.Unlock()
		w := &bench{t: t, s: b.s, c: c}
		w.feed([]byte("BNEVER k " + string(rune('a'+i%2)) + "\r\n"))
	}
	runs = 0
	b.feed([]byte("SET k v\r\n"))
	require.Equal(t, 2, runs)
	require.Equal(t, n, b.s.Counts().Blocked)
}
