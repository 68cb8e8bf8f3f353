package config

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
)

// matchPath is glob enough for names.
func matchPath(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return err == nil && ok
}

// since72 is parameters that came after the redis-server the tests run.
var since72 = []string{"cluster-announce-human-nodename", "locale-collate", "set-max-listpack-entries", "set-max-listpack-value"}

// otherDefault is parameters whose default differs on purpose or by how the
// peer was started.
var otherDefault = []string{"port", "unixsocket", "dir", "logfile"}

func TestConfigGetNamesAndDefaultsAreRedis(t *testing.T) {
	peer := realredis.Start(t)
	theirs := map[string]string{}
	all := peer.Strings(t, "config", "get", "*")
	for i := 0; i < len(all); i += 2 {
		theirs[all[i]] = all[i+1]
	}
	ours := map[string]string{}
	for _, p := range New().Get(matchPath, "*") {
		ours[p.Name] = p.Value
	}
	for name, want := range theirs {
		got, ok := ours[name]
		require.True(t, ok, "CONFIG GET lacks %s", name)
		if !slices.Contains(otherDefault, name) {
			require.Equal(t, want, got, "default of %s", name)
		}
	}
	for name := range ours {
		p := byName[name]
		if p.flags&fromUs == 0 && !slices.Contains(since72, name) {
			require.Contains(t, theirs, name, "we have a parameter that Redis has not")
		}
	}
}

const fromUs = ours

// differs says for which parameters and values an answer of ours may differ.
func differs(p *param, value, theirs string) bool {
	switch {
	case p.refusal != "" && theirs == "OK":
		return true // refused, since there is no such function
	case p.name == "activedefrag", p.name == "bind", p.name == "port", p.name == "tls-port", p.name == "maxclients":
		return true // hooks of the server decide, and are tested there
	case strings.HasPrefix(p.name, "tls-") && strings.HasPrefix(theirs, "ERR CONFIG SET failed"):
		return strings.Contains(theirs, "TLS configuration")
	case (strings.HasPrefix(p.name, "maxmemory") || p.name == "cluster-link-sendbuf-limit") && value == "99999999999999999999":
		return true // Redis wraps around at 64 bits
	case p.name == "loglevel" && theirs != "OK":
		return true // 7.2 knows "nothing", too, and names it in the error
	case p.name == "watchdog-period" && value == "1":
		return true // shown as 20, a tick of the watchdog that we have not
	case p.flags&sensitive != 0:
		return true // would change the peer's own password
	}
	return false
}

func TestConfigSetAnswersAsRedis(t *testing.T) {
	peer := realredis.Start(t)
	values := []string{"", "foo", "yes", "NO", "0", "1", "-1", "99", "1gb", "1K", "10%", "101%", "-9223372036854775808",
		"9223372036854775807", "99999999999999999999", "01", "+1", " 1", "1.5", "a b", "1 2 3", "a/b", "normal 1 1 1", "KEA", "900 1 300 10"}
	// Passwords stay as they are: the peer would lock the test out.
	for _, name := range names {
		p := byName[name]
		if p.flags&ours != 0 || slices.Contains(since72, name) {
			continue
		}
		for _, v := range values {
			if p.flags&sensitive != 0 {
				continue
			}
			want := peer.Text(t, "config", "set", name, v)
			if differs(p, v, want) {
				continue
			}
			c := New()
			got := "OK"
			if err := c.Set([]string{name, v}, false); err != nil {
				got = err.Error()
			}
			assert.Equal(t, want, got, "CONFIG SET %s %q", name, v)
			if got == "OK" && name == p.name {
				shown := peer.Strings(t, "config", "get", name)
				mine, _ := c.Value(name)
				if !limitsAddUp(p) {
					assert.Equal(t, shown[1], mine, "CONFIG GET after CONFIG SET %s %q", name, v)
				}
			}
		}
	}
}

// limitsAddUp: the peer keeps the classes set before.
func limitsAddUp(p *param) bool { return p.name == "client-output-buffer-limit" }
