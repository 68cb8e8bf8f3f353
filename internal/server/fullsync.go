package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/persist"
	"coatcheck/internal/rdb"
	"coatcheck/internal/repl"
)

// All data for replicas that cannot go on from the backlog. A snapshot of one moment is
// taken for all that wait then; what changes afterwards is in the stream, which they
// read from that moment on when they have the snapshot.
//
// Replicas that know the form (capa eof) are sent the snapshot as it is made, the
// slowest setting the pace; nobody else waits for them, and what has to be kept until
// they have read it is bounded by the output limit of replicas. For others, and with
// "repl-diskless-sync no", it goes to a file first, or into memory where the server has
// no directory, since its length is told ahead.

// fullSync is a snapshot for some replicas. Its fields are guarded by the engine's lock.
type fullSync struct {
	srv     *Server
	save    *persist.Save
	buf     repl.Buffer
	members []*Client
	mark    string   // that ends it; "" when the length is told ahead
	path    string   // of the file where it is made; "" for none
	whole   bool     // all of it is in buf
	err     error    // why it has failed
	after   []func() // to be called, under the lock, when the snapshot has been made
	// room says that somebody has read, or left. Its capacity is 1.
	room chan struct{}
}

const (
	// syncAhead is how much of a snapshot waits for the slowest of its readers.
	syncAhead = 1 << 20
	syncPiece = 256 << 10
)

var (
	errSyncEnded  = errors.New("server: closed")
	errSyncAlone  = errors.New("all replicas have left")
	errSyncTooBig = errors.New("the snapshot exceeds the output limit of replicas, and there is no directory for it")
)

// waiting are the replicas that wait for a snapshot to begin, as far as the first one's
// will do for them.
func (r *replication) waiting() (all []*Client) {
	for _, c := range r.replicas {
		if rep := c.replica; rep.state == replicaWaits && rep.sync == nil && !c.closing {
			if len(all) == 0 || all[0].replica.wantsAs(rep) {
				all = append(all, c)
			}
		}
	}
	return all
}

// startSync begins a snapshot when replicas wait for one and nothing else takes one.
func (r *replication) startSync() {
	if r.sync != nil || r.srv.closed || r.srv.saves.loading != nil {
		return
	}
	members := r.waiting()
	if len(members) == 0 || !r.isTime(members) {
		return
	}
	if err := r.begin(members); err != nil && !errors.Is(err, engine.ErrSnapshot) {
		r.srv.log.Error("a snapshot for replicas does not start", "error", err)
		for _, c := range members {
			c.kill()
		}
	}
}

// isStreamed says whether the snapshot can be sent as it is made.
func (r *replication) isStreamed(members []*Client) bool {
	return r.srv.cfg.Replication.Diskless && !slices.ContainsFunc(members, func(c *Client) bool { return !c.replica.capaEOF })
}

// isTime says whether a snapshot that is sent as it is made has waited long enough for
// more replicas to come.
func (r *replication) isTime(members []*Client) bool {
	cfg := &r.srv.cfg.Replication
	if !r.isStreamed(members) || cfg.DisklessMaxReplicas > 0 && len(members) >= cfg.DisklessMaxReplicas {
		return true
	}
	return r.srv.now.Sub(members[0].replica.since) >= time.Duration(cfg.DisklessDelay)*time.Second
}

// begin takes the snapshot of this moment.
func (r *replication) begin(members []*Client) error {
	s := r.srv
	f := &fullSync{srv: s, members: members, room: make(chan struct{}, 1)}
	if r.isStreamed(members) {
		f.mark = randomID()
	} else if s.saves.fs != nil {
		r.files++
		f.path = s.cfg.Path(fmt.Sprintf("temp-replicas-%d-%d.rdb", os.Getpid(), r.files))
	}
	opt := persist.SaveOptions{
		Path: f.path, NoKeys: members[0].replica.noKeys, Compress: s.cfg.RDBCompression, Checksum: s.cfg.RDBChecksum,
		Aux: []rdb.Aux{
			{Name: "repl-stream-db", Value: decimal(int64(r.streamDB()))},
			{Name: "repl-id", Value: r.stream.ID()}, {Name: "repl-offset", Value: decimal(r.stream.Offset())},
		},
	}
	if r.fields = r.fields || s.held.HasFieldDeadlines(); r.fields {
		opt.Version = rdb.VersionFields
	}
	if f.path == "" {
		opt.To, opt.MaxTape = f, s.replicaLimit()
	}
	var err error
	f.save, err = persist.Start(s.held, s.eng, s.saves.fs, opt, persist.Hooks{
		Ended: f.saved, Freed: s.letWritersGo, TooSlow: func(engine.Held) { f.fail(persist.ErrTooSlow) },
	})
	if err != nil {
		return err
	}
	s.syncs.Add(1)
	r.sync = f
	start := f.buf.Cursor()
	if f.mark != "" {
		f.buf.Append([]byte("$EOF:" + f.mark + "\r\n"))
	}
	s.log.Info("Starting a snapshot for replicas", "replicas", len(members), "streamed", f.mark != "", "offset", r.stream.Offset())
	if !r.follows() {
		r.enc.Reset()
	}
	for _, c := range members {
		f.join(c, start)
	}
	return nil
}

// streamDB is the db that the stream has selected.
func (r *replication) streamDB() int { return 0 }

// join tells a replica from where on it will be sent the stream.
func (f *fullSync) join(c *Client, start repl.Cursor) {
	r, rep := f.srv.repl, c.replica
	rep.sync, rep.rdb, rep.next, rep.moved = f, start, r.stream.Follower(), f.srv.now
	if !rep.plainSync {
		c.pushed.Append([]byte("+FULLRESYNC " + r.stream.ID() + " " + decimal(r.stream.Offset()) + "\r\n"))
	}
	if f.mark != "" {
		rep.state = replicaReceive
	}
	c.wake()
}

// leave takes out a replica that has gone.
func (f *fullSync) leave(c *Client) {
	c.replica.sync = nil
	if i := slices.Index(f.members, c); i >= 0 {
		f.members = slices.Delete(f.members, i, i+1)
	}
	if len(f.members) == 0 {
		f.abort(errSyncAlone)
	}
	f.roomMade()
}

func (f *fullSync) roomMade() {
	select {
	case f.room <- struct{}{}:
	default:
	}
}

// abort ends the snapshot, which nobody wants.
func (f *fullSync) abort(why error) {
	if f.err == nil {
		f.err = why
	}
	f.save.Cancel(why)
	f.roomMade()
}

// fail sends the replicas away: they will try again.
func (f *fullSync) fail(err error) {
	f.abort(err)
	for _, c := range f.members {
		c.kill()
	}
}

// read is what a replica reads next of the snapshot. Behind its end the replica is no
// member any more.
func (f *fullSync) read(c *Client, most int) []byte {
	rep := c.replica
	if b := rep.rdb.Next(most); b != nil {
		rep.moved = f.srv.now
		f.roomMade()
		return b
	}
	if !f.whole {
		return nil
	}
	rep.state, rep.heard, rep.needsAck = replicaOnline, f.srv.now, f.mark != ""
	f.members = slices.DeleteFunc(f.members, func(m *Client) bool { return m == c })
	rep.sync = nil
	c.closeAfterReply = c.closeAfterReply || rep.rdbOnly
	f.srv.log.Info("Synchronization with replica succeeded", "replica", c.replicaName())
	f.srv.repl.countGood()
	f.srv.repl.tellLater() // what came meanwhile
	return nil
}

// Write implements io.Writer for the goroutine of the save: it waits while the slowest
// reader has enough.
func (f *fullSync) Write(p []byte) (int, error) {
	eng := f.srv.eng
	for {
		h := eng.Lock()
		err, room := f.err, f.mark == "" || f.unread() < syncAhead
		if err == nil && f.mark == "" {
			if limit := f.srv.replicaLimit(); limit > 0 && f.buf.End() > limit {
				err = errSyncTooBig
			}
		}
		if err == nil && room {
			f.add(h, p)
		}
		h.Unlock()
		if err != nil {
			return 0, err
		}
		if room {
			return len(p), nil
		}
		<-f.room
	}
}

// add makes bytes a part of what members read.
func (f *fullSync) add(h engine.Held, p []byte) {
	f.srv.held = h
	f.buf.Append(p)
	for _, c := range f.members {
		if f.mark != "" || c.replica.state == replicaReceive {
			c.wake()
		}
	}
}

// unread is how much the slowest reader has not read yet.
func (f *fullSync) unread() (n int64) {
	for _, c := range f.members {
		n = max(n, f.buf.End()-c.replica.rdb.Offset())
	}
	return n
}

// saved is called when the snapshot has been made, well or not.
func (f *fullSync) saved(h engine.Held, save *persist.Save) {
	s := f.srv
	s.begin(h)
	s.repl.sync = nil
	if f.err == nil {
		f.err = save.Err
	}
	switch {
	case f.err != nil:
		s.log.Warn("Snapshot for replicas failed", "error", f.err)
		f.fail(f.err)
		s.syncs.Done()
		if f.path != "" && save.Err == nil {
			_ = s.saves.fs.Remove(f.path) // nobody was left to read it
		}
	case f.path != "":
		go f.sendFile(save.Bytes)
	case f.mark != "":
		f.whole = true
		f.add(h, []byte(f.mark))
		s.syncs.Done()
	default:
		f.tellLength(f.buf.End())
		f.whole = true
		f.add(h, nil)
		s.syncs.Done()
	}
	after := f.after
	f.after = nil
	for _, g := range after {
		g()
	}
	s.repl.startSync()
}

// isBehind says whether commands that write have to wait for the disk.
func (f *fullSync) isBehind() bool { return f != nil && f.save.Behind() }

// tellLength tells members how long the snapshot is that they read next.
func (f *fullSync) tellLength(n int64) {
	for _, c := range f.members {
		c.pushed.Append([]byte("$" + decimal(n) + "\r\n"))
		c.replica.state, c.replica.moved = replicaReceive, f.srv.now
		c.wake()
	}
}

// sendFile has members read the file of the snapshot, which it removes. It is a
// goroutine of its own, which ends when all have read it, or left.
func (f *fullSync) sendFile(size int64) {
	s := f.srv
	defer s.syncs.Done()
	file, err := s.saves.fs.Open(f.path)
	if err == nil {
		err = s.saves.fs.Remove(f.path) // what is open stays
		if err == nil {
			err = f.copyFile(file, size)
		}
		err = errors.Join(err, file.Close())
	}
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	if err != nil && f.err == nil {
		s.log.Warn("Snapshot for replicas could not be sent", "error", err)
		f.fail(err)
		return
	}
	f.whole = true
	f.add(h, nil)
}

func (f *fullSync) copyFile(file disk.File, size int64) error {
	s := f.srv
	h := s.eng.Lock()
	s.begin(h)
	f.tellLength(size)
	h.Unlock()
	piece := make([]byte, syncPiece)
	for left := size; left > 0; {
		n, err := io.ReadFull(file, piece[:min(left, syncPiece)])
		if err != nil {
			return fmt.Errorf("read a snapshot: %w", err)
		}
		if err := f.wait(); err != nil {
			return err
		}
		h := s.eng.Lock()
		f.add(h, piece[:n])
		h.Unlock()
		left -= int64(n)
	}
	return nil
}

// wait returns when the slowest reader wants more, or all have left.
func (f *fullSync) wait() error {
	for {
		h := f.srv.eng.Lock()
		err, room := f.err, f.unread() < syncAhead
		h.Unlock()
		if err != nil || room {
			return err
		}
		<-f.room
	}
}

// replicaLimit is the hard limit of what is kept for a replica; 0 for none. A limit
// below the backlog's size would send replicas away that could go on from there.
func (s *Server) replicaLimit() int64 {
	hard := s.cfg.OutputLimits[config.ClassReplica].Hard
	if hard > 0 {
		hard = max(hard, s.cfg.Replication.BacklogSize)
	}
	return hard
}
