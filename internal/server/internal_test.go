package server

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/internal/config"
	"coatcheck/resp"
)

// bench is a server with one client that has no transport: the test plays it.
type bench struct {
	t testing.TB
	s *Server
	c *Client
}

type noTransport struct{}

func (noTransport) wake()   {}
func (noTransport) hangUp() {}

func newBench(t testing.TB, extra ...command.Entry[*Client]) *bench {
	cfg := config.New()
	eng := engine.New(engine.Options{})
	s, err := New(Options{Config: cfg, Engine: eng})
	require.NoError(t, err)
	for _, e := range extra {
		s.table.add(newCmd(&e, nil, func(c *Cmd, e *command.Entry[*Client]) { c.onConn = e.Run }))
	}
	h := eng.Lock()
	b := &bench{t: t, s: s, c: s.newClient(noTransport{}, kindTCP, -1, "127.0.0.1:1", "127.0.0.1:2")}
	h.Unlock()
	t.Cleanup(func() {
		h := eng.Lock()
		s.drop(b.c)
		h.Unlock()
		require.NoError(t, s.Shutdown(context.Background()))
		eng.Close()
	})
	return b
}

// feed gives the client bytes and a turn.
func (b *bench) feed(text []byte) (again bool) {
	buf := b.c.in.Buffer(text)
	b.c.in.Wrote(len(buf))
	return b.turn()
}

func (b *bench) turn() (again bool) {
	h := b.s.eng.Lock()
	b.s.begin(h)
	again = b.s.turn(b.c)
	h.Unlock()
	b.c.in.Release()
	return again
}

// replied takes the reply.
func (b *bench) replied() string {
	text := string(b.c.out.Bytes())
	b.c.out.Reset()
	return text
}

func TestPanicCostsTheClientOnly(t *testing.T) {
	b := newBench(t, command.Entry[*Client]{
		Spec: command.Spec{Name: "BURST", Arity: 1},
		Run: func(c *Client, in command.Args, out *resp.Reply) error {
			out.BulkText("half a reply")
			panic("as the test wants")
		},
	})
	b.feed([]byte("PING\r\nBURST\r\nPING\r\n"))
	require.Equal(t, "+PONG\r\n-ERR internal error\r\n", b.replied())
	require.True(t, b.c.closeAfterReply)
	require.EqualValues(t, 1, b.s.Stats.Panics)
	require.EqualValues(t, 1, b.s.Table().Lookup("burst").Stats.Failed)
}

// A long command runs in slices; the client's later commands wait, and others
// are served in between.
func TestMoreIsOneReplyInManyTurns(t *testing.T) {
	b := newBench(t, command.Entry[*Client]{
		Spec: command.Spec{Name: "WALK", Arity: 2},
		Run: func(c *Client, in command.Args, out *resp.Reply) error {
			left, fails := 3, string(in[1]) == "fail"
			out.BulkText("dropped")
			return &command.More{Step: func(tx *engine.Tx, out *resp.Reply) (bool, error) {
				if left--; left > 0 {
					return false, nil
				}
				if out.BulkText("walked"); fails {
					return true, fmt.Errorf("ERR walked badly")
				}
				return true, nil
			}}
		},
	})
	again := b.feed([]byte("PING\r\nWALK x\r\nPING\r\nWALK fail\r\nPING\r\n"))
	for turns := 1; again; turns++ {
		require.Less(t, turns, 20)
		again = b.turn()
	}
	require.Equal(t, "+PONG\r\n$6\r\nwalked\r\n+PONG\r\n-ERR walked badly\r\n+PONG\r\n", b.replied())
	require.EqualValues(t, 2, b.s.Table().Lookup("walk").Stats.Calls)
	require.EqualValues(t, 1, b.s.Table().Lookup("walk").Stats.Failed)
}

func TestProtectedMode(t *testing.T) {
	b := newBench(t)
	s := b.s
	for _, c := range []struct {
		name    string
		peer    string
		kind    kind
		change  func()
		refused bool
	}{
		{"from elsewhere", "192.0.2.1:5", kindTCP, func() {}, true},
		{"by TLS", "192.0.2.1:5", kindTLS, func() {}, true},
		{"loopback", "127.0.0.1:5", kindTCP, func() {}, false},
		{"loopback 6", "[::1]:5", kindTCP, func() {}, false},
		{"mapped loopback", "[::ffff:127.0.0.1]:5", kindTCP, func() {}, false},
		{"unix", "/s:0", kindUnix, func() {}, false},
		{"password", "192.0.2.1:5", kindTCP, func() { s.users.SetDefaultPassword("x") }, false},
		{"off", "192.0.2.1:5", kindTCP, func() { s.users.SetDefaultPassword(""); s.cfg.ProtectedMode = false }, false},
	} {
		h := s.eng.Lock()
		s.held = h
		c.change()
		s.ConfigChanged()
		why := s.refusal(c.peer, c.kind)
		h.Unlock()
		require.Equal(t, c.refused, strings.HasPrefix(why, "-DENIED Redis is running in protected mode"), "%s: %q", c.name, why)
	}
	require.EqualValues(t, 2, s.Stats.Rejected)
}

// In steady state a command allocates nothing.
func TestHotPathAllocatesNothing(t *testing.T) {
	b := newBench(t)
	value := strings.Repeat("v", 300)
	for name, text := range map[string]string{
		"GET":     "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
		"SET":     "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$300\r\n" + value + "\r\n$2\r\nPX\r\n$6\r\n100000\r\n",
		"PEXPIRE": "*3\r\n$7\r\nPEXPIRE\r\n$1\r\nk\r\n$6\r\n200000\r\n",
		"PING":    "*1\r\n$4\r\nPING\r\n",
		"EXPIRE":  "*3\r\n$6\r\nexpire\r\n$1\r\nk\r\n$4\r\n2000\r\n",
	} {
		in := []byte(strings.Repeat(text, 16))
		b.feed(in)
		b.c.out.Reset()
		n := testing.AllocsPerRun(100, func() {
			b.feed(in)
			b.c.out.Reset()
		})
		require.LessOrEqual(t, n, allowedAllocs, name)
	}
}

// Reading keys that are remembered already allocates nothing either.
func TestTrackedReadsAllocateNothing(t *testing.T) {
	b := newBench(t)
	b.feed([]byte("HELLO 3\r\nCLIENT TRACKING ON\r\nSET k v\r\n"))
	in := []byte(strings.Repeat("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", 16))
	b.feed(in)
	b.c.out.Reset()
	n := testing.AllocsPerRun(100, func() {
		b.feed(in)
		b.c.out.Reset()
	})
	require.LessOrEqual(t, n, allowedAllocs)
}

func BenchmarkTurn(b *testing.B) {
	value := strings.Repeat("v", 300)
	for _, c := range []struct{ name, text string }{
		{"GET", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"},
		{"SET", "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$300\r\n" + value + "\r\n$2\r\nPX\r\n$6\r\n100000\r\n"},
		{"PEXPIRE", "*3\r\n$7\r\nPEXPIRE\r\n$1\r\nk\r\n$6\r\n200000\r\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			bb := newBench(b)
			bb.feed([]byte("SET k " + value + "\r\n"))
			bb.c.out.Reset()
			const depth = 16
			in := []byte(strings.Repeat(c.text, depth))
			b.ReportAllocs()
			for i := 0; i < b.N; i += depth {
				bb.feed(in)
				bb.c.out.Reset()
			}
		})
	}
}
