package server

import (
	"errors"

	"coatcheck/engine"
	"coatcheck/internal/aof"
	"coatcheck/internal/persist"
)

// rewriteLog replaces the log by a base of this moment, and what comes since; where it
// is off and to be on, it begins so. It is a goroutine of its own.
func (s *Server) rewriteLog() {
	err := s.rewriteOnce()
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	a := &s.appendLog
	a.rewriting = false
	switch {
	case errors.Is(err, engine.ErrSnapshot): // somebody else saves; it is tried again
		a.asked = true
	case err != nil:
		a.failed, a.took = true, s.now.Sub(a.started)
		a.failures++
		a.asked = a.log != nil && !errors.Is(err, persist.ErrCancelled)
		s.log.Error("Background AOF rewrite failed", "error", err)
	default:
		a.failed, a.failures, a.took = false, 0, s.now.Sub(a.started)
		a.rewrites++
		s.log.Info("Background AOF rewrite finished successfully", "took", a.took)
	}
	s.lazySyncs()
	s.logWorkDone()
}

// rewriteOnce does the work of rewriteLog. It fails with engine.ErrSnapshot when another
// snapshot is being taken.
func (s *Server) rewriteOnce() error {
	rw, began, err := s.prepareRewrite()
	if err != nil {
		return err
	}
	save, err := s.startRewrite(rw, began)
	if err != nil {
		return err
	}
	<-save.Done()
	inForce, err := false, save.Err
	if err == nil {
		err = s.waitSwitched(rw)
	}
	if err == nil {
		inForce, err = rw.Finish()
	}
	return s.endRewrite(save, began, inForce, err)
}

// prepareRewrite makes the next increment. began says that the log begins so.
func (s *Server) prepareRewrite() (rw *aof.Rewrite, began bool, err error) {
	a := &s.appendLog
	h := s.eng.Lock()
	log, store, files := a.log, a.store, s.logFiles()
	rw, a.prepared = a.prepared, nil
	h.Unlock()
	if store == nil {
		if store, err = aof.Take(files); err != nil {
			return nil, false, err
		}
		h = s.eng.Lock()
		a.store = store
		h.Unlock()
	}
	if rw == nil {
		if rw, err = store.Prepare(log); err != nil {
			if log == nil {
				s.dropStore()
			}
			return nil, false, err
		}
	}
	return rw, log == nil, nil
}

// dropStore lets others have the directory, as there is no log.
func (s *Server) dropStore() {
	h := s.eng.Lock()
	store := s.appendLog.store
	s.appendLog.store = nil
	h.Unlock()
	if store != nil {
		s.unlock(store)
	}
}

// startRewrite begins to save the base, and to log into the new increment.
func (s *Server) startRewrite(rw *aof.Rewrite, began bool) (*persist.Save, error) {
	a := &s.appendLog
	h := s.eng.Lock()
	defer h.Unlock()
	s.begin(h)
	save, err := persist.Start(h, s.eng, s.saves.fs, rw.Base(s.saveOptions()), persist.Hooks{
		Ended: func(engine.Held, *persist.Save) {}, Freed: s.letWritersGo,
	})
	if err != nil {
		a.prepared = rw
		return nil, err
	}
	s.log.Info("Background append only file rewriting started")
	switch {
	case !began:
		rw.Start()
	case s.cfg.AOF.On:
		s.attachLog(rw.Begin(a.position, s.syncPolicy(), s.logHooks()))
	default: // BGREWRITEAOF without a log: its files are made, and nothing more
		rw.Abandon()
	}
	a.save = save
	s.lazySyncs()
	if s.closed {
		save.Cancel(persist.ErrCancelled)
	}
	return save, nil
}

// waitSwitched waits until the increments before are whole.
func (s *Server) waitSwitched(rw *aof.Rewrite) error {
	if rw.Switched() == nil {
		return nil
	}
	select {
	case <-rw.Switched():
		return nil
	case <-s.ending.Done():
		return persist.ErrCancelled
	}
}

// endRewrite takes down how a rewrite went. A log that begins and has no base ends.
func (s *Server) endRewrite(save *persist.Save, began, inForce bool, err error) error {
	a := &s.appendLog
	h := s.eng.Lock()
	s.begin(h)
	a.save = nil
	var ended *aof.Log
	switch {
	case inForce:
		a.inForce = a.log != nil
		a.fixed = save.Bytes
		a.baseSize = s.logSize()
		s.retryAcks()
	case began && a.log != nil:
		ended = a.log
		s.detachLog()
	}
	unused := a.log == nil
	h.Unlock()
	if ended != nil {
		err = errors.Join(err, s.closeLog(ended))
	}
	if unused {
		s.dropStore()
	}
	if inForce && err != nil { // only what was replaced is still there
		s.log.Warn("files of the append-only log that are no longer needed could not be removed", "error", err)
		err = nil
	}
	return err
}
