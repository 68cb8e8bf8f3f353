package lualib

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/internal/realredis"
)

var record = flag.Bool("record", false, "write a real server's answers into testdata/expressions.txt")

const golden = "testdata/expressions.txt"

// example is a line of the golden file that begins with "> ", and the line with "< " behind it.
type example struct{ expr, result string }

func examples(t testing.TB) (lines []string, all []example) {
	data, err := os.ReadFile(golden)
	require.NoError(t, err)
	lines = strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	for i, line := range lines {
		if expr, ok := strings.CutPrefix(line, "> "); ok {
			e := example{expr: expr}
			if i+1 < len(lines) {
				e.result, _ = strings.CutPrefix(lines[i+1], "< ")
			}
			all = append(all, e)
		}
	}
	return lines, all
}

// TestExpressions compares each expression of the golden file with what a real server answers now, and with ours.
func TestExpressions(t *testing.T) {
	lines, all := examples(t)
	real := realredis.Start(t)
	if *record {
		recordExamples(t, real, lines)
		return
	}
	l := bare(t, Limits{})
	for _, e := range all {
		require.Equal(t, real.Text(t, "EVAL", script(e.expr), "0"), e.result, "the golden file is not what a real server answers to %s", e.expr)
		if got := show(t, l, e.expr); got != e.result {
			t.Errorf("%s\n real %.300s\n ours %.300s", e.expr, e.result, got)
		}
	}
}

// recordExamples writes the real server's answers behind the expressions.
func recordExamples(t *testing.T, real *realredis.Server, lines []string) {
	var out []string
	for _, line := range lines {
		if strings.HasPrefix(line, "< ") {
			continue
		}
		out = append(out, line)
		if expr, ok := strings.CutPrefix(line, "> "); ok {
			out = append(out, "< "+real.Text(t, "EVAL", script(expr), "0"))
		}
	}
	require.NoError(t, os.WriteFile(golden, []byte(strings.Join(out, "\n")+"\n"), 0o600))
}

// TestGenerated compares many small calls, of which the golden file would tell nothing new, with a real server's.
func TestGenerated(t *testing.T) {
	real, l := realredis.Start(t), bare(t, Limits{})
	for _, expr := range generated() {
		if want, got := real.Text(t, "EVAL", script(expr), "0"), show(t, l, expr); got != want {
			t.Errorf("%s\n real %.300s\n ours %.300s", expr, want, got)
		}
	}
}

// generated are calls with each of some values in each of some formats, several calls an expression.
func generated() (all []string) {
	numbers := strings.Fields("0 1 -1 0.5 1.5 2.5 -2.5 0.1 9.9999999 99999.5 123456 1234567 1e14 1e15 1e16 123456789012345678 1e21 " +
		"1e-4 1e-5 0.00012345 5e-324 1.7976931348623157e308 2^31 2^32 2^53 2^63 2^64 -2^31 -2^63 1/3 -2/3 1/0 -1/0")
	var row []string
	add := func(call string) {
		if row = append(row, call); len(row) == 20 {
			all, row = append(all, strings.Join(row, ", ")), nil
		}
	}
	for _, flags := range []string{"", "-", "+", " ", "#", "0", "-#+", "0 "} {
		for _, size := range []string{"", "7", "12.3", ".0", ".1", ".17", "30.20"} {
			for _, letter := range "dioxXeEfgGus" {
				add("(string.format('%" + flags + size + string(letter) + "|', " + numbers[(len(all)*7+len(row)*3)%len(numbers)] + "))")
			}
		}
	}
	for _, n := range numbers {
		for _, call := range []string{"tostring(#)", "# .. ''", "cjson.encode({#} and '#')", "cmsgpack.pack(#)", "struct.pack('>l', #)", "struct.pack('<I3', #)",
			"struct.pack('f', #)", "struct.pack('d', #)", "bit.tobit(#)", "bit.tohex(#)", "bit.lshift(#, 3)", "bit.rol(#, #)", "math.floor(#)", "math.ceil(#)",
			"math.sqrt(math.abs(#))", "string.sub('hello world', #)", "string.char(math.fmod(math.abs(#), 256))", "tonumber('#')", "math.fmod(#, 7)"} {
			add("(select(2, pcall(function() return " + strings.ReplaceAll(call, "#", n) + " end)))")
		}
	}
	return append(all, patterns()...)
}

// patterns match each of some patterns with each of some subjects.
func patterns() (all []string) {
	subjects := []string{"", "a", "hello world", "a.b.c", "key = value", "((x)(y))", "aaaaab", "  pad  ", "x=1,y=22,z=333", "%d %s", "[tag]", "foo-bar_baz", "12:34:56", "\\n\\t mixed\\r"}
	pats := []string{".", ".*", ".-", "a*", "a+b?", "^a", "a$", "^$", "%a+", "%A", "%d+", "[%w_]+", "[^%s]+", "[a-c]", "[^a-c]", "()", "(.)(.)", "(%w)=(%w)", "(%a+)%s*=%s*(%a+)",
		"%b()", "%f[%w]%w+", "(.)%1", "%%", "[%]]", "[]a]", "[a%-z]", "%.", "(a*(.)%w(%s*))", "^%s*(.-)%s*$", "[%d:]+", "%p", "%c", "%x+", "x?y?z?", "o.-o", ".-%d"}
	for _, p := range pats {
		var row []string
		for _, s := range subjects {
			row = append(row, "{string.find('"+s+"', '"+p+"')}", "{string.match('"+s+"', '"+p+"', 2)}", "{string.gsub('"+s+"', '"+p+"', '<%0>')}",
				"{string.gsub('"+s+"', '"+p+"', function(...) return select('#', ...) .. tostring((...)) end, 3)}")
		}
		all = append(all, strings.Join(row, ", "))
	}
	return all
}
