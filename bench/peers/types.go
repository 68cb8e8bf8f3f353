//go:build linux

package peers

import (
	"slices"
	"time"

	"coatcheck/bench/driver"
)

// typeDepth is the pipeline depth of commands on other types than strings, typeLevel the
// CPU time that they may take beside the reference's.
const (
	typeDepth = 16
	typeLevel = 0.9
	// settleTime is how long a server has to give memory back before it is looked at.
	settleTime = 2 * time.Second
)

// types compares commands on hashes, lists, sets, sorted sets and streams, and what these
// take in memory, with the reference alone: others do not have all of it.
func (r *run) types() error {
	all := r.peers
	defer func() { r.peers = all }()
	r.peers = slices.DeleteFunc(slices.Clone(all), func(p *Peer) bool { return p.Name != Ours && p.Name != Reference })
	for _, w := range driver.TypedWorkloads(uint64(r.Scale.Sessions)) {
		if err := r.typed(w); err != nil {
			return err
		}
	}
	return r.shapes()
}

func (r *run) typed(w driver.Typed) error {
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
		if err := r.load(in, w.Fill); err != nil {
			return err
		}
	}
	cpu := r.report.measure("CPU time of the server, types", w.Name+", depth 16", "µs a command").ratioAtMost(typeLevel)
	thr := r.report.measure("Throughput, types", w.Name+", depth 16", "k/s")
	err := r.interleave(all, conns, driver.Load{Workload: w.Workload, Depth: typeDepth}, func(p *Peer, s sample) {
		cpu.add(p, s.cpu)
		thr.add(p, s.Throughput()/1e3)
	})
	r.logf("  %s: %s", w.Name, cpu.brief())
	return err
}

// shapes measures resident memory by element. Small values may take no more than the
// reference's, large ones a fifth more.
func (r *run) shapes() error {
	for _, shape := range driver.Shapes(uint64(r.Scale.MemorySessions)) {
		level := 1.2
		if shape.Packed {
			level = 1
		}
		m := r.report.measure("Resident memory, types", shape.Name, "bytes an element")
		if !r.isQuick() {
			m.ratioAtMost(level)
		}
		err := r.each(func(in *instance) error {
			before, err := RSS(in.pid())
			if err != nil {
				return err
			}
			if err := r.load(in, shape.Workload); err != nil {
				return err
			}
			time.Sleep(settleTime) // the Go runtime gives back what it no longer needs
			after, err := RSS(in.pid())
			m.add(in.peer, float64(after-before)/float64(shape.Elements))
			return err
		})
		if err != nil {
			return err
		}
		r.logf("  %s: %s", shape.Name, m.brief())
	}
	return nil
}
