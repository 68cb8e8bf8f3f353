package resp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/tidwall/redcon"
)

// The client's side: replies read, commands written. redcon.ReadNextRESP is not
// used: it wants a whole reply in memory before it looks, recurses as deep as
// the sender likes, and panics on some lengths.

// Kind is the mark that a reply begins with.
type Kind byte

// The kinds of replies.
const (
	KindStatus    Kind = '+'
	KindError     Kind = '-'
	KindInt       Kind = ':'
	KindBulk      Kind = '$'
	KindArray     Kind = '*'
	KindNull      Kind = '_'
	KindBool      Kind = '#'
	KindDouble    Kind = ','
	KindBigNumber Kind = '('
	KindBulkError Kind = '!'
	KindVerbatim  Kind = '='
	KindMap       Kind = '%'
	KindSet       Kind = '~'
	KindPush      Kind = '>'
	KindAttribute Kind = '|'
)

// Value is a reply. Equal values have equal bytes on the wire.
type Value struct {
	Kind Kind
	// Text is what a status, error, bulk, double, boolean ("t", "f"), big
	// number or verbatim string ("txt:…") says; of an int, its digits.
	Text string
	// Int is an int's value.
	Int int64
	// Elems are the elements; of a map keys and values in turn.
	Elems []Value
	// Absent is true of RESP2's nulls, "$-1" and "*-1". See IsNull.
	Absent bool
	// Attr is the attribute sent before it, as keys and values in turn.
	Attr []Value
}

// IsNull says whether v is a null of either protocol.
func (v Value) IsNull() bool { return v.Absent || v.Kind == KindNull }

// IsError says whether v is an error reply.
func (v Value) IsError() bool { return v.Kind == KindError || v.Kind == KindBulkError }

// What a Decoder takes. Memory grows with the bytes that come, whatever was
// announced.
const (
	maxDepth = 128
	maxElems = 1 << 28
	maxBulk  = 1 << 30
	maxLine  = 1 << 20
)

// ErrReply is wrapped by a Decoder's errors about bytes that are no reply.
var ErrReply = errors.New("resp: not a reply")

func badReply(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrReply}, args...)...)
}

// Decoder reads replies.
type Decoder struct{ r *bufio.Reader }

// NewDecoder returns a decoder that reads from r, with a buffer of its own.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{bufio.NewReader(r)} }

// Buffered is the number of bytes that were read and not decoded.
func (d *Decoder) Buffered() int { return d.r.Buffered() }

// Decode reads the next reply. It fails with io.EOF at the end between replies,
// io.ErrUnexpectedEOF within one, an error that wraps ErrReply for bytes that
// are none, and with the reader's own errors.
func (d *Decoder) Decode() (Value, error) {
	v, err := d.value(0)
	if errors.Is(err, io.EOF) && v.Kind != 0 {
		err = io.ErrUnexpectedEOF
	}
	return v, err
}

func (d *Decoder) value(depth int) (Value, error) {
	if depth > maxDepth {
		return Value{}, badReply("nested deeper than %d", maxDepth)
	}
	mark, err := d.r.ReadByte()
	if err != nil {
		return Value{}, err
	}
	v := Value{Kind: Kind(mark)}
	line, err := d.line()
	if err != nil {
		return v, err
	}
	switch v.Kind {
	case KindStatus, KindError, KindDouble, KindBigNumber:
		v.Text = string(line)
	case KindInt:
		n, ok := ParseInt(line)
		if !ok {
			return v, badReply("integer %q", line)
		}
		v.Int, v.Text = n, string(line)
	case KindBool:
		if v.Text = string(line); v.Text != "t" && v.Text != "f" {
			return v, badReply("boolean %q", line)
		}
	case KindNull:
		if len(line) > 0 {
			return v, badReply("null %q", line)
		}
	case KindBulk, KindBulkError, KindVerbatim:
		return d.bulk(v, line)
	case KindArray, KindMap, KindSet, KindPush, KindAttribute:
		return d.elems(v, line, depth)
	default:
		return v, badReply("mark %q", mark)
	}
	return v, nil
}

// line reads up to the next CRLF, which it drops. It is good until the next
// read.
func (d *Decoder) line() ([]byte, error) {
	line, err := d.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := append([]byte(nil), line...)
		for errors.Is(err, bufio.ErrBufferFull) && len(long) < maxLine {
			line, err = d.r.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if err != nil {
		return nil, err
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return nil, badReply("line end without CR")
	}
	return line[:len(line)-2], nil
}

func (d *Decoder) bulk(v Value, line []byte) (Value, error) {
	n, ok := ParseInt(line)
	if v.Absent = ok && n == -1 && v.Kind == KindBulk; v.Absent {
		return v, nil
	}
	if !ok || n < 0 || n > maxBulk {
		return v, badReply("length %q", line)
	}
	var text strings.Builder
	if _, err := io.CopyN(&text, d.r, n+2); err != nil {
		return v, err
	}
	s := text.String()
	if s[n:] != "\r\n" {
		return v, badReply("bulk without CRLF")
	}
	v.Text = s[:n]
	return v, nil
}

func (d *Decoder) elems(v Value, line []byte, depth int) (Value, error) {
	n, ok := ParseInt(line)
	if v.Absent = ok && n == -1 && v.Kind == KindArray; v.Absent {
		return v, nil
	}
	if !ok || n < 0 || n > maxElems {
		return v, badReply("count %q", line)
	}
	if v.Kind == KindMap || v.Kind == KindAttribute {
		n *= 2
	}
	v.Elems = make([]Value, 0, min(n, 16))
	for range n {
		e, err := d.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.Elems = append(v.Elems, e)
	}
	if v.Kind != KindAttribute {
		return v, nil
	}
	described, err := d.value(depth + 1)
	if err != nil {
		return v, err
	}
	described.Attr = append(v.Elems, described.Attr...)
	return described, nil
}

// String shows v on one line, as transcripts write it: RESP's marks, bulk
// strings quoted as in Go, elements in brackets: *[$"a" :1 %[+k _] $"x"*100].
func (v Value) String() string { return string(v.append(nil, true)) }

func (v Value) append(b []byte, top bool) []byte {
	if v.Attr != nil {
		b = append(appendElems(append(b, '|'), v.Attr), ' ')
	}
	if b = append(b, byte(v.Kind)); v.Absent {
		return append(b, "-1"...)
	}
	switch v.Kind {
	case KindBulk, KindBulkError, KindVerbatim:
		return appendText(b, v.Text)
	case KindArray, KindMap, KindSet, KindPush:
		return appendElems(b, v.Elems)
	case KindStatus, KindError:
		if v.Text == "" || v.Text[0] == '"' || v.Text != strings.TrimSpace(v.Text) || !top && strings.ContainsAny(v.Text, " []\"\\") {
			return strconv.AppendQuote(b, v.Text)
		}
	}
	return append(b, v.Text...)
}

// appendText quotes s; one byte again and again is written once: "x"*1000.
func appendText(b []byte, s string) []byte {
	if len(s) >= 64 && strings.Count(s, s[:1]) == len(s) {
		b = append(strconv.AppendQuote(b, s[:1]), '*')
		return strconv.AppendInt(b, int64(len(s)), 10)
	}
	return strconv.AppendQuote(b, s)
}

func appendElems(b []byte, elems []Value) []byte {
	b = append(b, '[')
	for i, e := range elems {
		if i > 0 {
			b = append(b, ' ')
		}
		b = e.append(b, false)
	}
	return append(b, ']')
}

// AppendCommand appends a command as clients send it.
func AppendCommand[S string | []byte](b []byte, args ...S) []byte {
	b = redcon.AppendArray(b, len(args))
	for _, a := range args {
		b = redcon.AppendBulkString(b, string(a))
	}
	return b
}
