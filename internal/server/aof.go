package server

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/aof"
	"coatcheck/internal/config"
	"coatcheck/internal/persist"
	"coatcheck/metrics"
)

// appendLog is what the server knows of its append-only log. Package aof does the work:
// a goroutine of the log writes it, another one, at most, turns it on or off or rewrites
// it. It is guarded by the engine's lock.
type appendLog struct {
	log   *aof.Log   // nil: nothing is logged
	store *aof.Store // its directory; also while there is no log yet, but will be
	// gate is log for the transports, which hold no lock; the log stays there until it
	// is closed.
	gate atomic.Pointer[aof.Log]
	// position is where the next log begins; seen is how far all was when somebody last
	// looked who wrote it.
	position, seen int64
	inForce        bool // a manifest tells of log
	loaded         bool // what there was at the start is there
	busy           bool // a goroutine is at work
	tasks          sync.WaitGroup
	prepared       *aof.Rewrite  // that could not begin yet
	save           *persist.Save // of the base that is being saved
	asked          bool          // a rewrite is to begin
	after          []func()      // to be called in a batch when the goroutine has done its work

	holders   holders
	acks      map[*waiter]struct{} // who waits for acknowledgements
	ackCount  atomic.Int32         // of acks
	rewriting bool
	started   time.Time     // of the last rewrite
	took      time.Duration // of the last one; -1 before the first
	failed    bool          // the last one
	failures  int64         // since the last that went well
	rewrites  int64
	baseSize  int64 // bytes of the log after the last rewrite, or at the start
	fixed     int64 // bytes of all parts but the one that is written
}

var (
	errNoDirectory = config.Refusal("the server keeps its data in memory only: it was started without a directory")
	errRewriting   = &errs.Error{Code: "ERR", Text: "Background append only file rewriting already in progress"}
)

// errCannotLog is why writes are refused while the log can't be written.
func errCannotLog(err error) error {
	text := err.Error()
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if text = errno.Error(); text != "" {
			text = string(text[0]&^0x20) + text[1:]
		}
	}
	return &errs.Error{Code: "MISCONF", Text: "Errors writing to the AOF file: " + text}
}

// cannotLog says why writes are refused, nil when they are not.
func (s *Server) cannotLog() error {
	if log := s.appendLog.log; log != nil {
		if err := log.Err(); err != nil {
			return errCannotLog(err)
		}
	}
	return nil
}

// logged is the position behind all that was logged.
func (s *Server) logged() int64 {
	if log := s.appendLog.log; log != nil {
		return log.At()
	}
	return s.appendLog.position
}

// noteWrite takes down that a command of c has logged something, if one has.
func (s *Server) noteWrite(c *Client) {
	if at := s.logged(); at != s.appendLog.seen {
		s.appendLog.seen = at
		c.wrote = at
	}
}

// acked says whether those may be told who wrote up to a position. It may be called
// without the lock.
func (s *Server) acked(at int64) bool {
	log := s.appendLog.gate.Load()
	return log == nil || at <= log.Acked()
}

// flushLog has what was just logged written. The caller, who has called logInline before,
// holds no lock.
func (s *Server) flushLog() {
	if log := s.appendLog.gate.Load(); log != nil {
		log.Flush()
	}
}

// logInline says whether flushLog will be called.
func (s *Server) logInline(on bool) {
	if log := s.appendLog.log; log != nil {
		log.SetInline(on)
	}
}

func (s *Server) logHooks() aof.Hooks {
	return aof.Hooks{Synced: s.logSynced, Freed: func() {
		h := s.eng.Lock()
		defer h.Unlock()
		s.letWritersGo(h)
	}, State: func(err error) {
		if err != nil {
			s.log.Error("Error writing to the AOF file; commands that write are refused until that is over", "error", err)
		} else {
			s.log.Info("the append-only file can be written again")
		}
	}}
}

// logSynced lets go what has waited for the disk.
func (s *Server) logSynced() {
	s.appendLog.holders.release(s)
	if s.appendLog.ackCount.Load() > 0 {
		h := s.eng.Lock()
		defer h.Unlock()
		s.begin(h)
		s.retryAcks()
	}
}

// retryAcks runs the commands again that wait for acknowledgements.
func (s *Server) retryAcks() {
	for w := range s.appendLog.acks {
		s.tryAgain(w)
	}
}

// holders are transports that hold replies back.
type holders struct {
	mu  sync.Mutex
	all []holder
}

// holder wants to know when a position is acknowledged.
type holder struct {
	at   int64
	tell func()
}

// whenAcked has tell called, without any lock, when the position is acknowledged.
func (s *Server) whenAcked(at int64, tell func()) {
	s.appendLog.holders.mu.Lock()
	s.appendLog.holders.all = append(s.appendLog.holders.all, holder{at, tell})
	s.appendLog.holders.mu.Unlock()
	if s.acked(at) { // it came between
		s.appendLog.holders.release(s)
	}
}

func (x *holders) release(s *Server) {
	x.mu.Lock()
	var due []func()
	kept := x.all[:0]
	for _, h := range x.all {
		if s.acked(h.at) {
			due = append(due, h.tell)
		} else {
			kept = append(kept, h)
		}
	}
	clear(x.all[len(kept):])
	x.all = kept
	x.mu.Unlock()
	for _, tell := range due {
		tell()
	}
}

// syncPolicy is appendfsync as the log has it.
func (s *Server) syncPolicy() aof.Policy {
	switch s.cfg.AOF.Sync {
	case "always":
		return aof.Always
	case "no":
		return aof.Never
	}
	return aof.EverySecond
}

// logChanged takes over parameters of the log.
func (s *Server) logChanged() error {
	if log := s.appendLog.log; log != nil {
		log.SetPolicy(s.syncPolicy())
		log.SetStamps(s.cfg.AOF.Timestamps)
		s.lazySyncs()
	}
	return nil
}

// lazySyncs leaves syncing to the system while a file is saved, where that is wanted.
func (s *Server) lazySyncs() {
	if log := s.appendLog.log; log != nil {
		log.SetLazy(s.cfg.AOF.NoSyncOnRewrite && (s.appendLog.save != nil || s.saves.run != nil))
	}
}

// logTurned is CONFIG SET appendonly.
func (s *Server) logTurned() error {
	if s.cfg.AOF.On && s.saves.fs == nil {
		return errNoDirectory
	}
	if run := s.appendLog.save; run != nil && !s.cfg.AOF.On {
		run.Cancel(persist.ErrCancelled)
	}
	s.appendLog.failed = false // try at once
	s.driveLog()
	return nil
}

// driveLog begins what there is to do: to turn the log on or off, or to rewrite it.
func (s *Server) driveLog() {
	a := &s.appendLog
	if a.busy || !a.loaded || s.saves.loading != nil || s.closed {
		return
	}
	a.asked = a.asked || s.growsTooBig()
	switch on := s.cfg.AOF.On; {
	case !on && a.log != nil:
		a.busy = true
		log, store := a.log, a.store
		s.detachLog()
		a.store = nil
		s.held.BeforeUnlock(func(h engine.Held) { // WAITAOF waits for nothing any more
			s.begin(h)
			s.retryAcks()
		})
		a.tasks.Go(func() { s.endLog(log, store) })
	case (a.asked || on && a.log == nil) && s.saves.run == nil && !s.rewriteMustRest():
		a.busy, a.rewriting, a.asked = true, true, false
		a.started = s.now
		a.tasks.Go(s.rewriteLog)
	}
}

// rewriteMustRest says whether a rewrite that fails again and again is left alone for a
// while: longer each time, up to an hour.
func (s *Server) rewriteMustRest() bool {
	a := &s.appendLog
	if !a.failed || a.failures == 0 {
		return false
	}
	rest := retryDelay << min(a.failures-1, 10)
	return s.now.Sub(a.started) < min(rest, time.Hour)
}

// growsTooBig says whether the log has grown so much that it is to be rewritten.
func (s *Server) growsTooBig() bool {
	a, c := &s.appendLog, &s.cfg.AOF
	if a.log == nil || !a.inForce || c.RewritePercentage == 0 || a.log.Err() != nil {
		return false
	}
	size := s.logSize()
	if size <= c.RewriteMinSize {
		return false
	}
	base := max(a.baseSize, 1)
	return size/base*100-100+size%base*100/base >= c.RewritePercentage
}

// logSize is how many bytes the log has.
func (s *Server) logSize() int64 {
	if s.appendLog.log == nil {
		return s.appendLog.fixed
	}
	return s.appendLog.fixed + s.appendLog.log.State().Size
}

// attachLog has a log hear what happens.
func (s *Server) attachLog(log *aof.Log) {
	a := &s.appendLog
	a.log = log
	a.seen = log.At()
	a.gate.Store(log)
	log.SetStamps(s.cfg.AOF.Timestamps)
	s.held.AddSink(log)
}

// detachLog ends that; the gate stays.
func (s *Server) detachLog() {
	a := &s.appendLog
	s.held.RemoveSink(a.log)
	a.position = a.log.At()
	a.log, a.inForce = nil, false
}

// closeLog ends a log that is detached, and lets go who waits for it.
func (s *Server) closeLog(log *aof.Log) error {
	err := log.Close()
	s.appendLog.gate.CompareAndSwap(log, nil)
	s.logSynced()
	return err
}

// unlock lets others use the directory of a log.
func (s *Server) unlock(store *aof.Store) {
	if err := store.Close(); err != nil {
		s.log.Error("the lock of the append-only log", "error", err)
	}
}

// endLog closes a log that was turned off.
func (s *Server) endLog(log *aof.Log, store *aof.Store) {
	err := s.closeLog(log)
	if err != nil {
		s.log.Error("the append-only log ends without its last changes", "error", err)
	}
	s.unlock(store)
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	s.logWorkDone()
}

// logWorkDone goes on when the goroutine has done its work.
func (s *Server) logWorkDone() {
	a := &s.appendLog
	a.busy = false
	after := a.after
	a.after = nil
	for _, f := range after {
		f()
	}
	s.driveLog()
}

// logFiles says where the log is.
func (s *Server) logFiles() aof.Files {
	return aof.Files{FS: s.saves.fs, Dir: s.cfg.Path(s.cfg.AOF.DirName), Name: s.cfg.AOF.FileName}
}

// shutLog ends the log with the server.
func (s *Server) shutLog() error {
	a := &s.appendLog
	h := s.eng.Lock()
	if a.save != nil {
		a.save.Cancel(persist.ErrCancelled)
	}
	h.Unlock()
	a.tasks.Wait()
	h = s.eng.Lock()
	s.begin(h)
	log, store := a.log, a.store
	a.store = nil
	if log != nil {
		s.detachLog()
	}
	if a.prepared != nil {
		a.prepared.Abandon()
	}
	h.Unlock()
	var err error
	if log != nil {
		err = s.closeLog(log)
	}
	if store != nil {
		err = errors.Join(err, store.Close())
	}
	return err
}

// aofFigures is what INFO and metrics tell.
func (s *Server) aofFigures() metrics.AOF {
	a := &s.appendLog
	f := metrics.AOF{
		On: s.cfg.AOF.On, Rewriting: a.rewriting, Scheduled: a.asked, Took: -1, LastTook: a.took, LastFailed: a.failed,
		Rewrites: a.rewrites, Failures: a.failures, Size: s.logSize(), BaseSize: a.baseSize,
	}
	if a.rewriting {
		f.Took = s.now.Sub(a.started)
	}
	if a.log != nil {
		state := a.log.State()
		f.Pending, f.Syncing, f.Slow, f.WriteFailed = int64(state.Pending), state.Syncing, state.Slow, state.Err != nil
	}
	return f
}
