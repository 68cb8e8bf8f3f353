//go:build linux

package driver

import (
	"bytes"
	"errors"
	"fmt"
)

// replies counts the replies in a stream of bytes that comes in any pieces. It
// knows those that the workloads get: simple strings, errors, integers, bulk
// strings, nulls and arrays.
type replies struct {
	skip   int    // bytes of a bulk string still to come, its line break included
	left   int    // elements of an array still to come, those of arrays in it included
	line   []byte // the beginning of a line that is not complete
	misses int    // nulls seen
	errors int    // error replies seen
	first  error  // the first of them
}

var errReply = errors.New("driver: not a reply that was asked for")

// feed returns the number of replies that end in b.
func (r *replies) feed(b []byte) (n int, err error) {
	for len(b) > 0 {
		if r.skip > 0 {
			take := min(r.skip, len(b))
			r.skip -= take
			b = b[take:]
			if r.skip == 0 {
				n += r.element()
			}
			continue
		}
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			r.line = append(r.line, b...)
			return n, nil
		}
		line := b[:end]
		if len(r.line) > 0 {
			r.line = append(r.line, line...)
			line = r.line
		}
		b = b[end+1:]
		whole, err := r.header(line)
		if err != nil {
			return n, err
		}
		r.line = r.line[:0]
		if whole > 0 {
			n += r.element()
		}
	}
	return n, nil
}

// element ends an element, or a reply that is none. It returns 1 when a reply has ended.
func (r *replies) element() (whole int) {
	if r.left > 0 {
		r.left--
	}
	if r.left > 0 {
		return 0
	}
	return 1
}

// header takes a reply's first line, without its '\n'. It returns 1 when that
// was all of it.
func (r *replies) header(line []byte) (whole int, err error) {
	if len(line) < 2 || line[len(line)-1] != '\r' {
		return 0, fmt.Errorf("%w: %q", errReply, line)
	}
	switch line[0] {
	case '+', ':':
		return 1, nil
	case '_':
		r.misses++
		return 1, nil
	case '-':
		if r.errors++; r.first == nil {
			r.first = errors.New(string(line[1 : len(line)-1]))
		}
		return 1, nil
	case '$', '*':
		if line[1] == '-' {
			r.misses++
			return 1, nil
		}
		size := 0
		for _, c := range line[1 : len(line)-1] {
			size = size*10 + int(c-'0')
		}
		switch {
		case line[0] == '$':
			r.skip = size + 2
		case size == 0:
			return 1, nil
		default: // it ends with its last element
			r.left = max(r.left-1, 0) + size
		}
		return 0, nil
	}
	return 0, fmt.Errorf("%w: %q", errReply, line)
}
