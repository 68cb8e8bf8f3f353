package persist_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/engine"
	"coatcheck/engine/enginetest"
	"coatcheck/internal/disk"
	"coatcheck/internal/disk/disktest"
	"coatcheck/internal/persist"
	"coatcheck/internal/rdb"
)

// save saves the engine into a file and returns how that ended.
func save(t *testing.T, e *engine.Engine, fsys disk.FS, path string) *persist.Save {
	t.Helper()
	h := e.Lock()
	s, err := persist.Start(h, e, fsys, persist.SaveOptions{Path: path, Compress: true, Checksum: true}, persist.Hooks{
		Ended: func(engine.Held, *persist.Save) {}, Freed: func(engine.Held) {},
	})
	h.Unlock()
	require.NoError(t, err)
	<-s.Done()
	return s
}

func fill(e *enginetest.Fixture, n int) {
	for db := range 3 {
		_ = e.Do(db, func(tx *engine.Tx) error {
			for i := range n {
				at := engine.Never
				if i%3 == 0 {
					at = tx.Now() + 1000
				}
				val := fmt.Appendf(nil, `{"user":"u%d","roles":["a","a","a","a","a"],"n":%d}`, i, i)
				switch i % 5 {
				case 0:
					val = fmt.Append(nil, i-100)
				case 1:
					val = []byte(strings.Repeat("x", i*10))
				}
				if _, err := tx.StringSet(fmt.Append(nil, "k", i), val, engine.SetOptions{At: at}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// fillHashes adds hashes, packed and large, and with deadlines of fields.
func fillHashes(e *enginetest.Fixture, deadlines bool) {
	_ = e.Do(0, func(tx *engine.Tx) error {
		for i := range 60 {
			key := fmt.Append(nil, "hash", i)
			var fields [][]byte
			for j := range i*i/2 + 1 {
				field := fmt.Append(nil, "f", j)
				if _, err := tx.HashSet(key, field, fmt.Append(nil, j*j*j-50)); err != nil {
					return err
				}
				fields = append(fields, field)
			}
			if !deadlines || i%3 > 1 {
				continue
			}
			for k, field := range fields {
				if k%3 == 0 {
					if err := tx.HashExpire(key, tx.Now()+engine.UnixMilli(k%1000*i+1), 0, [][]byte{field}, func(engine.FieldOutcome) {}); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// valueText is the value at key.
func valueText(tx *engine.Tx, key []byte) string {
	if tx.TypeOf(key) == engine.THash {
		var fields []string
		_ = tx.HashEach(key, func(int) {}, func(field, value []byte, due engine.UnixMilli) bool {
			text := fmt.Sprintf("%s: %s", field, value)
			if due != engine.Never {
				text += fmt.Sprint(" @", due)
			}
			fields = append(fields, text)
			return true
		})
		slices.Sort(fields)
		return strings.Join(fields, ", ")
	}
	val, _, _ := tx.String(key)
	return string(val)
}

// content is every key of a db with its value and deadline.
func content(e *engine.Engine, db int) map[string]string {
	all := map[string]string{}
	_ = e.Do(db, func(tx *engine.Tx) error {
		var keys []string
		for cursor := uint64(0); ; {
			cursor = tx.KeyScan(cursor, engine.ScanOptions{}, func(key []byte) { keys = append(keys, string(key)) })
			if cursor == 0 {
				break
			}
		}
		for _, key := range keys {
			val := valueText(tx, []byte(key))
			at, _ := tx.ExpireAt([]byte(key))
			all[key] = fmt.Sprintf("%s @%d", val, at)
		}
		return nil
	})
	return all
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	a, b := enginetest.New(t), enginetest.New(t)
	fill(a, 2000)
	fillHashes(a, true)
	a.Advance(500 * time.Millisecond) // some fields have expired
	b.Advance(500 * time.Millisecond)
	path := filepath.Join(t.TempDir(), "dump.rdb")
	s := save(t, a.Engine, disk.OS{}, path)
	require.NoError(t, s.Err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, s.Bytes, info.Size())
	require.Equal(t, fs.FileMode(0o600), info.Mode())

	l, err := persist.Load(context.Background(), b.Engine, disk.OS{}, path, persist.LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, int64(len(content(a.Engine, 0))+4000), l.Keys)
	require.Equal(t, "7.2.4", l.Aux["redis-ver"])
	for db := range 3 {
		require.Equal(t, content(a.Engine, db), content(b.Engine, db))
	}
	a.Advance(2000 * 1e6) // what has expired is not loaded
	c := enginetest.New(t)
	c.Advance(2500 * time.Millisecond)
	l, err = persist.Load(context.Background(), c.Engine, disk.OS{}, path, persist.LoadOptions{})
	require.NoError(t, err)
	require.Equal(t, content(a.Engine, 1), content(c.Engine, 1))
	require.Equal(t, int64(3*667), l.Expired)
	require.Equal(t, content(a.Engine, 0), content(c.Engine, 0)) // nor fields that have
}

// Any file call may fail: then there is an error, and the file that was there
// before, whole, or the new one.
func TestEveryFileCallMayFail(t *testing.T) {
	a := enginetest.New(t)
	fill(a, 500)
	dir := t.TempDir()
	path := filepath.Join(dir, "dump.rdb")
	require.NoError(t, os.WriteFile(path, []byte("before"), 0o600))
	errDisk := errors.New("the disk is full")
	for n := 1; ; n++ {
		f := &disktest.Faulty{FS: disk.OS{}}
		f.Fail(n, 1000, errDisk, true)
		s := save(t, a.Engine, f, path)
		if s.Err == nil {
			require.Less(t, f.Calls(), n)
			break
		}
		require.ErrorIs(t, s.Err, errDisk)
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		if string(b) != "before" {
			_, err := persist.Load(context.Background(), enginetest.New(t).Engine, disk.OS{}, path, persist.LoadOptions{})
			require.NoError(t, err)
		}
	}
	for n := 1; ; n++ {
		f := &disktest.Faulty{FS: disk.OS{}}
		f.Fail(n, 1, errDisk, false)
		_, err := persist.Load(context.Background(), enginetest.New(t).Engine, f, path, persist.LoadOptions{})
		if err == nil {
			break
		}
		require.ErrorIs(t, err, errDisk)
	}
}

// A file that is cut short or whose bits have flipped is refused.
func TestBrokenFilesAreRefused(t *testing.T) {
	a := enginetest.New(t)
	fill(a, 20)
	dir := t.TempDir()
	path := filepath.Join(dir, "dump.rdb")
	require.NoError(t, save(t, a.Engine, disk.OS{}, path).Err)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	load := func(b []byte) error {
		name := filepath.Join(dir, "broken.rdb")
		require.NoError(t, os.WriteFile(name, b, 0o600))
		e := engine.New(engine.Options{Clock: a.Clock})
		defer e.Close()
		_, err := persist.Load(context.Background(), e, disk.OS{}, name, persist.LoadOptions{})
		return err
	}
	require.NoError(t, load(whole))
	for n := range len(whole) {
		if n%7 == 0 {
			require.ErrorIs(t, load(whole[:n]), rdb.ErrFormat, "cut to %d bytes", n)
		}
		if n%5 == 0 {
			b := append([]byte(nil), whole...)
			b[n] ^= 1 << (n % 8)
			require.ErrorIs(t, load(b), rdb.ErrFormat, "bit flipped in byte %d", n)
		}
	}
}

// realNow is the machine's time, which a real server goes by.
func realNow() time.Time { return engine.SystemClock{}.Now() }

// held is a file system that lets a file be created once it is open.
type held struct {
	disk.FS
	open chan struct{}
}

func (f held) Create(name string) (disk.File, error) {
	<-f.open
	return f.FS.Create(name)
}

// A save whose engine is closed fails and leaves no file.
func TestSaveOfAClosedEngine(t *testing.T) {
	e := engine.New(engine.Options{})
	require.NoError(t, e.Do(0, func(tx *engine.Tx) error {
		for i := range 5000 {
			if _, err := tx.StringSet(fmt.Append(nil, "k", i), []byte("v"), engine.SetOptions{At: engine.Never}); err != nil {
				return err
			}
		}
		return nil
	}))
	dir := t.TempDir()
	fsys := held{disk.OS{}, make(chan struct{})}
	h := e.Lock()
	s, err := persist.Start(h, e, fsys, persist.SaveOptions{Path: filepath.Join(dir, "dump.rdb")}, persist.Hooks{
		Ended: func(engine.Held, *persist.Save) {}, Freed: func(engine.Held) {},
	})
	h.Unlock()
	require.NoError(t, err)
	e.Close()
	close(fsys.open)
	<-s.Done()
	require.ErrorIs(t, s.Err, persist.ErrClosed)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
