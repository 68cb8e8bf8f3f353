package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What harnesses that start "redis-server FILE.conf" wait for.
func TestSaysWhatHarnessesWaitFor(t *testing.T) {
	t.Parallel()
	conf := filepath.Join(t.TempDir(), "redis.conf")
	port := freePort(t)
	write(t, conf, fmt.Sprintf("port %d\nbind 127.0.0.1\nalways-show-logo yes\ndaemonize no\nloglevel verbose\ndir %s\n", port, t.TempDir()))
	p := start(t, conf)
	pattern := fmt.Sprintf(`(?s) PID: %d\n.*Server initialized.*Ready to accept connections`, p.cmd.Process.Pid)
	require.Regexp(t, pattern, p.stdout.String())
	require.Contains(t, p.stdout.String(), fmt.Sprintf("    redis-cli -p %d\n", port))
	p.port = port
	require.Equal(t, "PONG", p.cli("ping"))
	require.Equal(t, "OK", p.cli("set", "myapp:1", "{}", "ex", "900"))
	require.Equal(t, "900", p.cli("ttl", "myapp:1"))
	p.terminate()
	require.Contains(t, p.stdout.String(), "ready to exit")
	require.Empty(t, p.stderr.String())
}

func TestFlags(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%", "--requirepass", "changeit", "--databases", "3")
	require.Contains(t, p.cli("ping"), "NOAUTH")
	require.Equal(t, "PONG", p.cli("-a", "changeit", "--no-auth-warning", "ping"))
	require.Contains(t, p.cli("-a", "changeit", "--no-auth-warning", "-n", "3", "ping"), "out of range")
	require.NotContains(t, p.stdout.String(), "changeit")
	require.Contains(t, p.stdout.String(), "--askpass")
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"REDIS_HOST=127.0.0.1", "REDIS_PORT=%PORT%", "REDIS_PASSWORD=changeit", "COATCHECK_DATABASES=2"})
	p.waitReady()
	require.Equal(t, "PONG", p.cli("-a", "changeit", "--no-auth-warning", "-n", "1", "ping"))
	require.Contains(t, p.cli("-a", "changeit", "--no-auth-warning", "-n", "2", "ping"), "out of range")
}

// File, environment, flags: what comes later wins.
func TestOrderOfSources(t *testing.T) {
	t.Parallel()
	conf := write(t, filepath.Join(t.TempDir(), "c"), "port 1\nrequirepass file\ndatabases 4\n")
	p := launch(t, []string{"COATCHECK_PORT=2", "COATCHECK_REQUIREPASS=env"}, conf, "--port", "%PORT%")
	p.waitReady()
	require.Equal(t, "PONG", p.cli("-a", "env", "--no-auth-warning", "-n", "3", "ping"))
}

func TestInclude(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret.conf"), "requirepass included\n")
	conf := write(t, filepath.Join(dir, "redis.conf"), "include "+dir+"/secret.conf\n")
	p := start(t, conf, "--port", "%PORT%")
	require.Equal(t, "PONG", p.cli("-a", "included", "--no-auth-warning", "ping"))

	write(t, filepath.Join(dir, "secret.conf"), "# first\nmaxmemory much\n")
	status, _, stderr := once(t, nil, conf)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "secret.conf, at line 2")
	require.Contains(t, stderr, "argument must be a memory value")
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"databases 3\n":   "the configuration is right",
		"databases few\n": "standard input, at line 1",
	} {
		cmd := exec.Command(binary, "--check-config", "-")
		cmd.Stdin = strings.NewReader(text)
		out, err := cmd.CombinedOutput()
		require.Equal(t, strings.Contains(want, "right"), err == nil)
		require.Contains(t, string(out), want)
	}
}

func TestUnixSocketWithoutAPort(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "cc") // a socket's path is short
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "s")
	p := start(t, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700")
	require.Equal(t, "PONG", cli(t, "-s", socket, "ping"))
	require.Contains(t, p.stdout.String(), "redis-cli -s "+socket)
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	status, out, _ := once(t, nil, "health", "--port", "0", "--unixsocket", socket)
	require.Zero(t, status)
	require.Equal(t, "healthy\n", out)
	p.terminate()
	require.NoFileExists(t, socket)
}

func TestConfigurationErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		conf string
		says []string
	}{
		{"port 6379\n\nmaxmemroy 1gb\n", []string{"redis.conf, at line 3", "maxmemroy 1gb", `did you mean "maxmemory"?`}},
		{"port x\n", []string{"redis.conf, at line 1", "port x"}},
		{"requirepass \"unfinished\n", []string{"redis.conf, at line 1", "requirepass (value not shown)"}},
		{"daemonize yes\n", []string{"daemonize yes is not offered", "coatcheck.service"}},
		{"dir /no/such/place\n", []string{"redis.conf, at line 1", "dir /no/such/place", "No such file or directory"}},
		{"logfile /no/such/place/log\n", []string{"can't open the log file", "/no/such/place/log"}},
		{"include /no/such/file\n", []string{"redis.conf, at line 1", "/no/such/file"}},
	} {
		conf := write(t, filepath.Join(dir, "redis.conf"), c.conf)
		status, _, stderr := once(t, nil, conf, "--bind", "127.0.0.1")
		require.Equal(t, 1, status, c.conf)
		for _, words := range c.says {
			require.Contains(t, stderr, words)
		}
		require.NotContains(t, stderr, "unfinished")
	}
	status, _, stderr := once(t, nil, "/no/such.conf")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "/no/such.conf")
}

func TestCheckConfig(t *testing.T) {
	t.Parallel()
	conf := write(t, filepath.Join(t.TempDir(), "redis.conf"), "port 0\nvm-enabled no\n")
	status, stdout, stderr := once(t, nil, "--check-config", conf)
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "warning: vm-enabled has no effect")
	require.Contains(t, stdout, "the configuration is right")

	write(t, conf, "port\n")
	status, _, stderr = once(t, nil, conf, "--check-config")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "at line 1")
}

// The example configuration is right, has nothing without effect, and every
// parameter in it is explained.
func TestTheExampleConfiguration(t *testing.T) {
	t.Parallel()
	name, err := filepath.Abs("../../deploy/redis.conf")
	require.NoError(t, err)
	status, stdout, stderr := once(t, nil, "--check-config", name)
	require.Zero(t, status, stderr)
	require.NotContains(t, stdout, "warning")

	text, err := os.ReadFile(name)
	require.NoError(t, err)
	explained := false
	for n, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "# "):
			explained = true
		case line == "":
			explained = false
		case !strings.HasPrefix(line, "#") && !explained:
			t.Errorf("line %d has no explanation: %s", n+1, line)
		}
	}
	// What is commented out must be right as well.
	commented := regexp.MustCompile(`(?m)^# ((?:unixsocket|unixsocketperm|notify-keyspace-events|tls-auth-clients) .*)$`)
	found := commented.FindAllStringSubmatch(string(text), -1)
	require.Len(t, found, 4)
	extra := ""
	for _, m := range found {
		extra += m[1] + "\n"
	}
	status, _, stderr = once(t, nil, "--check-config", write(t, filepath.Join(t.TempDir(), "c"), extra))
	require.Zero(t, status, stderr)
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	first := start(t, "--port", "%PORT%", "--bind", "127.0.0.1")
	status, stdout, stderr := once(t, nil, "--port", fmt.Sprint(first.port), "--bind", "127.0.0.1")
	require.Equal(t, 1, status)
	want := fmt.Sprintf("Failed listening on port %d (tcp)", first.port)
	require.Contains(t, stdout, want, "where harnesses look")
	require.Contains(t, stderr, fmt.Sprintf("127.0.0.1:%d", first.port))
	require.Contains(t, stderr, "address already in use: is another server running? --port chooses another one")
	require.Equal(t, "PONG", first.cli("ping"))
}

func TestLogfilePidfile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := launch(t, nil, "--port", "%PORT%", "--dir", dir, "--logfile", "log", "--pidfile", "pid", "--loglevel", "debug")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "log"))
		return err == nil && strings.Contains(string(text), "Ready to accept connections")
	}, patience, 5e6)
	require.Empty(t, p.stdout.String())
	pid, err := os.ReadFile(filepath.Join(dir, "pid"))
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintln(p.cmd.Process.Pid), string(pid))
	require.Equal(t, "PONG", p.cli("ping"))

	// A log that was moved away goes on in a new file.
	require.NoError(t, os.Rename(filepath.Join(dir, "log"), filepath.Join(dir, "log.1")))
	p.terminate()
	text, err := os.ReadFile(filepath.Join(dir, "log"))
	require.NoError(t, err)
	require.Contains(t, string(text), "ready to exit")
	require.NoFileExists(t, filepath.Join(dir, "pid"))
}

func TestAPidfileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%", "--pidfile", "/no/such/place/pid")
	require.Contains(t, p.stdout.String(), "there will be no pidfile")
	p.terminate()
}

// The flags of pytest-redis, and the file of Redis' own test suite.
func TestStartsAsHarnessesStartRedis(t *testing.T) {
	t.Parallel()
	p := start(t, "--daemonize", "no", "--rdbcompression", "yes", "--rdbchecksum", "no", "--appendonly", "no",
		"--databases", "8", "--timeout", "0", "--dbfilename", "dump.rdb", "--loglevel", "notice",
		"--syslog-enabled", "no", "--port", "%PORT%", "--dir", t.TempDir(), "--save", "900", "1")
	require.Equal(t, "PONG", p.cli("ping"))

	p = start(t, write(t, filepath.Join(t.TempDir(), "default.conf"), `always-show-logo yes
notify-keyspace-events KEA
daemonize no
pidfile /var/run/no/such.pid
timeout 0
bind 127.0.0.1
loglevel verbose
logfile ''
databases 16
latency-monitor-threshold 1
save 60 10000
rdbcompression yes
dbfilename dump.rdb
dir ./
slave-serve-stale-data yes
appendonly no
appendfsync everysec
activerehashing yes
enable-protected-configs yes
enable-debug-command yes
enable-module-command yes
propagation-error-behavior panic
shutdown-on-sigterm force
`), "--port", "%PORT%")
	require.Equal(t, "OK", p.cli("debug", "sleep", "0"))
}

func TestJSONLog(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%", "--log-format", "json")
	p.terminate()
	var messages []string
	for _, line := range strings.Split(strings.TrimSpace(p.stdout.String()), "\n") {
		var record struct{ Msg, Level, Time string }
		require.NoError(t, json.Unmarshal([]byte(line), &record), line)
		require.NotEmpty(t, record.Level)
		require.NotEmpty(t, record.Time)
		messages = append(messages, record.Msg)
	}
	require.Contains(t, messages[0], fmt.Sprintf(" PID: %d", p.cmd.Process.Pid))
	require.Contains(t, messages, "Server initialized")
	require.Contains(t, messages, "Ready to accept connections")
}

func TestLoglevel(t *testing.T) {
	t.Parallel()
	p := launch(t, nil, "--port", "%PORT%", "--loglevel", "warning")
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.port))
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, patience, 5e6)
	require.NotContains(t, p.stdout.String(), "level=INFO")
}

func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--version", "-v", "version"} {
		status, stdout, _ := once(t, nil, flag)
		require.Zero(t, status)
		require.Regexp(t, `^Redis server v=7\.2\.\d+ as spoken by Coatcheck \d+\.\d+\.\d+\n$`, stdout)
	}
	for _, flag := range []string{"--help", "-h", "help"} {
		status, stdout, _ := once(t, nil, flag)
		require.Zero(t, status)
		require.Contains(t, stdout, "--check-config")
		for _, line := range strings.Split(stdout, "\n") {
			require.LessOrEqual(t, len(line), 90, line)
		}
	}
	// Every flag that the help names exists.
	_, stdout, _ := once(t, nil, "--help")
	for _, m := range regexp.MustCompile(`--([a-z][a-z-]+) ([^ ]+)`).FindAllStringSubmatch(stdout, -1) {
		if m[1] == "check-config" {
			continue
		}
		_, _, stderr := once(t, nil, "--check-config", "--"+m[1], "no such value")
		require.NotContains(t, stderr, "Bad directive", m[1])
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	p := start(t, "--port", "%PORT%", "--requirepass", "changeit")
	port := fmt.Sprintf("REDIS_PORT=%d", p.port)
	for _, args := range [][]string{{"health"}, {"--health"}} {
		status, stdout, stderr := once(t, []string{port, "REDIS_PASSWORD=changeit"}, args...)
		require.Zero(t, status, stderr)
		require.Equal(t, "healthy\n", stdout)
	}
	status, _, stderr := once(t, []string{port, "REDIS_PASSWORD=wrong"}, "health")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "unhealthy: AUTH: the server answers -WRONGPASS")
	require.NotContains(t, stderr, "wrong\n")

	// Frozen: it accepts, and does not answer.
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGSTOP))
	status, _, stderr = once(t, []string{port, "REDIS_PASSWORD=changeit"}, "health")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "i/o timeout")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGCONT))
	p.terminate()
	status, _, stderr = once(t, []string{port, "REDIS_PASSWORD=changeit"}, "health")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "connection refused")
}
