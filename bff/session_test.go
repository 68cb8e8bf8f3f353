package bff_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
)

func keyring(t *testing.T, ids ...string) *bff.Keyring {
	var keys []bff.Key
	for _, id := range ids {
		keys = append(keys, bff.Key{ID: id, Secret: bytes.Repeat([]byte(id), 32)})
	}
	ring, err := bff.NewKeyring(keys...)
	require.NoError(t, err)
	return ring
}

func (x *site) stored(b *bfftest.Browser) string {
	x.t.Helper()
	rec, err := x.m.Store.Find(x.t.Context(), x.m.Prefix+x.sid(b))
	require.NoError(x.t, err)
	return string(rec.Value)
}

func TestMembers(t *testing.T) {
	x := newSite(t)
	b := x.browser()
	require.Equal(t, http.StatusOK, b.Post("/put?color=red").StatusCode)
	require.Equal(t, "red", b.Get("/get?name=color").Text)
	x.handle("/more", func(_ http.ResponseWriter, r *http.Request) error {
		s := x.m.From(r.Context())
		require.NoError(t, s.Put("n", map[string]int{"a": 1}))
		require.NoError(t, s.Put("color", "blue"))
		s.Delete("none")
		var v struct{ A int }
		ok, err := s.Get("n", &v)
		require.NoError(t, err)
		require.True(t, ok, "seen before it is stored")
		require.Equal(t, 1, v.A)
		var wrong int
		_, err = s.Get("color", &wrong)
		require.Error(t, err)
		require.Equal(t, []string{"color", "n"}, slices.Collect(s.Keys()))
		raw, err := s.Member("n")
		require.NoError(t, err)
		require.Equal(t, `{"a":1}`, string(raw))
		for _, name := range []string{"cookie", "bff", "id", "touch", "__proto__"} {
			require.ErrorIs(t, s.Put(name, 1), bff.ErrName, name)
		}
		require.Error(t, s.Put("big", int64(1)<<60), "Node would damage it")
		require.Error(t, s.Put("bad", func() {}))
		s.Delete("cookie") // the session's own
		require.NotEmpty(t, s.Handle())
		require.NoError(t, s.Err())
		return nil
	})
	require.Equal(t, http.StatusOK, b.Post("/more").StatusCode)
	require.Regexp(t, `^\{"cookie":\{.*\},"color":"blue","bff":\{.*\},"n":\{"a":1\}\}$`, x.stored(b))
	x.handle("/less", func(_ http.ResponseWriter, r *http.Request) error {
		x.m.From(r.Context()).Delete("color")
		return nil
	})
	b.Post("/less")
	require.NotContains(t, x.stored(b), "blue")
}

// R4: another id at the sign-in and when rights change; the old one is dead at once.
func TestIDChangesAtSignIn(t *testing.T) {
	x := newSite(t)
	b := x.browser()
	b.Post("/put?cart=7")
	before := b.Tab()
	require.Equal(t, http.StatusOK, b.Post("/login?user=alice").StatusCode)
	require.NotEqual(t, x.sid(before), x.sid(b))
	require.Empty(t, before.Get("/get?name=cart").Text)
	require.Equal(t, "7", b.Get("/get?name=cart").Text, "what it held stays")

	before = b.Tab()
	require.Equal(t, http.StatusOK, b.Post("/renew").StatusCode)
	require.NotEqual(t, x.sid(before), x.sid(b))
	require.Equal(t, http.StatusUnauthorized, before.Get("/me").StatusCode)
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Equal(t, http.StatusUnauthorized, before.Post("/renew").StatusCode)

	// Another user's session holds nothing of it.
	require.Equal(t, http.StatusOK, b.Post("/login?user=bob").StatusCode)
	require.Equal(t, "bob", b.Get("/me").Text)
	require.Empty(t, b.Get("/get?name=cart").Text)
	require.NotContains(t, x.stored(b), "alice")
}

// A renewal with a grace lets those through that were under way, and no others.
func TestRenewGrace(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) { m.RenewGrace, m.MaxPerUser = 10*time.Second, 1 })
	b := x.signedIn("alice")
	late, later := b.Tab(), b.Tab()
	require.Equal(t, http.StatusOK, b.Post("/renew").StatusCode)
	x.clock.Advance(9 * time.Second)
	require.Equal(t, "alice", late.Get("/me").Text)
	require.Equal(t, x.sid(b), x.sid(late), "told the new id")
	rec, err := x.m.Store.Find(t.Context(), "myapp:"+x.sid(later))
	require.NoError(t, err)
	require.NotContains(t, string(rec.Value), x.sid(b), "it cannot be read in the store")
	page, err := x.m.ListActiveSessions(t.Context(), bff.Query{User: "alice"})
	require.NoError(t, err)
	require.Len(t, page.Sessions, 1)
	x.clock.Advance(time.Second)
	require.Equal(t, http.StatusUnauthorized, later.Get("/me").StatusCode)
	require.Equal(t, "alice", b.Get("/me").Text)

	// A sign-out with the new id ends both.
	old := b.Tab()
	b.Post("/renew")
	require.Equal(t, http.StatusOK, b.Post("/logout").StatusCode)
	require.Equal(t, http.StatusUnauthorized, old.Get("/me").StatusCode)
}

// R12: logout ends it on the server, for requests under way, too.
func TestLogoutIsFinal(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	slow, tab := make(chan struct{}), b.Tab()
	begun := make(chan struct{})
	x.handle("/slow", func(w http.ResponseWriter, r *http.Request) error {
		s := x.m.From(r.Context())
		require.NoError(t, s.Put("late", "write"))
		require.Equal(t, "alice", s.UserID())
		close(begun)
		<-slow
		_, err := w.Write([]byte("done"))
		return err
	})
	answer := make(chan bfftest.Answer)
	go func() { answer <- tab.Post("/slow") }()
	<-begun
	res := b.Post("/logout")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Regexp(t, `^__Host-sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Strict$`, res.Header.Get("Set-Cookie"))
	close(slow)
	late := <-answer
	require.Equal(t, http.StatusOK, late.StatusCode, "the late response goes out")
	require.Empty(t, late.Header.Get("Set-Cookie"), "without a new cookie")
	require.Equal(t, http.StatusUnauthorized, tab.Get("/me").StatusCode)
	n, err := x.m.Count(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	require.Contains(t, x.log.String(), "session write refused")
}

// Two requests that change one session lose neither's change.
func TestNoLostUpdate(t *testing.T) {
	for _, policy := range []bff.ConflictPolicy{bff.MergeKeys, bff.Fail} {
		x := newSite(t, func(m *bff.Manager) { m.OnConflict = policy })
		b := x.signedIn("alice")
		slow, begun := make(chan struct{}), make(chan struct{})
		x.handle("/slow", func(w http.ResponseWriter, r *http.Request) error {
			var none string
			_, err := x.m.From(r.Context()).Get("b", &none)
			require.NoError(t, err)
			close(begun)
			<-slow
			return x.m.From(r.Context()).Put("a", "1")
		})
		tab := b.Tab()
		answer := make(chan bfftest.Answer)
		go func() { answer <- tab.Post("/slow") }()
		<-begun
		require.Equal(t, http.StatusOK, b.Post("/put?b=2").StatusCode)
		close(slow)
		if res := <-answer; policy == bff.Fail {
			require.Equal(t, http.StatusConflict, res.StatusCode)
			continue
		}
		require.Equal(t, "1", b.Get("/get?name=a").Text)
		require.Equal(t, "2", b.Get("/get?name=b").Text)
	}
}

func TestUpdateCounts(t *testing.T) {
	x := newSite(t)
	x.handle("/count", func(_ http.ResponseWriter, r *http.Request) error {
		return x.m.Update(r.Context(), func(s *bff.Session) error {
			n := 0
			if _, err := s.Get("n", &n); err != nil {
				return err
			}
			return s.Put("n", n+1)
		})
	})
	require.Equal(t, http.StatusUnauthorized, x.browser().Post("/count").StatusCode)
	b := x.signedIn("alice")
	var all sync.WaitGroup
	for range 8 {
		tab := b.Tab()
		all.Go(func() {
			for range 5 {
				if code := tab.Post("/count").StatusCode; code != http.StatusOK {
					t.Errorf("answered %d", code)
				}
			}
		})
	}
	all.Wait()
	require.Contains(t, x.stored(b), `"n":40`)

	wrong := errors.New("wrong")
	x.handle("/fails", func(_ http.ResponseWriter, r *http.Request) error {
		err := x.m.Update(r.Context(), func(s *bff.Session) error {
			require.NoError(t, s.Put("n", -1))
			return wrong
		})
		require.ErrorIs(t, err, wrong)
		return nil
	})
	b.Post("/fails")
	require.Contains(t, x.stored(b), `"n":40`)
}

func TestSealedMembers(t *testing.T) {
	store := bff.NewMapStore(bfftest.NewClock())
	with := func(keys ...string) *site {
		x := newSite(t, func(m *bff.Manager) {
			m.Store, m.Secrets = store, [][]byte{[]byte("a secret")}
			if len(keys) > 0 {
				m.Keys = keyring(t, keys...)
			}
		})
		x.handle("/seal", func(_ http.ResponseWriter, r *http.Request) error {
			return x.m.From(r.Context()).Seal("token", r.URL.Query().Get("token"))
		})
		x.handle("/unseal", func(_ http.ResponseWriter, r *http.Request) error {
			x.m.From(r.Context()).Unseal("token")
			return nil
		})
		x.handle("/open", func(w http.ResponseWriter, r *http.Request) error {
			var token string
			if _, err := x.m.From(r.Context()).Open("token", &token); err != nil {
				return err
			}
			_, err := w.Write([]byte(token))
			return err
		})
		return x
	}
	x := with("k1")
	b := x.signedIn("alice")
	require.Equal(t, http.StatusOK, b.Post("/seal?token=t0ps3cret").StatusCode)
	require.Equal(t, "t0ps3cret", b.Get("/open").Text)
	require.NotContains(t, x.stored(b), "t0ps3cret")
	require.Contains(t, x.stored(b), `"k":"k1"`)
	b.Post("/renew")
	require.Equal(t, "t0ps3cret", b.Get("/open").Text, "bound to the new id")

	// A box of another session does not open.
	thief := x.signedIn("mallory")
	rec, err := store.Find(t.Context(), "myapp:"+x.sid(b))
	require.NoError(t, err)
	mine, err := store.Find(t.Context(), "myapp:"+x.sid(thief))
	require.NoError(t, err)
	require.NoError(t, store.Replace(t.Context(), "myapp:"+x.sid(thief), mine.Value, rec))
	require.Equal(t, http.StatusInternalServerError, thief.Get("/open").StatusCode)
	_, err = store.Delete(t.Context(), bff.ReasonRevoked, "myapp:"+x.sid(thief))
	require.NoError(t, err)

	// Rotation: a new key in front, Reseal, the old one away.
	both := with("k2", "k1")
	n, err := both.m.Reseal(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = both.m.Reseal(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	after := with("k2")
	c := after.browser()
	c.SetCookie("__Host-sid", b.Cookie("__Host-sid"))
	require.Equal(t, "t0ps3cret", c.Get("/open").Text)
	require.Equal(t, http.StatusInternalServerError, b.Get("/open").StatusCode, "k1 alone does not open it")
	_, err = x.m.Reseal(t.Context())
	require.ErrorIs(t, err, bff.ErrSealed)

	// A sign-in drops what no key opens.
	require.Equal(t, http.StatusOK, b.Post("/login?user=alice").StatusCode)
	require.Empty(t, b.Get("/open").Text)

	b.Post("/seal?token=again")
	b.Post("/unseal")
	require.NotContains(t, x.stored(b), `"box"`)

	none := with()
	d := none.browser()
	require.Equal(t, http.StatusInternalServerError, d.Post("/seal?token=x").StatusCode)
}

func TestKeyring(t *testing.T) {
	for _, keys := range [][]bff.Key{nil, {{ID: "", Secret: make([]byte, 32)}}, {{ID: "a", Secret: make([]byte, 31)}},
		{{ID: "a", Secret: make([]byte, 32)}, {ID: "a", Secret: make([]byte, 32)}}} {
		_, err := bff.NewKeyring(keys...)
		require.Error(t, err)
	}
}

// Members that nobody set keep their very bytes.
func TestUntouchedMembersStay(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) {
		*m = *bff.Compatible("k1")
		m.Store = bff.NewMapStore(bfftest.NewClock())
	})
	odd := `"odd":{ "b" : 1.50e3,"a":"\ud800 <&>  " }`
	value := `{"cookie":{"originalMaxAge":900000,"expires":"2026-11-23T08:08:16.195Z","secure":true,"httpOnly":true,"path":"/"},` + odd + `,"passport":{"user":"alice"}}`
	require.NoError(t, x.m.Store.Create(t.Context(), "sess:xZ-wSPDB1OscqOSq_-j9WHmQhqLPFnS-", bff.Record{Value: []byte(value), TTL: time.Hour}))
	b := x.browser()
	b.SetCookie("connect.sid", "s%3AxZ-wSPDB1OscqOSq_-j9WHmQhqLPFnS-.hUx7xeWtvHmKLpaUmTwbqSD130uF3rljHu0puBaPgPw")
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Equal(t, value, x.stored(b), "a read writes nothing")
	res := b.Post("/put?color=red")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, x.stored(b), odd)
	require.Regexp(t, `^connect.sid=s%3A.*; Path=/; Expires=[^;]+ GMT; HttpOnly; Secure$`, res.Header.Get("Set-Cookie"), "its Expires moves")
	require.Contains(t, x.stored(b), `"color":"red"`)
}

// Over plain HTTP express-session sends no Secure cookie; nor do we in that mode.
func TestNoSecureCookieOverHTTP(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) {
		*m = *bff.Compatible("k1")
		m.Store = bff.NewMapStore(bfftest.NewClock())
	})
	plain := func(proto string) string {
		r := x.browser().Request(http.MethodPost, "/login?user=alice", "")
		r.TLS = nil
		r.Header.Set("X-Forwarded-Proto", proto)
		w := newRecorder()
		x.h.ServeHTTP(w, r)
		return w.Header().Get("Set-Cookie")
	}
	require.Empty(t, plain(""))
	require.Empty(t, plain("https"), "nobody is trusted to say so")
}

func TestUnreadableSessionIsNone(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	key := "myapp:" + x.sid(b)
	rec, err := x.m.Store.Find(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, x.m.Store.Replace(t.Context(), key, rec.Value, bff.Record{Value: []byte("not JSON"), TTL: time.Hour}))
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)
	require.Contains(t, x.log.String(), "session cannot be read")
	_, err = x.m.ListActiveSessions(t.Context(), bff.Query{})
	require.NoError(t, err)
}

func TestOutsideARequest(t *testing.T) {
	x := newSite(t)
	s := x.m.From(t.Context())
	require.NotNil(t, s)
	require.False(t, s.Authenticated())
	require.ErrorIs(t, s.Err(), bff.ErrNoSession)
	require.NoError(t, s.Put("a", 1))
	require.Error(t, x.m.SignIn(t.Context(), bff.Identity{User: "alice"}))
	require.Error(t, x.m.SignOut(t.Context()))
	require.Error(t, x.m.Save(t.Context()))
	idle, absolute := s.Deadlines()
	require.True(t, idle.IsZero() && absolute.IsZero())
}

func TestDeadlines(t *testing.T) {
	x := newSite(t)
	x.handle("/deadlines", func(w http.ResponseWriter, r *http.Request) error {
		idle, absolute := x.m.From(r.Context()).Deadlines()
		_, err := fmt.Fprint(w, idle.Sub(x.clock.Now()), " ", absolute.Sub(x.clock.Now()))
		return err
	})
	b := x.signedIn("alice")
	require.Equal(t, "15m0s 12h0m0s", b.Get("/deadlines").Text)
	x.clock.Advance(10 * time.Minute)
	require.Equal(t, "5m0s 11h50m0s", b.Get("/deadlines").Text)
	require.Equal(t, "15m0s 11h50m0s", b.Get("/deadlines").Text)
}

func TestSessionsPerUser(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) { m.MaxPerUser = 2 })
	a, b := x.signedIn("alice"), x.signedIn("alice")
	x.signedIn("bob")
	c := x.signedIn("alice")
	require.Equal(t, http.StatusUnauthorized, a.Get("/me").StatusCode, "the oldest is out")
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Equal(t, "alice", c.Get("/me").Text)

	x = newSite(t, func(m *bff.Manager) { m.MaxPerUser, m.AtLimit = 1, bff.Refuse })
	a = x.signedIn("alice")
	d := x.browser()
	d.Post("/put?cart=1")
	res := d.Post("/login?user=alice")
	require.Equal(t, http.StatusConflict, res.StatusCode)
	require.Equal(t, http.StatusUnauthorized, d.Get("/me").StatusCode)
	require.Equal(t, "alice", a.Get("/me").Text)
	require.Equal(t, http.StatusOK, a.Post("/login?user=alice").StatusCode, "again in the same session")
}

// Passport's sessions count as their user's, and SignIn writes what it reads.
func TestPassport(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) {
		*m = *bff.Compatible("k1")
		m.Store = bff.NewMapStore(bfftest.NewClock())
	})
	b := x.signedIn("alice")
	require.Contains(t, x.stored(b), `"passport":{"user":"alice"}`)
	require.NoError(t, x.m.Store.Create(t.Context(), "sess:node", bff.Record{Value: []byte(`{"cookie":{},"passport":{"user":"alice"}}`), TTL: time.Hour}))
	require.NoError(t, x.m.Store.Create(t.Context(), "sess:number", bff.Record{Value: []byte(`{"cookie":{},"passport":{"user":{"id":7}}}`), TTL: time.Hour}))
	n := 0
	for info, err := range x.m.All(t.Context(), bff.Query{}) {
		require.NoError(t, err)
		require.Contains(t, []string{"alice", "7"}, info.User)
		n++
	}
	require.Equal(t, 3, n)
}

func TestBigSessions(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	x.handle("/big", func(_ http.ResponseWriter, r *http.Request) error {
		return x.m.From(r.Context()).Put("big", strings.Repeat("x", 1<<20))
	})
	require.Equal(t, http.StatusOK, b.Post("/big").StatusCode)
	require.Len(t, b.Get("/get?name=big").Text, 1<<20)
}
