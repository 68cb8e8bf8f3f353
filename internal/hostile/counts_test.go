package hostile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/resp"
)

// hostileNumbers are what numbers in commands may not be trusted to be.
var hostileNumbers = []string{
	"-1", "0", "-2147483648", "2147483647", "2147483648", "4294967295", "4294967296", "-4294967296", "536870911", "536870912", "4294967295000",
	"9007199254740993", "9223372036854775807", "-9223372036854775808", "-9223372036854775807", "9223372036854775808", "-9223372036854770000",
	"8070450532247928833", "18446744073709551615", "18446744073709551616", "-9223372036854775809", "99999999999999999999999999",
	"1e308", "-1e308", "1e400", "nan", "inf", "-inf", "0x7fffffffffffffff", "", "1\x00", strings.Repeat("9", 5000),
}

// untried are commands whose numbers stop, redirect or empty the server when they
// are right ones, or that never reply.
var untried = []string{"SHUTDOWN", "DEBUG", "FLUSHALL", "FLUSHDB", "SWAPDB", "MONITOR", "SYNC", "PSYNC", "REPLICAOF", "SLAVEOF", "FAILOVER",
	"CLIENT", "CONFIG", "SELECT", "WAIT", "WAITAOF", "MIGRATE", "BLPOP", "BRPOP", "BLMPOP", "BZMPOP", "BZPOPMIN", "BZPOPMAX", "BLMOVE", "BRPOPLPUSH",
	"HELLO", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "REPLCONF", "MULTI", "EXEC", "MOVE"}

// Every number of every command is the largest, the smallest, one beyond, or none
// at all (CVE-2021-21309, CVE-2021-32625, CVE-2021-32687, CVE-2022-31144,
// CVE-2022-35951, CVE-2022-35977, CVE-2023-22458, CVE-2023-25155, CVE-2023-28856,
// Dragonfly #4466 and CVE-2026-111279).
func TestHostileNumbers(t *testing.T) {
	p := start(t)
	all := calls(p.ctl)
	require.Greater(t, len(all), 250)
	tried := 0
	for _, typ := range []string{"string", "list", "hash", "set", "zset", "stream", "missing"} {
		p.attack(t, typ, 1024*mib, func(t *testing.T) {
			c := p.user()
			for _, k := range all {
				if isUntried(k.words[0]) {
					continue
				}
				for at := range k.numbers() {
					for _, n := range hostileNumbers {
						c = p.try(c, typ, k.argv(typ, at, n))
						tried++
					}
				}
			}
			c.do("FLUSHDB")
			c.Close()
		})
	}
	require.Greater(t, tried, 20_000)
}

func isUntried(name string) bool {
	for _, n := range untried {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// try runs a command on a fresh key and returns the connection to go on with:
// another one when there was too much reply to wait for.
func (p *process) try(c *conn, typ string, argv []string) *conn {
	p.t.Helper()
	var b []byte
	b = resp.AppendCommand(b, "DEL", typ)
	switch typ {
	case "string":
		b = resp.AppendCommand(b, "SET", typ, "12345")
	case "list":
		b = resp.AppendCommand(b, "RPUSH", typ, "m1", "m2", "3")
	case "hash":
		b = resp.AppendCommand(b, "HSET", typ, "m1", "1", "f", "2")
	case "set":
		b = resp.AppendCommand(b, "SADD", typ, "m1", "m2", "3")
	case "zset":
		b = resp.AppendCommand(b, "ZADD", typ, "1", "m1", "2", "m2")
	case "stream":
		b = resp.AppendCommand(b, "XADD", typ, "1-1", "f", "v")
		b = resp.AppendCommand(b, "XGROUP", "CREATE", typ, "m1", "0")
	}
	before := strings.Count(string(b), "*") // headers: no text above has a star
	b = resp.AppendCommand(b, argv...)
	c.send(string(b))
	for range before {
		c.reply()
	}
	mark, many := c.peek()
	if many > 1_000_000 {
		c.Close() // it would go on for hours
		return p.user()
	}
	v := c.reply()
	require.True(p.t, mark != '-' || v.Text != "", "%.200q", argv)
	require.NotContains(p.t, v.Text, "internal error", "%.200q", argv)
	return c
}

// peek is the mark and the number that the next reply begins with.
func (c *conn) peek() (mark byte, n int64) {
	c.t.Helper()
	for size := 2; ; size++ {
		b, err := c.buf.Peek(size)
		require.NoError(c.t, err)
		if b[size-1] == '\n' {
			_, _ = fmt.Sscan(string(b[1:size]), &n) // what is no number is 0
			return b[0], n
		}
		if size > 32 {
			return b[0], 0
		}
	}
}

// Huge replies of small values come in parts, which others wait for as little as
// for anybody else, and end with the connection (CVE-2026-111279).
func TestTooManyMembers(t *testing.T) {
	p := start(t)
	p.ctl.ok("SELECT", "0")
	p.ctl.do("SADD", "set", "m")
	p.ctl.do("HSET", "hash", "f", "v")
	p.ctl.do("ZADD", "zset", "1", "m")
	p.settleIn(dataDB)
	for _, argv := range [][]string{
		{"SRANDMEMBER", "set", "-2000000000"}, {"SRANDMEMBER", "set", "-9223372036854775807"},
		{"HRANDFIELD", "hash", "-2000000000"}, {"HRANDFIELD", "hash", "-4611686018427387903", "WITHVALUES"},
		{"ZRANDMEMBER", "zset", "-2000000000"}, {"ZRANDMEMBER", "zset", "-4611686018427387903", "WITHSCORES"},
	} {
		p.attack(t, strings.Join(argv, " "), 64*mib, func(t *testing.T) {
			c := p.user()
			c.send(string(resp.AppendCommand(nil, argv...)))
			if mark, many := c.peek(); mark == '*' {
				require.Greater(t, many, int64(1_000_000_000))
				for range 10_000 { // others are served meanwhile
					_, err := c.buf.Discard(100)
					require.NoError(t, err)
				}
				p.alive()
			}
			c.Close()
		})
	}
}
