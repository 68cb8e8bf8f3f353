package metrics

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Collector gives Prometheus the figures of a server. source is called once a
// gathering and returns a snapshot of its own; it takes the server's lock for
// the copying only.
func Collector(source func() *Snapshot) prometheus.Collector {
	c := &collector{source: source}
	for i := range rows {
		r := &rows[i]
		for _, name := range []string{r.ours, r.exporter} {
			if name != "" {
				c.rows = append(c.rows, described{r, prometheus.NewDesc(name, r.describe(), nil, nil), name == r.exporter})
			}
		}
	}
	for i := range families {
		f := &families[i]
		c.families = append(c.families, prometheus.NewDesc(f.name, f.help, f.labels, nil))
	}
	return c
}

// Handler serves the figures of a server and of the Go runtime in Prometheus'
// formats.
func Handler(source func() *Snapshot) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(Collector(source), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{Registry: reg})
}

type collector struct {
	source   func() *Snapshot
	rows     []described
	families []*prometheus.Desc
}

type described struct {
	row      *row
	desc     *prometheus.Desc
	exporter bool
}

// describe is the row's help, from its INFO field where it has none.
func (r *row) describe() string {
	if r.help != "" {
		return r.help
	}
	return r.field + " of INFO " + r.section + "."
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.rows {
		ch <- d.desc
	}
	for _, d := range c.families {
		ch <- d
	}
	for _, d := range distributions {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.source()
	for _, d := range c.rows {
		v, scale := d.row.get(s).num, d.row.scale
		if d.exporter {
			scale = d.row.exporterScale
		}
		if scale != 0 {
			v *= scale
		}
		ch <- prometheus.MustNewConstMetric(d.desc, valueType(d.row.counter), v)
	}
	for i, desc := range c.families {
		f := &families[i]
		f.collect(s, func(v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(desc, valueType(f.counter), v, toUTF8(labels)...)
		})
	}
	collectDistributions(s, ch)
}

func valueType(counter bool) prometheus.ValueType {
	if counter {
		return prometheus.CounterValue
	}
	return prometheus.GaugeValue
}

// toUTF8 makes labels fit for Prometheus: a session prefix may be any bytes.
func toUTF8(labels []string) []string {
	for i, l := range labels {
		labels[i] = strings.ToValidUTF8(l, "�")
	}
	return labels
}
