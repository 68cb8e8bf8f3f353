//go:build linux

package peers

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
)

// Measures of the plot, in pixels.
const (
	plotWidth  = 900
	labelWidth = 330
	barHeight  = 11
	rowGap     = 7
	panelGap   = 34
	barWidth   = plotWidth - labelWidth - 110
)

// colours are those of the peers.
var colours = map[string]string{Ours: "#1f6f8b", Reference: "#c8553d", "valkey": "#8d7cc3", "miniredis": "#9a9a9a"}

// Plot writes the report as an SVG picture: a panel for each section but the
// latency in a closed loop, which is throughput told otherwise; a bar for each
// figure. Bars compare the servers within a row: each row has its own scale.
func (rep *Report) Plot(out io.Writer) error {
	var body strings.Builder
	y := rep.legend(&body)
	for _, section := range rep.Sections() {
		if section != closedLatency {
			y = rep.panel(&body, section, y)
		}
	}
	_, err := fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">
<rect width="100%%" height="100%%" fill="white"/>
%s</svg>
`, plotWidth, y+10, body.String())
	return err
}

func (rep *Report) legend(b *strings.Builder) (y int) {
	title := fmt.Sprintf("Side by side, %s, commit %s, %s, %d cores", rep.Date.Format("2006-01-02"), rep.Commit,
		rep.Machine.CPU, rep.Machine.Cores)
	text(b, 10, 22, `font-size="14" font-weight="bold"`, title)
	for i, p := range rep.Peers {
		x := 10 + i*170
		bar(b, x, 34, 14, colours[p.Name])
		text(b, x+20, 44, "", p.Name+" "+p.Version)
	}
	return 50
}

func (rep *Report) panel(b *strings.Builder, section string, y int) int {
	rows := rep.section(section)
	y += panelGap
	text(b, 10, y-10, `font-size="13" font-weight="bold"`, section)
	for _, m := range rows {
		text(b, labelWidth-8, y+barHeight-1, `text-anchor="end"`, m.Name)
		scale := longest(rep.Peers, m)
		for _, p := range rep.Peers {
			if v := m.Median(p.Name); !math.IsNaN(v) {
				width := max(int(v/scale*barWidth), 1)
				bar(b, labelWidth, y, width, colours[p.Name])
				text(b, labelWidth+width+4, y+barHeight-1, "", figure(v)+" "+m.Unit)
				y += barHeight + 1
			}
		}
		y += rowGap
	}
	return y
}

// longest is the largest figure of a row, at least a little.
func longest(peers []*Peer, m *Measure) float64 {
	most := 1e-9
	for _, p := range peers {
		if v := m.Median(p.Name); !math.IsNaN(v) {
			most = max(most, v)
		}
	}
	return most
}

func bar(b *strings.Builder, x, y, width int, colour string) {
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", x, y, width, barHeight, colour)
}

func text(b *strings.Builder, x, y int, attrs, s string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" %s>`, x, y, attrs)
	xml.EscapeText(b, []byte(s)) //nolint:errcheck // a Builder does not fail
	b.WriteString("</text>\n")
}
