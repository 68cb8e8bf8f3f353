package aof

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/internal/persist"
	"coatcheck/resp"
)

// LoadOptions say how a log is read.
type LoadOptions struct {
	// Truncated accepts a last file that ends in the middle of something, and cuts it
	// back to its last whole unit (aof-load-truncated).
	Truncated bool
	// Base says how a base in the format of a snapshot is read.
	Base persist.LoadOptions
	// Progress is told now and then how many of how many bytes were read, and keys of
	// the base. It is called off the lock.
	Progress func(total, read, keys int64)
	// Note gets annotation lines, without their end, before the unit that they belong
	// to; nil: nobody does. An error ends the loading.
	Note func(line []byte) error
	// Warn is told of what was found odd; nil: nobody is.
	Warn func(text string, args ...any)
}

// Loaded is what loading found.
type Loaded struct {
	Units int64 // that were run
	Keys  int64 // of the base
	Bytes int64 // of all files
	// Cut is how many bytes at the end were cut off.
	Cut int64
}

// replayedAt is the time of units that are run again: before every deadline, so that
// nothing expires in the middle of what happened before it did.
const replayedAt engine.UnixMilli = 1

// Load runs a log's commands on an engine that nobody else works with. It fails with
// ErrNoLog, and with ErrFormat for one that is broken. It holds the engine's lock for a
// unit at a time. When it has failed, what came before the place is in the engine.
func (s *Store) Load(ctx context.Context, eng *engine.Engine, opt LoadOptions) (Loaded, error) {
	if !s.exists {
		return Loaded{}, ErrNoLog
	}
	l := loader{ctx: ctx, eng: eng, files: s.files, opt: opt, rows: map[string]*command.Entry[*engine.Tx]{}}
	data := command.Data()
	for i := range data {
		l.rows[data[i].Name] = &data[i]
	}
	parts := s.m.parts()
	for _, p := range parts {
		n, err := s.size(p.name)
		if errors.Is(err, fs.ErrNotExist) { // not what the caller takes for no log at all
			err = fmt.Errorf("%w: the manifest lists a file that is missing", ErrFormat)
		}
		if err != nil {
			return l.Loaded, fmt.Errorf("load %s: %w", p.name, err)
		}
		l.Bytes += n
	}
	l.replay(true)
	defer l.replay(false)
	for i, p := range parts {
		if err := l.part(p, i == len(parts)-1); err != nil {
			return l.Loaded, fmt.Errorf("load %s: %w", p.name, err)
		}
	}
	return l.Loaded, s.removeHistory()
}

type loader struct {
	Loaded
	ctx   context.Context
	eng   *engine.Engine
	files Files
	opt   LoadOptions
	rows  map[string]*command.Entry[*engine.Tx]
	at    *reader // of the file that is read
	done  int64   // bytes of the files before
	told  int64   // bytes at the last Progress
	out   resp.Reply
}

func (l *loader) replay(on bool) {
	h := l.eng.Lock()
	defer h.Unlock()
	h.Replay(on)
}

// progressEvery is how many bytes there are between two calls of Progress.
const progressEvery = 1 << 20

func (l *loader) progress(read, keys int64) {
	if l.opt.Progress != nil && read-l.told >= progressEvery {
		l.told = read
		l.opt.Progress(l.Bytes, read, keys)
	}
}

func (l *loader) warn(text string, args ...any) {
	if l.opt.Warn != nil {
		l.opt.Warn(text, args...)
	}
}

// part loads a file; only the last may end in the middle of something.
func (l *loader) part(p part, last bool) error {
	path := l.files.path(p.name)
	f, err := l.files.FS.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return err
	}
	defer func() { l.done += size }()
	in := bufio.NewReaderSize(f, 256<<10)
	if head, err := in.Peek(5); err == nil && p.kind == base && string(head) == "REDIS" {
		opt := l.opt.Base
		opt.KeepExpired = true
		opt.Progress = func(_, read, keys int64) { l.progress(l.done+read, keys) }
		got, err := persist.Load(l.ctx, l.eng, l.files.FS, path, opt)
		l.Keys = got.Keys
		return err
	}
	r := &reader{r: in, size: size, apply: l.unit, note: l.opt.Note}
	l.at = r
	err = r.file()
	if !errors.Is(err, errTorn) {
		if err != nil {
			err = fmt.Errorf("at byte %d: %w", r.good, err)
		}
		return err
	}
	if !last || !l.opt.Truncated {
		return fmt.Errorf("%w: the file is cut short; whole up to byte %d of %d", ErrFormat, r.good, size)
	}
	l.warn("the append-only file was cut short; what is left of its last write is removed", "file", path, "kept", r.good, "removed", size-r.good)
	l.Cut = size - r.good
	return l.files.FS.Truncate(path, r.good)
}

// unit runs a unit.
func (l *loader) unit(steps []step) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	l.Units++
	l.progress(l.done+l.at.at, l.Keys)
	return l.eng.DoAt(0, replayedAt, func(h engine.Held, _ *engine.Tx) error {
		for _, s := range steps {
			if err := l.step(h, s); err != nil {
				return err
			}
		}
		return nil
	})
}

// step runs a command. One that fails, as none does that changed something, is passed
// over with a warning, as in Redis; one that is none about data is refused: DEBUG,
// SHUTDOWN and CONFIG have no place in a log.
func (l *loader) step(h engine.Held, s step) error {
	row := l.row(s.argv)
	if row == nil || row.Run == nil {
		return fmt.Errorf("%w: %q is no command that changes data", ErrFormat, shown(s.argv[0]))
	}
	if !row.AcceptsArity(len(s.argv)) {
		return fmt.Errorf("%w: %s has a wrong number of arguments", ErrFormat, row.Name)
	}
	tx := h.BeginAt(s.db, replayedAt)
	defer tx.End()
	if !tx.HasDB(s.db) {
		return fmt.Errorf("%w: db %d, and there are not so many", ErrFormat, s.db)
	}
	l.out.Rewind(0)
	err := l.run(tx, row, s.argv)
	if err != nil {
		l.warn("a command of the append-only file failed", "command", row.Name, "error", err, "unit from byte", l.at.good)
	}
	return nil
}

// run runs a command to its end.
func (l *loader) run(tx *engine.Tx, row *command.Entry[*engine.Tx], argv [][]byte) (err error) {
	defer func() {
		if p := recover(); p == any(engine.ErrRefused) {
			err = engine.ErrRefused
		} else if p != nil {
			panic(p)
		}
	}()
	err = row.Run(tx, argv, &l.out)
	switch later := err.(type) { //nolint:errorlint // handlers return these as they are
	case *command.More:
		for done := false; !done; {
			if done, err = later.Step(tx, &l.out); err != nil {
				return err
			}
		}
		return nil
	case *command.Wait: // it found nothing, and waits for nobody here
		return nil
	}
	return err
}

func (l *loader) row(argv [][]byte) *command.Entry[*engine.Tx] {
	row := l.rows[strings.ToUpper(string(argv[0]))]
	if row == nil || len(row.Subs) == 0 {
		return writes(row)
	}
	for i := range row.Subs {
		if len(argv) > 1 && strings.EqualFold(row.Subs[i].Name, string(argv[1])) {
			return writes(&row.Subs[i])
		}
	}
	return nil
}

// writes is the row of a command that may change data, nil of another.
func writes(row *command.Entry[*engine.Tx]) *command.Entry[*engine.Tx] {
	if row == nil || row.Flags&(command.Write|command.MayReplicate) == 0 {
		return nil
	}
	return row
}

func shown(word []byte) string { return string(word[:min(len(word), 64)]) }
