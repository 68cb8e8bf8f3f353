package aof

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"coatcheck/internal/disk"
)

// What makes a log survive crashes: a file is whole and synced before the manifest tells
// of it, the manifest changes by a rename, and a file is removed when the manifest in
// force does not need it any more. The very first manifest comes after the files that it
// lists; until then its temporary one says that they may be thrown away.

// Files says where a log is.
type Files struct {
	FS   disk.FS
	Dir  string // appenddirname, with the path to it
	Name string // appendfilename
}

func (f Files) path(name string) string { return filepath.Join(f.Dir, name) }

func (f Files) manifestName() string { return f.Name + ".manifest" }

func (f Files) tempManifest() string { return "temp-" + f.manifestName() }

// single is the log of a Redis before 7, a file beside the directory.
func (f Files) single() string { return filepath.Join(filepath.Dir(f.Dir), f.Name) }

// Errors about a directory.
var (
	// ErrNoManifest is about a directory with files of a log and no manifest: their
	// order is not known, and to start without them would be to lose them.
	ErrNoManifest = errors.New("aof: there are files of an append-only log, but no manifest that lists them")
	// ErrNoLog says that there is none.
	ErrNoLog = fmt.Errorf("aof: there is no append-only log: %w", fs.ErrNotExist)
)

// Store is a log's directory, which is this process' own until Close. Its methods are
// for one goroutine at a time.
type Store struct {
	files  Files
	lock   io.Closer
	m      manifest
	exists bool // the manifest is in its place
}

// Take makes the directory where it is missing, and has it for this caller alone. The
// file of a Redis before 7 is taken over as the base. It fails with disk.ErrLocked when
// another server has it, with ErrFormat when the manifest is broken, and with
// ErrNoManifest.
func Take(files Files) (*Store, error) {
	if err := files.FS.MakeDir(files.Dir); err != nil {
		return nil, fmt.Errorf("make the directory of the append-only log: %w", err)
	}
	lock, err := files.FS.Lock(files.Dir)
	if err != nil {
		return nil, fmt.Errorf("use the directory of the append-only log: %w", err)
	}
	s := &Store{files: files, lock: lock}
	if err := s.read(); err != nil {
		lock.Close()
		return nil, err
	}
	return s, nil
}

// Close lets others have the directory.
func (s *Store) Close() error { return s.lock.Close() }

// Exists says whether there is a log.
func (s *Store) Exists() bool { return s.exists }

func (s *Store) read() error {
	m, err := readManifest(s.files)
	switch {
	case err == nil:
		s.m, s.exists = m, true
		err = s.tidy(s.files.tempManifest())
	case errors.Is(err, fs.ErrNotExist):
		if err = s.checkEmpty(); err == nil {
			err = s.upgrade(true)
		}
	}
	if err != nil {
		return err
	}
	return s.upgrade(false)
}

// readManifest reads the manifest. It fails with fs.ErrNotExist where there is none.
func readManifest(files Files) (manifest, error) {
	f, err := files.FS.Open(files.path(files.manifestName()))
	if err != nil {
		return manifest{}, fmt.Errorf("open the manifest: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 16<<20))
	if err != nil {
		return manifest{}, fmt.Errorf("read the manifest: %w", err)
	}
	return parseManifest(text)
}

// checkEmpty fails when the directory has files of a log that was in force once. Those
// of one that never was, as its temporary manifest tells, are removed.
func (s *Store) checkEmpty() error {
	names, err := s.files.FS.List(s.files.Dir)
	if err != nil {
		return fmt.Errorf("list the directory of the log: %w", err)
	}
	temp := s.files.tempManifest()
	begun := slices.Contains(names, temp)
	for _, name := range names {
		switch isOurs := strings.HasPrefix(name, s.files.Name+"."); {
		case isOurs && !begun:
			return fmt.Errorf("%w: %s", ErrNoManifest, s.files.path(name))
		case isOurs || strings.HasPrefix(name, "temp-") && name != temp:
			if err := s.tidy(name); err != nil {
				return err
			}
		}
	}
	if begun {
		return s.tidy(temp)
	}
	return nil
}

// tidy removes a file, if it is there.
func (s *Store) tidy(name string) error {
	if err := s.files.FS.Remove(s.files.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

// upgrade takes over the file of a Redis before 7, as Redis 7 does: a manifest that
// lists it as the base comes first, then it moves into the directory. fresh is false
// when a manifest is there already, from a try that was cut short.
func (s *Store) upgrade(fresh bool) error {
	if !fresh && (len(s.m.incrs) > 0 || s.m.base.name != s.files.Name) {
		return nil
	}
	if has, err := s.has(s.files.path(s.files.Name)); has || err != nil {
		return err
	}
	if has, err := s.has(s.files.single()); !has || err != nil {
		return err
	}
	if fresh {
		if err := s.put(manifest{base: part{name: s.files.Name, seq: 1, kind: base}}); err != nil {
			return fmt.Errorf("take over %s: %w", s.files.single(), err)
		}
	}
	err := s.files.FS.Rename(s.files.single(), s.files.path(s.files.Name))
	if err == nil {
		err = errors.Join(s.files.FS.SyncDir(s.files.Dir), s.files.FS.SyncDir(filepath.Dir(s.files.Dir)))
	}
	if err != nil {
		return fmt.Errorf("take over %s: %w", s.files.single(), err)
	}
	return nil
}

// has says whether there is a file.
func (s *Store) has(path string) (bool, error) {
	f, err := s.files.FS.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// put puts a manifest into force.
func (s *Store) put(m manifest) error {
	err := disk.Replace(s.files.FS, s.files.path(s.files.manifestName()), s.files.tempManifest(), func(f disk.File) error {
		_, err := f.Write(m.text())
		return err
	})
	if err != nil {
		return fmt.Errorf("write the manifest of the append-only log: %w", err)
	}
	s.m, s.exists = m, true
	return nil
}

// Open opens the log for writing behind what it has. Where there is none it begins one
// without a base: the engine must be empty then.
func (s *Store) Open(policy Policy, hooks Hooks) (*Log, error) {
	if len(s.m.incrs) == 0 {
		next, f, err := s.nextIncr()
		if err != nil {
			return nil, err
		}
		f.Close() // empty and synced
		m := s.m
		m.incrs = []part{next}
		if err := s.put(m); err != nil {
			return nil, err
		}
	}
	last := s.m.incrs[len(s.m.incrs)-1].name
	f, err := s.files.FS.Append(s.files.path(last))
	if err != nil {
		return nil, fmt.Errorf("open the append-only file: %w", err)
	}
	size, err := f.Size()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open the append-only file: %w", err)
	}
	return start(f, size, 0, policy, hooks), nil
}

// nextIncr makes the file of the next increment, which the manifest does not list yet.
func (s *Store) nextIncr() (part, disk.File, error) {
	seq := int64(1)
	if n := len(s.m.incrs); n > 0 {
		seq = s.m.incrs[n-1].seq + 1
	}
	p := part{name: fmt.Sprintf("%s.%d.incr.aof", s.files.Name, seq), seq: seq, kind: incr}
	if !s.exists {
		if err := s.mark(); err != nil {
			return p, nil, err
		}
	}
	f, err := s.files.FS.Create(s.files.path(p.name))
	if err != nil {
		return p, nil, fmt.Errorf("make an append-only file: %w", err)
	}
	if err = f.Sync(); err == nil {
		err = s.files.FS.SyncDir(s.files.Dir)
	}
	if err != nil {
		f.Close()
		return p, nil, fmt.Errorf("make an append-only file: %w", err)
	}
	return p, f, nil
}

// mark leaves word that the files which follow are those of a log that is not in force
// before its manifest is.
func (s *Store) mark() error {
	f, err := s.files.FS.Create(s.files.path(s.files.tempManifest()))
	if err == nil {
		err = errors.Join(f.Sync(), f.Close(), s.files.FS.SyncDir(s.files.Dir))
	}
	if err != nil {
		return fmt.Errorf("begin an append-only log: %w", err)
	}
	return nil
}

// BaseSize is how many bytes the parts have that the manifest lists, without the last
// increment, which the log that writes it knows.
func (s *Store) BaseSize() (int64, error) {
	parts := s.m.parts()
	var sum int64
	for i, p := range parts {
		if i == len(parts)-1 && p.kind == incr {
			break
		}
		n, err := s.size(p.name)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func (s *Store) size(name string) (int64, error) {
	f, err := s.files.FS.Open(s.files.path(name))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Size()
}
