package policy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// session is what a Node application with Passport keeps, 324 bytes.
const session = `{"cookie":{"originalMaxAge":900000,"expires":"2026-11-23T08:08:16.195Z","secure":true,"httpOnly":true,` +
	`"domain":".local.com","path":"/","sameSite":"lax"},"passport":{"user":"alice"},"csrf":"ZkP0n2m9rQ8v1x7yT4bL","cart":[{"sku":"A-1001",` +
	`"n":2},{"sku":"B-2002","n":1}],"seen":1764140000,"locale":"de-DE","theme":"x","flash":{}}`

func parse(t testing.TB, words ...string) *Paths {
	p, err := ParsePaths(words)
	require.NoError(t, err)
	return p
}

func TestFind(t *testing.T) {
	p := parse(t, "passport.user", "passport.user.id", "bff.sub", "user")
	for doc, want := range map[string]string{
		session:                                        "alice",
		`{"passport":{"user":{"id":42}}}`:              "42",
		`{"passport":{"user":""},"user":"bob"}`:        "bob",
		`{"bff":{"sub":"x"},"passport":{}}`:            "x",
		`{"pass\u0070ort":{"user":"a\"b\u00e9"}}`:      `a"bé`,
		`{"passport":{"user":"a","user":"b"}}`:         "b",
		`{"passport":{"user":"a"},"passport":{}}`:      "",
		`{"passport":{"user":"a"},"passport":1}`:       "",
		`{"passport":{"user":null}}`:                   "",
		`{"passport":{"user":true}}`:                   "",
		`{"passport":{"user":["a"]}}`:                  "",
		`{"x":{"passport":{"user":"a"}}}`:              "",
		` { "user" : -1.5e3 } `:                        "-1.5e3",
		`{"x":"}\\","y":"\"","user":"u"}`:              "u",
		`{"user":"` + strings.Repeat("u", 2000) + `"}`: "",
		`["user"]`: "", `"user"`: "", ``: "", `{`: "", `{"user"`: "", `{"user":`: "", `{"user":"a`: "",
		`{"user":{{{{`: "", `{"user":"\`: "", `{"user"}`: "",
	} {
		require.Equal(t, want, string(p.Find([]byte(doc))), doc)
	}
	require.Len(t, session, 324)
	require.Zero(t, testing.AllocsPerRun(100, func() { p.Find([]byte(session)) }))
}

func TestParsePaths(t *testing.T) {
	for _, words := range [][]string{{""}, {"a."}, {".a"}, {"a..b"}, strings.Fields(strings.Repeat("a ", 17))} {
		_, err := ParsePaths(words)
		require.ErrorIs(t, err, ErrPaths, words)
	}
}

// byTheBook is what Find is to return for valid JSON.
func byTheBook(doc []byte, words []string) string {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var all any
	if d.Decode(&all) != nil {
		return ""
	}
	for _, w := range words {
		at := all
		for _, name := range strings.Split(w, ".") {
			m, _ := at.(map[string]any)
			at = m[name]
		}
		user := ""
		switch v := at.(type) {
		case string:
			user = v
		case json.Number:
			user = v.String()
		}
		if user != "" && len(user) <= maxUser {
			return user
		}
	}
	return ""
}

func FuzzFind(f *testing.F) {
	for _, doc := range []string{
		session, `{"passport":{"user":{"id":42}}}`, `{"bff":{"sub":"\ud800x"},"user":["a"]}`, `{"user":"a\\","user":{"x":"}"}}`,
		`{"passport":{"user":"a"},"passport":{}}`, ` {"bff" : {"sub" :1e9 } } `, "{\"user\":\"\xff\"}",
	} {
		f.Add([]byte(doc))
	}
	words := []string{"passport.user", "passport.user.id", "bff.sub", "user"}
	p := parse(f, words...)
	f.Fuzz(func(t *testing.T, doc []byte) {
		got := p.Find(doc)
		if json.Valid(doc) {
			require.Equal(t, byTheBook(doc, words), string(got))
		}
	})
}

func BenchmarkFind(b *testing.B) {
	p := parse(b, "passport.user", "passport.user.id", "bff.sub")
	doc := []byte(session)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		p.Find(doc)
	}
}
