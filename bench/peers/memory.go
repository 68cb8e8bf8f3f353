//go:build linux

package peers

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"coatcheck/bench/driver"
)

// memoryValueSize makes a session of 362 bytes with its key.
const memoryValueSize = 324

// churnRounds is how often every session is written again.
const churnRounds = 3

// memory measures resident memory by session, after loading and after every
// session was rewritten in random order with other sizes, and then, on the same
// full server, how long others wait beside KEYS and FLUSHALL.
func (r *run) memory() error {
	return r.each(func(in *instance) error {
		s := driver.Sessions{Count: uint64(r.Scale.MemorySessions), ValueSize: memoryValueSize, TTL: time.Hour}
		if err := r.load(in, driver.Fill(s)); err != nil {
			return err
		}
		const section = "Resident memory"
		perSession := func(what string) *Measure { return r.report.measure(section, what, "bytes a session") }
		if err := r.takeRSS(in, perSession("after loading"), float64(s.Count)); err != nil {
			return err
		}
		for round := range uint64(churnRounds) {
			if err := r.load(in, driver.Churn(s, round+1)); err != nil {
				return err
			}
		}
		churned := perSession("after every session was rewritten three times").atMost(430)
		if err := r.takeRSS(in, churned, float64(s.Count)); err != nil {
			return err
		}
		if err := r.stalls(in); err != nil {
			return err
		}
		time.Sleep(time.Second)
		return r.takeRSS(in, r.report.measure(section, "one second after FLUSHALL", "MiB"), 1<<20)
	})
}

func (r *run) takeRSS(in *instance, m *Measure, unit float64) error {
	rss, err := RSS(in.pid())
	m.add(in.peer, float64(rss)/unit)
	r.logf("  %s: %s %s", m.Name, in.peer.Name, m.text(in.peer.Name))
	return err
}

// stalls measures the worst PING beside KEYS (three times) and FLUSHALL.
func (r *run) stalls(in *instance) error {
	size, err := in.ctl.Int("DBSIZE")
	if err != nil {
		return err
	}
	const section = "Worst PING beside a long command"
	quiet := r.report.measure(section, "beside nothing", "ms")
	keys := r.report.measure(section, fmt.Sprintf("beside KEYS %s* over %d keys", driver.KeyPrefix, size), "ms")
	flush := r.report.measure(section, fmt.Sprintf("beside FLUSHALL of %d keys", size), "ms")
	if !r.isQuick() {
		keys.atMost(10)
	}
	for range 3 {
		idle := func() error { time.Sleep(r.Scale.Slice); return nil }
		if err := r.worstPing(in, quiet, idle); err != nil {
			return err
		}
		err := r.worstPing(in, keys, func() error {
			n, err := in.ctl.Int("KEYS", driver.KeyPrefix+"*")
			if err == nil && n != size {
				err = fmt.Errorf("KEYS told %d keys of %d", n, size)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return r.worstPing(in, flush, func() error {
		_, err := in.ctl.Do("FLUSHALL")
		return err
	})
}

func (r *run) isQuick() bool { return r.Scale.Ops > 0 }

// worstPing pings without pause while something else is done, and adds the
// longest wait in milliseconds.
func (r *run) worstPing(in *instance, m *Measure, do func() error) error {
	c, err := driver.Dial(in.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	done := make(chan error, 1)
	go func() { done <- do() }()
	worst := time.Duration(0)
	for {
		begin := time.Now()
		if _, err := c.Do("PING"); err != nil {
			return err
		}
		worst = max(worst, time.Since(begin))
		select {
		case err := <-done:
			m.add(in.peer, worst.Seconds()*1e3)
			r.logf("  %s: %s %s", m.Name, in.peer.Name, m.text(in.peer.Name))
			return err
		default:
			nap(200 * time.Microsecond)
		}
	}
}

// nap sleeps for less than Go's timers can.
func nap(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	unix.Nanosleep(&ts, nil) //nolint:errcheck // a shorter nap is fine
}
