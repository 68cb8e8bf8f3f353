package engine

import "coatcheck/engine/errs"

// Groups and consumers as clients make and end them.

// StreamGroup is a group of a stream that was looked up, or a missing one. It is
// good until the unit's next write but through it.
type StreamGroup struct {
	st  Stream
	g   *streamGroup
	key []byte
}

// Exists says whether there is a group, and so a stream.
func (g *StreamGroup) Exists() bool { return g.g != nil }

// StreamGroup looks up a group of the stream at key, for a reader who may change it:
// the look-up counts as a reader's.
//
// It fails with errs.WrongType when key holds another type. O(log n) in the groups.
func (tx *Tx) StreamGroup(key, name []byte) (g StreamGroup, err error) {
	g.st.tx, g.st.p, g.key = tx, tx.write(key), key
	tx.countLookup(&g.st.p)
	if g.st.s, err = streamAt(&g.st.p); g.st.s != nil {
		g.g = g.st.s.group(name)
	}
	return g, err
}

// streamGroupToChange looks a group up for a writer, which does not count.
func (tx *Tx) streamGroupToChange(key, name []byte) (g StreamGroup, err error) {
	g.st.tx, g.st.p, g.key = tx, tx.write(key), key
	if g.st.s, err = streamAt(&g.st.p); err != nil {
		return g, err
	}
	if g.st.s == nil {
		return g, errs.StreamGroupNoKey
	}
	if g.g = g.st.s.group(name); g.g == nil {
		return g, errs.StreamNoGroup(name, key)
	}
	return g, nil
}

// GroupStart is where a group begins to read.
type GroupStart struct {
	ID   StreamID // behind this one
	Last bool     // behind the last that there is, instead
	Read int64    // how many entries that leaves behind; UnknownRead
}

func (start GroupStart) id(s *stream) StreamID {
	if start.Last && s != nil {
		return s.last
	}
	return start.ID
}

// StreamGroupCreate makes a group of the stream at key; with mkStream also the
// stream, empty, when it is absent.
//
// It fails with errs.StreamGroupNoKey, errs.StreamGroupExists, and with
// errs.WrongType when key holds another type. Effect: "xgroup-create" (Redis
// t_stream.c, xgroupCommand). O(log n) in the groups.
func (tx *Tx) StreamGroupCreate(key, name []byte, start GroupStart, mkStream bool) error {
	p := tx.write(key)
	s, err := streamAt(&p)
	switch {
	case err != nil:
		return err
	case s == nil && !mkStream:
		return errs.StreamGroupNoKey
	case s != nil && s.group(name) != nil:
		return errs.StreamGroupExists
	}
	p.db.slab.Ready()
	id := start.id(s)
	if s == nil {
		s = newStream(p.db)
		tx.putObject(&p, TStream, EncStream, s, Never)
		tx.also(ClassNew, "new", key)
	}
	s.addGroup(p.db, string(name), id, start.Read)
	p.resized()
	if !tx.wantsArgv() {
		tx.announce(ClassStream, "xgroup-create", key)
		return nil
	}
	argv := [][]byte{[]byte("XGROUP"), []byte("CREATE"), key, name, id.Append(nil)}
	if mkStream {
		argv = append(argv, []byte("MKSTREAM"))
	}
	tx.announce(ClassStream, "xgroup-create", key, append(argv, start.readArgv()...)...)
	return nil
}

func (start GroupStart) readArgv() [][]byte {
	if start.Read == UnknownRead {
		return nil
	}
	return [][]byte{[]byte("ENTRIESREAD"), decimal(start.Read)}
}

// StreamGroupSetID changes where a group goes on reading.
//
// It fails with errs.StreamGroupNoKey, errs.StreamNoGroup, and with errs.WrongType
// when key holds another type. Effect: "xgroup-setid". O(log n) in the groups.
func (tx *Tx) StreamGroupSetID(key, name []byte, start GroupStart) error {
	g, err := tx.streamGroupToChange(key, name)
	if err != nil {
		return err
	}
	g.g.last, g.g.read = start.id(g.st.s), start.Read
	if tx.wantsArgv() {
		argv := [][]byte{[]byte("XGROUP"), []byte("SETID"), key, name, g.g.last.Append(nil)}
		tx.announce(ClassStream, "xgroup-setid", key, append(argv, start.readArgv()...)...)
	} else {
		tx.announce(ClassStream, "xgroup-setid", key)
	}
	return nil
}

// StreamGroupDestroy removes a group with its consumers and pending entries, and
// says whether there was one.
//
// It fails with errs.StreamGroupNoKey, and with errs.WrongType when key holds
// another type. Effect: "xgroup-destroy". O(n) in the pending entries.
func (tx *Tx) StreamGroupDestroy(key, name []byte) (done bool, err error) {
	p := tx.write(key)
	s, err := streamAt(&p)
	if err != nil {
		return false, err
	}
	if s == nil {
		return false, errs.StreamGroupNoKey
	}
	g := s.group(name)
	if g == nil {
		return false, nil
	}
	s.removeGroup(g)
	p.resized()
	tx.announce(ClassStream, "xgroup-destroy", key, []byte("XGROUP"), []byte("DESTROY"), key, name)
	return true, nil
}

// StreamConsumerCreate adds a consumer to a group; not done when it is there.
//
// It fails as StreamGroupSetID does. Effect: "xgroup-createconsumer". O(log n) in
// groups and consumers.
func (tx *Tx) StreamConsumerCreate(key, group, name []byte) (done bool, err error) {
	g, err := tx.streamGroupToChange(key, group)
	if err != nil {
		return false, err
	}
	if g.g.consumer(name) != nil {
		return false, nil
	}
	g.st.s.addConsumer(g.st.p.db, g.g, string(name), tx.UsedNow())
	g.st.p.resized()
	tx.announce(ClassStream, "xgroup-createconsumer", key,
		[]byte("XGROUP"), []byte("CREATECONSUMER"), key, group, name)
	return true, nil
}

// StreamConsumerDelete removes a consumer from a group and returns how many entries
// were pending for it, which are forgotten.
//
// It fails as StreamGroupSetID does. Effect: "xgroup-delconsumer". O(n log m) in
// its pending entries and the group's.
func (tx *Tx) StreamConsumerDelete(key, group, name []byte) (pending int, err error) {
	g, err := tx.streamGroupToChange(key, group)
	if err != nil {
		return 0, err
	}
	c := g.g.consumer(name)
	if c == nil {
		return 0, nil
	}
	pending = c.pending.Len()
	g.st.s.removeConsumer(g.g, c)
	g.st.p.resized()
	tx.announce(ClassStream, "xgroup-delconsumer", key,
		[]byte("XGROUP"), []byte("DELCONSUMER"), key, group, name)
	return pending, nil
}

// Ack removes pending entries from a group and returns how many there were.
//
// A missing stream or
// group has none. It has no event. O(log n) an ID.
func (g *StreamGroup) Ack(ids ...StreamID) (n int) {
	if g.g == nil {
		return 0
	}
	for _, id := range ids {
		if g.g.forget(id) {
			n++
		}
	}
	g.st.p.resized()
	tx := g.st.tx
	tx.countMore(int64(n))
	if n > 0 && tx.wantsArgv() {
		tx.announceRepeat(withIDs(ids, []byte("XACK"), g.key, []byte(g.g.name))...)
	}
	return n
}

// StreamGroupToChange says what is wrong with changing a group: it fails as
// StreamGroupSetID does. O(log n) in the groups.
func (tx *Tx) StreamGroupToChange(key, name []byte) error {
	_, err := tx.streamGroupToChange(key, name)
	return err
}
