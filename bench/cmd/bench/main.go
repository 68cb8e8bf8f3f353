//go:build linux

// Command bench puts one session workload on one server and tells how it went.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"coatcheck/bench/driver"
	"coatcheck/bench/peers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	addr, workload string
	conns, threads int
	pid            int
	keep           bool
	load           driver.Load
	sessions       driver.Sessions
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&o.addr, "addr", "tcp:127.0.0.1:6379", "server, `tcp:host:port` or unix:path")
	flags.StringVar(&o.workload, "workload", "read", "one of "+strings.Join(names(), ", "))
	flags.IntVar(&o.conns, "conns", 50, "connections")
	flags.IntVar(&o.threads, "threads", 1, "threads of the driver")
	flags.IntVar(&o.load.Depth, "depth", 1, "commands a connection sends at once (closed loop)")
	flags.Float64Var(&o.load.Rate, "rate", 0, "offered commands a second (open loop); 0 is a closed loop")
	flags.DurationVar(&o.load.Duration, "duration", 3*time.Second, "how long")
	flags.IntVar(&o.load.Ops, "ops", 0, "end after so many commands; 0: after the duration")
	flags.Uint64Var(&o.sessions.Count, "sessions", 100_000, "sessions")
	flags.IntVar(&o.sessions.ValueSize, "value", 300, "bytes of a session")
	flags.DurationVar(&o.sessions.TTL, "ttl", 30*time.Minute, "time to live that is written")
	flags.BoolVar(&o.keep, "keep", false, "do not write all sessions first")
	flags.IntVar(&o.pid, "pid", 0, "the server's process, to tell its CPU time")
	err = flags.Parse(args)
	if o.load.Ops > 0 {
		o.load.Duration = 0
	}
	return o, err
}

func names() (all []string) {
	for _, w := range driver.Workloads(driver.Sessions{Count: 1, ValueSize: 300}) {
		all = append(all, w.Name)
	}
	return all
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.sessions.ValueSize < driver.MinValue {
		return fmt.Errorf("-value: at least %d", driver.MinValue)
	}
	var ok bool
	if o.load.Workload, ok = driver.Named(o.sessions, o.workload); !ok {
		return fmt.Errorf("-workload %s: one of %s", o.workload, strings.Join(names(), ", "))
	}
	fleet, err := driver.Connect(o.addr, o.conns, o.threads)
	if err != nil {
		return err
	}
	defer fleet.Close()
	if !o.keep {
		fill := driver.Load{Workload: driver.Fill(o.sessions), Depth: 64}
		if _, err := fleet.Run(ctx, fill); err != nil {
			return err
		}
	}
	before := cpu(o.pid)
	res, err := fleet.Run(ctx, o.load)
	if err != nil {
		return err
	}
	tell(out, res, cpu(o.pid)-before)
	return res.Err
}

func cpu(pid int) time.Duration {
	if pid == 0 {
		return 0
	}
	used, err := peers.CPUTime(pid)
	if err != nil {
		return 0
	}
	return used
}

func tell(out io.Writer, res driver.Result, cpu time.Duration) {
	fmt.Fprintf(out, "%d commands in %.2f s, %.0f a second, %d misses, %d errors, %d unanswered\n",
		res.Ops, res.Elapsed.Seconds(), res.Throughput(), res.Misses, res.Errors, res.Unanswered)
	fmt.Fprintf(out, "latency p50 %v, p99 %v, p99.9 %v, max %v\n", res.Percentile(50), res.Percentile(99),
		res.Percentile(99.9), time.Duration(res.Latency.Max()))
	if res.Lag != nil {
		fmt.Fprintf(out, "of that the driver's own lag: p50 %v, p99 %v\n",
			time.Duration(res.Lag.ValueAtPercentile(50)), time.Duration(res.Lag.ValueAtPercentile(99)))
	}
	if cpu > 0 {
		fmt.Fprintf(out, "server CPU %.2f µs a command\n", float64(cpu)/float64(res.Ops)/1e3)
	}
}
