package server_test

import (
	"maps"
	"net"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
	"coatcheck/internal/server"
	"coatcheck/resp"
)

// sessions are what clients send, a connection each; a real redis-server and
// ours must answer the same. "since72" lines are not asked of the peer, which
// is a 7.0.
var sessions = map[string][]string{
	"unknown": {
		"foo", "foo bar 'a b' \"q\"", "FOO " + long('x', 300), long('y', 300) + " a b", "foo " + long('x', 127) + " b", "foo " + long('x', 100) + " " + long('z', 100) + " b",
		"CLIENT", "CLIENT FOO", "CLIENT KILL", "CLIENT FOO a b c", "GET", "GET a b", "CLIENT GETNAME x", "client " + long('x', 200),
	},
	"ping":   {"PING", "ping hello", "PING a b", "ECHO", "ECHO hi", "ECHO a b", "ECHO \"a\\x00\\r\\n\""},
	"select": {"SELECT", "SELECT 0", "SELECT 15", "SELECT 16", "SELECT x", "SELECT -1", "SELECT 99999999999999999999", "SELECT 01", "SELECT ''", "SET k v", "SELECT 0", "GET k"},
	"hello": {
		"HELLO x", "HELLO 1", "HELLO 4", "HELLO 2 FOO", "HELLO 3 AUTH", "HELLO 3 AUTH a", "HELLO 3 AUTH a b", "HELLO 2 SETNAME", "HELLO 2 SETNAME 'a b'",
		"HELLO 2 AUTH default x SETNAME bob", "CLIENT GETNAME", "HELLO 99999999999999999999", "HELLO 3 AUTH default x FOO",
	},
	"auth": {"AUTH", "AUTH a", "AUTH a b", "AUTH default b", "AUTH a b c", "AUTH default b c"},
	"names": {
		"CLIENT GETNAME", "CLIENT SETNAME bob", "CLIENT GETNAME", "CLIENT SETNAME 'a b'", "CLIENT SETNAME \"a\\n\"", "CLIENT SETNAME ''", "CLIENT GETNAME",
		"CLIENT SETNAME", "CLIENT SETNAME a b", "CLIENT SETNAME \"\\xc3\\xa9\"",
	},
	"kill": {
		"CLIENT KILL foo", "CLIENT KILL 1.1.1.1:1", "CLIENT KILL ID x", "CLIENT KILL ID 0", "CLIENT KILL ID -1", "CLIENT KILL ID 99999", "CLIENT KILL TYPE foo",
		"CLIENT KILL TYPE master", "CLIENT KILL TYPE slave", "CLIENT KILL TYPE replica", "CLIENT KILL TYPE pubsub", "CLIENT KILL TYPE normal ID 99999",
		"CLIENT KILL USER nobody", "CLIENT KILL USER default ID 99999", "CLIENT KILL SKIPME foo", "CLIENT KILL SKIPME yes ID 99999", "CLIENT KILL SKIPME no ID 99999", "CLIENT KILL ID 5 FOO",
		"CLIENT KILL FOO 5", "CLIENT KILL ADDR 1.1.1.1:5", "CLIENT KILL LADDR 1.1.1.1:5", "CLIENT KILL ADDR 1.1.1.1:5 LADDR", "CLIENT KILL ID 99999 ADDR",
	},
	"list": {
		"CLIENT LIST TYPE foo", "CLIENT LIST TYPE pubsub", "CLIENT LIST TYPE master", "CLIENT LIST TYPE", "CLIENT LIST ID", "CLIENT LIST ID x", "CLIENT LIST ID 99", "CLIENT LIST ID 0", "CLIENT LIST FOO",
		"CLIENT LIST TYPE normal x", "CLIENT LIST ID 99 x",
	},
	"pause": {
		"CLIENT PAUSE", "CLIENT PAUSE x", "CLIENT PAUSE -1", "CLIENT PAUSE 0 FOO", "CLIENT PAUSE 0 ALL x", "CLIENT UNPAUSE", "CLIENT UNPAUSE x",
		"CLIENT PAUSE 1 WRITE", "CLIENT UNPAUSE", "CLIENT PAUSE 0", "CLIENT UNPAUSE", "CLIENT PAUSE 1 x y z",
	},
	"unblock":  {"CLIENT UNBLOCK", "CLIENT UNBLOCK x", "CLIENT UNBLOCK 99999", "CLIENT UNBLOCK 99999 FOO", "CLIENT UNBLOCK 99999 TIMEOUT", "CLIENT UNBLOCK 99999 error", "CLIENT UNBLOCK 1 ERROR x"},
	"switches": {"CLIENT NO-EVICT", "CLIENT NO-EVICT foo", "CLIENT NO-EVICT on", "CLIENT NO-EVICT OFF", "CLIENT REPLY foo", "CLIENT REPLY on", "CLIENT GETREDIR", "CLIENT GETREDIR x"},
	"quiet": {
		"CLIENT REPLY SKIP; PING; ECHO a", "CLIENT REPLY OFF; PING; FOO; GET; CLIENT REPLY SKIP; CLIENT REPLY ON", "PING",
		"CLIENT REPLY SKIP; CLIENT REPLY SKIP; PING; PING", "CLIENT REPLY SKIP; FOO; PING", "CLIENT REPLY SKIP; CLIENT REPLY ON", "CLIENT REPLY OFF; CLIENT REPLY OFF; CLIENT REPLY ON", "PING",
	},
	"reset": {"CLIENT SETNAME x", "SELECT 3", "HELLO 3 SETNAME y", "RESET x", "RESET", "CLIENT GETNAME", "PING", "RESET"},
	"resp3": {"HELLO 3", "GET missing", "SET k v", "GET k", "CLIENT GETNAME", "FOO", "HELLO 2", "GET missing", "HELLO 3", "HELLO", "CLIENT SETNAME ''", "CLIENT GETNAME"},
	"quit":  {"QUIT a b"},
}

// locked are sessions for a server with a password.
var locked = map[string][]string{
	"before": {
		"PING", "GET a", "FOO", "GET", "CLIENT ID", "CLIENT FOO", "SELECT 1", "COMMAND", "MONITOR", "HELLO", "HELLO 3", "HELLO 3 SETNAME x", "HELLO 4", "HELLO 3 FOO",
		"AUTH wrong", "AUTH default wrong", "AUTH nobody secret", "AUTH a b c", "HELLO 3 AUTH default wrong", "PING", "RESET",
		"AUTH secret", "PING", "AUTH wrong", "PING", "RESET", "PING", "HELLO 3 AUTH default secret SETNAME me", "CLIENT GETNAME", "RESET", "AUTH default secret", "PING", "QUIT",
	},
	"bulk": {"*11\r\n"}, "big": {"*2\r\n$16385\r\n"}, "count": {"*x\r\n"},
}

func long(c byte, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = c
	}
	return string(b)
}

func TestAnswersAsRedis(t *testing.T) {
	for _, c := range []struct {
		name     string
		sessions map[string][]string
		flags    []string
		change   func(o *server.Options)
	}{
		{"open", sessions, nil, nil},
		{"locked", locked, []string{"--requirepass", "secret"}, func(o *server.Options) { o.Config.RequirePass = "secret" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			redis := realredis.Start(t, c.flags...)
			each(t, c.change, func(t *testing.T, srv *server.Server, dial func() *peer) {
				redis.Do(t, "FLUSHALL")
				for _, name := range slices.Sorted(maps.Keys(c.sessions)) {
					theirs, err := net.Dial("unix", redis.Socket)
					require.NoError(t, err)
					defer theirs.Close()
					compare(t, name, c.sessions[name], newPeer(t, theirs), dial())
				}
			})
		})
	}
}

var commands = regexp.MustCompile(`; `)

// compare sends each line to both and compares the replies. Commands joined by
// "; " go together and have as many replies as the peer gives before PING's.
func compare(t *testing.T, name string, lines []string, theirs, ours *peer) {
	for _, line := range lines {
		want := answer(theirs, line)
		got := answer(ours, line)
		require.Equal(t, want, got, "%s: %.60q", name, line)
	}
}

// answer is what comes after a line until the answer of an ECHO after it, or the
// end.
func answer(p *peer, line string) string {
	const end = "--end--"
	p.send(commands.ReplaceAllString(line, "\r\n") + "\r\nCLIENT REPLY ON\r\nECHO " + end + "\r\n")
	all := ""
	d := resp.NewDecoder(p.r)
	for {
		v, err := d.Decode()
		if err != nil {
			return all + "closed"
		}
		text := mask.ReplaceAllString(v.String(), "X")
		if text == `$"`+end+`"` || text == "-NOAUTH Authentication required." && all != "" && lastIsNoAuth(all) {
			return all
		}
		all += text + "\n"
	}
}

func lastIsNoAuth(all string) bool {
	const no = "-NOAUTH Authentication required.\n"
	return len(all) >= len(no) && all[len(all)-len(no):] == no
}

var mask = regexp.MustCompile(`(\$"id" :\d+|\$"version" \$"[0-9.]+")`)
