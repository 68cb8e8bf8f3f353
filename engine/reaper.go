package engine

import (
	"sync"

	"coatcheck/engine/internal/slab"
)

// reaper gives memory back to the system off the engine's lock. Its goroutine
// lives as long as there is something to do.
type reaper struct {
	mu      sync.Mutex
	work    []func()
	running bool
	idle    sync.WaitGroup
}

// unmapAtOnce is how large a mapping may be to be unmapped under the lock.
const unmapAtOnce = 256 << 10

func (r *reaper) unmap(m slab.Mapping) {
	if m.Size() <= unmapAtOnce {
		m.Unmap()
		return
	}
	r.do(m.Unmap)
}

// closeDB takes a db that nobody refers to any more.
func (r *reaper) closeDB(d *db) {
	r.do(func() {
		d.slab.Retire = nil
		d.close()
	})
}

func (r *reaper) do(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.work = append(r.work, f)
	if !r.running {
		r.running = true
		r.idle.Add(1)
		go r.run()
	}
}

func (r *reaper) run() {
	defer r.idle.Done()
	for {
		r.mu.Lock()
		work := r.work
		r.work = nil
		r.running = len(work) > 0
		r.mu.Unlock()
		if len(work) == 0 {
			return
		}
		for _, f := range work {
			f()
		}
	}
}

// wait returns when everything given so far has gone back.
func (r *reaper) wait() { r.idle.Wait() }
