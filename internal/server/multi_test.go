package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// another is a further client of the server.
func (b *bench) another() *bench {
	h := b.s.eng.Lock()
	defer h.Unlock()
	return &bench{t: b.t, s: b.s, c: b.s.newClient(noTransport{}, kindTCP, -1, "127.0.0.1:1", "127.0.0.1:2")}
}

func (b *bench) leave() {
	h := b.s.eng.Lock()
	defer h.Unlock()
	b.s.drop(b.c)
}

// say sends inline commands and returns the replies.
func (b *bench) say(lines ...string) string {
	b.feed([]byte(strings.Join(lines, "\r\n") + "\r\n"))
	return b.replied()
}

// unitSink notes the commands of each unit.
type unitSink struct{ units, now []string }

func (s *unitSink) Wants() engine.Wants { return engine.Wants{Argv: true} }
func (s *unitSink) EndUnit(*engine.Tx) {
	s.units = append(s.units, strings.Join(s.now, "; "))
	s.now = nil
}

func (s *unitSink) Effect(_ *engine.Tx, e *engine.Effect) {
	var words []string
	for _, w := range e.Argv {
		words = append(words, string(w))
	}
	if words != nil {
		s.now = append(s.now, strings.Join(words, " "))
	}
}

// The effects of an EXEC are told as those of one unit.
func TestExecIsOneUnit(t *testing.T) {
	b := newBench(t)
	sink := &unitSink{}
	h := b.s.eng.Lock()
	h.AddSink(sink)
	h.Unlock()
	require.Equal(t, "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n:1\r\n",
		b.say("MULTI", "SET a 1", "LPUSH a x", "RPUSH l y", "EXEC"))
	b.say("SET b 2")
	require.Equal(t, []string{"SET a 1; RPUSH l y", "SET b 2"}, sink.units)
}

// A client that goes takes its transaction and what it watched along.
func TestClientsLeaveNothingWatched(t *testing.T) {
	b := newBench(t)
	for i := range 100 {
		other := b.another()
		require.Equal(t, "+OK\r\n+OK\r\n+QUEUED\r\n", other.say(fmt.Sprintf("WATCH k k%d k", i), "MULTI", "GET k"))
		other.leave()
	}
	require.Empty(t, b.s.watches.keys)
	h := b.s.eng.Lock()
	defer h.Unlock()
	require.Zero(t, b.s.watches.Wants().Events)
}

// Ten thousand clients watch a key: one write marks all of them, and the next finds
// nothing to mark.
func TestManyWatch(t *testing.T) {
	const n = 10_000
	b := newBench(t)
	others := make([]*bench, n)
	for i := range others {
		others[i] = b.another()
		others[i].say("WATCH k", "MULTI", "INCR n")
	}
	b.say("SET k v")
	require.Empty(t, b.s.watches.keys)
	for _, o := range others {
		require.Equal(t, "*-1\r\n", o.say("EXEC"))
		o.leave()
	}
	require.Equal(t, "$-1\r\n", b.say("GET n"))
}

// Nobody queues more than a query may be.
func TestQueueIsBounded(t *testing.T) {
	b := newBench(t)
	b.say("CONFIG SET client-query-buffer-limit 1mb")
	other := b.another()
	other.say("MULTI")
	big := strings.Repeat("x", 64<<10)
	for i := 0; i < 100 && !other.c.closing; i++ {
		other.feed(fmt.Appendf(nil, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n", len(big), big))
	}
	require.True(t, other.c.closing)
	require.Less(t, other.c.multi.memory(), 3<<20)
	other.leave()
}

// A long walk within EXEC goes on to its end, or as far as a reply may be long.
func TestWalkWithinExec(t *testing.T) {
	b := newBench(t)
	require.Equal(t, "+OK\r\n+QUEUED\r\n*1\r\n*2000\r\n"+strings.Repeat("$1\r\na\r\n", 2000),
		b.say("SADD s a", "MULTI", "SRANDMEMBER s -2000", "EXEC")[len(":1\r\n"):])
	b.s.AddData(command.Entry[*engine.Tx]{Spec: command.Spec{Name: "ENDLESS", Arity: 1}, Run: endless})
	require.Equal(t, "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n-ERR reply is too long inside a transaction or script\r\n+PONG\r\n",
		b.say("MULTI", "ENDLESS", "PING", "EXEC"))
}

func endless(*engine.Tx, command.Args, *resp.Reply) error {
	chunk := strings.Repeat("x", 64<<20) // eight of them are too much
	return &command.More{Step: func(_ *engine.Tx, out *resp.Reply) (bool, error) {
		out.BulkText(chunk)
		return false, nil
	}}
}
