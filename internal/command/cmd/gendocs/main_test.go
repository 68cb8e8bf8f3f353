package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
	"coatcheck/internal/server"
)

// since72 is what 7.2 has and the redis-server that tests run has not.
var since72 = []string{"client|no-touch", "client|setinfo", "cluster|myshardid", "waitaof"}

func TestTheListIsRedis(t *testing.T) {
	theirs := realredis.Start(t).Strings(t, "command", "list")
	theirs = append(theirs, since72...)
	slices.Sort(theirs)
	var ours []string
	for _, line := range strings.Split(strings.TrimSpace(redis72), "\n") {
		name, group, _ := strings.Cut(line, " ")
		require.Contains(t, groups, group)
		ours = append(ours, name)
	}
	slices.Sort(ours)
	require.Equal(t, theirs, ours)
}

// make gen leaves no difference.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	root := "../../../.."
	dir := server.Directory()
	page, err := os.ReadFile(filepath.Join(root, "docs", "commands.md"))
	require.NoError(t, err)
	require.Equal(t, reference(dir), string(page), "run make gen")

	page, err = os.ReadFile(filepath.Join(root, "COMPATIBILITY.md"))
	require.NoError(t, err)
	want, err := replace(string(page), coverage(dir))
	require.NoError(t, err)
	require.Equal(t, want, string(page), "run make gen")
}

func TestReplace(t *testing.T) {
	got, err := replace("a\n"+begin+"\nold\n"+end+"\nb\n", "new\n")
	require.NoError(t, err)
	require.Equal(t, "a\n"+begin+"\n\nnew\n\n"+end+"\nb\n", got)
	again, err := replace(got, "new\n")
	require.NoError(t, err)
	require.Equal(t, got, again)
	_, err = replace("nothing", "new")
	require.ErrorContains(t, err, "missing")
}

func TestNames(t *testing.T) {
	require.Equal(t, "`XGROUP`, `CLIENT TRACKING`, `GET`", names([]string{"xgroup", "xgroup|create", "client|tracking", "get"}))
}
