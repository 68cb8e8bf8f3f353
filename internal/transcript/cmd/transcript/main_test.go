package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
)

func TestRecordThenReplay(t *testing.T) {
	srv := realredis.Start(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "set.txt")
	require.NoError(t, os.WriteFile(file, []byte("# A story.\n> SET k v\n> GET k\n"), 0o600))
	var out strings.Builder

	require.NoError(t, run([]string{"record", "-addr", srv.Socket, file}, &out))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "# A story.\n> SET k v\n< +OK\n> GET k\n< $\"v\"\n", string(text))
	require.NoError(t, run([]string{"replay", "-addr", srv.Socket, dir}, &out))

	require.NoError(t, os.WriteFile(file, []byte("> GET k\n< $\"other\"\n"), 0o600))
	out.Reset()
	require.Error(t, run([]string{"replay", "-addr", srv.Socket, dir}, &out))
	require.Contains(t, out.String(), "set.txt:2: > GET k\n got $-1\nwant $\"other\"")
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"play"}, {"replay", "-no"}, {"replay", "-addr", "127.0.0.1:1", "x"}} {
		require.Error(t, run(args, &strings.Builder{}), "%q", args)
	}
}
