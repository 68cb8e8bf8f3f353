package lualib

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// cmsgpack writes and reads MessagePack: values one after another.

func (l *Libs) openMsgpack() {
	mod := l.module("cmsgpack", map[string]lua.LGFunction{
		"pack":         l.msgpackPack,
		"unpack":       l.msgpackUnpack,
		"unpack_one":   l.msgpackUnpackOne,
		"unpack_limit": l.msgpackUnpackLimit,
	})
	mod.RawSetString("_NAME", lua.LString("cmsgpack"))
	mod.RawSetString("_VERSION", lua.LString("lua-cmsgpack 0.4.0"))
	mod.RawSetString("_DESCRIPTION", lua.LString("MessagePack C implementation for Lua"))
	mod.RawSetString("_COPYRIGHT", lua.LString("Copyright (C) 2012, Salvatore Sanfilippo"))
}

const maxPackDepth = 16 // tables within tables; a deeper one is packed as nil

// cmsgpack.pack(v, ...)
func (l *Libs) msgpackPack(L *lua.LState) int {
	if L.GetTop() == 0 {
		argError(L, 0, "MessagePack pack needs input.")
	}
	p := packer{l: l, L: L}
	for i := 1; i <= L.GetTop(); i++ {
		p.value(L.Get(i), 0)
	}
	L.Push(lua.LString(p.out))
	return 1
}

type packer struct {
	l   *Libs
	L   *lua.LState
	out []byte
}

func (p *packer) value(v lua.LValue, depth int) {
	p.l.spend(p.L, 1)
	switch v := v.(type) {
	case lua.LString:
		p.text(string(v))
	case lua.LNumber:
		p.number(float64(v))
	case lua.LBool:
		if v {
			p.out = append(p.out, 0xc3)
		} else {
			p.out = append(p.out, 0xc2)
		}
	case *lua.LTable:
		if depth < maxPackDepth {
			p.table(v, depth)
			return
		}
		p.out = append(p.out, 0xc0)
	default:
		p.out = append(p.out, 0xc0)
	}
}

func (p *packer) text(s string) {
	p.l.room(p.L, len(p.out)+len(s)+5)
	switch n := len(s); {
	case n < 32:
		p.out = append(p.out, 0xa0|byte(n))
	case n <= 0xff:
		p.out = append(p.out, 0xd9, byte(n))
	case n <= 0xffff:
		p.out = binary.BigEndian.AppendUint16(append(p.out, 0xda), uint16(n))
	default:
		p.out = binary.BigEndian.AppendUint32(append(p.out, 0xdb), uint32(n))
	}
	p.out = append(p.out, s...)
}

func (p *packer) number(f float64) {
	p.l.room(p.L, len(p.out)+9)
	switch i := ToInt64(f); {
	case float64(i) == f:
		p.integer(i)
	case float64(float32(f)) == f:
		p.out = binary.BigEndian.AppendUint32(append(p.out, 0xca), math.Float32bits(float32(f)))
	default:
		p.out = binary.BigEndian.AppendUint64(append(p.out, 0xcb), math.Float64bits(f))
	}
}

func (p *packer) integer(i int64) {
	order := binary.BigEndian
	switch {
	case i >= 0 && i <= 0x7f, i < 0 && i >= -32:
		p.out = append(p.out, byte(i))
	case i >= 0 && i <= 0xff:
		p.out = append(p.out, 0xcc, byte(i))
	case i >= 0 && i <= 0xffff:
		p.out = order.AppendUint16(append(p.out, 0xcd), uint16(i))
	case i >= 0 && i <= 0xffffffff:
		p.out = order.AppendUint32(append(p.out, 0xce), uint32(i))
	case i >= 0:
		p.out = order.AppendUint64(append(p.out, 0xcf), uint64(i))
	case i >= math.MinInt8:
		p.out = append(p.out, 0xd0, byte(i))
	case i >= math.MinInt16:
		p.out = order.AppendUint16(append(p.out, 0xd1), uint16(i))
	case i >= math.MinInt32:
		p.out = order.AppendUint32(append(p.out, 0xd2), uint32(i))
	default:
		p.out = order.AppendUint64(append(p.out, 0xd3), uint64(i))
	}
}

func (p *packer) table(t *lua.LTable, depth int) {
	n, isArray := p.shape(t)
	p.l.room(p.L, len(p.out)+5)
	if isArray {
		p.header(n, 0x90, 0xdc)
		for i := 1; i <= n; i++ {
			p.value(rawIndex(t, i), depth+1)
		}
		return
	}
	p.header(n, 0x80, 0xde)
	for k, v := t.Next(lua.LNil); k != lua.LNil; k, v = t.Next(k) {
		p.value(k, depth+1)
		p.value(v, depth+1)
	}
}

// header is a length, in the byte of a short one or behind the byte of a longer one.
func (p *packer) header(n int, short, long byte) {
	switch {
	case n <= 15:
		p.out = append(p.out, short|byte(n))
	case n <= 0xffff:
		p.out = binary.BigEndian.AppendUint16(append(p.out, long), uint16(n))
	default:
		p.out = binary.BigEndian.AppendUint32(append(p.out, long+1), uint32(n))
	}
}

// shape counts a table's pairs and says whether their keys are 1, 2, … without a hole. An empty table is an array.
func (p *packer) shape(t *lua.LTable) (n int, isArray bool) {
	most, isArray := 0.0, true
	for k, _ := t.Next(lua.LNil); k != lua.LNil; k, _ = t.Next(k) {
		p.l.spend(p.L, 1)
		n++
		f, ok := k.(lua.LNumber)
		if !ok || f <= 0 || float64(f) != math.Floor(float64(f)) {
			isArray = false
		}
		most = max(most, float64(f))
	}
	return n, isArray && most == float64(n)
}

// cmsgpack.unpack(s): all values.
func (l *Libs) msgpackUnpack(L *lua.LState) int {
	return l.unpackFrom(L, 0, 0)
}

// cmsgpack.unpack_one(s [, offset]): where the next value begins, or -1 at the end, and a value.
func (l *Libs) msgpackUnpackOne(L *lua.LState) int {
	offset := optInteger(L, 2, 0)
	L.SetTop(1)
	return l.unpackFrom(L, 1, offset)
}

// cmsgpack.unpack_limit(s, limit [, offset])
func (l *Libs) msgpackUnpackLimit(L *lua.LState) int {
	limit, offset := checkInteger(L, 2), optInteger(L, 3, 0)
	L.SetTop(1)
	return l.unpackFrom(L, limit, offset)
}

func (l *Libs) unpackFrom(L *lua.LState, limit, offset int64) int {
	all := limit == 0 && offset == 0
	s := checkString(L, 1)
	if offset < 0 || limit < 0 {
		raise(L, "Invalid request to unpack with offset of %d and limit of %d.", int32(offset), len(s))
	}
	if offset > int64(len(s)) {
		raise(L, "Start offset %d greater than input length %d.", int32(offset), len(s))
	}
	if all {
		limit = math.MaxInt32
	}
	u := unpacker{l: l, L: L, data: s[offset:], held: L.GetTop()}
	var values []lua.LValue
	for len(u.data) > 0 && int64(len(values)) < limit {
		values = append(values, u.value())
		u.held++
	}
	n := len(values)
	if !all {
		next := len(s) - len(u.data)
		if len(u.data) == 0 {
			next = -1
		}
		L.Push(lua.LNumber(next))
		n++
	}
	for _, v := range values {
		L.Push(v)
	}
	return n
}

type unpacker struct {
	l    *Libs
	L    *lua.LState
	data string // what is left
	held int    // values on Lua's stack, if it were C
}

// hold refuses n more values than C's stack would take: that bounds depth and results.
func (u *unpacker) hold(n int, what string) {
	if u.held+n > maxStack {
		raise(u.L, "stack overflow (%s)", what)
	}
}

// take is the next n bytes, which must be there: no length is believed before.
func (u *unpacker) take(n int) string {
	if n > len(u.data) {
		raise(u.L, "Missing bytes in input.")
	}
	s := u.data[:n]
	u.data = u.data[n:]
	return s
}

// number is an unsigned integer of n bytes.
func (u *unpacker) number(n int) uint64 {
	var v uint64
	for _, c := range []byte(u.take(n)) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (u *unpacker) value() lua.LValue {
	u.l.spend(u.L, 1)
	u.hold(1, "too many return values at once; use unpack_one or unpack_limit instead.")
	c := u.take(1)[0]
	switch {
	case c <= 0x7f, c >= 0xe0:
		return lua.LNumber(int8(c))
	case c <= 0x8f:
		return u.table(int(c & 15))
	case c <= 0x9f:
		return u.array(int(c & 15))
	case c <= 0xbf:
		return lua.LString(u.take(int(c & 31)))
	}
	return u.long(c)
}

// long is a value whose first byte is only its type.
func (u *unpacker) long(c byte) lua.LValue {
	switch c {
	case 0xc0:
		return lua.LNil
	case 0xc2, 0xc3:
		return lua.LBool(c == 0xc3)
	case 0xd9:
		return lua.LString(u.take(int(u.number(1))))
	case 0xda:
		return lua.LString(u.take(int(u.number(2))))
	case 0xdb:
		return lua.LString(u.take(int(u.number(4))))
	case 0xca:
		return lua.LNumber(math.Float32frombits(uint32(u.number(4))))
	case 0xcb:
		return lua.LNumber(math.Float64frombits(u.number(8)))
	case 0xcc, 0xcd, 0xce:
		return lua.LNumber(u.number(1 << (c - 0xcc)))
	case 0xcf: // Redis takes it for signed
		return lua.LNumber(int64(u.number(8)))
	case 0xd0:
		return lua.LNumber(int8(u.number(1)))
	case 0xd1:
		return lua.LNumber(int16(u.number(2)))
	case 0xd2:
		return lua.LNumber(int32(u.number(4)))
	case 0xd3:
		return lua.LNumber(int64(u.number(8)))
	case 0xdc, 0xdd:
		return u.array(int(u.number(2 << (c - 0xdc))))
	case 0xde, 0xdf:
		return u.table(int(u.number(2 << (c - 0xde))))
	}
	raise(u.L, "Bad data format in input.")
	return lua.LNil
}

func (u *unpacker) array(n int) lua.LValue {
	u.hold(2, "in function mp_decode_to_lua_array")
	t := u.L.NewTable()
	u.held += 2 // the table and an index
	for i := 1; i <= n; i++ {
		if v := u.value(); v != lua.LNil {
			t.RawSetInt(i, v)
		}
	}
	u.held -= 2
	return t
}

func (u *unpacker) table(n int) lua.LValue {
	t := u.L.NewTable()
	u.held++
	for range n {
		key := u.value()
		u.held++
		v := u.value()
		u.held--
		u.put(t, key, v)
	}
	u.held--
	return t
}

// put is t[key] = v, which refuses what cannot be a key.
func (u *unpacker) put(t *lua.LTable, key, v lua.LValue) {
	if key == lua.LNil {
		raisePlain(u.L, "table index is nil")
	}
	f, ok := key.(lua.LNumber)
	switch {
	case !ok:
		t.RawSet(key, v)
	case math.IsNaN(float64(f)):
		raisePlain(u.L, "table index is NaN")
	case f > 0 && f < lua.LNumber(lua.MaxArrayIndex):
		u.l.set(u.L, t, f, v)
	default:
		t.RawSet(f, v)
	}
}
