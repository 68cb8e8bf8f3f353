//go:build linux

package peers

import (
	"fmt"
	"slices"
	"time"

	"coatcheck/bench/driver"
)

// expiry measures how long after its deadline a session is gone. It is measured
// from outside and for all servers alike: sessions get deadlines spread evenly
// over some seconds, DBSIZE is asked about two thousand times a second, and the
// k-th session to go is compared with the k-th deadline.
func (r *run) expiry() error {
	return r.each(func(in *instance) error {
		n := r.Scale.ExpirySessions
		s := driver.Sessions{Count: uint64(n), ValueSize: valueSize, TTL: time.Hour}
		first := time.Now().Add(max(r.Scale.ExpirySpread/2, 500*time.Millisecond)).Truncate(time.Millisecond)
		if err := r.load(in, driver.Deadlines(s, first, r.Scale.ExpirySpread)); err != nil {
			return err
		}
		if !time.Now().Before(first) {
			return fmt.Errorf("loading %d sessions took until after the first deadline", n)
		}
		end := first.Add(r.Scale.ExpirySpread)
		sizes, err := watchSize(in.ctl, first, end.Add(r.Scale.ExpiryPatience))
		if err != nil {
			return err
		}
		r.tellLateness(in.peer, lateness(sizes, n, first, r.Scale.ExpirySpread))
		left := r.report.measure("Expiry", "sessions left 10 ms after the last deadline", "").atMost(0)
		left.add(in.peer, float64(sizeAt(sizes, end.Add(10*time.Millisecond))))
		return nil
	})
}

func (r *run) tellLateness(p *Peer, late []time.Duration) {
	for _, q := range []struct {
		name  string
		at    float64
		level float64
	}{{"p50", 0.5, 0}, {"p99", 0.99, 10}, {"at most", 1, 0}} {
		m := r.report.measure("Expiry", "later than the deadline, "+q.name, "ms")
		if q.level > 0 {
			m.atMost(q.level)
		}
		m.add(p, late[min(int(q.at*float64(len(late))), len(late)-1)].Seconds()*1e3)
		r.logf("  %s: %s %s", m.Name, p.Name, m.text(p.Name))
	}
}

// observed is the size of a db at a time.
type observed struct {
	at   time.Time
	size int
}

// watchSize asks DBSIZE from a moment on until it is 0, at the latest until end.
func watchSize(c *driver.Client, from, end time.Time) (sizes []observed, err error) {
	time.Sleep(time.Until(from.Add(-50 * time.Millisecond)))
	for {
		size, err := c.Int("DBSIZE")
		if err != nil {
			return nil, err
		}
		now := time.Now()
		sizes = append(sizes, observed{now, size})
		if size == 0 || now.After(end) {
			return sizes, nil
		}
		nap(300 * time.Microsecond)
	}
}

// lateness is how long after the k-th deadline more than k sessions were gone,
// for every k, sorted. Those that never were count up to the last observation.
func lateness(sizes []observed, n int, first time.Time, spread time.Duration) []time.Duration {
	late := make([]time.Duration, n)
	i := 0
	for k := range late {
		for i < len(sizes)-1 && n-sizes[i].size <= k {
			i++
		}
		deadline := first.Add(time.Duration(spread.Milliseconds()*int64(k)/int64(n)) * time.Millisecond)
		late[k] = sizes[i].at.Sub(deadline)
	}
	slices.Sort(late)
	return late
}

// sizeAt is the first size observed at or after a time; the last one if none was.
func sizeAt(sizes []observed, at time.Time) int {
	for _, o := range sizes {
		if !o.at.Before(at) {
			return o.size
		}
	}
	return sizes[len(sizes)-1].size
}
