package clienttest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// go-redis reads the same from our server as from redis-server, with every command it
// has for data, in both protocols.
func TestGoRedisTypes(t *testing.T) {
	t.Parallel()
	ours, peer := startServer(t), startPeer(t)
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("resp%d", protocol), func(t *testing.T) {
			requireSame(t, goRedisTypes(t, peer, protocol), goRedisTypes(t, ours, protocol))
			if !target.isRedis {
				goRedisNewer(t, ours, protocol)
			}
		})
	}
}

// The same for the Node clients and redis-py.
func TestNodeTypes(t *testing.T) {
	t.Parallel()
	npmInstall(t, "node")
	ours, peer := startServer(t), startPeer(t)
	for _, client := range []string{"ioredis6", "ioredis6-resp2", "ioredis5", "node-redis6", "node-redis6-resp2", "node-redis5"} {
		t.Run(client, func(t *testing.T) {
			requireSame(t, scriptOf(t, peer, "node", tool(t, "node"), "types.mjs", client), scriptOf(t, ours, "node", tool(t, "node"), "types.mjs", client))
		})
	}
}

func TestPythonTypes(t *testing.T) {
	t.Parallel()
	script := func(s *server) []string { return scriptOf(t, s, "python", python, "datatypes.py") }
	requireSame(t, script(startPeer(t)), script(startServer(t)))
}

// scriptOf runs a script in dir to its end and returns the lines that it wrote.
func scriptOf(t *testing.T, s *server, dir, program string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	ownGroup(cmd)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=ignore",
		"TARGET_HOST="+s.Host, "TARGET_PORT="+strconv.Itoa(s.Port), "TARGET_PASSWORD="+password)
	if s.bin == target.bin && !target.isRedis {
		cmd.Env = append(cmd.Env, "TARGET_NEWER=yes") // than redis-server 7.0
	}
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(t, err, "%s %q\n%s\n%s", program, args, tail(string(out), 2000), tail(said.String(), 4000))
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// requireSame compares what a script has written line by line, and that it came to
// its end.
func requireSame(t *testing.T, want, got []string) {
	t.Helper()
	require.Greater(t, len(want), 100)
	require.Equal(t, "done", want[len(want)-1])
	var wantOther, gotOther []string
	for i := range min(len(want), len(got)) {
		if line := as72(want[i]); line != got[i] {
			wantOther, gotOther = append(wantOther, line), append(gotOther, got[i])
		}
	}
	require.Equal(t, strings.Join(wantOther, "\n"), strings.Join(gotOther, "\n"))
	require.Len(t, got, len(want))
}

// as72 is a line of redis-server 7.0 as 7.2 has it: small lists are a single listpack,
// and a waiting XREADGROUP runs again when its group is gone.
func as72(line string) string {
	if target.isRedis {
		return line
	}
	if strings.HasPrefix(strings.ToLower(line), "object encoding ") {
		return strings.Replace(line, "quicklist", "listpack", 1)
	}
	return strings.Replace(line, "the consumer group this client was blocked on no longer exists", "No such key 'x' or consumer group 'g' in XREADGROUP with GROUP option", 1)
}

// script notes what a client's commands were answered.
type script struct {
	*redis.Client
	t     *testing.T
	admin *redis.Client
	lines []string
}

// say notes commands with what they were answered.
func (s *script) say(cmds ...redis.Cmder) {
	for _, c := range cmds {
		s.lines = append(s.lines, c.String())
	}
}

// sorted notes lists whose order is the server's own affair.
func (s *script) sorted(cmds ...*redis.StringSliceCmd) {
	for _, c := range cmds {
		got, err := c.Result()
		s.lines = append(s.lines, fmt.Sprint(c.Args(), slices.Sorted(slices.Values(got)), err))
	}
}

// scanned notes a scan to its end.
func (s *script) scanned(name string, c *redis.ScanCmd) {
	var got []string
	it := c.Iterator()
	for it.Next(s.t.Context()) {
		got = append(got, it.Val())
	}
	slices.Sort(got)
	s.lines = append(s.lines, fmt.Sprint(name, got, it.Err()))
}

// blocked notes a command that waits, and then those that end its waiting.
func (s *script) blocked(wait func() redis.Cmder, then func()) {
	done := make(chan redis.Cmder, 1)
	go func() { done <- wait() }()
	eventually(s.t, func() bool {
		return strings.Contains(s.admin.Info(s.t.Context(), "clients").Val(), "\nblocked_clients:1\r")
	}, "nobody waits")
	then()
	select {
	case c := <-done:
		s.say(c)
	case <-time.After(patience):
		s.t.Fatal("still blocked")
	}
}

// goRedisTypes runs every part on an empty server.
func goRedisTypes(t *testing.T, srv *server, protocol int) []string {
	s := &script{t: t, admin: srv.Admin(t)}
	s.Client = redis.NewClient(&redis.Options{Addr: srv.Addr(), Password: password, Protocol: protocol, DisableIdentity: true})
	defer s.Close()
	for _, part := range []func(context.Context, *script){
		goRedisStrings, goRedisHashes, goRedisLists, goRedisBlocking, goRedisSets, goRedisZSets, goRedisZSetStores, goRedisStreams, goRedisGroups,
		goRedisBits, goRedisGeo, goRedisKeys, goRedisMulti,
	} {
		require.NoError(t, s.FlushAll(t.Context()).Err())
		part(t.Context(), s)
	}
	return append(s.lines, "done")
}
