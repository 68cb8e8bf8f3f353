// Package resp speaks the Redis serialization protocol, versions 2 and 3:
// a resumable parser of commands, an append-only reply, and a decoder of
// replies. It knows bytes only, no sockets.
package resp

import (
	"strconv"

	"github.com/tidwall/redcon"
)

// Reply is what a client will read: replies are appended to it, whole or piece
// by piece. Proto (2 or 3) decides how maps, sets, doubles, booleans, nulls and
// pushes look. The zero value, with Proto set, is ready.
type Reply struct {
	Proto int
	buf   []byte
}

// Status appends a simple string: "+OK\r\n".
func (r *Reply) Status(s string) { r.buf = redcon.AppendString(r.buf, s) }

// Int appends an integer.
func (r *Reply) Int(n int64) { r.buf = redcon.AppendInt(r.buf, n) }

// BulkString appends a bulk string of any bytes.
func (r *Reply) BulkString(b []byte) { r.buf = redcon.AppendBulk(r.buf, b) }

// BulkText is BulkString of a Go string.
func (r *Reply) BulkText(s string) { r.buf = redcon.AppendBulkString(r.buf, s) }

// Verbatim appends a verbatim string ("txt", "mkd"); on RESP2 a bulk string.
func (r *Reply) Verbatim(format, s string) {
	if r.Proto < 3 {
		r.BulkText(s)
		return
	}
	r.buf = append(r.buf, '=')
	r.buf = strconv.AppendInt(r.buf, int64(len(s)+4), 10)
	r.buf = append(r.buf, "\r\n"...)
	r.buf = append(r.buf, format...)
	r.buf = append(r.buf, ':')
	r.buf = append(r.buf, s...)
	r.buf = append(r.buf, "\r\n"...)
}

// Null appends the null of a missing value: "_" or, on RESP2, "$-1".
func (r *Reply) Null() {
	if r.Proto < 3 {
		r.buf = append(r.buf, "$-1\r\n"...)
		return
	}
	r.buf = append(r.buf, "_\r\n"...)
}

// NullArray is Null where RESP2 says "*-1".
func (r *Reply) NullArray() {
	if r.Proto < 3 {
		r.buf = append(r.buf, "*-1\r\n"...)
		return
	}
	r.buf = append(r.buf, "_\r\n"...)
}

// Bool appends a boolean; on RESP2 the integer 1 or 0.
func (r *Reply) Bool(b bool) {
	switch {
	case r.Proto >= 3 && b:
		r.buf = append(r.buf, "#t\r\n"...)
	case r.Proto >= 3:
		r.buf = append(r.buf, "#f\r\n"...)
	case b:
		r.Int(1)
	default:
		r.Int(0)
	}
}

// Double appends a float as Redis prints it; on RESP2 a bulk string.
func (r *Reply) Double(f float64) { r.BulkText(strconv.FormatFloat(f, 'g', 17, 64)) }

// Array announces n elements that the caller appends next.
func (r *Reply) Array(n int) { r.buf = redcon.AppendArray(r.buf, n) }

// Map announces n pairs; on RESP2 an array of 2n.
func (r *Reply) Map(n int) { r.header('%', 2, n) }

// Set announces n elements of a set; on RESP2 an array.
func (r *Reply) Set(n int) { r.header('~', 1, n) }

// Push announces n elements of an out-of-band message; on RESP2 an array.
func (r *Reply) Push(n int) { r.header('>', 1, n) }

func (r *Reply) header(mark byte, per, n int) {
	if r.Proto < 3 {
		r.Array(per * n)
		return
	}
	r.buf = append(r.buf, mark)
	r.buf = strconv.AppendInt(r.buf, int64(n), 10)
	r.buf = append(r.buf, "\r\n"...)
}

// Error appends an error reply. Line breaks in its text become spaces.
func (r *Reply) Error(err error) {
	r.buf = append(r.buf, '-')
	for _, c := range []byte(err.Error()) {
		if c == '\r' || c == '\n' {
			c = ' '
		}
		r.buf = append(r.buf, c)
	}
	r.buf = append(r.buf, "\r\n"...)
}

// Len is the number of bytes not yet taken; also a mark for Rewind.
func (r *Reply) Len() int { return len(r.buf) }

// Rewind drops what was appended since Len returned mark.
func (r *Reply) Rewind(mark int) { r.buf = r.buf[:mark] }

// Bytes is what was appended and not yet taken; good until the next append.
func (r *Reply) Bytes() []byte { return r.buf }

// Reset empties the reply and appends to buf from now on (its content is
// dropped; nil lets it allocate). A transport gives back what Bytes returned.
func (r *Reply) Reset(buf []byte) { r.buf = buf[:0] }

// Append appends bytes that are encoded already.
func (r *Reply) Append(b []byte) { r.buf = append(r.buf, b...) }

// Deferred is a header whose count comes later.
type Deferred struct{ at int }

// DeferArray starts an array whose number of elements is told by EndArray.
// Deferred headers nest; all end before the unit does.
func (r *Reply) DeferArray() Deferred { return Deferred{len(r.buf)} }

// EndArray gives the array begun at d its n elements.
func (r *Reply) EndArray(d Deferred, n int) { r.end(d, '*', n) }

// EndMap, for a header begun by DeferArray, makes it a map of n pairs.
func (r *Reply) EndMap(d Deferred, n int) {
	if r.Proto < 3 {
		r.end(d, '*', 2*n)
		return
	}
	r.end(d, '%', n)
}

// EndSet makes it a set of n elements.
func (r *Reply) EndSet(d Deferred, n int) {
	if r.Proto < 3 {
		r.end(d, '*', n)
		return
	}
	r.end(d, '~', n)
}

func (r *Reply) end(d Deferred, mark byte, n int) {
	var h [24]byte
	head := append(strconv.AppendInt(append(h[:0], mark), int64(n), 10), '\r', '\n')
	r.buf = append(r.buf, head...)
	copy(r.buf[d.at+len(head):], r.buf[d.at:len(r.buf)-len(head)])
	copy(r.buf[d.at:], head)
}
