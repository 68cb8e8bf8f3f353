package coatchecktest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"coatcheck/coatchecktest"
)

func TestFailNext(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	srv.FailNext(2, "LOADING Redis is loading the dataset in memory")
	rdb := client(t, srv) // its HELLO does not count
	require.EqualError(t, rdb.Get(ctx, "k").Err(), "LOADING Redis is loading the dataset in memory")
	require.EqualError(t, rdb.Set(ctx, "k", "v", 0).Err(), "LOADING Redis is loading the dataset in memory")
	require.NoError(t, rdb.Set(ctx, "k", "v", 0).Err())
}

func TestFaultsMatch(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := client(t, srv)
	remove := srv.Inject(coatchecktest.Fault{Match: "set session:*", Error: "ERR disk on fire"})
	require.EqualError(t, rdb.Set(ctx, "session:1", "v", 0).Err(), "ERR disk on fire")
	require.NoError(t, rdb.Set(ctx, "other", "v", 0).Err())
	require.False(t, srv.Exists("session:1"))
	remove()
	remove()
	require.NoError(t, rdb.Set(ctx, "session:1", "v", 0).Err())

	srv.Inject(coatchecktest.Fault{Match: "GET", Times: 1, Error: "OOM"})
	require.NoError(t, rdb.Set(ctx, "k", "v", 0).Err())
	require.EqualError(t, rdb.Get(ctx, "k").Err(), "OOM")
	require.NoError(t, rdb.Get(ctx, "k").Err())

	srv.Inject(coatchecktest.Fault{Match: "PING", Error: "ERR x"})
	srv.ClearFaults()
	require.NoError(t, rdb.Ping(ctx).Err())
}

func TestSetError(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := client(t, srv)
	require.NoError(t, rdb.Ping(ctx).Err())
	srv.SetError("ERR out to lunch")
	require.EqualError(t, rdb.Ping(ctx).Err(), "ERR out to lunch")
	require.EqualError(t, client(t, srv).Ping(ctx).Err(), "ERR out to lunch", "connections cannot introduce themselves")
	srv.SetError("")
	require.NoError(t, rdb.Ping(ctx).Err())
}

func TestDelay(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := client(t, srv)
	require.NoError(t, rdb.Ping(ctx).Err())
	remove := srv.Inject(coatchecktest.Fault{Match: "GET", Delay: time.Hour})
	impatient, cancel := context.WithCancel(ctx)
	got := make(chan error)
	go func() {
		conn := redis.NewClient(&redis.Options{Addr: srv.Addr(), ContextTimeoutEnabled: true, ReadTimeout: time.Hour, MaxRetries: -1})
		defer conn.Close()
		got <- conn.Get(impatient, "k").Err()
	}()
	srv.WaitBlocked(1)
	require.NoError(t, rdb.Set(ctx, "k", "v", 0).Err(), "others are served meanwhile")
	srv.DropConnections()
	require.Error(t, <-got)
	cancel()
	remove()

	srv.Inject(coatchecktest.Fault{Match: "SET", Delay: 20 * time.Millisecond})
	began := time.Now()
	require.NoError(t, rdb.Set(ctx, "k", "w", 0).Err())
	require.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)
	srv.CheckGet("k", "w")
}

func TestDroppedConnections(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := client(t, srv)
	srv.DropNext(1)
	require.Error(t, rdb.Set(ctx, "k", "v", 0).Err())
	require.False(t, srv.Exists("k"), "it did not run")
	require.NoError(t, rdb.Set(ctx, "k", "v", 0).Err(), "a new connection")

	retrying := redis.NewClient(&redis.Options{Addr: srv.Addr(), MaxRetries: 3, MinRetryBackoff: -1, MaxRetryBackoff: -1})
	defer retrying.Close()
	srv.DropNext(2)
	require.NoError(t, retrying.Get(ctx, "k").Err())
}

func TestCommandLog(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), DB: 2, ClientName: "app"})
	defer rdb.Close()
	require.NoError(t, rdb.Set(ctx, "session:1", "two words", time.Minute).Err())
	require.NoError(t, rdb.Get(ctx, "session:1").Err())

	require.Equal(t, []string{`SET session:1 "two words" ex 60`, "GET session:1"}, srv.CommandLines("set", "get"))
	require.Equal(t, []string{"GET session:1"}, srv.CommandLines("* session:1"))
	set := srv.Commands("SET")[0]
	require.Equal(t, 2, set.DB)
	require.Equal(t, "app", set.Name)
	require.Equal(t, []string{"set", "session:1", "two words", "ex", "60"}, set.Args)
	require.Equal(t, len(srv.Commands()), srv.CommandCount(), "with HELLO and what else go-redis says first")

	before := srv.CommandCount()
	srv.ForgetCommands()
	require.NoError(t, rdb.Ping(ctx).Err())
	require.Equal(t, []string{"PING"}, srv.CommandLines())
	require.Equal(t, before+1, srv.CommandCount())
}

func TestWaits(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	rdb := client(t, srv)
	done := make(chan error)
	go func() {
		for range 3 {
			if err := rdb.Incr(ctx, "n").Err(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	srv.WaitCommands("INCR n", 3)
	require.NoError(t, <-done)
	srv.CheckGet("n", "3")

	srv.WaitConnections(1)
	require.Equal(t, 1, srv.TotalConnections())
	require.NoError(t, rdb.Close())
	srv.WaitConnections(0)
}

func TestWaitBlockedSeesAPause(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t)
	admin, app := client(t, srv), client(t, srv)
	require.NoError(t, app.Ping(ctx).Err())
	require.NoError(t, admin.Do(ctx, "CLIENT", "PAUSE", "60000", "WRITE").Err())
	done := make(chan error)
	go func() { done <- app.Set(ctx, "k", "v", 0).Err() }()
	srv.WaitBlocked(1)
	require.False(t, srv.Exists("k"))
	srv.Advance(time.Minute) // the pause is over by the store's clock
	require.NoError(t, <-done)
	srv.CheckGet("k", "v")
	srv.WaitBlocked(0)
}

func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	srv := coatchecktest.Run(t, coatchecktest.Config("maxmemory", "2mb"))
	rdb := client(t, srv)
	value := strings.Repeat("x", 10_000)
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = rdb.Set(ctx, fmt.Sprint(i), value, 0).Err()
	}
	require.ErrorContains(t, err, "OOM command not allowed when used memory > 'maxmemory'.")
	require.NoError(t, rdb.Get(ctx, "0").Err())
	srv.SetConfig("maxmemory", "100mb")
	require.NoError(t, rdb.Set(ctx, "k", value, 0).Err())
}
