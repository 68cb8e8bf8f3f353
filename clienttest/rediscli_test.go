package clienttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// cli is the start of a redis-cli command line for s.
func (s *server) cli(args ...string) []string {
	return append([]string{"-h", s.Host, "-p", strconv.Itoa(s.Port), "-a", password, "--no-auth-warning"}, args...)
}

// redisCLI runs redis-cli to its end and returns what it printed.
func redisCLI(t *testing.T, s *server, args ...string) string {
	t.Helper()
	return command(t, nil, "redis-cli", s.cli(args...)...)
}

// seed writes n sessions, myapp:0 and on, and one large value.
func seed(t *testing.T, s *server, n int) {
	t.Helper()
	_, err := s.Admin(t).Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for i := range n {
			p.Set(t.Context(), fmt.Sprintf("myapp:%d", i), sessionJSON, 15*time.Minute)
		}
		p.Set(t.Context(), "big", strings.Repeat("x", 100_000), 0)
		return nil
	})
	require.NoError(t, err)
}

// The session guide's commands, as they stand there.
func TestSessionGuide(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	admin := s.Admin(t)
	require.NoError(t, admin.Set(t.Context(), "myapp:session_id", sessionJSON, 900*time.Second).Err())
	require.NoError(t, admin.Set(t.Context(), "other:1", "x", 0).Err())
	port := strconv.Itoa(s.Port)

	// nc -vz redis_server 6379
	_, said, err := tryCommand(t, nil, "nc", "-vz", s.Host, port)
	require.NoError(t, err, said)
	require.Contains(t, said, "succeeded!")

	// redis-cli -h redis_server -a changeit, and the three commands within.
	in := strings.NewReader("KEYS myapp:*\nGET myapp:session_id\nTTL myapp:session_id\n")
	out := command(t, in, "redis-cli", "-h", s.Host, "-p", port, "-a", password)
	got := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, got, 3, out)
	require.Equal(t, "myapp:session_id", got[0])
	require.Equal(t, sessionJSON, got[1])
	ttl, err := strconv.Atoi(got[2])
	require.NoError(t, err)
	require.InDelta(t, 900, ttl, patience.Seconds())

	monitor := lines(t, "redis-cli", "-h", s.Host, "-p", port, "-a", password, "MONITOR")
	nextLine(t, monitor, func(l string) bool { return l == "OK" })
	require.NoError(t, admin.Set(t.Context(), "myapp:x", "a\"b\r\n\x00", time.Minute).Err())
	line := nextLine(t, monitor, func(l string) bool { return strings.Contains(l, "myapp:x") })
	require.Regexp(t, `^\d{10}\.\d{6} \[0 127\.0\.0\.1:\d+\] "set" "myapp:x" "a\\"b\\r\\n\\x00" "ex" "60"$`, line)
}

// MONITOR tells other databases and unix sockets apart and hides passwords.
func TestRedisCLIMonitor(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	monitor := lines(t, "redis-cli", s.cli("MONITOR")...)
	nextLine(t, monitor, func(l string) bool { return l == "OK" })
	redisCLI(t, s, "-n", "7", "SET", "db", "7")
	command(t, nil, "redis-cli", "-s", s.Socket, "-a", password, "--no-auth-warning", "SET", "unix", "1")
	redisCLI(t, s, "DBSIZE")
	var seen []string
	nextLine(t, monitor, func(l string) bool {
		require.NotContains(t, l, password)
		_, rest, _ := strings.Cut(l, " ")
		seen = append(seen, rest)
		return strings.HasSuffix(l, `"DBSIZE"`)
	})
	all := strings.Join(seen, "\n")
	require.Regexp(t, `(?m)^\[7 127\.0\.0\.1:\d+\] "SET" "db" "7"$`, all)
	require.Contains(t, all, fmt.Sprintf(`[0 unix:%s] "SET" "unix" "1"`, s.Socket))
	require.Regexp(t, `(?m)^\[0 127\.0\.0\.1:\d+\] "AUTH" "\(redacted\)"$`, all)
}

func TestRedisCLICommands(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	seed(t, s, 5)
	port := strconv.Itoa(s.Port)
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"status", s.cli("SET", "k", "v", "EX", "100"), "OK\n"},
		{"bulk", s.cli("GET", "k"), "v\n"},
		{"null", s.cli("--no-raw", "GET", "none"), "(nil)\n"},
		{"integer", s.cli("--no-raw", "STRLEN", "big"), "(integer) 100000\n"},
		{"array", s.cli("--no-raw", "MGET", "k", "none"), "1) \"v\"\n2) (nil)\n"},
		{"csv", s.cli("--csv", "MGET", "k", "none"), "\"v\",NULL\n"},
		{"resp3", s.cli("-3", "--no-raw", "CONFIG", "GET", "maxmemory"), "1# \"maxmemory\" => \"0\"\n"},
		{"resp3 null", s.cli("-3", "--no-raw", "GET", "none"), "(nil)\n"},
		{"json", s.cli("--json", "CONFIG", "GET", "maxmemory"), "{\"maxmemory\":\"0\"}\n"},
		{"json array", s.cli("--json", "MGET", "k", "none"), "[\"v\",null]\n"},
		{"json resp2", s.cli("-2", "--json", "CONFIG", "GET", "maxmemory"), "[\"maxmemory\",\"0\"]\n"},
		{"repeat", s.cli("-r", "3", "INCR", "n"), "1\n2\n3\n"},
		{"database", s.cli("-n", "9", "DBSIZE"), "0\n"},
		{"user", []string{"-p", port, "--user", "default", "--pass", password, "--no-auth-warning", "PING"}, "PONG\n"},
		{"url", []string{"-u", "redis://default:" + password + "@" + s.Addr() + "/4", "--no-auth-warning", "CLIENT", "GETNAME"}, "\n"},
		{"unix", []string{"-s", s.Socket, "-a", password, "--no-auth-warning", "GET", "k"}, "v\n"},
		{"tls", []string{"--tls", "--cacert", s.Certs.CA, "--sni", "localhost", "-h", "127.0.0.1", "-p", strconv.Itoa(s.TLSPort),
			"--cert", s.Certs.ClientCert, "--key", s.Certs.ClientKey, "-a", password, "--no-auth-warning", "GET", "k"}, "v\n"},
		{"no password", []string{"-p", port, "GET", "k"}, "NOAUTH Authentication required.\n\n"},
		{"error", s.cli("SET", "k"), "ERR wrong number of arguments for 'set' command\n\n"},
		{"unknown", s.cli("NOSUCH", "a b", "c"), "ERR unknown command 'NOSUCH', with args beginning with: 'a b' 'c' \n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, command(t, nil, "redis-cli", c.args...))
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		_, said, _ := tryCommand(t, nil, "redis-cli", "-p", port, "-a", "wrong", "--no-auth-warning", "PING")
		require.Equal(t, "AUTH failed: WRONGPASS invalid username-password pair or user is disabled.\n", said)
	})
	t.Run("last argument from stdin", func(t *testing.T) {
		command(t, strings.NewReader("from\nstdin"), "redis-cli", s.cli("-x", "SET", "x")...)
		require.Equal(t, "from\nstdin", s.Admin(t).Get(t.Context(), "x").Val())
	})
	t.Run("hello", func(t *testing.T) {
		var hello map[string]any
		out := redisCLI(t, s, "--json", "HELLO", "3")
		require.NoError(t, json.Unmarshal([]byte(out), &hello), out)
		require.Equal(t, "redis", hello["server"])
		require.EqualValues(t, 3, hello["proto"])
		require.Equal(t, "standalone", hello["mode"])
		require.Equal(t, "master", hello["role"])
	})
}

func TestRedisCLIScan(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	seed(t, s, 2500)
	got := strings.Fields(redisCLI(t, s, "--scan", "--pattern", "myapp:*"))
	var want []string
	for i := range 2500 {
		want = append(want, fmt.Sprintf("myapp:%d", i))
	}
	require.ElementsMatch(t, want, got)
	require.Len(t, strings.Fields(redisCLI(t, s, "--scan")), 2501)
	require.ElementsMatch(t, want, strings.Fields(redisCLI(t, s, "KEYS", "myapp:*")))
}

func TestRedisCLIBigKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	seed(t, s, 300)
	out := redisCLI(t, s, "--bigkeys", "-i", "0")
	require.Contains(t, out, "Sampled 301 keys in the keyspace!")
	require.Contains(t, out, `Biggest string found '"big"' has 100000 bytes`)
	require.Regexp(t, `301 strings with \d+ bytes \(100\.00% of keys, avg size [\d.]+\)`, out)
}

func TestRedisCLIMemKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	seed(t, s, 300)
	out := redisCLI(t, s, "--memkeys")
	require.Contains(t, out, "Sampled 301 keys in the keyspace!")
	m := regexp.MustCompile(`Biggest string found '"big"' has (\d+) bytes`).FindStringSubmatch(out)
	require.NotNil(t, m, out)
	size, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	require.Greater(t, size, 100_000)
	require.Less(t, size, 150_000)
}

// With a counter that rises at every access, the number is exact.
func TestRedisCLIHotKeys(t *testing.T) {
	t.Parallel()
	s := startServer(t, "maxmemory-policy allkeys-lfu", "lfu-log-factor 0", "lfu-decay-time 0")
	seed(t, s, 50)
	_, err := s.Admin(t).Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for range 100 {
			p.Get(t.Context(), "myapp:7")
		}
		return nil
	})
	require.NoError(t, err)
	out := redisCLI(t, s, "--hotkeys")
	require.Contains(t, out, "Sampled 51 keys in the keyspace!")
	require.Contains(t, out, "hot key found with counter: 105\tkeyname: \"myapp:7\"")
}

func TestRedisCLIHotKeysWithoutLFU(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	seed(t, s, 1)
	out, said, err := tryCommand(t, nil, "redis-cli", s.cli("--hotkeys")...)
	require.Error(t, err)
	require.Contains(t, out+said, "ERR An LFU maxmemory policy is not selected, access frequency not tracked.")
}

func TestRedisCLILatency(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	// Without a terminal: min, max, avg and count of one interval.
	require.Regexp(t, `^\d+ \d+ \d+\.\d+ [1-9]\d*\n$`, redisCLI(t, s, "--latency", "-i", "0.3", "--raw"))
	require.Contains(t, redisCLI(t, s, "LATENCY", "DOCTOR"), "latency")
}

func TestRedisCLIStat(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	seed(t, s, 20)
	stat := lines(t, "redis-cli", s.cli("--stat", "-i", "0.05")...)
	nextLine(t, stat, func(l string) bool { return strings.Contains(l, "------- data ------") })
	nextLine(t, stat, func(l string) bool { return strings.HasPrefix(l, "keys") })
	// keys, memory, clients, blocked, requests (+ since the last), connections
	row := regexp.MustCompile(`^21 +[\d.]+[KMG] +\d+ +0 +\d+ \(\+\d+\) +\d+ *$`)
	for range 3 {
		nextLine(t, stat, row.MatchString)
	}
}

// --pipe sends a file of commands and ends with an ECHO that it waits for.
func TestRedisCLIPipe(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	const n = 30_000
	var in bytes.Buffer
	for i := range n {
		key, val := fmt.Sprintf("myapp:%d", i), fmt.Sprintf("v%d", i)
		fmt.Fprintf(&in, "*5\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$2\r\nEX\r\n$3\r\n900\r\n", len(key), key, len(val), val)
	}
	out := command(t, &in, "redis-cli", s.cli("--pipe")...)
	require.Contains(t, out, "errors: 0, replies: 30000")
	require.EqualValues(t, n, s.Admin(t).DBSize(t.Context()).Val())

	in.WriteString("SET inline 1\r\nINCR inline\r\nNOSUCH\r\n")
	out, said, err := tryCommand(t, &in, "redis-cli", s.cli("--pipe")...)
	require.Error(t, err)
	require.Contains(t, out+said, "ERR unknown command 'NOSUCH', with args beginning with: ")
	require.Contains(t, out, "errors: 1, replies: 3")
	require.Equal(t, "2", s.Admin(t).Get(t.Context(), "inline").Val())
}

// With a terminal, redis-cli asks for COMMAND DOCS first: hints, completion and
// help come from the answer.
func TestRedisCLIInteractive(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	seed(t, s, 1)
	monitor := lines(t, "redis-cli", s.cli("MONITOR")...)
	nextLine(t, monitor, func(l string) bool { return l == "OK" })

	tty := newTerminal(t, append([]string{"redis-cli"}, s.cli()...)...)
	prompt := s.Addr() + "> "
	tty.expect(prompt)
	nextLine(t, monitor, func(l string) bool { return strings.HasSuffix(l, `"COMMAND" "DOCS"`) })
	tty.say("GET myapp:0", strconv.Quote(sessionJSON)[:40])
	tty.expect(prompt)
	tty.say("help getex", "summary: ")
	tty.expect("since: 6.2.0")
	tty.expect(prompt)
	tty.keys("expire ") // the hint beside the cursor
	tty.expect("seconds")
	tty.say("k 1", "(integer) 0")
	tty.expect(prompt)
	tty.keys("expireti\t") // completion
	tty.expect("EXPIRETIME")
	tty.say(" k", "(integer) -2")
	tty.expect(prompt)
	tty.say("HELLO 3", `"proto" => (integer) 3`)
	tty.expect(prompt)
	tty.say("CONFIG GET maxmemory", `1# "maxmemory" => "0"`)
	tty.expect(prompt)
	tty.say("SELECT 2", "OK")
	tty.expect(s.Addr() + "[2]> ")
	tty.say("CLIENT INFO", " db=2 ")
	tty.say("exit", "")
	tty.ended()
}

// A process in another shell sees what the first one wrote, and its end.
func TestRedisCLIShutdown(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	p := s.proc
	out, err := exec.Command(tool(t, "redis-cli"), s.cli("SHUTDOWN", "NOSAVE")...).CombinedOutput()
	require.NoError(t, err, string(out))
	eventually(t, func() bool {
		select {
		case <-p.done:
			return true
		default:
			return false
		}
	}, "the server is still there after SHUTDOWN")
	require.NoError(t, p.err)
}
