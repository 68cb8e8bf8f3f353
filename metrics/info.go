package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// section is a part of INFO.
type section struct {
	name, title string
	inDefault   bool // INFO without arguments
	inAll       bool // INFO all
	// write appends the lines beyond those of the table's rows.
	write func(b *strings.Builder, s *Snapshot)
}

// sections are in INFO's order. The last is ours and shown when asked for.
var sections = []section{
	{name: "server", title: "Server", inDefault: true, inAll: true, write: writeListeners},
	{name: "clients", title: "Clients", inDefault: true, inAll: true},
	{name: "memory", title: "Memory", inDefault: true, inAll: true},
	{name: "persistence", title: "Persistence", inDefault: true, inAll: true},
	{name: "stats", title: "Stats", inDefault: true, inAll: true},
	{name: "replication", title: "Replication", inDefault: true, inAll: true},
	{name: "cpu", title: "CPU", inDefault: true, inAll: true},
	{name: "modules", title: "Modules", inDefault: true, inAll: true},
	{name: "commandstats", title: "Commandstats", inAll: true, write: writeCommands},
	{name: "errorstats", title: "Errorstats", inDefault: true, inAll: true, write: writeErrors},
	{name: "latencystats", title: "Latencystats", inAll: true, write: writeLatencies},
	{name: "cluster", title: "Cluster", inDefault: true, inAll: true},
	{name: "keyspace", title: "Keyspace", inDefault: true, inAll: true, write: writeKeyspace},
	{name: "sessions", title: "Sessions", write: writeSessions},
}

// Info renders INFO for the sections asked for, in INFO's order whatever the
// order they were named in; none means "default". Unknown names show nothing.
func Info(s *Snapshot, names ...string) string {
	if len(names) == 0 {
		names = []string{"default"}
	}
	want := map[string]bool{}
	for _, n := range names {
		want[strings.ToLower(n)] = true
	}
	var b strings.Builder
	for _, sec := range sections {
		shown := want[sec.name] || want["everything"] || want["all"] && sec.inAll || want["default"] && sec.inDefault
		if !shown {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString("# " + sec.title + "\r\n")
		for i := range rows {
			r := &rows[i]
			if r.section == sec.name && r.field != "" && (r.only == nil || r.only(s)) {
				line(&b, r.field, r.get(s).text)
				if r.lines != nil {
					r.lines(&b, s)
				}
			}
		}
		if sec.write != nil {
			sec.write(&b, s)
		}
	}
	return b.String()
}

// NeedsCommands says whether Info of these sections reads Snapshot.Commands,
// which cost most to copy.
func NeedsCommands(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		switch strings.ToLower(n) {
		case "all", "everything", "commandstats", "latencystats":
			return true
		}
		return false
	})
}

func line(b *strings.Builder, field, text string) {
	b.WriteString(field)
	b.WriteByte(':')
	b.WriteString(text)
	b.WriteString("\r\n")
}

func writeListeners(b *strings.Builder, s *Snapshot) {
	for i, l := range s.Listeners {
		text := "name=" + l.Name
		for _, addr := range l.Bind {
			text += ",bind=" + addr
		}
		if l.Path != "" {
			text += ",bind=" + l.Path
		}
		if l.Port != 0 {
			text += ",port=" + strconv.Itoa(l.Port)
		}
		line(b, "listener"+strconv.Itoa(i), text)
	}
}

func writeCommands(b *strings.Builder, s *Snapshot) {
	for _, c := range s.Commands {
		each := 0.0
		if c.Calls > 0 {
			each = micros(c.Time) / float64(c.Calls)
		}
		line(b, "cmdstat_"+c.Name, fmt.Sprintf("calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d",
			c.Calls, c.Time.Microseconds(), each, c.Rejected, c.Failed))
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func writeErrors(b *strings.Builder, s *Snapshot) {
	for _, code := range slices.Sorted(maps.Keys(s.Errors)) {
		line(b, "errorstat_"+code, "count="+strconv.FormatInt(s.Errors[code], 10))
	}
}

func writeLatencies(b *strings.Builder, s *Snapshot) {
	if !s.LatencyTracking {
		return
	}
	for _, c := range s.Commands {
		if c.Durations == nil {
			continue
		}
		var parts []string
		for _, p := range s.Percentiles {
			parts = append(parts, fmt.Sprintf("p%s=%.3f", strconv.FormatFloat(p, 'f', -1, 64), micros(c.Durations.Quantile(p/100))))
		}
		line(b, "latency_percentiles_usec_"+c.Name, strings.Join(parts, ","))
	}
}

func writeKeyspace(b *strings.Builder, s *Snapshot) {
	for _, d := range s.DBs {
		line(b, "db"+strconv.Itoa(d.DB), fmt.Sprintf("keys=%d,expires=%d,avg_ttl=%d", d.Keys, d.Volatile, d.AvgTTL.Milliseconds()))
	}
}

func writeSessions(b *strings.Builder, s *Snapshot) {
	for i, x := range s.Sessions {
		line(b, "sessions"+strconv.Itoa(i), fmt.Sprintf("prefix=%s,active=%d,created=%d,touched=%d,expired=%d,evicted=%d,deleted=%d,revoked=%d,late_writes_refused=%d",
			strings.NewReplacer("\r", " ", "\n", " ").Replace(x.Prefix), x.Active, x.Created, x.Touched, x.Expired, x.Evicted, x.Deleted, x.Revoked, x.LateRefused))
	}
}
