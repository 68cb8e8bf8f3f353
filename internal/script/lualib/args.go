package lualib

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"
)

// Arguments and errors as Lua 5.1's auxiliary library has them: the function is called by the name it was called by, and the
// text begins with the caller's line.

// raise ends the running function with an error at its caller's line.
func raise(L *lua.LState, format string, args ...any) {
	raisePlain(L, where(L, 1)+fmt.Sprintf(format, args...))
}

// raisePlain ends the running function with an error that tells no line, as the interpreter's own errors in C do.
func raisePlain(L *lua.LState, text string) {
	L.Error(lua.LString(text), 0)
}

// where is "user_script:12: ", or nothing when that level is no Lua code.
func where(L *lua.LState, level int) string {
	dbg, ok := L.GetStack(level)
	if !ok {
		return ""
	}
	if _, err := L.GetInfo("Sl", dbg, lua.LNil); err != nil || dbg.CurrentLine <= 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", dbg.Source, dbg.CurrentLine)
}

// argError says that argument n, counted from 1, is wrong.
func argError(L *lua.LState, n int, text string) {
	name, method := calledAs(L)
	if method {
		if n--; n == 0 {
			raise(L, "calling '%s' on bad self (%s)", name, text)
		}
	}
	raise(L, "bad argument #%d to '%s' (%s)", n, name, text)
}

// calledAs is the name in the running function's call, and whether it is a call of a method. Without a name in the source,
// as when pcall calls, it is "?".
func calledAs(L *lua.LState) (name string, method bool) {
	dbg, ok := L.GetStack(0)
	if !ok {
		return "?", false
	}
	if _, err := L.GetInfo("n", dbg, lua.LNil); err != nil || dbg.Name == "" || dbg.Name[0] == '(' || dbg.Name[0] == '<' {
		return "?", false
	}
	return dbg.Name, isMethodCall(L, dbg.Name)
}

// isMethodCall looks at the calls of that name on the caller's line. gopher-lua does not tell which of them is running; a line
// with both a:f() and b.f() counts as having no method.
func isMethodCall(L *lua.LState, name string) bool {
	caller, ok := L.GetStack(1)
	if !ok {
		return false
	}
	v, err := L.GetInfo("fl", caller, lua.LNil)
	fn, isFn := v.(*lua.LFunction)
	if err != nil || !isFn || fn.Proto == nil {
		return false
	}
	found := false
	for _, call := range fn.Proto.DbgCalls {
		if call.Name != name || call.Pc >= len(fn.Proto.Code) || fn.Proto.DbgSourcePositions[call.Pc] != caller.CurrentLine {
			continue
		}
		if !selfBefore(fn.Proto.Code, call.Pc) {
			return false
		}
		found = true
	}
	return found
}

// selfBefore says whether the function of the call at pc was found by OP_SELF: by a method's name.
func selfBefore(code []uint32, pc int) bool {
	register := func(inst uint32) uint32 { return inst >> 18 & 0xff }
	for i := pc - 1; i >= 0; i-- {
		if register(code[i]) == register(code[pc]) {
			switch code[i] >> 26 {
			case uint32(lua.OP_SELF):
				return true
			case uint32(lua.OP_GETTABLE), uint32(lua.OP_GETTABLEKS), uint32(lua.OP_GETGLOBAL), uint32(lua.OP_GETUPVAL), uint32(lua.OP_MOVE):
				return false
			}
		}
	}
	return false
}

// typeName is a value's type, as errors name it.
func typeName(v lua.LValue) string { return v.Type().String() }

func typeError(L *lua.LState, n int, want string) {
	got := "no value"
	if n <= L.GetTop() {
		got = typeName(L.Get(n))
	}
	argError(L, n, want+" expected, got "+got)
}

// checkAny refuses a missing argument; nil is one.
func checkAny(L *lua.LState, n int) lua.LValue {
	if n > L.GetTop() {
		argError(L, n, "value expected")
	}
	return L.Get(n)
}

func isNone(L *lua.LState, n int) bool { return L.Get(n) == lua.LNil }

// asString is the text of a string or a number.
func asString(v lua.LValue) (string, bool) {
	switch v := v.(type) {
	case lua.LString:
		return string(v), true
	case lua.LNumber:
		return FormatNumber(float64(v)), true
	}
	return "", false
}

// asNumber is the number of a number or of a string that is one.
func asNumber(v lua.LValue) (float64, bool) {
	switch v := v.(type) {
	case lua.LNumber:
		return float64(v), true
	case lua.LString:
		return ParseNumber(string(v))
	}
	return 0, false
}

func checkString(L *lua.LState, n int) string {
	s, ok := asString(L.Get(n))
	if !ok {
		typeError(L, n, "string")
	}
	return s
}

func optString(L *lua.LState, n int, otherwise string) string {
	if isNone(L, n) {
		return otherwise
	}
	return checkString(L, n)
}

func checkNumber(L *lua.LState, n int) float64 {
	f, ok := asNumber(L.Get(n))
	if !ok {
		typeError(L, n, "number")
	}
	return f
}

func checkInteger(L *lua.LState, n int) int64 { return ToInt64(checkNumber(L, n)) }

// checkInt is a C int: the lower half of the number.
func checkInt(L *lua.LState, n int) int { return int(int32(checkInteger(L, n))) }

func optInteger(L *lua.LState, n int, otherwise int64) int64 {
	if isNone(L, n) {
		return otherwise
	}
	return checkInteger(L, n)
}

func optInt(L *lua.LState, n, otherwise int) int {
	if isNone(L, n) {
		return otherwise
	}
	return checkInt(L, n)
}

func checkTable(L *lua.LState, n int) *lua.LTable {
	t, ok := L.Get(n).(*lua.LTable)
	if !ok {
		typeError(L, n, "table")
	}
	return t
}

func checkFunction(L *lua.LState, n int) *lua.LFunction {
	f, ok := L.Get(n).(*lua.LFunction)
	if !ok {
		typeError(L, n, "function")
	}
	return f
}
