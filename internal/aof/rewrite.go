package aof

import (
	"fmt"

	"coatcheck/internal/disk"
	"coatcheck/internal/persist"
)

// Rewrite replaces all of a log by a base of one moment and an increment of what came
// since. Prepare and Finish are for files; Start, between them, is the moment.
type Rewrite struct {
	s        *Store
	log      *Log
	incr     part
	file     disk.File
	base     part
	switched <-chan struct{}
}

// Prepare makes the increment that follows. log is the one that is being written, nil
// where that begins with the rewrite.
func (s *Store) Prepare(log *Log) (*Rewrite, error) {
	r := &Rewrite{s: s, log: log, base: part{seq: s.m.base.seq + 1, kind: base}}
	r.base.name = fmt.Sprintf("%s.%d.base.rdb", s.files.Name, r.base.seq)
	var err error
	if r.incr, r.file, err = s.nextIncr(); err != nil {
		return nil, err
	}
	if log == nil {
		return r, nil
	}
	m := s.m
	m.incrs = append(m.incrs[:len(m.incrs):len(m.incrs)], r.incr)
	if err := s.put(m); err != nil {
		r.file.Close()
		return nil, err
	}
	return r, nil
}

// Start is called under the engine's lock, in the moment that the snapshot begins: what
// is logged from now on goes to the new increment.
func (r *Rewrite) Start() { r.switched = r.log.switchTo(r.file) }

// Begin is Start where there was no log: it returns the one that hears from now on, for
// the caller to attach. Its positions begin with from.
func (r *Rewrite) Begin(from int64, policy Policy, hooks Hooks) *Log {
	return start(r.file, 0, from, policy, hooks)
}

// Abandon is for a rewrite that neither Start nor Begin was called for.
func (r *Rewrite) Abandon() { r.file.Close() }

// Switched is closed when the increments before are whole; nil where there were none.
func (r *Rewrite) Switched() <-chan struct{} { return r.switched }

// Finish puts base and increment into force, after the base was saved, and removes what
// they replace. The log goes on, whether it fails or not; inForce says whether it does so
// in the new increment.
func (r *Rewrite) Finish() (inForce bool, err error) {
	s := r.s
	m := manifest{base: r.base, incrs: []part{r.incr}}
	for _, p := range s.m.parts() {
		if p.name != r.incr.name {
			p.kind = history
			m.old = append(m.old, p)
		}
	}
	m.old = append(m.old, s.m.old...)
	if err := s.put(m); err != nil {
		return false, err
	}
	return true, s.removeHistory()
}

// removeHistory removes what a manifest lists as replaced.
func (s *Store) removeHistory() error {
	if len(s.m.old) == 0 {
		return nil
	}
	for _, p := range s.m.old {
		if err := s.tidy(p.name); err != nil {
			return err
		}
	}
	m := s.m
	m.old = nil
	return s.put(m)
}

// Base says how the base is saved.
func (r *Rewrite) Base(opt persist.SaveOptions) persist.SaveOptions {
	opt.Path = r.s.files.path(r.base.name)
	opt.OfLog = true
	return opt
}
