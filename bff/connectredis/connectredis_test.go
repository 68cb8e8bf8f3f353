package connectredis

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What express-session makes of an id and a secret.
var vectors = []struct{ sid, secret, value string }{
	{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "keyboard cat", "s%3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.RT5Cal5xFtX9GjJLGoiK%2BGzZ%2BcCRnZ5ZbIS8ml7E5Xo"},
	{"xZ-wSPDB1OscqOSq_-j9WHmQhqLPFnS-", "k1", "s%3AxZ-wSPDB1OscqOSq_-j9WHmQhqLPFnS-.hUx7xeWtvHmKLpaUmTwbqSD130uF3rljHu0puBaPgPw"},
	{"v2000000000000000000000000000000", "k1", "s%3Av2000000000000000000000000000000.Q%2FM4mAxp1kr%2BStbaT6DH%2BtcQ3rGqJE36FGpVidf%2Beag"},
}

func TestCookieVectors(t *testing.T) {
	for _, v := range vectors {
		require.Equal(t, v.value, CookieValue(v.sid, []byte(v.secret)))
		sid, by, err := Verify(v.value, []byte("other"), []byte(v.secret))
		require.NoError(t, err)
		require.Equal(t, v.sid, sid)
		require.Equal(t, 1, by, "an older secret verifies")
		_, _, err = Verify(v.value, []byte("other"))
		require.ErrorIs(t, err, ErrSignature)
	}
}

func TestVerifyTakesAnySignedString(t *testing.T) {
	secret := []byte("k")
	for _, sid := range []string{"a.b", "../x", "two words", "Zoë", "", "%41", "a;b,c"} {
		got, _, err := Verify(CookieValue(sid, secret), secret)
		require.NoError(t, err, sid)
		require.Equal(t, sid, got)
	}
	got, _, err := Verify(Sign("plain", secret), secret)
	require.NoError(t, err, "a cookie that was not encoded")
	require.Equal(t, "plain", got)
}

func TestVerifyRefuses(t *testing.T) {
	secret := []byte("k")
	good := CookieValue("sid", secret)
	for _, c := range []struct {
		value string
		want  error
	}{
		{"", ErrUnsigned},
		{"sid", ErrUnsigned},
		{"s:", ErrSignature},
		{"s:sid", ErrSignature},
		{"s:sid.", ErrSignature},
		{good + "A", ErrSignature},
		{good + "=", ErrSignature},
		{strings.Replace(good, "sid", "sie", 1), ErrSignature},
		{"s%3" + good, ErrUnsigned},
		{CookieValue(strings.Repeat("x", MaxID+1), secret), ErrLength},
		{strings.Repeat("%41", 4*MaxID), ErrLength},
	} {
		_, _, err := Verify(c.value, secret)
		require.ErrorIs(t, err, c.want, c.value)
	}
	_, _, err := Verify(good)
	require.ErrorIs(t, err, ErrSignature, "no secret verifies nothing")
}

func FuzzVerify(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.value)
	}
	secret := []byte("fuzz")
	f.Fuzz(func(t *testing.T, value string) {
		_, _, _ = Verify(value, secret)
		if len(value) <= MaxID {
			sid, _, err := Verify(CookieValue(value, secret), secret)
			require.NoError(t, err)
			require.Equal(t, value, sid)
		}
	})
}

func TestFirstCookieWins(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
		ok    bool
	}{
		{nil, "", false},
		{[]string{"other=1"}, "", false},
		{[]string{"sid=1; sid=2"}, "1", true},
		{[]string{`a=b;sid="q"; sid=2`}, "q", true},
		{[]string{`sid=bo"gus; sid=good`}, `bo"gus`, true},
		{[]string{"sid", "sid=2"}, "2", true},
		{[]string{" sid = x=y "}, "x=y", true},
	} {
		got, ok := FirstCookie(http.Header{"Cookie": c.lines}, "sid")
		require.Equal(t, c.ok, ok, c.lines)
		require.Equal(t, c.want, got, c.lines)
	}
}

const stored = `{"cookie":{"originalMaxAge":900000,"expires":"2026-11-23T08:08:16.195Z","secure":true,"httpOnly":true,"domain":".local.com","path":"/","sameSite":"lax"},"passport":{"user":"alice"}}`

func TestUntouchedMembersKeepTheirBytes(t *testing.T) {
	text := ` { "a" : 9007199254740993 , "\u00e9":"\ud800", "b":[1, {"x":"}\"]"}] ,"n":1e2,"a2":"` + "\u2028" + `","__proto__":{"k":null} , "last":true } `
	d, err := Parse([]byte(text))
	require.NoError(t, err)
	require.Equal(t, text, string(d.Bytes()), "nothing changed")
	require.Equal(t, []string{"a", "é", "b", "n", "a2", "__proto__", "last"}, slices.Collect(d.Names()))

	d.Set("n", json.RawMessage(`"<new>"`))
	d.Delete("last")
	d.Set("more", json.RawMessage(`1`))
	require.Equal(t, `{"a":9007199254740993,"\u00e9":"\ud800","b":[1, {"x":"}\"]"}],"n":"<new>","a2":"`+"\u2028"+
		`","__proto__":{"k":null},"more":1}`, string(d.Bytes()))
}

func TestHalfSurrogatesInNames(t *testing.T) {
	text := `{"\ud800":1,"\ud801":2,"x":3}`
	d, err := Parse([]byte(text))
	require.NoError(t, err)
	d.Set("x", json.RawMessage("4"))
	require.Equal(t, `{"\ud800":1,"\ud801":2,"x":4}`, string(d.Bytes()))
}

func TestOfOneNameTheLastCounts(t *testing.T) {
	d, err := Parse([]byte(`{"a":1,"b":2,"a":3}`))
	require.NoError(t, err)
	got, ok := d.Get("a")
	require.True(t, ok)
	require.Equal(t, "3", string(got))
	d.Delete("b")
	require.Equal(t, `{"a":3}`, string(d.Bytes()))
}

func TestManyMembers(t *testing.T) {
	d := &Document{}
	for i := range 100 {
		d.Set(fmt.Sprint("m", i), json.RawMessage(fmt.Sprint(i)))
	}
	other := d.Clone()
	other.Delete("m50")
	other.Set("m99", json.RawMessage("-1"))
	require.NoError(t, other.SetCookie(Cookie{Path: "/"}, time.Time{}))
	for i := range 100 {
		got, ok := d.Get(fmt.Sprint("m", i))
		require.True(t, ok)
		require.Equal(t, fmt.Sprint(i), string(got))
	}
	_, ok := other.Get("m50")
	require.False(t, ok)
	again, err := Parse(other.Bytes())
	require.NoError(t, err)
	require.Equal(t, slices.Collect(other.Names()), slices.Collect(again.Names()))
	require.Equal(t, "cookie", slices.Collect(again.Names())[0])
	got, _ := again.Get("m99")
	require.Equal(t, "-1", string(got))
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{"", " ", "null", "[]", `"x"`, "{", `{"a"}`, `{"a":1,}`, `{}{}`, "{'a':1}", `{"a":01}`, strings.Repeat(`{"a":`, 20000)} {
		_, err := Parse([]byte(bad))
		require.ErrorIs(t, err, ErrFormat, "%.30q", bad)
	}
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(stored))
	f.Add([]byte(`{"a":[{"b":"\\\""}],"\ud800":-1.5e3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			return
		}
		require.Equal(t, string(data), string(d.Bytes()))
		before := map[string]string{}
		for name := range d.Names() {
			val, _ := d.Get(name)
			require.True(t, json.Valid(val))
			before[name] = string(val)
		}
		d.Set("fuzz", json.RawMessage("1"))
		again, err := Parse(d.Bytes())
		require.NoError(t, err)
		before["fuzz"] = "1"
		for name := range again.Names() {
			val, _ := again.Get(name)
			require.Equal(t, before[name], string(val))
			delete(before, name)
		}
		require.Empty(t, before)
	})
}

func TestLookupAndUser(t *testing.T) {
	d, err := Parse([]byte(stored))
	require.NoError(t, err)
	require.Equal(t, "alice", d.User())
	require.Equal(t, 15*time.Minute, d.MaxAge())
	for text, want := range map[string]string{
		`{}`:                                          "",
		`{"passport":{}}`:                             "",
		`{"passport":7}`:                              "",
		`{"passport":{"user":7}}`:                     "7",
		`{"passport":{"user":{"id":"bob"}}}`:          "bob",
		`{"passport":{"user":{"id":true}}}`:           "",
		`{"passport":{"user":"p"},"bff":{"sub":"b"}}`: "b",
		`{"passport":{"user":"p"},"bff":{"sub":""}}`:  "p",
	} {
		d, err := Parse([]byte(text))
		require.NoError(t, err)
		require.Equal(t, want, d.User(), text)
	}
	d, err = Parse([]byte(`{"user":{"uid":"x"}}`))
	require.NoError(t, err)
	require.Equal(t, "x", d.User("user.uid"))
}

func TestCookieMember(t *testing.T) {
	now := time.Date(2026, 11, 23, 7, 53, 16, 195e6, time.FixedZone("", 3600))
	age := int64(900000)
	d := &Document{}
	d.Set("a", json.RawMessage("1"))
	c := Cookie{OriginalMaxAge: &age, Secure: true, HTTPOnly: true, Domain: ".local.com", Path: "/", SameSite: "lax"}
	require.NoError(t, d.SetCookie(c, now))
	require.Equal(t, `{"cookie":{"originalMaxAge":900000,"expires":"2026-11-23T07:08:16.195Z","secure":true,"httpOnly":true,"domain":".local.com","path":"/","sameSite":"lax"},"a":1}`, string(d.Bytes()))

	// A session of somebody else keeps its cookie but for the expiry.
	d, err := Parse([]byte(`{"cookie":{"originalMaxAge":60000,"x":1,"expires":"2020-01-01T00:00:00.000Z","sameSite":true}}`))
	require.NoError(t, err)
	require.NoError(t, d.SetCookie(c, now))
	require.Equal(t, `{"cookie":{"originalMaxAge":60000,"x":1,"expires":"2026-11-23T06:54:16.195Z","sameSite":true}}`, string(d.Bytes()))

	d, err = Parse([]byte(`{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}}`))
	require.NoError(t, err)
	require.NoError(t, d.SetCookie(c, now))
	require.Equal(t, `{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}}`, string(d.Bytes()))

	d = &Document{}
	require.NoError(t, d.SetCookie(Cookie{HTTPOnly: true, Path: "/"}, now))
	require.Equal(t, `{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}}`, string(d.Bytes()), "a cookie that ends with the browser")

	d, err = Parse([]byte(`{"cookie":7,"a":1}`))
	require.NoError(t, err)
	require.NoError(t, d.SetCookie(Cookie{Path: "/"}, now))
	require.Equal(t, `{"cookie":{"originalMaxAge":null,"expires":null,"path":"/"},"a":1}`, string(d.Bytes()))
}

func TestTTL(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 8, 16, 195e6, time.UTC)
	d, err := Parse([]byte(stored))
	require.NoError(t, err)
	for before, want := range map[time.Duration]time.Duration{
		15 * time.Minute:         15 * time.Minute,
		time.Millisecond:         time.Second,
		1500 * time.Millisecond:  2 * time.Second,
		0:                        0,
		-time.Millisecond:        0,
		-1500 * time.Millisecond: -time.Second,
	} {
		require.Equal(t, want, d.TTL(at.Add(-before), time.Hour), before)
	}
	for _, text := range []string{`{}`, `{"cookie":{"expires":null}}`, `{"cookie":{"expires":"soon"}}`} {
		d, err := Parse([]byte(text))
		require.NoError(t, err)
		require.Equal(t, time.Hour, d.TTL(at, time.Hour), text)
	}
}

func TestMaxAgeDoubtsWhatItReads(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`{}`: 0, `{"cookie":{"originalMaxAge":null}}`: 0, `{"cookie":{"originalMaxAge":-5}}`: 0,
		`{"cookie":{"originalMaxAge":1e300}}`: 0, `{"cookie":{"originalMaxAge":"9"}}`: 0, `{"cookie":{"originalMaxAge":1500.5}}`: 1500 * time.Millisecond,
	} {
		d, err := Parse([]byte(text))
		require.NoError(t, err)
		require.Equal(t, want, d.MaxAge(), text)
	}
}

func TestWhatNodeWouldLose(t *testing.T) {
	for _, name := range []string{"id", "req", "touch", "save", "reload", "destroy", "regenerate", "resetMaxAge", "__proto__", "toString"} {
		require.ErrorIs(t, CheckName(name), ErrReserved)
	}
	require.NoError(t, CheckName("user"))
	for text, ok := range map[string]bool{
		`9007199254740991`: true, `9007199254740992`: false, `-9007199254740993`: false, `{"a":[1,{"b":99999999999999999999}]}`: false,
		`1e300`: true, `"9007199254740993"`: true, `null`: true,
	} {
		if err := CheckValue(json.RawMessage(text)); ok {
			require.NoError(t, err, text)
		} else {
			require.ErrorIs(t, err, ErrInteger, text)
		}
	}
}

func TestMarshal(t *testing.T) {
	got, err := Marshal(map[string]string{"a": "<b> & ë"})
	require.NoError(t, err)
	require.Equal(t, `{"a":"<b> & ë"}`, string(got))
	_, err = Marshal(make(chan int))
	require.Error(t, err)
}
