package lualib

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
)

// showScript runs a body in a function and tells all its results, or its error, as text. It stands on one line, as the line is in errors.
const showScript = `local show show = function(v, d) local t = type(v) ` +
	`if t == 'string' then return "'" .. (string.gsub(v, "[^\032-\126]", function(c) return string.format("\\%d", string.byte(c)) end)) .. "'" ` +
	`elseif t == 'number' then return string.format('%.17g', v) elseif t ~= 'table' then return t == 'function' and t or tostring(v) end ` +
	`if d > 6 then return '{...}' end local rows = {} for k, e in pairs(v) do rows[#rows + 1] = show(k, d + 1) .. '=' .. show(e, d + 1) end ` +
	`table.sort(rows) return '{' .. table.concat(rows, ', ') .. '}' end ` +
	`local count = function(...) return select('#', ...), {...} end ` +
	`local n, r = count(pcall(function() BODY end)) local out = {} for i = 1, n do out[i] = show(r[i], 0) end return table.concat(out, ' ')`

// script is what both servers run for an expression, or for statements that begin with a local.
func script(expr string) string {
	if !strings.HasPrefix(expr, "local ") && !strings.HasPrefix(expr, "math.randomseed(") {
		expr = "return " + expr
	}
	return strings.Replace(showScript, "BODY", expr, 1)
}

// bare is a state with nothing but the libraries.
func bare(t testing.TB, limits Limits) *Libs {
	L := lua.NewState(Options())
	t.Cleanup(L.Close)
	return Open(L, limits)
}

// run compiles a script and returns what it returns, or its error.
func run(l *Libs, source string) string {
	proto, err := Compile(source, "@user_script")
	if err != nil {
		return "ERR " + err.Error()
	}
	l.Reset()
	if err := l.L.CallByParam(lua.P{Fn: l.Function(proto), NRet: 1, Protect: true}); err != nil {
		return "ERR " + err.Error()
	}
	v := l.L.Get(-1)
	l.L.Pop(1)
	return v.String()
}

// show is what expressions give in a state of ours.
func show(t testing.TB, l *Libs, expr string) string {
	t.Helper()
	out := run(l, script(expr))
	require.NotContains(t, out, "ERR ", expr)
	return out
}
