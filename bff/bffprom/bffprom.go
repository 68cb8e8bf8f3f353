// Package bffprom makes figures for Prometheus of what a bff.Manager does.
//
//	c := bffprom.New()
//	m.Metrics = c
//	c.CountSessions(m)
//	prometheus.MustRegister(c)
//
// No figure has a label that a visitor can choose.
package bffprom

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"coatcheck/bff"
)

// Collector is a bff.Metrics and a prometheus.Collector. One may serve several
// Managers.
type Collector struct {
	events    *prometheus.CounterVec
	store     *prometheus.HistogramVec
	conflicts *prometheus.CounterVec
	refused   prometheus.Counter
	tokens    *prometheus.CounterVec
	csrf      prometheus.Counter
	cookies   *prometheus.CounterVec
	late      prometheus.Histogram
	active    *prometheus.Desc

	mu       sync.Mutex
	counters []Counter
}

var (
	_ bff.Metrics          = (*Collector)(nil)
	_ prometheus.Collector = (*Collector)(nil)
)

// Counter knows how many sessions there are: a bff.Manager.
type Counter interface {
	Count(ctx context.Context) (int, error)
}

// New makes a Collector.
func New() *Collector {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	return &Collector{
		events: counters("bff_session_events_total", "What happened to sessions by this process' doing.", "type", "reason"),
		store: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bff_store_duration_seconds", Help: "How long calls of the session store took.",
			Buckets: prometheus.ExponentialBucketsRange(10e-6, 1, 12),
		}, []string{"op", "outcome"}),
		conflicts: counters("bff_conflicts_total", "Writes that met another's, merged or failed.", "result"),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bff_tombstone_refusals_total", Help: "Writes that were not done since their session had ended."}),
		tokens: counters("bff_token_refresh_total", "Refreshes of tokens at the identity provider.", "result"),
		csrf: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "bff_csrf_denied_total", Help: "Requests from other origins that were turned away."}),
		cookies: counters("bff_cookie_rejected_total", "Session cookies that opened no session.", "why"),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "bff_expiry_lateness_seconds", Help: "How long after its deadline a session was found to have ended.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		active: prometheus.NewDesc("bff_sessions_active", "Sessions in the store.", nil, nil),
	}
}

// CountSessions adds a Manager's sessions to bff_sessions_active. They are counted
// whenever figures are gathered: memstore knows the answer soon, redisstore walks
// through its keys for it.
func (c *Collector) CountSessions(m Counter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counters = append(c.counters, m)
}

// parts are the figures that are not counted anew.
func (c *Collector) parts() []prometheus.Collector {
	return []prometheus.Collector{c.events, c.store, c.conflicts, c.refused, c.tokens, c.csrf, c.cookies, c.late}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, p := range c.parts() {
		p.Describe(ch)
	}
	ch <- c.active
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	for _, p := range c.parts() {
		p.Collect(ch)
	}
	if n, ok := c.count(); ok {
		ch <- prometheus.MustNewConstMetric(c.active, prometheus.GaugeValue, float64(n))
	}
}

// countWithin bounds the counting for one gathering.
const countWithin = 5 * time.Second

// count is the number of sessions; not ok when nobody was named, or a store could
// not be asked: a wrong figure would be worse than none.
func (c *Collector) count() (total int, ok bool) {
	c.mu.Lock()
	counters := c.counters
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), countWithin)
	defer cancel()
	for _, m := range counters {
		n, err := m.Count(ctx)
		if err != nil {
			return 0, false
		}
		total += n
	}
	return total, len(counters) > 0
}

// reasons are those that become labels; a program may end sessions for others, as
// many as it has words.
var reasons = map[bff.Reason]bool{
	"": true, bff.ReasonLogout: true, bff.ReasonRevoked: true, bff.ReasonLimit: true, bff.ReasonRenewed: true, bff.ReasonIdle: true,
	bff.ReasonLifetime: true, bff.ReasonSignal: true, bff.ReasonDeleted: true, bff.ReasonEvicted: true, bff.ReasonFlushed: true,
	bff.ReasonBackchannel: true, bff.ReasonTokens: true,
}

// Event implements bff.Metrics.
func (c *Collector) Event(t bff.EventType, why bff.Reason) {
	if !reasons[why] {
		why = "other"
	}
	c.events.WithLabelValues(string(t), string(why)).Inc()
}

// StoreCall implements bff.Metrics.
func (c *Collector) StoreCall(op, outcome string, took time.Duration) {
	c.store.WithLabelValues(op, outcome).Observe(took.Seconds())
}

// Conflict implements bff.Metrics.
func (c *Collector) Conflict(result string) { c.conflicts.WithLabelValues(result).Inc() }

// Refused implements bff.Metrics.
func (c *Collector) Refused() { c.refused.Inc() }

// TokenRefresh implements bff.Metrics.
func (c *Collector) TokenRefresh(result string) { c.tokens.WithLabelValues(result).Inc() }

// CSRFDenied implements bff.Metrics.
func (c *Collector) CSRFDenied() { c.csrf.Inc() }

// CookieRejected implements bff.Metrics.
func (c *Collector) CookieRejected(why string) { c.cookies.WithLabelValues(why).Inc() }

// Late implements bff.Metrics.
func (c *Collector) Late(d time.Duration) { c.late.Observe(d.Seconds()) }
