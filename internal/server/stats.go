package server

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Stats counts what INFO and the metrics tell of the server. All but the
// atomic ones are guarded by the engine's lock. CONFIG RESETSTAT zeroes it.
type Stats struct {
	Connections     int64 // total_connections_received
	Rejected        int64 // rejected_connections: past maxclients
	Commands        int64 // total_commands_processed
	Errors          int64 // total_error_replies
	ErrorsByCode    map[string]int64
	QueryBufferHits int64 // client_query_buffer_limit_disconnections
	OutputHits      int64 // client_output_buffer_limit_disconnections
	EvictedClients  int64 // evicted_clients
	Panics          int64 // commands that failed inside: bugs of ours

	// NetIn and NetOut are bytes read from and written to clients. Atomic.
	NetIn, NetOut atomic.Int64
	// Reads and Writes are the calls that read or wrote sockets. Atomic.
	Reads, Writes atomic.Int64
}

// Reset zeroes everything.
func (st *Stats) Reset() {
	st.Connections, st.Rejected, st.Commands, st.Errors = 0, 0, 0, 0
	st.QueryBufferHits, st.OutputHits, st.EvictedClients, st.Panics = 0, 0, 0, 0
	st.ErrorsByCode = nil
	st.NetIn.Store(0)
	st.NetOut.Store(0)
	st.Reads.Store(0)
	st.Writes.Store(0)
}

// countError counts an error reply by its code.
func (st *Stats) countError(code string) {
	st.Errors++
	if st.ErrorsByCode == nil {
		st.ErrorsByCode = map[string]int64{}
	}
	// Codes come from our own texts and from Lua scripts at most; Redis
	// bounds the number of kinds too.
	if _, ok := st.ErrorsByCode[code]; !ok && len(st.ErrorsByCode) >= maxErrorCodes {
		return
	}
	st.ErrorsByCode[code]++
}

const maxErrorCodes = 128

// CmdStats counts the calls of one command.
type CmdStats struct {
	Calls    int64
	Time     time.Duration // spent in all calls
	Rejected int64         // by a gate, before it ran
	Failed   int64         // ran and replied an error
	hist     *Histogram
}

// Histogram is the calls' durations; nil before the first.
func (st *CmdStats) Histogram() *Histogram { return st.hist }

func (st *CmdStats) record(took time.Duration, tracking bool) {
	st.Calls++
	st.Time += took
	if !tracking {
		return
	}
	if st.hist == nil {
		st.hist = new(Histogram)
	}
	st.hist.Add(took)
}

// Histogram counts durations in buckets of about 6 % up to 17 s; what is longer
// counts in the last.
type Histogram struct {
	n       [histBuckets]uint32
	Total   uint64
	Longest time.Duration
}

const (
	histSub     = 4  // bits that divide a power of two
	histMaxBits = 34 // durations below 2^34 ns
	histBuckets = (histMaxBits - histSub + 1) << histSub
)

// Add counts d.
func (h *Histogram) Add(d time.Duration) {
	h.Total++
	h.Longest = max(h.Longest, d)
	h.n[histIndex(d)]++
}

func histIndex(d time.Duration) int {
	v := uint64(max(d, 0))
	shift := bits.Len64(v) - 1 - histSub
	if shift <= 0 {
		return int(v)
	}
	return min(shift<<histSub+int(v>>shift), histBuckets-1)
}

// histUpper is the longest duration that counts in bucket i.
func histUpper(i int) time.Duration {
	shift := i>>histSub - 1
	if shift <= 0 {
		return time.Duration(i)
	}
	m := uint64(i&(1<<histSub-1)) | 1<<histSub
	return time.Duration((m+1)<<shift - 1)
}

// Quantile is the duration that the share q (0…1) of calls did not exceed.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := uint64(q * float64(h.Total))
	var seen uint64
	for i, n := range h.n {
		if seen += uint64(n); n > 0 && seen >= max(want, 1) {
			return min(histUpper(i), h.Longest)
		}
	}
	return h.Longest
}

// Below is the number of calls that took at most d, as far as buckets tell.
func (h *Histogram) Below(d time.Duration) uint64 {
	var seen uint64
	for i, n := range h.n {
		if histUpper(i) > d {
			break
		}
		seen += uint64(n)
	}
	return seen
}
