package bff_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)

func (x *site) on(user, agent, addr string) *bfftest.Browser {
	x.t.Helper()
	b := x.browser()
	b.Header.Set("User-Agent", agent)
	b.RemoteAddr = addr
	require.Equal(x.t, http.StatusOK, b.Post("/login?user="+user).StatusCode)
	return b
}

// R13: a user sees own devices and ends one, the others, or all.
func TestDeviceList(t *testing.T) {
	x := newSite(t)
	laptop := x.on("alice", firefox, "198.51.100.7:1")
	x.clock.Advance(time.Minute)
	phone := x.on("alice", safari, "[2001:db8:5:6::7]:1")
	x.clock.Advance(time.Minute)
	x.on("bob", firefox, "192.0.2.1:1")
	require.Equal(t, "alice", laptop.Get("/me").Text)

	var page bff.Page
	x.handle("/devices", func(_ http.ResponseWriter, r *http.Request) (err error) {
		page, err = x.m.ListActiveSessions(r.Context(), bff.Query{User: x.m.From(r.Context()).UserID()})
		return err
	})
	require.Equal(t, http.StatusOK, laptop.Get("/devices").StatusCode)
	require.Len(t, page.Sessions, 2)
	first, second := page.Sessions[0], page.Sessions[1]
	require.Equal(t, bff.Info{
		Handle: x.m.HandleOf(x.sid(laptop)), User: "alice", Methods: []string{"pwd"}, Label: "Firefox on Linux", Network: "198.51.100.0/24",
		CreatedAt: bfftest.Start, SignedInAt: bfftest.Start, LastSeen: bfftest.Start.Add(2 * time.Minute),
		IdleExpiresAt: bfftest.Start.Add(17 * time.Minute), AbsoluteExpiresAt: bfftest.Start.Add(12 * time.Hour),
		Current: true, Bytes: first.Bytes,
	}, first)
	require.Equal(t, "Safari on iPhone", second.Label)
	require.Equal(t, "2001:db8:5::/48", second.Network)
	require.False(t, second.Current)

	require.NoError(t, x.m.InvalidateSession(t.Context(), second.Handle, bff.ReasonRevoked))
	require.Equal(t, http.StatusUnauthorized, phone.Get("/me").StatusCode)
	require.ErrorIs(t, x.m.InvalidateSession(t.Context(), second.Handle, bff.ReasonRevoked), bff.ErrNoSession)

	phone = x.on("alice", safari, "192.0.2.1:1")
	tablet := x.on("alice", safari, "192.0.2.1:1")
	n, err := x.m.InvalidateUser(t.Context(), "alice", x.m.HandleOf(x.sid(laptop)))
	require.NoError(t, err)
	require.Equal(t, 2, n, "log out the others")
	require.Equal(t, "alice", laptop.Get("/me").Text)
	for _, b := range []*bfftest.Browser{phone, tablet} {
		require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)
	}
	n, err = x.m.InvalidateUser(t.Context(), "alice")
	require.NoError(t, err)
	require.Equal(t, 1, n, "log out everywhere")
	require.Equal(t, http.StatusUnauthorized, laptop.Get("/me").StatusCode)
	n, err = x.m.InvalidateUser(t.Context(), "")
	require.NoError(t, err)
	require.Zero(t, n, "nobody is not a user")
}

func TestListInPages(t *testing.T) {
	x := newSite(t)
	for i := range 25 {
		x.signedIn(fmt.Sprint("u", i))
	}
	seen := map[bff.Handle]bool{}
	q := bff.Query{Limit: 10}
	for pages := 1; ; pages++ {
		page, err := x.m.ListActiveSessions(t.Context(), q)
		require.NoError(t, err)
		for _, info := range page.Sessions {
			seen[info.Handle] = true
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			require.Equal(t, 3, pages)
			break
		}
	}
	require.Len(t, seen, 25)
	n := 0
	for _, err := range x.m.All(t.Context(), bff.Query{Limit: 7}) {
		require.NoError(t, err)
		if n++; n == 20 {
			break
		}
	}
	n, err := x.m.Count(t.Context())
	require.NoError(t, err)
	require.Equal(t, 25, n)
}

func TestRefreshSession(t *testing.T) {
	x := newSite(t)
	b := x.signedIn("alice")
	h := x.m.HandleOf(x.sid(b))
	info, err := x.m.RefreshSession(t.Context(), h, 3*time.Hour)
	require.NoError(t, err)
	require.Equal(t, x.clock.Now().Add(3*time.Hour), info.IdleExpiresAt)
	x.clock.Advance(2 * time.Hour)
	require.Equal(t, "alice", b.Get("/me").Text)
	b.Post("/put?a=1")
	info, err = x.m.Inspect(t.Context(), h)
	require.NoError(t, err)
	require.Equal(t, x.clock.Now().Add(time.Hour), info.IdleExpiresAt, "a write does not shorten it")
	info, err = x.m.RefreshSession(t.Context(), h, 100*time.Hour)
	require.NoError(t, err)
	require.Equal(t, bfftest.Start.Add(12*time.Hour), info.IdleExpiresAt, "not beyond the absolute deadline")
	info, err = x.m.RefreshSession(t.Context(), h, 0)
	require.NoError(t, err)
	require.Equal(t, x.clock.Now().Add(15*time.Minute), info.IdleExpiresAt)
	_, err = x.m.RefreshSession(t.Context(), h, -1)
	require.Error(t, err)
	_, err = x.m.RefreshSession(t.Context(), "none", time.Hour)
	require.ErrorIs(t, err, bff.ErrNoSession)

	x.handle("/refresh", func(w http.ResponseWriter, r *http.Request) error {
		s := x.m.From(r.Context())
		if _, err := x.m.RefreshSession(r.Context(), s.Handle(), time.Hour); err != nil {
			return err
		}
		idle, _ := s.Deadlines()
		_, err := fmt.Fprint(w, idle.Sub(x.clock.Now()))
		return err
	})
	require.Equal(t, "1h0m0s", b.Post("/refresh").Text)
}

// A handle that this process never made is found by walking.
func TestHandlesOfAnotherInstance(t *testing.T) {
	clock := bfftest.NewClock()
	store := bff.NewMapStore(clock)
	shared := func(m *bff.Manager) { m.Store, m.Secrets = store, [][]byte{[]byte("a secret")} }
	one, two := newSite(t, shared), newSite(t, shared)
	for i := range 30 {
		one.signedIn(fmt.Sprint("u", i))
	}
	b := one.signedIn("alice")
	h := one.m.HandleOf(one.sid(b))
	require.NoError(t, two.m.InvalidateSession(t.Context(), h, bff.ReasonRevoked))
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode)
	require.NotContains(t, h.String(), one.m.Prefix)
}

func TestStoresThatCannotListOrWatch(t *testing.T) {
	x := newCountingSite(t)
	x.signedIn("alice")
	_, err := x.m.ListActiveSessions(t.Context(), bff.Query{})
	require.ErrorIs(t, err, errors.ErrUnsupported)
	_, err = x.m.Count(t.Context())
	require.ErrorIs(t, err, errors.ErrUnsupported)
	for _, err := range x.m.Watch(t.Context(), bff.Filter{}, 0) {
		require.ErrorIs(t, err, errors.ErrUnsupported)
	}
}

func TestWatch(t *testing.T) {
	x := newSite(t)
	a, b := x.signedIn("alice"), x.signedIn("bob")
	a.Post("/put?a=1")
	b.Post("/logout")
	x.clock.Advance(15 * time.Minute)

	collect := func(f bff.Filter, n int) (types []bff.EventType, last bff.Event) {
		for e, err := range x.m.Watch(t.Context(), f, 0) {
			require.NoError(t, err)
			types = append(types, e.Type)
			if last = e; len(types) == n {
				break
			}
		}
		return types, last
	}
	types, last := collect(bff.Filter{User: "alice"}, 3)
	require.Equal(t, []bff.EventType{bff.EventCreated, bff.EventChanged, bff.EventExpired}, types)
	require.Equal(t, bff.Event{
		Seq: last.Seq, At: bfftest.Start.Add(15 * time.Minute), Type: bff.EventExpired, Handle: x.m.HandleOf(x.sid(a)), User: "alice", Reason: bff.ReasonIdle,
	}, last)
	types, last = collect(bff.Filter{Types: []bff.EventType{bff.EventRevoked}}, 1)
	require.Equal(t, []bff.EventType{bff.EventRevoked}, types)
	require.Equal(t, bff.ReasonLogout, last.Reason)
	_, last = collect(bff.Filter{Handle: x.m.HandleOf(x.sid(a))}, 1)
	require.Equal(t, bff.EventCreated, last.Type)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	coming := x.m.Watch(ctx, bff.Filter{}, bff.FromNow)
	x.signedIn("carol")
	for e, err := range coming {
		require.NoError(t, err)
		require.Equal(t, "carol", e.User)
		cancel()
	}
}

func TestSignals(t *testing.T) {
	x := newSite(t, func(m *bff.Manager) {
		m.Signals = []bff.Signal{
			{Kind: bff.SignalNetwork, Score: 1},
			{Kind: bff.SignalTwoNetworks, Score: 3, Then: bff.StepUp},
			{Kind: bff.SignalAgent, Score: 5, Then: bff.Revoke},
			{Kind: bff.SignalTampered, Score: 3}, {Kind: bff.SignalUnknown, Score: 5},
		}
	})
	b := x.on("alice", firefox, "198.51.100.7:1")
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Empty(t, x.seen)

	b.RemoteAddr = "198.51.100.200:9" // the same network
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Empty(t, x.seen)

	x.clock.Advance(time.Minute) // roaming is no crime
	b.RemoteAddr = "203.0.113.5:1"
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Equal(t, "alice", b.Get("/me").Text)
	require.Len(t, x.seen, 1, "told once")
	require.Equal(t, bff.SignalNetwork, x.seen[0].Kind)
	require.Equal(t, "203.0.113.0/24", x.seen[0].Network)

	b.RemoteAddr = "192.0.2.7:1" // within seconds
	res := b.Get("/me")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Contains(t, res.Text, "step-up")
	require.Equal(t, http.StatusOK, b.Post("/login?user=alice").StatusCode)
	require.Equal(t, "alice", b.Get("/me").Text)

	thief := b.Tab()
	thief.Header.Set("User-Agent", safari)
	require.Equal(t, http.StatusUnauthorized, thief.Get("/me").StatusCode)
	require.Equal(t, http.StatusUnauthorized, b.Get("/me").StatusCode, "the session is revoked")

	x.seen = nil
	c := x.browser()
	c.SetCookie("__Host-sid", "s%3Aguess.AAAA")
	c.Get("/me")
	require.Len(t, x.seen, 1)
	require.Equal(t, bff.SignalTampered, x.seen[0].Kind)

	x.seen = nil
	gone := x.signedIn("bob")
	late := gone.Tab()
	gone.Post("/logout")
	for range 50 {
		late.Get("/me")
	}
	require.Len(t, x.seen, 1, "a burst is told once")
	require.Equal(t, bff.SignalUnknown, x.seen[0].Kind)
}

// Weak signs alone end nothing by default (R24).
func TestDefaultSignalsOnlyTell(t *testing.T) {
	x := newSite(t)
	b := x.on("alice", firefox, "198.51.100.7:1")
	suspicion := -1
	x.handle("/suspicion", func(_ http.ResponseWriter, r *http.Request) error {
		suspicion = x.m.From(r.Context()).Suspicion()
		return nil
	})
	require.Equal(t, http.StatusOK, b.Get("/suspicion").StatusCode)
	require.Zero(t, suspicion)
	b.Header.Set("User-Agent", safari)
	b.RemoteAddr = "192.0.2.7:1"
	b.Get("/suspicion")
	require.Equal(t, 9, suspicion)
	require.Equal(t, "alice", b.Get("/me").Text)
}
