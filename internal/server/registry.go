package server

import "iter"

// registry is the clients in the order they connected, found by id.
type registry struct {
	byID        map[int64]*Client
	first, last *Client
	lastID      int64
}

func (r *registry) init() { r.byID = map[int64]*Client{} }

func (r *registry) len() int { return len(r.byID) }

// add numbers c and lists it.
func (r *registry) add(c *Client) {
	r.lastID++
	c.id = r.lastID
	r.byID[c.id] = c
	if c.prev = r.last; c.prev == nil {
		r.first = c
	} else {
		c.prev.next = c
	}
	r.last = c
}

func (r *registry) remove(c *Client) {
	delete(r.byID, c.id)
	if c.prev == nil {
		r.first = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		r.last = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

// all walks the clients; the one at hand may be removed meanwhile.
func (r *registry) all() iter.Seq[*Client] {
	return func(yield func(*Client) bool) {
		for c := r.first; c != nil; {
			next := c.next
			if !yield(c) {
				return
			}
			c = next
		}
	}
}
