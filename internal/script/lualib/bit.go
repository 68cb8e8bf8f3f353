package lualib

import (
	"math"
	"math/bits"

	lua "github.com/yuin/gopher-lua"
)

// bit is Lua BitOp: numbers wrap to 32 bits, results are signed.

func (l *Libs) openBit() {
	l.module("bit", map[string]lua.LGFunction{
		"tobit":   func(L *lua.LState) int { return pushBits(L, checkBits(L, 1)) },
		"bnot":    func(L *lua.LState) int { return pushBits(L, ^checkBits(L, 1)) },
		"bswap":   func(L *lua.LState) int { return pushBits(L, bits.ReverseBytes32(checkBits(L, 1))) },
		"band":    bitFold(func(a, b uint32) uint32 { return a & b }),
		"bor":     bitFold(func(a, b uint32) uint32 { return a | b }),
		"bxor":    bitFold(func(a, b uint32) uint32 { return a ^ b }),
		"lshift":  bitShift(func(x uint32, n int) uint32 { return x << n }),
		"rshift":  bitShift(func(x uint32, n int) uint32 { return x >> n }),
		"arshift": bitShift(func(x uint32, n int) uint32 { return uint32(int32(x) >> n) }),
		"rol":     bitShift(bits.RotateLeft32),
		"ror":     bitShift(func(x uint32, n int) uint32 { return bits.RotateLeft32(x, -n) }),
		"tohex":   bitToHex,
	})
}

// checkBits rounds an argument to an integer and takes its lower 32 bits, by adding the number that moves them to the end of
// the mantissa. Beyond 2^51 the result is as undefined as BitOp's, and equal to it.
func checkBits(L *lua.LState, n int) uint32 {
	return uint32(math.Float64bits(checkNumber(L, n) + (1<<52 + 1<<51)))
}

func pushBits(L *lua.LState, b uint32) int {
	L.Push(lua.LNumber(int32(b)))
	return 1
}

func bitFold(f func(a, b uint32) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		b := checkBits(L, 1)
		for i := 2; i <= L.GetTop(); i++ {
			b = f(b, checkBits(L, i))
		}
		return pushBits(L, b)
	}
}

func bitShift(f func(x uint32, n int) uint32) lua.LGFunction {
	return func(L *lua.LState) int {
		x := checkBits(L, 1)
		return pushBits(L, f(x, int(checkBits(L, 2)&31)))
	}
}

// bit.tohex(x [, n]): n digits, capitals when n is negative.
func bitToHex(L *lua.LState) int {
	x := checkBits(L, 1)
	n, digits := 8, "0123456789abcdef"
	if !isNone(L, 2) {
		n = int(int32(checkBits(L, 2)))
	}
	if n < 0 {
		n, digits = -n, "0123456789ABCDEF"
	}
	n = min(n, 8)
	out := make([]byte, n)
	for i := n - 1; i >= 0; i-- {
		out[i] = digits[x&15]
		x >>= 4
	}
	L.Push(lua.LString(out))
	return 1
}
