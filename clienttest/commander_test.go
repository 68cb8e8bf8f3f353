package clienttest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// startCommander runs Redis Commander against s, with the guide's login, and
// returns its address.
func startCommander(t *testing.T, s *server) string {
	t.Helper()
	npmInstall(t, "commander")
	port := strconv.Itoa(freePort(t))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, tool(t, "node"), "node_modules/redis-commander/bin/redis-commander.js",
		"--redis-label", "coatcheck", "--redis-host", s.Host, "--redis-port", strconv.Itoa(s.Port), "--redis-password", password,
		"--address", "127.0.0.1", "--port", port, "--noload", "--nosave")
	ownGroup(cmd)
	cmd.Dir = "commander"
	cmd.Env = append(os.Environ(), "HTTP_USER=admin", "HTTP_PASSWORD=admin", "HTTP_AUTH_ENABLED=1", "HOME="+t.TempDir())
	seen := make(chan struct{})
	log := &logBuffer{want: "access with browser at", seen: seen}
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	done := make(chan struct{})
	go func() {
		cmd.Wait() //nolint:errcheck // it is killed in the end
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if t.Failed() {
			t.Logf("Redis Commander's log:\n%s", tail(log.String(), 6000))
		}
	})
	select {
	case <-seen:
	case <-done:
		t.Fatalf("Redis Commander ended:\n%s", log)
	case <-time.After(patience):
		t.Fatalf("Redis Commander was not ready in %v:\n%s", patience, log)
	}
	return "http://127.0.0.1:" + port + "/"
}

// signIn fills the form in as the guide has it.
func (b *browser) signIn() {
	b.t.Helper()
	b.fill("#signinUsername", "admin")
	b.fill("#signinPassword", "admin")
	b.click("#signinButton")
}

// The guide's walk through Redis Commander: log in, find a session, look into
// it, change it, delete it, use the terminal.
func TestRedisCommander(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	admin := s.Admin(t)
	for i := range 5 {
		require.NoError(t, admin.Set(t.Context(), fmt.Sprintf("myapp:session%d", i), sessionJSON, 900*time.Second).Err())
	}
	b := newBrowser(t)
	b.do("open", chromedp.Navigate(startCommander(t, s)))
	b.fill("#signinUsername", "admin")
	b.fill("#signinPassword", "wrong")
	b.click("#signinButton")
	eventually(t, func() bool { return len(b.said()) == 1 }, "the wrong password is refused")
	require.Contains(t, b.said()[0], "Failed")
	b.signIn()

	// The root of the tree shows INFO, its folder the sessions.
	b.waitText("#keyTree", "myapp:* (5)")
	b.click("#keyTree .jstree-anchor")
	b.waitText("#body", "Redis version")
	b.waitText("#body", "Used memory human")
	b.click("#keyTree .jstree-closed > .jstree-ocl")
	b.waitText("#keyTree", "session4")

	// A session: its JSON as a tree, and its time to live.
	open := func(name string) {
		b.click(fmt.Sprintf(`#keyTree .jstree-node[id$=":%s"] > a`, name))
		b.waitText("#itemData", "Key: myapp:"+name)
	}
	open("session2")
	b.waitText("#itemData", "Type: string")
	ttl := ask(b, "TTL", chromedp.Evaluate[int](`Number(document.querySelector("#itemData").innerText.match(/TTL: (\d+)/)[1])`))
	require.LessOrEqual(t, ttl, 900)
	require.GreaterOrEqual(t, ttl, int(admin.TTL(t.Context(), "myapp:session2").Val().Seconds()))
	require.JSONEq(t, sessionJSON, ask(b, "value", chromedp.Value(css("#stringValue"))))
	b.click("#viewModeJsonButton")
	b.waitText("#jqtree_string_div", `"originalMaxAge": 900000`)
	b.waitText("#jqtree_string_div", `"name": "Zoë"`)

	b.screenshot("redis-commander-session.png")

	// Edit: Redis Commander writes with a bare SET, which drops the time to live.
	var changed map[string]any
	require.NoError(t, json.Unmarshal([]byte(sessionJSON), &changed))
	changed["user"] = "changed in the browser"
	text, err := json.Marshal(changed)
	require.NoError(t, err)
	b.click("#viewModeStringButton")
	b.do("edit", chromedp.SetValue(css("#stringValue"), string(text)))
	b.click("#saveKeyButton")
	eventually(t, func() bool { return admin.Get(t.Context(), "myapp:session2").Val() == string(text) }, "the change is stored")
	require.Equal(t, time.Duration(-1), admin.TTL(t.Context(), "myapp:session2").Val())

	b.waitText("#keyTree", "session3")
	open("session3")
	b.click("#itemActionsBar .btn-danger")
	eventually(t, func() bool { return admin.Exists(t.Context(), "myapp:session3").Val() == 0 }, "the session is deleted")
	b.waitText("#keyTree", "myapp:* (4)")
	require.Contains(t, b.said()[len(b.said())-1], `delete "myapp:session3"`)
	require.EqualValues(t, 4, len(scanAll(t, admin, "myapp:*")))

	// The terminal below answers with JSON.
	say := func(line, want string) {
		b.fill("#_readline_input", line+kb.Enter)
		answer := regexp.MustCompile(`(?s)` + regexp.QuoteMeta(line) + `\s*` + want)
		eventually(t, func() bool { return answer.MatchString(b.text("#commandLineOutput")) }, "%s is answered with %s, not %s", line, want, lazy(func() string { return b.text("#commandLineOutput") }))
	}
	say("TTL myapp:session1", `[1-9]\d\d`)
	say(`SET note "two words"`, `"OK"`)
	say("GET note", `"two words"`)
	say("KEYS myapp:*", `1\) "myapp:session\d"\s*2\) "myapp:session`)
	say("nosuch x", `"ERR unknown command 'nosuch', with args beginning with: 'x' "`)
	require.Equal(t, "two words", admin.Get(t.Context(), "note").Val())
	b.waitStill("#keyTree") // the terminal reloads the tree after each line
	b.screenshot("redis-commander-terminal.png")
	require.Empty(t, b.failures)
}
