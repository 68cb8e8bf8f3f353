//go:build linux

package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

// Load says how a workload is put on a server.
type Load struct {
	Workload Workload
	// Depth is the number of commands that a connection of a closed loop sends
	// at once before it waits for their replies; 0 means 1.
	Depth int
	// Rate, when not 0, makes it an open loop: so many commands a second over
	// all connections, at random moments (exponential gaps), sent when due
	// whether or not earlier ones were answered.
	Rate float64
	// A load ends after Duration, or when Ops commands were sent, or when all
	// sources have run dry: whichever comes first. One of Duration and Ops
	// must be given, or the sources be finite.
	Duration time.Duration
	Ops      int
}

// Result is what a load was answered.
type Result struct {
	Ops     int // commands answered
	Misses  int // of them with a null
	Errors  int // of them with an error
	Err     error
	Elapsed time.Duration // from the first command sent to the last reply
	// Latency holds nanoseconds: in a closed loop from the sending of a
	// batch to its last reply, once for each command; in an open loop from
	// the moment a command was due to its reply.
	Latency *hdrhistogram.Histogram
	// Lag holds, for an open loop, the nanoseconds from the moment a command
	// was due to its sending: what the driver itself adds.
	Lag *hdrhistogram.Histogram
	// Unanswered commands had no reply when the driver gave up waiting.
	Unanswered int
}

// Throughput is commands a second.
func (r Result) Throughput() float64 { return float64(r.Ops) / r.Elapsed.Seconds() }

// Percentile is a latency.
func (r Result) Percentile(p float64) time.Duration {
	return time.Duration(r.Latency.ValueAtPercentile(p))
}

// Fleet is a number of connections to one server, driven by few threads.
type Fleet struct {
	loops []*loop
	size  int
}

// Connect opens conns connections to addr ("tcp:host:port" or "unix:path"),
// driven by the given number of threads; 0 means 1.
func Connect(addr string, conns, threads int) (*Fleet, error) {
	threads = min(max(threads, 1), conns)
	if err := raiseFileLimit(conns + 100); err != nil {
		return nil, err
	}
	sa, err := sockaddr(addr)
	if err != nil {
		return nil, err
	}
	f := &Fleet{size: conns}
	for range threads {
		l, err := newLoop()
		if err != nil {
			f.Close()
			return nil, err
		}
		f.loops = append(f.loops, l)
	}
	for i := range conns {
		if err := f.loops[i%threads].connect(sa); err != nil {
			f.Close()
			return nil, fmt.Errorf("connection %d of %d to %s: %w", i+1, conns, addr, err)
		}
	}
	return f, nil
}

// Close ends all connections.
func (f *Fleet) Close() {
	for _, l := range f.loops {
		l.close()
	}
}

// Run puts a load on the server and waits for its end, at the latest Timeout
// after the last command was sent. The error, if any, is that of the first
// connection that failed; error replies are only counted.
func (f *Fleet) Run(ctx context.Context, load Load) (Result, error) {
	if load.Depth == 0 {
		load.Depth = 1
	}
	runs := make([]loopRun, len(f.loops))
	var wait sync.WaitGroup
	start := time.Now()
	for i, l := range f.loops {
		share := load
		share.Rate /= float64(len(f.loops))
		share.Ops = (load.Ops + len(f.loops) - 1) / len(f.loops)
		runs[i] = newLoopRun(ctx, l, share, start)
		for j, c := range l.conns {
			c.source = load.Workload.Source(i+j*len(f.loops), f.size)
		}
		wait.Go(runs[i].run)
	}
	wait.Wait()
	return merge(runs, load.Rate > 0)
}

func merge(runs []loopRun, open bool) (Result, error) {
	res := Result{Latency: newHistogram()}
	if open {
		res.Lag = newHistogram()
	}
	var errs []error
	for i := range runs {
		r := &runs[i]
		res.Ops += r.answered
		res.Unanswered += r.sent - r.answered
		res.Elapsed = max(res.Elapsed, time.Duration(r.last))
		res.Latency.Merge(r.latency)
		if open {
			res.Lag.Merge(r.lag)
		}
		for _, c := range r.loop.conns {
			res.Misses += c.in.misses
			res.Errors += c.in.errors
			if res.Err == nil {
				res.Err = c.in.first
			}
			c.in = replies{}
		}
		errs = append(errs, r.err)
	}
	return res, errors.Join(errs...)
}

// newHistogram takes 1 ns to 100 s with three digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, 100e9, 3) }

func raiseFileLimit(n int) error {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return fmt.Errorf("ask for the limit of open files: %w", err)
	}
	if lim.Cur >= uint64(n) {
		return nil
	}
	if lim.Max < uint64(n) {
		return fmt.Errorf("driver: %d open files needed, the limit is %d", n, lim.Max)
	}
	lim.Cur = lim.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	return nil
}
