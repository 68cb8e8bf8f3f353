// Package disktest is a file system that fails on demand.
package disktest

import (
	"io"
	"sync"

	"coatcheck/internal/disk"
)

// Faulty passes every call on to another file system, except those that are to
// fail. Its zero value, with FS set, fails none.
type Faulty struct {
	disk.FS
	mu sync.Mutex
	// n counts calls; those from first on, for so many, fail with err.
	n, first, many int
	err            error
	short          bool
}

// Fail makes the calls from the first (1: the next) on fail with err, many of
// them. A write that fails writes half of its bytes when short is true.
func (f *Faulty) Fail(first, many int, err error, short bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first, f.many, f.err, f.short = f.n+first, many, err, short
}

// Calls is how many calls there were.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// next counts a call and says how it fails, if it does.
func (f *Faulty) next() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.err != nil && f.n >= f.first && f.n < f.first+f.many {
		return f.err
	}
	return nil
}

func (f *Faulty) open(open func(string) (disk.File, error), name string) (disk.File, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

// Create implements disk.FS.
func (f *Faulty) Create(name string) (disk.File, error) { return f.open(f.FS.Create, name) }

// Append implements disk.FS.
func (f *Faulty) Append(name string) (disk.File, error) { return f.open(f.FS.Append, name) }

// Open implements disk.FS.
func (f *Faulty) Open(name string) (disk.File, error) { return f.open(f.FS.Open, name) }

// Rename implements disk.FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

// Remove implements disk.FS.
func (f *Faulty) Remove(name string) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// Truncate implements disk.FS.
func (f *Faulty) Truncate(name string, size int64) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.FS.Truncate(name, size)
}

// MakeDir implements disk.FS.
func (f *Faulty) MakeDir(name string) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.FS.MakeDir(name)
}

// List implements disk.FS.
func (f *Faulty) List(dir string) ([]string, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	return f.FS.List(dir)
}

// SyncDir implements disk.FS.
func (f *Faulty) SyncDir(dir string) error {
	if err := f.next(); err != nil {
		return err
	}
	return f.FS.SyncDir(dir)
}

// Lock implements disk.FS.
func (f *Faulty) Lock(dir string) (io.Closer, error) {
	if err := f.next(); err != nil {
		return nil, err
	}
	return f.FS.Lock(dir)
}

type faultyFile struct {
	disk.File
	fs *Faulty
}

// Write implements disk.File.
func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.fs.next(); err != nil {
		n := 0
		if f.fs.short {
			n, _ = f.File.Write(b[:len(b)/2])
		}
		return n, err
	}
	return f.File.Write(b)
}

// Read implements disk.File.
func (f *faultyFile) Read(b []byte) (int, error) {
	if err := f.fs.next(); err != nil {
		return 0, err
	}
	return f.File.Read(b)
}

// Sync implements disk.File.
func (f *faultyFile) Sync() error {
	if err := f.fs.next(); err != nil {
		return err
	}
	return f.File.Sync()
}

// Truncate implements disk.File.
func (f *faultyFile) Truncate(size int64) error {
	if err := f.fs.next(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Close implements disk.File.
func (f *faultyFile) Close() error {
	err := f.fs.next()
	if e := f.File.Close(); err == nil {
		err = e
	}
	return err
}

// Size implements disk.File.
func (f *faultyFile) Size() (int64, error) {
	if err := f.fs.next(); err != nil {
		return 0, err
	}
	return f.File.Size()
}
