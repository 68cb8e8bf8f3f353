package command

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"coatcheck/resp"
)

// nobody is what the commands of this test run on.
type nobody struct{}

func testDirectory() *Directory {
	var d *Directory
	family := Introspection(func(nobody) *Directory { return d })
	d = NewDirectory(Describe(Strings[:1]), Describe(family))
	return d
}

func run(t *testing.T, d *Directory, proto int, line string) string {
	t.Helper()
	family := Introspection(func(nobody) *Directory { return d })
	in := argv(line)
	out := &resp.Reply{Proto: proto}
	handler := family[0].Run
	for _, sub := range family[0].Subs {
		if len(in) > 1 && strings.EqualFold(sub.Name, string(in[1])) {
			handler = sub.Run
		}
	}
	if err := handler(nobody{}, in, out); err != nil {
		return "-" + err.Error()
	}
	return strings.ReplaceAll(string(out.Bytes()), "\r\n", "|")
}

// The texts are what Redis 7.0.15 answers (display_text apart, which is 7.2's).
func TestCommandReplies(t *testing.T) {
	d := testDirectory()
	require.Equal(t, ":2|", run(t, d, 2, "COMMAND COUNT"))
	require.Equal(t,
		"*2|$-1|*10|$3|get|:2|*2|+readonly|+fast|:1|:1|:1|*3|+@read|+@string|+@fast|*0|*1|"+
			"*6|$5|flags|*2|+RO|+access|$12|begin_search|*4|$4|type|$5|index|$4|spec|*2|$5|index|:1|"+
			"$9|find_keys|*4|$4|type|$5|range|$4|spec|*6|$7|lastkey|:0|$7|keystep|:1|$5|limit|:0|*0|",
		run(t, d, 2, "COMMAND INFO nosuch GET"))
	require.Equal(t,
		"*1|*10|$3|get|:2|~2|+readonly|+fast|:1|:1|:1|~3|+@read|+@string|+@fast|~0|~1|"+
			"%3|$5|flags|~2|+RO|+access|$12|begin_search|%2|$4|type|$5|index|$4|spec|%1|$5|index|:1|"+
			"$9|find_keys|%2|$4|type|$5|range|$4|spec|%3|$7|lastkey|:0|$7|keystep|:1|$5|limit|:0|~0|",
		run(t, d, 3, "COMMAND INFO get"))
	require.True(t, strings.HasPrefix(run(t, d, 3, "COMMAND"), "*2|*10|$7|command|"))
	require.Contains(t, run(t, d, 3, "COMMAND DOCS get nosuch"),
		"$9|arguments|*1|%4|$4|name|$3|key|$4|type|$3|key|$12|display_text|$3|key|$14|key_spec_index|:0|")
	require.Equal(t, "%0|", run(t, d, 3, "COMMAND DOCS nosuch"))
	require.Equal(t, "*0|", run(t, d, 2, "COMMAND DOCS nosuch"))

	require.Equal(t, "*1|$3|get|", run(t, d, 2, "COMMAND LIST FILTERBY PATTERN G*"))
	require.Equal(t, "*1|$3|get|", run(t, d, 2, "COMMAND LIST FILTERBY aclcat String"))
	require.Equal(t, "*0|", run(t, d, 2, "COMMAND LIST FILTERBY ACLCAT none"))
	require.Equal(t, "*0|", run(t, d, 2, "COMMAND LIST FILTERBY MODULE x"))
	require.True(t, strings.HasPrefix(run(t, d, 2, "COMMAND LIST"), "*9|$7|command|$13|command|count|"))
	require.Equal(t, "-ERR syntax error", run(t, d, 2, "COMMAND LIST FILTERBY x"))
	require.Equal(t, "-ERR syntax error", run(t, d, 2, "COMMAND LIST FILTERBY x y"))
	require.Equal(t, "-ERR syntax error", run(t, d, 2, "COMMAND LIST x y z"))

	require.Equal(t, "*1|$1|a|", run(t, d, 2, "COMMAND GETKEYS get a"))
	require.Equal(t, "*1|*2|$1|a|~2|+RO|+access|", run(t, d, 3, "COMMAND GETKEYSANDFLAGS get a"))
	require.Equal(t, "-ERR Invalid number of arguments specified for command", run(t, d, 2, "COMMAND GETKEYS get a b"))
	require.Equal(t, "-ERR Invalid command specified", run(t, d, 2, "COMMAND GETKEYS nosuch a"))
	require.Equal(t, "-ERR Invalid command specified", run(t, d, 2, "COMMAND GETKEYS command nosuch a"))
	require.Equal(t, "-ERR Invalid command specified", run(t, d, 2, "COMMAND GETKEYS command|list a"))
	require.Equal(t, "-ERR The command has no key arguments", run(t, d, 2, "COMMAND GETKEYS command info get a"))
	require.Equal(t, "-ERR The command has no key arguments", run(t, d, 2, "COMMAND GETKEYSANDFLAGS command info get a"))
	require.Contains(t, run(t, d, 2, "COMMAND HELP"),
		"+LIST [FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]|")
}

// Every syntax line can be read.
func TestSyntaxOfTheTable(t *testing.T) {
	d := NewDirectory(Describe(Data()), Describe(Introspection(func(nobody) *Directory { return nil })))
	for _, info := range d.All() {
		for _, c := range append([]*Info{info}, info.Subs...) {
			_, err := c.Arguments()
			require.NoError(t, err, c.Full)
		}
	}
}
