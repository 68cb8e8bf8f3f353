package resp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parsed is what came out of a parser: commands, then perhaps an error.
type parsed struct {
	cmds [][]string
	err  string
}

// feed gives in to a new parser in pieces of at most n bytes, with a scratch of
// the given size, and takes commands as a transport does.
func feed(limits Limits, in []byte, n, scratch int) parsed {
	p := &Parser{Limits: limits}
	var out parsed
	lent := make([]byte, scratch)
	for len(in) > 0 {
		b := p.Buffer(lent)
		k := copy(b[:min(n, len(b))], in)
		in = in[k:]
		p.Wrote(k)
		for {
			argv, err := p.Next()
			if err != nil {
				out.err = err.Error()
				return out
			}
			if argv == nil {
				break
			}
			var cmd []string
			for _, a := range argv {
				cmd = append(cmd, string(a))
			}
			out.cmds = append(out.cmds, cmd)
		}
		p.Release()
		clear(lent) // nobody may count on the scratch afterwards
	}
	return out
}

func cmds(lines ...string) [][]string {
	var out [][]string
	for _, l := range lines {
		out = append(out, strings.Split(l, "|"))
	}
	return out
}

const (
	protocol = "ERR Protocol error: "
	attack   = "possible SECURITY ATTACK: POST or Host: command"
)

// parserCases hold what a Redis 7.0.15 made of the bytes.
var parserCases = []struct {
	in   string
	cmds [][]string
	err  string
}{
	{in: "*1\r\n$4\r\nPING\r\n", cmds: cmds("PING")},
	{in: "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n", cmds: cmds("ECHO|", "PING")},
	{in: "*0\r\n*-1\r\n*-9223372036854775808\r\nPING\r\n", cmds: cmds("PING")},
	{in: "\r\n\r\n\n   \r\nPING\nPING\r\n", cmds: cmds("PING", "PING")},
	{in: "*1\r\n$4\r\nPINGxxPING\r\n", cmds: cmds("PING", "PING")},
	{in: "*1\rX$4\rXPING\r\n", cmds: cmds("PING")},
	{in: "*1\n$4\nPING\n"},
	{in: "*1\r\n$0\r\n\r\n", cmds: cmds("")},

	{in: "*x\r\n", err: protocol + "invalid multibulk length"},
	{in: "*\r\n", err: protocol + "invalid multibulk length"},
	{in: "*+1\r\n", err: protocol + "invalid multibulk length"},
	{in: "*01\r\n", err: protocol + "invalid multibulk length"},
	{in: "* 1\r\n", err: protocol + "invalid multibulk length"},
	{in: "*1 \r\n", err: protocol + "invalid multibulk length"},
	{in: "*-0\r\n", err: protocol + "invalid multibulk length"},
	{in: "*-x\r\n", err: protocol + "invalid multibulk length"},
	{in: "*1\nx\r\n", err: protocol + "invalid multibulk length"},
	{in: "*2147483648\r\n", err: protocol + "invalid multibulk length"},
	{in: "*18446744073709551617\r\n", err: protocol + "invalid multibulk length"},
	{in: "*1\r\nx\r\n", err: protocol + "expected '$', got 'x'"},
	{in: "*1\r\n*1\r\n", err: protocol + "expected '$', got '*'"},
	{in: "PING\r\n*1\r\n$-1\r\n", cmds: cmds("PING"), err: protocol + "invalid bulk length"},
	{in: "*1\r\n$\r\n", err: protocol + "invalid bulk length"},
	{in: "*1\r\n$x\r\n", err: protocol + "invalid bulk length"},
	{in: "*1\r\n$04\r\n", err: protocol + "invalid bulk length"},
	{in: "*1\r\n$536870913\r\n", err: protocol + "invalid bulk length"},
	{in: "*1\r\n$9223372036854775808\r\n", err: protocol + "invalid bulk length"},
	{in: "*1\r\n$9223372036854775807\r\n", err: protocol + "invalid bulk length"},
	{in: "*1\r\n$-2\r\n", err: protocol + "invalid bulk length"},
	{in: "*" + strings.Repeat("1", 65536), err: protocol + "too big mbulk count string"},
	{in: "*1\r\n$" + strings.Repeat("1", 65536), err: protocol + "too big bulk count string"},
	{in: "*1\r\n" + strings.Repeat("1", 65537), err: protocol + "too big bulk count string"},
	{in: strings.Repeat("a", 65537), err: protocol + "too big inline request"},
	{in: strings.Repeat("a", 65535) + "\r\n", cmds: cmds(strings.Repeat("a", 65535))},
	{in: strings.Repeat("a", 65536)},

	{in: `SET "a b\x41\n\q" 'c\'d\n'` + "\r\n", cmds: cmds("SET|a bA\nq|c'd\\n")},
	{in: `ECHO ""` + "\r\n" + `"" x` + "\r\n" + `''` + "\r\n", cmds: cmds("ECHO|", "|x", "")},
	{in: `GET a"b" a'c'` + "\r\n", cmds: cmds("GET|ab|ac")},
	{in: `GET "\x4" "\xZZ" "\t\r\b\a\\\""` + "\r\n", cmds: cmds("GET|x4|xZZ|\t\r\b\a\\\"")},
	{in: "ECHO a\tb\x0bc \x0b\x0cd\r\n", cmds: cmds("ECHO|a|b\x0bc|d")},
	{in: "PING\rx\r\nPING \r\r\n", cmds: cmds("PING|x", "PING")},
	{in: `GET "a` + "\r\n", err: protocol + "unbalanced quotes in request"},
	{in: `GET 'a` + "\r\n", err: protocol + "unbalanced quotes in request"},
	{in: `GET 'a\'` + "\r\n", err: protocol + "unbalanced quotes in request"},
	{in: `GET "a\` + "\r\n", err: protocol + "unbalanced quotes in request"},
	{in: `GET "a"b` + "\r\n", err: protocol + "unbalanced quotes in request"},
	{in: `GET a"b"c` + "\r\n", err: protocol + "unbalanced quotes in request"},

	{in: "POST / HTTP/1.1\r\n", err: attack},
	{in: "post\r\n", err: attack},
	{in: "HoSt: x\r\n", err: attack},
	{in: "*1\r\n$5\r\nhost:\r\n", err: attack},
	{in: "GET / HTTP/1.1\r\nHost: x\r\n", cmds: cmds("GET|/|HTTP/1.1"), err: attack},
	{in: "POSTS x\r\nHost x\r\n", cmds: cmds("POSTS|x", "Host|x")},
}

func TestParser(t *testing.T) {
	for _, c := range parserCases {
		name := c.in[:min(len(c.in), 30)]
		for _, piece := range []int{1, 2, 3, 7, 1 << 20} {
			if piece == 1 && len(c.in) > 1000 {
				piece = 13 // a byte at a time takes its time
			}
			for _, scratch := range []int{16, 1000, 128 << 10} {
				got := feed(DefaultLimits, []byte(c.in), piece, scratch)
				require.Equal(t, parsed{c.cmds, c.err}, got, "%q in pieces of %d, scratch %d", name, piece, scratch)
			}
		}
	}
}

func TestParserBeforeAuthentication(t *testing.T) {
	limits := DefaultLimits
	limits.Unauthenticated = true
	for in, want := range map[string]parsed{
		"*10\r\n":              {},
		"*11\r\n":              {err: protocol + "unauthenticated multibulk length"},
		"*2147483647\r\n":      {err: protocol + "unauthenticated multibulk length"},
		"*2147483648\r\n":      {err: protocol + "invalid multibulk length"},
		"*1\r\n$16384\r\n":     {},
		"*1\r\n$16385\r\n":     {err: protocol + "unauthenticated bulk length"},
		"*1\r\n$600000000\r\n": {err: protocol + "invalid bulk length"},
		"POST x\r\n":           {err: attack},
	} {
		require.Equal(t, want, feed(limits, []byte(in), 100, 100), "%q", in)
	}
}

// Limits are looked at for every header: what a client may do changes in the
// middle of its pipeline.
func TestParserLimitsChange(t *testing.T) {
	p := &Parser{Limits: DefaultLimits}
	p.Limits.Unauthenticated = true
	p.Wrote(copy(p.Buffer(make([]byte, 100)), "AUTH x\r\n*11\r\n"))
	argv, err := p.Next()
	require.NoError(t, err)
	require.Len(t, argv, 2)
	p.Limits.Unauthenticated = false
	argv, err = p.Next()
	require.NoError(t, err)
	require.Nil(t, argv)
}

func TestParserErrorIsFinal(t *testing.T) {
	p := &Parser{Limits: DefaultLimits}
	p.Wrote(copy(p.Buffer(make([]byte, 100)), "*x\r\nPING\r\n"))
	for range 3 {
		argv, err := p.Next()
		require.Nil(t, argv)
		require.EqualError(t, err, protocol+"invalid multibulk length")
	}
}

func TestParserQueryBufferLimit(t *testing.T) {
	limits := DefaultLimits
	limits.MaxBuffer = 1 << 20
	big := fmt.Sprintf("*2\r\n$4\r\nECHO\r\n$%d\r\n%s", 3<<20, strings.Repeat("x", 2<<20))
	require.Equal(t, ErrTooBig.Error(), feed(limits, []byte(big), 16<<10, 16<<10).err)
	many := "*1000000\r\n" + strings.Repeat("$1\r\nx\r\n", 200_000)
	require.Equal(t, ErrTooBig.Error(), feed(limits, []byte(many), 16<<10, 16<<10).err)
}

// A parser at rest owns nothing, and while a command is unfinished not much
// more than came.
func TestParserMemory(t *testing.T) {
	scratch := make([]byte, 16<<10)
	give := func(p *Parser, in string) (got int) {
		for len(in) > 0 {
			n := copy(p.Buffer(scratch), in)
			in = in[n:]
			p.Wrote(n)
			for {
				argv, err := p.Next()
				if err != nil {
					panic(err)
				}
				if argv == nil {
					break
				}
				got++
			}
			p.Release()
		}
		return got
	}
	t.Run("announced arguments", func(t *testing.T) {
		p := &Parser{Limits: DefaultLimits}
		give(p, "*1048576\r\n$1\r\nx\r\n")
		require.Less(t, p.Cap(), 4<<10)
	})
	t.Run("announced bytes", func(t *testing.T) {
		p := &Parser{Limits: DefaultLimits}
		give(p, "*2\r\n$3\r\nGET\r\n$536870912\r\n")
		p.Buffer(scratch)
		require.Less(t, p.Cap(), 70<<10)
		give(p, strings.Repeat("x", 3<<10))
		p.Buffer(scratch)
		require.Less(t, p.Cap(), 300<<10)
		give(p, strings.Repeat("x", 5<<20))
		require.Less(t, p.Cap(), 11<<20)
	})
	t.Run("at rest", func(t *testing.T) {
		p := &Parser{Limits: DefaultLimits}
		require.Equal(t, 1, give(p, "*2\r\n$4\r\nECHO\r\n$2000000\r\n"+strings.Repeat("x", 2000000)+"\r\n"))
		require.Zero(t, p.Cap())
		require.Equal(t, 3, give(p, "*1\r\n$4\r\nPING\r\nPING\r\nPING\r\n"))
		require.Zero(t, p.Cap())
		require.Zero(t, p.Buffered())
	})
	t.Run("a large buffer shrinks", func(t *testing.T) {
		p := &Parser{Limits: DefaultLimits}
		big := "*2\r\n$4\r\nECHO\r\n$20000\r\n" + strings.Repeat("x", 20000) + "\r\n"
		give(p, "*3\r\n$1\r\na\r\n$1\r\nb\r\n"+big[len("*2\r\n$4\r\nECHO\r\n"):]+"*2\r\n$1\r\nx")
		require.Less(t, p.Cap(), 5<<10)
	})
}

// What is waiting can be taken later, without reading: a client that is blocked
// or paused keeps its commands.
func TestParserTakesLater(t *testing.T) {
	p := &Parser{Limits: DefaultLimits}
	scratch := make([]byte, 1000)
	p.Wrote(copy(p.Buffer(scratch), "PING 1\r\nPING 2\r\n*2\r\n$4\r\nPING\r\n$1\r\n3\r\nPI"))
	for i := range 3 {
		argv, err := p.Next()
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i+1), string(argv[1]))
		p.Release()
		clear(scratch)
	}
	argv, err := p.Next()
	require.NoError(t, err)
	require.Nil(t, argv)
	require.Equal(t, 2, p.Buffered())
}

// A big bulk is read to where it stays: beyond the first piece, nothing is
// copied but by the reader.
func TestParserBigBulkStaysInPlace(t *testing.T) {
	const n = 500_000
	p := &Parser{Limits: DefaultLimits}
	scratch := make([]byte, 16<<10)
	in := fmt.Appendf(nil, "*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", n, bytes.Repeat([]byte("x"), n))
	in = in[copy(scratch, in):]
	require.NotNil(t, p.Buffer(scratch))
	p.Wrote(len(scratch))
	argv, err := p.Next()
	require.NoError(t, err)
	require.Nil(t, argv)
	p.Release()

	room := p.Buffer(scratch)
	require.Len(t, room, len(in), "just the room that is missing")
	half := len(in) / 2
	p.Wrote(copy(room[:half], in))
	argv, err = p.Next()
	require.NoError(t, err)
	require.Nil(t, argv)
	p.Release()
	rest := p.Buffer(scratch)
	require.Same(t, &room[half], &rest[0])
	p.Wrote(copy(rest, in[half:]))
	argv, err = p.Next()
	require.NoError(t, err)
	require.Len(t, argv[1], n)
	require.Same(t, &room[len(room)-3], &argv[1][n-1])
}

func TestParseInt(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "1": 1, "-1": -1, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63,
	} {
		n, ok := ParseInt([]byte(in))
		require.True(t, ok, in)
		require.Equal(t, want, n)
	}
	for _, in := range []string{"", "-", "+1", "01", "-0", "-01", " 1", "1 ", "1x", "x",
		"9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999"} {
		_, ok := ParseInt([]byte(in))
		require.False(t, ok, in)
	}
}
