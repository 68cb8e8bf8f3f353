package clienttest

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// benchmarkTests is redis-benchmark's default list as far as it is about
// strings and connections.
const benchmarkTests = "ping_inline,ping_mbulk,set,get,incr,mset"

// Each way runs the whole list; the server must have refused and failed nothing.
func TestRedisBenchmark(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	auth := []string{"-h", s.Host, "-p", strconv.Itoa(s.Port), "-a", password}
	for name, way := range map[string][]string{
		"plain":    append(auth, "-c", "10"),
		"pipeline": append(auth, "-c", "20", "-P", "16", "-r", "1000", "-d", "300"),
		"resp3":    append(auth, "-c", "10", "-P", "4", "-3"),
		"threads":  append(auth, "-c", "20", "--threads", "2", "-P", "8"),
		"new each": append(auth, "-c", "10", "-k", "0", "-n", "200"),
		"unix":     {"-s", s.Socket, "-a", password, "-c", "10", "-P", "16"},
		"tls": {"--tls", "--cacert", s.Certs.CA, "--cert", s.Certs.ClientCert, "--key", s.Certs.ClientKey, "--sni", "localhost",
			"-h", s.Host, "-p", strconv.Itoa(s.TLSPort), "-a", password, "-c", "5", "-P", "16"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--csv", "-n", "2000", "-t", benchmarkTests}, way...)
			out, said, err := tryCommand(t, nil, "redis-benchmark", args...)
			require.NoError(t, err, said)
			require.NotContains(t, said, "Could not fetch server CONFIG")
			requireBenchmarked(t, out, "PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)")
		})
	}
	t.Run("own command", func(t *testing.T) {
		args := append([]string{"--csv", "-n", "2000", "-P", "8", "-r", "500"}, auth...)
		out := command(t, nil, "redis-benchmark", append(args, "SET", "myapp:__rand_int__", "__data__", "PX", "900000")...)
		requireBenchmarked(t, out, "SET myapp:__rand_int__ __data__ PX 900000")
		require.LessOrEqual(t, len(scanAll(t, s.Admin(t), "myapp:*")), 500)
	})
	for _, line := range strings.Fields(s.Admin(t).Info(t.Context(), "commandstats").Val()) {
		if name, figures, ok := strings.Cut(line, ":"); ok && name != "cmdstat_auth" {
			require.Contains(t, figures, "rejected_calls=0,failed_calls=0", line)
		}
	}
}

// requireBenchmarked reads redis-benchmark's CSV: a row for every test, each
// with a rate above zero.
func requireBenchmarked(t *testing.T, out string, tests ...string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err, out)
	var names []string
	for _, row := range rows[1:] {
		names = append(names, row[0])
		rate, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		require.Positive(t, rate, "%q", row)
	}
	require.Equal(t, tests, names)
}
