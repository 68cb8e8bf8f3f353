package lualib

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// jsonConfig is what a cjson module's functions set.
type jsonConfig struct {
	sparseConvert    bool // sparse arrays become objects rather than errors
	sparseRatio      int
	sparseSafe       int
	encodeMaxDepth   int
	decodeMaxDepth   int
	encodeInvalid    int // of invalidOff, invalidOn, invalidNull
	decodeInvalid    bool
	encodeKeepBuffer bool
	encodePrecision  int
}

// What to do with numbers that JSON cannot write.
const (
	invalidOff = iota
	invalidOn
	invalidNull
)

var defaultJSON = jsonConfig{
	sparseRatio: 2, sparseSafe: 10, encodeMaxDepth: 1000, decodeMaxDepth: 1000,
	decodeInvalid: true, encodeKeepBuffer: true, encodePrecision: 14,
}

// json is a cjson module: cjson itself, or what cjson.new returned.
type json struct {
	l   *Libs
	cfg *jsonConfig
}

func (l *Libs) openJSON() {
	l.json = &jsonConfig{}
	*l.json = defaultJSON
	l.L.SetGlobal("cjson", l.newJSON(l.json))
}

func (l *Libs) newJSON(cfg *jsonConfig) *lua.LTable {
	j := &json{l: l, cfg: cfg}
	mod := l.functions(map[string]lua.LGFunction{
		"encode":                  j.encode,
		"decode":                  j.decode,
		"encode_sparse_array":     j.setSparse,
		"encode_max_depth":        j.setInt(&cfg.encodeMaxDepth, 1, math.MaxInt32),
		"decode_max_depth":        j.setInt(&cfg.decodeMaxDepth, 1, math.MaxInt32),
		"encode_number_precision": j.setInt(&cfg.encodePrecision, 1, 14),
		"encode_keep_buffer":      j.setBool(&cfg.encodeKeepBuffer),
		"encode_invalid_numbers":  j.setEncodeInvalid,
		"decode_invalid_numbers":  j.setBool(&cfg.decodeInvalid),
		"new":                     j.new,
	})
	mod.RawSetString("null", l.Null)
	mod.RawSetString("_NAME", lua.LString("cjson"))
	mod.RawSetString("_VERSION", lua.LString("2.1.0"))
	return mod
}

// cjson.new(): a module with settings of its own, which begin as the defaults.
func (j *json) new(L *lua.LState) int {
	cfg := defaultJSON
	L.Push(j.l.newJSON(&cfg))
	return 1
}

// atMost refuses more than n arguments and fills up missing ones.
func atMost(L *lua.LState, n int) {
	if L.GetTop() > n {
		argError(L, n+1, "found too many arguments")
	}
	L.SetTop(n)
}

// intOption sets an option when the argument is there, and pushes its value.
func intOption(L *lua.LState, arg int, option *int, low, high int) {
	if !isNone(L, arg) {
		n := checkInt(L, arg)
		if n < low || n > high {
			argError(L, 1, fmt.Sprintf("expected integer between %d and %d", low, high))
		}
		*option = n
	}
	L.Push(lua.LNumber(*option))
}

// enumOption sets an option, by its place among the names, when the argument is there; true and false are the names at 1 and 0.
func enumOption(L *lua.LState, arg int, option *int, names ...string) {
	switch v := L.Get(arg).(type) {
	case *lua.LNilType:
	case lua.LBool:
		*option = 0
		if v {
			*option = 1
		}
	default:
		*option = checkOption(L, arg, names)
	}
	if *option <= 1 {
		L.Push(lua.LBool(*option == 1))
	} else {
		L.Push(lua.LString(names[*option]))
	}
}

func checkOption(L *lua.LState, arg int, names []string) int {
	s := checkString(L, arg)
	for i, name := range names {
		if s == name {
			return i
		}
	}
	argError(L, arg, "invalid option '"+untilZero(s)+"'")
	return 0
}

func boolOption(L *lua.LState, arg int, option *bool) {
	n := 0
	if *option {
		n = 1
	}
	enumOption(L, arg, &n, "off", "on")
	*option = n == 1
}

func (j *json) setInt(option *int, low, high int) lua.LGFunction {
	return func(L *lua.LState) int {
		atMost(L, 1)
		intOption(L, 1, option, low, high)
		return 1
	}
}

func (j *json) setBool(option *bool) lua.LGFunction {
	return func(L *lua.LState) int {
		atMost(L, 1)
		boolOption(L, 1, option)
		return 1
	}
}

// cjson.encode_sparse_array([convert [, ratio [, safe]]])
func (j *json) setSparse(L *lua.LState) int {
	atMost(L, 3)
	boolOption(L, 1, &j.cfg.sparseConvert)
	intOption(L, 2, &j.cfg.sparseRatio, 0, math.MaxInt32)
	intOption(L, 3, &j.cfg.sparseSafe, 0, math.MaxInt32)
	return 3
}

func (j *json) setEncodeInvalid(L *lua.LState) int {
	atMost(L, 1)
	enumOption(L, 1, &j.cfg.encodeInvalid, "off", "on", "null")
	return 1
}
