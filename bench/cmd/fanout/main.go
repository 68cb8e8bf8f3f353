//go:build linux

// Command fanout measures what PUBLISH and client-side caching cost a server: the
// CPU time of ours and of redis-server for the same work, in turns in one run.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/bench/peers"
	"coatcheck/resp"
)

func main() {
	ours := flag.String("ours", "bin/coatcheck", "our server's program")
	redis := flag.String("redis", "redis-server", "redis-server's program")
	rounds := flag.Int("rounds", 5, "rounds of a measurement")
	only := flag.String("only", "", "measure only what has this in its name")
	flag.Parse()
	if err := run(os.Stdout, []string{*redis, *ours}, *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

// work is something to measure. Its listeners are connections that send the
// opening and then read whatever comes; the operations are pipelined by one more.
type work struct {
	name      string
	listeners int
	opening   func(i int) []string // commands, a line each
	first     []string             // commands before the measurement
	op        string               // a pipeline's command; %d becomes its number
	ops       int                  // commands in a round
	depth     int                  // … in a pipeline
	proto     int                  // of the connection that asks
	heard     int                  // messages for each operation
}

func works() []work {
	subscribe := func(int) []string { return []string{"SUBSCRIBE news"} }
	message := strings.Repeat("m", 200)
	return []work{
		{name: "PUBLISH, nobody there", op: "PUBLISH news " + message, ops: 100000, depth: 16},
		{name: "PUBLISH to 1, one at a time", listeners: 1, opening: subscribe, op: "PUBLISH news " + message, ops: 10000, depth: 1, heard: 1},
		{name: "PUBLISH to 1, pipeline of 16", listeners: 1, opening: subscribe, op: "PUBLISH news " + message, ops: 60000, depth: 16, heard: 1},
		{name: "PUBLISH to 100, one at a time", listeners: 100, opening: subscribe, op: "PUBLISH news " + message, ops: 1000, depth: 1, heard: 100},
		{name: "PUBLISH to 100, pipeline of 16", listeners: 100, opening: subscribe, op: "PUBLISH news " + message, ops: 3200, depth: 16, heard: 100},
		{name: "PUBLISH to 5000, one at a time", listeners: 5000, opening: subscribe, op: "PUBLISH news " + message, ops: 40, depth: 1, heard: 5000},
		{name: "PUBLISH beside 10000 patterns", listeners: 1, opening: func(int) []string {
			var b strings.Builder
			b.WriteString("PSUBSCRIBE")
			for i := range 10000 {
				fmt.Fprintf(&b, " user:%d:*", i)
			}
			return []string{b.String()}
		}, op: "PUBLISH user:7:login " + message, ops: 1000, depth: 16, heard: 1},
		{name: "GET, no tracking", first: []string{"SET k v"}, op: "GET k%d", ops: 200000, depth: 16, proto: 3},
		{name: "GET with tracking on, keys known", first: []string{"CLIENT TRACKING ON"}, op: "GET k%d", ops: 200000, depth: 16, proto: 3},
		{name: "SET of keys that another has read", first: nil, listeners: 1, opening: func(int) []string {
			var keys []string
			for i := range 1000 {
				keys = append(keys, fmt.Sprintf("GET k%d", i))
			}
			return append([]string{"HELLO 3", "CLIENT TRACKING ON BCAST"}, keys...)
		}, op: "SET k%d v", ops: 100000, depth: 16},
	}
}

// server is a running program.
type server struct {
	name string
	cmd  *exec.Cmd
	sock string
}

func start(program, dir string) (*server, error) {
	s := &server{name: filepath.Base(program), sock: filepath.Join(dir, filepath.Base(program))}
	s.cmd = exec.Command(program, "--port", "0", "--unixsocket", s.sock, "--save", "", "--dir", dir, "--maxclients", "6000")
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 5000 {
		if c, err := net.Dial("unix", s.sock); err == nil {
			c.Close()
			return s, nil
		}
		time.Sleep(time.Millisecond)
	}
	return nil, fmt.Errorf("%s does not listen", program)
}

func (s *server) stop() {
	s.cmd.Process.Kill() //nolint:errcheck // it may have ended
	s.cmd.Wait()         //nolint:errcheck // it was killed
}

func run(out io.Writer, programs []string, rounds int, only string) error {
	dir, err := os.MkdirTemp("", "fanout")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	m := peers.ThisMachine()
	fmt.Fprintf(out, "%s, %d cores, %s, %s; µs of server CPU for an operation, median of %d rounds (lowest, highest)\n\n", m.CPU, m.Cores, m.Kernel, m.Go, rounds)
	fmt.Fprintf(out, "| what | %s | %s | ratio |\n|---|---|---|---|\n", filepath.Base(programs[0]), filepath.Base(programs[1]))
	for _, w := range works() {
		if !strings.Contains(w.name, only) {
			continue
		}
		all := make([][]float64, len(programs))
		for range rounds {
			for i, p := range programs {
				us, err := measure(p, dir, w)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", p, w.name, err)
				}
				all[i] = append(all[i], us)
			}
		}
		var cells []string
		for _, v := range all {
			slices.Sort(v)
			cells = append(cells, fmt.Sprintf("%.2f (%.2f, %.2f)", v[len(v)/2], v[0], v[len(v)-1]))
		}
		fmt.Fprintf(out, "| %s | %s | %.2f |\n", w.name, strings.Join(cells, " | "), all[1][rounds/2]/all[0][rounds/2])
	}
	return nil
}

// measure is the server's CPU time for an operation, in microseconds.
func measure(program, dir string, w work) (us float64, err error) {
	s, err := start(program, dir)
	if err != nil {
		return 0, err
	}
	defer s.stop()
	var heard atomic.Int64
	var readers sync.WaitGroup
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
		readers.Wait()
	}()
	for i := range w.listeners {
		c, err := net.Dial("unix", s.sock)
		if err != nil {
			return 0, err
		}
		conns = append(conns, c)
		if err := open(c, w.opening(i)); err != nil {
			return 0, err
		}
		readers.Go(func() { listen(c, &heard) })
	}
	c, err := net.Dial("unix", s.sock)
	if err != nil {
		return 0, err
	}
	conns = append(conns, c)
	first := slices.Clone(w.first)
	if w.proto == 3 {
		first = append([]string{"HELLO 3"}, first...)
	}
	if err := open(c, first); err != nil {
		return 0, err
	}
	if err := ask(c, w, w.ops/10); err != nil { // once to warm up
		return 0, err
	}
	await(&heard, int64(w.heard)*int64(w.ops/10))
	before, err := peers.CPUTime(s.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := ask(c, w, w.ops); err != nil {
		return 0, err
	}
	await(&heard, int64(w.heard)*int64(w.ops+w.ops/10))
	after, err := peers.CPUTime(s.cmd.Process.Pid)
	return float64(after-before) / float64(w.ops) / 1e3, err
}

func await(heard *atomic.Int64, n int64) {
	for begin := time.Now(); heard.Load() < n && time.Since(begin) < 20*time.Second; {
		time.Sleep(200 * time.Microsecond)
	}
}

// open sends commands and reads as many replies (a PSUBSCRIBE has more).
func open(c net.Conn, lines []string) error {
	d := resp.NewDecoder(bufio.NewReader(onlyRead{c}))
	for _, l := range lines {
		words := strings.Fields(l)
		if _, err := c.Write(resp.AppendCommand(nil, words...)); err != nil {
			return err
		}
		n := 1
		if strings.HasSuffix(words[0], "SUBSCRIBE") {
			n = len(words) - 1
		}
		for range n {
			if v, err := d.Decode(); err != nil || v.IsError() {
				return cmp.Or(err, errors.New(v.Text))
			}
		}
	}
	return nil
}

type onlyRead struct{ io.Reader }

// listen counts the messages that come.
func listen(c net.Conn, heard *atomic.Int64) {
	b := make([]byte, 64<<10)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		heard.Add(int64(bytes.Count(b[:n], []byte("message\r\n"))))
	}
}

// ask sends n commands in pipelines and reads their replies.
func ask(c net.Conn, w work, n int) error {
	d := resp.NewDecoder(bufio.NewReader(onlyRead{c}))
	var pipeline []byte
	for done := 0; done < n; done += w.depth {
		pipeline = pipeline[:0]
		for i := range w.depth {
			op := strings.ReplaceAll(w.op, "%d", fmt.Sprint((done+i)%1000))
			pipeline = resp.AppendCommand(pipeline, strings.Fields(op)...)
		}
		if _, err := c.Write(pipeline); err != nil {
			return err
		}
		for range w.depth {
			if v, err := d.Decode(); err != nil || v.IsError() {
				return cmp.Or(err, errors.New(v.Text))
			}
		}
	}
	return nil
}
