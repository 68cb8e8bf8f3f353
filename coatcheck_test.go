package coatcheck_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"coatcheck"
	"coatcheck/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t testing.TB, opts coatcheck.Options) *coatcheck.Server {
	t.Helper()
	srv, err := coatcheck.Start(context.Background(), opts)
	require.NoError(t, err)
	t.Cleanup(srv.Close)
	return srv
}

// client is a go-redis client through Dial.
func client(t testing.TB, srv *coatcheck.Server, db int) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Dialer: srv.Dial, Password: srv.Password(), DB: db})
	t.Cleanup(func() { require.NoError(t, rdb.Close()) })
	return rdb
}

func TestStartWithoutAnAddress(t *testing.T) {
	srv := start(t, coatcheck.Options{})
	require.Empty(t, srv.Addr())
	rdb := client(t, srv, 0)
	ctx := context.Background()
	require.NoError(t, rdb.Set(ctx, "k", "v", time.Minute).Err())
	require.Equal(t, "v", rdb.Get(ctx, "k").Val())
}

func TestStartOnAFreePort(t *testing.T) {
	srv := start(t, coatcheck.Options{Addr: "127.0.0.1:0"})
	_, port, err := net.SplitHostPort(srv.Addr())
	require.NoError(t, err)
	require.NotEqual(t, "0", port)
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr()})
	defer rdb.Close()
	require.NoError(t, rdb.Ping(context.Background()).Err())

	_, err = coatcheck.Start(context.Background(), coatcheck.Options{Addr: srv.Addr()})
	require.ErrorContains(t, err, "address already in use")
	require.ErrorContains(t, err, port)
}

func TestTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	defer web.Close()
	srv := start(t, coatcheck.Options{
		Addr: "127.0.0.1:0",
		TLS:  &tls.Config{Certificates: web.TLS.Certificates},
	})
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	rdb := redis.NewClient(&redis.Options{Addr: srv.Addr(), TLSConfig: &tls.Config{RootCAs: roots}})
	defer rdb.Close()
	require.NoError(t, rdb.Set(context.Background(), "k", "v", 0).Err())

	plain := redis.NewClient(&redis.Options{Addr: srv.Addr(), MaxRetries: -1})
	defer plain.Close()
	require.Error(t, plain.Ping(context.Background()).Err())
	require.Equal(t, "v", client(t, srv, 0).Get(context.Background(), "k").Val(), "the pipe needs none")
}

func TestServersShareNothing(t *testing.T) {
	ctx := context.Background()
	a, b := start(t, coatcheck.Options{Password: "secret"}), start(t, coatcheck.Options{})
	toA, toB := client(t, a, 0), client(t, b, 0)
	require.NoError(t, toA.Set(ctx, "k", "a", 0).Err())
	require.ErrorIs(t, toB.Get(ctx, "k").Err(), redis.Nil)
	b.Close()
	require.Equal(t, "a", toA.Get(ctx, "k").Val())
}

func TestOptions(t *testing.T) {
	ctx := context.Background()
	now := &stillClock{time.UnixMilli(1_800_000_000_000)}
	srv := start(t, coatcheck.Options{
		Password: "secret", Databases: 2, MaxMemory: 10 << 20, Clock: now,
		Config: map[string]string{"maxmemory-policy": "volatile-ttl", "slowlog-max-len": "7"},
	})
	nobody := redis.NewClient(&redis.Options{Dialer: srv.Dial})
	defer nobody.Close()
	require.ErrorContains(t, nobody.Get(ctx, "k").Err(), "NOAUTH")

	rdb := client(t, srv, 1)
	require.NoError(t, rdb.Set(ctx, "k", "v", time.Minute).Err())
	require.Equal(t, now.Now().Add(time.Minute), time.Unix(int64(rdb.ExpireTime(ctx, "k").Val()/time.Second), 0))
	require.ErrorContains(t, client(t, srv, 2).Ping(ctx).Err(), "DB index is out of range")

	// The store below the protocol.
	require.NoError(t, srv.Engine().Do(1, func(tx *engine.Tx) error {
		_, err := tx.StringSet([]byte("direct"), []byte("yes"), engine.SetOptions{})
		return err
	}))
	require.Equal(t, "yes", rdb.Get(ctx, "direct").Val())
}

func TestStartRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		opts coatcheck.Options
		why  string
	}{
		"an unknown parameter": {coatcheck.Options{Config: map[string]string{"maxmemry": "1"}}, `did you mean "maxmemory"?`},
		"a wrong value":        {coatcheck.Options{Config: map[string]string{"maxmemory-policy": "x"}}, "argument(s) must be one of the following"},
		"no address":           {coatcheck.Options{Addr: "nowhere"}, "nowhere"},
		"databases":            {coatcheck.Options{Databases: -1}, "databases"},
	} {
		_, err := coatcheck.Start(context.Background(), c.opts)
		require.ErrorContains(t, err, c.why, name)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := coatcheck.Start(ended, coatcheck.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// A client that has asked gets its reply although the server shuts down.
func TestShutdownDrains(t *testing.T) {
	srv := start(t, coatcheck.Options{Addr: "127.0.0.1:0"})
	conn, err := net.Dial("tcp", srv.Addr())
	require.NoError(t, err)
	defer conn.Close()
	const n = 2000
	go func() { // more than socket buffers hold
		for range n {
			if _, err := fmt.Fprintf(conn, "ECHO %01000d\r\n", 7); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	got, err := conn.Read(buf) // it has begun
	require.NoError(t, err)
	done := make(chan error)
	go func() { done <- srv.Shutdown(context.Background()) }()
	total := got
	for err == nil {
		got, err = conn.Read(buf)
		total += got
	}
	require.NoError(t, <-done)
	const reply = 1000 + len("$1000\r\n\r\n")
	require.Zero(t, total%reply, "replies end whole: %d bytes", total)
	require.NoError(t, srv.Shutdown(context.Background()), "again")
	_, err = srv.Dial(context.Background(), "", "")
	require.Error(t, err)
	_, err = net.Dial("tcp", srv.Addr())
	require.Error(t, err)
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	srv := start(t, coatcheck.Options{})
	conn, err := srv.Dial(context.Background(), "", "")
	require.NoError(t, err)
	defer conn.Close()
	// Replies that nobody reads.
	go func() {
		for {
			if _, err := fmt.Fprintf(conn, "ECHO %01000d\r\n", 7); err != nil {
				return
			}
		}
	}()
	one := make([]byte, 1)
	_, err = conn.Read(one)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	err = srv.Shutdown(ctx)
	if err != nil { // the client's bytes may have fitted into the buffers
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
}

func TestTheContextEndsTheServer(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	srv, err := coatcheck.Start(ctx, coatcheck.Options{})
	require.NoError(t, err)
	conn, err := srv.Dial(ctx, "", "")
	require.NoError(t, err)
	cancel()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "closed")
	srv.Close()
}

type stillClock struct{ now time.Time }

func (c *stillClock) Now() time.Time                                { return c.now }
func (c *stillClock) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }

// BenchmarkStart is an empty server started and closed, and what it
// holds of memory meanwhile.
func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		srv, err := coatcheck.Start(context.Background(), coatcheck.Options{})
		if err != nil {
			b.Fatal(err)
		}
		srv.Close()
	}
	b.StopTimer()
	b.ReportMetric(float64(heldBy(b, 50))/1024, "KB/server")
}

// An empty server takes less than a megabyte, Go's memory and the system's view
// of the process alike.
func TestAnEmptyServerIsSmall(t *testing.T) {
	held := heldBy(t, 50)
	t.Logf("an empty server takes %d KB", held>>10)
	require.Less(t, held, 1<<20)
}

// heldBy is the memory that a server holds, as the mean of n: what the process
// has resident more, or Go's heap and stacks where that is more.
func heldBy(t testing.TB, n int) int {
	var before, after runtime.MemStats
	residentBefore := resident(t)
	runtime.ReadMemStats(&before)
	servers := make([]*coatcheck.Server, n)
	for i := range servers {
		servers[i] = start(t, coatcheck.Options{})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	residentAfter := resident(t)
	for _, s := range servers {
		s.Close()
	}
	inGo := int(after.HeapAlloc+after.StackInuse) - int(before.HeapAlloc+before.StackInuse)
	return max(inGo, residentAfter-residentBefore) / n
}

// resident is the process' resident memory, in bytes, after giving back what is
// free.
func resident(t testing.TB) int {
	t.Helper()
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var size, pages int
	_, err = fmt.Sscan(string(statm), &size, &pages)
	require.NoError(t, err)
	return pages * os.Getpagesize()
}
