package server

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/engine"
	"coatcheck/internal/command"
	"coatcheck/resp"
)

// Client-side caching. The server remembers which clients have read a key, and
// tells them with its first change to forget it; or it tells clients in BCAST mode
// of every change under their prefixes, once a batch of commands.
//
// tracking is a sink of the engine's effects. While nobody tracks and nothing is
// remembered it wants none. Keys of all dbs are one, as in Redis.

// trackingClient is what a client that tracks has asked for.
type trackingClient struct {
	bcast, optin, optout, noloop bool
	// caching: CLIENT CACHING was called for the next command.
	caching bool
	// redirect is the client that invalidations go to, 0 for this one.
	redirect int64
	// broken: redirect has gone.
	broken   bool
	prefixes []string // in order
	// prefixMem is about what they take, in bytes.
	prefixMem int
}

// remembers says whether the keys of the running command are remembered.
func (t *trackingClient) remembers() bool {
	switch {
	case t.bcast:
		return false
	case t.optin:
		return t.caching
	case t.optout:
		return !t.caching
	}
	return true
}

// endCaching ends what CLIENT CACHING said for the command that has run; CLIENT's
// own subcommands do not count.
func (c *Client) endCaching() {
	if c.lastCmd == nil || c.lastCmd.FullName != "client" && (c.lastCmd.Parent == nil || c.lastCmd.Parent.FullName != "client") {
		c.tracking.caching = false
	}
}

// tracking is the table of who has read what, and of prefixes.
type tracking struct {
	srv     *Server
	clients int // that track
	keys    map[string]readers
	items   int // pairs of a key and a client
	refs    []command.KeyRef

	prefixes map[string]*trackedPrefix
	lengths  map[int]int // how many prefixes there are of each length
	due      bool        // some prefix has changes, and the end of the batch is awaited
}

// readers are the numbers of the clients that have read a key. Most keys have
// one. Clients that have gone stay until the key changes.
type readers struct {
	first int64
	more  map[int64]struct{}
}

// trackedPrefix is what clients in BCAST mode listen to.
type trackedPrefix struct {
	clients map[*Client]struct{}
	// changed is the keys that changed in this batch, with who did it last; nil
	// for nobody, as when a key expires.
	changed map[string]*Client
}

// Wants implements engine.Sink.
func (t *tracking) Wants() engine.Wants {
	if t.clients == 0 && len(t.keys) == 0 {
		return engine.Wants{}
	}
	return engine.Wants{Events: engine.ClassGeneric | engine.ClassString | engine.ClassList | engine.ClassSet | engine.ClassHash |
		engine.ClassZSet | engine.ClassStream | engine.ClassExpired | engine.ClassEvicted}
}

// Effect implements engine.Sink.
func (t *tracking) Effect(_ *engine.Tx, e *engine.Effect) {
	const silent = engine.ClassMissed | engine.ClassNew | engine.ClassOverwritten | engine.ClassRepeat
	switch {
	case e.Key != nil:
		if e.Class&silent == 0 {
			t.changed(e.Key, e.Class&(engine.ClassExpired|engine.ClassEvicted) != 0)
		}
	case len(e.Argv) > 0 && strings.HasPrefix(string(e.Argv[0]), "FLUSH"):
		t.flushed()
	}
}

// track makes c a client that tracks, or changes what it has asked for.
func (t *tracking) track(c *Client, want trackingClient, prefixes []string) {
	if want.bcast && len(prefixes) == 0 {
		prefixes = []string{""}
	}
	if c.tracking == nil {
		t.clients++
		t.srv.held.WantsChanged()
	} else {
		want.prefixes, want.prefixMem, want.caching = c.tracking.prefixes, c.tracking.prefixMem, c.tracking.caching
	}
	c.tracking = &want
	for _, p := range prefixes {
		t.listen(c, p)
	}
}

// listen adds a prefix to those of a client in BCAST mode.
func (t *tracking) listen(c *Client, prefix string) {
	p := t.prefixes[prefix]
	if p == nil {
		p = &trackedPrefix{clients: map[*Client]struct{}{}, changed: map[string]*Client{}}
		if t.prefixes == nil {
			t.prefixes, t.lengths = map[string]*trackedPrefix{}, map[int]int{}
		}
		t.prefixes[prefix] = p
		t.lengths[len(prefix)]++
	}
	if _, has := p.clients[c]; has {
		return
	}
	p.clients[c] = struct{}{}
	at, _ := slices.BinarySearch(c.tracking.prefixes, prefix)
	c.tracking.prefixes = slices.Insert(c.tracking.prefixes, at, prefix)
	const perPrefix = 128
	c.tracking.prefixMem += perPrefix + len(prefix)
}

// untrack ends c's tracking. What it has read stays remembered, and is not told.
func (t *tracking) untrack(c *Client) {
	if c.tracking == nil {
		return
	}
	for _, prefix := range c.tracking.prefixes {
		p := t.prefixes[prefix]
		if delete(p.clients, c); len(p.clients) > 0 {
			continue
		}
		delete(t.prefixes, prefix)
		if t.lengths[len(prefix)]--; t.lengths[len(prefix)] == 0 {
			delete(t.lengths, len(prefix))
		}
	}
	c.tracking = nil
	t.clients--
	t.srv.held.WantsChanged()
}

// remember notes that c has read the keys of a command.
func (t *tracking) remember(c *Client, cmd *Cmd, argv [][]byte) {
	if !c.tracking.remembers() || cmd.Flags&command.PubSub != 0 {
		return
	}
	t.refs = cmd.AppendKeys(t.refs[:0], argv)
	for _, ref := range t.refs {
		t.add(argv[ref.Pos], c.id)
	}
	t.trim(trimKeys)
}

func (t *tracking) add(key []byte, id int64) {
	r, known := t.keys[string(key)]
	if known {
		if r.first == id {
			return
		}
		if _, has := r.more[id]; has {
			return
		}
	}
	t.items++
	switch {
	case !known:
		if t.keys == nil {
			t.keys = map[string]readers{}
		}
		t.keys[string(key)] = readers{first: id}
	case r.more == nil:
		r.more = map[int64]struct{}{id: {}}
		t.keys[string(key)] = r
	default:
		r.more[id] = struct{}{}
	}
}

// trimKeys is how many keys beyond the limit one command has forgotten, trimTick
// how many the housekeeping has.
const (
	trimKeys = 100
	trimTick = 10000
)

// trim forgets keys by chance, at most so many, while there are more than
// tracking-table-max-keys, and tells who has read them.
func (t *tracking) trim(most int) {
	limit := t.srv.cfg.TrackingTableMaxKeys
	if limit == 0 || int64(len(t.keys)) <= limit {
		return
	}
	for key := range t.keys {
		if most--; most < 0 || int64(len(t.keys)) <= limit {
			return
		}
		t.forget([]byte(key), nil)
	}
}

// changed tells those concerned that a key is another one now, or lost.
func (t *tracking) changed(key []byte, lost bool) {
	by := t.srv.running
	t.forget(key, by)
	if lost { // by itself, whoever came upon it
		by = nil
	}
	for n := range t.lengths {
		if n > len(key) {
			continue
		}
		if p := t.prefixes[string(key[:n])]; p != nil {
			p.changed[string(key)] = by
			t.await()
		}
	}
}

// forget invalidates a key for all who have read it, but not for the client that
// changed it (nil: none) if that asked for NOLOOP.
func (t *tracking) forget(key []byte, by *Client) {
	r, ok := t.keys[string(key)]
	if !ok {
		return
	}
	delete(t.keys, string(key))
	t.items -= 1 + len(r.more)
	var body resp.Reply
	body.Array(1)
	body.BulkString(key)
	tell := func(id int64) {
		c := t.srv.clients.byID[id]
		if c != nil && c.tracking != nil && !c.tracking.bcast && (c != by || !c.tracking.noloop) {
			t.invalidate(c, body.Bytes())
		}
	}
	tell(r.first)
	for id := range r.more {
		tell(id)
	}
	body.Reset()
}

// await has the changes under prefixes told at the end of the batch.
func (t *tracking) await() {
	if !t.due {
		t.due = true
		t.srv.held.BeforeUnlock(func(engine.Held) { t.broadcast() })
	}
}

// broadcast tells of the changes under each prefix, keys in order.
func (t *tracking) broadcast() {
	t.due = false
	for _, prefix := range slices.Sorted(maps.Keys(t.prefixes)) {
		p := t.prefixes[prefix]
		if len(p.changed) == 0 {
			continue
		}
		keys := slices.Sorted(maps.Keys(p.changed))
		all := keyArray(keys)
		for c := range p.clients {
			if !c.tracking.noloop {
				t.invalidate(c, all)
				continue
			}
			others := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return p.changed[k] == c })
			if len(others) > 0 {
				t.invalidate(c, keyArray(others))
			}
		}
		clear(p.changed)
	}
}

// keyArray is an encoded array of keys.
func keyArray(keys []string) []byte {
	var r resp.Reply
	r.Array(len(keys))
	for _, k := range keys {
		r.BulkText(k)
	}
	b := slices.Clone(r.Bytes())
	r.Reset()
	return b
}

// flushed tells all who track to forget everything.
func (t *tracking) flushed() {
	if t.clients > 0 {
		for c := range t.srv.clients.all() {
			if c.tracking != nil {
				null := resp.Reply{Proto: c.proto}
				null.Null()
				t.invalidate(c, null.Bytes())
				null.Reset()
			}
		}
	}
	clear(t.keys)
	t.items = 0
}

// invalidationChannel is where a subscriber of RESP2 hears of invalidations.
const invalidationChannel = "__redis__:invalidate"

// invalidate tells c, or whom it redirects to, to forget the encoded keys. It
// keeps no reference to a short body.
//
// A client of RESP2 hears it only when another redirects to it and it has
// subscribed to something.
func (t *tracking) invalidate(c *Client, body []byte) {
	to := c
	if id := c.tracking.redirect; id != 0 {
		if to = t.srv.clients.byID[id]; to == nil || to.closing {
			t.isBroken(c, id)
			return
		}
	}
	if !to.isListening() {
		return
	}
	out := to.aside()
	switch {
	case to.proto == 3:
		out.Push(2)
		out.BulkText("invalidate")
	case to != c && to.subs.Total() > 0:
		out.Array(3)
		out.BulkText("message")
		out.BulkText(invalidationChannel)
	default:
		return
	}
	out.Append(body)
	t.srv.told(to)
}

// isBroken tells c that there is nobody to redirect to.
func (t *tracking) isBroken(c *Client, id int64) {
	c.tracking.broken = true
	if c.proto < 3 || !c.isListening() {
		return
	}
	out := c.aside()
	out.Push(2)
	out.BulkText("tracking-redir-broken")
	out.Int(id)
	t.srv.told(c)
}

// limitChanged is for another tracking-table-max-keys.
func (t *tracking) limitChanged() error {
	t.trim(trimKeys)
	return nil
}
