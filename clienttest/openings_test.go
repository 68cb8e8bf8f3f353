package clienttest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// openings are what clients send when they connect, as recorded from the wire.
// Each is sent as one pipeline, without waiting for answers.
var openings = []struct {
	client   string
	commands []string
}{
	{"node-redis 6", []string{"HELLO 3 AUTH default changeit", "CLIENT SETINFO LIB-VER 6.3.1", "CLIENT SETINFO LIB-NAME node-redis",
		"CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type external-ip", "PING"}},
	{"node-redis 6, name and db", []string{"HELLO 3 AUTH default changeit SETNAME bff", "SELECT 3", "CLIENT SETINFO LIB-VER 6.3.1", "PING"}},
	{"node-redis 5", []string{"AUTH changeit", "CLIENT SETINFO LIB-VER 5.12.1", "CLIENT SETINFO LIB-NAME node-redis", "PING"}},
	{"node-redis 5, user, name and db", []string{"AUTH default changeit", "SELECT 2", "CLIENT SETNAME bff", "CLIENT SETINFO LIB-VER 5.12.1", "CLIENT GETNAME"}},
	{"node-redis 4", []string{"AUTH changeit", "CLIENT SETINFO LIB-NAME node-redis", "CLIENT SETINFO LIB-VER 4.7.0"}},
	{"ioredis 6", []string{"hello 3 AUTH default changeit", "client SETINFO LIB-VER 6.0.0", "client SETINFO LIB-NAME ioredis", "info"}},
	{"ioredis 5", []string{"auth changeit", "client SETINFO LIB-VER 5.11.1", "client SETINFO LIB-NAME ioredis", "info", "select 1", "client setname bff"}},
	{"go-redis", []string{"hello 3 auth default changeit", "client maint_notifications on moving-endpoint-type internal-ip",
		"client setinfo LIB-NAME go-redis(,go1.26.8)", "client setinfo LIB-VER 9.23.0"}},
	{"go-redis, RESP2, name and db", []string{"hello 2 auth default changeit setname bff", "client setname bff", "select 5", "readonly", "ping"}},
	{"redigo", []string{"AUTH changeit", "CLIENT SETNAME bff", "SELECT 4"}},
	{"redigo, python, predis, phpredis, ruby, hiredis with a user", []string{"AUTH default changeit", "SELECT 4", "CLIENT SETNAME bff"}},
	{"rueidis without cache", []string{"HELLO 3 AUTH default changeit SETNAME bff", "CLIENT SETINFO LIB-NAME rueidis", "CLIENT SETINFO LIB-VER 1.0.79",
		"CLUSTER SLOTS", "PING"}},
	{"rueidis, RESP2", []string{"AUTH changeit", "HELLO 2", "CLUSTER SLOTS", "PING"}},
	{"redis-cli", []string{"AUTH changeit", "SELECT 9", "PING"}},
	{"redis-cli, interactive", []string{"AUTH default changeit", "COMMAND DOCS"}},
	{"redis-cli -3", []string{"AUTH changeit", "HELLO 3", "GET none", "CONFIG GET maxmemory"}},
	{"redis-cli --bigkeys", []string{"AUTH changeit", "DBSIZE", "SCAN 0", "TYPE none", "STRLEN none"}},
	{"redis-benchmark", []string{"AUTH changeit", "CONFIG GET save", "CONFIG GET appendonly"}},
	{"redis_exporter", []string{"AUTH changeit", "CLIENT SETNAME redis_exporter", "INFO ALL", "CONFIG GET *", "LATENCY LATEST", "LATENCY HISTOGRAM",
		"SLOWLOG LEN", "SLOWLOG GET 1", "COMMAND INFO COMMANDLOG"}},
	{"redis-commander", []string{"auth changeit", "info", "command", "info cluster", "client setname redis-commander", "module list"}},
	{"redis-commander, find used db", []string{"auth changeit", "info keyspace", "config get databases", "quit"}},
	// How it goes when it goes wrong: clients fall back by the error's text.
	{"no password", []string{"HELLO 3", "CLIENT GETNAME", "CLIENT NOSUCH", "NOSUCH", "INFO", "GET k", "SELECT 1", "COMMAND", "RESET", "PING"}},
	{"wrong password", []string{"HELLO 3 AUTH default wrong", "AUTH wrong", "AUTH default wrong", "AUTH nobody changeit", "AUTH a b c", "AUTH"}},
	{"wrong protocol", []string{"HELLO 4 AUTH default changeit", "HELLO 1", "HELLO x", "AUTH changeit", "HELLO 4", "HELLO 3 SETNAME", "HELLO 3 NONSENSE",
		"HELLO 3 SETNAME has\\space", "CLIENT SETNAME two\nlines", "SELECT 16", "SELECT x", "HELLO 3 AUTH default", "HELLO 2"}},
}

// Each client's opening is answered as redis-server answers it, byte for byte
// but for what masked and answerOf72 name.
func TestOpenings(t *testing.T) {
	t.Parallel()
	const quiet = "slowlog-log-slower-than -1" // how slow a busy machine is does not matter
	ours, peer := startServer(t, quiet), startPeer(t, quiet)
	for _, o := range openings {
		t.Run(o.client, func(t *testing.T) {
			got, want := exchange(t, ours, o.commands), exchange(t, peer, o.commands)
			for i, command := range o.commands {
				compareAnswers(t, command, got[i], want[i])
			}
		})
	}
}

// compareAnswers checks one answer. Those that tell of the server itself are
// compared by their shape and what clients read from them.
func compareAnswers(t *testing.T, command string, got, want []byte) {
	t.Helper()
	if want[0] == '-' || got[0] == '-' {
		want = answerOf72(command, want)
		require.Equal(t, string(want), string(got), command)
		return
	}
	switch words := strings.Fields(strings.ToLower(command)); words[0] {
	case "info":
		if len(words) > 1 && words[1] == "cluster" {
			require.Equal(t, string(want), string(got), command)
			return
		}
		compareInfo(t, command, got, want)
	case "command":
		if len(words) == 1 || words[1] == "docs" {
			require.Equal(t, want[:1], got[:1], command)
			compareNames(t, command, got, want)
			return
		}
		require.Equal(t, string(want), string(got), command)
	case "latency":
		if words[1] == "histogram" { // of what each server was asked so far
			require.Equal(t, want[:1], got[:1], command)
			return
		}
		require.Equal(t, string(want), string(got), command)
	case "config":
		if words[2] == "*" {
			require.NotEmpty(t, parameters(want))
			require.Subset(t, parameters(got), parameters(want), command)
			return
		}
		require.Equal(t, string(want), string(got), command)
	default:
		require.Equal(t, masked(want), masked(got), command)
	}
}

// answerOf72 is the answer where Redis 7.2, whose behaviour ours has, differs
// from the older redis-server that tests run beside.
func answerOf72(command string, peer []byte) []byte {
	setInfo := strings.HasPrefix(strings.ToLower(command), "client setinfo ")
	if !target.isRedis && setInfo && bytes.HasPrefix(peer, []byte("-ERR unknown subcommand")) {
		return []byte("+OK\r\n")
	}
	return peer
}

var (
	helloVersion = regexp.MustCompile(`\$7\r\nversion\r\n\$\d+\r\n[\d.]+\r\n`)
	helloID      = regexp.MustCompile(`\$2\r\nid\r\n:\d+\r\n`)
)

// masked hides what HELLO says of the server's version and the connection's id.
func masked(answer []byte) string {
	answer = helloVersion.ReplaceAll(answer, []byte("<version>"))
	return string(helloID.ReplaceAll(answer, []byte("<id>")))
}

// infoOfRedisOnly are INFO's fields about the C compiler of redis-server, and
// those that depend on what a server was asked before.
var infoOfRedisOnly = regexp.MustCompile(`^(gcc_version|atomicvar_api|cmdstat_.*|errorstat_.*|latency_percentiles_.*|db\d+)$`)

// compareInfo checks that INFO has the peer's sections in the peer's order, and
// its fields.
func compareInfo(t *testing.T, command string, got, want []byte) {
	t.Helper()
	require.Equal(t, want[:1], got[:1], "%s: $ in RESP2, = in RESP3", command)
	sections := func(info []byte) (titles, fields []string) {
		for _, line := range strings.Split(string(info), "\r\n")[1:] {
			line = strings.TrimPrefix(line, "txt:")
			if title, ok := strings.CutPrefix(line, "# "); ok {
				titles = append(titles, title)
			} else if name, _, ok := strings.Cut(line, ":"); ok && !infoOfRedisOnly.MatchString(name) {
				fields = append(fields, name)
			}
		}
		return titles, fields
	}
	gotTitles, gotFields := sections(got)
	wantTitles, wantFields := sections(want)
	require.GreaterOrEqual(t, len(gotTitles), len(wantTitles), "%s: %q", command, gotTitles)
	require.Equal(t, wantTitles, gotTitles[:len(wantTitles)], command)
	require.Subset(t, gotFields, wantFields, command)
	if strings.EqualFold(command, "info") {
		require.Contains(t, string(got), "\r\nloading:0\r\n", "ioredis waits for it")
	}
}

// parameters are the names in CONFIG GET's answer in RESP2.
func parameters(answer []byte) (names []string) {
	in := bufio.NewReader(bytes.NewReader(bytes.TrimLeft(answer, "*0123456789\r\n")))
	for {
		var name, value bytes.Buffer
		if readAnswer(in, &name) != nil || readAnswer(in, &value) != nil {
			return names
		}
		names = append(names, name.String())
	}
}

// compareNames checks that every command COMMAND tells of is one of the peer's
// or came with 7.2.
func compareNames(t *testing.T, command string, got, want []byte) {
	t.Helper()
	names := func(answer []byte) []string {
		var list []string
		for _, m := range regexp.MustCompile(`\*10\r\n\$\d+\r\n([a-z_|]+)\r\n`).FindAllSubmatch(answer, -1) {
			list = append(list, string(m[1]))
		}
		return list
	}
	if !strings.EqualFold(command, "command") {
		require.Contains(t, string(got), "$7\r\nsummary\r\n", command)
		return
	}
	newer := []string{
		"client|no-touch", "client|setinfo", "cluster|myshardid", "waitaof", // 7.2's
		"hexpire", "hexpireat", "hexpiretime", "hpersist", "hpexpire", "hpexpireat", "hpexpiretime", "hpttl", "httl", // 7.4's
		"hgetdel", "hgetex", "hsetex", // 8.0's
	}
	list, known := names(got), append(names(want), newer...)
	require.Contains(t, list, "get")
	unknown := slices.DeleteFunc(list, func(name string) bool { return slices.Contains(known, name) })
	require.Empty(t, unknown, command)
}

// exchange sends commands as one pipeline on a fresh connection and returns the
// answers as they came.
func exchange(t *testing.T, s *server, commands []string) [][]byte {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	var out bytes.Buffer
	for _, command := range commands {
		words := strings.Split(command, " ")
		fmt.Fprintf(&out, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(&out, "$%d\r\n%s\r\n", len(w), w)
		}
	}
	_, err = conn.Write(out.Bytes())
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	var answers [][]byte
	for _, command := range commands {
		var answer bytes.Buffer
		require.NoError(t, readAnswer(in, &answer), "%s: %q", command, answer.Bytes())
		answers = append(answers, answer.Bytes())
	}
	return answers
}

// readAnswer copies one answer with all that is nested in it from in to out.
func readAnswer(in *bufio.Reader, out *bytes.Buffer) error {
	line, err := in.ReadBytes('\n')
	out.Write(line)
	if err != nil {
		return err
	}
	if !bytes.HasSuffix(line, []byte("\r\n")) {
		return fmt.Errorf("a line without CR: %q", line)
	}
	n, _ := strconv.Atoi(string(line[1 : len(line)-2])) // those without a number do not look at it
	switch line[0] {
	case '+', '-', ':', '_', '#', ',', '(':
		return nil
	case '$', '=', '!':
		if n < 0 {
			return nil
		}
		_, err := io.CopyN(out, in, int64(n)+2)
		return err
	case '%', '|':
		n *= 2
	case '*', '~', '>':
	default:
		return fmt.Errorf("not an answer: %q", line)
	}
	for range n {
		if err := readAnswer(in, out); err != nil {
			return err
		}
	}
	return nil
}
