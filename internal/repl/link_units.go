package repl

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"coatcheck/resp"
)

// unitReader cuts what a master sends into units.
type unitReader struct {
	in resp.Parser
	// raw are the bytes behind the last whole unit, as they came.
	raw     []byte
	scratch []byte
	db      int
	// open is the unit between MULTI and EXEC, with copies of its arguments; nil
	// outside.
	open  *Unit
	units []Unit
	steps []Step // of units of one command
	asked bool
}

// maxUnit is how many bytes a unit may have.
const maxUnit = 4 << 30

func newUnitReader(db int, maxBulk int64) *unitReader {
	s := &unitReader{db: db}
	s.in.Limits = resp.DefaultLimits
	s.in.Limits.MaxArgs, s.in.Limits.MaxBuffer = math.MaxInt32, maxUnit
	if maxBulk > 0 {
		s.in.Limits.MaxBulk = maxBulk
	}
	return s
}

// buffer is where the next bytes are to be read.
func (s *unitReader) buffer() []byte {
	if s.scratch == nil {
		s.scratch = make([]byte, streamBuf)
	}
	return s.in.Buffer(s.scratch)
}

// wrote takes n bytes that were put into buffer, and calls apply with the units that
// are whole now. asked: the master wants to know how far we are. It fails with
// ErrProtocol, or as apply did.
func (s *unitReader) wrote(buffer []byte, n int, apply func([]Unit) error) (asked bool, err error) {
	s.raw = append(s.raw, buffer[:n]...)
	s.units, s.steps, s.asked = s.units[:0], s.steps[:0], false
	s.in.Wrote(n)
	done, err := s.parsed()
	if len(s.units) > 0 {
		if applyErr := apply(s.units); applyErr != nil {
			return false, applyErr
		}
	}
	s.in.Release()
	s.raw = s.raw[:copy(s.raw, s.raw[done:])]
	if cap(s.raw) > 4*streamBuf && len(s.raw) < streamBuf { // one large unit does not keep its memory
		s.raw = append([]byte(nil), s.raw...)
	}
	return s.asked, err
}

// parsed takes whole commands from the parser, and returns how much of raw is units.
func (s *unitReader) parsed() (done int, err error) {
	for {
		argv, err := s.in.Next()
		if err != nil {
			return done, fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		if argv == nil {
			return done, nil
		}
		cut := len(s.raw) - s.in.Buffered()
		whole, err := s.command(argv)
		if err != nil {
			return done, err
		}
		if whole {
			last := &s.units[len(s.units)-1]
			last.Raw, last.DB = s.raw[done:cut:cut], s.db
			done = cut
		} else if cut-done > maxUnit {
			return done, broken("a transaction of more than %d bytes", int64(maxUnit))
		}
	}
}

// command takes a command and says whether a unit is whole with it.
func (s *unitReader) command(argv [][]byte) (whole bool, err error) {
	name := argv[0]
	switch {
	case is(name, "MULTI"):
		if s.open != nil {
			return false, broken("MULTI within MULTI")
		}
		s.open = &Unit{}
		return false, nil
	case is(name, "EXEC"):
		if s.open == nil {
			return false, broken("EXEC without MULTI")
		}
		s.units = append(s.units, *s.open)
		s.open = nil
		return true, nil
	case is(name, "SELECT"):
		db, err := strconv.Atoi(string(argv[len(argv)-1]))
		if len(argv) != 2 || err != nil || db < 0 {
			return false, broken("SELECT of no db")
		}
		s.db = db
	case is(name, "PING"):
	case is(name, "REPLCONF"):
		s.asked = s.asked || len(argv) > 1 && is(argv[1], "GETACK")
	case s.open != nil:
		s.open.Steps = append(s.open.Steps, Step{s.db, cloned(argv)})
	default:
		at := len(s.steps)
		s.steps = append(s.steps, Step{s.db, argv})
		s.units = append(s.units, Unit{Steps: s.steps[at:len(s.steps):len(s.steps)]})
		return true, nil
	}
	if s.open != nil {
		return false, nil
	}
	s.units = append(s.units, Unit{})
	return true, nil
}

func is(word []byte, name string) bool {
	return len(word) == len(name) && bytes.EqualFold(word, []byte(name))
}

// cloned copies argv into memory of its own.
func cloned(argv [][]byte) [][]byte {
	out := make([][]byte, len(argv))
	for i, a := range argv {
		out[i] = bytes.Clone(a)
	}
	return out
}
