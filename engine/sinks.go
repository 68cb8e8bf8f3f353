package engine

import (
	"bytes"
	"slices"
)

// AddSink has s told of effects from now on, after the sinks added before.
func (h Held) AddSink(s Sink) {
	e := h.eng
	units, _ := s.(UnitSink)
	_, replays := s.(ReplaySink)
	e.sinks = append(slices.Clip(e.sinks), attached{s, s.Wants(), units, replays})
	e.sumWants()
}

// RemoveSink ends that.
func (h Held) RemoveSink(s Sink) {
	e := h.eng
	e.sinks = slices.DeleteFunc(slices.Clone(e.sinks), func(a attached) bool { return a.sink == s })
	e.sumWants()
}

// WantsChanged asks every sink anew what it wants. A sink whose wants are not
// constant calls it when they change, so that it costs nothing while it wants
// nothing.
func (h Held) WantsChanged() {
	e := h.eng
	for i := range e.sinks {
		e.sinks[i].wants = e.sinks[i].sink.Wants()
	}
	e.sumWants()
}

// BeforeUnlock has f called once, at the end of the batch, before the lock is
// released: for what is told of a batch as a whole.
func (h Held) BeforeUnlock(f func(h Held)) {
	h.eng.atUnlock = append(h.eng.atUnlock, f)
}

// endBatch calls what waits for the end of the batch.
func (h Held) endBatch() {
	for len(h.eng.atUnlock) > 0 {
		due := h.eng.atUnlock
		h.eng.atUnlock = nil
		for _, f := range due {
			f(h)
		}
	}
}

// attached is a sink with what it wants.
type attached struct {
	sink  Sink
	wants Wants
	units UnitSink // the sink, if it hears of units' ends
	// replays: it hears of what is run again, too.
	replays bool
}

func (e *Engine) sumWants() {
	e.wants, e.units = Wants{}, false
	for _, a := range e.sinks {
		if e.replaying && !a.replays {
			continue
		}
		e.units = e.units || a.units != nil
		e.wants.Argv = e.wants.Argv || a.wants.Argv
		switch {
		case a.wants.Events == 0:
			continue
		case e.wants.Events == 0:
			e.wants.Prefix = a.wants.Prefix
		default:
			e.wants.Prefix = commonPrefix(e.wants.Prefix, a.wants.Prefix)
		}
		e.wants.Events |= a.wants.Events
	}
}

// commonPrefix is what a and b both begin with.
func commonPrefix(a, b []byte) []byte {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// wantsOf says whether the sink is to be told of f.
func (a *attached) wantsOf(f *Effect) bool {
	return f.Class == 0 || a.wants.Events&f.Class != 0 && bytes.HasPrefix(f.Key, a.wants.Prefix) || a.wants.Argv && f.Argv != nil
}

// tell passes an effect to the sinks that want it. One without a class concerns
// all of them.
func (tx *Tx) tell(f Effect) {
	e := tx.effect
	if e == nil { // a sink is being told already, and works on the keyspace
		e = new(Effect)
	}
	tx.effect = nil
	*e = f
	tx.told = tx.eng.units
	for _, a := range tx.eng.sinks {
		if a.wantsOf(&f) && (a.replays || !tx.eng.replaying) {
			a.sink.Effect(tx, e)
		}
	}
	*e = Effect{}
	tx.effect = e
}

// endUnit tells the sinks that want to know that a unit with effects has ended.
func (tx *Tx) endUnit() {
	for tx.told { // again when a sink has changed something now that the unit is over
		tx.told = false
		for _, a := range tx.eng.sinks {
			if a.units != nil && (a.replays || !tx.eng.replaying) {
				a.units.EndUnit(tx)
			}
		}
	}
}
