package metrics

import (
	"os"
	"runtime"
	runtimemetrics "runtime/metrics"
	"time"
)

// Process is figures of the whole process; in a process that embeds a server,
// the rest of it is in them.
type Process struct {
	PID        int
	OS         string // system, release, machine
	RSS        int64
	Memory     int64 // of the machine
	System     time.Duration
	User       time.Duration
	MainSystem time.Duration // of the calling thread
	MainUser   time.Duration
	HeapInUse  int64 // Go's heap: spans in use
	HeapLive   int64 // Go's heap: objects
	Goroutines int
	GoVersion  string
}

// SampleProcess reads the figures of the process. It takes some microseconds
// and does not stop the world.
func SampleProcess() Process {
	p := Process{PID: os.Getpid(), GoVersion: runtime.Version(), Goroutines: runtime.NumGoroutine()}
	samples := []runtimemetrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"},
	}
	runtimemetrics.Read(samples)
	p.HeapLive = int64(samples[0].Value.Uint64())
	p.HeapInUse = p.HeapLive + int64(samples[1].Value.Uint64())
	p.sampleOS()
	return p
}
