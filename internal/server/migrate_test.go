package server_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
	"coatcheck/internal/server/servertest"
)

// Keys of every type go to a real server, with their deadlines, and are gone here.
func TestMigrateToRedis(t *testing.T) {
	srv, real := servertest.Start(t, nil), realredis.Listen(t)
	c := newCaller(t, srv)
	port := strconv.Itoa(real.Port)
	for _, cmd := range [][]string{
		{"SET", "s", "v"}, {"SET", "vol", "v", "PX", "1000000"}, {"RPUSH", "l", "a", "1"}, {"SADD", "set", "a", "b"}, {"SADD", "ints", "1", "2"}, {"ZADD", "z", "1", "a"},
		{"HSET", "h", "f", "v"}, {"XADD", "x", "1-1", "f", "v"}, {"PFADD", "hll", "a"},
	} {
		require.False(t, c.call(cmd...).IsError(), "%q", cmd)
	}
	c.says("+OK", "MIGRATE", "127.0.0.1", port, "s", "0", "5000")
	c.says(":0", "EXISTS", "s")
	require.Equal(t, "v", real.Text("GET", "s"))
	c.says("+NOKEY", "MIGRATE", "127.0.0.1", port, "s", "0", "5000")
	c.says("+OK", "MIGRATE", "127.0.0.1", port, "", "2", "5000", "COPY", "KEYS", "vol", "l", "nothing")
	c.says(":2", "EXISTS", "vol", "l")
	c.says("+OK", "MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS", "vol", "l", "set", "ints", "z", "h", "x", "hll")
	c.says(":0", "DBSIZE")
	require.Equal(t, "9", real.Text("DBSIZE"))
	for key, typ := range map[string]string{"l": "list", "set": "set", "z": "zset", "h": "hash", "x": "stream"} {
		require.Equal(t, typ, real.Text("TYPE", key))
	}
	ttl, err := strconv.Atoi(real.Text("PTTL", "vol"))
	require.NoError(t, err)
	require.InDelta(t, 1_000_000, ttl, 60_000)
	c.says("+OK", "SET", "s", "new")
	c.says("-ERR Target instance replied with error: BUSYKEY Target key name already exists.", "MIGRATE", "127.0.0.1", port, "s", "0", "5000")
	c.says(`$"new"`, "GET", "s")
	c.says("+OK", "MIGRATE", "127.0.0.1", port, "s", "0", "5000", "REPLACE")
	require.Equal(t, "new", real.Text("GET", "s"))
}

func TestMigrateIsRefused(t *testing.T) {
	srv, real := servertest.Start(t, nil), realredis.Listen(t)
	c := newCaller(t, srv)
	port := strconv.Itoa(real.Port)
	c.says("+OK", "SET", "s", "v")
	for _, x := range []struct{ want, args string }{
		{"-ERR syntax error", "h 1 s 0 1 FOO"},
		{"-ERR syntax error", "h 1 s 0 1 AUTH"},
		{"-ERR syntax error", "h 1 s 0 1 AUTH2 a"},
		{"-ERR value is not an integer or out of range", "h 1 s x 1"},
		{"-ERR value is not an integer or out of range", "h 1 s 0 x"},
		{"-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string", "h 1 s 0 1 KEYS a"},
		{"+NOKEY", "127.0.0.1 1 none 0 1"},
		{"-IOERR error or timeout writing to target instance", "127.0.0.1 1 s 0 100"},
		{"-IOERR error or timeout writing to target instance", "127.0.0.1 http s 0 100"},
		{"-IOERR error or timeout connecting to the client", "nosuch.invalid 1 s 0 100"},
		{"-ERR Target instance replied with error: ERR DB index is out of range", "127.0.0.1 " + port + " s 99 1000"},
		{"-ERR Target instance replied with error: ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
			"127.0.0.1 " + port + " s 0 1000 AUTH x"},
	} {
		c.says(x.want, append([]string{"MIGRATE"}, strings.Fields(x.args)...)...)
	}
	real.Text("CONFIG", "SET", "requirepass", "secret")
	c.says("-ERR Target instance replied with error: NOAUTH Authentication required.", "MIGRATE", "127.0.0.1", port, "s", "0", "1000")
	c.says("-ERR Target instance replied with error: WRONGPASS invalid username-password pair or user is disabled.", "MIGRATE", "127.0.0.1", port, "s", "0", "1000", "AUTH", "x")
	c.says("+OK", "MULTI")
	c.says("+QUEUED", "MIGRATE", "127.0.0.1", port, "s", "0", "1000")
	require.Contains(t, c.call("EXEC").String(), "MIGRATE is not possible inside a transaction")
	c.says(`$"v"`, "GET", "s")
	c.says("+OK", "MIGRATE", "127.0.0.1", port, "s", "0", "1000", "AUTH2", "default", "secret")
	c.says(":0", "EXISTS", "s")
}

// A key that the target does not take stays; the others go, a large one too.
func TestMigrateOfSome(t *testing.T) {
	srv, real := servertest.Start(t, nil), realredis.Listen(t)
	c := newCaller(t, srv)
	port := strconv.Itoa(real.Port)
	real.Text("SET", "b", "theirs")
	c.says("+OK", "MSET", "a", "1", "b", "2", "c", strings.Repeat("x", 10<<20))
	c.says("-ERR Target instance replied with error: BUSYKEY Target key name already exists.", "MIGRATE", "127.0.0.1", port, "", "0", "5000", "KEYS", "a", "b", "c")
	c.says("*[$-1 $\"2\" $-1]", "MGET", "a", "b", "c")
	require.Equal(t, "theirs", real.Text("GET", "b"))
	require.Equal(t, strconv.Itoa(10<<20), real.Text("STRLEN", "c"))
}

// A target that takes the connection and says nothing: others are served meanwhile, the
// key stays, and a server that ends does not wait for it.
func TestMigrateToSilence(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	srv := servertest.Start(t, nil)
	c, other := newCaller(t, srv), newCaller(t, srv)
	c.says("+OK", "SET", "s", "v")
	c.says("-IOERR error or timeout reading to target instance", "MIGRATE", "127.0.0.1", port, "s", "0", "50")
	c.says(`$"v"`, "GET", "s")
	_, err = c.conn.Write(fmt.Appendf(nil, "MIGRATE 127.0.0.1 %s s 0 100000000\r\n", port))
	require.NoError(t, err)
	for range 2 { // the first one's connection, and this one's
		conn, err := ln.Accept()
		require.NoError(t, err)
		defer conn.Close()
	}
	other.says("+OK", "SET", "s", "changed")
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, srv.Shutdown(ctx), context.DeadlineExceeded)
}

// What is written to a key while it is moved is not lost: it is here, or there.
func TestMigrateLosesNoWrite(t *testing.T) {
	srv, target := servertest.Start(t, nil), servertest.Start(t, nil)
	c, w, there := newCaller(t, srv), newCaller(t, srv), newCaller(t, target)
	_, port, _ := net.SplitHostPort(target.Addr().String())
	c.says("+OK", "SET", "n", "0")
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		writes := 0
		defer func() { done <- writes }()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if w.call("SET", "n", strconv.Itoa(writes+1), "XX").Text != "OK" {
				return // it has moved
			}
			writes++
		}
	}()
	for {
		v := c.call("MIGRATE", "127.0.0.1", port, "n", "0", "5000", "REPLACE")
		if v.Text == "OK" {
			break
		}
		require.Contains(t, v.Text, "TRYAGAIN")
	}
	close(stop)
	writes := <-done
	c.says(":0", "EXISTS", "n")
	there.says(fmt.Sprintf("$%q", strconv.Itoa(writes)), "GET", "n")
}
