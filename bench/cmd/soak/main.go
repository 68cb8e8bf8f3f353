//go:build linux

// Command soak lets clients of all kinds come and go on one server for a long time
// and says whether its goroutines, descriptors and resident memory stay flat.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"coatcheck/bench/driver"
	"coatcheck/bench/peers"
)

func main() {
	length := flag.Duration("for", 30*time.Minute, "how long clients come and go")
	every := flag.Duration("every", 10*time.Second, "how often figures are taken")
	program := flag.String("ours", "", "our server's program; empty builds it from the tree")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	flat, err := soak(ctx, os.Stdout, *program, *length, *every)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	if !flat {
		os.Exit(1)
	}
}

// soak runs a server and its clients and writes a report. It says whether all
// stayed flat.
func soak(ctx context.Context, out io.Writer, program string, length, every time.Duration) (flat bool, err error) {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	if program == "" {
		program = filepath.Join(dir, "coatcheck")
		if text, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/coatcheck").CombinedOutput(); err != nil {
			return false, fmt.Errorf("build: %w\n%s", err, text)
		}
	}
	s, err := start(ctx, program, dir)
	if err != nil {
		return false, err
	}
	defer s.stop()
	began, load := time.Now(), peers.LoadAverage()
	samples, err := s.live(ctx, length, every)
	if err != nil {
		return false, err
	}
	m := peers.ThisMachine()
	fmt.Fprintf(out, "# Soak, %s\n\n", began.UTC().Format("2006-01-02"))
	fmt.Fprintf(out, "- Machine: %s, %d cores, %s, %s, %s; load average %s before, %s after\n", m.CPU, m.Cores, m.Memory, m.Kernel, m.Go, load, peers.LoadAverage())
	fmt.Fprintf(out, "- Commit: %s; command: `go run ./bench/cmd/soak -for %v`\n\n", commit(ctx), length)
	return report(out, samples), nil
}

func commit(ctx context.Context) string {
	text, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=10", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}

// server is the one under test.
type server struct {
	cmd  *exec.Cmd
	dir  string
	addr string // of a unix socket, in the driver's form
	ctl  *driver.Client
	log  *os.File
}

// start runs a server whose limits close clients that do not read.
func start(ctx context.Context, program, dir string) (*server, error) {
	s := &server{dir: dir, addr: "unix:" + filepath.Join(dir, "s")}
	var err error
	if s.log, err = os.Create(filepath.Join(dir, "log")); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(program, "--port", "0", "--unixsocket", filepath.Join(dir, "s"), "--dir", dir, "--save", "",
		"--client-output-buffer-limit", "normal 4mb 0 0", "--client-output-buffer-limit", "pubsub 4mb 0 0",
		"--notify-keyspace-events", "KEA", "--timeout", "60", "--loglevel", "warning")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for range 1000 {
		if s.ctl, err = driver.Dial(s.addr); err == nil {
			return s, nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			s.stop()
			return nil, ctx.Err()
		}
	}
	s.stop()
	return nil, fmt.Errorf("the server does not listen: %w", err)
}

func (s *server) stop() {
	s.cmd.Process.Kill() //nolint:errcheck // it may have ended
	s.cmd.Wait()         //nolint:errcheck // it was killed
	s.log.Close()
}

// live lets clients come and go and takes figures meanwhile: the first sample is
// from before, the last from after everybody has gone.
func (s *server) live(ctx context.Context, length, every time.Duration) (samples []sample, err error) {
	began := time.Now()
	take := func(phase phase) error {
		one, err := s.sample(time.Since(began), phase)
		samples = append(samples, one)
		return err
	}
	if err := take(before); err != nil {
		return nil, err
	}
	busy, stop := context.WithTimeout(ctx, length)
	defer stop()
	var clients sync.WaitGroup
	for i, k := range kinds {
		for n := range k.many {
			w := newWorker(s.addr, uint64(i*1000+n))
			clients.Go(func() { w.live(busy, k.visit) })
		}
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for busy.Err() == nil && err == nil {
		select {
		case <-tick.C:
			err = take(during)
		case <-busy.Done():
		}
	}
	stop()
	clients.Wait()
	if err == nil && ctx.Err() == nil {
		err = s.calm()
	}
	if err == nil {
		err = take(after)
	}
	return samples, err
}

// calm waits until the last clients are gone and the last keys have expired, and
// has what is free given back.
func (s *server) calm() error {
	for range 600 {
		n, err := s.ctl.Int("DBSIZE")
		if err != nil {
			return err
		}
		f, err := s.figures()
		if err != nil {
			return err
		}
		if n == 0 && f["connected_clients"] == 1 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if _, err := s.ctl.Do("MEMORY", "PURGE"); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // the collector works aside
	return nil
}
