package lualib

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
)

// TestTooLong: no call makes a string that is longer than the limit, whatever a script tries.
func TestTooLong(t *testing.T) {
	l := bare(t, Limits{Bytes: 1 << 20})
	for _, expr := range []string{
		"string.rep('x', 1e9)",
		"string.rep('x', 2^31 - 1)",
		"string.rep(string.rep('x', 1e6), 1e6)",
		"local s = 'x' for i = 1, 40 do s = s .. s end return #s",
		"local s = 'x' for i = 1, 40 do s = s .. 1 .. s end return #s",
		"local t = setmetatable({}, {__concat = function(a, b) return type(a) == 'table' and b or a end}) local s = 'x' for i = 1, 40 do s = t .. s .. s end return #s",
		"local t = {} for i = 1, 1000 do t[i] = string.rep('x', 1e4) end return #table.concat(t)",
		"table.concat({1, 2, 3}, string.rep('x', 1e6))",
		"local s = string.rep('x', 1e4) return #string.gsub(s, 'x', s)",
		"local s = string.rep('x', 1e4) return #string.gsub(s, 'x', function() return s end)",
		"local s = string.rep('x', 1e4) return #string.gsub(s, 'x', {x = s})",
		"local s = string.rep('x', 1e4) return #string.gsub(s, '.*', string.rep('%0', 1000))",
		"local s = string.rep('x', 1e4) return #string.format(string.rep('%s', 200), unpack({s, s, s, s, s, s, s, s, s, s}), s)",
		"local s = string.rep('x', 6e5) return #string.format('%s%s', s, s)",
		"local t = {'x'} for i = 1, 40 do t = {t, t} end return #cjson.encode(t)",
		"local t = {'x'} for i = 1, 14 do t = {t, t, t, t} end return #cmsgpack.pack(t)",
		"local s = string.rep('x', 6e5) return #cmsgpack.pack(s, s)",
		"local s = string.rep('x', 6e5) return #cjson.encode({s, s})",
		"local s = string.rep('x', 6e5) return #struct.pack('ss', s, s)",
		"local t = {} table.insert(t, 6e7, 1) return #t",
		"cmsgpack.unpack('\\129\\206\\3\\0\\0\\0\\1')",
		"load(function() return string.rep('x', 1e6) end)",
	} {
		require.Regexp(t, `resulting string too large|no value`, show(t, l, expr), expr)
	}
	require.Equal(t, "true 1048576", show(t, l, "#string.rep('x', 2^20)"))
}

// TestStops: calls that would go on for ages ask whether to stop.
func TestStops(t *testing.T) {
	for _, expr := range []string{
		"string.find(string.rep('a', 1e5), string.rep('a*', 30) .. 'b')",
		"string.match(string.rep('a', 1e5), '.-.-.-.-b')",
		"string.gsub(string.rep('a', 1e6), 'a*b', '')",
		"string.gmatch(string.rep('a', 1e6), 'a-a-a-a-b')()",
		"string.find(string.rep('(', 1e6), string.rep('%b()', 3))",
		"string.find('x', '[' .. string.rep('%a', 1e6))",
		"local s = string.rep('x', 1e6) return string.find(s, '(.*)%1%1%1$')",
		"local s = string.rep('x', 1e5) .. 'y' return string.find(s .. s, '(x*)y%1y')",
		"table.insert({}, -2147483648, 1)",
		"local t = {} for i = 1, 1e4 do t[i] = -i end for i = 1, 1e4 do table.sort(t, function(a, b) return a < b end) end",
		"local t = {} for i = 1, 1e3 do t[i] = {i} end while true do cjson.encode(t) end",
		"local t = {} for i = 1, 1e3 do t[i] = {i} end while true do cmsgpack.pack(t) end",
		"local s = string.rep('x', 1e5) while true do s:upper() end",
		"local s = string.rep('[1],', 1e4) while true do cjson.decode('[' .. s .. '1]') end",
		"local s = string.rep('\\145', 1e3) .. '\\1' while true do cmsgpack.unpack(s) end",
		"local s = string.rep('b', 1e3) while true do struct.unpack(s, s) end",
	} {
		asked := 0
		l := bare(t, Limits{Interrupted: func() error {
			if asked++; asked > 3 {
				return errors.New("stopped")
			}
			return nil
		}})
		require.Equal(t, "false 'stopped'", show(t, l, expr), expr)
		require.Equal(t, 4, asked, expr)
		require.Equal(t, "false 'script works too long in library functions'", show(t, bare(t, Limits{Steps: 1e4}), expr), expr)
	}
}

// TestDepth: nothing recurses without bound.
func TestDepth(t *testing.T) {
	l := bare(t, Limits{})
	require.Equal(t, "false 'user_script:1: pattern too complex'", show(t, l, "string.find(string.rep('a', 50000), string.rep('a?', 50000))"))
	for _, source := range []string{
		"return " + strings.Repeat("{", 1e5) + strings.Repeat("}", 1e5),
		"return " + strings.Repeat("not ", 1e5) + "1",
		"return " + strings.Repeat("- ", 1e5) + "1",
		"return " + strings.Repeat("1 ^ ", 1e5) + "1",
		"return " + strings.Repeat("1 + ", 1e5) + "1",
		"return " + strings.Repeat("f(", 1e5) + strings.Repeat(")", 1e5),
		"return " + strings.Repeat("function() return ", 1e5) + strings.Repeat("end ", 1e5),
		strings.Repeat("do ", 1e5) + strings.Repeat("end ", 1e5),
		strings.Repeat("if x then ", 1e5) + strings.Repeat("end ", 1e5),
		"return x" + strings.Repeat(".x", 1e5),
		"return x" + strings.Repeat("()", 1e5),
		strings.Repeat("(", 1e6),
		strings.Repeat("x", maxSource+1),
	} {
		_, err := Compile(source, "@user_script")
		require.Error(t, err, "%.40s", source)
	}
	require.Equal(t, strings.Repeat("1", 50), run(l, "return 1"+strings.Repeat(" .. 1", 49)))
	require.Contains(t, run(l, "return 1"+strings.Repeat(" .. 1", 199)), "register overflow") // of gopher-lua's compiler
	require.Equal(t, "ERR user_script: bad binary chunk", run(l, "\x1bLua"))
}

// TestSettingsEnd: what a script sets ends with its run.
func TestSettingsEnd(t *testing.T) {
	l := bare(t, Limits{})
	first := show(t, l, "cjson.encode({1/3}), cjson.encode_max_depth(), cjson.decode_invalid_numbers(), cjson.encode_sparse_array()")
	show(t, l, "cjson.encode_number_precision(3), cjson.encode_max_depth(2), cjson.decode_invalid_numbers(false), cjson.encode_sparse_array(true, 9, 9)")
	require.Equal(t, first, show(t, l, "cjson.encode({1/3}), cjson.encode_max_depth(), cjson.decode_invalid_numbers(), cjson.encode_sparse_array()"))
}

// TestClock: os has a clock and nothing else, when there is one.
func TestClock(t *testing.T) {
	l := bare(t, Limits{Clock: func() float64 { return 1.5 }})
	require.Equal(t, "true 1.5 'clock' nil", show(t, l, "os.clock(), (next(os)), next(os, 'clock')"))
	require.Equal(t, "true nil", show(t, bare(t, Limits{}), "os"))
}

// TestGlobals: nothing of gopher-lua's own is left that Redis' scripts don't have.
func TestGlobals(t *testing.T) {
	l := bare(t, Limits{})
	require.Equal(t, "_G _VERSION assert bit cjson cmsgpack collectgarbage coroutine error gcinfo getmetatable ipairs load loadstring math next pairs pcall"+
		" rawequal rawget rawset select setmetatable string struct table tonumber tostring type unpack xpcall",
		run(l, "local t = {} for k in pairs(_G) do t[#t+1] = k end table.sort(t) return table.concat(t, ' ')"))
}

// TestFirstRandom: without a seed, every server's scripts get the same numbers, one script after another.
func TestFirstRandom(t *testing.T) {
	l, real := bare(t, Limits{}), realredis.Start(t)
	for range 5 {
		expr := "math.random(), math.random(1000)"
		require.Equal(t, real.Text(t, "EVAL", script(expr), "0"), show(t, l, expr))
	}
}
