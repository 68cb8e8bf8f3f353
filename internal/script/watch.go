package script

import (
	"context"
	"runtime/metrics"
	"time"

	lua "github.com/yuin/gopher-lua"

	"coatcheck/engine"
	"coatcheck/engine/errs"
)

const (
	pollEvery  = 1 << 10 // instructions between two questions to the host
	weighEvery = 1 << 8  // questions between two looks at the memory
	maxGrowth  = 1 << 30 // bytes that the whole heap may grow by while a script runs
	heapSample = "/memory/classes/heap/objects:bytes"
)

var errTooMuchMemory = &errs.Error{Code: "ERR", Text: "script uses too much memory"}

// watch is the context of a state: gopher-lua asks it before every instruction whether it
// is done.
type watch struct {
	poll func() error

	instructions, polls uint32
	heap                uint64 // when the script began
	sample              [1]metrics.Sample
	err                 error // why the script ends
	ended               chan struct{}
	began               time.Time
}

func closedChannel() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

func (w *watch) begin() {
	w.instructions, w.polls, w.err, w.heap = 0, 0, nil, 0
	w.began = engine.SystemClock{}.Now()
}

// Done implements context.Context.
func (w *watch) Done() <-chan struct{} {
	if w.instructions++; w.instructions%pollEvery == 0 && w.err == nil {
		_ = w.ask() // kept
	}
	if w.err != nil {
		return w.ended
	}
	return nil
}

// ask asks the host, and looks at the memory now and then.
func (w *watch) ask() error {
	if w.err != nil {
		return w.err
	}
	if w.polls++; w.polls%weighEvery == 1 {
		if now := w.heapBytes(); w.heap == 0 {
			w.heap = now
		} else if now > w.heap+maxGrowth {
			w.err = errTooMuchMemory
			return w.err
		}
	}
	w.err = w.poll()
	return w.err
}

func (w *watch) heapBytes() uint64 {
	w.sample[0].Name = heapSample
	metrics.Read(w.sample[:])
	return w.sample[0].Value.Uint64()
}

// clock is os.clock, in seconds: the time that the script has run.
func (w *watch) clock() float64 { return w.elapsed().Seconds() }

func (w *watch) elapsed() time.Duration { return engine.SystemClock{}.Now().Sub(w.began) }

// Err implements context.Context.
func (w *watch) Err() error { return w.err }

// Deadline implements context.Context.
func (w *watch) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context.
func (w *watch) Value(any) any { return nil }

var _ context.Context = (*watch)(nil)

// boundCoroutines has coroutines watched, too: gopher-lua gives them a context of their
// own, which asks nobody.
func (m *Machine) boundCoroutines() {
	lib, ok := m.L.GetGlobal("coroutine").(*lua.LTable)
	if !ok {
		panic("script: no coroutines")
	}
	for _, name := range []string{"create", "wrap"} {
		plain, ok := lib.RawGetString(name).(*lua.LFunction)
		if !ok {
			panic("script: no coroutine." + name)
		}
		lib.RawSetString(name, m.L.NewFunction(func(L *lua.LState) int {
			n := plain.GFunction(L)
			switch made := L.Get(-1).(type) {
			case *lua.LState:
				made.SetContext(m.watch)
			case *lua.LFunction:
				if thread, ok := made.Upvalues[0].Value().(*lua.LState); ok {
					thread.SetContext(m.watch)
				}
			}
			return n
		}))
	}
}
