package server_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/config"
	"coatcheck/internal/realredis"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

// aclRules are what users are made of: right rules, and wrong ones.
var aclRules = []string{
	"on", "off", "nopass", "resetpass", "reset", ">p", "<p", ">q", "#2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "!00", "resetkeys", "allkeys", "~*",
	"~a*", "~b*", "~[a-c]?", "%R~r*", "%W~w*", "%RW~x*", "%WR~y*", "%Q~z", "resetchannels", "allchannels", "&*", "&ch*", "&news.?", "+@all", "-@all", "allcommands", "nocommands",
	"+get", "+set", "-get", "-set", "+@read", "-@write", "+@string", "+@hash", "-@dangerous", "+@pubsub", "+config", "+config|get", "-config|set", "+client|id", "-client", "+select|0",
	"+config|get|x", "-nosuch", "+@nosuch", "(+get ~s*)", "(%R~k* +@read)", "(+set", "+@all)", "(+publish &sel*)", "clearselectors", "+copy", "+rename", "+zunionstore", "+lmpop",
	"+subscribe", "+psubscribe", "+multi", "GET", "", "+GET", "+@Read",
}

// aclCalls are what they may or may not do.
var aclCalls = []string{
	"get abc", "get r1", "get s1", "set w1 v", "set abc v", "set x1 v", "set s1 v", "set w1 v get", "mget ab r1", "copy r1 w1", "copy w1 r1", "rename a1 b1", "del a1 b1", "exists k1 r1",
	"config get x", "config set maxmemory 1", "client id", "client list", "select 0", "select 1", "publish ch1 x", "publish sel1 x", "subscribe ch1 news.1", "psubscribe ch*", "psubscribe c*",
	"zunionstore a1 2 r1 r2", "zunionstore w1 2 r1 x2", "lmpop 2 a1 b1 left", "hset ab f v", "hget k1 f", "ping", "hello", "auth x", "multi", "flushall", "keys *", "object encoding r1",
	"memory usage r1", "xread streams a1 b1 0 0", "sintercard 2 a1 r1", "spublish ch1 x", "ssubscribe news.1", "lpush y1 v", "incr r1", "blpop a1 b1 0",
	"georadius a1 1 1 1 m store b1", "bitfield r1 get u8 0", "bitfield x1 set u8 0 1",
}

// Users made of random rules have the rights that a real server gives them.
func TestRightsAreRedis(t *testing.T) {
	srv, real := servertest.Start(t, nil), realredis.Start(t)
	c, r := newCaller(t, srv), rand.New(rand.NewPCG(3, 9))
	require.NoError(t, c.conn.SetDeadline(time.Now().Add(2*time.Minute)))
	for i := range 150 {
		name := fmt.Sprint("user", i)
		for range 1 + r.IntN(3) {
			words := []string{"ACL", "SETUSER", name}
			for range 1 + r.IntN(5) {
				words = append(words, aclRules[r.IntN(len(aclRules))])
			}
			require.Equal(t, real.Do(t, words...), wire(c.call(words...)), "%q", words)
		}
		sameUser(t, c, real, name)
		for range 20 {
			call := aclCalls[r.IntN(len(aclCalls))]
			words := append([]string{"ACL", "DRYRUN", name}, strings.Fields(call)...)
			may := c.call(words...).Text == "OK"
			require.Equal(t, real.Do(t, words...) == "+OK\r\n", may, "%q of %s", words, c.call("ACL", "LIST"))
		}
	}
}

// wire is a status or an error as it is sent.
func wire(v resp.Value) string { return string(v.Kind) + v.Text + "\r\n" }

var commandRule = regexp.MustCompile(`([ (])[-+][^ )]*`)

// sameUser compares a user with the peer's of that name, which tells fewer flags.
func sameUser(t *testing.T, c *caller, real *realredis.Server, name string) {
	t.Helper()
	list := func(lines []string) string {
		for _, l := range lines {
			if strings.HasPrefix(l, "user "+name+" ") {
				l = strings.Replace(l, " sanitize-payload", "", 1)
				l = commandRule.ReplaceAllString(l, "$1 ") // 7.2 keeps these as they were given, 7.0 does not
				return strings.ReplaceAll(strings.Join(strings.Fields(l), " "), " )", ")")
			}
		}
		return ""
	}
	var ours []string
	for _, v := range c.call("ACL", "LIST").Elems {
		ours = append(ours, v.Text)
	}
	require.Equal(t, list(real.Strings(t, "ACL", "LIST")), list(ours))
}

func TestDenialsAreLogged(t *testing.T) {
	srv := servertest.Start(t, nil)
	c, u := newCaller(t, srv), newCaller(t, srv)
	c.says("+OK", "ACL", "SETUSER", "u", "on", "nopass", "~a*", "&a*", "+@all", "-flushall")
	u.says("-WRONGPASS invalid username-password pair or user is disabled.", "AUTH", "nobody", "x")
	u.says("+OK", "AUTH", "u", "x")
	u.says("-NOPERM User u has no permissions to run the 'flushall' command", "FLUSHALL")
	u.says("-NOPERM No permissions to access a key", "SET", "b", "v")
	u.says("-NOPERM No permissions to access a key", "SET", "b", "v")
	u.says("-NOPERM No permissions to access a channel", "PUBLISH", "b", "v")
	u.says("+OK", "MULTI")
	u.says("-NOPERM No permissions to access a key", "GET", "c")
	u.says("-EXECABORT Transaction discarded because of previous errors.", "EXEC")
	var got []string
	for _, e := range c.call("ACL", "LOG").Elems {
		fields := map[string]string{}
		for i := 0; i+1 < len(e.Elems); i += 2 {
			fields[e.Elems[i].Text] = e.Elems[i+1].Text
		}
		got = append(got, strings.Join([]string{fields["count"], fields["reason"], fields["context"], fields["object"], fields["username"]}, " "))
		require.Contains(t, fields["client-info"], "id=")
	}
	require.Equal(t, []string{"1 key multi c u", "1 channel toplevel b u", "2 key toplevel b u", "1 command toplevel flushall u", "1 auth toplevel AUTH nobody"}, got)
	info := c.call("INFO", "stats").Text
	for _, field := range []string{"acl_access_denied_auth:1", "acl_access_denied_cmd:1", "acl_access_denied_key:3", "acl_access_denied_channel:1"} {
		require.Contains(t, info, field+"\r\n")
	}
	u.says("*[]", "SORT", "a", "BY", "nosort")
	u.says("-ERR BY option of SORT denied due to insufficient ACL permissions.", "SORT", "a", "BY", "b*")
	u.says("-ERR GET option of SORT denied due to insufficient ACL permissions.", "SORT_RO", "a", "GET", "#")
	c.says("+OK", "CONFIG", "SET", "acllog-max-len", "2")
	u.says("-NOPERM No permissions to access a key", "GET", "zother")
	require.Len(t, c.call("ACL", "LOG", "100").Elems, 2)
	c.says("+OK", "ACL", "LOG", "RESET")
	c.says("*[]", "ACL", "LOG")
}

// A client that waits for a key may not have it once its user has lost the right to it.
func TestWaitersLoseTheirRights(t *testing.T) {
	srv := servertest.Start(t, nil)
	c, u := newCaller(t, srv), newCaller(t, srv)
	c.says("+OK", "ACL", "SETUSER", "u", "on", "nopass", "~*", "+@all")
	u.says("+OK", "AUTH", "u", "x")
	_, err := u.conn.Write([]byte("BLPOP l 0\r\n"))
	require.NoError(t, err)
	servertest.WaitBlocked(t, srv, 1)
	c.says("+OK", "ACL", "SETUSER", "u", "resetkeys")
	c.says(":1", "RPUSH", "l", "x")
	v, err := u.replies.Decode()
	require.NoError(t, err)
	require.Equal(t, "-NOPERM No permissions to access a key", v.String())
	c.says(":1", "LLEN", "l")
}

// Users in a file of their own, and in the configuration, are those that a real server
// makes of them, and what we write it reads.
func TestUsersInFiles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "users.acl")
	lines := "user default on nopass ~* &* +@all\nuser bob on >secret ~b* %R~\"q* resetchannels &x -@all +@read +config|get (+set ~\\n*)\n\nuser off\n"
	require.NoError(t, os.WriteFile(file, []byte(lines), 0o600))
	start := func() *caller {
		cfg, err := config.Load(config.Sources{Args: []string{"--port", "0", "--aclfile", file}})
		require.NoError(t, err)
		return newCaller(t, servertest.Start(t, func(o *server.Options) { o.Addr, o.Config = "", cfg }))
	}
	c := start()
	real := realredis.Start(t, "--aclfile", file)
	sameUser(t, c, real, "bob")
	sameUser(t, c, real, "off")
	c.says("+OK", "ACL", "SETUSER", "carl", "on", "nopass", "~c*", "(+@all ~d*)")
	c.says("+OK", "ACL", "SAVE")
	require.Equal(t, "+OK\r\n", real.Do(t, "ACL", "LOAD"))
	for _, name := range []string{"bob", "off", "carl", "default"} {
		sameUser(t, c, real, name)
		sameUser(t, start(), real, name)
	}
	require.NoError(t, os.WriteFile(file, []byte("user bob foo\nnonsense\nuser a\nuser a\n"), 0o600))
	require.Equal(t, real.Do(t, "ACL", "LOAD"), wire(c.call("ACL", "LOAD")))
	c.says(`*[$"bob" $"carl" $"default" $"off"]`, "ACL", "USERS")
	require.NoError(t, os.Remove(file))
	require.Equal(t, real.Do(t, "ACL", "LOAD"), wire(c.call("ACL", "LOAD")))
	c.says("+OK", "ACL", "SAVE")
	c.says("+OK", "ACL", "LOAD")
}

// Patterns that take long to match do not hold the server up.
func TestPatternBombsInRules(t *testing.T) {
	srv := servertest.Start(t, nil)
	c, u := newCaller(t, srv), newCaller(t, srv)
	c.says("+OK", "ACL", "SETUSER", "u", "on", "nopass", "~"+strings.Repeat("a*", 500)+"b", "+@all")
	u.says("+OK", "AUTH", "u", "x")
	u.says("-NOPERM No permissions to access a key", "GET", strings.Repeat("a", 100_000))
	c.says("+PONG", "PING")
}
