package metrics

import (
	"fmt"
	"strconv"
	"strings"
)

// row is one figure.
type row struct {
	// section and field are its place in INFO; no field: not in INFO.
	section, field string
	get            func(s *Snapshot) value
	// only says when INFO has it; nil: always.
	only func(s *Snapshot) bool

	// ours is its Prometheus name in our family, exporter the name that
	// redis_exporter gives it; empty: none. Units are base units and part of the
	// name. scale and exporterScale, unless 0, make INFO's figure such a one.
	ours, exporter string
	counter        bool
	scale          float64
	exporterScale  float64
	help           string
	// lines, unless nil, appends INFO's lines that follow this one.
	lines func(b *strings.Builder, s *Snapshot)
}

// value is a figure as a number and as INFO writes it.
type value struct {
	num  float64
	text string
}

func count(n int64) value { return value{float64(n), strconv.FormatInt(n, 10)} }

func integer(n int) value { return count(int64(n)) }

func flag(b bool) value {
	if b {
		return count(1)
	}
	return count(0)
}

func fixed(f float64, decimals int) value {
	return value{f, strconv.FormatFloat(f, 'f', decimals, 64)}
}

func percent(f float64) value { return value{f, fmt.Sprintf("%.2f%%", f)} }

func words(s string) value { return value{0, s} }

// status is "ok" or "err", 1 or 0.
func status(ok bool) value {
	if ok {
		return value{1, "ok"}
	}
	return value{0, "err"}
}

// human writes bytes as INFO's _human fields do.
func human(n int64) value {
	f, unit := float64(n), "B"
	for _, u := range []string{"K", "M", "G", "T", "P", "E"} {
		if f < 1024 {
			break
		}
		f, unit = f/1024, u
	}
	if unit == "B" {
		return value{float64(n), strconv.FormatInt(n, 10) + "B"}
	}
	return value{float64(n), fmt.Sprintf("%.2f%s", f, unit)}
}

// ratio is a/b, 0 where b is 0.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// constant is a figure that never changes: what Redis shows without the
// feature that it describes.
func constant(v value) func(*Snapshot) value { return func(*Snapshot) value { return v } }
