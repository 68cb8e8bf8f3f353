//go:build !linux

package metrics

import "runtime"

// sampleOS knows the system's name only; RSS is Go's heap.
func (p *Process) sampleOS() {
	p.OS = runtime.GOOS + " " + runtime.GOARCH
	p.RSS = p.HeapInUse
}
