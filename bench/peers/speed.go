//go:build linux

package peers

import (
	"fmt"
	"math"
	"slices"
	"time"

	"coatcheck/bench/driver"
)

// conns is the usual number of connections, as redis-benchmark's.
const conns = 50

// valueSize is the usual size of a session.
const valueSize = 300

// closedLatency is the section of latencies in a closed loop.
const closedLatency = "Latency, closed loop"

// level is what ours must reach beside the reference, by pipeline depth.
type level struct{ cpu, throughput float64 }

var depths = []int{1, 16, 64}

var levels = map[int]level{1: {0.9, 1.0}, 16: {0.75, 1.2}, 64: {0.7, 1.3}}

// commands are the session workloads of one command each, by the name of theirs.
var commands = []struct{ name, workload string }{{"GET", "read"}, {"SET PX", "write"}, {"PEXPIRE", "touch"}}

func (r *run) usual() driver.Sessions {
	return driver.Sessions{Count: uint64(r.Scale.Sessions), ValueSize: valueSize, TTL: 30 * time.Minute}
}

// started starts and fills a server of each peer, side by side, does something
// with them and stops them.
func (r *run) started(do func(all []*instance) error) error {
	var all []*instance
	defer func() {
		for _, in := range all {
			in.stop()
		}
	}()
	for _, p := range r.peers {
		in, err := p.start(r.ctx)
		if err != nil {
			return err
		}
		all = append(all, in)
		if err := r.load(in, driver.Fill(r.usual())); err != nil {
			return fmt.Errorf("fill %s: %w", p.Name, err)
		}
	}
	return do(all)
}

// load runs a finite workload to its end, with a few pipelining connections.
func (r *run) load(in *instance, w driver.Workload) error {
	fleet, err := driver.Connect(in.addr, 4, 1)
	if err != nil {
		return err
	}
	defer fleet.Close()
	res, err := fleet.Run(r.ctx, driver.Load{Workload: w, Depth: 32})
	if err == nil {
		err = res.Err
	}
	return err
}

// sample is one measurement of one server.
type sample struct {
	driver.Result
	cpu float64 // microseconds a command
}

func (s sample) micros(p float64) float64 { return float64(s.Percentile(p)) / 1e3 }

// measureOnce puts the load on a server through connections of their own.
func (r *run) measureOnce(in *instance, conns int, l driver.Load) (sample, error) {
	fleet, err := driver.Connect(in.addr, conns, 1)
	if err != nil {
		return sample{}, err
	}
	defer fleet.Close()
	if r.Scale.Ops > 0 {
		l.Ops = max(r.Scale.Ops, conns*l.Depth)
	} else {
		l.Duration = r.Scale.Slice
	}
	before, err := CPUTime(in.pid())
	if err != nil {
		return sample{}, err
	}
	res, err := fleet.Run(r.ctx, l)
	if err == nil {
		err = res.Err
	}
	if err != nil {
		return sample{}, fmt.Errorf("%s, %s: %w", in.peer.Name, l.Workload.Name, err)
	}
	after, err := CPUTime(in.pid())
	return sample{res, float64(after-before) / float64(res.Ops) / 1e3}, err
}

// interleave measures a load on all servers in turns and tells each sample.
func (r *run) interleave(all []*instance, conns int, l driver.Load, tell func(p *Peer, s sample)) error {
	for round := range r.Scale.Rounds {
		for i := range all {
			// Who comes first changes: nobody always has the quieter turn.
			in := all[(i+round)%len(all)]
			s, err := r.measureOnce(in, conns, l)
			if err != nil {
				return err
			}
			tell(in.peer, s)
		}
	}
	return nil
}

// speed is the matrix of commands and pipeline depths on 50 connections.
func (r *run) speed() error {
	return r.started(func(all []*instance) error {
		for _, depth := range depths {
			for _, c := range commands {
				if err := r.closedLoop(all, c.name, c.workload, conns, depth, levels[depth]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (r *run) closedLoop(all []*instance, name, workload string, conns, depth int, lv level) error {
	w, _ := driver.Named(r.usual(), workload)
	what := fmt.Sprintf("%s, depth %d", name, depth)
	if conns != 50 {
		what = fmt.Sprintf("%s, %d connections", what, conns)
	}
	cpu := r.report.measure("CPU time of the server", what, "µs a command").ratioAtMost(lv.cpu)
	thr := r.report.measure("Throughput", what, "k/s").ratioAtLeast(lv.throughput)
	p50 := r.report.measure(closedLatency, what+", p50", "µs")
	p99 := r.report.measure(closedLatency, what+", p99", "µs")
	p999 := r.report.measure(closedLatency, what+", p99.9", "µs")
	load := driver.Load{Workload: w, Depth: depth}
	err := r.interleave(all, conns, load, func(p *Peer, s sample) {
		cpu.add(p, s.cpu)
		thr.add(p, s.Throughput()/1e3)
		p50.add(p, s.micros(50))
		p99.add(p, s.micros(99))
		p999.add(p, s.micros(99.9))
	})
	r.logf("  %s: %s", what, cpu.brief())
	return err
}

// manyConns is GET one by one on many connections, and what these take.
func (r *run) manyConns() error {
	if err := r.each(r.idleConns); err != nil {
		return err
	}
	return r.started(func(all []*instance) error {
		for _, n := range r.Scale.ManyConns {
			if err := r.closedLoop(all, "GET", "read", n, 1, level{cpu: 1}); err != nil {
				return err
			}
		}
		return nil
	})
}

// idleConns measures the memory of connections that have asked something once
// and wait.
func (r *run) idleConns(in *instance) error {
	n := slices.Max(r.Scale.ManyConns)
	before, err := RSS(in.pid())
	if err != nil {
		return err
	}
	fleet, err := driver.Connect(in.addr, n, 1)
	if err != nil {
		return err
	}
	defer fleet.Close()
	ping, _ := driver.Named(r.usual(), "ping")
	if _, err := fleet.Run(r.ctx, driver.Load{Workload: ping, Ops: n}); err != nil {
		return err
	}
	after, err := RSS(in.pid())
	m := r.report.measure("Resident memory", fmt.Sprintf("%d idle connections", n), "bytes a connection")
	m.add(in.peer, float64(after-before)/float64(n))
	r.logf("  %s: %s %s", m.Name, in.peer.Name, m.text(in.peer.Name))
	return err
}

// sessionLife is what a BFF does: rolling sessions, and whole lives of sessions.
func (r *run) sessionLife() error {
	return r.started(func(all []*instance) error {
		mixes := []struct{ name, workload string }{
			{"GET + EXPIRE (rolling)", "read-touch"}, {"login, 8 × (GET + PEXPIRE), logout", "login"},
		}
		for _, mix := range mixes {
			if err := r.closedLoop(all, mix.name, mix.workload, conns, 1, level{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// openLoop offers all servers the same rates: shares of what the reference does
// at most, one by one, on this machine in this run.
func (r *run) openLoop() error {
	return r.started(func(all []*instance) error {
		most, err := r.capacity(all)
		if err != nil {
			return err
		}
		for _, share := range []float64{0.25, 0.5, 0.75} {
			for _, workload := range []string{"read", "read-touch"} {
				rate := math.Max(math.Round(most*share/1000)*1000, 1000)
				if err := r.offered(all, workload, rate); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// capacity is the throughput of the reference (or the first server) one by one.
func (r *run) capacity(all []*instance) (float64, error) {
	ref := all[0]
	for _, in := range all {
		if in.peer.Name == Reference {
			ref = in
		}
	}
	w, _ := driver.Named(r.usual(), "read")
	most := &Measure{Samples: map[string][]float64{}}
	err := r.interleave([]*instance{ref}, conns, driver.Load{Workload: w, Depth: 1}, func(p *Peer, s sample) {
		most.add(p, s.Throughput())
	})
	return most.Median(ref.peer.Name), err
}

func (r *run) offered(all []*instance, workload string, rate float64) error {
	w, _ := driver.Named(r.usual(), workload)
	what := fmt.Sprintf("%s at %.0f a second", workload, rate)
	p50 := r.report.measure("Latency at the same offered load", what+", p50", "µs")
	p99 := r.report.measure("Latency at the same offered load", what+", p99", "µs").ratioAtMost(1)
	p999 := r.report.measure("Latency at the same offered load", what+", p99.9", "µs")
	lag := r.report.measure("Latency at the same offered load", what+", of p99 the driver's own lag", "µs")
	cpu := r.report.measure("CPU time of the server", what, "µs a command")
	err := r.interleave(all, conns, driver.Load{Workload: w, Depth: 1, Rate: rate}, func(p *Peer, s sample) {
		p50.add(p, s.micros(50))
		p99.add(p, s.micros(99))
		p999.add(p, s.micros(99.9))
		lag.add(p, float64(s.Lag.ValueAtPercentile(99))/1e3)
		cpu.add(p, s.cpu)
	})
	r.logf("  %s: p99 %s", what, p99.brief())
	return err
}
