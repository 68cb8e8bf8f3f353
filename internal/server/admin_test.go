package server_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/internal/config"
	"coatcheck/internal/realredis"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
	"coatcheck/metrics"
	"coatcheck/resp"
)

// caller is a connection that asks one command at a time.
type caller struct {
	t       testing.TB
	srv     *server.Server
	conn    net.Conn
	replies *resp.Decoder
}

func newCaller(t testing.TB, srv *server.Server) *caller {
	t.Helper()
	conn, err := srv.Dial(context.Background(), "", "")
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return &caller{t, srv, conn, resp.NewDecoder(conn)}
}

func (c *caller) call(words ...string) resp.Value {
	c.t.Helper()
	_, err := c.conn.Write(resp.AppendCommand(nil, words...))
	require.NoError(c.t, err)
	v, err := c.replies.Decode()
	require.NoError(c.t, err, "%q", words)
	return v
}

func (c *caller) says(want string, words ...string) {
	c.t.Helper()
	require.Equal(c.t, want, c.call(words...).String(), "%q", words)
}

func onClock(clock *enginetest.Clock, change func(o *server.Options)) func(o *server.Options) {
	return func(o *server.Options) {
		o.Addr = ""
		o.Engine = engine.New(engine.Options{Databases: o.Config.Databases, Clock: clock})
		if change != nil {
			change(o)
		}
	}
}

// advance moves the clock when the batch whose reply was read last has let go of the
// lock, and has set the timer of what it wrote.
func advance(clock *enginetest.Clock, srv *server.Server, d time.Duration) {
	srv.Engine().Lock().Unlock()
	clock.Advance(d)
}

func TestSessionsAreCountedExactly(t *testing.T) {
	clock := enginetest.NewClock(time.Unix(1_700_000_000, 0))
	srv := servertest.Start(t, onClock(clock, nil))
	c := newCaller(t, srv)
	want := metrics.Sessions{Prefix: "myapp:"}
	check := func(after string) {
		t.Helper()
		require.Equal(t, []metrics.Sessions{want}, srv.Snapshot().Sessions, after)
	}
	do := func(words ...string) { c.call(words...) }

	do("SET", "other", "x")
	check("another prefix")
	do("SET", "myapp:a", "1", "EX", "10")
	want.Active, want.Created = 1, 1
	check("created")
	do("SET", "myapp:a", "2", "EX", "10")
	want.Touched++
	check("rewritten, with a deadline: one touch")
	do("EXPIRE", "myapp:a", "20")
	do("EXPIRE", "myapp:a", "20")
	want.Touched += 2
	check("two touches in one millisecond")
	do("GET", "myapp:a")
	check("a read is none")
	do("RENAME", "myapp:a", "myapp:b")
	want.Created++
	want.Deleted++
	check("renamed within the prefix")
	do("SET", "myapp:c", "1")
	want.Active, want.Created = 2, want.Created+1
	do("RENAME", "myapp:c", "myapp:b")
	want.Active, want.Created, want.Deleted = 1, want.Created+1, want.Deleted+2
	check("renamed over another")
	do("COPY", "myapp:b", "myapp:c")
	want.Active, want.Created = 2, want.Created+1
	do("COPY", "other", "myapp:c", "REPLACE")
	want.Created++
	want.Deleted++
	check("copied over another")
	do("RENAME", "myapp:c", "elsewhere")
	want.Active--
	want.Deleted++
	check("renamed out")
	do("RENAME", "elsewhere", "myapp:c")
	want.Active++
	want.Created++
	check("renamed in")
	do("MOVE", "myapp:c", "3")
	want.Created++
	want.Deleted++
	check("moved")
	do("SWAPDB", "0", "3")
	check("swapped: nothing is gone")
	do("FLUSHDB")
	want.Active--
	want.Deleted++
	check("flushed what was db 3")
	do("DEL", "myapp:nosuch")
	check("nothing deleted")
	do("SELECT", "3")
	do("SET", "myapp:d", "1", "PX", "500")
	want.Active++
	want.Created++
	advance(clock, srv, 500*time.Millisecond)
	want.Active--
	want.Expired++
	check("expired")
	do("MSET", "myapp:e", "1", "myapp:f", "1", "myapp:e", "2")
	want.Active, want.Created, want.Touched = want.Active+2, want.Created+2, want.Touched+1
	check("MSET, one key twice")
	do("APPEND", "myapp:e", "x")
	do("SETEX", "myapp:g", "10", "1")
	want.Touched++
	want.Active++
	want.Created++
	check("other writes")
	do("FLUSHALL")
	want.Deleted += want.Active
	want.Active = 0
	check("FLUSHALL")

	do("MSET", "web:1", "a", "web:2", "b", "myapp:x", "c")
	c.says("+OK", "CONFIG", "SET", "session-prefix", "web:")
	want = metrics.Sessions{Prefix: "web:", Active: 2}
	check("another prefix finds what is there")
	do("DEL", "web:1")
	want.Active, want.Deleted = 1, 1
	check("and counts on")
	c.says("+OK", "CONFIG", "SET", "session-prefix", "")
	require.Empty(t, srv.Snapshot().Sessions)
}

// Whatever happens, Active is what a walk over the keys finds.
func TestSessionsActiveAgainstAWalk(t *testing.T) {
	clock := enginetest.NewClock(time.Unix(1_700_000_000, 0))
	srv := servertest.Start(t, onClock(clock, func(o *server.Options) { o.Config.Databases = 3 }))
	c := newCaller(t, srv)
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	key := func() string { return []string{"myapp:", "other:"}[rng.IntN(2)] + fmt.Sprint(rng.IntN(6)) }
	db := func() string { return fmt.Sprint(rng.IntN(3)) }
	for step := range 2000 {
		switch rng.IntN(16) {
		case 0:
			c.call("DEL", key(), key())
		case 1:
			c.call("RENAME", key(), key())
		case 2:
			c.call("RENAMENX", key(), key())
		case 3:
			c.call("COPY", key(), key(), "DB", db(), "REPLACE")
		case 4:
			c.call("MOVE", key(), db())
		case 5:
			c.call("SWAPDB", db(), db())
		case 6:
			c.call("SELECT", db())
		case 7:
			if rng.IntN(10) == 0 {
				c.call("FLUSHALL")
			} else if rng.IntN(3) == 0 {
				c.call("FLUSHDB")
			}
		case 8:
			advance(clock, srv, time.Duration(rng.IntN(40))*time.Millisecond)
		case 9:
			c.call("PEXPIRE", key(), fmt.Sprint(rng.IntN(50)-5))
		case 10:
			c.call("GETDEL", key())
		case 11:
			c.call("MSETNX", key(), "1", key(), "2")
		case 12:
			c.call("SET", key(), "v", "PX", fmt.Sprint(1+rng.IntN(60)), "GET")
		default:
			c.call("SET", key(), "v", []string{"NX", "XX", "KEEPTTL"}[rng.IntN(3)])
		}
		active := int64(0)
		h := srv.Engine().Lock()
		for _, d := range h.DBs() {
			tx := h.Begin(d.DB)
			for i := range 6 {
				if tx.Has([]byte("myapp:" + fmt.Sprint(i))) {
					active++
				}
			}
			tx.End()
		}
		h.Unlock()
		require.Equal(t, active, srv.Snapshot().Sessions[0].Active, "step %d, seed %d", step, seed)
	}
}

func TestLatencyMonitor(t *testing.T) {
	srv := servertest.Start(t, func(o *server.Options) {
		o.Addr, o.Config.EnableDebugCommand, o.Config.LatencyMonitorThreshold = "", "local", 5
	})
	c := newCaller(t, srv)
	c.says("*[]", "LATENCY", "LATEST")
	c.says("+OK", "DEBUG", "SLEEP", "0.012")
	latest := c.call("LATENCY", "LATEST")
	require.Len(t, latest.Elems, 1)
	event := latest.Elems[0].Elems
	require.Equal(t, "command", event[0].Text)
	require.GreaterOrEqual(t, event[2].Int, int64(12))
	require.Equal(t, event[2].Int, event[3].Int)
	require.Len(t, c.call("LATENCY", "HISTORY", "command").Elems, 1)
	graph := c.call("LATENCY", "GRAPH", "command").Text
	require.Contains(t, graph, fmt.Sprintf("command - high %d ms, low %[1]d ms (all time high %[1]d ms)", event[2].Int))
	require.Contains(t, c.call("LATENCY", "DOCTOR").Text, "1. command: 1 latency spikes")
	require.Equal(t, "command", srv.Snapshot().Spikes[0].Event)
	c.says(":1", "LATENCY", "RESET", "command", "nosuch")
	c.says("*[]", "LATENCY", "LATEST")
	require.Contains(t, c.call("LATENCY", "DOCTOR").Text, "Nothing took 5 ms or longer")
	c.says("+OK", "CONFIG", "SET", "latency-monitor-threshold", "0")
	require.Contains(t, c.call("LATENCY", "DOCTOR").Text, "CONFIG SET latency-monitor-threshold 100")
}

func TestConfigRewriteOverAConnection(t *testing.T) {
	file := filepath.Join(t.TempDir(), "redis.conf")
	require.NoError(t, os.WriteFile(file, []byte("# mine\nport 0\ntimeout 7\n"), 0o600))
	cfg, err := config.Load(config.Sources{Args: []string{file}})
	require.NoError(t, err)
	srv := servertest.Start(t, func(o *server.Options) { o.Addr, o.Config = "", cfg })
	c := newCaller(t, srv)
	c.says("+OK", "CONFIG", "SET", "maxmemory", "1gb", "timeout", "9")
	c.says("+OK", "CONFIG", "REWRITE")
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "# mine\nport 0\ntimeout 9\n# Generated by CONFIG REWRITE\nmaxmemory 1gb\nuser default on nopass sanitize-payload ~* &* +@all\n", string(b))
	require.NoError(t, os.RemoveAll(filepath.Dir(file)))
	require.Contains(t, c.call("CONFIG", "REWRITE").String(), "-ERR Rewriting config file: ")
	c.says("+PONG", "PING")
}

func TestConfigSetTakesEffect(t *testing.T) {
	srv := servertest.Start(t, func(o *server.Options) { o.Addr = "" })
	c := newCaller(t, srv)
	c.says("+OK", "CONFIG", "SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction")
	for i := 0; ; i++ {
		if v := c.call("SET", fmt.Sprint(i), strings.Repeat("x", 10_000)); v.String() != "+OK" {
			require.Equal(t, "-OOM command not allowed when used memory > 'maxmemory'.", v.String())
			break
		}
		require.Less(t, i, 200)
	}
	c.says("+OK", "CONFIG", "SET", "maxmemory", "0")
	c.says("+OK", "SET", "k", "v")
	c.says("+OK", "CONFIG", "SET", "requirepass", "secret")
	newCaller(t, srv).says("-NOAUTH Authentication required.", "GET", "k")
	c.says(`$"v"`, "GET", "k")
	require.Contains(t, c.call("CONFIG", "SET", "maxclients", "4000000000").String(),
		"-ERR CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is not able to handle the specified number of clients, try with ")
	require.LessOrEqual(t, srv.Snapshot().Clients.Max, 10000)
}

func TestResetStat(t *testing.T) {
	srv := servertest.Start(t, func(o *server.Options) { o.Addr = "" })
	c := newCaller(t, srv)
	c.call("SET", "k", "v")
	c.call("GET", "k")
	c.call("GET", "nosuch")
	c.call("GET")
	before := srv.Snapshot()
	require.EqualValues(t, 1, before.Engine.Hits)
	require.EqualValues(t, 1, before.Engine.Misses)
	require.EqualValues(t, 1, before.Errors["ERR"])
	require.Positive(t, before.Net.In)
	c.says("+OK", "CONFIG", "RESETSTAT")
	after := srv.Snapshot()
	require.Zero(t, after.Engine.Hits+after.Engine.Misses)
	require.Empty(t, after.Errors)
	require.Len(t, after.Commands, 1, "CONFIG RESETSTAT itself is counted after it ran")
	require.EqualValues(t, 1, after.Replied.Commands)
	require.EqualValues(t, 1, after.DBs[0].Keys)
}

func TestShutdownAsksTheProgram(t *testing.T) {
	asked := make(chan struct{})
	srv := servertest.Start(t, func(o *server.Options) { o.Addr, o.OnShutdown = "", func() { close(asked) } })
	c := newCaller(t, srv)
	c.says("-ERR Errors trying to SHUTDOWN. Check logs.", "SHUTDOWN", "SAVE")
	_, err := c.conn.Write(resp.AppendCommand(nil, "SHUTDOWN", "NOSAVE"))
	require.NoError(t, err)
	<-asked
	_, err = c.replies.Decode()
	require.Error(t, err, "no reply, the connection closes")

	none := servertest.Start(t, func(o *server.Options) { o.Addr = "" })
	newCaller(t, none).says("-ERR Errors trying to SHUTDOWN. Check logs.", "SHUTDOWN")
}

// What DEBUG answers where it was allowed, but for what describes the inside.
func TestDebugAnswersAsRedis(t *testing.T) {
	peer := realredis.Start(t, "--enable-debug-command", "yes")
	srv := servertest.Start(t, func(o *server.Options) { o.Addr, o.Config.EnableDebugCommand = "", "yes" })
	c := newCaller(t, srv)
	for _, line := range []string{
		"debug", "debug nosuch", "debug sleep", "debug sleep 0 0", "debug sleep x", "debug sleep 0.001", "debug error FOO\x00bar", "debug error X",
		"debug object nosuch", "debug set-active-expire 0", "debug set-active-expire 1", "debug change-repl-id", "debug log hello",
		"debug quicklist-packed-threshold 10", "debug quicklist-packed-threshold 10b", "debug quicklist-packed-threshold x", "debug htstats 99", "debug htstats x",
		"debug protocol string", "debug protocol integer", "debug protocol double", "debug protocol bignum", "debug protocol null", "debug protocol array",
		"debug protocol set", "debug protocol map", "debug protocol attrib", "debug protocol push", "debug protocol verbatim", "debug protocol true", "debug protocol false",
		"debug protocol nosuch", "debug protocol", "debug populate 3", "debug populate 3 p", "debug populate 3 q 10", "debug populate 2 r 3", "debug populate x",
		"get key:2", "get p:0", "get q:1", "get r:0", "dbsize", "debug set-disable-deny-scripts 1",
		"hello 3", "debug protocol double", "debug protocol bignum", "debug protocol null", "debug protocol set", "debug protocol map",
		"debug protocol verbatim", "debug protocol true",
	} {
		words := strings.Split(line, " ")
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "\x00", " ")
		}
		want := decodeOne(t, peer.Do(t, words...))
		got := c.call(words...)
		if words[0] != "hello" {
			require.Equal(t, want, got.String(), line)
		}
	}
}

// Without permission, DEBUG says how to get it.
func TestDebugIsRefusedAsByRedis(t *testing.T) {
	peer := realredis.Start(t)
	for _, permission := range []string{"no", "local"} {
		srv := servertest.Start(t, func(o *server.Options) { o.Config.EnableDebugCommand = permission })
		for _, words := range [][]string{{"DEBUG"}, {"DEBUG", "HELP"}, {"DEBUG", "OBJECT", "nosuch"}} {
			want := decodeOne(t, peer.Do(t, words...))
			got := newCaller(t, srv).call(words...).String()
			require.Equal(t, permission == "no" || len(words) == 1, want == got, "%s %q: %s", permission, words, got)
		}
	}
}

func decodeOne(t *testing.T, reply string) string {
	t.Helper()
	v, err := resp.NewDecoder(strings.NewReader(reply)).Decode()
	require.NoError(t, err)
	return v.String()
}

func TestDebugObject(t *testing.T) {
	srv := servertest.Start(t, func(o *server.Options) { o.Addr, o.Config.EnableDebugCommand = "", "yes" })
	c := newCaller(t, srv)
	c.call("SET", "n", "12")
	c.call("SET", "s", strings.Repeat("x", 100))
	require.Regexp(t, `^\+Value at:0x[0-9a-f]+ refcount:2147483647 encoding:int serializedlength:2 lru:\d+ lru_seconds_idle:0$`, c.call("DEBUG", "OBJECT", "n").String())
	require.Regexp(t, `^\+Value at:0x[0-9a-f]+ refcount:1 encoding:raw serializedlength:102 lru:\d+ lru_seconds_idle:0$`, c.call("DEBUG", "OBJECT", "s").String())
}

// A live server's figures, gathered: no name twice, no label missing.
func TestLiveServerGathers(t *testing.T) {
	srv := servertest.Start(t, nil)
	c := newCaller(t, srv)
	for _, line := range []string{"SET myapp:1 v EX 100", "GET myapp:1", "INCR myapp:1", "NOSUCH", "CLIENT LIST", "SELECT 2", "SET k v"} {
		c.call(strings.Fields(line)...)
	}
	reg := prometheus.NewPedanticRegistry()
	require.NoError(t, reg.Register(metrics.Collector(srv.Snapshot)))
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	for _, p := range problems {
		require.True(t, strings.HasPrefix(p.Metric, "redis_"), "%s: %s", p.Metric, p.Text)
	}
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP coatcheck_commands_total Commands by how they ended: ok, failed (an error reply) or rejected (before they ran).
# TYPE coatcheck_commands_total counter
coatcheck_commands_total{cmd="client|list",outcome="failed"} 0
coatcheck_commands_total{cmd="client|list",outcome="ok"} 1
coatcheck_commands_total{cmd="client|list",outcome="rejected"} 0
coatcheck_commands_total{cmd="get",outcome="failed"} 0
coatcheck_commands_total{cmd="get",outcome="ok"} 1
coatcheck_commands_total{cmd="get",outcome="rejected"} 0
coatcheck_commands_total{cmd="incr",outcome="failed"} 1
coatcheck_commands_total{cmd="incr",outcome="ok"} 0
coatcheck_commands_total{cmd="incr",outcome="rejected"} 0
coatcheck_commands_total{cmd="select",outcome="failed"} 0
coatcheck_commands_total{cmd="select",outcome="ok"} 1
coatcheck_commands_total{cmd="select",outcome="rejected"} 0
coatcheck_commands_total{cmd="set",outcome="failed"} 0
coatcheck_commands_total{cmd="set",outcome="ok"} 2
coatcheck_commands_total{cmd="set",outcome="rejected"} 0
`), "coatcheck_commands_total"))
	n, err := testutil.GatherAndCount(reg, "redis_db_keys", "coatcheck_sessions_active", "coatcheck_command_duration_seconds", "redis_up")
	require.NoError(t, err)
	require.Equal(t, 16+1+2+1, n)
}

func TestLolwut(t *testing.T) {
	srv := servertest.Start(t, func(o *server.Options) { o.Addr = "" })
	c := newCaller(t, srv)
	for _, words := range [][]string{{"LOLWUT"}, {"LOLWUT", "VERSION", "5", "3", "1"}, {"LOLWUT", "what"}} {
		art := c.call(words...).Text
		require.True(t, strings.HasSuffix(art, "Redis ver. 7.2.4\n"), art)
	}
	require.Equal(t, 1, strings.Count(c.call("LOLWUT", "VERSION", "5", "3", "1").Text, "===?====?====?==="))
}

func TestRenameCommand(t *testing.T) {
	srv := servertest.Start(t, func(o *server.Options) {
		o.Addr = ""
		o.Config.Renames = []config.Rename{{From: "flushall", To: ""}, {From: "get", To: "fetch"}, {From: "config", To: "b840fc02"}}
	})
	c := newCaller(t, srv)
	require.Contains(t, c.call("FLUSHALL").String(), "ERR unknown command 'FLUSHALL'")
	require.Contains(t, c.call("get", "k").String(), "ERR unknown command 'get'")
	c.says("$-1", "FETCH", "k")
	c.says(`*[$"port" $"0"]`, "b840fc02", "GET", "port")

	for _, bad := range []config.Rename{{From: "nosuch", To: ""}, {From: "get", To: "set"}} {
		cfg := config.New()
		cfg.Renames = []config.Rename{bad}
		eng := engine.New(engine.Options{})
		_, err := server.New(server.Options{Config: cfg, Engine: eng})
		require.ErrorContains(t, err, "rename-command "+bad.From)
		eng.Close()
	}
}

func TestLatencyTrackingOff(t *testing.T) {
	srv := servertest.Start(t, func(o *server.Options) { o.Addr = "" })
	c := newCaller(t, srv)
	c.says("+OK", "CONFIG", "SET", "latency-tracking", "no")
	c.call("GET", "k")
	c.says("*[]", "LATENCY", "HISTOGRAM", "get")
	require.NotContains(t, c.call("INFO", "latencystats").Text, "get")
	c.says("+OK", "CONFIG", "SET", "latency-tracking", "yes")
	c.call("GET", "k")
	require.Contains(t, c.call("INFO", "latencystats").Text, "latency_percentiles_usec_get:p50=")
}
