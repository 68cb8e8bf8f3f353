package engine

// Policy is which keys go when memory runs out.
type Policy string

// The policies, by the names that maxmemory-policy has for them.
const (
	NoEviction     Policy = "noeviction"
	AllKeysLRU     Policy = "allkeys-lru"
	AllKeysLFU     Policy = "allkeys-lfu"
	AllKeysRandom  Policy = "allkeys-random"
	VolatileLRU    Policy = "volatile-lru"
	VolatileLFU    Policy = "volatile-lfu"
	VolatileRandom Policy = "volatile-random"
	VolatileTTL    Policy = "volatile-ttl"
)

// Limits say how much memory the keyspace may use and what to do then, in the
// words of the maxmemory parameters.
type Limits struct {
	MaxMemory int64 // bytes; 0: no limit
	Policy    Policy
	Samples   int // keys looked at to find one that goes
	// LFULogFactor says how slowly the LFU counter grows, LFUDecayTime after
	// how many minutes without use it loses one; 0: never.
	LFULogFactor, LFUDecayTime int
}

// DefaultLimits are Redis' own.
var DefaultLimits = Limits{Policy: NoEviction, Samples: 5, LFULogFactor: 10, LFUDecayTime: 1}

// SetLimits puts other limits in force. Memory beyond a lower one is freed by
// and by.
func (h Held) SetLimits(l Limits) {
	e := h.eng
	e.limits = l
	e.lfu = l.Policy == AllKeysLFU || l.Policy == VolatileLFU
	e.evictor.before = e.used()
	if l.MaxMemory > 0 && l.Policy != NoEviction && e.evictor.before > l.MaxMemory {
		e.evictLater()
	}
}

// Limits are those in force.
func (h Held) Limits() Limits { return h.eng.limits }
