package server_test

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

// take is BTAKE key [key ...] timeout: a GETDEL of the first key there is, which
// waits for one. A key named "wrong" fails when it is there.
func take(tx *engine.Tx, in command.Args, out *resp.Reply) error {
	last := len(in) - 1
	deadline, err := command.TimeoutSeconds(in[last], tx.Now())
	if err != nil {
		return err
	}
	for _, key := range in[1:last] {
		if !tx.Holds(key, engine.TString) {
			continue
		}
		if string(key) == "wrong" {
			return errs.WrongType
		}
		val, _, err := tx.StringGetDelete(key)
		if err != nil {
			return err
		}
		out.Array(2)
		out.BulkString(key)
		out.BulkString(val)
		return nil
	}
	return &command.Wait{Keys: in[1:last], Type: engine.TString, Deadline: deadline, OnTimeout: (*resp.Reply).NullArray}
}

// gone is BGONE key: it waits until the key, which must exist, does not.
func gone(tx *engine.Tx, in command.Args, out *resp.Reply) error {
	if !tx.Holds(in[1], engine.TString) {
		out.Status("GONE")
		return nil
	}
	return &command.Wait{Keys: in[1:2], Type: engine.TString, OrGone: true, OnTimeout: (*resp.Reply).Null}
}

// move is BSHIFT from to: a BTAKE of from, put into to.
func move(tx *engine.Tx, in command.Args, out *resp.Reply) error {
	val, ok, err := tx.StringGetDelete(in[1])
	if err != nil {
		return err
	}
	if !ok {
		return &command.Wait{Keys: in[1:2], Type: engine.TString, OnTimeout: (*resp.Reply).Null}
	}
	if _, err := tx.StringSet(in[2], []byte(strings.Clone(string(val))), engine.SetOptions{At: engine.Never}); err != nil {
		return err
	}
	out.Status("MOVED")
	return nil
}

// eachBlocking runs a test with these commands on every transport.
func eachBlocking(t *testing.T, test func(t *testing.T, srv *server.Server, clock *enginetest.Clock, dial func() *peer)) {
	var clock *enginetest.Clock
	change := func(o *server.Options) {
		clock = enginetest.NewClock(time.UnixMilli(1_700_000_000_000))
		o.Engine = engine.New(engine.Options{Clock: clock})
	}
	each(t, change, func(t *testing.T, srv *server.Server, dial func() *peer) {
		flags := command.Write | command.Blocking
		srv.AddData(command.Entry[*engine.Tx]{Spec: command.Spec{Name: "BTAKE", Arity: -3, Flags: flags}, Run: take})
		srv.AddData(command.Entry[*engine.Tx]{Spec: command.Spec{Name: "BGONE", Arity: 2, Flags: flags}, Run: gone})
		srv.AddData(command.Entry[*engine.Tx]{Spec: command.Spec{Name: "BSHIFT", Arity: 3, Flags: flags}, Run: move})
		test(t, srv, clock, dial)
	})
}

// One key wakes one client, the one that has waited longest.
func TestFirstComeFirstServed(t *testing.T) {
	eachBlocking(t, func(t *testing.T, srv *server.Server, _ *enginetest.Clock, dial func() *peer) {
		var ps [3]*peer
		for i := range ps {
			ps[i] = dial()
			ps[i].send("BTAKE other k other k 0\r\nPING\r\n")
			servertest.WaitBlocked(t, srv, i+1)
		}
		p := dial()
		for i := range ps {
			p.ask(fmt.Sprintf("SET k %d\r\nEXISTS k\r\n", i), "+OK\r\n:0\r\n")
			ps[i].expect(fmt.Sprintf("*2\r\n$1\r\nk\r\n$1\r\n%d\r\n+PONG\r\n", i))
		}
		servertest.WaitBlocked(t, srv, 0)
		p.ask("SET k v\r\nBTAKE other k 0\r\n", "+OK\r\n*2\r\n$1\r\nk\r\n$1\r\nv\r\n")
	})
}

// A client that is served may make another key ready; keys are served in the
// order in which they became ready.
func TestServedInOrder(t *testing.T) {
	eachBlocking(t, func(t *testing.T, srv *server.Server, _ *enginetest.Clock, dial func() *peer) {
		a, b, c := dial(), dial(), dial()
		a.send("BSHIFT one two\r\n")
		servertest.WaitBlocked(t, srv, 1)
		b.send("BSHIFT two three\r\n")
		servertest.WaitBlocked(t, srv, 2)
		c.send("BTAKE three two one 0\r\n")
		servertest.WaitBlocked(t, srv, 3)
		p := dial()
		p.ask("SET one v\r\nEXISTS one two three\r\n", "+OK\r\n:0\r\n")
		a.expect("+MOVED\r\n")
		b.expect("+MOVED\r\n")
		c.expect("*2\r\n$5\r\nthree\r\n$1\r\nv\r\n")

		a.send("BTAKE x y 0\r\n")
		servertest.WaitBlocked(t, srv, 1)
		b.send("BTAKE y x 0\r\n")
		servertest.WaitBlocked(t, srv, 2)
		p.ask("MSET y 1 x 2\r\n", "+OK\r\n")
		a.expect("*2\r\n$1\r\nx\r\n$1\r\n2\r\n") // y is ready first, and a was there first: it takes what it names first
		b.expect("*2\r\n$1\r\ny\r\n$1\r\n1\r\n")
	})
}

// Errors are replies, deleted keys and timeouts leave everybody waiting as long
// as they said, and those who leave are no longer served.
func TestEndsOfWaits(t *testing.T) {
	eachBlocking(t, func(t *testing.T, srv *server.Server, clock *enginetest.Clock, dial func() *peer) {
		p, q := dial(), dial()
		p.send("BTAKE k wrong 0\r\n")
		servertest.WaitBlocked(t, srv, 1)
		q.ask("MSET other v\r\nSET wrong v\r\n", "+OK\r\n+OK\r\n")
		p.expect("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n")

		p.send("BTAKE k 2\r\nBTAKE k 0.5\r\n")
		servertest.WaitBlocked(t, srv, 1)
		advance(clock, srv, 1999*time.Millisecond)
		require.Contains(t, info(q), "blocked_clients:1\r\n")
		require.Contains(t, info(q), "clients_in_timeout_table:1\r\ntotal_blocking_keys:1\r\ntotal_blocking_keys_on_nokey:0\r\n")
		require.Contains(t, list(q), " flags=b db=0 ")
		advance(clock, srv, time.Millisecond)
		p.expect("*-1\r\n")
		servertest.WaitBlocked(t, srv, 1)
		advance(clock, srv, 500*time.Millisecond)
		p.expect("*-1\r\n")

		p.send("HELLO 3\r\n")
		for line := ""; !strings.HasPrefix(line, "*0"); {
			line = p.line()
		}
		p.send("BTAKE k 0\r\n")
		servertest.WaitBlocked(t, srv, 1)
		q.ask("SELECT 1\r\nSET k v\r\nGET k\r\n", "+OK\r\n+OK\r\n$1\r\nv\r\n")
		q.ask("SWAPDB 1 0\r\n", "+OK\r\n")
		p.expect("*2\r\n$1\r\nk\r\n$1\r\nv\r\n")

		p.send("BTAKE k 0\r\n")
		servertest.WaitBlocked(t, srv, 1)
		p.Close()
		servertest.WaitBlocked(t, srv, 0)
		q.ask("SELECT 0\r\nSET k v\r\nGET k\r\n", "+OK\r\n+OK\r\n$1\r\nv\r\n")
	})
}

// info is INFO clients.
func info(p *peer) string { return askBulk(p, "INFO clients\r\n") }

func list(p *peer) string { return askBulk(p, "CLIENT LIST\r\n") }

func askBulk(p *peer, command string) string {
	p.t.Helper()
	p.send(command)
	var n int
	_, err := fmt.Sscanf(p.line(), "$%d\r\n", &n)
	require.NoError(p.t, err)
	b := make([]byte, n+2)
	_, err = io.ReadFull(p.r, b)
	require.NoError(p.t, err)
	return string(b)
}

// Who kills a client that waits gives its turn to the next, and a pause holds
// back what waiters would do.
func TestWaitersKilledAndPaused(t *testing.T) {
	eachBlocking(t, func(t *testing.T, srv *server.Server, clock *enginetest.Clock, dial func() *peer) {
		a, b, p := dial(), dial(), dial()
		a.ask("CLIENT SETNAME a\r\n", "+OK\r\n")
		a.send("BTAKE k 0\r\n")
		servertest.WaitBlocked(t, srv, 1)
		b.send("BTAKE k 5\r\n")
		servertest.WaitBlocked(t, srv, 2)
		id := regexp.MustCompile(`id=(\d+) [^\n]* name=a `).FindStringSubmatch(list(p))[1]
		p.ask("CLIENT KILL ID "+id+"\r\nSET k v\r\n", ":1\r\n+OK\r\n")
		b.expect("*2\r\n$1\r\nk\r\n$1\r\nv\r\n")
		require.Empty(t, a.expectClosed())

		b.send("BTAKE k 5\r\n")
		servertest.WaitBlocked(t, srv, 1)
		p.ask("CLIENT PAUSE 10000 WRITE\r\n", "+OK\r\n")
		require.NoError(t, srv.Engine().Do(0, func(tx *engine.Tx) error { // the program itself does not wait
			_, err := tx.StringSet([]byte("k"), []byte("v"), engine.SetOptions{At: engine.Never})
			return err
		}))
		p.ask("GET k\r\nCLIENT UNPAUSE\r\n", "$1\r\nv\r\n+OK\r\n")
		b.expect("*2\r\n$1\r\nk\r\n$1\r\nv\r\n")
		require.NotNil(t, clock)
	})
}

// What makes a key ready need not be a command: the program that holds the
// engine, and the expire timer.
func TestReadyWithoutACommand(t *testing.T) {
	eachBlocking(t, func(t *testing.T, srv *server.Server, clock *enginetest.Clock, dial func() *peer) {
		a, p := dial(), dial()
		a.send("BTAKE k 0\r\n")
		servertest.WaitBlocked(t, srv, 1)
		require.NoError(t, srv.Engine().Do(0, func(tx *engine.Tx) error {
			_, err := tx.StringSet([]byte("k"), []byte("v"), engine.SetOptions{At: engine.Never})
			return err
		}))
		a.expect("*2\r\n$1\r\nk\r\n$1\r\nv\r\n")

		p.ask("SET k v PX 100\r\n", "+OK\r\n")
		a.send("BGONE k\r\n")
		servertest.WaitBlocked(t, srv, 1)
		require.Contains(t, info(p), "total_blocking_keys_on_nokey:1\r\n")
		advance(clock, srv, 100*time.Millisecond)
		a.expect("+GONE\r\n")
		for _, end := range []string{"DEL k\r\n", "FLUSHALL\r\n", "RENAME k k2\r\n"} {
			p.ask("SET k v\r\n", "+OK\r\n")
			a.send("BGONE k\r\n")
			servertest.WaitBlocked(t, srv, 1)
			p.send(end)
			p.line()
			a.expect("+GONE\r\n")
		}
	})
}

// Shutdown lets nobody wait.
func TestShutdownOfWaiters(t *testing.T) {
	eachBlocking(t, func(t *testing.T, srv *server.Server, _ *enginetest.Clock, dial func() *peer) {
		p := dial()
		p.send("BTAKE k 0\r\n")
		servertest.WaitBlocked(t, srv, 1)
		require.NoError(t, srv.Shutdown(t.Context()))
		require.Empty(t, p.expectClosed())
	})
}

// MONITOR shows a command that waits once, when it comes; it is counted once, when it ends.
func TestWaitersAreCountedOnce(t *testing.T) {
	eachBlocking(t, func(t *testing.T, srv *server.Server, _ *enginetest.Clock, dial func() *peer) {
		m, a, p := dial(), dial(), dial()
		m.ask("MONITOR\r\n", "+OK\r\n")
		a.send("BTAKE k 0\r\n")
		require.Contains(t, m.line(), `"BTAKE" "k" "0"`)
		servertest.WaitBlocked(t, srv, 1)
		p.ask("CONFIG RESETSTAT\r\nSET k v\r\n", "+OK\r\n+OK\r\n")
		a.expect("*2\r\n$1\r\nk\r\n$1\r\nv\r\n")
		a.ask("PING\r\n", "+PONG\r\n")
		require.Contains(t, m.line(), `"SET" "k" "v"`)
		require.Contains(t, m.line(), `"PING"`)
		require.Contains(t, askBulk(p, "INFO commandstats\r\n"), "cmdstat_btake:calls=1,")
	})
}
