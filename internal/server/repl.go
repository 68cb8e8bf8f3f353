package server

import (
	"encoding/binary"
	"slices"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/propagate"
	"coatcheck/internal/rdb"
	"coatcheck/internal/repl"
	"coatcheck/metrics"
)

// Replication to others. A replica is a client that has asked for all changes (SYNC,
// PSYNC). What changes is a stream of bytes that is kept once (repl.Stream), however
// many read it; a replica's turn moves what it has not had yet into its reply buffer,
// as far as there is room. So one that reads slowly costs the part of the stream that
// it has not read, which the output limit of its class bounds.
//
// A replica whose data are too old is sent all of them first, see fullsync.go.
//
// While there is no backlog, which the first replica makes, no effect is encoded and
// the sink is not attached: a store without replicas pays nothing for them.

// replication is what the server knows of its replicas. It is the last of the sinks.
type replication struct {
	srv    *Server
	stream *repl.Stream
	enc    propagate.Encoder
	unit   []byte // to be appended
	// replicas are clients, also those that wait for a snapshot; sync is the snapshot
	// that runs for some of them.
	replicas []*Client
	sync     *fullSync
	// alone is since when there are none, while there is a backlog.
	alone time.Time
	// fields: the history has deadlines of hash fields, so that a snapshot of it is in a
	// format that no server reads which does not know these. needsFields: the unit that
	// runs has some.
	fields, needsFields bool
	files               int // that were made for snapshots
	// told: endOfBatch is to come.
	told  bool
	atEnd func(engine.Held)
	// good is how many replicas were heard of lately enough for min-replicas-max-lag.
	good   int
	ticked time.Time
	pinged time.Time
	asked  bool // replicas are to acknowledge, at the end of the batch

	full, partial, refused int64 // synchronizations, for INFO
}

func newReplication(s *Server) *replication {
	r := &replication{srv: s, stream: repl.NewStream(randomID())}
	r.atEnd = r.endOfBatch
	return r
}

// Wants implements engine.Sink.
func (r *replication) Wants() engine.Wants { return engine.Wants{Argv: true} }

// Effect implements engine.Sink.
func (r *replication) Effect(_ *engine.Tx, e *engine.Effect) {
	if e.Argv == nil {
		return
	}
	r.needsFields = r.needsFields || !r.fields && bringsFieldDeadlines(e.Argv)
	r.enc.Effect(e)
}

// EndUnit implements engine.UnitSink.
func (r *replication) EndUnit(*engine.Tx) { r.endUnit() }

func (r *replication) endUnit() {
	if r.enc.Commands() == 0 {
		return
	}
	if r.needsFields {
		r.needsFields = false
		r.withFields()
	}
	r.unit = r.enc.AppendUnit(r.unit[:0])
	r.append(r.unit)
	if cap(r.unit) > 1<<20 {
		r.unit = nil
	}
}

// append makes bytes a part of the stream.
func (r *replication) append(b []byte) {
	r.stream.Append(b)
	r.tellLater()
}

// tellLater has replicas woken at the end of the batch.
func (r *replication) tellLater() {
	if !r.told && len(r.replicas) > 0 {
		r.told = true
		r.srv.held.BeforeUnlock(r.atEnd)
	}
}

// propagate has replicas run a command that is no change of the keyspace (PUBLISH).
func (r *replication) propagate(db int, argv ...[]byte) {
	if !r.stream.IsOpen() || r.follows() {
		return
	}
	r.enc.Command(db, argv...)
	if r.srv.within == 0 {
		r.endUnit()
	}
}

// follows says whether the stream is a master's own, and nothing of ours belongs in it.
func (r *replication) follows() bool { return false }

// endOfBatch wakes who has something to read.
func (r *replication) endOfBatch(h engine.Held) {
	r.told = false
	s := r.srv
	if s.closed {
		return
	}
	s.begin(h)
	if r.asked {
		r.asked = false
		r.stream.Append(getAck)
	}
	for _, c := range r.replicas {
		if !c.closing && c.replica.state == replicaOnline {
			s.checkOutput(c)
			c.wake()
		}
	}
}

var (
	getAck  = propagate.AppendCommand(nil, []byte("REPLCONF"), []byte("GETACK"), []byte("*"))
	pingAll = propagate.AppendCommand(nil, []byte("PING"))
)

// bringsFieldDeadlines says whether a command gives a hash field a deadline, or may
// bring a hash that has some.
func bringsFieldDeadlines(argv [][]byte) bool {
	switch string(argv[0]) {
	case "HPEXPIREAT", "HPERSIST":
		return true
	case "RESTORE":
		payload := argv[min(3, len(argv)-1)]
		return len(payload) > 10 && binary.LittleEndian.Uint16(payload[len(payload)-10:]) >= rdb.VersionFields
	}
	return false
}

// withFields begins a history in which hash fields have deadlines. Replicas that follow
// may be older than these and would pass over them without a word: all begin anew with
// a snapshot, which such a one refuses.
func (r *replication) withFields() {
	r.fields = true
	if len(r.replicas) > 0 || r.stream.Len() > 0 {
		r.srv.log.Warn("a hash field has a deadline: replicas get all data again, and those older than Redis 7.4 cannot read them")
	}
	r.renew()
}

// renew begins another history: replicas are sent away, and will need all data.
func (r *replication) renew() {
	r.stream.Renew(randomID())
	r.enc.Reset()
	r.dropAll()
}

func (r *replication) dropAll() {
	for _, c := range slices.Clone(r.replicas) {
		c.kill()
	}
}

// open makes a backlog where there is none: a history begins that no replica knows.
func (r *replication) open() {
	if r.stream.IsOpen() {
		return
	}
	if !r.follows() {
		r.stream.Renew(randomID())
	}
	r.stream.Open(r.srv.cfg.Replication.BacklogSize)
	r.enc.Reset()
	r.fields = false
	r.srv.held.AddSink(r)
}

// close drops the backlog.
func (r *replication) close() {
	r.stream.Close()
	r.srv.held.RemoveSink(r)
	if !r.follows() {
		r.stream.Renew(randomID())
	}
}

// tick is part of the housekeeping; once a second it looks after replicas.
func (r *replication) tick() {
	s := r.srv
	r.startSync()
	if s.now.Sub(r.ticked) < time.Second {
		return
	}
	r.ticked = s.now
	cfg := &s.cfg.Replication
	if s.now.Sub(r.pinged) >= time.Duration(cfg.PingPeriod)*time.Second && len(r.replicas) > 0 {
		r.pinged = s.now
		if !r.follows() && !s.pause.failover {
			r.append(pingAll)
		}
	}
	timeout := time.Duration(cfg.Timeout) * time.Second
	for _, c := range r.replicas {
		if c.closing {
			continue
		}
		if rep := c.replica; rep.isSilent(s.now, timeout) {
			s.log.Warn("Disconnecting timedout replica", "replica", c.replicaName(), "state", rep.state)
			c.kill()
		} else if rep.keepsWaiting() {
			c.pushed.Append([]byte("\n"))
			c.wake()
		}
	}
	r.countGood()
	if ttl := time.Duration(cfg.BacklogTTL) * time.Second; r.stream.IsOpen() && len(r.replicas) == 0 && ttl > 0 &&
		!r.follows() && s.now.Sub(r.alone) > ttl {
		s.log.Info("Replication backlog freed: there were no replicas for repl-backlog-ttl")
		r.close()
	}
}

// countGood counts the replicas that were heard of lately.
func (r *replication) countGood() {
	r.good = 0
	cfg := &r.srv.cfg.Replication
	for _, c := range r.replicas {
		if c.replica.isGood(r.srv.now, cfg.MinReplicasMaxLag) && !c.closing {
			r.good++
		}
	}
}

// lacksReplicas says whether commands that write are refused since too few replicas
// would have what they do.
func (s *Server) lacksReplicas() bool {
	cfg := &s.cfg.Replication
	return cfg.MinReplicas > 0 && cfg.MinReplicasMaxLag > 0 && !s.repl.follows() && s.repl.good < cfg.MinReplicas
}

// endReplication ends what runs for replicas.
func (s *Server) endReplication() {
	h := s.eng.Lock()
	f := s.repl.sync
	if f != nil {
		f.abort(errSyncEnded)
	}
	if s.repl.stream.IsOpen() {
		h.RemoveSink(s.repl)
		s.repl.stream.Close()
	}
	h.Unlock()
	s.syncs.Wait()
}

// figures are what INFO and metrics tell.
func (r *replication) figures() metrics.Replication {
	cfg := &r.srv.cfg.Replication
	f := metrics.Replication{
		ID: r.stream.ID(), FormerID: r.stream.FormerID(), Offset: r.stream.Offset(), SecondOffset: r.stream.SecondOffset(),
		BacklogActive: r.stream.IsOpen(), BacklogSize: cfg.BacklogSize, BacklogFirst: r.stream.FirstByte(), BacklogHeld: r.stream.Len(),
		Good: -1, Kept: r.kept(), FailoverState: r.failoverState(), Full: r.full, Partial: r.partial, PartialRefused: r.refused,
	}
	if cfg.MinReplicas > 0 && cfg.MinReplicasMaxLag > 0 {
		f.Good = r.good
	}
	for _, c := range r.replicas {
		ip, port := c.replicaAddr()
		each := metrics.Replica{IP: ip, Port: port, State: string(c.replica.state), Offset: c.replica.acked}
		if c.replica.state == replicaOnline {
			each.Lag = r.srv.now.Sub(c.replica.heard)
		}
		f.Replicas = append(f.Replicas, each)
	}
	return f
}

// kept is how much of the stream is in memory: the backlog, and what the slowest replica
// has not read.
func (r *replication) kept() int64 {
	n := r.stream.Len()
	for _, c := range r.replicas {
		n = max(n, r.srv.behind(c))
	}
	return n
}

// failoverState is how far FAILOVER has come.
func (r *replication) failoverState() string { return "no-failover" }
