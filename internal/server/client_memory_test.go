package server_test

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
	"coatcheck/internal/server"
)

// longNames makes n names of 10 000 bytes each, no one the beginning of another.
func longNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " %03d%s", i, strings.Repeat("x", 10_000))
	}
	return b.String()
}

// holdings are ways to have the server hold some megabytes for a client.
var holdings = map[string]string{
	"an unfinished argument": "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9000000\r\n" + strings.Repeat("x", 3_000_000),
	"a transaction":          "MULTI\r\n" + strings.Repeat("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n"+bulk(strings.Repeat("x", 1_000_000)), 3),
	"watched keys":           resp2("WATCH", longNames(300)),
	"channels":               resp2("SUBSCRIBE", longNames(300)),
	"patterns":               resp2("PSUBSCRIBE", longNames(300)),
	"prefixes":               resp2("CLIENT TRACKING ON BCAST PREFIX", strings.Join(strings.Fields(longNames(300)), " PREFIX ")),
	"keys that it waits for": resp2("BLPOP", longNames(300)+" 0"),
	"replies":                strings.Repeat("GET big\r\n", 60),
}

// resp2 is a command as an array.
func resp2(command, args string) string {
	words := strings.Fields(command + " " + args)
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		b.WriteString(bulk(w))
	}
	return b.String()
}

// totalMemory is a client's tot-mem, 0 when it is not there.
func (p *peer) totalMemory(id int) (n int) {
	p.send(fmt.Sprintf("CLIENT LIST ID %d\r\n", id))
	_, after, _ := strings.Cut(p.bulk(), " tot-mem=")
	_, _ = fmt.Sscanf(after, "%d", &n) // none: the client has gone
	return n
}

// evicted is how many clients were.
func (p *peer) evicted() (n int) {
	p.send("INFO stats\r\n")
	_, after, _ := strings.Cut(p.bulk(), "evicted_clients:")
	_, err := fmt.Sscanf(after, "%d", &n)
	require.NoError(p.t, err)
	return n
}

// evictsLargest goes through the ways to hold memory on a server: with less than
// that for all clients together the one that holds it goes, unless it must not.
func evictsLargest(t *testing.T, dial func() *peer, ways ...string) {
	p := dial()
	first := dial() // a real server keeps its large buffer for a while
	first.ask(resp2("SET", "big "+strings.Repeat("x", 1_000_000)), "+OK\r\n")
	first.Close()
	for _, what := range ways {
		text := holdings[what]
		greedy, spared, small := dial(), dial(), dial()
		id, sparedID := greedy.id(), spared.id()
		spared.ask("CLIENT NO-EVICT ON\r\n", "+OK\r\n")
		small.ask("PING\r\n", "+PONG\r\n")
		before := p.evicted()
		greedy.send(text)
		until(t, what, func() bool { return p.totalMemory(id) > 2_000_000 })
		p.ask("CONFIG SET maxmemory-clients 1mb\r\n", "+OK\r\n")
		p.untilGone(id)
		require.Equal(t, before+1, p.evicted(), what)
		small.ask("PING\r\n", "+PONG\r\n")
		p.ask("CONFIG SET maxmemory-clients 0\r\n", "+OK\r\n")

		p.ask("CLIENT NO-EVICT ON\r\n", "+OK\r\n")
		spared.send(text)
		until(t, what, func() bool { return p.totalMemory(sparedID) > 2_000_000 })
		p.ask("CONFIG SET maxmemory-clients 1mb\r\n", "+OK\r\n")
		small.expectClosed()
		require.Greater(t, p.totalMemory(sparedID), 2_000_000, what)
		p.ask("CONFIG SET maxmemory-clients 0\r\n", "+OK\r\n")
		p.ask("CLIENT NO-EVICT OFF\r\n", "+OK\r\n")
		spared.Close()
		p.untilGone(sparedID)
	}
}

func TestClientsAreEvicted(t *testing.T) {
	each(t, nil, func(t *testing.T, _ *server.Server, dial func() *peer) {
		evictsLargest(t, dial, slices.Sorted(maps.Keys(holdings))...)
	})
}

// The same is true of a real server, which does not count the names of watched keys
// and prefixes.
func TestRedisEvictsClients(t *testing.T) {
	real := realredis.Start(t)
	evictsLargest(t, func() *peer {
		conn, err := net.Dial("unix", real.Socket)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return newPeer(t, conn)
	}, "a transaction", "an unfinished argument", "channels", "patterns", "replies")
}

// The largest go first, and no more than need be; what a limit in percent is of
// counts, and clients that leave do not.
func TestClientsAreEvictedInOrder(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		var ids []int
		for i := range 10 {
			c := dial()
			ids = append(ids, c.id())
			c.send("MULTI\r\n" + resp2("SET", "k "+strings.Repeat("x", 300_000*(i+1))))
			until(t, "it is held", func() bool { return p.totalMemory(ids[i]) > 300_000*(i+1) })
		}
		limit := func(sizes []int, largest int) string {
			sum := 30_000 // other clients, and a margin
			for _, n := range sizes[:len(sizes)-largest] {
				sum += n
			}
			return fmt.Sprint(10 * sum)
		}
		var sizes []int
		for _, id := range ids {
			sizes = append(sizes, p.totalMemory(id))
		}
		require.IsIncreasing(t, sizes)
		p.ask("CONFIG SET maxmemory "+limit(sizes, 3)+" maxmemory-clients 10%\r\n", "+OK\r\n")
		for _, id := range ids[7:] {
			p.untilGone(id)
		}
		require.Equal(t, 3, p.evicted())
		for _, id := range ids[:7] {
			require.NotZero(t, p.totalMemory(id))
		}
		p.ask("CONFIG SET maxmemory "+limit(sizes, 6)+"\r\n", "+OK\r\n")
		for _, id := range ids[4:] {
			p.untilGone(id)
		}
		require.Equal(t, 6, p.evicted())
		for range 50 { // which leave again
			c := dial()
			id := c.id()
			c.ask("MULTI\r\n"+resp2("SET", "k "+strings.Repeat("x", 10_000)), "+OK\r\n+QUEUED\r\n")
			c.Close()
			p.untilGone(id)
		}
		require.Equal(t, 6, p.evicted())
		p.ask("CONFIG RESETSTAT\r\n", "+OK\r\n")
		require.Zero(t, p.evicted())
		p.ask("CONFIG SET maxmemory 0\r\n", "+OK\r\n") // of which 10 % are no limit
		big := dial()
		id := big.id()
		big.send("MULTI\r\n" + resp2("SET", "k "+strings.Repeat("x", 5_000_000)))
		until(t, "it is held", func() bool { return p.totalMemory(id) > 5_000_000 })
		require.Zero(t, p.evicted())
	})
}

// A client that makes too much in one go is closed, also where nobody else is to
// blame, and others are served on.
func TestLimitOfAllClientsWhileTheyWork(t *testing.T) {
	each(t, func(o *server.Options) { o.Config.MaxMemoryClients = "1000000" }, func(t *testing.T, _ *server.Server, dial func() *peer) {
		p := dial()
		for range 3 {
			greedy := dial()
			id := greedy.id()
			_, _ = greedy.Write([]byte("MULTI\r\n" + strings.Repeat(resp2("SET", "k "+strings.Repeat("x", 500_000)), 4)))
			p.untilGone(id)
		}
		require.Equal(t, 3, p.evicted())
		for range 100 {
			c := dial()
			c.ask(resp2("SET", "k "+strings.Repeat("x", 100_000)), "+OK\r\n")
		}
		require.Equal(t, 3, p.evicted())
	})
}
