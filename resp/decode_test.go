package resp

import (
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func decode(in string) (Value, error) { return NewDecoder(strings.NewReader(in)).Decode() }

func TestDecode(t *testing.T) {
	for in, want := range map[string]string{
		"+OK\r\n":                         "+OK",
		"-ERR a b\r\n":                    "-ERR a b",
		":-12\r\n":                        ":-12",
		"$2\r\nhi\r\n":                    `$"hi"`,
		"$4\r\n\r\n\x00\xff\r\n":          `$"\r\n\x00\xff"`,
		"$0\r\n\r\n":                      `$""`,
		"$-1\r\n":                         "$-1",
		"*-1\r\n":                         "*-1",
		"*0\r\n":                          "*[]",
		"*2\r\n$1\r\na\r\n:1\r\n":         `*[$"a" :1]`,
		"_\r\n":                           "_",
		"#t\r\n":                          "#t",
		",1.5\r\n":                        ",1.5",
		",-inf\r\n":                       ",-inf",
		"(123456789012345678901\r\n":      "(123456789012345678901",
		"=6\r\ntxt:hi\r\n":                `="txt:hi"`,
		"!5\r\nERR x\r\n":                 `!"ERR x"`,
		"%1\r\n+k\r\n*1\r\n_\r\n":         "%[+k *[_]]",
		"~1\r\n:1\r\n":                    "~[:1]",
		">2\r\n+a b\r\n-\r\n":             `>[+"a b" -""]`,
		"|1\r\n+ttl\r\n:1\r\n$1\r\na\r\n": `|[+ttl :1] $"a"`,
	} {
		v, err := decode(in)
		require.NoError(t, err, "%q", in)
		require.Equal(t, want, v.String(), "%q", in)
		one := NewDecoder(iotest.OneByteReader(strings.NewReader(in)))
		again, err := one.Decode()
		require.NoError(t, err)
		require.Equal(t, v, again)
		for i := 1; i < len(in); i++ {
			_, err := decode(in[:i])
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%q", in[:i])
		}
	}
	_, err := decode("")
	require.Equal(t, io.EOF, err)
}

func TestDecodeKindsOfNull(t *testing.T) {
	for in, null := range map[string]bool{"$-1\r\n": true, "*-1\r\n": true, "_\r\n": true, "$0\r\n\r\n": false} {
		v, err := decode(in)
		require.NoError(t, err)
		require.Equal(t, null, v.IsNull())
		require.False(t, v.IsError())
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, in := range []string{
		"x\r\n", "\r\n", "+OK\n", ":\r\n", ":1x\r\n", ":01\r\n", "#x\r\n", "_x\r\n",
		"$-2\r\n", "$x\r\n", "$9223372036854775807\r\n", "$9223372036854775800\r\nA\r\n", "$1\r\nabc",
		"*-2\r\n", "*4294967295\r\n", "*9223372036854775807\r\n", "%-1\r\n", "~-1\r\n", "$?\r\n", "*?\r\n",
		strings.Repeat("*1\r\n", 100_000), strings.Repeat("|1\r\n", 100_000), strings.Repeat("|0\r\n", 100_000),
		"+" + strings.Repeat("a", 2<<20),
	} {
		_, err := decode(in)
		if strings.HasPrefix(in, "+a") {
			require.Error(t, err)
			continue
		}
		require.ErrorIs(t, err, ErrReply, "%.40q", in)
	}
}

// Announced numbers cost nothing.
func TestDecodeAllocatesWhatCame(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, in := range []string{"*268435456\r\n:1\r\n", "$1073741824\r\nabc", "%134217728\r\n"} {
		_, err := decode(in)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestAppendCommand(t *testing.T) {
	require.Equal(t, "*2\r\n$3\r\nGET\r\n$0\r\n\r\n", string(AppendCommand(nil, "GET", "")))
	require.Equal(t, "*1\r\n$4\r\nPING\r\n", string(AppendCommand(nil, []byte("PING"))))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("%1\r\n+k\r\n*2\r\n_\r\n$1\r\na\r\n"))
	f.Add([]byte("|1\r\n+a\r\n:1\r\n=6\r\ntxt:hi\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		d := NewDecoder(strings.NewReader(string(in)))
		for {
			v, err := d.Decode()
			if err != nil {
				return
			}
			_ = v.String()
		}
	})
}
