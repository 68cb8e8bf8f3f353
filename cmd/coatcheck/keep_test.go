package main_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a server holds when it is told to end is there when it starts again, and
// once more after that.
func TestDataSurviveRestarts(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "--port", "%PORT%", "--dir", dir)
	require.Equal(t, "OK", p.cli("set", "myapp:1", "alice"))
	require.Equal(t, "OK", p.cli("set", "myapp:2", "bob", "pxat", "4102444800000"))
	p.terminate()
	require.FileExists(t, filepath.Join(dir, "dump.rdb"))

	p = start(t, "--port", "%PORT%", "--dir", dir)
	require.Equal(t, "alice", p.cli("get", "myapp:1"))
	require.Equal(t, "4102444800000", p.cli("pexpiretime", "myapp:2"))
	require.Equal(t, "OK", p.cli("set", "myapp:1", "carol"))
	require.Empty(t, p.cli("shutdown"))
	p.wait()

	p = start(t, "--port", "%PORT%", "--dir", dir)
	require.Equal(t, "carol", p.cli("get", "myapp:1"))
	require.Equal(t, "OK", p.cli("set", "myapp:1", "dave"))
	require.Empty(t, p.cli("shutdown", "nosave"))
	p.wait()

	p = start(t, "--port", "%PORT%", "--dir", dir)
	require.Equal(t, "carol", p.cli("get", "myapp:1"))
}
