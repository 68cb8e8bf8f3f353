// Package ring is a bounded log of numbered things that readers follow, each at
// its own pace. What a slow reader missed is reported, never silently left out.
package ring

import (
	"context"
	"iter"
	"sync"
)

// Ring keeps the last few things added to it, numbered from 1.
type Ring[T any] struct {
	mu   sync.Mutex
	buf  []T
	next uint64        // number of what is added next, less one
	wake chan struct{} // closed by Add; nil while nobody waits
}

// New makes a ring that keeps n things.
func New[T any](n int) *Ring[T] { return &Ring[T]{buf: make([]T, 0, n)} }

// Add appends what thing makes of its number. thing must not block.
func (r *Ring[T]) Add(thing func(seq uint64) T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := thing(r.next + 1)
	if len(r.buf) < cap(r.buf) {
		r.buf = append(r.buf, v)
	} else {
		r.buf[r.next%uint64(cap(r.buf))] = v
	}
	r.next++
	if r.wake != nil {
		close(r.wake)
		r.wake = nil
	}
}

// Last is the number of what was added last, 0 for nothing yet.
func (r *Ring[T]) Last() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

// After returns what was added after a number, and the number of the last of it;
// gap says that some was overwritten, or that the number is of the future: the
// ring was made anew since. Without anything it waits, until ctx ends.
func (r *Ring[T]) After(ctx context.Context, after uint64) (things []T, last uint64, gap bool, err error) {
	for {
		r.mu.Lock()
		if after > r.next {
			last = r.next
			r.mu.Unlock()
			return nil, last, true, nil
		}
		if after < r.next {
			things, gap = r.copyAfter(after)
			last = r.next
			r.mu.Unlock()
			return things, last, gap, nil
		}
		if r.wake == nil {
			r.wake = make(chan struct{})
		}
		wake := r.wake
		r.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, after, false, ctx.Err()
		}
	}
}

func (r *Ring[T]) copyAfter(after uint64) (things []T, gap bool) {
	first := r.next - uint64(len(r.buf)) // number before the oldest
	if after < first {
		after, gap = first, true
	}
	for n := after; n < r.next; n++ {
		things = append(things, r.buf[n%uint64(cap(r.buf))])
	}
	return things, gap
}

// Follow yields what was added after a number, the largest one for only what is
// to come, until ctx ends. Where something was missed it yields errGap.
func (r *Ring[T]) Follow(ctx context.Context, after uint64, errGap error) iter.Seq2[T, error] {
	if after == ^uint64(0) {
		after = r.Last()
	}
	return func(yield func(T, error) bool) {
		for at := after; ; {
			things, last, gap, err := r.After(ctx, at)
			if err != nil {
				return
			}
			var none T
			if gap && !yield(none, errGap) {
				return
			}
			for _, v := range things {
				if !yield(v, nil) {
					return
				}
			}
			at = last
		}
	}
}
