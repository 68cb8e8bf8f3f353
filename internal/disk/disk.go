// Package disk is the file system as persistence sees it: the few calls that it
// makes, behind an interface, so that tests can make each of them fail. It knows
// files, not what is in them.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FS is a file system. Names are paths as os has them. Files and directories that
// it makes are readable by their owner only: they hold sessions.
type FS interface {
	// Create makes an empty file, in the place of one that is there.
	Create(name string) (File, error)
	// Append opens a file for writing at its end, making it where missing.
	Append(name string) (File, error)
	// Open opens a file for reading; fs.ErrNotExist when there is none.
	Open(name string) (File, error)
	Rename(from, to string) error
	Remove(name string) error
	Truncate(name string, size int64) error
	// MakeDir makes a directory unless it is there.
	MakeDir(name string) error
	// List returns the names in a directory.
	List(dir string) ([]string, error)
	// SyncDir makes the names in a directory durable: files that were made,
	// renamed and removed.
	SyncDir(dir string) error
	// Lock takes a directory for this caller alone until the lock is closed or the
	// process ends. It fails with ErrLocked when somebody else, here or in another
	// process, has it.
	Lock(dir string) (io.Closer, error)
}

// ErrLocked is about a directory that somebody else uses.
var ErrLocked = errors.New("another server uses the directory")

// File is an open file.
type File interface {
	io.ReadWriteCloser
	// Sync makes what was written durable. After it has failed, nothing may be
	// believed of the file: what was not written may be gone from memory too.
	Sync() error
	// Truncate cuts the file to so many bytes.
	Truncate(size int64) error
	// Size is the file's length in bytes.
	Size() (int64, error)
}

const (
	filePerm = 0o600
	dirPerm  = 0o700
)

// OS is the machine's own file system.
type OS struct{}

// Create implements FS.
func (OS) Create(name string) (File, error) {
	return open(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY)
}

// Append implements FS.
func (OS) Append(name string) (File, error) {
	return open(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY)
}

// Open implements FS.
func (OS) Open(name string) (File, error) { return open(name, os.O_RDONLY) }

func open(name string, flags int) (File, error) {
	f, err := os.OpenFile(name, flags, filePerm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// Truncate implements FS.
func (OS) Truncate(name string, size int64) error { return os.Truncate(name, size) }

// MakeDir implements FS.
func (OS) MakeDir(name string) error {
	if err := os.Mkdir(name, dirPerm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// List implements FS.
func (OS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// SyncDir implements FS.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

type osFile struct{ *os.File }

// Size implements File.
func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Replace writes a file whole or not at all: write gets a temporary one beside
// it, which takes the name when all of it is on the disk. temp is what that is
// called.
func Replace(fsys FS, name, temp string, write func(f File) error) (err error) {
	temp = filepath.Join(filepath.Dir(name), temp)
	f, err := fsys.Create(temp)
	if err != nil {
		return fmt.Errorf("create a temporary file: %w", err)
	}
	err = write(f)
	if err == nil {
		if err = f.Sync(); err != nil {
			err = fmt.Errorf("sync %s: %w", temp, err)
		}
	}
	if e := f.Close(); err == nil && e != nil {
		err = fmt.Errorf("close %s: %w", temp, e)
	}
	if err == nil {
		if err = fsys.Rename(temp, name); err != nil {
			err = fmt.Errorf("rename a temporary file: %w", err)
		}
	}
	if err != nil {
		return errors.Join(err, cleanUp(fsys, temp))
	}
	if err := fsys.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("sync the directory of %s: %w", name, err)
	}
	return nil
}

func cleanUp(fsys FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
