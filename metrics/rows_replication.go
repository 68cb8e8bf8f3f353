package metrics

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

var replicationRows = []row{
	{section: "replication", field: "role", get: constant(words("master"))},
	{section: "replication", field: "connected_slaves", get: func(s *Snapshot) value { return integer(len(s.Replication.Replicas)) },
		exporter: "redis_connected_slaves", ours: "coatcheck_replicas", help: "Replicas that are connected.", lines: replicaLines},
	{section: "replication", field: "master_failover_state", get: func(s *Snapshot) value { return words(s.Replication.FailoverState) }},
	{section: "replication", field: "master_replid", get: func(s *Snapshot) value { return words(s.Replication.ID) }},
	{section: "replication", field: "master_replid2", get: func(s *Snapshot) value { return words(formerID(s)) }},
	{section: "replication", field: "master_repl_offset", get: func(s *Snapshot) value { return count(s.Replication.Offset) }, exporter: "redis_master_repl_offset"},
	{section: "replication", field: "second_repl_offset", get: func(s *Snapshot) value { return count(s.Replication.SecondOffset) }, exporter: "redis_second_repl_offset"},
	{section: "replication", field: "repl_backlog_active", get: func(s *Snapshot) value { return flag(s.Replication.BacklogActive) }, exporter: "redis_repl_backlog_is_active"},
	{section: "replication", field: "repl_backlog_size", get: func(s *Snapshot) value { return count(s.Replication.BacklogSize) }, exporter: "redis_replication_backlog_bytes"},
	{section: "replication", field: "repl_backlog_first_byte_offset", get: func(s *Snapshot) value { return count(s.Replication.BacklogFirst) }, exporter: "redis_repl_backlog_first_byte_offset"},
	{section: "replication", field: "repl_backlog_histlen", get: func(s *Snapshot) value { return count(s.Replication.BacklogHeld) }, exporter: "redis_repl_backlog_history_bytes"},
}

func formerID(s *Snapshot) string {
	if s.Replication.FormerID == "" {
		return strings.Repeat("0", 40)
	}
	return s.Replication.FormerID
}

// replicaLines are INFO's lines of the replicas, and before them how many are good.
func replicaLines(b *strings.Builder, s *Snapshot) {
	r := &s.Replication
	if r.Good >= 0 {
		line(b, "min_slaves_good_slaves", strconv.Itoa(r.Good))
	}
	for i, e := range r.Replicas {
		line(b, "slave"+strconv.Itoa(i), fmt.Sprintf("ip=%s,port=%d,state=%s,offset=%d,lag=%d", e.IP, e.Port, e.State, e.Offset, int64(e.Lag/time.Second)))
	}
}
