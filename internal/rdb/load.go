package rdb

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"coatcheck/engine"
)

// Entry is a key of a file with its value.
type Entry struct {
	DB    int
	Key   []byte // good until the callback returns, as are the value's bytes
	At    engine.UnixMilli
	Idle  int64 // seconds since it was touched; -1 where the file does not say
	Freq  int64 // LFU counter; -1
	Value engine.Value
}

// Handler is told of what a file holds, in its order. Functions that are nil hear
// nothing. An error ends the reading and is returned.
type Handler struct {
	Entry    func(e *Entry) error
	Aux      func(name, value string)
	Function func(code []byte) error
	// Sizes announces how many keys a db has, and how many of them with a
	// deadline: a hint.
	Sizes func(db int, keys, volatile uint64)
	// Progress is called now and then with the bytes read so far.
	Progress func(read int64) error
}

// LoadOptions say how to read a file.
type LoadOptions struct {
	// Unsigned accepts a file whose checksum does not fit (rdbchecksum no).
	Unsigned bool
}

// Load reads a file from r to its end mark, and leaves what follows: up to a
// quarter of a megabyte of that may have been read from r, and is returned. It
// fails with ErrFormat when the bytes are no such file.
func Load(r io.Reader, opt LoadOptions, h Handler) (rest []byte, err error) {
	l := loader{decoder: decoder{source: source{from: r}}, h: h}
	version := l.head()
	for l.err == nil && l.next() {
	}
	sum := l.checksum()
	if version >= 5 {
		want := l.uint64()
		if l.err == nil && want != 0 && want != sum && !opt.Unsigned {
			l.fail(fmt.Errorf("%w: the checksum is %016x, the file says %016x", ErrFormat, sum, want))
		}
	}
	if l.err != nil {
		return nil, l.err
	}
	return l.buf[l.pos:], nil
}

// progressEvery is how many bytes there are between two calls of Progress.
const progressEvery = 1 << 20

type loader struct {
	decoder
	h     Handler
	db    int
	told  int64 // offset at the last Progress
	entry Entry
}

func (l *loader) head() (version int) {
	b := l.take(9)
	if l.err != nil {
		return 0
	}
	for _, digit := range b[5:] {
		if digit < '0' || digit > '9' {
			l.bad("no version")
			return 0
		}
		version = version*10 + int(digit-'0')
	}
	switch {
	case string(b[:5]) != "REDIS" && string(b[:5]) != "VALKE":
		l.bad("no dump file")
	case version < 1 || version > maxVersion && version != 80:
		l.bad("can't handle format version %d", version)
	}
	l.entry = Entry{At: engine.Never, Idle: -1, Freq: -1}
	return version
}

// next reads one item of the file and says whether there are more.
func (l *loader) next() bool {
	if l.h.Progress != nil && l.offset()-l.told >= progressEvery {
		l.told = l.offset()
		l.fail(l.h.Progress(l.told))
	}
	switch op := l.byte(); op {
	case opEOF:
		return false
	case opSelectDB:
		n := l.length()
		if n > math.MaxInt32 {
			l.bad("db %d", n)
		}
		l.db = int(n)
	case opResizeDB:
		keys, volatile := l.length(), l.length()
		if l.h.Sizes != nil && l.err == nil {
			l.h.Sizes(l.db, keys, volatile)
		}
	case opExpire:
		l.deadline(int64(int32(l.uint32())), 1000)
	case opExpireMs:
		l.deadline(int64(l.uint64()), 1)
	case opIdle:
		l.entry.Idle = int64(min(l.length(), math.MaxInt64))
	case opFreq:
		l.entry.Freq = int64(l.byte())
	case opSlotInfo:
		l.length()
		l.length()
		l.length()
	case opAux:
		name := string(l.string())
		value := string(l.string())
		if l.h.Aux != nil && l.err == nil {
			l.h.Aux(name, value)
		}
	case opFunction:
		code := l.string()
		if l.h.Function != nil && l.err == nil {
			l.fail(l.h.Function(code))
		}
	case opFunctionPre:
		l.bad("a function of a release candidate of Redis 7.0")
	case opModuleAux:
		l.skipModuleAux()
	default:
		l.key(op)
	}
	return l.err == nil
}

func (l *loader) deadline(n, unit int64) {
	if l.err == nil && (n < 0 || n > math.MaxInt64/unit) {
		l.bad("deadline %d", n)
	}
	l.entry.At = engine.UnixMilli(n * unit)
}

// key reads a key and its value.
func (l *loader) key(kind byte) {
	e := &l.entry
	e.DB = l.db
	e.Key = append(e.Key[:0], l.string()...)
	e.Value = l.value(kind)
	if l.err == nil && l.h.Entry != nil {
		l.fail(l.h.Entry(e))
	}
	*e = Entry{Key: e.Key, At: engine.Never, Idle: -1, Freq: -1}
}

// skipModuleAux passes over what a module has left beside the keys.
func (l *loader) skipModuleAux() {
	l.length() // the module
	for l.err == nil {
		switch op := l.length(); op {
		case 0: // its end
			return
		case 1, 2: // integers
			l.length()
		case 3:
			l.take(4)
		case 4:
			l.take(8)
		case 5:
			l.string()
		default:
			l.bad("module data of unknown kind %d", op)
		}
	}
}

// ParseDump reads the payload of DUMP. It fails with ErrDump when version or
// checksum are wrong, and with ErrFormat when the value is.
func ParseDump(payload []byte) (engine.Value, error) {
	n := len(payload) - 10
	if n < 1 {
		return engine.Value{}, ErrDump
	}
	version := binary.LittleEndian.Uint16(payload[n:])
	sum := binary.LittleEndian.Uint64(payload[n+2:])
	if version > maxVersion || sum != Checksum(0, payload[:n+2]) {
		return engine.Value{}, ErrDump
	}
	d := decoder{source: source{buf: payload[:n]}}
	v := d.value(d.byte())
	if d.err == nil && d.pos != n {
		d.bad("%d bytes behind the value", n-d.pos)
	}
	return v, d.err
}
