package repl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Snapshot is the file that a master sends, as a reader of its bytes. io.EOF is its
// end; a connection that breaks is another error.
type Snapshot struct {
	// Size is how many bytes there are; -1 while nobody knows.
	Size int64
	from io.Reader
	left int64  // to be read, where the size is known
	mark []byte // that ends it, where it is not
	// held are bytes that came and may be the beginning of the mark; out of them, the
	// first ready ones are none.
	held  []byte
	ready int
	end   bool
}

// heldBytes is how much is read at a time where a mark is looked for.
const heldBytes = 64 << 10

// snapshot reads the line before one.
func (c *connection) snapshot() (*Snapshot, error) {
	line, err := c.line()
	if err != nil {
		return nil, err
	}
	s := &Snapshot{Size: -1, from: c.in}
	if mark, ok := strings.CutPrefix(line, "$EOF:"); ok && len(mark) == idSize {
		s.mark = []byte(mark)
		return s, nil
	}
	digits, ok := strings.CutPrefix(line, "$")
	s.Size, err = strconv.ParseInt(digits, 10, 64)
	switch {
	case line[0] == '-':
		return nil, fmt.Errorf("the master cannot send its data: %s", shown(line))
	case !ok || err != nil || s.Size < 0 || digits[0] == '+':
		return nil, broken("before the snapshot comes %s", shown(line))
	}
	s.left = s.Size
	return s, nil
}

// Read implements io.Reader.
func (s *Snapshot) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	if s.mark != nil {
		return s.readMarked(b)
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.from.Read(b[:min(int64(len(b)), s.left)])
	s.left -= int64(n)
	if n > 0 {
		err = nil // it comes again
	}
	return n, noEOF(err)
}

// readMarked reads up to the mark, which may come in pieces.
func (s *Snapshot) readMarked(b []byte) (int, error) {
	for s.ready == 0 {
		if s.end {
			return 0, io.EOF
		}
		if s.held == nil {
			s.held = make([]byte, 0, heldBytes)
		}
		n, err := s.from.Read(s.held[len(s.held):cap(s.held)])
		s.held = s.held[:len(s.held)+n]
		if at := bytes.Index(s.held, s.mark); at >= 0 {
			if at+len(s.mark) < len(s.held) {
				return 0, broken("%d bytes behind the snapshot", len(s.held)-at-len(s.mark))
			}
			s.held, s.ready, s.end = s.held[:at], at, true
		} else {
			s.ready = max(len(s.held)-len(s.mark)+1, 0)
			if err != nil && s.ready == 0 {
				return 0, noEOF(err)
			}
		}
	}
	n := copy(b, s.held[:s.ready])
	s.ready -= n
	s.held = s.held[:copy(s.held, s.held[n:])]
	return n, nil
}

// ended fails unless the snapshot has been read to its end, nothing is left.
func (s *Snapshot) ended() error {
	var one [1]byte
	n, err := s.Read(one[:])
	switch {
	case n > 0:
		return broken("there are bytes behind the snapshot's end")
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// noEOF makes the end of a connection, where a snapshot has none, what it is.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the snapshot is cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}
