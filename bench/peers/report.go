//go:build linux

package peers

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Report is what a run found.
type Report struct {
	Root     string // the tree
	Machine  Machine
	Date     time.Time
	Commit   string
	Command  string
	Scale    Scale
	Peers    []*Peer
	Measures []*Measure
	// LoadBefore and LoadAfter are the machine's load averages.
	LoadBefore, LoadAfter string
}

// Measure is one figure of every peer.
type Measure struct {
	Section string
	Name    string
	Unit    string
	Samples map[string][]float64 // by the peer's name, one a round
	Level   Level
}

// Level is what our figure shall reach. The zero Level asks for nothing.
type Level struct {
	Set     bool
	Bound   float64
	Ratio   bool // Bound is for the ratio to the reference, not for the figure
	AtLeast bool // Bound is a lower one
}

// measure finds or makes a row.
func (rep *Report) measure(section, name, unit string) *Measure {
	for _, m := range rep.Measures {
		if m.Section == section && m.Name == name {
			return m
		}
	}
	m := &Measure{Section: section, Name: name, Unit: unit, Samples: map[string][]float64{}}
	rep.Measures = append(rep.Measures, m)
	return m
}

func (m *Measure) add(p *Peer, v float64) { m.Samples[p.Name] = append(m.Samples[p.Name], v) }

func (m *Measure) atMost(bound float64) *Measure {
	m.Level = Level{Set: true, Bound: bound}
	return m
}

func (m *Measure) ratioAtMost(bound float64) *Measure {
	m.Level = Level{Set: bound > 0, Bound: bound, Ratio: true}
	return m
}

func (m *Measure) ratioAtLeast(bound float64) *Measure {
	m.Level = Level{Set: bound > 0, Bound: bound, Ratio: true, AtLeast: true}
	return m
}

// Median is a peer's figure; NaN when it has none.
func (m *Measure) Median(peer string) float64 { return median(m.Samples[peer]) }

// Ratios are ours to the reference's, round by round, sorted.
func (m *Measure) Ratios() []float64 {
	ours, ref := m.Samples[Ours], m.Samples[Reference]
	var all []float64
	for i := range min(len(ours), len(ref)) {
		if ref[i] > 0 {
			all = append(all, ours[i]/ref[i])
		}
	}
	slices.Sort(all)
	return all
}

// Reached says whether our figure reaches its level; known is false without a
// level or without the figures.
func (m *Measure) Reached() (reached, known bool) {
	v := m.Median(Ours)
	if m.Level.Ratio {
		v = median(m.Ratios())
	}
	if !m.Level.Set || math.IsNaN(v) {
		return false, false
	}
	if m.Level.AtLeast {
		return v >= m.Level.Bound, true
	}
	return v <= m.Level.Bound, true
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

// figure prints three digits, and whole numbers as they are.
func figure(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v == math.Trunc(v) || math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func (m *Measure) text(peer string) string { return figure(m.Median(peer)) }

func (m *Measure) ratioText() string {
	r := m.Ratios()
	switch {
	case len(r) == 0:
		return ""
	case len(r) < 3:
		return fmt.Sprintf("%.2f", median(r))
	}
	return fmt.Sprintf("%.2f (%.2f–%.2f)", median(r), r[0], r[len(r)-1])
}

// brief is a measure on a line, for the log.
func (m *Measure) brief() string {
	var b strings.Builder
	for _, name := range DefaultPeers {
		if len(m.Samples[name]) > 0 {
			fmt.Fprintf(&b, "%s %s  ", name, m.text(name))
		}
	}
	return b.String() + "ratio " + m.ratioText()
}

func (m *Measure) levelText() string {
	if !m.Level.Set {
		return ""
	}
	sign, unit := "≤", ""
	if m.Level.AtLeast {
		sign = "≥"
	}
	if m.Level.Ratio {
		unit = " ×"
	}
	text := fmt.Sprintf("%s %s%s", sign, figure(m.Level.Bound), unit)
	if m.Level.Ratio {
		text = fmt.Sprintf("%s %.2f%s", sign, m.Level.Bound, unit)
	}
	switch reached, known := m.Reached(); {
	case !known:
		return text
	case reached:
		return text + " ✓"
	}
	return text + " **missed**"
}

// Sections are the names of the sections, in their order.
func (rep *Report) Sections() (names []string) {
	for _, m := range rep.Measures {
		if !slices.Contains(names, m.Section) {
			names = append(names, m.Section)
		}
	}
	return names
}

func (rep *Report) section(name string) (rows []*Measure) {
	for _, m := range rep.Measures {
		if m.Section == name {
			rows = append(rows, m)
		}
	}
	return rows
}

// Markdown writes the report as a page; plot is the file name of its picture.
func (rep *Report) Markdown(out io.Writer, plot string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Side by side, %s, commit %s\n\n", rep.Date.Format("2006-01-02 15:04 MST"), rep.Commit)
	fmt.Fprintf(&b, "- Machine: %s, %d cores, %s memory, %s; %s\n", rep.Machine.CPU, rep.Machine.Cores,
		rep.Machine.Memory, rep.Machine.Kernel, rep.Machine.Go)
	for _, p := range rep.Peers {
		fmt.Fprintf(&b, "- %s %s\n", p.Name, p.Version)
	}
	fmt.Fprintf(&b, "- Command: `%s`\n", rep.Command)
	fmt.Fprintf(&b, "- %d rounds in turns, %v each; %d sessions, values of %d bytes, %d connections unless said otherwise; "+
		"driver and servers share the machine. Figures are medians over the rounds; ratios are %s's to %s's round by round: "+
		"median (least–most).\n", rep.Scale.Rounds, rep.Scale.Slice, rep.Scale.Sessions, valueSize, conns, Ours, Reference)
	fmt.Fprintf(&b, "- Load average of the machine before %s, after %s; a run by itself makes about 2.\n", rep.LoadBefore, rep.LoadAfter)
	if rep.Scale.Ops > 0 {
		b.WriteString("- **A quick run: it shows that everything works; its figures mean nothing.**\n")
	}
	fmt.Fprintf(&b, "\n![plot](%s)\n", plot)
	rep.levels(&b)
	for _, name := range rep.Sections() {
		rep.table(&b, name, rep.section(name))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// levels repeats the figures that have a level to reach, all in one table.
func (rep *Report) levels(b *strings.Builder) {
	var rows []*Measure
	reached := 0
	for _, m := range rep.Measures {
		ok, known := m.Reached()
		if !known {
			continue
		}
		if ok {
			reached++
		}
		row := *m
		row.Name = m.Section + ": " + m.Name
		rows = append(rows, &row)
	}
	if len(rows) > 0 {
		rep.table(b, fmt.Sprintf("What was to be reached: %d of %d", reached, len(rows)), rows)
	}
}

func (rep *Report) table(b *strings.Builder, section string, rows []*Measure) {
	fmt.Fprintf(b, "\n## %s\n\n| | unit |", section)
	line := "\n|---|---|"
	for _, p := range rep.Peers {
		fmt.Fprintf(b, " %s |", p.Name)
		line += "--:|"
	}
	fmt.Fprintf(b, " ratio | to reach |%s--:|---|\n", line)
	for _, m := range rows {
		fmt.Fprintf(b, "| %s | %s |", m.Name, m.Unit)
		for _, p := range rep.Peers {
			fmt.Fprintf(b, " %s |", m.text(p.Name))
		}
		fmt.Fprintf(b, " %s | %s |\n", m.ratioText(), m.levelText())
	}
}
