// Package persist keeps the keyspace in files: it writes snapshots while clients
// go on, and loads them. It knows the engine, the format and the file system, not
// clients or when to save.
package persist

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/disk"
	"coatcheck/internal/rdb"
)

// How a save goes. The snapshot's visits take entries down on a tape, under the
// engine's lock. A goroutine walks a slice at a time, takes what is on the tape,
// and, off the lock, compresses and writes it. Writers that change what has not
// been visited yet put it on the tape first; when they do so faster than the disk
// takes it, Behind says so and whoever runs commands holds writes back, so that
// the tape stays a small part of the data.

const (
	// stepTime is how long the walk holds the lock at a time.
	stepTime = 300 * time.Microsecond
	// writePiece is how much is encoded and written at a time.
	writePiece = 256 << 10
	// tapeShare is the part of the memory in use that the tape may take, and
	// tapeMin what it may take in any case.
	tapeShare = 20
	tapeMin   = 1 << 20
)

// SaveOptions say how a file is written.
type SaveOptions struct {
	Path string // of the file
	// To, unless nil, is written to instead of a file. Nobody is held back then: MaxTape
	// is how much may wait for it, in bytes, before the save fails with ErrTooSlow; 0 for
	// no limit.
	To      io.Writer
	MaxTape int64
	// NoKeys leaves all keys out.
	NoKeys bool
	// Version, unless 0, is the least version of the format to write.
	Version  int
	Compress bool // rdbcompression
	Checksum bool // rdbchecksum
	// OfLog says that the file is the base of an append-only log.
	OfLog bool
	// Functions are the libraries to keep beside the data.
	Functions [][]byte
	// Aux are fields of the head beside the usual ones.
	Aux []rdb.Aux
	// Born, unless nil, tells when a key was created, where that is to be kept. It
	// is called under the engine's lock.
	Born func(db int, key []byte) (at engine.UnixMilli, ok bool)
}

// Save is one that runs or has ended. All but Done is guarded by the engine's
// lock.
type Save struct {
	eng  *engine.Engine
	fsys disk.FS
	opt  SaveOptions
	snap *engine.Snapshot
	tape *rdb.Tape
	enc  rdb.Encoder
	// limit is how long the tape may become before writers wait.
	limit  int
	behind bool
	cancel error // why it is to end early
	ended  func(h engine.Held, s *Save)
	freed  func(h engine.Held)
	// tooSlow may be nil.
	tooSlow func(h engine.Held)
	held    engine.Held
	done    chan struct{}

	// Started is when, by the machine's clock; Changes the engine's count of
	// changes then.
	Started time.Time
	Changes int64
	// Err is why it failed, nil if it did not; Bytes the size of the file.
	Err   error
	Bytes int64
	Took  time.Duration
	// TapePeak is the most that was on the tape, in bytes.
	TapePeak int

	sum uint64
	out []byte
}

// Hooks tell the caller what happens. They are called under the engine's lock, from
// the goroutine that saves.
type Hooks struct {
	// Ended is called when the save has ended, well or not.
	Ended func(h engine.Held, s *Save)
	// Freed is called when writers need not wait any longer.
	Freed func(h engine.Held)
	// TooSlow, unless nil, is called when To is: what it is doing is in vain.
	TooSlow func(h engine.Held)
}

// Start begins to save the keyspace as it is now. It fails with
// engine.ErrSnapshot while another snapshot runs.
func Start(h engine.Held, eng *engine.Engine, fsys disk.FS, opt SaveOptions, hooks Hooks) (*Save, error) {
	s := &Save{
		eng: eng, fsys: fsys, opt: opt, tape: rdb.NewTape(), enc: rdb.Encoder{Compress: opt.Compress},
		ended: hooks.Ended, freed: hooks.Freed, tooSlow: hooks.TooSlow, done: make(chan struct{}),
		Started: engine.SystemClock{}.Now(), Changes: h.Stats().Changes,
	}
	s.limit = max(tapeMin, int(h.Memory().Used/tapeShare))
	var err error
	if s.snap, err = h.StartSnapshot(s.visit); err != nil {
		return nil, err
	}
	head := []rdb.Aux{
		{Name: "redis-ver", Value: "7.2.4"}, {Name: "redis-bits", Value: strconv.Itoa(strconv.IntSize)},
		{Name: "ctime", Value: rdb.SavedAt(engine.UnixMilli(s.Started.UnixMilli()))},
		{Name: "used-mem", Value: strconv.FormatInt(h.Memory().Used, 10)}, {Name: "aof-base", Value: "0"},
	}
	if opt.OfLog {
		head[len(head)-1].Value = "1"
	}
	version := rdb.Version
	if h.HasFieldDeadlines() {
		version = rdb.VersionFields
	}
	version = max(version, opt.Version)
	s.held = h
	s.out = s.enc.AppendHead(nil, version, append(head, opt.Aux...)...)
	for _, code := range opt.Functions {
		s.out = s.enc.AppendFunction(s.out, code)
	}
	go s.run()
	return s, nil
}

// auxBorn is the field before a key that tells when it was created, in milliseconds
// since the epoch. Redis passes over fields that it does not know.
const auxBorn = "coatcheck-born"

func (s *Save) visit(db int, v engine.View) {
	if s.cancel != nil || s.opt.NoKeys { // nobody will read it
		return
	}
	if s.opt.Born != nil {
		if at, ok := s.opt.Born(db, v.Key()); ok {
			s.tape.Aux(auxBorn, strconv.FormatInt(int64(at), 10))
		}
	}
	s.tape.Entry(db, v)
	n := s.tape.Len()
	s.TapePeak = max(s.TapePeak, n)
	if s.opt.To == nil {
		s.behind = s.behind || n > s.limit
	} else if s.opt.MaxTape > 0 && int64(n) > s.opt.MaxTape {
		s.cancel = ErrTooSlow
		if s.tooSlow != nil {
			s.tooSlow(s.held)
		}
	}
}

// Behind says whether commands that write are to wait until Freed is called.
func (s *Save) Behind() bool { return s != nil && s.behind }

// Progress is how many of how many keys have been written, or nearly.
func (s *Save) Progress(h engine.Held) (visited, total int) { return s.snap.Progress(h) }

// Cancel ends the save early; its Err is why.
func (s *Save) Cancel(why error) { s.cancel = why }

// Done is closed when the save has ended.
func (s *Save) Done() <-chan struct{} { return s.done }

// tempName is what the file is called until it is whole, as Redis calls it.
func tempName() string { return "temp-" + strconv.Itoa(os.Getpid()) + ".rdb" }

func (s *Save) run() {
	var err error
	if s.opt.To != nil {
		err = s.write(s.opt.To)
	} else {
		err = disk.Replace(s.fsys, s.opt.Path, tempName(), func(f disk.File) error { return s.write(f) })
	}
	h := s.eng.Lock()
	defer h.Unlock()
	s.snap.End(h)
	s.behind, s.Err = false, err
	s.Took = engine.SystemClock{}.Now().Sub(s.Started)
	s.freed(h)
	s.ended(h, s)
	close(s.done)
}

// write writes the file.
func (s *Save) write(f io.Writer) error {
	var spare []byte
	for done := false; !done; {
		h := s.eng.Lock()
		err := s.cancel
		if err == nil && s.snap.Ended(h) {
			err = ErrClosed
		}
		if err == nil && s.tape.Len() < s.limit/2 {
			done = s.snap.Step(h, stepTime)
		}
		tape := s.tape.Take(spare)
		if s.behind {
			s.behind = false
			s.freed(h)
		}
		h.Unlock()
		if err != nil {
			return err
		}
		if err := s.encode(f, tape); err != nil {
			return err
		}
		if spare = tape; cap(spare) > 4*tapeMin {
			spare = nil
		}
	}
	s.out = rdb.AppendEnd(s.out, s.sum, !s.opt.Checksum)
	return s.flush(f)
}

// encode writes what was on a tape, a piece at a time.
func (s *Save) encode(f io.Writer, tape []byte) error {
	for len(tape) > 0 {
		var piece []byte
		piece, tape = rdb.Cut(tape, writePiece)
		s.out = s.enc.Append(s.out, piece)
		if len(s.out) >= writePiece {
			s.sum = rdb.Checksum(s.sum, s.out)
			if err := s.flush(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes what is encoded.
func (s *Save) flush(f io.Writer) error {
	n, err := f.Write(s.out)
	s.Bytes += int64(n)
	s.out = s.out[:0]
	if err != nil {
		return fmt.Errorf("write a snapshot: %w", err)
	}
	return nil
}

// ErrCancelled is a reason for Cancel.
var ErrCancelled = errors.New("persist: cancelled")

// ErrTooSlow is why a save into a SaveOptions.To fails that does not keep up.
var ErrTooSlow = errors.New("persist: too much waits to be written")

// ErrClosed is why a save fails whose engine is closed before its end.
var ErrClosed = errors.New("persist: the engine is closed")
