package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

// impatient is a server that calls a script slow after some milliseconds, on a transport.
func impatient(t *testing.T, change func(o *server.Options)) *server.Server {
	return servertest.Start(t, func(o *server.Options) {
		o.Config.BusyReplyThreshold = 5
		if change != nil {
			change(o)
		}
	})
}

const busy = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"

// A script that takes too long has others told so, and can be killed; not when it has
// written, but then it ends with the server.
func TestSlowScripts(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			srv := impatient(t, tr.change)
			a, b := newPeer(t, tr.dial(t, srv)), newPeer(t, tr.dial(t, srv))
			for _, loop := range []string{
				"while true do end", "local function f() return f() end return f()",
				"return coroutine.wrap(function() while true do end end)()",
				"while true do pcall(error) end", "while true do pcall(function() while true do end end) end",
				"return string.find(string.rep('a', 1e6), string.rep('.-', 30)..'b')",
				"for i = 1, 1e9 do redis.call('GET', 'k') end",
				"while true do redis.pcall('NOSUCH') end",
			} {
				send(a, "EVAL", loop, "0")
				t.Log(loop)
				eventually(t, func() bool { b.send("GET k\r\n"); return b.line() == busy })
				late := newPeer(t, tr.dial(t, srv)) // who comes now is served, too
				late.send("PING\r\n")
				late.expect(busy)
				late.Close()
				b.send("PING\r\nSET k v\r\nMULTI\r\nGET k\r\nDISCARD\r\nSHUTDOWN\r\nSCRIPT KILL\r\n")
				b.expect(busy + busy + "+OK\r\n" + busy + "+OK\r\n" + busy + "+OK\r\n")
				require.Regexp(t, `^-ERR Script killed by user with SCRIPT KILL\. script: [0-9a-f]{40}, on @user_script:1\.\r\n$`, a.line(), loop)
				b.send("SCRIPT KILL\r\nGET k\r\n")
				b.expect("-NOTBUSY No scripts in execution right now.\r\n$-1\r\n")
			}
			send(a, "EVAL", "redis.call('SET', 'w', 1) while redis.call('GET', 'w') do end", "0")
			eventually(t, func() bool { b.send("GET k\r\n"); return b.line() == busy })
			b.send("SCRIPT KILL\r\n")
			require.True(t, strings.HasPrefix(b.line(), "-UNKILLABLE "))
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				end(t, srv)
			}()
			select {
			case <-ended:
			case <-time.After(10 * time.Second):
				t.Error("the server does not end")
			}
		})
	}
}

// A slow script ends by itself, its writes are one unit, and what has waited goes on.
func TestSlowScriptEnds(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			srv := impatient(t, tr.change)
			a, b, popper := newPeer(t, tr.dial(t, srv)), newPeer(t, tr.dial(t, srv)), newPeer(t, tr.dial(t, srv))
			popper.send("BLPOP l 0\r\n")
			servertest.WaitBlocked(t, srv, 1)
			send(a, "EVAL", "redis.call('RPUSH', 'l', 'x') redis.call('SET', 'e', '1', 'PX', 1) local t = redis.call('TIME')[1] + 1 "+
				"local n = 0 for i = 1, 3e6 do n = n + 1 end redis.call('SET', 'n', n) return {redis.call('LLEN', 'l'), redis.call('EXISTS', 'e')}", "0")
			a.expect("*2\r\n:1\r\n:1\r\n")
			popper.expect("*2\r\n$1\r\nl\r\n$1\r\nx\r\n")
			b.send("GET n\r\nEXISTS e\r\n")
			b.expect("$7\r\n3000000\r\n:0\r\n")
			a.send("PING\r\nMULTI\r\nINCR i\r\nEVAL 'for i = 1, 3e6 do end return 1' 0\r\nINCR i\r\nEVAL 'for i = 1, 3e6 do end return 2' 0\r\nEXEC\r\nPING\r\n")
			a.expect("+PONG\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n:1\r\n:1\r\n:2\r\n:2\r\n+PONG\r\n")
		})
	}
}

// A client that goes away leaves its slow script behind, which ends all the same.
func TestSlowScriptWithoutClient(t *testing.T) {
	srv := impatient(t, nil)
	a, b := newPeer(t, servertest.Dial(t, srv)), newPeer(t, servertest.Dial(t, srv))
	a.send("MULTI\r\nSET k 1\r\nEVAL 'while true do end' 0\r\nEXEC\r\n")
	eventually(t, func() bool { b.send("GET k\r\n"); return b.line() == busy })
	a.Close()
	for range 100 { // transactions are not mixed up with the one that runs
		b.send("MULTI\r\nDISCARD\r\n")
		b.expect("+OK\r\n+OK\r\n")
	}
	b.send("SCRIPT KILL\r\n")
	b.expect("+OK\r\n")
	eventually(t, func() bool { b.send("EXISTS k\r\n"); return b.line() == ":1\r\n" })
}

// Scripts that only EVAL brought are not kept without bound.
func TestScriptsAreBounded(t *testing.T) {
	srv := servertest.Start(t, nil)
	p := newPeer(t, servertest.Dial(t, srv))
	p.send("SCRIPT LOAD 'return 0'\r\n")
	loaded := strings.TrimSpace(strings.TrimPrefix(p.line()+p.line(), "$40\r\n"))
	for range 2000 {
		p.send("EVAL 'return 1 -- " + strings.Repeat("x", 3) + time.Now().String() + "' 0\r\n")
		p.expect(":1\r\n")
	}
	p.send("SCRIPT EXISTS " + loaded + "\r\n")
	p.expect("*1\r\n:1\r\n")
}

// Scripts that would take all memory or stack end with an error, and nothing else does.
func TestGreedyScripts(t *testing.T) {
	srv := servertest.Start(t, nil)
	c := newCaller(t, srv)
	for script, want := range map[string]string{
		"local function f() return 1 + f() end return f()": "stack overflow",
		"return string.rep('x', 1e10)":                     "too large",
		"local t = {} while true do t[#t+1] = {1,2,3} end": "script uses too much memory",
		"error({})":              "unknown error",
		"return {map={[{}]={}}}": "*[*[] *[]]",
		"return tostring(setmetatable({}, {__tostring=1}))": "attempt to call",
	} {
		require.Contains(t, c.call("EVAL", script, "0").String(), want, script)
	}
	p := newPeer(t, servertest.Dial(t, srv))
	send(p, "EVAL", "local t = {} t[1] = t return t", "0")
	depth := 0
	for line := p.line(); line != "-ERR reached lua stack limit\r\n"; line = p.line() {
		require.Equal(t, "*1\r\n", line)
		depth++
	}
	require.Greater(t, depth, 100)
	p.send("PING\r\n")
	p.expect("+PONG\r\n")
}

func send(p *peer, words ...string) { p.send(string(resp.AppendCommand(nil, words...))) }
