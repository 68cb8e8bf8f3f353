package lualib

import (
	"math"

	lua "github.com/yuin/gopher-lua"
)

func (l *Libs) openMath() {
	funcs := map[string]lua.LGFunction{
		"abs":        mathAbs,
		"atan2":      ofTwo(math.Atan2),
		"fmod":       ofTwo(math.Mod),
		"mod":        ofTwo(math.Mod),
		"pow":        ofTwo(math.Pow),
		"frexp":      mathFrexp,
		"ldexp":      mathLdexp,
		"max":        mathMax,
		"min":        mathMin,
		"modf":       mathModf,
		"random":     l.mathRandom,
		"randomseed": l.mathRandomseed,
	}
	for name, f := range map[string]func(float64) float64{
		"acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "ceil": math.Ceil, "cos": math.Cos,
		"cosh": math.Cosh, "exp": math.Exp, "floor": math.Floor, "log": math.Log, "log10": log10, "sin": math.Sin,
		"sinh": math.Sinh, "sqrt": math.Sqrt, "tan": math.Tan, "tanh": math.Tanh,
		"deg": func(x float64) float64 { return x / (math.Pi / 180) },
		"rad": func(x float64) float64 { return x * (math.Pi / 180) },
	} {
		funcs[name] = ofOne(f, name == "asin" || name == "acos" || name == "log10")
	}
	mod := l.module("math", funcs)
	mod.RawSetString("pi", lua.LNumber(math.Pi))
	mod.RawSetString("huge", lua.LNumber(math.Inf(1)))
}

// ofOne is a function of one number. What it has no result for is -nan, as nearly every operation on x86 makes it; plain says
// that the C library makes a nan.
func ofOne(f func(float64) float64, plain bool) lua.LGFunction {
	return func(L *lua.LState) int {
		x := checkNumber(L, 1)
		y := f(x)
		switch {
		case math.IsNaN(x):
			y = x
		case math.IsNaN(y) && plain:
			y = math.Copysign(y, 1)
		case math.IsNaN(y):
			y = math.Copysign(y, -1)
		}
		L.Push(lua.LNumber(y))
		return 1
	}
}

func ofTwo(f func(x, y float64) float64) lua.LGFunction {
	return func(L *lua.LState) int {
		x, y := checkNumber(L, 1), checkNumber(L, 2)
		L.Push(lua.LNumber(signOfNaN(f(x, y), x, y)))
		return 1
	}
}

// signOfNaN gives a result that is no number the sign that it has on x86: of the first argument that was none already.
func signOfNaN(result, x, y float64) float64 {
	switch {
	case !math.IsNaN(result):
		return result
	case math.IsNaN(x):
		return x
	case math.IsNaN(y):
		return y
	}
	return math.Copysign(result, -1)
}

// log10 is exact for powers of ten, as C's is and Go's is not.
func log10(x float64) float64 {
	f := math.Log10(x)
	if r := math.Round(f); math.Abs(r) < 400 && math.Pow10(int(r)) == x {
		return r
	}
	return f
}

func mathAbs(L *lua.LState) int {
	L.Push(lua.LNumber(math.Abs(checkNumber(L, 1))))
	return 1
}

func mathFrexp(L *lua.LState) int {
	m, e := math.Frexp(checkNumber(L, 1))
	L.Push(lua.LNumber(m))
	L.Push(lua.LNumber(e))
	return 2
}

func mathLdexp(L *lua.LState) int {
	x := checkNumber(L, 1)
	L.Push(lua.LNumber(math.Ldexp(x, checkInt(L, 2))))
	return 1
}

func mathModf(L *lua.LState) int {
	x := checkNumber(L, 1)
	whole, frac := math.Modf(x)
	if math.IsInf(x, 0) {
		frac = math.Copysign(0, x)
	}
	L.Push(lua.LNumber(whole))
	L.Push(lua.LNumber(frac))
	return 2
}

func mathMax(L *lua.LState) int {
	best := checkNumber(L, 1)
	for i := 2; i <= L.GetTop(); i++ {
		if x := checkNumber(L, i); x > best {
			best = x
		}
	}
	L.Push(lua.LNumber(best))
	return 1
}

func mathMin(L *lua.LState) int {
	best := checkNumber(L, 1)
	for i := 2; i <= L.GetTop(); i++ {
		if x := checkNumber(L, i); x < best {
			best = x
		}
	}
	L.Push(lua.LNumber(best))
	return 1
}

// math.random([m [, n]]): from Redis' own generator, which every server begins equally and every script goes on with.
func (l *Libs) mathRandom(L *lua.LState) int {
	const most = math.MaxInt32
	r := float64(l.seed.next()%most) / most
	switch L.GetTop() {
	case 0:
		L.Push(lua.LNumber(r))
	case 1:
		u := checkInt(L, 1)
		if u < 1 {
			argError(L, 1, "interval is empty")
		}
		L.Push(lua.LNumber(math.Floor(r*float64(u)) + 1))
	case 2:
		m, n := checkInt(L, 1), checkInt(L, 2)
		if m > n {
			argError(L, 2, "interval is empty")
		}
		L.Push(lua.LNumber(math.Floor(r*float64(int32(n-m+1))) + float64(m)))
	default:
		raise(L, "wrong number of arguments")
	}
	return 1
}

func (l *Libs) mathRandomseed(L *lua.LState) int {
	l.seed.set(int32(checkInt(L, 1)))
	return 0
}

// rand48 is the linear congruential generator of drand48: 48 bits, of which the upper 31 are given.
type rand48 uint64

// firstRand48 is where the generator begins without a seed.
const firstRand48 rand48 = 0x1234ABCD330E

func (r *rand48) set(seed int32) { *r = rand48(uint32(seed))<<16 | 0x330E }

func (r *rand48) next() uint32 {
	*r = (*r*0x5DEECE66D + 0xB) & (1<<48 - 1)
	return uint32(*r >> 17)
}
