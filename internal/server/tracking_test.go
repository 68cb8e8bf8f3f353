package server_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/server"
	"coatcheck/resp"
)

// cache is a client that keeps what it has read until it is told to forget it.
type cache struct {
	*peer
	d    *resp.Decoder
	kept map[string]string
}

func newCache(p *peer, tracking string) *cache {
	p.hello3()
	c := &cache{p, resp.NewDecoder(p.r), map[string]string{}}
	c.ask(tracking)
	return c
}

// ask sends a command and takes what is pushed before its reply.
func (c *cache) ask(line string) resp.Value {
	c.t.Helper()
	c.send(line + "\r\n")
	for {
		v, err := c.d.Decode()
		require.NoError(c.t, err)
		if v.Kind != '>' {
			return v
		}
		require.Equal(c.t, "invalidate", v.Elems[0].Text)
		if v.Elems[1].Kind == '_' {
			clear(c.kept)
		}
		for _, key := range v.Elems[1].Elems {
			delete(c.kept, key.Text)
		}
	}
}

// Whatever others do, what a cache keeps is what the server has.
func TestCachesAreNeverStale(t *testing.T) {
	writes := []string{"SET %s %d", "SET %s %d EX 100", "APPEND %s %d", "DEL %s", "EXPIRE %s 1%d", "PERSIST %s", "MSET %s %d k3 9", "RENAME %s k4", "GETDEL %s", "PEXPIRE %s -%d"}
	for _, mode := range []string{"", " BCAST", " BCAST PREFIX k", " NOLOOP", " OPTOUT", " BCAST NOLOOP"} {
		t.Run(mode, func(t *testing.T) {
			each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
				const seed = 7
				rnd := rand.New(rand.NewPCG(seed, 0))
				c, w := newCache(dial(), "CLIENT TRACKING ON"+mode), newCache(dial(), "PING")
				for step := range 400 {
					key := fmt.Sprintf("k%d", rnd.IntN(6))
					switch rnd.IntN(3) {
					case 0:
						c.kept[key] = c.ask("GET " + key).String()
					case 1:
						line := writes[rnd.IntN(len(writes))]
						if strings.Contains(line, "%d") {
							line = fmt.Sprintf(line, key, step)
						} else {
							line = fmt.Sprintf(line, key)
						}
						w.ask(line)
						if rnd.IntN(40) == 0 {
							w.ask("FLUSHALL")
						}
					case 2:
						c.ask("PING")
						for key, value := range c.kept {
							require.Equal(t, w.ask("GET "+key).String(), value, "seed %d, step %d: %s", seed, step, key)
						}
					}
				}
			})
		})
	}
}

// Changes in one packet are told together in BCAST mode.
func TestBroadcastTellsOfABatch(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		c, w := dial(), dial()
		c.hello3()
		c.ask("CLIENT TRACKING ON BCAST PREFIX a\r\n", "+OK\r\n")
		w.ask("MSET a2 1 b 1\r\nSET a1 1\r\nDEL a2\r\n", "+OK\r\n+OK\r\n:1\r\n")
		c.expect(">2\r\n" + bulk("invalidate") + "*2\r\n" + bulk("a1") + bulk("a2"))
		c.ask("PING\r\n", "+PONG\r\n")
	})
}

// A killed target is gone at once.
func TestKilledRedirection(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		target, c, w := dial(), dial(), dial()
		id := target.id()
		c.hello3()
		c.ask(fmt.Sprintf("CLIENT TRACKING ON REDIRECT %d\r\nGET k\r\n", id), "+OK\r\n_\r\n")
		w.ask(fmt.Sprintf("CLIENT KILL ID %d\r\nSET k v\r\n", id), ":1\r\n+OK\r\n")
		c.expect(">2\r\n" + bulk("tracking-redir-broken") + fmt.Sprintf(":%d\r\n", id))
		c.ask(fmt.Sprintf("CLIENT TRACKING ON REDIRECT %d\r\n", id), "-ERR The client ID you want redirect to does not exist\r\n")
	})
}

// Who tracks and goes leaves no prefix behind.
func TestTrackersLeaveNothing(t *testing.T) {
	each(t, nil, func(t *testing.T, srv *server.Server, dial func() *peer) {
		p := dial()
		for i := range 10 {
			c := dial()
			c.hello3()
			c.ask(fmt.Sprintf("CLIENT TRACKING ON BCAST PREFIX a PREFIX b%d\r\n", i), "+OK\r\n")
			c.Close()
		}
		until(t, "only the first client is left", func() bool { return srv.Counts().Clients == 1 })
		tracking := srv.Snapshot().Tracking
		require.Zero(t, tracking)
		p.ask("SET a v\r\n", "+OK\r\n")
	})
}
