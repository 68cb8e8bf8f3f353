package hostile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
	"coatcheck/resp"
)

// who attacks: somebody who has said who he is, or not.
var who = map[string]string{"before AUTH": "", "after AUTH": string(resp.AppendCommand(nil, "AUTH", password))}

// frames are bytes that are no commands, or hardly.
var frames = []string{
	"*1\r\n$9223372036854775800\r\nA\r\n", "*1\r\n$-2\r\n", "*1\r\n$-1\r\n", "*2147483648\r\n", "*4294967295\r\n",
	"*9223372036854775807\r\n", "*9223372036854775808\r\n", "*18446744073709551617\r\n", "*-9223372036854775808\r\n",
	"*-1\r\n", "*0\r\n", "*00\r\n", "*01\r\n", "*+1\r\n", "*1x\r\n", "*x\r\n", "*\r\n", "* 1\r\n",
	"*1\r\n$536870913\r\n", "*1\r\n$2147483648\r\n", "*1\r\n$18446744073709551615\r\n", "*1\r\n$+4\r\nPING\r\n", "*1\r\n$04\r\nPING\r\n",
	"*1\r\n$0\r\n\r\n", "*1\r\n$x\r\n", "*1\r\n$\r\n", "*1\r\n:1\r\n", "*1\r\n*1\r\n$4\r\nPING\r\n", "*1\r\n\xff\r\n",
	"~1\r\n$4\r\nPING\r\n", "|1\r\n$4\r\nPING\r\n", "%1\r\n", ">1\r\n", "$4\r\nPING\r\n", "+PING\r\n", "-PING\r\n", ":1\r\n", "_\r\n",
	"*1\r\n$4\r\nPINGxx", "*11\r\n", "*2\r\n$4\r\nECHO\r\n$16385\r\n", "\"\r\n", "'\\'\r\n", "\"a\"b\r\n", "PING\n", "\r\n\r\n\r\n",
	"*" + strings.Repeat("1", 70000), "*1\r\n$" + strings.Repeat("1", 70000),
	"*3\n$3\nSET\n$1\nk\n$1\nv\n",
}

// odd ones get another answer than from a real server, whose strings end at a NUL
// (COMPATIBILITY.md).
var odd = []string{"*1\r\n\x00\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", "*1048577\r\n", "*2147483647\r\n"}

// smuggled is what browsers and proxies can be made to send.
var smuggled = []string{
	"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "post / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: evil\r\nUser-Agent: x\r\n\r\n",
	"GET / HTTP/1.0\r\nhOsT: x\r\n\r\nSET stolen 1\r\n", "*1\r\n$4\r\nPOST\r\n", "*2\r\n$5\r\nHost:\r\n$1\r\nx\r\n",
	"PUT / HTTP/1.1\r\nContent-Length: 20\r\nHost: 127.0.0.1\r\n\r\nSET stolen 1\r\n", "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n",
	"POST\r\nSET stolen 1\r\n", "HOST:\r\nSET stolen 1\r\n",
}

// What is no command gets the answer that a real server gives, and the end of the
// connection where that gives it.
func TestFrames(t *testing.T) {
	p := start(t)
	peer := realredis.Listen(t, "--requirepass", password)
	for name, hello := range who {
		p.attack(t, name, 8*mib, func(t *testing.T) {
			for _, f := range append(frames, smuggled...) {
				require.Equal(t, exchange(t, peer.Addr, hello+f), exchange(t, p.addr, hello+f), "%.80q", f)
			}
		})
	}
	require.True(t, p.ctl.do("GET", "stolen").IsNull())
}

// exchange sends bytes, ends sending, and returns all that comes.
func exchange(t *testing.T, addr, bytes string) string {
	c := dial(t, addr)
	defer c.Close()
	c.send(bytes)
	require.NoError(t, c.CloseWrite())
	return c.rest()
}

// What stands behind a POST or Host: line is not run, and nothing is answered any
// more: a browser must not be able to use us.
func TestSmuggling(t *testing.T) {
	p := start(t)
	for name, hello := range who {
		p.attack(t, name, mib, func(t *testing.T) {
			for _, f := range smuggled {
				c := p.guest()
				c.send(hello + f + "SET stolen 1\r\nSET stolen 2\r\n")
				require.NotContains(t, strings.TrimPrefix(c.rest(), "+OK\r\n"), "+OK", "%q", f)
			}
			for _, f := range odd {
				require.True(t, strings.HasPrefix(strings.TrimPrefix(exchange(t, p.addr, hello+f), "+OK\r\n"), "-ERR "), "%q", f)
			}
			require.True(t, p.ctl.do("GET", "stolen").IsNull())
			require.Contains(t, p.output.String(), "Possible SECURITY ATTACK detected")
		})
	}
}

// Thousands of connections that never finish their command cost next to nothing.
func TestHalfFrames(t *testing.T) {
	halves := []string{"*", "*3", "*3\r", "*3\r\n", "*3\r\n$", "*3\r\n$3\r\nSET\r\n$3\r\nke", "SET k", "*2\r\n$4\r\nECHO\r\n$10000\r\nx", "\"open"}
	const many = 3000
	p := start(t)
	for name, hello := range who {
		p.attack(t, name, many*(24<<10), func(t *testing.T) {
			var all []*conn
			for i := range many {
				c := p.guest()
				c.send(hello + halves[i%len(halves)])
				all = append(all, c)
			}
			p.until("all are there", func() bool { return p.clients() >= many })
			p.alive()
			for _, c := range all {
				require.NoError(t, c.Close())
			}
		})
	}
}

// A gigabyte that is announced and never comes is not set aside (CVE-2021-32675,
// CVE-2025-46686): a client costs what it has sent.
func TestAnnouncedAndNeverSent(t *testing.T) {
	announced := []string{
		"*2\r\n$4\r\nECHO\r\n$536870912\r\n", "*2\r\n$4\r\nECHO\r\n$536870912\r\nx", "*1048576\r\n", "*1048576\r\n$3\r\nDEL\r\n$536870912\r\n",
		"*1048576\r\n$3\r\nDEL\r\n" + strings.Repeat("$0\r\n\r\n", 100),
	}
	const many = 1000
	p := start(t)
	for name, hello := range who {
		p.attack(t, name, many*(32<<10), func(t *testing.T) {
			for i := range many {
				c := p.guest()
				c.send(hello + announced[i%len(announced)])
				defer c.Close()
			}
			p.until("all was read", func() bool { return !strings.Contains(p.ctl.do("CLIENT", "LIST").Text, "cmd=NULL qbuf=0") })
			p.alive()
			require.Less(t, p.status("VmRSS")-p.before.rss, int64(many*(32<<10)))
		})
	}
}

// A command of a million arguments that never ends holds its bytes and little
// beside, and client-query-buffer-limit ends it (CVE-2025-46686).
func TestEndlessCommand(t *testing.T) {
	const limit = 8 * mib
	p := start(t, "--client-query-buffer-limit", fmt.Sprint(limit))
	p.attack(t, "small arguments", 6*limit, func(t *testing.T) {
		c := p.user()
		c.send("*1048576\r\n")
		for range 1 << 20 / 1024 {
			c.send(strings.Repeat("$8\r\naaaaaaaa\r\n", 1024))
		}
		c.closed()
	})
	p.attack(t, "large ones", 4*limit, func(t *testing.T) {
		c := p.user()
		c.send("*1048576\r\n")
		large := fmt.Sprintf("$%d\r\n%s\r\n", mib, strings.Repeat("x", mib))
		for range 2 * limit / mib {
			c.send(large)
		}
		c.closed()
	})
	require.Equal(t, int64(2), p.info("client_query_buffer_limit_disconnections"))
}

// Random bytes and frames that are nearly right end their connection at most
// (Dragonfly #1095, #6591, #6596, #6619; redcon; CVE-2026-27623).
func TestGarbage(t *testing.T) {
	p := start(t)
	for name, hello := range who {
		p.attack(t, name, 16*mib, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			for range 400 {
				c := p.guest()
				c.send(hello + garbage(rnd))
				require.NoError(t, c.CloseWrite())
				c.closed()
			}
		})
	}
}

var pieces = slices.Concat(frames, odd, smuggled)

// garbage is pieces of frames in any order.
func garbage(rnd *rand.Rand) string {
	var b strings.Builder
	for range 1 + rnd.IntN(12) {
		f := pieces[rnd.IntN(len(pieces))]
		if len(f) > 100 {
			f = f[:100]
		}
		cut := rnd.IntN(len(f) + 1)
		b.WriteString(f[:cut])
		if rnd.IntN(3) == 0 {
			for range rnd.IntN(40) {
				b.WriteByte(byte(rnd.Uint32()))
			}
		}
	}
	return b.String()
}
