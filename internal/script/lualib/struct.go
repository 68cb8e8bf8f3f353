package lualib

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// struct packs values as C structures lie in memory, on a 64-bit machine.

func (l *Libs) openStruct() {
	l.module("struct", map[string]lua.LGFunction{
		"pack":   l.structPack,
		"unpack": l.structUnpack,
		"size":   l.structSize,
	})
}

const (
	maxStructInt = 32 // bytes of an integer; those above 8 are filled
	nativeAlign  = 8
)

// structFormat reads a format, option by option.
type structFormat struct {
	L     *lua.LState
	text  string
	at    int
	big   bool
	align int
}

// checkFormat is the format in argument 1; as in C, it ends at a zero byte.
func checkFormat(L *lua.LState) *structFormat {
	return &structFormat{L: L, text: untilZero(checkString(L, 1)), align: 1}
}

// next is the next option and the size that it has or names, and how many bytes align it at an offset. It is false at the end.
func (f *structFormat) next(offset int) (opt byte, size, fill int, ok bool) {
	if f.at >= len(f.text) {
		return 0, 0, 0, false
	}
	opt = f.text[f.at]
	f.at++
	size = f.size(opt)
	return opt, size, f.fill(offset, opt, size), true
}

func (f *structFormat) size(opt byte) int {
	switch opt {
	case 'b', 'B', 'x':
		return 1
	case 'h', 'H':
		return 2
	case 'l', 'L', 'T', 'd':
		return 8
	case 'f':
		return 4
	case 'c':
		return f.number(1)
	case 'i', 'I':
		n := f.number(4)
		if n > maxStructInt {
			raise(f.L, "integral size %d is larger than limit of %d", n, maxStructInt)
		}
		return n
	}
	return 0
}

// number reads the digits behind an option.
func (f *structFormat) number(otherwise int) int {
	if f.at >= len(f.text) || !isDigit(f.text[f.at]) {
		return otherwise
	}
	n := 0
	for ; f.at < len(f.text) && isDigit(f.text[f.at]); f.at++ {
		d := int(f.text[f.at] - '0')
		if n > math.MaxInt32/10 || n*10 > math.MaxInt32-d {
			raise(f.L, "integral size overflow")
		}
		n = n*10 + d
	}
	return n
}

func (f *structFormat) fill(offset int, opt byte, size int) int {
	if size == 0 || opt == 'c' {
		return 0
	}
	size = min(size, f.align)
	return (size - offset&(size-1)) & (size - 1)
}

// control is an option that says how others are read.
func (f *structFormat) control(opt byte) {
	switch opt {
	case ' ':
	case '>':
		f.big = true
	case '<':
		f.big = false
	case '!':
		n := f.number(nativeAlign)
		if n <= 0 || bits.OnesCount(uint(n)) != 1 {
			raise(f.L, "alignment %d is not a power of 2", n)
		}
		f.align = n
	default:
		argError(f.L, 1, "invalid format option '"+string([]byte{opt})+"'")
	}
}

// struct.pack(format, ...)
func (l *Libs) structPack(L *lua.LState) int {
	f := checkFormat(L)
	L.Push(lua.LNil) // one missing argument is nil, as it is for C's
	var out []byte
	arg := 2
	for {
		opt, size, fill, ok := f.next(len(out))
		if !ok {
			L.Push(lua.LString(out))
			return 1
		}
		l.room(L, len(out)+fill+size)
		l.spend(L, 1)
		out = append(out, make([]byte, fill)...)
		switch opt {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			out = f.appendInt(out, checkNumber(L, arg), size)
		case 'x':
			out = append(out, 0)
			continue
		case 'f':
			out = f.order().AppendUint32(out, math.Float32bits(float32(checkNumber(L, arg))))
		case 'd':
			out = f.order().AppendUint64(out, math.Float64bits(checkNumber(L, arg)))
		case 'c', 's':
			s := checkString(L, arg)
			if size == 0 {
				size = len(s)
			}
			if len(s) < size {
				argError(L, arg+1, "string too short")
			}
			l.room(L, len(out)+size)
			out = append(out, s[:size]...)
			if opt == 's' {
				out = append(out, 0)
			}
		default:
			f.control(opt)
			continue
		}
		arg++
	}
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

func (f *structFormat) order() byteOrder {
	if f.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func (f *structFormat) appendInt(out []byte, n float64, size int) []byte {
	u := toUint64(n)
	if n < 0 {
		u = uint64(ToInt64(n))
	}
	var low [maxStructInt]byte
	binary.LittleEndian.PutUint64(low[:], u)
	for i := range size {
		if f.big {
			i = size - 1 - i
		}
		out = append(out, low[i])
	}
	return out
}

// struct.unpack(format, data [, position]): the values, then the position behind them.
func (l *Libs) structUnpack(L *lua.LState) int {
	f := checkFormat(L)
	data := checkString(L, 2)
	start := optInteger(L, 3, 1)
	if start == 0 {
		argError(L, 3, "offset must be 1 or greater")
	}
	if f.text == "" {
		L.Push(lua.LNumber(start))
		return 1
	}
	if start < 0 || start-1 > int64(len(data)) {
		start = int64(len(data)) + 2 // too short for anything
	}
	pos, n, held := int(start-1), 0, L.GetTop()
	for {
		opt, size, fill, ok := f.next(pos)
		if !ok {
			L.Push(lua.LNumber(pos + 1))
			return n + 1
		}
		l.spend(L, 1)
		pos += fill
		if size > len(data)-pos {
			argError(L, 2, "data string too short")
		}
		if held+n+2 > maxStack {
			raise(L, "stack overflow (too many results)")
		}
		switch opt {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			L.Push(f.integer(data[pos:pos+size], isLower(opt)))
		case 'f':
			L.Push(lua.LNumber(math.Float32frombits(f.order().Uint32([]byte(data[pos : pos+4])))))
		case 'd':
			L.Push(lua.LNumber(math.Float64frombits(f.order().Uint64([]byte(data[pos : pos+8])))))
		case 'c':
			if size == 0 {
				size = f.previousSize(n, len(data)-pos)
				n--
			}
			L.Push(lua.LString(data[pos : pos+size]))
		case 's':
			end := strings.IndexByte(data[pos:], 0)
			if end < 0 {
				raise(L, "unfinished string in data")
			}
			L.Push(lua.LString(data[pos : pos+end]))
			size = end + 1
		case 'x':
			n--
		default:
			f.control(opt)
			n--
		}
		n++
		pos += size
	}
}

// previousSize takes the last result, which is the length of a c0, at most as much as is left.
func (f *structFormat) previousSize(n, left int) int {
	size, ok := asNumber(f.L.Get(-1))
	if n == 0 || !ok {
		raise(f.L, "format 'c0' needs a previous size")
	}
	f.L.Pop(1)
	if u := toUint64(size); u <= uint64(left) {
		return int(u)
	}
	argError(f.L, 2, "data string too short")
	return 0
}

// integer reads an integer of any size, of which the lowest 64 bits count.
func (f *structFormat) integer(data string, signed bool) lua.LNumber {
	var u uint64
	for i := range len(data) {
		if !f.big {
			i = len(data) - 1 - i
		}
		u = u<<8 | uint64(data[i])
	}
	if !signed {
		return lua.LNumber(u)
	}
	mask := ^uint64(0) << ((len(data)*8 - 1) & 63)
	if u&mask != 0 {
		u |= mask
	}
	return lua.LNumber(int64(u))
}

// struct.size(format)
func (l *Libs) structSize(L *lua.LState) int {
	f := checkFormat(L)
	pos := 0
	for {
		opt, size, fill, ok := f.next(pos)
		if !ok {
			L.Push(lua.LNumber(pos))
			return 1
		}
		l.spend(L, 1)
		pos += fill
		if opt == 's' {
			argError(L, 1, "option 's' has no fixed size")
		}
		if opt == 'c' && size == 0 {
			argError(L, 1, "option 'c0' has no fixed size")
		}
		if !isAlnum(opt) {
			f.control(opt)
		}
		pos += size
	}
}
