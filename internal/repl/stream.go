// Package repl keeps what replication is about: the ids of a history of changes, the
// offset in it, and the backlog from which replicas go on after a cut. It knows no
// commands and no sockets.
package repl

import "strings"

// Stream is a history of changes as replicas read it: ids that name it, and its last
// bytes. Offsets count its bytes; the first has number 1, as in PSYNC.
//
// While it is not open nothing is appended, and what happens is lost for it: who opens
// it again must begin a new history. It has no lock of its own.
type Stream struct {
	id string
	// former named the history up to second, exclusive; "" and -1 for none.
	former string
	second int64
	buf    Buffer
	open   bool
	size   int64  // of the backlog, at most
	first  Cursor // the backlog's first byte; only while open
}

// NewStream is a stream that is not open, its history named id.
func NewStream(id string) *Stream { return &Stream{id: id, second: -1} }

// ID names the history; FormerID is what it was called up to SecondOffset, which is the
// first byte that is not named so: "" and -1 where it had no other name.
func (s *Stream) ID() string { return s.id }

// FormerID is a second name, see ID.
func (s *Stream) FormerID() string { return s.former }

// SecondOffset ends the validity of FormerID, see ID.
func (s *Stream) SecondOffset() int64 { return s.second }

// Offset is the number of the last byte.
func (s *Stream) Offset() int64 { return s.buf.End() }

// IsOpen says whether there is a backlog: whether what happens must be appended.
func (s *Stream) IsOpen() bool { return s.open }

// Open begins an empty backlog that keeps the last size bytes.
func (s *Stream) Open(size int64) {
	s.open, s.size = true, size
	s.first = s.buf.Cursor()
}

// Close drops the backlog. Readers may still read what was appended before.
func (s *Stream) Close() {
	s.open = false
	s.first = Cursor{}
	s.buf.forget()
}

// Resize changes how much the backlog keeps.
func (s *Stream) Resize(size int64) {
	s.size = size
	s.trim()
}

// Append adds bytes: commands of ours, or a master's own bytes as they come, which its
// replicas pass on. The stream must be open.
func (s *Stream) Append(p []byte) {
	s.buf.Append(p)
	s.trim()
}

func (s *Stream) trim() {
	if !s.open {
		return
	}
	if from := s.buf.End() - s.size; from > s.first.at {
		s.first.skip(from)
	}
}

// Follower reads from here on. The stream must be open.
func (s *Stream) Follower() Cursor { return s.buf.Cursor() }

// Continue is a reader of a replica that knows a history by an id, and wants the bytes
// from number wanted on. ok is false when it is another history, or when the backlog
// does not have them: then all must be sent (Redis replication.c,
// masterTryPartialResync).
func (s *Stream) Continue(id string, wanted int64) (c Cursor, ok bool) {
	switch {
	case !s.open:
		return c, false
	case strings.EqualFold(id, s.id):
	case s.former != "" && strings.EqualFold(id, s.former) && wanted <= s.second:
	default:
		return c, false
	}
	if wanted < s.FirstByte() || wanted > s.buf.End()+1 {
		return c, false
	}
	c = s.first
	c.skip(wanted - 1)
	return c, true
}

// FirstByte is the number of the backlog's first byte, which may be still to come; 0
// without a backlog.
func (s *Stream) FirstByte() int64 {
	if !s.open {
		return 0
	}
	return s.first.at + 1
}

// Len is how many bytes the backlog has.
func (s *Stream) Len() int64 {
	if !s.open {
		return 0
	}
	return s.buf.End() - s.first.at
}

// Renew begins another history, unknown to any replica: what the backlog has is of no
// use to it.
func (s *Stream) Renew(id string) {
	s.id, s.former, s.second = id, "", -1
	if s.open {
		s.buf.forget()
		s.first = s.buf.Cursor()
	}
}

// Rename gives the history another id from here on, and none to what it was called
// before: those who know it by that must begin again.
func (s *Stream) Rename(id string) { s.id = id }

// Shift gives the history another id from here on; up to here it has the present one,
// too. This is what becomes of a replica that is promoted, or whose master was: others
// that followed the same master go on from it.
func (s *Stream) Shift(id string) {
	s.former, s.second = s.id, s.Offset()+1
	s.id = id
}

// Follow takes over a history of a master, after its whole data set: id and the number
// of the last byte that it contains. The backlog begins anew.
func (s *Stream) Follow(id string, offset int64) {
	s.id, s.former, s.second = id, "", -1
	s.buf.forget()
	s.buf.end = offset
	if s.open {
		s.first = s.buf.Cursor()
	}
}
