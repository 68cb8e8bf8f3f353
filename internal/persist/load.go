package persist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"coatcheck/engine"
	"coatcheck/internal/disk"
	"coatcheck/internal/rdb"
)

// LoadOptions say how a file is read.
type LoadOptions struct {
	// Unsigned accepts a wrong checksum (rdbchecksum no).
	Unsigned bool
	// KeepExpired loads keys and fields whose deadline has passed, too: commands follow
	// that were given before.
	KeepExpired bool
	// Function is told of libraries of functions; nil: they are ignored.
	Function func(code []byte) error
	// Progress is told now and then of the file's bytes, how many of them were
	// read, and keys loaded. It is called off the lock.
	Progress func(total, bytes, keys int64)
	// Born, unless nil, is told when a key was created, where the file says so. It is
	// called under the engine's lock.
	Born func(db int, key []byte, at engine.UnixMilli)
}

// Loaded is what loading found.
type Loaded struct {
	Keys    int64 // that are there now
	Expired int64 // whose deadline had passed
	Bytes   int64 // of the file
	Aux     map[string]string
}

// Load puts the keys of a snapshot file into the engine, whose keys of those names
// they replace. It holds the engine's lock for a key at a time. It fails with
// fs.ErrNotExist where there is no file, and with rdb.ErrFormat for one that is
// broken: keys before the place are in the engine then.
func Load(ctx context.Context, eng *engine.Engine, fsys disk.FS, path string, opt LoadOptions) (Loaded, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return Loaded{}, fmt.Errorf("open a snapshot: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return Loaded{}, fmt.Errorf("read a snapshot: %w", err)
	}
	l, _, err := Read(ctx, eng, f, size, opt)
	if err != nil {
		return l, fmt.Errorf("read %s: %w", path, err)
	}
	return l, nil
}

// Read is Load for the bytes of a snapshot, so many of them or, for -1, nobody knows.
// It returns what it has read behind the snapshot's end.
func Read(ctx context.Context, eng *engine.Engine, r io.Reader, size int64, opt LoadOptions) (l Loaded, rest []byte, err error) {
	l = Loaded{Bytes: size, Aux: map[string]string{}}
	now := engine.UnixMilli(eng.Clock().Now().UnixMilli())
	born := int64(0) // of the key that follows; 0: nobody knows
	rest, err = rdb.Load(r, rdb.LoadOptions{Unsigned: opt.Unsigned}, rdb.Handler{
		Aux: func(name, value string) {
			if name == auxBorn {
				born, _ = strconv.ParseInt(value, 10, 64)
				return
			}
			l.Aux[name] = value
		},
		Function: opt.Function,
		Progress: func(read int64) error {
			if opt.Progress != nil {
				opt.Progress(l.Bytes, read, l.Keys)
			}
			return ctx.Err()
		},
		Entry: func(e *rdb.Entry) error {
			at := engine.UnixMilli(born)
			born = 0
			if isEmpty(&e.Value) { // old versions of Redis have written such
				return nil
			}
			if !opt.KeepExpired && e.At != engine.Never && e.At <= now {
				l.Expired++
				return nil
			}
			l.Keys++
			return put(eng, now, opt.KeepExpired, e, func() {
				if at > 0 && opt.Born != nil {
					opt.Born(e.DB, e.Key, at)
				}
			})
		},
	})
	return l, rest, err
}

// isEmpty says whether a value is a collection without elements.
func isEmpty(v *engine.Value) bool {
	switch v.Type {
	case engine.TList, engine.TSet, engine.THash, engine.TZSet:
		return len(v.Elems) == 0
	}
	return false
}

// put loads a key as at a time, or with keep as when no deadline had come; then is
// called afterwards, under the lock.
func put(eng *engine.Engine, now engine.UnixMilli, keep bool, e *rdb.Entry, then func()) error {
	return eng.DoAt(0, now, func(_ engine.Held, tx *engine.Tx) error {
		if keep {
			tx.Repeat()
		}
		if !tx.HasDB(e.DB) {
			return fmt.Errorf("%w: a key of db %d, and there are not so many", rdb.ErrFormat, e.DB)
		}
		err := tx.ValueLoad(e.DB, e.Key, &e.Value, engine.RestoreOptions{At: e.At, Idle: e.Idle, Freq: e.Freq, Replace: true})
		if errors.Is(err, engine.ErrValue) {
			return fmt.Errorf("%w: the value of key %q", rdb.ErrFormat, e.Key)
		}
		if err == nil {
			then()
		}
		return err
	})
}
