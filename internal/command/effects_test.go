package command_test

import (
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/redcon"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/internal/realredis"
	"coatcheck/resp"
)

// Every command below is run on a real redis-server and on our table. Equal
// must be: the reply, the keyspace events in their order, and the commands that
// go to replicas, up to the way of writing them (see plain).

// stream is a connection on which a real server sends of its own accord.
type stream struct {
	conn net.Conn
	buf  []byte
}

func openStream(t *testing.T, s *realredis.Server, cmd ...string) *stream {
	conn, err := net.Dial("unix", s.Socket)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	line := redcon.AppendArray(nil, len(cmd))
	for _, word := range cmd {
		line = redcon.AppendBulkString(line, word)
	}
	_, err = conn.Write(line)
	require.NoError(t, err)
	return &stream{conn: conn}
}

func (s *stream) more(t *testing.T) {
	require.NoError(t, s.conn.SetDeadline(time.Now().Add(30*time.Second)))
	chunk := make([]byte, 64<<10)
	n, err := s.conn.Read(chunk)
	require.NoError(t, err)
	s.buf = append(s.buf, chunk[:n]...)
}

// next is the next array of strings; nil for anything else that comes.
func (s *stream) next(t *testing.T) (words []string) {
	for {
		if n, r := redcon.ReadNextRESP(s.buf); n > 0 {
			s.buf = s.buf[n:]
			if r.Type == redcon.Array {
				r.ForEach(func(e redcon.RESP) bool {
					words = append(words, string(e.Data))
					return true
				})
			}
			return words
		}
		s.more(t)
	}
}

// skipSnapshot reads the answer of SYNC up to the commands.
func (s *stream) skipSnapshot(t *testing.T) {
	header := regexp.MustCompile(`\$(\d+)\r\n`)
	for {
		if at := header.FindSubmatchIndex(s.buf); at != nil {
			size, err := strconv.Atoi(string(s.buf[at[2]:at[3]]))
			require.NoError(t, err)
			for s.buf = s.buf[at[1]:]; len(s.buf) < size; {
				s.more(t)
			}
			s.buf = s.buf[size:]
			return
		}
		s.more(t)
	}
}

// answer is what a command did.
type answer struct {
	reply    string
	events   []string // "db event key"
	commands []string
	// figures are what INFO counts: rdb_changes_since_last_save, keyspace_hits
	// and keyspace_misses.
	figures [3]int64
}

// since is the difference of figures.
func since(before, after [3]int64) (d [3]int64) {
	for i := range d {
		d[i] = after[i] - before[i]
	}
	return d
}

type realPeer struct {
	srv              *realredis.Server
	events, commands *stream
}

func startPeer(t *testing.T) *realPeer {
	srv := realredis.Start(t, "--notify-keyspace-events", "AKEmn", "--repl-diskless-sync", "no",
		"--enable-debug-command", "yes")
	require.Equal(t, "+OK\r\n", srv.Do(t, "DEBUG", "SET-ACTIVE-EXPIRE", "0"))
	p := &realPeer{srv, openStream(t, srv, "PSUBSCRIBE", "__keyevent@*"), openStream(t, srv, "SYNC")}
	p.commands.skipSnapshot(t)
	p.events.next(t)
	return p
}

func (p *realPeer) do(t *testing.T, args []string) (a answer) {
	before := p.figures(t)
	a.reply = p.srv.Do(t, args...)
	a.figures = since(before, p.figures(t))
	p.srv.Do(t, "PUBLISH", "__keyevent@end", "x") // comes behind all else on both streams
	for {
		m := p.events.next(t)
		if m[2] == "__keyevent@end" {
			break
		}
		db, event, _ := strings.Cut(strings.TrimPrefix(m[2], "__keyevent@"), "__:")
		a.events = append(a.events, db+" "+event+" "+m[3])
	}
	for {
		m := p.commands.next(t)
		if len(m) > 0 && m[0] == "PUBLISH" {
			return a
		}
		if len(m) > 0 {
			a.commands = append(a.commands, plain(m)...)
		}
	}
}

var figureFields = regexp.MustCompile(`(?s)rdb_changes_since_last_save:(\d+).*keyspace_hits:(\d+)\s+keyspace_misses:(\d+)`)

func (p *realPeer) figures(t *testing.T) (n [3]int64) {
	fields := figureFields.FindStringSubmatch(p.srv.Text(t, "INFO", "persistence", "stats"))
	require.NotNil(t, fields)
	for i := range n {
		var err error
		n[i], err = strconv.ParseInt(fields[i+1], 10, 64)
		require.NoError(t, err)
	}
	return n
}

// ours is a minimal server around the table.
type ours struct {
	eng   *engine.Engine
	rows  map[string]*command.Entry[*engine.Tx]
	db    int
	got   answer
	proto int
}

// lazy is the machine's clock, but calls nobody: keys expire when looked up only,
// as on the peer.
type lazy struct{ engine.SystemClock }

func (lazy) AfterFunc(time.Duration, func()) (stop func()) { return func() {} }

func startOurs(t testing.TB) *ours {
	o := &ours{eng: engine.New(engine.Options{Clock: lazy{}}), rows: map[string]*command.Entry[*engine.Tx]{}, proto: 2}
	t.Cleanup(o.eng.Close)
	data := command.Data()
	for i := range data {
		o.rows[data[i].Name] = &data[i]
	}
	return o
}

func (o *ours) listen() {
	h := o.eng.Lock()
	h.AddSink(o)
	h.SetActiveExpire(false) // only look-ups find keys that have expired, as with the peer
	h.Unlock()
}

func (o *ours) Wants() engine.Wants { return engine.Wants{Events: ^engine.Class(0), Argv: true} }

func (o *ours) Effect(_ *engine.Tx, e *engine.Effect) {
	if e.Event != "" && e.Class != engine.ClassOverwritten {
		o.got.events = append(o.got.events, strconv.Itoa(e.DB)+" "+e.Event+" "+string(e.Key))
	}
	if e.Argv != nil {
		var words []string
		for _, w := range e.Argv {
			words = append(words, string(w))
		}
		if n := len(o.got.commands); n > 0 && len(words) > 3 && words[0] == "XGROUP" && words[1] == "SETID" &&
			strings.HasPrefix(o.got.commands[n-1], "XCLAIM "+words[2]+" "+words[3]+" ") {
			return // since 7.2 an XREADGROUP tells how much the group has read, also with XCLAIM
		}
		o.got.commands = append(o.got.commands, plain(words)...)
	}
}

// do runs a command as the server would: arity, subcommands, slices.
func (o *ours) do(t testing.TB, args []string) answer {
	var in command.Args
	for _, a := range args {
		in = append(in, []byte(a))
	}
	o.got = answer{}
	before := o.figures()
	out := &resp.Reply{Proto: o.proto}
	row := o.rows[strings.ToUpper(args[0])]
	require.NotNil(t, row, "no command %q", args[0])
	for _, sub := range row.Subs {
		if len(args) > 1 && strings.EqualFold(sub.Name, args[1]) {
			row = &sub
		}
	}
	require.True(t, row.AcceptsArity(len(in)), "%q has a wrong arity", args)
	err := o.eng.Do(o.db, func(tx *engine.Tx) error {
		err := row.Run(tx, in, out)
		if more, ok := err.(*command.More); ok { //nolint:errorlint // a handler returns it as it is
			for done := false; !done; {
				if done, err = more.Step(tx, out); err != nil {
					return err
				}
			}
			return nil
		}
		return err
	})
	if err != nil {
		out.Rewind(0)
		out.Error(err)
	}
	o.got.reply = string(out.Bytes())
	o.got.figures = since(before, o.figures())
	return o.got
}

func (o *ours) figures() [3]int64 {
	h := o.eng.Lock()
	defer h.Unlock()
	s := h.Stats()
	return [3]int64{s.Changes, s.Hits, s.Misses}
}

// plain writes commands in one way where there are several that do the same:
// Redis repeats some as the client gave them, we say what they did.
func plain(words []string) []string {
	switch strings.ToUpper(words[0]) {
	case "SELECT", "MULTI", "EXEC", "PING":
		return nil
	case "ZADD": // of a GEOADD
		words[0] = "ZADD"
	case "SETNX":
		words[0] = "SET"
	case "MSETNX":
		words[0] = "MSET"
	case "HSETNX", "HMSET":
		words[0] = "HSET"
	case "RENAMENX":
		words[0] = "RENAME"
	case "INCR":
		words = []string{"INCRBY", words[1], "1"}
	case "DECR":
		words = []string{"INCRBY", words[1], "-1"}
	case "DECRBY":
		n, _ := strconv.ParseInt(words[2], 10, 64)
		words = []string{"INCRBY", words[1], strconv.FormatInt(-n, 10)}
	}
	if words[0] == "ZPOPMIN" || words[0] == "ZPOPMAX" {
		words = words[:2] // we say how many there were, it how many were asked for
	}
	keep := words[:1]
	for i := 1; i < len(words); i++ {
		switch w := words[i]; {
		case words[0] == "SET" && i > 2 && (w == "NX" || w == "XX"):
		case words[0] == "SET" && i > 3 && w == "KEEPTTL" && words[i-1] == w:
		case words[0] == "PEXPIREAT" && i > 2:
		case words[0] == "COPY" && i > 2:
		case words[0] == "XADD" && i > 4 && (w == "LIMIT" || words[i-1] == "LIMIT"), words[0] == "XTRIM" && i > 4:
		case words[0] == "FLUSHDB" || words[0] == "FLUSHALL":
		default:
			keep = append(keep, soon(w))
		}
	}
	return []string{strings.Join(keep, " ")}
}

// soon writes a deadline that was told in relative time, in tens of seconds
// from now on: both servers have their own clock.
func soon(word string) string {
	at, err := strconv.ParseInt(word, 10, 64)
	left := time.Until(time.UnixMilli(at)).Round(10 * time.Second)
	if err != nil || len(word) != 13 || left.Abs() > 1000*time.Hour {
		return word
	}
	return "now+" + left.String()
}

func TestEffects(t *testing.T) {
	peer, our := startPeer(t), startOurs(t)
	our.listen()
	for _, line := range strings.Split(effectsScript, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		args := strings.Fields(strings.ReplaceAll(line, `""`, "\x00"))
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "\x00", "")
		}
		if args[0] == "SELECT" {
			peer.srv.Do(t, args...)
			our.db, _ = strconv.Atoi(args[1])
			continue
		}
		require.Equal(t, peer.do(t, args), our.do(t, args), line)
	}
}

// effectsScript is one story; each line depends on those before.
const effectsScript = `
SET k v
SET k v PX 100000
SET k v KEEPTTL GET
SET k v KEEPTTL KEEPTTL
SET k v EX 100 GET
SET k v EX 100 EX 200
SET k v GET
SET k v XX GET
SET k v NX GET
SET k v NX
SET nok v XX
SET nok v XX GET
SET nok v NX GET
SET nok2 v NX EX 100
SET k v EXAT 9999999999
SET k v PXAT 9999999999999
SET k v PXAT 9223372036854775807
PEXPIRETIME k
SET k v PXAT 1
GET k
SET k v PXAT 1
SET k w PX 100000
SETEX k 100 v
PSETEX k 100000 v
SETNX k2 v
SETNX k2 v
GETSET k v2
GETSET k3 v2
GETDEL k3
GETDEL k3
GETEX k PX 100000
GETEX k PERSIST
GETEX k PERSIST
GETEX k PXAT 1
GETEX k
GETEX k EX 0
MSET a 1 b 2
MSET a 1 a 2
MSETNX c 1 d 2
MSETNX c 1 x 2
MSETNX e 1 e 2
MGET a nok9 b
INCR a
INCRBY a 5
INCRBY a 0
DECR a
DECRBY a 5
INCR newk
INCRBYFLOAT a 1.5
INCRBYFLOAT newf 1.5
OBJECT ENCODING a
APPEND a xx
APPEND newa 12
OBJECT ENCODING newa
APPEND newa 3
OBJECT ENCODING newa
APPEND empty ""
APPEND empty ""
STRLEN empty
SETRANGE newa 1 zz
SETRANGE newr 1 zz
SETRANGE newr2 1 ""
SETRANGE newr 1 ""
GETRANGE newr 0 -1
GETRANGE nok9 0 -1
STRLEN nok9
LCS nok8 nok9
LCS nok8 nok9 IDX
LCS newa newr IDX WITHMATCHLEN
EXPIRE b 100
EXPIRE b 100 NX
EXPIRE b 50 GT
EXPIRE b 500 GT
EXPIRE b 500 LT
EXPIRE b 400 XX LT
PEXPIRE b 0
PEXPIRE b 0
PEXPIRE c -1
EXPIRE d 100 XX
EXPIRE d 100 GT
EXPIRE d 100 LT
EXPIREAT d 9999999999
PEXPIREAT d 9999999999999
PEXPIREAT d 9223372036854775807
TTL nok9
TTL a
PERSIST d
PERSIST d
PERSIST nok9
DEL d e nok9 d
UNLINK a newa
DEL nok9
EXISTS newr nok9 newr
TOUCH newr nok9
TYPE newr
TYPE nok9
OBJECT ENCODING nok9
OBJECT REFCOUNT nok9
SET a 5 EX 100
COPY a a2
COPY a a2
COPY a a2 REPLACE
COPY nok9 a2 REPLACE
COPY a a2 DB 1
COPY a a2 DB 1
COPY a a DB 1 REPLACE
TTL a2
RENAME a a3
RENAME a3 a2
RENAME a2 a2
RENAMENX a2 a7
RENAMENX a7 a7
SET a8 x
RENAMENX a7 a8
MOVE a7 1
MOVE nok9 1
SET a7 again
MOVE a7 1
SELECT 1
TTL a7
MOVE a7 2
SELECT 2
GET a7
SELECT 0
SET vol x PXAT 1
RENAME vol vol2
SET vol x PXAT 1
DEL vol
SET vol x PXAT 1
EXISTS vol
SET vol x PXAT 1
MSETNX vol 1
SET vol x PXAT 1
INCR vol
SET vol x PXAT 1
APPEND vol y
SET vol x PXAT 1
COPY k vol
SET vol x PXAT 1
SET vol2 x
RENAME vol2 vol
SET vol x PXAT 1
EXPIRE vol 100
SET vol x PXAT 1
SCAN 0 MATCH vol COUNT 1000
SET vol x PXAT 1
TTL vol
SET vol x PXAT 1
SETRANGE vol 1 ""
ZADD z 1 a 2 b 3 c 4 d 5 e
BZPOPMIN nok9 z 0
BZPOPMAX z 1
BZMPOP 1 2 nok9 z MIN COUNT 2
BZMPOP 0 1 z MAX
SET str v
XADD s 1-1 f v
XADD s 2-* f v
XADD s NOMKSTREAM 3-0 f v
XADD nos NOMKSTREAM 3 f v
XADD s 3-0 f v
XADD str 1-1 f v
XADD s MAXLEN = 3 4-0 f v
XADD s MAXLEN ~ 3 5-0 f v
XADD s MAXLEN ~ 0 LIMIT 100 6-0 f v
XADD s 7-0 f v
XADD s MINID = 7-0 8-0 f v
XADD s MINID ~ 9-0 9-0 f v
XADD s MAXLEN = 2 10-0 f v
XADD t 1-1 f v
XTRIM t MAXLEN ~ 0
XTRIM t MAXLEN = 0
XTRIM t MAXLEN = 0
XADD t 2-1 f v
XADD t 3-1 f v
XADD t 4-1 f v
XADD t 5-1 f v
XTRIM t MAXLEN = 2
XTRIM t MINID = 5-0
XTRIM nos MAXLEN 2
XTRIM str MAXLEN 2
XADD t 6-1 f v
XADD t 7-1 f v
XADD t 8-1 f v
XDEL t 5-1 9-9 6-1
XDEL t 5-1
XDEL nos 5-1
XDEL str 5-1
XLEN t
XLEN nos
XRANGE t - +
XREVRANGE t + - COUNT 1
XRANGE nos - +
XRANGE str - +
XREAD STREAMS t 0
XREAD STREAMS t nos k2 0 0 0
XREAD STREAMS t nos 0 $
XREAD STREAMS nos 0
XREAD COUNT 1 STREAMS t s 0 0
XSETID t 20-0
XSETID t 20-0 ENTRIESADDED 50 MAXDELETEDID 6-1
XSETID nos 20-0
XGROUP CREATE t g 0-0
XGROUP CREATE t g 0-0
XGROUP CREATE nos g 0-0
XGROUP CREATE mk g 0-0 MKSTREAM
XGROUP CREATE mk h 0-0 MKSTREAM ENTRIESREAD 5
XGROUP CREATE str g 0-0 MKSTREAM
XGROUP CREATECONSUMER t g alice
XGROUP CREATECONSUMER t g alice
XGROUP CREATECONSUMER t nog alice
XREADGROUP GROUP g alice COUNT 1 STREAMS t >
XREADGROUP GROUP g bob STREAMS t >
XREADGROUP GROUP g alice STREAMS t >
XREADGROUP GROUP g alice STREAMS t 0
XREADGROUP GROUP g alice STREAMS t nos > >
XREADGROUP GROUP nog alice STREAMS t >
XREADGROUP GROUP g alice STREAMS str >
XADD t 21-1 f v
XADD t 22-1 f v
XADD t 23-1 f v
XREADGROUP GROUP g carol COUNT 1 NOACK STREAMS t >
XREADGROUP GROUP g carol NOACK STREAMS t >
XACK t g 22-1 7-1
XACK t g 7-1
XACK t nog 7-1
XACK nos g 7-1
XACK str g 7-1
XREADGROUP GROUP g bob STREAMS t 0
XGROUP SETID t g 0-0
XREADGROUP GROUP g alice STREAMS t >
XDEL t 21-1
XCLAIM t g bob 0 21-1 22-1
XCLAIM t g bob 0 22-1 JUSTID LASTID 40-0
XCLAIM t g bob 0 99-1 JUSTID LASTID 50-0
XCLAIM t g bob 0 99-1 JUSTID LASTID 40-0
XCLAIM t g alice 1000000 22-1
XCLAIM t g alice 0 22-1 RETRYCOUNT 8 IDLE 1000
XCLAIM t nog alice 0 22-1
XCLAIM nos g alice 0 22-1
XCLAIM str g alice 0 22-1
XACK t g 22-1
XCLAIM t g alice 0 22-1
XCLAIM t g alice 0 22-1 FORCE
XCLAIM t g alice 0 8-1 FORCE JUSTID TIME 1000
XDEL t 8-1
XAUTOCLAIM t g bob 0 0
XAUTOCLAIM t g alice 0 - COUNT 1 JUSTID
XAUTOCLAIM t g alice 100000 - COUNT 1 JUSTID
XAUTOCLAIM nos g bob 0 0
XAUTOCLAIM str g bob 0 0
XPENDING t g
XPENDING nos g
XPENDING str g
XINFO STREAM t
XINFO STREAM nos
XINFO GROUPS t
XINFO GROUPS str
XINFO CONSUMERS t nog
XGROUP SETID t g 5-0 ENTRIESREAD 3
XGROUP SETID t g 22-1
XGROUP SETID nos g $
XGROUP SETID t nog $
XGROUP DELCONSUMER t g alice
XGROUP DELCONSUMER t g alice
XGROUP DELCONSUMER t nog alice
COPY t t2
XGROUP DESTROY t g
XGROUP DESTROY t g
XGROUP DESTROY nos g
RENAME t t3
DEL t2
SETBIT bits 7 1
SETBIT bits 7 1
SETBIT bits 7 0
SETBIT bits 17 0
SETBIT bits0 0 0
SET bitint 1
SETBIT bitint 7 1
OBJECT ENCODING bitint
GETBIT bits 7
GETBIT nok9 7
BITCOUNT bits
BITCOUNT nok9
BITCOUNT bits 0 -1 BIT
BITPOS bits 1
BITPOS nok9 1
BITPOS nok9 0
BITOP AND dest bits nok9
BITOP OR dest nok9 nok8
BITOP OR dest nok9 nok8
SET dest v EX 1000
BITOP NOT dest bits
TTL dest
OBJECT ENCODING dest
BITFIELD bf SET u8 0 255 GET u8 0 INCRBY u8 0 1
BITFIELD bf OVERFLOW FAIL INCRBY u2 0 3 INCRBY u2 0 3
BITFIELD bf SET u8 0 192
BITFIELD bf SET u8 100 0
BITFIELD bf GET u8 0
BITFIELD nok9 GET u8 0
BITFIELD nok9
BITFIELD_RO bf GET u8 0
HSET h a 1 b 2
HSET h a 1
HSET h a 2 c 3 c 4
HMSET h a 3 d 4
HMSET hm a 3
HSETNX h e 5
HSETNX h e 6
HSETNX hn e 6
HINCRBY h a 1
HINCRBY h a 0
HINCRBY hi a 1
HINCRBYFLOAT h a 1.5
HINCRBYFLOAT hf a 1.5
HINCRBY h a 1
HGET h a
HGET h nof
HGET nok9 a
HMGET h a b nof
HMGET nok9 a b
HGETALL hi
HGETALL nok9
HKEYS hi
HVALS hi
HLEN h
HLEN nok9
HEXISTS h a
HEXISTS nok9 a
HSTRLEN h a
HSTRLEN nok9 a
HRANDFIELD hi
HRANDFIELD nok9
HRANDFIELD hi 5
HRANDFIELD hi -2 WITHVALUES
HRANDFIELD nok9 -2
HSCAN hi 0
HSCAN nok9 0
HDEL h nof
HDEL h a nof a
HDEL nok9 a
HDEL h b c d e f
HSET a x 1
HSET vol a 1
PEXPIREAT vol 1
HSET vol a 1
EXPIRE vol 1000
HSET vol b 1
PERSIST vol
COPY vol vol3
DEL vol
FLUSHDB
FLUSHDB SYNC
SET a 1
SWAPDB 0 1
GET a
GET a2
SWAPDB 0 0
FLUSHALL ASYNC
FLUSHALL
DBSIZE
`
