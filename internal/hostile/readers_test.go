package hostile

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Before AUTH nobody gets more reply than he reads (CVE-2025-21605).
func TestGuestsThatDoNotRead(t *testing.T) {
	p := start(t)
	for _, ask := range []string{"GET k\r\n", "AUTH wrong\r\n", "HELLO 9\r\n", "*1\r\n$1\r\nx\r\n", strings.Repeat("n", 120) + "\r\n"} {
		p.attack(t, ask[:min(len(ask)-2, 20)], 4*mib, func(t *testing.T) {
			c := p.guest()
			many := strings.Repeat(ask, 2000)
			for range 200 {
				if _, err := c.Write([]byte(many)); err != nil {
					break
				}
			}
			p.until("it is gone", func() bool { return p.clients() == p.before.clients })
		})
	}
}

// A pipeline whose replies nobody reads, a subscriber and a client in MONITOR that
// do not read: each is closed at the limit of its class.
func TestClientsThatDoNotRead(t *testing.T) {
	const limit = 8 * mib
	p := start(t, "--client-output-buffer-limit", "normal 8mb 0 0", "--client-output-buffer-limit", "pubsub 8mb 0 0")
	big := strings.Repeat("x", mib)
	p.ctl.ok("SELECT", "0")
	p.ctl.ok("SET", "big", big)
	p.settleIn(dataDB)
	for name, hostile := range map[string]struct{ begin, then string }{
		"pipeline":   {"", strings.Repeat("GET big\r\n", 100)},
		"one reply":  {"", "MGET" + strings.Repeat(" big", 1000) + "\r\n"},
		"subscriber": {"SUBSCRIBE c\r\n", ""},
		"patterns":   {"PSUBSCRIBE" + strings.Repeat(" *", 1) + " c* ?\r\n", ""},
		"MONITOR":    {"MONITOR\r\n", ""},
		"tracking":   {"HELLO 3\r\nCLIENT TRACKING ON BCAST\r\n", ""},
	} {
		p.attack(t, name, 8*limit, func(t *testing.T) {
			before := p.info("client_output_buffer_limit_disconnections")
			c := p.user()
			c.send(hostile.begin + hostile.then)
			if hostile.then == "" {
				c.reply()
			}
			feeder := p.user()
			p.until("it is closed", func() bool {
				if hostile.then == "" {
					feeder.do("PUBLISH", "c", big)
					for i := range 100 {
						feeder.do("SET", strings.Repeat("k", 40_000)+strconv.Itoa(i), "v")
					}
				}
				return p.info("client_output_buffer_limit_disconnections") > before
			})
			for i := range 100 {
				feeder.do("DEL", strings.Repeat("k", 40_000)+strconv.Itoa(i))
			}
			feeder.Close()
			c.Close()
		})
	}
}

// With maxmemory-clients many that stay below their limits are bounded, too.
func TestManyThatDoNotRead(t *testing.T) {
	p := start(t, "--maxmemory-clients", "16mb")
	p.ctl.ok("CLIENT", "NO-EVICT", "on")
	p.ctl.ok("SELECT", "0")
	p.ctl.ok("SET", "big", strings.Repeat("x", mib))
	p.settleIn(dataDB)
	p.attack(t, "pipelines", 200*mib, func(t *testing.T) {
		for range 100 {
			c := p.user()
			c.send(strings.Repeat("GET big\r\n", 6))
			defer c.Close()
		}
		p.until("enough are closed", func() bool { return p.info("evicted_clients") > 50 })
	})
	require.Less(t, p.clients(), 50)
}
