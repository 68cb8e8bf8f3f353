package engine

// The 24 bits that each entry keeps for eviction and for OBJECT: under an LRU
// policy the second of its last use, under an LFU policy the minute of the last
// decay (16 bits) and a logarithmic counter of its uses (8 bits).

const (
	lruBits = 24
	lruMask = 1<<lruBits - 1
	// lfuInit is the counter of a new key, so that it is not the first to go.
	lfuInit = 5
)

// newFigures are those of a new entry.
func (e *Engine) newFigures(now UnixMilli) uint32 {
	now = e.usedAt(now)
	if e.lfu {
		return minutes(now)<<8 | lfuInit
	}
	return seconds(now)
}

func seconds(now UnixMilli) uint32 { return uint32(now/1000) & lruMask }
func minutes(now UnixMilli) uint32 { return uint32(now/60_000) & 0xffff }

// usedAt is when what is used at a unit's time is said to have been used.
func (e *Engine) usedAt(now UnixMilli) UnixMilli {
	if e.replaying {
		return UnixMilli(e.clock.Now().UnixMilli())
	}
	return now
}

// UsedNow is Now, but while an engine repeats what happened before (Held.Replay): then
// it is the clock's time, as which what is used counts as used.
func (tx *Tx) UsedNow() UnixMilli { return tx.eng.usedAt(tx.now) }

// touch refreshes the LRU/LFU figures of the entry at p, which exists.
func (tx *Tx) touch(p *place) {
	if !tx.eng.lfu {
		p.ent.setLRU(seconds(tx.UsedNow()))
		return
	}
	p.ent.setLRU(minutes(tx.UsedNow())<<8 | tx.eng.countUse(tx.eng.decayed(p.ent.lru(), tx.UsedNow())))
}

// idle is the number of seconds since the entry at p was last touched.
func (tx *Tx) idle(p *place) int64 { return idleSeconds(p.ent.lru(), tx.now) }

func idleSeconds(lru uint32, now UnixMilli) int64 {
	return int64((seconds(now) - lru) & lruMask)
}

// freq is the LFU counter of the entry at p, with its decay until now.
func (tx *Tx) freq(p *place) int { return int(tx.eng.decayed(p.ent.lru(), tx.now)) }

// lfu says whether the eviction policy counts use; then idle tells nothing, and
// otherwise freq does not.
func (tx *Tx) lfu() bool { return tx.eng.lfu }

// decayed is the counter in lru less one for each decay time that has passed.
func (e *Engine) decayed(lru uint32, now UnixMilli) uint32 {
	counter := lru & 0xff
	if e.limits.LFUDecayTime <= 0 {
		return counter
	}
	periods := (minutes(now) - lru>>8) & 0xffff / uint32(e.limits.LFUDecayTime)
	return counter - min(periods, counter)
}

// countUse is the counter after one more use: the higher it is, the less likely
// it grows.
func (e *Engine) countUse(counter uint32) uint32 {
	if counter == 255 {
		return counter
	}
	above := uint64(max(counter, lfuInit) - lfuInit)
	if e.rand.Uint64()%(above*uint64(max(e.limits.LFULogFactor, 0))+1) == 0 {
		counter++
	}
	return counter
}
