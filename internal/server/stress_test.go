package server_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/config"
	"coatcheck/internal/server"
	"coatcheck/internal/server/servertest"
	"coatcheck/resp"
)

// Many clients on every transport at once, while others kill, monitor, pause,
// change the configuration and do not read. What one client writes it reads
// back, in order; afterwards the server still works, and nothing is left over.
func TestStress(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "s")
	srv := servertest.Start(t, func(o *server.Options) {
		o.Config.UnixSocket, o.Config.IOThreads = sock, 2
		o.Config.OutputLimits[config.ClassNormal] = config.OutputLimit{Hard: 1 << 20}
	})
	other := servertest.Start(t, func(o *server.Options) { o.GoroutinePerConn = true })
	dials := []func() (net.Conn, error){
		func() (net.Conn, error) { return net.Dial("tcp", srv.Addr().String()) },
		func() (net.Conn, error) { return net.Dial("unix", sock) },
		func() (net.Conn, error) { return srv.Dial(context.Background(), "", "") },
		func() (net.Conn, error) { return net.Dial("tcp", other.Addr().String()) },
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	for i := range 16 {
		dial := dials[i%len(dials)]
		for _, behave := range []func(*testing.T, net.Conn, *rand.Rand, string) error{readsBack, readsNothing, disturbs} {
			running.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(i), 1))
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					conn, err := dial()
					if errors.Is(err, syscall.EAGAIN) {
						continue // a unix socket whose backlog is full
					}
					if err != nil {
						t.Errorf("dial: %v", err)
						return
					}
					_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
					if err := behave(t, conn, rng, fmt.Sprintf("k%d-%d", i, n)); err != nil {
						t.Error(err)
					}
					conn.Close()
				}
			})
		}
	}
	<-time.After(3 * time.Second)
	close(stop)
	running.Wait()
	for _, s := range []*server.Server{srv, other} {
		p := newPeer(t, dialPipe(t, s))
		p.ask("CLIENT UNPAUSE\r\nSET k v\r\nGET k\r\n", "+OK\r\n+OK\r\n"+bulk("v"))
		require.Zero(t, s.Stats.Panics)
		until(t, "all others have gone", func() bool { return s.Counts().Clients == 1 })
	}
}

// readsBack writes and reads; it may be killed at any time, but never answered
// wrongly.
func readsBack(_ *testing.T, conn net.Conn, rng *rand.Rand, key string) error {
	replies := resp.NewDecoder(conn)
	for range 20 {
		depth := 1 + rng.IntN(20)
		var in []byte
		var want []string
		for range depth {
			value := strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN(5000))
			in = resp.AppendCommand(in, "SET", key, value)
			in = resp.AppendCommand(in, "GET", key)
			want = append(want, "OK", value)
		}
		go func() { _, _ = conn.Write(in) }()
		for _, w := range want {
			v, err := replies.Decode()
			if err != nil {
				return nil // killed
			}
			if got := v.Text; got != w {
				return fmt.Errorf("got %.60q, want %.60q", v, w)
			}
		}
	}
	return nil
}

// readsNothing asks for more than its limit and does not read.
func readsNothing(_ *testing.T, conn net.Conn, rng *rand.Rand, key string) error {
	in := resp.AppendCommand(nil, "SET", key, strings.Repeat("v", 40000))
	if rng.IntN(2) == 0 {
		in = append(in, "MONITOR\r\n"...)
	}
	for range 200 {
		in = resp.AppendCommand(in, "GET", key)
	}
	_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond))
	for range 3 {
		if _, err := conn.Write(in); err != nil {
			break
		}
	}
	return nil
}

// disturbs kills, pauses, lists and reconfigures.
func disturbs(_ *testing.T, conn net.Conn, rng *rand.Rand, key string) error {
	for range 10 {
		var in []byte
		for range 5 {
			switch rng.IntN(8) {
			case 0:
				in = resp.AppendCommand(in, "CLIENT", "KILL", "ID", fmt.Sprint(1+rng.IntN(300)))
			case 1:
				in = resp.AppendCommand(in, "CLIENT", "PAUSE", fmt.Sprint(rng.IntN(5)), []string{"ALL", "WRITE"}[rng.IntN(2)])
			case 2:
				in = resp.AppendCommand(in, "CLIENT", "LIST")
			case 3:
				in = resp.AppendCommand(in, "CONFIG", "SET", "timeout", fmt.Sprint(rng.IntN(2)*100))
			case 4:
				in = resp.AppendCommand(in, "CONFIG", "SET", "client-output-buffer-limit", fmt.Sprintf("normal %d 0 0", 1<<20+rng.IntN(1<<20)))
			case 5:
				in = resp.AppendCommand(in, "KEYS", "*")
			case 6:
				in = resp.AppendCommand(in, "CLIENT", "REPLY", "ON")
			default:
				in = resp.AppendCommand(in, "INFO", "clients")
			}
		}
		in = resp.AppendCommand(in, "ECHO", "over")
		go func() { _, _ = conn.Write(in) }()
		replies := resp.NewDecoder(conn)
		for {
			v, err := replies.Decode()
			if err != nil {
				return nil
			}
			if v.String() == `$"over"` {
				break
			}
		}
	}
	return nil
}
