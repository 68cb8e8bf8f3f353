package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"coatcheck/internal/aof"
	"coatcheck/internal/persist"
)

// loadLog reads the append-only log, and opens it. Where there is none, the snapshot is
// read, and becomes its base.
func (s *Server) loadLog(ctx context.Context, files aof.Files, snapshot string, opt persist.LoadOptions) (persist.Loaded, error) {
	var loaded persist.Loaded
	store, err := aof.Take(files)
	if err != nil {
		return loaded, err
	}
	s.setStore(store)
	if !store.Exists() {
		loaded, err = persist.Load(ctx, s.eng, s.saves.fs, snapshot, opt)
		switch {
		case err == nil && loaded.Keys > 0:
			s.log.Info("there is no append-only log yet: the snapshot becomes its base", "file", snapshot)
			return loaded, s.firstBase()
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return loaded, err
		}
		return loaded, s.openLog(store)
	}
	got, err := store.Load(ctx, s.eng, aof.LoadOptions{
		Truncated: s.loadsTruncated(), Base: opt, Progress: opt.Progress, Warn: s.log.Warn,
	})
	loaded.Keys = got.Keys
	if err != nil {
		return loaded, fmt.Errorf("%w (redis-check-aof --fix cuts a file that is whole at its beginning)", err)
	}
	s.log.Info("DB loaded from append only file", "units", got.Units, "bytes", got.Bytes)
	return loaded, s.openLog(store)
}

func (s *Server) setStore(store *aof.Store) {
	h := s.eng.Lock()
	defer h.Unlock()
	s.appendLog.store = store
}

func (s *Server) loadsTruncated() bool {
	h := s.eng.Lock()
	defer h.Unlock()
	return s.cfg.AOF.LoadTruncated
}

// openLog begins to log behind what there is.
func (s *Server) openLog(store *aof.Store) error {
	h := s.eng.Lock()
	policy := s.syncPolicy()
	h.Unlock()
	log, err := store.Open(policy, s.logHooks())
	if err != nil {
		return err
	}
	fixed, err := store.BaseSize()
	if err != nil {
		return errors.Join(fmt.Errorf("measure the append-only log: %w", err), log.Close())
	}
	h = s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	s.attachLog(log)
	a := &s.appendLog
	a.inForce, a.fixed = true, fixed
	a.baseSize = s.logSize()
	return nil
}

// firstBase begins the log with what there is, while nobody is served.
func (s *Server) firstBase() error {
	h := s.eng.Lock()
	s.appendLog.started = s.now
	h.Unlock()
	return s.rewriteOnce()
}

// loadLogAgain reads the log into a keyspace that is emptied for it.
func (s *Server) loadLogAgain() error {
	h := s.eng.Lock()
	s.begin(h)
	s.saves.loading = &loading{started: s.now}
	log, store := s.appendLog.log, s.appendLog.store
	h.RemoveSink(log)
	h.Unlock()
	written := make(chan error, 1)
	log.Sync(func(err error) { written <- err })
	err := <-written
	if err == nil {
		s.emptyQuietly()
		opt := persist.LoadOptions{Unsigned: true, Progress: s.loadProgress, Born: s.policies.Loaded}
		_, err = store.Load(context.Background(), s.eng, aof.LoadOptions{Truncated: s.loadsTruncated(), Base: opt, Progress: s.loadProgress, Warn: s.log.Warn})
	}
	h = s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	s.saves.loading = nil
	h.AddSink(log)
	s.keysLoaded()
	s.wakePaused()
	return err
}

// emptyQuietly empties all dbs, which nobody hears of.
func (s *Server) emptyQuietly() {
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	h.Replay(true)
	defer h.Replay(false)
	tx := h.Begin(0)
	defer tx.End()
	tx.FlushAll()
}
