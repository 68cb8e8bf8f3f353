// Package resp speaks the Redis serialization protocol, versions 2 and 3:
// a resumable parser of commands, an append-only reply, and a decoder of
// replies. It knows bytes only, no sockets.
package resp

import (
	"strconv"
	"strings"

	"github.com/tidwall/redcon"
)

// Reply is what a client will read: replies are appended to it, whole or piece
// by piece. Proto (2 or 3) decides how maps, sets, doubles, booleans, nulls and
// pushes look. The zero value, with Proto set, is ready.
//
// Its bytes lie in chunks of up to 64 KiB, which come from a common pool with
// the first byte and go back when they were sent, so that an idle client's
// reply owns nothing and a huge one is never moved. A reply belongs to one
// goroutine at a time.
type Reply struct {
	Proto int
	// Limit, unless 0, is how many bytes may wait in a reply whose client is
	// closed when there are more: of a longer one nothing is kept (IsOver). It is
	// looked at when a chunk is full, and may change between commands.
	Limit int

	tail   []byte   // the chunk that is appended to
	sealed [][]byte // full chunks before it, from first on
	first  int
	before int // bytes of the sealed ones
	sent   int // of the first chunk

	over bool // past Limit: what is appended goes nowhere
}

// Status appends a simple string: "+OK\r\n". Line breaks become spaces.
func (r *Reply) Status(s string) {
	if s == "OK" {
		r.room(5)
		r.tail = redcon.AppendOK(r.tail)
		return
	}
	r.line('+', s)
}

// Error appends an error reply. Line breaks at the end of its text are dropped,
// others become spaces, so that no text ends the reply early.
func (r *Reply) Error(err error) { r.line('-', strings.TrimRight(err.Error(), "\r\n")) }

func (r *Reply) line(mark byte, s string) {
	r.room(len(s) + 3)
	r.tail = append(r.tail, mark)
	at := len(r.tail)
	r.tail = append(r.tail, s...)
	for i, c := range r.tail[at:] {
		if c == '\r' || c == '\n' {
			r.tail[at+i] = ' '
		}
	}
	r.tail = append(r.tail, '\r', '\n')
}

// Int appends an integer.
func (r *Reply) Int(n int64) {
	r.room(maxHeader)
	r.tail = redcon.AppendInt(r.tail, n)
}

// BulkString appends a bulk string of any bytes.
func (r *Reply) BulkString(b []byte) {
	if len(b) > bigBulk {
		r.header('$', len(b))
		r.Append(b)
		r.crlf()
		return
	}
	r.room(maxHeader + len(b))
	r.tail = redcon.AppendBulk(r.tail, b)
}

// BulkText is BulkString of a Go string.
func (r *Reply) BulkText(s string) {
	r.room(maxHeader + len(s))
	r.tail = redcon.AppendBulkString(r.tail, s)
}

// Verbatim appends a verbatim string ("txt", "mkd"); on RESP2 a bulk string.
func (r *Reply) Verbatim(format, s string) {
	if r.Proto < 3 {
		r.BulkText(s)
		return
	}
	r.header('=', len(s)+4)
	r.room(len(format) + 1 + len(s) + 2)
	r.tail = append(r.tail, format...)
	r.tail = append(r.tail, ':')
	r.tail = append(r.tail, s...)
	r.tail = append(r.tail, '\r', '\n')
}

// BigNumber appends an integer of any size, given as decimal digits; on RESP2 a
// bulk string.
func (r *Reply) BigNumber(digits string) {
	if r.Proto < 3 {
		r.BulkText(digits)
		return
	}
	r.line('(', digits)
}

// Null appends the null of a missing value: "_" or, on RESP2, "$-1".
func (r *Reply) Null() { r.either("$-1\r\n", "_\r\n") }

// NullArray is Null where RESP2 says "*-1".
func (r *Reply) NullArray() { r.either("*-1\r\n", "_\r\n") }

// Bool appends a boolean; on RESP2 the integer 1 or 0.
func (r *Reply) Bool(b bool) {
	if b {
		r.either(":1\r\n", "#t\r\n")
	} else {
		r.either(":0\r\n", "#f\r\n")
	}
}

func (r *Reply) either(resp2, resp3 string) {
	r.room(len(resp2))
	if r.Proto < 3 {
		r.tail = append(r.tail, resp2...)
	} else {
		r.tail = append(r.tail, resp3...)
	}
}

// Double appends a float as Redis prints it (see AppendDouble); on RESP2 a bulk
// string.
func (r *Reply) Double(f float64) {
	var a [40]byte
	r.DoubleDigits(AppendDouble(a[:0], f))
}

// DoubleDigits is Double of a number that is written already.
func (r *Reply) DoubleDigits(digits []byte) {
	if r.Proto < 3 {
		r.BulkString(digits)
		return
	}
	r.room(len(digits) + 3)
	r.tail = append(append(append(r.tail, ','), digits...), '\r', '\n')
}

// Array announces n elements that the caller appends next.
func (r *Reply) Array(n int) { r.header('*', n) }

// Map announces n pairs; on RESP2 an array of 2n.
func (r *Reply) Map(n int) { r.header(r.mapMark(n)) }

// Set announces n elements of a set; on RESP2 an array.
func (r *Reply) Set(n int) { r.header(r.mark('~'), n) }

// Push announces n elements of an out-of-band message; on RESP2 an array.
func (r *Reply) Push(n int) { r.header(r.mark('>'), n) }

func (r *Reply) mark(resp3 byte) byte {
	if r.Proto < 3 {
		return '*'
	}
	return resp3
}

func (r *Reply) mapMark(n int) (byte, int) {
	if r.Proto < 3 {
		return '*', 2 * n
	}
	return '%', n
}

// maxHeader is room for a mark, a number of 64 bits and two line ends.
const maxHeader = 25

func (r *Reply) header(mark byte, n int) {
	r.room(maxHeader)
	r.tail = appendHeader(r.tail, mark, n)
}

func appendHeader(b []byte, mark byte, n int) []byte {
	return append(strconv.AppendInt(append(b, mark), int64(n), 10), '\r', '\n')
}

func (r *Reply) crlf() {
	r.room(2)
	r.tail = append(r.tail, '\r', '\n')
}

// Append appends bytes that are encoded already.
func (r *Reply) Append(b []byte) {
	if r.exceeds(len(b)) {
		return
	}
	if len(b) > bigBulk && cap(r.tail)-len(r.tail) < len(b) {
		r.seal()
		r.tail = append(r.tail, b...) // allocated, filled, not zeroed before
		return
	}
	r.room(len(b))
	r.tail = append(r.tail, b...)
}

// AppendShared appends encoded bytes that other replies have too and that
// nobody changes any more. Long ones, and the first that a reply gets, are not
// copied: a message to many is in memory once.
func (r *Reply) AppendShared(b []byte) {
	if r.exceeds(len(b)) {
		return
	}
	if isClass(len(b)) || len(b) <= class0 && r.Len() > 0 {
		r.Append(b)
		return
	}
	r.seal()
	r.sealed = append(r.sealed, b[:len(b):len(b)])
	r.before += len(b)
}

// AppendReply moves what is in side to the end of r, without copying much. It
// leaves side empty.
func (r *Reply) AppendReply(side *Reply) {
	if r.exceeds(side.Len()) {
		side.Reset()
		return
	}
	for b := side.Head(); b != nil; b = side.Head() {
		if len(b) <= class1 || side.sent > 0 { // partly sent: the pool gets only whole buffers
			r.Append(b)
			side.Advance(len(b))
			continue
		}
		r.seal()
		r.tail = b
		side.forgetHead()
	}
}

// Deferred is a header whose count comes later.
type Deferred struct{ at int }

// DeferArray starts an array whose number of elements is told by EndArray.
// Deferred headers nest, the inner one ends first; all end before the unit
// does.
func (r *Reply) DeferArray() Deferred { return Deferred{r.Len()} }

// EndArray gives the array begun at d its n elements.
func (r *Reply) EndArray(d Deferred, n int) { r.end(d, '*', n) }

// EndMap makes the header begun at d by DeferArray that of a map of n pairs.
func (r *Reply) EndMap(d Deferred, n int) {
	mark, n := r.mapMark(n)
	r.end(d, mark, n)
}

// EndSet makes it a set of n elements.
func (r *Reply) EndSet(d Deferred, n int) { r.end(d, r.mark('~'), n) }

// EndPush makes it an out-of-band message of n elements.
func (r *Reply) EndPush(d Deferred, n int) { r.end(d, r.mark('>'), n) }

func (r *Reply) end(d Deferred, mark byte, n int) {
	var a [maxHeader]byte
	r.insert(d.at, appendHeader(a[:0], mark, n))
}
