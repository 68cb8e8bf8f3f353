package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/internal/command"
	"coatcheck/internal/disk"
	"coatcheck/internal/persist"
	"coatcheck/metrics"
)

// saves is what the server knows of its snapshot file. Package persist does the
// work, in a goroutine of each save.
type saves struct {
	fs    disk.FS       // nil: the server keeps nothing
	run   *persist.Save // the one that runs
	after []func()      // to be called, under the lock, when it has ended
	again bool          // another one is to follow
	// flushed: the keyspace was emptied since the last one began.
	flushed bool
	// final: the server ends with what is being saved. Commands that write wait
	// until then, or until that has failed.
	final bool

	last    time.Time // of the last one that went well, or the start
	tried   time.Time
	failed  bool // the last one
	took    time.Duration
	changes int64 // the engine's count when the last good one began
	done    int64
	size    int64

	loading *loading
	loaded  persist.Loaded
}

// loading is how far a load has come.
type loading struct {
	started                  time.Time
	total, read, keysHandled int64
}

// retryDelay is how long the server leaves a disk alone that has failed (Redis
// CONFIG_BGSAVE_RETRY_DELAY).
const retryDelay = 5 * time.Second

var (
	errNoDisk     = &errs.Error{Code: "ERR", Text: "This server keeps its data in memory only: it was started without a directory"}
	errSaving     = &errs.Error{Code: "ERR", Text: "Background save already in progress"}
	errSaveFailed = &errs.Error{Code: "ERR", Text: "the snapshot could not be written, the log says why"}
	errLoading    = &errs.Error{Code: "LOADING", Text: "Redis is loading the dataset in memory"}
	errMisconf    = &errs.Error{Code: "MISCONF", Text: "Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. " +
		"Commands that may modify the data set are disabled, because this instance is configured to report errors during writes " +
		"if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error."}
)

// savePoint is one of the parameter save: after so many seconds, when so many
// changes came.
type savePoint struct {
	every   time.Duration
	changes int64
}

func (s *Server) savePoints() (points []savePoint) {
	words := strings.Fields(s.cfg.Save)
	for i := 0; i+1 < len(words); i += 2 {
		seconds, _ := strconv.ParseInt(words[i], 10, 64)
		changes, _ := strconv.ParseInt(words[i+1], 10, 64)
		points = append(points, savePoint{time.Duration(seconds) * time.Second, changes})
	}
	return points
}

// startSave begins to save into the file of the configuration. ended, unless nil,
// is called under the lock, in a batch, when that is over.
func (s *Server) startSave(ended func()) error {
	v := &s.saves
	switch {
	case v.fs == nil:
		return errNoDisk
	case v.run != nil:
		return errSaving
	}
	opt := s.saveOptions()
	opt.Path = s.snapshotFile()
	run, err := persist.Start(s.held, s.eng, v.fs, opt, persist.Hooks{Ended: s.saveEnded, Freed: s.letWritersGo})
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	s.log.Info("Background saving started", "file", s.snapshotFile())
	v.run, v.tried, v.again, v.flushed = run, s.now, false, false
	s.lazySyncs()
	if ended != nil {
		v.after = append(v.after, ended)
	}
	return nil
}

// saveOptions is how files are written.
func (s *Server) saveOptions() persist.SaveOptions {
	return persist.SaveOptions{Compress: s.cfg.RDBCompression, Checksum: s.cfg.RDBChecksum, Born: s.policies.Born}
}

// snapshotFile is where the snapshot is.
func (s *Server) snapshotFile() string { return s.cfg.Path(s.cfg.DBFilename) }

// saveEnded takes note of how a save went.
func (s *Server) saveEnded(h engine.Held, run *persist.Save) {
	s.begin(h)
	v := &s.saves
	v.run, v.took = nil, run.Took
	s.lazySyncs()
	if v.failed = run.Err != nil; v.failed {
		s.log.Error("Background saving error", "error", run.Err)
	} else {
		v.last, v.changes, v.size = s.now, run.Changes, run.Bytes
		v.done++
		s.log.Info("Background saving terminated with success", "bytes", run.Bytes, "took", run.Took)
	}
	after := v.after
	v.after = nil
	for _, f := range after {
		f()
	}
}

// letWritersGo wakes those who were held back while the disk was behind.
func (s *Server) letWritersGo(h engine.Held) {
	s.held = h
	s.wakePaused()
}

// savesHold says whether commands that write have to wait for the disk.
func (s *Server) savesHold() bool {
	log := s.appendLog.log
	return s.saves.final || s.saves.run.Behind() || s.appendLog.save.Behind() || log != nil && log.Behind() || s.repl.sync.isBehind()
}

// saveIfDue begins a save when a save point says so, or one was asked for.
func (s *Server) saveIfDue() {
	v := &s.saves
	if v.fs == nil || v.run != nil || s.appendLog.save != nil || s.repl.sync != nil || v.loading != nil || v.final || s.closed {
		return
	}
	if v.failed && s.now.Sub(v.tried) < retryDelay {
		return
	}
	due := v.again || v.flushed && s.cfg.Save != ""
	changes := s.held.Stats().Changes - v.changes
	for _, p := range s.savePoints() {
		due = due || changes >= p.changes && changes > 0 && s.now.Sub(v.last) > p.every
	}
	if !due {
		return
	}
	if err := s.startSave(nil); err != nil {
		s.log.Error("a save that is due does not start", "error", err)
	}
}

// cannotSave says whether writes are refused since the last save has failed.
func (s *Server) cannotSave() bool {
	return s.saves.failed && s.cfg.StopWritesOnBgsaveError && s.cfg.Save != ""
}

// Effect implements engine.Sink: where there are save points, a crash after a
// FLUSHALL must not bring back what was flushed.
func (v *saves) Effect(_ *engine.Tx, e *engine.Effect) {
	if e.Key == nil && e.DB == -1 {
		v.flushed = true
	}
}

// Wants implements engine.Sink: changes of the whole keyspace are told to all.
func (v *saves) Wants() engine.Wants { return engine.Wants{} }

// saveAtEnd saves for the last time, when force says so or there are save points,
// and calls then, under the lock, in a batch. When it went well, commands that
// write wait from then on: what they did would be lost.
func (s *Server) saveAtEnd(force bool, then func(err error)) {
	v := &s.saves
	if v.fs == nil || !force && s.cfg.Save == "" {
		if force {
			then(errNoDisk)
		} else {
			then(nil)
		}
		return
	}
	v.final = true
	if run := s.appendLog.save; run != nil { // nobody needs a shorter log now
		run.Cancel(persist.ErrCancelled)
		s.appendLog.after = append(s.appendLog.after, func() { s.saveAtEnd(force, then) })
		return
	}
	if f := s.repl.sync; f != nil { // replicas come again
		f.abort(persist.ErrCancelled)
		f.after = append(f.after, func() { s.saveAtEnd(force, then) })
		return
	}
	if v.run != nil { // it began too early
		v.run.Cancel(persist.ErrCancelled)
		v.after = append(v.after, func() { s.saveAtEnd(force, then) })
		return
	}
	failed := func(err error) {
		v.final = false
		s.wakePaused()
		then(err)
	}
	err := s.startSave(func() {
		if v.failed {
			failed(errSaveFailed)
		} else {
			then(nil)
		}
	})
	if err != nil {
		failed(err)
	}
}

// SaveAtEnd saves a last time where the configuration has save points. After it
// has returned nil the server takes no writes any more; Shutdown should follow.
func (s *Server) SaveAtEnd() error {
	s.StopScripts()
	done := make(chan error, 1)
	h := s.eng.Lock()
	s.begin(h)
	s.saveAtEnd(false, func(err error) { done <- err })
	h.Unlock()
	return <-done
}

// Load reads what the server has kept, if there is something, while clients get
// -LOADING: the append-only log where appendonly says so, and the snapshot file
// otherwise. It is called once, before or after Listen.
func (s *Server) Load(ctx context.Context) error {
	h := s.eng.Lock()
	s.begin(h)
	v := &s.saves
	v.loading = &loading{started: s.now}
	withLog, files := s.cfg.AOF.On, s.logFiles()
	path, opt := s.snapshotFile(), persist.LoadOptions{Unsigned: !s.cfg.RDBChecksum, Progress: s.loadProgress, Born: s.policies.Loaded}
	h.Unlock()
	var loaded persist.Loaded
	var err error
	if withLog {
		loaded, err = s.loadLog(ctx, files, path, opt)
	} else {
		loaded, err = persist.Load(ctx, s.eng, v.fs, path, opt)
	}

	h = s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	took := s.now.Sub(v.loading.started)
	v.loading, v.loaded = nil, loaded
	v.changes, v.last = h.Stats().Changes, s.now
	s.wakePaused()
	switch {
	case withLog && err != nil:
		return fmt.Errorf("load the append-only log: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		s.appendLog.loaded = true
		return nil
	case err != nil:
		return fmt.Errorf("load the snapshot: %w", err)
	}
	s.appendLog.loaded = true
	s.keysLoaded()
	if withLog {
		return nil
	}
	s.log.Info("DB loaded from disk", "file", path, "keys", loaded.Keys, "expired", loaded.Expired, "took", took)
	return nil
}

func (s *Server) loadProgress(total, bytes, keys int64) {
	h := s.eng.Lock()
	defer h.Unlock()
	l := s.saves.loading
	l.total, l.read, l.keysHandled = total, bytes, keys
}

// persistence is what INFO and metrics tell.
func (s *Server) persistence() metrics.Persistence {
	v := &s.saves
	p := metrics.Persistence{
		ChangesSince: s.held.Stats().Changes - v.changes, Saving: v.run != nil, LastSave: v.last, LastFailed: v.failed,
		LastTook: v.took, Saves: v.done, Loaded: v.loaded.Keys, LoadedExpired: v.loaded.Expired,
	}
	if v.run != nil {
		p.Took = s.now.Sub(v.tried)
		visited, total := v.run.Progress(s.held)
		p.KeysSaved, p.KeysTotal = int64(visited), int64(total)
		p.Kept = int64(v.run.TapePeak)
	}
	if l := v.loading; l != nil {
		p.Loading, p.LoadStarted, p.LoadTotal, p.LoadRead = true, l.started, l.total, l.read
	}
	return p
}

// saveCommands are about the snapshot file.
var saveCommands = []command.Entry[*Client]{
	{Spec: command.Spec{
		Name: "SAVE", Arity: 1,
		Flags: command.Admin | command.NoScript | command.NoAsyncLoading | command.NoMulti,
		Group: command.GroupServer, Since: "1.0.0", Complexity: "O(N) in the keys of all databases",
		Summary: "Saves all data to disk and replies when that is done; others are served meanwhile.",
	}, Run: save},
	{Spec: command.Spec{
		Name: "BGSAVE", Syntax: "[SCHEDULE]", Arity: -1,
		Flags: command.Admin | command.NoScript | command.NoAsyncLoading,
		Group: command.GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Begins to save all data to disk.",
		History: [][2]string{{"3.2.2", "SCHEDULE."}},
	}, Run: bgsave},
	{Spec: command.Spec{
		Name: "LASTSAVE", Arity: 1,
		Flags: command.Loading | command.Stale | command.Fast, Categories: []string{"admin", "dangerous"},
		Group: command.GroupServer, Since: "1.0.0", Complexity: "O(1)",
		Summary: "Tells when data were last saved.",
		Tips:    []string{"nondeterministic_output"},
	}, Run: lastsave},
}
