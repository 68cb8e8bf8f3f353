package resp

import (
	"bytes"
	"errors"
	"math"

	"coatcheck/engine/errs"
)

// How it works. Bytes lie in one buffer: the transport's scratch while whole
// commands come, the parser's own while one is unfinished. Of an unfinished
// command the parser remembers where its finished arguments are (relative to
// the command's first byte, so that moving the bytes changes nothing), how many
// are to come, and how far the line at hand was searched. argv is made when the
// last argument is there. Announced numbers reserve next to nothing: lists and
// buffers grow with the bytes that came.

// Limits bound what a parser takes from a client. A parser looks at them anew
// for every header, so they may change between commands.
type Limits struct {
	MaxBulk   int64 // bytes of one bulk string: proto-max-bulk-len
	MaxInline int   // bytes of an inline command or of a header line: 64 KiB
	MaxArgs   int   // elements of one multibulk: 1024*1024
	MaxBuffer int64 // bytes waiting for a command to complete: client-query-buffer-limit
	// Unauthenticated adds the limits of a client that has not authenticated,
	// with their own errors: 10 arguments of 16 KiB in a multibulk.
	Unauthenticated bool
}

// DefaultLimits are Redis' defaults.
var DefaultLimits = Limits{
	MaxBulk:   512 << 20,
	MaxInline: 64 << 10,
	MaxArgs:   1 << 20,
	MaxBuffer: 1 << 30,
}

// What a client that has not authenticated may announce.
const (
	unauthArgs = 10
	unauthBulk = 16 << 10
)

// Errors of Next that no reply is sent for: the connection is closed.
var (
	// ErrAttack is a POST or Host: command: somebody makes a browser or a
	// proxy talk to us. It is logged.
	ErrAttack = errors.New("possible SECURITY ATTACK: POST or Host: command")
	// ErrTooBig is more bytes than MaxBuffer waiting for one command.
	ErrTooBig = errors.New("query buffer limit reached")
)

// Parser cuts a client's bytes into commands. It is resumable: bytes may come
// in any pieces, and none is looked at twice. Set Limits before use.
//
// A transport reads into what Buffer returns and tells Wrote; then it takes
// commands by Next until there is none, runs them, and calls Release. Between
// Next and Release it does not call Buffer. What is left after Release can be
// taken by Next at any later time, without reading more first.
type Parser struct {
	Limits Limits

	buf  []byte   // all bytes at hand: in own, or in the scratch lent by Wrote
	lent []byte   // what Buffer returned last lies in it; nil when in own
	own  []byte   // the parser's own buffer, nil when nothing waits
	work *argList // nil when no command is begun or handed out
	err  error    // final
	// borrowed says that buf lies in a scratch, not in own.
	borrowed bool

	start int // first byte of the command at hand
	pos   int // first byte not parsed
	scan  int // where the search for the line's end goes on; 0: at pos
	left  int // arguments of the multibulk still to come; 0: between commands
	bulk  int // length of the bulk at pos; -1: its header comes
}

// Buffer returns where to read next, at least one byte long: in scratch while
// little or nothing waits, otherwise room in the parser's own buffer, of just the
// size of a big bulk that is coming. Nothing happens before Wrote.
func (p *Parser) Buffer(scratch []byte) []byte {
	p.lent = nil
	rest := p.buf[p.start:]
	if len(rest) == 0 {
		p.lent = scratch
		return scratch
	}
	if len(rest) <= smallRest && len(rest)+max(p.need(), 1) <= len(scratch) {
		p.lent = scratch
		return scratch[copy(scratch, rest):]
	}
	p.reserve()
	return p.buf[len(p.buf):cap(p.buf)]
}

// Wrote says that n bytes were put into what Buffer returned. With n > 0 the
// scratch given to Buffer is borrowed until Release.
func (p *Parser) Wrote(n int) {
	switch {
	case n <= 0:
	case p.lent == nil:
		p.buf = p.buf[:len(p.buf)+n]
	default:
		p.buf, p.lent = p.lent[:len(p.buf)-p.start+n], nil
		p.borrowed = true
		p.rebase()
	}
}

// Next returns the next complete command, at least one argument long; nil when
// more bytes are needed. Its arguments point into the read buffer and are good
// until Release; the caller may change them. The error (*errs.Error of kind
// Protocol, ErrAttack or ErrTooBig) is final.
//
// As in Redis, the two bytes after a bulk are not looked at, the byte after a
// header's CR neither, and empty lines, *0 and *-1 are passed over. Unlike
// there, a NUL in a line is a byte like others.
func (p *Parser) Next() (argv [][]byte, err error) {
	if p.err != nil {
		return nil, p.err
	}
	argv, err = p.next()
	if argv == nil && err == nil && int64(len(p.buf)-p.start) > p.Limits.MaxBuffer {
		err = ErrTooBig
	}
	if err == nil && argv != nil && isAttack(argv[0]) {
		err = ErrAttack
	}
	if err != nil {
		p.err, argv = err, nil
	}
	return argv, err
}

func (p *Parser) next() ([][]byte, error) {
	for p.left == 0 {
		p.start = p.pos
		if p.pos >= len(p.buf) {
			return nil, nil
		}
		if p.work == nil {
			p.work = takeArgs()
		}
		if p.buf[p.pos] != '*' {
			argv, again, err := p.inline()
			if !again {
				return argv, err
			}
			continue
		}
		n, state := p.header('*')
		if state != lineDone {
			return nil, multibulkError(state)
		}
		if err := p.checkCount(n); err != nil {
			return nil, err
		}
		p.left, p.bulk = int(max(n, 0)), -1
		p.work.spans = p.work.spans[:0]
	}
	return p.bulks()
}

// bulks reads the arguments that are still to come.
func (p *Parser) bulks() ([][]byte, error) {
	w := p.work
	for p.left > 0 {
		if p.bulk < 0 {
			n, state := p.header('$')
			if state != lineDone {
				return nil, p.bulkError(state)
			}
			if err := p.checkBulk(n); err != nil {
				return nil, err
			}
			p.bulk = int(n)
		}
		end := p.pos + p.bulk
		if end+2 > len(p.buf) {
			return nil, nil
		}
		w.spans = append(w.spans, span{p.pos - p.start, p.bulk})
		p.pos, p.bulk = end+2, -1
		p.left--
	}
	first := len(w.argv)
	cmd := p.buf[p.start:p.pos]
	for _, s := range w.spans {
		w.argv = append(w.argv, cmd[s.off:s.off+s.len:s.off+s.len])
	}
	p.start = p.pos
	return w.argv[first:len(w.argv):len(w.argv)], nil
}

func (p *Parser) checkCount(n int64) error {
	if p.Limits.Unauthenticated && n > unauthArgs && n <= math.MaxInt32 {
		return errs.Protocol("unauthenticated multibulk length")
	}
	if n > int64(p.Limits.MaxArgs) {
		return errs.Protocol("invalid multibulk length")
	}
	return nil
}

func (p *Parser) checkBulk(n int64) error {
	if n < 0 || n > p.Limits.MaxBulk {
		return errs.Protocol("invalid bulk length")
	}
	if p.Limits.Unauthenticated && n > unauthBulk {
		return errs.Protocol("unauthenticated bulk length")
	}
	return nil
}

// What became of a header line.
type lineState int

const (
	lineDone     lineState = iota // pos stands behind it
	lineOpen                      // its end has not come
	lineTooLong                   // longer than MaxInline
	lineBadMark                   // it begins with another byte
	lineNoNumber                  // what follows is no number
)

func multibulkError(s lineState) error {
	switch s {
	case lineTooLong:
		return errs.Protocol("too big mbulk count string")
	case lineNoNumber:
		return errs.Protocol("invalid multibulk length")
	}
	return nil
}

func (p *Parser) bulkError(s lineState) error {
	switch s {
	case lineTooLong:
		return errs.Protocol("too big bulk count string")
	case lineBadMark:
		return errs.Protocol("expected '$', got '" + string(p.buf[p.pos:p.pos+1]) + "'")
	case lineNoNumber:
		return errs.Protocol("invalid bulk length")
	}
	return nil
}

// header reads a line of mark and a number.
func (p *Parser) header(mark byte) (n int64, _ lineState) {
	// The usual case: a few digits, all there.
	b := p.buf[p.pos:]
	if len(b) >= 4 && b[0] == mark && b[1]-'1' < 9 {
		n = int64(b[1] - '0')
		for i := 2; i < len(b)-1 && i < 12; i++ {
			c := b[i] - '0'
			if c <= 9 {
				n = n*10 + int64(c)
				continue
			}
			if b[i] == '\r' {
				p.pos, p.scan = p.pos+i+2, 0
				return n, lineDone
			}
			break
		}
	}
	return p.oddHeader(mark)
}

// oddHeader is header for lines that are not all there, or odd.
func (p *Parser) oddHeader(mark byte) (int64, lineState) {
	end, state := p.line('\r')
	if state != lineDone {
		return 0, state
	}
	if end+1 >= len(p.buf) {
		p.scan = end
		return 0, lineOpen
	}
	if p.buf[p.pos] != mark {
		return 0, lineBadMark
	}
	n, ok := ParseInt(p.buf[p.pos+1 : end])
	if !ok {
		return 0, lineNoNumber
	}
	p.pos, p.scan = end+2, 0
	return n, lineDone
}

// line finds the end of the line at pos, looking only at bytes that it has not
// looked at before.
func (p *Parser) line(mark byte) (end int, _ lineState) {
	from := max(p.scan, p.pos)
	i := bytes.IndexByte(p.buf[from:], mark)
	end = from + i
	if i < 0 {
		end = len(p.buf)
		p.scan = end
	}
	switch {
	case end-p.pos > p.Limits.MaxInline:
		return 0, lineTooLong
	case i < 0:
		return 0, lineOpen
	}
	return end, lineDone
}

func isAttack(name []byte) bool {
	switch len(name) {
	case 4:
		return name[0]|0x20 == 'p' && bytes.EqualFold(name, []byte("post"))
	case 5:
		return name[0]|0x20 == 'h' && bytes.EqualFold(name, []byte("host:"))
	}
	return false
}

// ParseInt reads a decimal integer as Redis does: a minus and digits, nothing
// else, no leading zeros, within 64 bits.
func ParseInt(b []byte) (n int64, ok bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 19 || b[0] == '0' && (len(b) > 1 || neg) {
		return 0, false
	}
	var u uint64
	for _, c := range b {
		if c -= '0'; c > 9 {
			return 0, false
		}
		u = u*10 + uint64(c)
	}
	if neg {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u <= math.MaxInt64
}
