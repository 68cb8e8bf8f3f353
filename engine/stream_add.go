package engine

import (
	"coatcheck/engine/errs"
)

// AutoID is how much of an entry's ID StreamAdd chooses.
type AutoID uint8

// The ways to name an entry.
const (
	AutoNone AutoID = iota // "5-1": the ID is given
	AutoSeq                // "5-*": its Ms is
	AutoAll                // "*"
)

// StreamAddOptions are the choices of StreamAdd.
type StreamAddOptions struct {
	ID       StreamID // as far as Auto leaves it to the caller
	Auto     AutoID
	NoCreate bool // do nothing without a key
	Trim     StreamTrimOptions
}

// StreamAdd appends an entry of pairs (field, value, field, value …, at least one
// pair) to the stream at key, creating it when absent, and trims the stream then. It
// keeps copies of pairs, and returns the entry's ID; not ok when NoCreate forbade it.
//
// An ID that is chosen is the unit's time, or just above the stream's last ID. It
// fails with errs.StreamIDZero, errs.StreamExhausted, errs.StreamIDTooSmall,
// errs.StreamElementsTooLarge, and with errs.WrongType when key holds another type.
// Effects: "xadd", and "xtrim" when entries went (Redis t_stream.c, xaddCommand).
// O(1) without trimming.
func (tx *Tx) StreamAdd(key []byte, opt StreamAddOptions, pairs ...[]byte) (id StreamID, ok bool, err error) {
	if opt.Auto == AutoNone && opt.ID.IsZero() {
		return id, false, errs.StreamIDZero
	}
	p := tx.write(key)
	s, err := streamAt(&p)
	if err != nil || s == nil && opt.NoCreate {
		return id, false, err
	}
	last := StreamID{}
	if s != nil {
		last = s.last
		if s.mayNotGrow() {
			return id, false, errs.StreamExhausted
		}
	}
	if id, err = nextStreamID(last, opt, tx.now); err != nil {
		return id, false, err
	}
	size := 0
	for _, b := range pairs {
		size += len(b)
	}
	if size > maxStreamNode {
		return id, false, errs.StreamElementsTooLarge
	}
	p.db.slab.Ready()
	if s == nil {
		s = newStream(p.db)
		s.append(p.db, id, pairs, &tx.eng.packing)
		tx.putObject(&p, TStream, EncStream, s, Never)
		tx.also(ClassNew, "new", key)
	} else {
		s.append(p.db, id, pairs, &tx.eng.packing)
	}
	trimmed := s.trim(p.db, opt.Trim, &tx.eng.packing)
	p.resized()
	if tx.wantsArgv() {
		tx.announce(ClassStream, "xadd", key, s.addArgv(p.db, key, opt, id, pairs)...)
	} else {
		tx.announce(ClassStream, "xadd", key)
	}
	if trimmed > 0 {
		tx.also(ClassStream, "xtrim", key)
	}
	return id, true, nil
}

// nextStreamID is the ID of an entry behind last.
func nextStreamID(last StreamID, opt StreamAddOptions, now UnixMilli) (id StreamID, err error) {
	id = opt.ID
	switch {
	case opt.Auto == AutoAll && uint64(now) > last.Ms:
		return StreamID{Ms: uint64(now)}, nil
	case opt.Auto == AutoAll:
		id, _ = last.Next()
	case opt.Auto == AutoSeq && id.Ms == last.Ms:
		if id, _ = last.Next(); id.Ms != last.Ms {
			return id, errs.StreamIDTooSmall
		}
	}
	if !last.Less(id) {
		return id, errs.StreamIDTooSmall
	}
	return id, nil
}

// addArgv is the command that adds the same entry and trims to the same.
func (s *stream) addArgv(d *db, key []byte, opt StreamAddOptions, id StreamID, pairs [][]byte) [][]byte {
	argv := make([][]byte, 0, 8+len(pairs))
	argv = append(argv, []byte("XADD"), key)
	if opt.NoCreate {
		argv = append(argv, []byte("NOMKSTREAM"))
	}
	argv = append(argv, s.trimArgv(d, opt.Trim)...)
	argv = append(argv, id.Append(nil))
	return append(argv, pairs...)
}
