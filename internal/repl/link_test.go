package repl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/rdb"
	"coatcheck/internal/realredis"
	"coatcheck/internal/repl"
	"coatcheck/resp"
)

// follower is a target that understands SET and DEL.
type follower struct {
	set repl.Settings

	mu      sync.Mutex
	at      repl.Position
	data    map[string]string // "db key" → value
	units   [][]string        // with more than one step
	phases  []repl.Phase
	errs    []error
	fulls   int
	resumed int
}

func (f *follower) Settings() repl.Settings { return f.set }

func (f *follower) Position() repl.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *follower) Replace(_ context.Context, at repl.Position, s *repl.Snapshot) (db int, err error) {
	data := map[string]string{}
	rest, err := rdb.Load(s, rdb.LoadOptions{}, rdb.Handler{
		Entry: func(e *rdb.Entry) error {
			data[fmt.Sprint(e.DB, " ", string(e.Key))] = string(e.Value.Str)
			return nil
		},
		Aux: func(name, value string) {
			if name == "repl-stream-db" {
				_, _ = fmt.Sscan(value, &db)
			}
		},
	})
	if err != nil {
		return 0, err
	}
	if len(rest) > 0 {
		return 0, errors.New("bytes behind the snapshot")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.data, f.at = data, at
	f.at.DB = db
	f.fulls++
	return db, nil
}

func (f *follower) Continue(id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at.ID = id
	f.resumed++
	return nil
}

func (f *follower) Apply(units []repl.Unit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, u := range units {
		var names []string
		for _, s := range u.Steps {
			names = append(names, string(bytes.Join(s.Argv, []byte(" "))))
			key := fmt.Sprint(s.DB, " ", string(s.Argv[1]))
			switch strings.ToUpper(string(s.Argv[0])) {
			case "SET":
				f.data[key] = string(s.Argv[2])
			case "DEL":
				delete(f.data, key)
			default:
				return fmt.Errorf("%q", s.Argv)
			}
		}
		if len(names) > 1 {
			f.units = append(f.units, names)
		}
		f.at.Offset += int64(len(u.Raw))
		f.at.DB = u.DB
	}
	return nil
}

func (f *follower) Phase(p repl.Phase, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.phases = append(f.phases, p)
	if err != nil {
		f.errs = append(f.errs, err)
	}
}

// has waits until the follower holds what is wanted.
func (f *follower) has(t *testing.T, key, value string) {
	t.Helper()
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.data[key] == value
	}, 20*time.Second, time.Millisecond, "%s = %s", key, value)
}

func run(t *testing.T, f *follower) {
	if f.set.Timeout == 0 {
		f.set.Timeout = 10 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { repl.NewLink(f, nil).Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// Both forms of a snapshot, then commands, transactions as one unit, in the right db;
// cut connections go on where they were.
func TestFollowsARealMaster(t *testing.T) {
	for _, diskless := range []string{"yes", "no"} {
		t.Run("diskless "+diskless, func(t *testing.T) {
			m := realredis.Listen(t, "--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0", "--requirepass", "secret", "--enable-debug-command", "yes")
			ask := func(args ...string) resp.Value {
				conn, err := net.Dial("tcp", m.Addr)
				require.NoError(t, err)
				defer conn.Close()
				_, err = conn.Write(append(resp.AppendCommand(nil, "AUTH", "secret"), resp.AppendCommand(nil, args...)...))
				require.NoError(t, err)
				d := resp.NewDecoder(conn)
				_, err = d.Decode()
				require.NoError(t, err)
				v, err := d.Decode()
				require.NoError(t, err)
				return v
			}
			big := strings.Repeat("x", 300_000)
			for i := range 50 {
				ask("SET", fmt.Sprint("big", i), big)
			}
			ask("SET", "a", "1")
			proxy := realredis.NewProxy(t, m.Addr)
			f := &follower{set: repl.Settings{Addr: proxy.Addr, Password: "secret", ListenPort: 4242}}
			run(t, f)
			f.has(t, "0 a", "1")
			f.has(t, "0 big49", big)
			require.Contains(t, ask("INFO", "replication").Text, "port=4242")

			ask("SET", "b", "2")
			f.has(t, "0 b", "2")
			ask("EVAL", "redis.call('set','x','1') redis.call('select',3) redis.call('set','y','2') redis.call('set','z','3') redis.call('del','z') return 1", "0")
			f.has(t, "3 y", "2")
			f.mu.Lock()
			require.Equal(t, [][]string{{"SET x 1", "SET y 2", "SET z 3", "DEL z"}}, upper(f.units))
			f.mu.Unlock()
			require.Equal(t, int64(1), ask("WAIT", "1", "5000").Int)
			proxy.Shut(true)
			ask("SET", "while away", big)
			proxy.Shut(false)
			f.has(t, "0 while away", big)
			f.mu.Lock()
			defer f.mu.Unlock()
			require.Equal(t, 1, f.fulls)
			require.GreaterOrEqual(t, f.resumed, 1)
			require.Contains(t, f.phases, repl.PhaseSync)
		})
	}
}

func upper(units [][]string) [][]string {
	for _, u := range units {
		for i, s := range u {
			name, rest, _ := strings.Cut(s, " ")
			u[i] = strings.ToUpper(name) + " " + rest
		}
	}
	return units
}

// A snapshot that is cut short anywhere is not taken for a whole one.
func TestSnapshotCutShort(t *testing.T) {
	m := realredis.Listen(t, "--repl-diskless-sync-delay", "0")
	for i := range 100 {
		m.Text("SET", fmt.Sprint("k", i), strings.Repeat("v", 100))
	}
	proxy := realredis.NewProxy(t, m.Addr)
	f := &follower{set: repl.Settings{Addr: proxy.Addr}}
	proxy.CutAfter(2000)
	run(t, f)
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.errs) >= 2
	}, 20*time.Second, time.Millisecond)
	f.mu.Lock()
	require.Zero(t, f.fulls)
	f.mu.Unlock()
	proxy.CutAfter(-1)
	f.has(t, "0 k99", strings.Repeat("v", 100))
}

// fakeMaster answers each line with what it has, then what comes.
func fakeMaster(t *testing.T, talk func(conn net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				talk(conn)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// What a master may say that is wrong ends the connection, with a reason, and nothing
// else.
func TestHostileMaster(t *testing.T) {
	id := strings.Repeat("a", 40)
	full := "+PONG\r\n+OK\r\n+FULLRESYNC " + id + " 0\r\n"
	empty := "REDIS0009\xff\x00\x00\x00\x00\x00\x00\x00\x00"
	for _, c := range []struct{ says, why string }{
		{"-ERR no\r\n", "answers PING"},
		{strings.Repeat("x", 100_000), "a line too long"},
		{"+PONG\r\n+OK\r\n+FULLRESYNC\r\n", "does not send"},
		{"+PONG\r\n+OK\r\n+FULLRESYNC short 0\r\n", "answers PSYNC"},
		{"+PONG\r\n+OK\r\n+FULLRESYNC " + id + " -5\r\n", "answers PSYNC"},
		{"+PONG\r\n+OK\r\n+FULLRESYNC " + id + " 99999999999999999999\r\n", "answers PSYNC"},
		{"+PONG\r\n+OK\r\n+CONTINUE\r\n", "answers PSYNC"},
		{"+PONG\r\n+OK\r\n-LOADING\r\n", "LOADING"},
		{full + "-ERR disk\r\n", "cannot send"},
		{full + "$-1\r\n", "before the snapshot"},
		{full + "$+5\r\n", "before the snapshot"},
		{full + "$99999999999999999999\r\n", "before the snapshot"},
		{full + "$9223372036854775807\r\n" + empty + "x", "behind the snapshot"},
		{full + "$EOF:short\r\n", "before the snapshot"},
		{full + "$5\r\nREDIS", "unexpected EOF"},
		{full + "$18\r\nREDIS0009\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff", ""},
		{full + "$EOF:" + id + "\r\n" + empty + "+OK\r\n", ""},
		{full + "$EOF:" + id + "\r\n" + empty + id + "more", "behind the snapshot"},
		{full + "$18\r\n" + empty + "*-1\r\n*1\r\n$-2\r\n", "invalid bulk length"},
		{full + "$18\r\n" + empty + "*9999999999999\r\n", "invalid multibulk length"},
		{full + "$18\r\n" + empty + "*2147483647\r\n$9223372036854775807\r\n", "invalid bulk length"},
		{full + "$18\r\n" + empty + "*1\r\n$5\r\nMULTI\r\n*1\r\n$5\r\nMULTI\r\n", "MULTI within"},
		{full + "$18\r\n" + empty + "*1\r\n$4\r\nEXEC\r\n", "EXEC without"},
		{full + "$18\r\n" + empty + "*2\r\n$6\r\nSELECT\r\n$2\r\n-1\r\n", "SELECT"},
	} {
		addr := fakeMaster(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, c.says) // it may have hung up
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
		})
		f := &follower{set: repl.Settings{Addr: addr}}
		run(t, f)
		require.Eventually(t, func() bool {
			f.mu.Lock()
			defer f.mu.Unlock()
			return len(f.errs) > 0
		}, 20*time.Second, time.Millisecond, "%.200q", c.says)
		f.mu.Lock()
		require.ErrorContains(t, f.errs[0], c.why, "%.200q", c.says)
		f.mu.Unlock()
	}
}

// A master that falls silent is left.
func TestSilentMaster(t *testing.T) {
	addr := fakeMaster(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	f := &follower{set: repl.Settings{Addr: addr, Timeout: 50 * time.Millisecond}}
	run(t, f)
	require.Eventually(t, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		var ne net.Error
		return len(f.errs) > 1 && errors.As(f.errs[0], &ne) && ne.Timeout()
	}, 20*time.Second, time.Millisecond)
}
