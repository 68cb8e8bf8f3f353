//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"coatcheck/bench/driver"
	"coatcheck/resp"
)

// kinds are what clients are like: how many there are at any time, and what one
// does from coming to going. Whatever a visit meets, an error ends it: the server
// may close clients, and the next one comes.
var kinds = []struct {
	name  string
	many  int
	visit func(ctx context.Context, w *worker, c *client) error
}{
	{"web applications", 40, sessions},
	{"users of lists, hashes, sets, sorted sets, streams", 20, types},
	{"transactions with WATCH", 10, transactions},
	{"subscribers", 30, subscribers},
	{"publishers", 5, publishers},
	{"clients that wait in BLPOP, and go meanwhile", 20, waiters},
	{"clients that track keys", 10, trackers},
	{"scripts", 5, scripts},
	{"clients in MONITOR", 2, monitors},
	{"walks by SCAN and KEYS", 3, walks},
	{"clients that do not read", 3, deaf},
	{"half frames and garbage", 10, garbled},
	{"idle ones", 100, idle},
	{"operators: INFO, CLIENT LIST, CONFIG SET, BGSAVE, SLOWLOG", 2, operators},
}

// worker is a place for one client after another.
type worker struct {
	addr string
	rnd  *rand.Rand
}

func newWorker(addr string, seed uint64) *worker {
	return &worker{addr, rand.New(rand.NewPCG(seed, 1))}
}

// live has clients come and go until ctx ends.
func (w *worker) live(ctx context.Context, visit func(context.Context, *worker, *client) error) {
	for ctx.Err() == nil {
		c, err := dial(w.addr)
		if err != nil {
			w.pause(ctx, time.Second)
			continue
		}
		unhook := context.AfterFunc(ctx, func() { c.Close() })
		_ = visit(ctx, w, c) // see kinds
		if unhook() {
			c.Close()
		}
		w.pause(ctx, 50*time.Millisecond)
	}
}

// pause waits for about d, or for the end.
func (w *worker) pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(time.Duration(float64(d) * (0.5 + w.rnd.Float64()))):
	case <-ctx.Done():
	}
}

// id is one of some sessions.
func (w *worker) id() string { return fmt.Sprintf("myapp:%032x", w.rnd.IntN(20_000)) }

// client is a raw connection.
type client struct {
	net.Conn
	dec *resp.Decoder
}

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("unix", strings.TrimPrefix(addr, "unix:"), driver.Timeout)
	if err != nil {
		return nil, err
	}
	return &client{conn, resp.NewDecoder(conn)}, conn.SetDeadline(time.Now().Add(2 * driver.Timeout))
}

// do sends commands, a line each, as one pipeline, and reads their replies.
func (c *client) do(lines ...string) error {
	var b []byte
	for _, l := range lines {
		b = resp.AppendCommand(b, strings.Split(l, " ")...)
	}
	if _, err := c.Write(b); err != nil {
		return err
	}
	for range lines {
		if _, err := c.dec.Decode(); err != nil {
			return err
		}
	}
	return nil
}

// some runs step a few times, with pauses.
func (w *worker) some(ctx context.Context, most int, step func() error) error {
	for range 1 + w.rnd.IntN(most) {
		if err := step(); err != nil {
			return err
		}
		w.pause(ctx, 40*time.Millisecond)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

var value = strings.Repeat("v", 300)

func sessions(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 200, func() error {
		id := w.id()
		if w.rnd.IntN(10) == 0 {
			return c.do("SET "+id+" "+value+" PX 20000", "DEL "+w.id())
		}
		return c.do("SET "+id+" "+value[:100+w.rnd.IntN(200)]+" PX 15000", "GET "+id, "PEXPIRE "+w.id()+" 10000")
	})
}

func types(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 100, func() error {
		n, m := w.rnd.IntN(50), w.rnd.IntN(1000)
		return c.do(
			fmt.Sprintf("RPUSH list:%d element%d", n, m), fmt.Sprintf("LTRIM list:%d -200 -1", n), fmt.Sprintf("EXPIRE list:%d 20", n),
			fmt.Sprintf("HSET hash:%d f%d %d", n, m, m), fmt.Sprintf("HPEXPIRE hash:%d 5000 FIELDS 1 f%d", n, m), fmt.Sprintf("EXPIRE hash:%d 20", n),
			fmt.Sprintf("SADD set:%d m%d", n, m), fmt.Sprintf("EXPIRE set:%d 20", n),
			fmt.Sprintf("ZADD zset:%d %d m%d", n, m, m), fmt.Sprintf("ZREMRANGEBYRANK zset:%d 0 -500", n), fmt.Sprintf("EXPIRE zset:%d 20", n),
			fmt.Sprintf("XADD stream:%d MAXLEN 200 * f %d", n, m), fmt.Sprintf("EXPIRE stream:%d 20", n),
			fmt.Sprintf("DUMP set:%d", n), fmt.Sprintf("ZUNIONSTORE zset:u%d 2 zset:%d zset:%d", n, n, n/2), fmt.Sprintf("EXPIRE zset:u%d 20", n))
	})
}

func transactions(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 100, func() error {
		id := w.id()
		return c.do("WATCH "+id, "GET "+id, "MULTI", "SET "+id+" "+value+" PX 15000", "INCR counter", "EXPIRE counter 20", "EXEC")
	})
}

func subscribers(ctx context.Context, w *worker, c *client) error {
	err := c.do(fmt.Sprintf("HELLO %d", 2+w.rnd.IntN(2)), fmt.Sprintf("SUBSCRIBE news:%d", w.rnd.IntN(10)),
		"PSUBSCRIBE __keyevent@0__:expired", fmt.Sprintf("SSUBSCRIBE shard:%d", w.rnd.IntN(10)))
	if err != nil {
		return err
	}
	return c.listen(time.Duration(1+w.rnd.IntN(20)) * time.Second)
}

// listen reads whatever comes for d.
func (c *client) listen(d time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, c)
	return err
}

func publishers(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 200, func() error {
		n := w.rnd.IntN(10)
		return c.do(fmt.Sprintf("PUBLISH news:%d %s", n, value), fmt.Sprintf("SPUBLISH shard:%d x", n), fmt.Sprintf("LPUSH queue:%d x", n), fmt.Sprintf("EXPIRE queue:%d 20", n))
	})
}

func waiters(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 20, func() error {
		if w.rnd.IntN(4) == 0 { // it goes while it waits
			_, err := c.Write(resp.AppendCommand(nil, "BLPOP", "nothing", "0"))
			w.pause(ctx, 200*time.Millisecond)
			if err == nil {
				err = io.EOF
			}
			return err
		}
		return c.do(fmt.Sprintf("BLPOP queue:%d 0.5", w.rnd.IntN(10)))
	})
}

func trackers(ctx context.Context, w *worker, c *client) error {
	mode := []string{"CLIENT TRACKING ON", "CLIENT TRACKING ON BCAST PREFIX myapp:"}[w.rnd.IntN(2)]
	if err := c.do("HELLO 3", mode); err != nil {
		return err
	}
	for range 200 {
		if _, err := c.Write(resp.AppendCommand(nil, "GET", w.id())); err != nil {
			return err
		}
	}
	return c.listen(time.Duration(1+w.rnd.IntN(10)) * time.Second)
}

func scripts(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 50, func() error {
		text := fmt.Sprintf("local\tv=redis.call('GET',KEYS[1])redis.call('SET',KEYS[1],ARGV[1],'PX',10000)return\tv--%d", w.rnd.IntN(1000))
		return c.do("EVAL "+text+" 1 "+w.id()+" x", "SCRIPT FLUSH")
	})
}

func monitors(_ context.Context, w *worker, c *client) error {
	if err := c.do("MONITOR"); err != nil {
		return err
	}
	return c.listen(time.Duration(1+w.rnd.IntN(3)) * time.Second)
}

func walks(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 5, func() error {
		w.pause(ctx, 2*time.Second)
		return c.do("SCAN 0 COUNT 1000 MATCH *a*", "KEYS *ff*", "RANDOMKEY")
	})
}

// deaf asks for much and reads nothing, until it is closed.
func deaf(ctx context.Context, w *worker, c *client) error {
	if err := c.do("SET big " + strings.Repeat("x", 1<<20) + " EX 20"); err != nil {
		return err
	}
	if w.rnd.IntN(2) == 0 {
		if err := c.do("SUBSCRIBE news:1", "PSUBSCRIBE __key*"); err != nil {
			return err
		}
		w.pause(ctx, 20*time.Second)
		return nil
	}
	for range 20 {
		if _, err := c.Write(resp.AppendCommand(nil, "GET", "big")); err != nil {
			return err
		}
	}
	w.pause(ctx, 2*time.Second)
	return nil
}

func garbled(ctx context.Context, w *worker, c *client) error {
	halves := []string{"*3\r\n$3\r\nSET\r\n$5\r\nab", "*1048576\r\n", "*2\r\n$4\r\nECHO\r\n$536870912\r\nx", "*x\r\n", "POST / HTTP/1.1\r\n", "\x16\x03\x01\r\n", "AUTH wrong\r\n", "GET"}
	_, err := io.WriteString(c, halves[w.rnd.IntN(len(halves))])
	w.pause(ctx, time.Second)
	return err
}

func idle(ctx context.Context, w *worker, c *client) error {
	err := c.do("PING", fmt.Sprintf("CLIENT SETNAME idle%d", w.rnd.IntN(1000)))
	w.pause(ctx, 10*time.Second)
	return err
}

func operators(ctx context.Context, w *worker, c *client) error {
	return w.some(ctx, 10, func() error {
		w.pause(ctx, 5*time.Second)
		lines := []string{"INFO everything", "CLIENT LIST", fmt.Sprintf("CONFIG SET slowlog-log-slower-than %d hz 10", w.rnd.IntN(20_000)),
			"SLOWLOG GET", "LATENCY LATEST", "MEMORY STATS", "CLIENT PAUSE 50 WRITE", "CLIENT KILL TYPE pubsub"}
		if w.rnd.IntN(10) == 0 {
			lines = append(lines, "BGSAVE")
		}
		return c.do(lines...)
	})
}
