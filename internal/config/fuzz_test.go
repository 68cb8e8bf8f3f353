package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What quote writes, split reads back as one word; no line makes split panic.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a", `a "b" \ '`, "\x00\n\r\t\x7f\xff", "#x", `\x41`, "ünï"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := Split("requirepass " + Quote(s))
		require.NoError(t, err)
		require.Equal(t, []string{"requirepass", s}, words)
		_, _ = Split(s)
	})
}

// Whatever a file holds, it is refused or rewritten to a file that means the
// same.
func FuzzRewrite(f *testing.F) {
	f.Add("port 1\n# x\nsave 1 2\nsave 3 4\nrequirepass \"a b\"\n")
	f.Add("client-output-buffer-limit normal 1 2 3\nslave-priority 4\nmaxmemory 1gb\n\nreally-use-vm yes")
	f.Add("user default on >x ~* &* +@all\nnotify-keyspace-events KEA\nbind * -::*\nhz 9999")
	load := func(text string) (*Config, error) {
		r := &reader{c: New(), began: map[string]bool{}}
		return r.c, r.lines("fuzz", strings.NewReader(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(strings.ToLower(text), "include") {
			return // would read the machine's files
		}
		c, err := load(text)
		if err != nil {
			return
		}
		c.File = "x"
		rewriting, err := c.Rewrite(nil)
		require.NoError(t, err)
		content := string(rewriting.content(text))
		again, err := load(content)
		require.NoError(t, err, content)
		require.Equal(t, c.Get(matchPath, "*"), again.Get(matchPath, "*"), content)
	})
}
