//go:build linux || darwin

package server

import "golang.org/x/sys/unix"

// maxClientsOfSystem is how many clients the limit on open files allows, after it
// was raised as far as it goes and n clients need; not known without a limit.
func maxClientsOfSystem(n int) (most int, known bool) {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) != nil || lim.Cur == unix.RLIM_INFINITY {
		return 0, false
	}
	if want := uint64(n) + reservedFiles; lim.Cur < want {
		raised := lim
		raised.Cur = min(lim.Max, want)
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			lim = raised
		}
	}
	return int(lim.Cur) - reservedFiles, true
}
