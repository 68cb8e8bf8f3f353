package aof

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
)

// errTorn is about a file that ends in the middle of something.
var errTorn = errors.New("aof: the end is missing")

// step is a command of a unit, and the db it is to run on.
type step struct {
	db   int
	argv [][]byte
}

// reader reads a file of commands, unit by unit.
type reader struct {
	r        *bufio.Reader
	at, size int64
	db       int // that the file has selected
	// good is where the last whole unit, or batch of them, ended.
	good int64
	// apply gets each unit, which is its own; note, unless nil, the annotation lines
	// before it that are not the reader's.
	apply func(unit []step) error
	note  func(line []byte) error
}

// file reads a file to its end. It fails with errTorn or ErrFormat, or as apply did.
func (r *reader) file() error {
	for {
		r.good = r.at
		isNote, err := r.atNote()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err == nil && isNote:
			err = r.annotation()
		case err == nil:
			err = r.unit()
		}
		if err != nil {
			return err
		}
	}
}

// atNote says whether an annotation line comes next. It fails with io.EOF at the end.
func (r *reader) atNote() (bool, error) {
	c, err := r.r.ReadByte()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			err = fmt.Errorf("read: %w", err)
		}
		return false, err
	}
	return c == '#', r.r.UnreadByte()
}

// annotation reads a line that Redis passes over, and the batch behind it if it has
// one.
func (r *reader) annotation() error {
	line, err := r.line()
	if err != nil {
		return err
	}
	n, sum, isMark, err := parseMark(line)
	switch {
	case err != nil:
		return err
	case !isMark:
		return r.tell(line)
	case n > r.size-r.at:
		return errTorn
	}
	batch := make([]byte, n)
	if _, err := io.ReadFull(r.r, batch); err != nil {
		return readError(err)
	}
	if crc32.Checksum(batch, castagnoli) != sum {
		return fmt.Errorf("%w: the checksum of a batch", ErrFormat)
	}
	in := reader{r: bufio.NewReader(bytes.NewReader(batch)), size: n, db: r.db, apply: r.apply, note: r.note}
	for in.at < n && err == nil {
		var isNote bool
		if isNote, err = in.atNote(); err == nil && isNote {
			err = in.notes()
			if errors.Is(err, errTorn) && in.at == n {
				err = nil
			}
		} else if err == nil {
			err = in.unit()
		}
	}
	if errors.Is(err, errTorn) { // it was written so
		err = fmt.Errorf("%w: a batch ends inside a unit", ErrFormat)
	}
	r.at, r.db = r.at+n, in.db
	return err
}

// tell passes an annotation line on.
func (r *reader) tell(line []byte) error {
	if r.note == nil {
		return nil
	}
	return r.note(bytes.TrimRight(line, "\r\n"))
}

// notes passes over annotation lines inside a batch, or a unit.
func (r *reader) notes() error {
	for {
		isNote, err := r.atNote()
		if errors.Is(err, io.EOF) {
			return errTorn
		}
		if err != nil || !isNote {
			return err
		}
		line, err := r.line()
		if err != nil {
			return err
		}
		if _, _, isMark, _ := parseMark(line); isMark {
			return fmt.Errorf("%w: a batch inside another, or inside a unit", ErrFormat)
		}
		if err := r.tell(line); err != nil {
			return err
		}
	}
}

// unit reads a command, or what is between MULTI and EXEC.
func (r *reader) unit() error {
	var unit []step
	for inMulti := false; ; {
		if err := r.notes(); err != nil {
			return err
		}
		argv, err := r.command()
		if err != nil {
			return err
		}
		switch name := strings.ToUpper(string(argv[0])); {
		case name == "MULTI" && !inMulti:
			inMulti = true
		case name == "EXEC" && inMulti:
			inMulti = false
		case name == "MULTI" || name == "EXEC":
			return fmt.Errorf("%w: %s out of place", ErrFormat, name)
		case name == "SELECT" && len(argv) == 2:
			if r.db, err = strconv.Atoi(string(argv[1])); err != nil || r.db < 0 {
				return fmt.Errorf("%w: SELECT of no db", ErrFormat)
			}
		default:
			unit = append(unit, step{r.db, argv})
		}
		if !inMulti {
			if len(unit) == 0 {
				return nil
			}
			return r.apply(unit)
		}
	}
}

// command reads a command, of one word or more.
func (r *reader) command() ([][]byte, error) {
	argc, err := r.header('*')
	if err != nil {
		return nil, err
	}
	if argc < 1 {
		return nil, fmt.Errorf("%w: a command without a name", ErrFormat)
	}
	var argv [][]byte
	for range argc {
		n, err := r.header('$')
		if err != nil {
			return nil, err
		}
		if n > r.size-r.at-2 {
			return nil, errTorn
		}
		arg := make([]byte, n+2)
		if _, err := io.ReadFull(r.r, arg); err != nil {
			return nil, readError(err)
		}
		r.at += n + 2
		if string(arg[n:]) != "\r\n" {
			return nil, fmt.Errorf("%w: an argument has not the length it says", ErrFormat)
		}
		argv = append(argv, arg[:n:n])
	}
	return argv, nil
}

// header reads a line of a mark and a number.
func (r *reader) header(mark byte) (int64, error) {
	line, err := r.line()
	if err != nil {
		return 0, err
	}
	digits, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || len(digits) < 2 || digits[0] != mark {
		return 0, fmt.Errorf("%w: a line that should begin with %c", ErrFormat, mark)
	}
	n, err := strconv.ParseInt(string(digits[1:]), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: a number behind %c", ErrFormat, mark)
	}
	return n, nil
}

// line reads a line with its end; it is good until the next read.
func (r *reader) line() ([]byte, error) {
	line, err := r.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || len(line) > maxLine {
		return nil, fmt.Errorf("%w: a line too long", ErrFormat)
	}
	if err != nil {
		return nil, readError(err)
	}
	r.at += int64(len(line))
	return line, nil
}

func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return fmt.Errorf("read: %w", err)
}
