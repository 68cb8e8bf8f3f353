//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/bench/peers"
)

// phase is when a sample was taken: before clients came, while they came and went,
// or after all had gone.
type phase int

const (
	before phase = iota
	during
	after
)

// sample is the server's figures at one moment.
type sample struct {
	at    time.Duration // since the first
	phase phase

	goroutines, fds, clients int
	rss, used                int64 // bytes
	keys, commands, received int64 // received: connections so far
}

func (s *server) sample(at time.Duration, p phase) (sample, error) {
	f, err := s.figures()
	if err != nil {
		return sample{}, err
	}
	rss, err := peers.RSS(s.cmd.Process.Pid)
	if err != nil {
		return sample{}, err
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		return sample{}, err
	}
	keys, err := s.ctl.Int("DBSIZE")
	if err != nil {
		return sample{}, err
	}
	return sample{
		at: at, phase: p, goroutines: int(f["goroutines"]), fds: len(fds), clients: int(f["connected_clients"]), rss: rss,
		used: f["used_memory"], keys: int64(keys), commands: f["total_commands_processed"], received: f["total_connections_received"],
	}, nil
}

// figures are numbers of INFO and MEMORY MALLOC-STATS by their names.
func (s *server) figures() (map[string]int64, error) {
	all := map[string]int64{}
	for _, ask := range [][]string{{"INFO"}, {"MEMORY", "MALLOC-STATS"}} {
		text, err := s.ctl.Do(ask...)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			name, number, _ := strings.Cut(strings.TrimSpace(line), ":")
			if n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64); err == nil {
				all[name] = n
			}
		}
	}
	return all, nil
}

// check is one figure's verdict: the median of the last third against that of the
// second, the first being for warming up; and what is left when everybody has gone.
type check struct {
	name               string
	middle, end, after float64
	flat               bool
}

// A figure is flat when its median of the last third is at most grown times that of
// the second; noise, in the figure's own unit, is what differs anyway.
const grown = 1.05

func verdict(samples []sample) (checks []check) {
	var mid, end []sample
	var first, last sample
	length := samples[max(len(samples)-2, 0)].at // with everybody there
	for _, s := range samples {
		switch {
		case s.phase == before:
			first = s
		case s.phase == after:
			last = s
		case s.at > length*2/3:
			end = append(end, s)
		case s.at > length/3:
			mid = append(mid, s)
		}
	}
	for _, f := range []struct {
		name  string
		of    func(s sample) float64
		noise float64
		left  float64 // what may be left more than there was before
	}{
		{"goroutines", func(s sample) float64 { return float64(s.goroutines) }, 3, 3},
		{"descriptors", func(s sample) float64 { return float64(s.fds) }, 5, 0},
		{"resident memory, MiB", func(s sample) float64 { return float64(s.rss) / (1 << 20) }, 4, 48},
	} {
		c := check{f.name, median(mid, f.of), median(end, f.of), f.of(last), false}
		c.flat = len(end) > 0 && len(mid) > 0 && c.end <= c.middle*grown+f.noise && c.after <= f.of(first)+f.left
		checks = append(checks, c)
	}
	return checks
}

func median(samples []sample, of func(sample) float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	s := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return cmp.Compare(of(a), of(b)) })
	return of(s[len(s)/2])
}

// report writes the verdict and the figures, of a long run some twenty rows. It
// says whether all is flat.
func report(out io.Writer, samples []sample) (flat bool) {
	flat = true
	checks := verdict(samples)
	for _, c := range checks {
		flat = flat && c.flat
	}
	last := samples[len(samples)-1]
	fmt.Fprintf(out, "**%s**: %d connections came and went, %d commands ran.\n\n", word(flat), last.received, last.commands)
	fmt.Fprint(out, "| figure | median of the second third | of the last | before anybody came | when all had gone | |\n|---|--:|--:|--:|--:|---|\n")
	start := []float64{float64(samples[0].goroutines), float64(samples[0].fds), float64(samples[0].rss) / (1 << 20)}
	for i, c := range checks {
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %.0f | %.0f | %s |\n", c.name, c.middle, c.end, start[i], c.after, word(c.flat))
	}
	fmt.Fprint(out, "\n| at | clients | goroutines | descriptors | resident, MiB | used_memory, MiB | keys | commands | connections |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	step := max(len(samples)/20, 1)
	for i, s := range samples {
		if i%step == 0 || s.phase != during {
			fmt.Fprintf(out, "| %v | %d | %d | %d | %.1f | %.1f | %d | %d | %d |\n", s.at.Round(time.Second), s.clients, s.goroutines, s.fds,
				float64(s.rss)/(1<<20), float64(s.used)/(1<<20), s.keys, s.commands, s.received)
		}
	}
	fmt.Fprint(out, "\nWho came and went:\n\n")
	for _, k := range kinds {
		fmt.Fprintf(out, "- %d %s\n", k.many, k.name)
	}
	return flat
}

func word(flat bool) string {
	if flat {
		return "flat"
	}
	return "NOT FLAT"
}
