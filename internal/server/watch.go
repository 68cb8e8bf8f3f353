package server

import (
	"coatcheck/engine"
	"coatcheck/engine/errs"
)

// WATCH. watches is a sink: the first change of a watched key marks the clients
// that watch it, and forgets what else they watch. While nobody watches it wants
// no effects, and costs nothing; while somebody does, an effect costs a look-up
// of its key.
//
// What counts is what readers see. A key that did not exist when WATCH was called
// has not changed when remains of it that had expired are removed, nor when a db
// without it is flushed. Any other change of a watched key marks its clients at
// once, so that until then the key is as it was at WATCH, or has expired by
// itself, which EXEC looks for.
type watches struct {
	srv  *Server
	keys map[keyOfDB]*watchedKey
}

// watchedKey is the clients that watch a key, in a list.
type watchedKey struct {
	of    keyOfDB
	first *watch
}

// watch is one client's of one key.
type watch struct {
	c          *Client
	key        *watchedKey
	prev, next *watch
	gone       bool // the key did not exist
}

// watchTypes are the classes of effects that change a key.
const watchTypes = engine.ClassGeneric | engine.ClassString | engine.ClassList | engine.ClassSet |
	engine.ClassHash | engine.ClassZSet | engine.ClassStream | engine.ClassExpired | engine.ClassEvicted

// Wants implements engine.Sink.
func (w *watches) Wants() engine.Wants {
	if len(w.keys) == 0 {
		return engine.Wants{}
	}
	return engine.Wants{Events: watchTypes}
}

// Effect implements engine.Sink.
func (w *watches) Effect(tx *engine.Tx, e *engine.Effect) {
	switch {
	case len(w.keys) == 0:
	case e.Key != nil:
		if k := w.keys[keyOfDB{e.DB, string(e.Key)}]; k != nil {
			k.changed(e.Class&engine.ClassExpired != 0)
		}
	case string(e.Argv[0]) == "SWAPDB":
		if string(e.Argv[1]) != string(e.Argv[2]) {
			w.eachOf(e, func(k *watchedKey) { k.swapped(tx) })
		}
	default: // flushed
		w.eachOf(e, func(k *watchedKey) { k.changed(true) })
	}
}

// eachOf calls fn for the watched keys of the dbs that a change concerns.
func (w *watches) eachOf(e *engine.Effect, fn func(k *watchedKey)) {
	for of, k := range w.keys {
		if e.Concerns(of.db) {
			fn(k)
		}
	}
}

// changed marks the clients that watch the key. A change that can only have
// removed it is none to those for whom it did not exist.
func (k *watchedKey) changed(removed bool) {
	var next *watch
	for w := k.first; w != nil; w = next {
		next = w.next
		if !removed || !w.gone {
			w.c.dirty()
		}
	}
}

// swapped is changed for a key whose db was exchanged with another.
func (k *watchedKey) swapped(tx *engine.Tx) {
	var next *watch
	for w := k.first; w != nil; w = next {
		next = w.next
		if !w.gone || exists(tx, k.of) {
			w.c.dirty()
		}
	}
}

// exists says whether a key does, for readers.
func exists(tx *engine.Tx, of keyOfDB) (ok bool) {
	tx.InDB(of.db, func() { ok = !tx.Holds([]byte(of.key), engine.None) })
	return ok
}

// watch makes the client's next EXEC depend on the keys.
func (c *Client) watch(keys [][]byte) {
	if c.watchedChanged { // its EXEC is in vain already
		return
	}
	tx := c.srv.held.BeginAt(c.db, c.now())
	defer tx.End()
	for _, key := range keys {
		c.watchKey(tx, keyOfDB{c.db, string(key)})
	}
}

func (c *Client) watchKey(tx *engine.Tx, of keyOfDB) {
	if _, has := c.watched[of]; has {
		return
	}
	gone := !exists(tx, of) // removed now, if it had expired
	all := &c.srv.watches
	k := all.keys[of]
	if k == nil {
		k = &watchedKey{of: of}
		all.keys[of] = k
	}
	w := &watch{c: c, key: k, next: k.first, gone: gone}
	if k.first != nil {
		k.first.prev = w
	}
	k.first = w
	if c.watched == nil {
		c.watched = map[keyOfDB]*watch{}
	}
	c.watched[of] = w
	c.watchedMem += perWatch + len(of.key)
	if len(all.keys) == 1 {
		c.srv.held.WantsChanged()
	}
}

// unwatch forgets the keys that the client watches, and whether one has changed.
func (c *Client) unwatch() {
	c.forgetWatched()
	c.watchedChanged = false
}

// dirty notes that a key which the client watches has changed. There is nothing
// to watch any more.
func (c *Client) dirty() {
	c.forgetWatched()
	c.watchedChanged = true
}

func (c *Client) forgetWatched() {
	if len(c.watched) == 0 {
		return
	}
	all := &c.srv.watches
	for of, w := range c.watched {
		if w.next != nil {
			w.next.prev = w.prev
		}
		if w.prev != nil {
			w.prev.next = w.next
		} else if w.key.first = w.next; w.next == nil {
			delete(all.keys, of)
		}
	}
	c.watchedMem = 0
	if len(c.watched) > fewWatched {
		c.watched = nil
	} else {
		clear(c.watched)
	}
	if len(all.keys) == 0 {
		c.srv.held.WantsChanged()
	}
}

// perWatch is about what a watched key costs beside its name.
const perWatch = 128

// fewWatched is how many keys a client's map may keep room for.
const fewWatched = 16

// lookForExpired marks the client when a key that it watches has expired since.
func (c *Client) lookForExpired() {
	if len(c.watched) == 0 {
		return
	}
	tx := c.srv.held.BeginAt(c.db, c.now())
	defer tx.End()
	for _, w := range c.watched {
		if !w.gone && !exists(tx, w.key.of) {
			c.dirty()
			return
		}
	}
}

var errWatchInMulti = &errs.Error{Code: "ERR", Text: "WATCH inside MULTI is not allowed"}
