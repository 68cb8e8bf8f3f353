package server_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/internal/disk"
	"coatcheck/internal/realredis"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

// master is a server of ours with replicas, and a client of it.
type master struct {
	*server.Server
	t    testing.TB
	port string
	conn net.Conn
	dec  *resp.Decoder
}

func startMaster(t testing.TB, change func(o *server.Options)) *master {
	srv := servertest.Start(t, func(o *server.Options) {
		o.Config.Replication.DisklessDelay = 0
		if change != nil {
			change(o)
		}
	})
	_, port, err := net.SplitHostPort(srv.Addr().String())
	require.NoError(t, err)
	conn := servertest.Dial(t, srv)
	return &master{srv, t, port, conn, resp.NewDecoder(conn)}
}

// do sends a command and returns its reply.
func (m *master) do(args ...string) resp.Value {
	m.t.Helper()
	require.NoError(m.t, m.conn.SetDeadline(engine.SystemClock{}.Now().Add(30*time.Second)))
	_, err := m.conn.Write(resp.AppendCommand(nil, args...))
	require.NoError(m.t, err)
	v, err := m.dec.Decode()
	require.NoError(m.t, err)
	return v
}

// field is a field of INFO.
func (m *master) field(section, name string) string {
	return infoField(m.do("INFO", section).Text, name)
}

func (m *master) until(what string, ok func() bool) {
	m.t.Helper()
	require.Eventually(m.t, ok, 20*time.Second, 2*time.Millisecond, what)
}

func infoField(text, name string) string {
	_, rest, ok := strings.Cut(text, "\n"+name+":")
	if !ok {
		return ""
	}
	val, _, _ := strings.Cut(rest, "\r")
	return val
}

// asker asks a server.
type asker func(args ...string) resp.Value

// askAt is a connection to a server at an address.
func askAt(t testing.TB, addr string) asker {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	m := &master{t: t, conn: conn, dec: resp.NewDecoder(conn)}
	return m.do
}

// allData is every key with type, value and deadline.
func allData(ask asker) map[string]string {
	all := map[string]string{}
	for db := range 3 {
		ask("SELECT", strconv.Itoa(db))
		for _, e := range ask("KEYS", "*").Elems {
			key := e.Text
			typ := ask("TYPE", key).Text
			var text string
			switch typ {
			case "string":
				text = ask("GET", key).Text
			case "list":
				text = ask("LRANGE", key, "0", "-1").String()
			case "set":
				text = sorted(ask("SMEMBERS", key).Elems, 1)
			case "hash":
				text = sorted(ask("HGETALL", key).Elems, 2)
			case "zset":
				text = ask("ZRANGE", key, "0", "-1", "WITHSCORES").String()
			case "stream":
				text = ask("XRANGE", key, "-", "+").String()
				for _, g := range ask("XINFO", "GROUPS", key).Elems {
					text += g.String() + ask("XPENDING", key, g.Elems[1].Text).String()
				}
			}
			all[fmt.Sprint(db, " ", key)] = typ + " " + text + " @" + ask("PEXPIRETIME", key).Text
		}
	}
	ask("SELECT", "0")
	return all
}

// sorted is the text of elements, so many together, in order.
func sorted(elems []resp.Value, each int) string {
	var out []string
	for chunk := range slices.Chunk(elems, each) {
		text := ""
		for _, e := range chunk {
			text += e.Text + " "
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// load makes random changes of all types.
type load struct {
	rand *rand.Rand
	ask  asker
}

func newLoad(ask asker) *load { return &load{rand.New(rand.NewPCG(1, 2)), ask} }

var templates = []string{
	"SET s? #", "SET s? # EX 100", "APPEND s? #", "INCR n?", "INCRBYFLOAT f? 0.1", "SETRANGE s? 5 #", "GETEX s? PX 200000", "GETDEL s?", "MSET s? # s? #",
	"RPUSH l? # #", "LPUSH l? #", "LPOP l?", "LTRIM l? 0 20", "LINSERT l? BEFORE 1 #", "LMOVE l? l? LEFT RIGHT", "RPOP l? 2",
	"SADD t? # # #", "SREM t? #", "SPOP t?", "SMOVE t? t? #", "SUNIONSTORE t? t? t?", "HSET h? # # # #", "HDEL h? #", "HINCRBY h? cnt 3", "HINCRBYFLOAT h? fl 1.5",
	"ZADD z? 1.5 # 2 #", "ZINCRBY z? 3 #", "ZPOPMIN z?", "ZREMRANGEBYRANK z? 5 10", "ZUNIONSTORE z? 2 z? z?", "ZRANGESTORE z? z? 0 5",
	"XADD x? MAXLEN ~ 100 * f #", "XADD x? * a # b #", "XTRIM x? MAXLEN 50", "XGROUP CREATE x? g 0 MKSTREAM", "XREADGROUP GROUP g c COUNT 2 STREAMS x? >", "XDEL x? 1-1",
	"EXPIRE s? 50", "PEXPIRE h? 400000", "PERSIST s?", "RENAME s? s?", "COPY z? z? REPLACE", "DEL l? s?", "UNLINK t?", "SETBIT b? 77 1", "BITOP OR b? b? b?", "PFADD p? # #", "PFMERGE p? p?",
	"GEOADD g? 13.3 38.1 #", "SET e? # PX 1", "BITFIELD b? SET u8 3 200", "SORT l? ALPHA STORE l?", "MULTI;SET s? #;RPUSH l? #;SELECT 1;SET s? #;SELECT 0;EXEC", "SELECT 2;HSET h? # #;SELECT 0",
	"SPUBLISH c #", "PUBLISH c #", "MOVE s? 1", "SWAPDB 1 2",
}

func (l *load) step() {
	for _, line := range strings.Split(templates[l.rand.IntN(len(templates))], ";") {
		words := strings.Fields(line)
		for i, w := range words {
			switch {
			case w == "#":
				words[i] = strings.Repeat(strconv.Itoa(l.rand.IntN(30)), 1+l.rand.IntN(8))
				if l.rand.IntN(40) == 0 {
					words[i] = strings.Repeat("long", 5000)
				}
			case strings.HasSuffix(w, "?"):
				words[i] = strings.TrimSuffix(w, "?") + strconv.Itoa(l.rand.IntN(12))
			}
		}
		l.ask(words...)
	}
}

func (l *load) run(n int) {
	for range n {
		l.step()
	}
}

// inStep waits until the replica has all that the master has.
func (m *master) inStep(r *realredis.Process) {
	m.t.Helper()
	r.Until("the replica is in step", func() bool {
		info := r.Text("INFO", "replication")
		return infoField(info, "master_link_status") == "up" && infoField(info, "master_repl_offset") == m.field("replication", "master_repl_offset")
	})
}

// same compares our data with a replica's that was promoted.
func (m *master) same(r *realredis.Process) {
	m.t.Helper()
	require.Equal(m.t, "OK", r.Text("REPLICAOF", "NO", "ONE"))
	ours, theirs := allData(m.do), allData(askAt(m.t, r.Addr))
	require.NotEmpty(m.t, ours)
	for key, val := range ours {
		require.Equal(m.t, val, theirs[key], "ours and the replica's %s", key)
	}
	require.Len(m.t, theirs, len(ours))
}

// A real redis-server follows, in each form of the snapshot, while all types of data
// change, and has the same when it is promoted.
func TestRedisFollows(t *testing.T) {
	for name, change := range map[string]func(o *server.Options){
		"streamed": func(*server.Options) {},
		"file": func(o *server.Options) {
			o.Config.Replication.Diskless = false
			o.FS, o.Config.Dir = disk.OS{}, t.TempDir()
		},
		"memory":     func(o *server.Options) { o.Config.Replication.Diskless = false },
		"goroutines": func(o *server.Options) { o.GoroutinePerConn = true },
	} {
		t.Run(name, func(t *testing.T) {
			m := startMaster(t, change)
			l := newLoad(m.do)
			l.run(1500)
			r := realredis.Listen(t, "--replicaof", "127.0.0.1 "+m.port)
			m.until("a replica asks", func() bool { l.step(); return m.field("replication", "connected_slaves") == "1" })
			m.until("the replica is online", func() bool {
				l.step()
				return strings.Contains(m.do("INFO", "replication").Text, fmt.Sprintf("slave0:ip=127.0.0.1,port=%d,state=online", r.Port))
			})
			l.run(1500)
			m.inStep(r)
			require.Equal(t, "1", m.do("WAIT", "1", "0").Text)
			require.Equal(t, "1", m.field("stats", "sync_full"))
			m.same(r)
		})
	}
}

// A replica whose connection is cut goes on from the backlog.
func TestRedisResumes(t *testing.T) {
	m := startMaster(t, func(o *server.Options) { o.Config.Replication.BacklogSize = 16 << 20 })
	proxy := realredis.NewProxy(t, "127.0.0.1:"+m.port)
	l := newLoad(m.do)
	l.run(300)
	r := realredis.Listen(t, "--replicaof", fmt.Sprint("127.0.0.1 ", proxy.Port))
	m.inStep(r)
	for i := range 3 {
		proxy.Shut(true)
		l.run(200)
		proxy.Shut(false)
		m.until("the replica is back", func() bool { l.step(); return m.field("stats", "sync_partial_ok") == strconv.Itoa(i+1) })
		m.inStep(r)
	}
	require.Equal(t, "1", m.field("stats", "sync_full"))
	m.same(r)
}
