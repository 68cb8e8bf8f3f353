package metrics

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sampleOS fills in what Linux tells. What it does not tell stays 0.
func (p *Process) sampleOS() {
	p.OS = osName()
	p.RSS = residentBytes()
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		p.Memory = int64(info.Totalram) * int64(info.Unit)
	}
	p.System, p.User = usage(unix.RUSAGE_SELF)
	p.MainSystem, p.MainUser = usage(unix.RUSAGE_THREAD)
}

func usage(who int) (system, user time.Duration) {
	var u unix.Rusage
	if unix.Getrusage(who, &u) != nil {
		return 0, 0
	}
	return time.Duration(u.Stime.Nano()), time.Duration(u.Utime.Nano())
}

// statm stays open: INFO is asked for often, and opening costs most of it.
var statm = sync.OnceValues(func() (*os.File, error) { return os.Open("/proc/self/statm") })

// residentBytes is the second number of /proc/self/statm, in pages.
func residentBytes() int64 {
	f, err := statm()
	if err != nil {
		return 0
	}
	var b [128]byte
	n, err := f.ReadAt(b[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	words := bytes.Fields(b[:n])
	if len(words) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(words[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// osName never changes while the process runs.
var osName = sync.OnceValue(func() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "Linux"
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
})
