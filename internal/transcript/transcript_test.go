package transcript

import (
	"bufio"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
	"coatcheck/resp"
)

// scripted is a server that answers each command with the next of its replies.
// An empty reply means none, "close" closes the connection.
func scripted(t *testing.T, replies ...string) Target {
	t.Helper()
	next := make(chan string, 100)
	for _, r := range replies {
		next <- r
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c, next)
		}
	}()
	return Target{Dial: func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }}
}

func answer(c net.Conn, next chan string) {
	defer c.Close()
	dec := resp.NewDecoder(bufio.NewReader(c))
	for {
		v, err := dec.Decode()
		if err != nil {
			return
		}
		reply := "+OK\r\n"
		if v.Elems[0].Text != "FLUSHALL" {
			reply = <-next
		}
		if reply == "close" {
			return
		}
		if _, err := c.Write([]byte(reply)); err != nil {
			return
		}
	}
}

func parse(t *testing.T, lines ...string) *File {
	t.Helper()
	f, err := Parse("t.txt", strings.Join(lines, "\n")+"\n")
	require.NoError(t, err)
	return f
}

func TestReplay(t *testing.T) {
	for _, c := range []struct {
		name    string
		lines   string
		replies string // separated by |
		err     string
	}{
		{"right", "> GET k\n< $\"v\"", "$1\r\nv\r\n", ""},
		{"wrong", "# a\n> GET k\n< $\"v\"", "$-1\r\n", "t.txt:3: > GET k\n got $-1\nwant $\"v\""},
		{"another kind", "> GET k\n< :1", "+1\r\n", "got +1"},
		{"one more", "> A\n> B\n< :1", ":1\r\n|:2\r\n", "at the end, conn main: expected to be closed, got :2"},
		{"pipeline", "> A\n> B\n< :1\n< :2", ":1\r\n|:2\r\n", ""},
		{"waits", "> A\n@ waits\n> B\n< :2", "|:2\r\n", ""},
		{"does not wait", "> A\n@ waits", ":1\r\n", "expected to wait, got :1"},
		{"closed", "> A\n@ closed\n> B\n< :1", "close|:1\r\n", ""},
		{"not closed", "> A\n@ closed", ":1\r\n", "expected to be closed, got :1"},
		{"gone", "> A\n< :1", "close", "t.txt:2: > A: no reply, expected :1: EOF"},
		{"unordered", "> A\n@ unordered\n< *[:1 :2]", "*2\r\n:2\r\n:1\r\n", ""},
		{"unordered map", "> A\n@ unordered\n< %[:1 :2 :3 :4]", "%2\r\n:3\r\n:4\r\n:1\r\n:2\r\n", ""},
		{"unordered keeps pairs", "> A\n@ unordered\n< %[:1 :2 :3 :4]", "%2\r\n:3\r\n:2\r\n:1\r\n:4\r\n", "got"},
		{"ordered", "> A\n< *[:1 :2]", "*2\r\n:2\r\n:1\r\n", "got"},
		{"margin", "> A\n@ margin 2\n< :10", ":8\r\n", ""},
		{"beyond margin", "> A\n@ margin 2\n< :10", ":7\r\n", "got :7"},
		{"margin is for one reply", "> A\n@ margin 2\n< :10\n> A\n< :10", ":10\r\n|:9\r\n", "t.txt:5"},
		{"matches", "> A\n@ matches ^:[0-9]+$\n< :10", ":77\r\n", ""},
		{"matches not", "> A\n@ matches ^:[0-9]+$\n< :10", "+77\r\n", "got +77"},
		{"resp 3", "@ resp 3\n> A\n< _", "%0\r\n|_\r\n", ""},
		{"save", "> A\n< *[$\"x\" :7]\n@ save id 1\n> B ${id}\n< :1", "*2\r\n$1\r\nx\r\n:7\r\n|:1\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := parse(t, c.lines).Replay(scripted(t, strings.Split(c.replies, "|")...))
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}

func TestReplaySkipsWhatIsNewer(t *testing.T) {
	f := parse(t, "@ since 7.2", "> A", "< :1", "@ since any", "> B", "< :2")
	old := scripted(t, ":2\r\n")
	old.Version = "7.0.15"
	require.NoError(t, f.Replay(old))
	newer := scripted(t, ":1\r\n", ":2\r\n")
	newer.Version = "7.2.4"
	require.NoError(t, f.Replay(newer))
	require.NoError(t, f.Replay(scripted(t, ":1\r\n", ":2\r\n")), "ours")
}

func TestReplayAdvances(t *testing.T) {
	target := scripted(t)
	var passed time.Duration
	target.Advance = func(d time.Duration) { passed += d }
	require.NoError(t, parse(t, "@ advance 1100ms").Replay(target))
	require.Equal(t, 1100*time.Millisecond, passed)
}

func TestRecord(t *testing.T) {
	for _, c := range []struct{ name, in, replies, out string }{
		{"adds", "# a\n> A\n> B\n\n# b\n> C", ":1\r\n|:2\r\n|:3\r\n", "# a\n> A\n< :1\n> B\n< :2\n\n# b\n> C\n< :3"},
		{"rewrites", "> A\n< :7\n# b", ":1\r\n", "> A\n< :1\n# b"},
		{"keeps pipelines", "> A\n> B\n< :7\n< :7\n# b\n> C", ":1\r\n|:2\r\n|:3\r\n", "> A\n> B\n< :1\n< :2\n# b\n> C\n< :3"},
		{"a reply below is the last command's", "> A\n> B\n@ margin 2\n< :7\n> C", ":1\r\n|:2\r\n|:3\r\n", "> A\n< :1\n> B\n@ margin 2\n< :2\n> C\n< :3"},
		{"keeps directives", "> A\n@ margin 2\n< :7\n> A\n@ matches x\n< :7", ":1\r\n|:2\r\n", "> A\n@ margin 2\n< :1\n> A\n@ matches x\n< :2"},
		{"knows waiting", "> A\n@ waits\n> B\n< :1", "|:2\r\n", "> A\n@ waits\n> B\n< :2"},
		{"last words", "> A\n@ closed", "close", "> A\n@ closed"},
		{"keeps what is newer", "@ since 9\n> A\n< :7\n@ since any\n> B", ":1\r\n", "@ since 9\n> A\n< :7\n@ since any\n> B\n< :1"},
		{"raw", `>> "*1\r\n$1\r\nA\r\n*1\r\n$1\r\nA\r\n*1\r\n$1\r\nA\r\n"`, ":1\r\n|:2\r\n|close",
			`>> "*1\r\n$1\r\nA\r\n*1\r\n$1\r\nA\r\n*1\r\n$1\r\nA\r\n"` + "\n< :1\n< :2\n@ closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := scripted(t, strings.Split(c.replies, "|")...)
			target.Version = "7.0.15"
			out, err := parse(t, c.in).Record(target)
			require.NoError(t, err)
			require.Equal(t, c.out+"\n", out)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{
		"GET k", ">", "> \"a", "> \"a\"b", "> \"a\"*x", "<", "< x", "< $a", "< *[:1", "< :x", "< *[:1] :2", "< $\"a\" b",
		"@", "@ nothing", "@ conn", "@ conn a b", "@ advance soon", "@ margin x", "@ matches (",
	} {
		_, err := Parse("t.txt", "# a\n"+line)
		require.ErrorContains(t, err, "t.txt:2: ", line)
	}
}

func TestParseReply(t *testing.T) {
	for _, s := range []string{
		"+OK", "-ERR a b", `-"ERR a "`, ":-1", `$"a\r\n\x00"`, "$-1", "*-1", "*[]", `*[$"a" *[:1 _] +k -"a b"]`,
		"%[+k ,1.5]", "~[#t]", `>[$"m"]`, "(123", `="txt:a"`, `!"ERR a"`, `$"x"*100`, `|[+k :1] $"a"`, `*[|[+k :1] :2]`,
	} {
		v, err := ParseReply(s)
		require.NoError(t, err, s)
		require.Equal(t, s, v.String())
	}
}

// Every transcript is what a real server answers; those about the protocol also
// when it is cut into pieces.
func TestTranscriptsAreReal(t *testing.T) {
	files, err := ReadDir("../../testdata/transcripts")
	require.NoError(t, err)
	for i, part := range parts(files, 4) {
		t.Run(string(rune('a'+i)), func(t *testing.T) {
			t.Parallel()
			srv := realredis.Start(t, "--enable-debug-command", "yes")
			target, err := Peer(func() (net.Conn, error) { return net.Dial("unix", srv.Socket) })
			require.NoError(t, err)
			for _, f := range part {
				target.Piece = 0
				require.NoError(t, f.Replay(target))
				if strings.Contains(f.Name, "/protocol/") {
					target.Piece = 1
					require.NoError(t, f.Replay(target), "in pieces")
				}
			}
		})
	}
}

// parts deals files out, since some spend their time waiting.
func parts(files []*File, n int) [][]*File {
	out := make([][]*File, n)
	for i, f := range files {
		out[i%n] = append(out[i%n], f)
	}
	return out
}

// The transcripts themselves say what they were recorded to say.
func TestRecordAgainChangesNothing(t *testing.T) {
	srv := realredis.Start(t)
	target, err := Peer(func() (net.Conn, error) { return net.Dial("unix", srv.Socket) })
	require.NoError(t, err)
	require.Equal(t, "7.", target.Version[:2])
	files, err := ReadDir("../../testdata/transcripts/protocol")
	require.NoError(t, err)
	for _, f := range files {
		text, err := f.Record(target)
		require.NoError(t, err)
		require.Equal(t, strings.Join(f.lines, "\n")+"\n", text)
	}
}
