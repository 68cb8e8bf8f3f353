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

// What stays is what a scan would find.
func FuzzStays(f *testing.F) {
	words := []string{"passport.user", "passport.user.id", "bff.sub", "user"}
	p := parse(f, words...)
	for _, pair := range [][2]string{
		{session, strings.Replace(session, "16.195Z", "17.000Z", 1)}, {session, session},
		{session, strings.Replace(session, "flash", "passport", 1)}, {`{"user":12,"x":1}`, `{"user":13,"x":1}`},
		{`{"a":1,"user":"x"}`, `{"b":1,"user":"x"}`}, {`{"user":{"a":1},"bff":{"sub":7}}`, `{"user":{"a":2},"bff":{"sub":7}}`},
		{`{"bff":{"sub":"x"},"q":{}}`, `{"bff":{"sub":"x"},"passport":{"user":"y"}}`}, {`{"user":1}`, `{"user":1.5}`},
	} {
		f.Add([]byte(pair[0]), []byte(pair[1]))
	}
	f.Fuzz(func(t *testing.T, old, doc []byte) {
		user, at := p.locate(old)
		if p.stays(at, old, doc) && json.Valid(doc) && json.Valid(old) {
			again, there := p.locate(doc)
			require.Equal(t, string(user), string(again))
			require.Equal(t, at, there)
		}
	})
}

func TestStays(t *testing.T) {
	p := parse(t, "passport.user", "passport.user.id", "bff.sub")
	_, at := p.locate([]byte(session))
	later := strings.Replace(session, "16.195Z", "17.000Z", 1)
	require.True(t, p.stays(at, []byte(session), []byte(later)))
	require.True(t, p.stays(at, []byte(session), []byte(strings.Replace(later, "B-2002", "something else", 1))))
	for _, other := range []string{
		strings.Replace(session, "alice", "alicf", 1), strings.Replace(session, "alice", "alice2", 1), strings.Replace(session, `"x"`, `"\\n"`, 1),
		strings.Replace(session, "flash", "passport", 1), strings.Replace(session, "secure", "Secure", 1), "", session[:30],
	} {
		require.False(t, p.stays(at, []byte(session), []byte(other)), other)
	}
}

func BenchmarkStays(b *testing.B) {
	p := parse(b, "passport.user", "passport.user.id", "bff.sub")
	_, at := p.locate([]byte(session))
	later := []byte(strings.Replace(session, "16.195Z", "17.000Z", 1))
	for b.Loop() {
		p.stays(at, []byte(session), later)
	}
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
