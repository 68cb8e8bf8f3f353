package clienttest

import (
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each way runs redis-benchmark's whole default list; the server must have refused
// and failed nothing, and the list be as long as beside a real server.
func TestRedisBenchmark(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t)
	peer := startPeer(t)
	list := benchmarked(t, command(t, nil, "redis-benchmark", "--csv", "-s", peer.Socket, "-a", password, "-c", "1", "-n", "1"))
	require.Subset(t, list, []string{"PING_INLINE", "SET", "LPUSH", "SPOP", "HSET", "ZPOPMIN", "LRANGE_600 (first 600 elements)", "MSET (10 keys)"})
	auth := []string{"-h", s.Host, "-p", strconv.Itoa(s.Port), "-a", password}
	for name, way := range map[string][]string{
		"plain":    append(auth, "-c", "10"),
		"pipeline": append(auth, "-n", "2000", "-c", "20", "-P", "16", "-r", "1000", "-d", "300"),
		"resp3":    append(auth, "-c", "10", "-P", "4", "-3"),
		"tracking": append(auth, "-c", "10", "-P", "4", "-3", "--enable-tracking", "-r", "100"),
		"threads":  append(auth, "-c", "20", "--threads", "2", "-P", "8"),
		"new each": append(auth, "-c", "10", "-k", "0", "-n", "50"),
		"db":       append(auth, "-c", "2", "--dbnum", "5"),
		"unix":     {"-s", s.Socket, "-a", password, "-c", "10", "-P", "16"},
		"tls": {"--tls", "--cacert", s.Certs.CA, "--cert", s.Certs.ClientCert, "--key", s.Certs.ClientKey, "--sni", "localhost",
			"-h", s.Host, "-p", strconv.Itoa(s.TLSPort), "-a", password, "-c", "5", "-P", "16"},
	} {
		t.Run(name, func(t *testing.T) {
			out, said, err := tryCommand(t, nil, "redis-benchmark", append([]string{"--csv", "-n", "500"}, way...)...)
			require.NoError(t, err, said)
			require.NotContains(t, said, "Could not fetch server CONFIG")
			require.Equal(t, list, benchmarked(t, out))
		})
	}
	t.Run("own command", func(t *testing.T) {
		args := append([]string{"--csv", "-n", "2000", "-P", "8", "-r", "500"}, auth...)
		out := command(t, nil, "redis-benchmark", append(args, "SET", "myapp:__rand_int__", "__data__", "PX", "900000")...)
		require.Equal(t, []string{"SET myapp:__rand_int__ __data__ PX 900000"}, benchmarked(t, out))
		require.LessOrEqual(t, len(scanAll(t, s.Admin(t), "myapp:*")), 500)
	})
	for _, line := range strings.Fields(s.Admin(t).Info(t.Context(), "commandstats").Val()) {
		if name, figures, ok := strings.Cut(line, ":"); ok && name != "cmdstat_auth" {
			require.Contains(t, figures, "rejected_calls=0,failed_calls=0", line)
		}
	}
}

// benchmarked reads redis-benchmark's CSV: the names of its tests, each of which must
// have a rate above zero.
func benchmarked(t *testing.T, out string) (names []string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err, out)
	for _, row := range rows[1:] {
		names = append(names, row[0])
		rate, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		require.Positive(t, rate, "%q", row)
	}
	return names
}
