//go:build linux

package driver

import (
	"bufio"
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRepliesInAnyPieces(t *testing.T) {
	const stream = "+OK\r\n$5\r\nab\r\nc\r\n:42\r\n$-1\r\n$0\r\n\r\n-ERR no\r\n_\r\n*2\r\n*3\r\n:1\r\n$1\r\na\r\n*0\r\n+x\r\n*0\r\n*-1\r\n"
	for size := 1; size <= len(stream); size++ {
		var r replies
		total := 0
		for at := 0; at < len(stream); at += size {
			n, err := r.feed([]byte(stream[at:min(at+size, len(stream))]))
			require.NoError(t, err)
			total += n
		}
		require.Equal(t, 10, total, "in pieces of %d", size)
		require.Equal(t, 3, r.misses)
		require.Equal(t, 1, r.errors)
		require.EqualError(t, r.first, "ERR no")
	}
	var r replies
	_, err := r.feed([]byte("HTTP/1.1 200 OK\r\n"))
	require.ErrorIs(t, err, errReply)
}

func TestPermutationMeetsEverySessionOnce(t *testing.T) {
	for _, n := range []uint64{1, 2, 3, 1000, 4096} {
		p := newPermutation(n, 7)
		seen := map[uint64]bool{}
		for i := range n {
			seen[p.at(i)] = true
		}
		require.Len(t, seen, int(n))
		for i := range n {
			require.True(t, seen[i])
		}
	}
}

func TestValuesAndKeys(t *testing.T) {
	for _, size := range []int{MinValue, 300, 324} {
		require.Len(t, Value(size), size)
	}
	keys := map[string]bool{}
	for i := range uint64(10_000) {
		key := AppendKey(nil, i)
		require.Len(t, key, KeyLen)
		keys[string(key)] = true
	}
	require.Len(t, keys, 10_000)
}

func TestChurnKeepsTheMeanSize(t *testing.T) {
	s := Sessions{Count: 20_000, ValueSize: 324, TTL: time.Hour}
	next := Churn(s, 2).Source(0, 1)
	total, n := 0, 0
	for {
		cmd, ok := next(nil)
		if !ok {
			break
		}
		total += len(cmd)
		n++
	}
	require.Equal(t, 20_000, n)
	overhead := len(keyed("SET", strings.Repeat("x", 324), "PX", "3600000")(nil, 0)) - 324
	require.InDelta(t, 324, float64(total)/20_000-float64(overhead), 1)
}

// script serves every connection by the function given.
func script(t *testing.T, serve func(in *bufio.Reader, out io.Writer) error) string {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for in := bufio.NewReader(conn); serve(in, conn) == nil; {
				}
			}()
		}
	}()
	return "unix:" + path
}

func readPing(in *bufio.Reader) error {
	_, err := io.CopyN(io.Discard, in, int64(len("*1\r\n$4\r\nPING\r\n")))
	return err
}

// An open loop goes on offering while the server stands still, and its latency
// shows for how long each command waited.
func TestOpenLoopDoesNotOmit(t *testing.T) {
	const n = 400
	addr := script(t, func(in *bufio.Reader, out io.Writer) error {
		for range n { // nothing is answered before all were sent
			if err := readPing(in); err != nil {
				return err
			}
		}
		_, err := io.WriteString(out, strings.Repeat("+PONG\r\n", n))
		return err
	})
	fleet, err := Connect(addr, 1, 1)
	require.NoError(t, err)
	defer fleet.Close()
	ping, _ := Named(Sessions{Count: 1, ValueSize: MinValue}, "ping")
	const rate = 4000
	res, err := fleet.Run(context.Background(), Load{Workload: ping, Rate: rate, Ops: n})
	require.NoError(t, err)
	require.Equal(t, n, res.Ops)
	// The first commands waited for the whole series, half of them for half of it.
	whole := res.Elapsed
	require.Greater(t, res.Percentile(99), whole*8/10)
	require.Greater(t, res.Percentile(50), whole/4)
}

func TestClosedLoopCountsAndBatches(t *testing.T) {
	addr := script(t, func(in *bufio.Reader, out io.Writer) error {
		for range 8 { // a whole batch is there before its first reply
			if err := readPing(in); err != nil {
				return err
			}
		}
		_, err := io.WriteString(out, strings.Repeat("+PONG\r\n", 7)+"-ERR the eighth\r\n")
		return err
	})
	fleet, err := Connect(addr, 3, 2)
	require.NoError(t, err)
	defer fleet.Close()
	ping, _ := Named(Sessions{Count: 1, ValueSize: MinValue}, "ping")
	res, err := fleet.Run(context.Background(), Load{Workload: ping, Depth: 8, Ops: 240})
	require.NoError(t, err)
	require.GreaterOrEqual(t, res.Ops, 240)
	require.Zero(t, res.Ops%8)
	require.Equal(t, res.Ops/8, res.Errors)
	require.EqualError(t, res.Err, "ERR the eighth")
	require.EqualValues(t, res.Ops, res.Latency.TotalCount())
}

func TestServerThatGoesAway(t *testing.T) {
	addr := script(t, func(in *bufio.Reader, _ io.Writer) error {
		if err := readPing(in); err != nil {
			return err
		}
		return io.EOF
	})
	fleet, err := Connect(addr, 2, 1)
	require.NoError(t, err)
	defer fleet.Close()
	ping, _ := Named(Sessions{Count: 1, ValueSize: MinValue}, "ping")
	_, err = fleet.Run(context.Background(), Load{Workload: ping, Ops: 10})
	require.ErrorContains(t, err, "read: ")
}
