package command

import (
	"bytes"
	"math"
	"strconv"

	"coatcheck/engine"
	"coatcheck/engine/errs"
	"coatcheck/resp"
)

// IDs of streams as clients write them.

// maxIDText is the longest text that is looked at as an ID.
const maxIDText = 127

// streamID reads "ms-seq", or "ms" with missing as the rest (Redis t_stream.c,
// streamGenericParseIDOrReply).
func streamID(arg []byte, missing uint64) (engine.StreamID, error) {
	id, auto, err := streamIDOrAuto(arg, missing)
	if auto {
		err = errs.StreamID
	}
	return id, err
}

// streamIDOrAuto is streamID that also reads "ms-*".
func streamIDOrAuto(arg []byte, missing uint64) (id engine.StreamID, auto bool, err error) {
	if len(arg) > maxIDText {
		return id, false, errs.StreamID
	}
	ms, seq, both := bytes.Cut(cString(arg), []byte{'-'})
	var ok bool
	if id.Ms, ok = parseUint(ms); !ok {
		return id, false, errs.StreamID
	}
	switch {
	case !both:
		id.Seq = missing
	case string(seq) == "*":
		return id, true, nil
	default:
		if id.Seq, ok = parseUint(seq); !ok {
			return id, false, errs.StreamID
		}
	}
	return id, false, nil
}

// streamIDOrEdge is streamID that also reads "-" and "+", the lowest and the highest
// ID.
func streamIDOrEdge(arg []byte, missing uint64) (engine.StreamID, error) {
	switch string(cString(arg)) {
	case "-":
		return engine.StreamID{}, nil
	case "+":
		return engine.MaxStreamID, nil
	}
	return streamID(arg, missing)
}

// cString is arg up to its first NUL, as functions of C see it.
func cString(arg []byte) []byte {
	if i := bytes.IndexByte(arg, 0); i >= 0 {
		return arg[:i]
	}
	return arg
}

// parseUint reads a number of 64 bits as Redis' string2ull does: what is no plain
// integer goes through C's strtoull, which takes blanks, signs and zeros in front.
func parseUint(b []byte) (uint64, bool) {
	if n, ok := engine.ParseInt(b); ok {
		return uint64(n), n >= 0
	}
	b = bytes.TrimLeft(b, " \t\n\v\f\r")
	negative := len(b) > 0 && b[0] == '-'
	if negative || len(b) > 0 && b[0] == '+' {
		b = b[1:]
	}
	if len(b) == 0 || b[0] < '0' || b[0] > '9' { // strconv takes a sign, too
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

// streamBounds reads both ends of a range, each of them excluded behind "(".
func streamBounds(start, end []byte) (from, to engine.StreamID, err error) {
	if from, err = streamFrom(start); err != nil {
		return from, to, err
	}
	to, open, err := streamBound(end, math.MaxUint64)
	if err == nil && open {
		var ok bool
		if to, ok = to.Prev(); !ok {
			err = errs.StreamEnd
		}
	}
	return from, to, err
}

// streamFrom reads where a range begins.
func streamFrom(start []byte) (engine.StreamID, error) {
	from, open, err := streamBound(start, 0)
	if err == nil && open {
		var ok bool
		if from, ok = from.Next(); !ok {
			err = errs.StreamStart
		}
	}
	return from, err
}

// streamBound reads an end of a range, and whether it is excluded.
func streamBound(arg []byte, missing uint64) (id engine.StreamID, open bool, err error) {
	if len(arg) > 1 && arg[0] == '(' {
		id, err = streamID(arg[1:], missing)
		return id, true, err
	}
	id, err = streamIDOrEdge(arg, missing)
	return id, false, err
}

// streamIDs reads names of entries.
func streamIDs(args [][]byte) ([]engine.StreamID, error) {
	ids := make([]engine.StreamID, len(args))
	for i, arg := range args {
		var err error
		if ids[i], err = streamID(arg, 0); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// writeID appends an ID.
func writeID(out *resp.Reply, id engine.StreamID) {
	var text [41]byte
	out.BulkString(id.Append(text[:0]))
}

// writeEntry appends an entry: its ID, and an array of its pairs, null for one that is
// gone.
func writeEntry(out *resp.Reply, e *engine.StreamEntry) {
	out.Array(2)
	writeID(out, e.ID)
	if e.Gone {
		out.NullArray()
		return
	}
	out.Array(2 * e.Fields)
	for range e.Fields {
		field, value := e.Pair()
		out.BulkString(field)
		out.BulkString(value)
	}
}
