package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// write puts a file into a test's directory.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func value(t *testing.T, c *Config, name string) string {
	t.Helper()
	v, ok := c.Value(name)
	require.True(t, ok, name)
	return v
}

func TestLoadPrecedence(t *testing.T) {
	f := write(t, t.TempDir(), "a.conf", "port 1\nmaxclients 11\ntimeout 21\nrequirepass file\n")
	c, err := Load(Sources{
		Args:    []string{f, "--port", "4", "--requirepass=--flag--"},
		Environ: []string{"REDIS_PORT=2", "COATCHECK_PORT=3", "REDIS_HOST=127.0.0.1", "COATCHECK_MAXCLIENTS=13", "COATCHECK_MIN_SLAVES_MAX_LAG=7"},
	})
	require.NoError(t, err)
	require.Equal(t, 4, c.Port)
	require.Equal(t, "--flag--", c.RequirePass)
	require.Equal(t, 13, c.MaxClients)
	require.Equal(t, 21, c.Timeout)
	require.Equal(t, []string{"127.0.0.1"}, c.Bind)
	require.Equal(t, "7", value(t, c, "min-replicas-max-lag"))
	require.Equal(t, f, c.File)
}

func TestLoadServiceVariablesAreNotPorts(t *testing.T) {
	c, err := Load(Sources{Environ: []string{"REDIS_PORT=tcp://10.0.0.1:6379"}})
	require.NoError(t, err)
	require.Equal(t, 6379, c.Port)
	require.Len(t, c.Warnings, 1)
}

func TestLoadWarnsOfUnknownVariables(t *testing.T) {
	c, err := Load(Sources{Environ: []string{"COATCHECK_REQUIREPAS=secret", "COATCHECK_SERVICE_HOST=10.0.0.1",
		"COATCHECK_PORT_6379_TCP_ADDR=10.0.0.1", "COATCHECK_METRICS_PORT=tcp://10.0.0.1:9121", "COATCHECK_TIMEOUT=3"}})
	require.NoError(t, err)
	require.Equal(t, []string{"COATCHECK_REQUIREPAS in the environment is no parameter's name and ignored"}, c.Warnings)
}

func TestLoadFlagsAsRedisServer(t *testing.T) {
	c, err := Load(Sources{Args: []string{"--save", "--bind", "127.0.0.1", "-::1", "--maxmemory", "1gb",
		"--slowlog-log-slower-than", "-1", "--client-output-buffer-limit", "replica", "1mb", "1mb", "5", "--LOGLEVEL", "Warning"}})
	require.NoError(t, err)
	require.Equal(t, []string{"127.0.0.1", "-::1"}, c.Bind)
	require.EqualValues(t, 1<<30, c.MaxMemory)
	require.EqualValues(t, -1, c.SlowlogSlowerThan)
	require.Equal(t, OutputLimit{1 << 20, 1 << 20, 5}, c.OutputLimits[ClassReplica])
	require.Equal(t, "warning", c.LogLevel)
	require.Empty(t, value(t, c, "save"))
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "b1.conf", "hz 20\n")
	write(t, dir, "b2.conf", "save 60 5\n")
	f := write(t, dir, "a.conf", strings.Join([]string{
		"# a comment", "", "  port 0  ", "include " + dir + "/b*.conf", "include " + dir + "/none*.conf",
		`requirepass "a b\x41\n'\""`, "save 900 1", "SAVE 300 10", "rename-command FLUSHALL \"\"", "rename-command KEYS secret-keys",
		"user default on nopass sanitize-payload ~* &* +@all", "really-use-vm yes", "appendonly no", "tcp-keepalive 60",
		"client-output-buffer-limit pubsub 1 2 3", "client-output-buffer-limit normal 4 5 6",
	}, "\n"))
	c, err := Load(Sources{Args: []string{f}})
	require.NoError(t, err)
	require.Equal(t, 0, c.Port)
	require.Equal(t, 20, c.Hz)
	require.Equal(t, "a bA\n'\"", c.RequirePass)
	require.Equal(t, "60 5 900 1 300 10", value(t, c, "save"))
	require.Equal(t, []Rename{{"flushall", ""}, {"keys", "secret-keys"}}, c.Renames)
	require.Equal(t, []UserLine{{strings.Fields("default on nopass sanitize-payload ~* &* +@all"), f, 11}}, c.Users)
	require.Equal(t, [3]OutputLimit{{4, 5, 6}, {256 << 20, 64 << 20, 60}, {1, 2, 3}}, c.OutputLimits)
	require.Equal(t, 60, c.TCPKeepalive)
	warned := strings.Join(c.Warnings, "\n")
	require.Contains(t, warned, "really-use-vm has no effect")
	require.NotContains(t, warned, "appendonly")
}

func TestLoadFromStandardInput(t *testing.T) {
	for _, args := range [][]string{{"-"}, {"-", "--hz", "30"}, {"--hz", "30", "-"}} {
		c, err := Load(Sources{Args: args, Stdin: strings.NewReader("port 7\n")})
		require.NoError(t, err)
		require.Equal(t, 7, c.Port)
		require.Empty(t, c.File)
		require.Equal(t, len(args) > 1, c.Hz == 30)
	}
}

func TestLoadErrorsSayWhere(t *testing.T) {
	for _, tc := range []struct{ line, why string }{
		{"foo bar", "Bad directive or wrong number of arguments"},
		{"requirepas x", `did you mean "requirepass"?`},
		{`requirepass "abc`, "Unbalanced quotes in configuration line"},
		{`requirepass "abc"d`, "Unbalanced quotes in configuration line"},
		{"port a", "argument couldn't be parsed into an integer"},
		{"port 1 2", "wrong number of arguments"},
		{"port", "wrong number of arguments"},
		{"databases 0", "argument must be between 1 and 2147483647 inclusive"},
		{"unixsocketperm 999", "argument couldn't be parsed as an octal number"},
		{"maxmemory 1zb", "argument must be a memory value"},
		{"client-output-buffer-limit normal 1", "Wrong number of arguments in buffer limit configuration."},
		{"save 1", "Invalid save parameters"},
		{"dir /no/such/place", "No such file or directory"},
		{"dir /etc/passwd", "Not a directory"},
		{"rename-command get", "Bad directive or wrong number of arguments"},
		{"replicaof 127.0.0.1 6379", "there is no replication yet"},
		{"cluster-enabled yes", "a server is never part of a cluster"},
		{"loadmodule /x.so", "modules cannot be loaded"},
		{"include /no/such.conf", "no such file or directory"},
	} {
		f := write(t, t.TempDir(), "a.conf", "port 0\n\n"+tc.line+"\n")
		_, err := Load(Sources{Args: []string{f}})
		var where *Error
		require.ErrorAs(t, err, &where, tc.line)
		require.Equal(t, f, where.Source)
		require.Equal(t, 3, where.Line)
		require.Contains(t, err.Error(), tc.why)
		if strings.HasPrefix(tc.line, "requirepass ") {
			require.NotContains(t, err.Error(), "abc")
		}
	}
	_, err := Load(Sources{Args: []string{"--maxmemory", "lots"}})
	require.ErrorContains(t, err, "the command line")
	require.ErrorContains(t, err, ">>> '--maxmemory lots'")
	_, err = Load(Sources{Environ: []string{"COATCHECK_HZ=fast"}})
	require.ErrorContains(t, err, "the environment")
}

func TestIncludeOfItself(t *testing.T) {
	dir := t.TempDir()
	f := write(t, dir, "a.conf", "include "+dir+"/a.conf\n")
	_, err := Load(Sources{Args: []string{f}})
	require.ErrorContains(t, err, "does a file include itself?")
}

func TestSetIsAllOrNothing(t *testing.T) {
	c := New()
	var seen []int64
	c.OnSet(func() error { seen = append(seen, c.MaxMemory); return nil }, "maxmemory", "maxmemory-policy")
	c.OnSet(func() error {
		if c.Port == 1 {
			return errors.New("Unable to listen on this port. Check server logs.")
		}
		return nil
	}, "port")

	require.NoError(t, c.Set([]string{"maxmemory", "1mb", "maxmemory-policy", "allkeys-lru"}, false))
	require.Equal(t, []int64{1 << 20}, seen, "one call for both")

	require.NoError(t, c.Set([]string{"maxmemory", "1mb"}, false))
	require.Len(t, seen, 1, "no call where nothing changed")

	err := c.Set([]string{"maxmemory", "2mb", "port", "1"}, false)
	require.EqualError(t, err, "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.")
	require.EqualValues(t, 1<<20, c.MaxMemory)
	require.Equal(t, 6379, c.Port)
	require.Equal(t, []int64{1 << 20, 2 << 20, 1 << 20}, seen, "told of the new value and of the old again")

	err = c.Set([]string{"maxmemory", "2mb", "hz", "x"}, false)
	require.EqualError(t, err, "ERR CONFIG SET failed (possibly related to argument 'hz') - argument couldn't be parsed into an integer")
	require.EqualValues(t, 1<<20, c.MaxMemory)
	require.Len(t, seen, 3)
}

func TestSetRefusals(t *testing.T) {
	c := New()
	for _, tc := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"nope", "1"}, "ERR Unknown option or number of arguments for CONFIG SET - 'nope'"},
		{[]string{"port", "1", "x"}, "ERR syntax error"},
		{[]string{"maxmemory", "1", "maxmemory", "2"}, "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate parameter"},
		{[]string{"databases", "3"}, "ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config"},
		{[]string{"dir", "/"}, "ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config"},
	} {
		require.EqualError(t, c.Set(tc.pairs, true), tc.want)
	}
	c.EnableProtectedConfigs = "local"
	require.ErrorContains(t, c.Set([]string{"dir", "/"}, false), "can't set protected config")
	require.NoError(t, c.Set([]string{"dir", "/"}, true))
	require.Equal(t, "/x", c.Path("x"))
}

func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	f := write(t, dir, "a.conf", strings.Join([]string{
		"# the port", "port 0", "", "slave-priority 5", "save 900 1", "save 300 10", "# between", "save 60 10000",
		"rename-command KEYS \"\"", "maxmemory 100mb", "maxmemory 200mb", "timeout 0", "client-output-buffer-limit normal 1mb 1mb 1",
	}, "\n")+"\n")
	c, err := Load(Sources{Args: []string{f}})
	require.NoError(t, err)
	require.NoError(t, c.Set([]string{"save", "1 1 2 2", "requirepass", `a "b"`, "maxmemory", "1500", "hz", "50"}, false))
	rewrite(t, c)
	content, err := os.ReadFile(f)
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		"# the port", "port 0", "", "replica-priority 5", "save 1 1", "save 2 2", "# between",
		"rename-command KEYS \"\"", "maxmemory 1500", "timeout 0",
		"client-output-buffer-limit normal 1mb 1mb 1", "client-output-buffer-limit replica 256mb 64mb 60", "client-output-buffer-limit pubsub 32mb 8mb 60",
		"# Generated by CONFIG REWRITE", "hz 50", `requirepass "a \"b\""`,
	}, "\n")+"\n", sortTail(string(content)))

	again, err := Load(Sources{Args: []string{f}})
	require.NoError(t, err)
	require.Equal(t, c.Get(matchPath, "*"), again.Get(matchPath, "*"))
	rewrite(t, again)
	same, err := os.ReadFile(f)
	require.NoError(t, err)
	require.Equal(t, string(content), string(same), "a rewrite of a rewritten file changes nothing")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file is left")

	_, err = New().Rewrite(nil)
	require.EqualError(t, err, "ERR The server is running without a config file")
}

func rewrite(t *testing.T, c *Config) {
	t.Helper()
	r, err := c.Rewrite(nil)
	require.NoError(t, err)
	require.NoError(t, r.Write())
}

// sortTail sorts the lines behind the generated comment.
func sortTail(s string) string {
	head, tail, _ := strings.Cut(s, generated+"\n")
	lines := strings.Split(strings.TrimSpace(tail), "\n")
	if len(lines) == 2 && lines[0] > lines[1] {
		lines[0], lines[1] = lines[1], lines[0]
	}
	return head + generated + "\n" + strings.Join(lines, "\n") + "\n"
}

func TestEveryRefusedValueHasAReason(t *testing.T) {
	for _, n := range Notes() {
		require.Equal(t, len(n.Only) > 0, n.Refusal != "", n.Name)
	}
}
