// Package lualib knows the libraries that scripts have in Redis: the base functions, string, table, math, os.clock, bit,
// cjson, cmsgpack and struct, for gopher-lua, with Redis' results and error texts. It knows neither keys nor commands.
//
// gopher-lua's own libraries are replaced because they differ from Lua 5.1 in what scripts can see (numbers as text, error
// texts, the order that table.sort leaves) and because nothing bounds them: one call of string.rep or string.find could take
// the machine. Ours ask Limits.Interrupted while they work and refuse results that are too long.
//
// A state for scripts is made once and used again:
//
//	L := lua.NewState(lualib.Options())
//	libs := lualib.Open(L, lualib.Limits{Interrupted: stopped})
//	proto, err := lualib.Compile(source, "@user_script") // once a script; any state can use the proto
//	fn := libs.Function(proto)                         // once a script and state
//	libs.Reset()                                       // before each run
//	err = L.CallByParam(lua.P{Fn: fn, NRet: 1, Protect: true})
//
// Source is compiled by Compile, since gopher-lua's own compiler reads 010 as eight and its .. operator writes 0.1+0.2 with
// seventeen digits and joins strings to any length.
package lualib

import lua "github.com/yuin/gopher-lua"

// Limits bound what library functions do between two instructions of a script. The zero value has Redis' bounds of depth
// and the default of length, and never interrupts.
type Limits struct {
	// Bytes is the greatest length of a string that one call or one .. may make; DefaultBytes when zero.
	Bytes int
	// Steps is how much work library functions may do in one run, in steps of a pattern or some 64 bytes copied. Zero is no bound.
	Steps int64
	// Interrupted is asked every few thousand steps, within long calls too. Its error ends the call with that text. As a script
	// may catch it, whoever interrupts also ends the script's own instructions, with the state's context.
	Interrupted func() error
	// Clock is what os.clock returns, in seconds. Without one there is no os.
	Clock func() float64
}

// DefaultBytes is the greatest length of a string that a script makes: Redis' bound of a value.
const DefaultBytes = 512 << 20

const (
	pollEvery = 4096 // steps between two questions to Limits.Interrupted
	maxStack  = 8000 // values that a C function of Lua 5.1 may hold: Redis' bound of results and of depth
)

// Libs are the libraries of one state.
type Libs struct {
	L *lua.LState
	// Null is cjson.null: what JSON's null is decoded to. A script that returns it returns null.
	Null *lua.LUserData

	limits Limits
	steps  int64 // in this run
	asked  int64 // steps at the last question
	seed   rand48
	json   *jsonConfig
	concat *lua.LFunction
}

// Options are those of a state for scripts: no libraries, Lua 5.1's bounds of calls, room for the longest list of results.
func Options() lua.Options {
	return lua.Options{
		SkipOpenLibs:        true,
		CallStackSize:       20000,
		MinimizeStackMemory: true,
		RegistrySize:        1024,
		RegistryMaxSize:     1 << 20,
		RegistryGrowStep:    1024,
	}
}

// Open puts the libraries into a state's globals. Functions that reach files, the Go runtime or gopher-lua itself are not
// there; those that Redis' scripts have are, except redis itself.
func Open(L *lua.LState, limits Limits) *Libs {
	if limits.Bytes <= 0 {
		limits.Bytes = DefaultBytes
	}
	l := &Libs{L: L, Null: L.NewUserData(), limits: limits, seed: firstRand48}
	l.openBase()
	l.openString()
	l.openTable()
	l.openMath()
	l.openBit()
	l.openStruct()
	l.openMsgpack()
	l.openJSON()
	if limits.Clock != nil {
		l.module("os", map[string]lua.LGFunction{"clock": l.osClock})
	}
	l.concat = L.NewFunction(l.concatValues)
	l.Reset()
	return l
}

// Reset prepares the next run: cjson has its defaults, so that one script's settings are not the next one's, and the work done
// so far is forgotten. math.random goes on, as in Redis since version 7.
func (l *Libs) Reset() {
	*l.json = defaultJSON
	l.steps, l.asked = 0, 0
}

// module makes a table of functions and sets it as a global.
func (l *Libs) module(name string, funcs map[string]lua.LGFunction) *lua.LTable {
	mod := l.functions(funcs)
	l.L.SetGlobal(name, mod)
	return mod
}

func (l *Libs) functions(funcs map[string]lua.LGFunction) *lua.LTable {
	t := l.L.NewTable()
	for name, fn := range funcs {
		t.RawSetString(name, l.L.NewFunction(fn))
	}
	return t
}

// spend counts work and asks now and then whether to go on.
func (l *Libs) spend(L *lua.LState, steps int) {
	l.steps += int64(steps)
	if l.steps-l.asked >= pollEvery {
		l.ask(L)
	}
}

func (l *Libs) ask(L *lua.LState) {
	l.asked = l.steps
	if l.limits.Steps > 0 && l.steps > l.limits.Steps {
		raisePlain(L, "script works too long in library functions")
	}
	if l.limits.Interrupted != nil {
		if err := l.limits.Interrupted(); err != nil {
			raisePlain(L, err.Error())
		}
	}
}

// room refuses a string of n bytes that would be too long, and counts the work of making it.
func (l *Libs) room(L *lua.LState, n int) {
	if n > l.limits.Bytes || n < 0 {
		raise(L, "resulting string too large")
	}
	l.spend(L, n/64)
}

// os.clock(): seconds of processor time.
func (l *Libs) osClock(L *lua.LState) int {
	L.Push(lua.LNumber(l.limits.Clock()))
	return 1
}
