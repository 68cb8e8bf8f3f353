package clienttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNode(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"ioredis.test.mjs", "node-redis.test.mjs", "session.test.mjs"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			npmInstall(t, "node")
			runNode(t, startTLSServer(t), file)
		})
	}
}

// With tombstones logout is final for applications that nobody changed.
func TestNodeLogoutRace(t *testing.T) {
	t.Parallel()
	if target.isRedis { // it has no policies
		return
	}
	npmInstall(t, "node")
	runNode(t, startTLSServer(t), "race.test.mjs")
}

// runNode runs one file of Node tests against s. Node's own report is shown
// when something failed.
func runNode(t *testing.T, s *server, file string) {
	t.Helper()
	control := http.NewServeMux()
	control.HandleFunc("POST /restart", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.Restart(); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	web := httptest.NewServer(control)
	defer web.Close()

	setInfo := "yes"
	if target.isRedis {
		setInfo = "no"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool(t, "node"), "--test", "--test-force-exit", "--test-timeout=120000", "--test-reporter=spec", file)
	ownGroup(cmd)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(),
		"TARGET_HOST="+s.Host, "TARGET_PORT="+strconv.Itoa(s.Port), "TARGET_SOCKET="+s.Socket,
		"TARGET_TLS_PORT="+strconv.Itoa(s.TLSPort), "TARGET_CA="+s.Certs.CA, "TARGET_PASSWORD="+password,
		"TARGET_SETINFO="+setInfo, "TARGET_CONTROL="+web.URL)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	require.NoError(t, err, "%s\n%s", file, tail(out.String(), 25_000))
	passed := regexp.MustCompile(`(?m)^ℹ pass (\d+)$`).FindStringSubmatch(out.String())
	require.NotNil(t, passed, out.String())
	t.Logf("%s: %s tests passed", file, passed[1])
	require.NotEqual(t, "0", passed[1])
}

// npmLocks lets one test at a time install into a directory.
var npmLocks sync.Map

// npmInstall runs npm ci in dir unless what its lock file says is there.
func npmInstall(t *testing.T, dir string) {
	t.Helper()
	mu, _ := npmLocks.LoadOrStore(dir, new(sync.Mutex))
	mu.(*sync.Mutex).Lock()
	defer mu.(*sync.Mutex).Unlock()
	// Two runs of the tests may share the tree.
	lock, err := os.OpenFile(filepath.Join(dir, ".gitignore"), os.O_RDONLY, 0)
	require.NoError(t, err)
	defer lock.Close()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))

	stamp := filepath.Join(dir, "node_modules", ".installed")
	want := npmStamp(t, dir)
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool(t, "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	ownGroup(cmd)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "npm ci in clienttest/%s\n%s", dir, out)
	require.NoError(t, os.WriteFile(stamp, []byte(want), 0o644))
}

// A lock file names packages and their digests, not the registry that one
// machine happens to use.
func TestNodeLocks(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{"node", "commander"} {
		lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
		require.NoError(t, err)
		require.Contains(t, string(lock), `"integrity": "sha512-`)
		require.NotContains(t, string(lock), `"resolved": "http`)
	}
}

// npmStamp is a digest of what an installation follows from.
func npmStamp(t *testing.T, dir string) string {
	t.Helper()
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		sum.Write(fmt.Appendf(nil, "%s %d\n%s\n", name, len(data), data))
	}
	return hex.EncodeToString(sum.Sum(nil))
}
