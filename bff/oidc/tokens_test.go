package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"coatcheck/bff"
	"coatcheck/bff/bfftest"
	"coatcheck/bff/bfftest/oidctest"
	"coatcheck/bff/bfftest/storetest"
	"coatcheck/bff/oidc"
)

func TestNotes(t *testing.T) {
	clock := bfftest.NewClock()
	storetest.RunNotes(t, oidc.NewNotes(clock), clock.Advance)
}

func failing(w *world) *bfftest.Store { return bfftest.NewStore(w.under) }

// watchedNotes tell of locks.
type watchedNotes struct {
	oidc.Notes
	claims, extends atomic.Int64
	err             atomic.Pointer[error]
}

func (n *watchedNotes) failed() error {
	if err := n.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (n *watchedNotes) Claim(ctx context.Context, key, text string, ttl time.Duration) (bool, error) {
	n.claims.Add(1)
	if err := n.failed(); err != nil {
		return false, err
	}
	return n.Notes.Claim(ctx, key, text, ttl)
}

func (n *watchedNotes) Extend(ctx context.Context, key, text string, ttl time.Duration) (bool, error) {
	n.extends.Add(1)
	return n.Notes.Extend(ctx, key, text, ttl)
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, 20*time.Second, time.Millisecond)
}

func TestTokensAreRenewedInTime(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	d.signIn()
	calls := w.op.Calls(oidctest.Token)
	w.clock.Advance(4*time.Minute + 29*time.Second)
	require.Equal(t, "alice", d.Get("/token").Text)
	require.Equal(t, calls, w.op.Calls(oidctest.Token))
	w.clock.Advance(2 * time.Second)
	for range 3 {
		require.Equal(t, "alice", d.Get("/token").Text)
	}
	require.Equal(t, calls+1, w.op.Calls(oidctest.Token))
	for range 20 { // each refresh token is good once
		w.clock.Advance(5 * time.Minute)
		require.Equal(t, "alice", d.Get("/token").Text)
	}
	require.Equal(t, calls+21, w.op.Calls(oidctest.Token))
}

// Row 13: one refresh for a session at a time, over all requests of all instances; the
// others get the new token.
func TestSingleFlight(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	d.signIn()
	other := w.instance(nil)
	w.clock.Advance(5 * time.Minute)
	calls := w.op.Calls(oidctest.Token)
	held := w.op.Hold(oidctest.Token)
	var wg sync.WaitGroup
	var good atomic.Int64
	for i := range 40 {
		tab := d.Tab()
		handler := http.Handler(w.app)
		if i%2 == 1 {
			handler = other
		}
		wg.Go(func() {
			rec := newRecorder()
			handler.ServeHTTP(rec, tab.Request(http.MethodGet, "/token", ""))
			if rec.Code == http.StatusOK && rec.Body.String() == "alice" {
				good.Add(1)
			}
		})
	}
	<-held.Arrived
	held.Release()
	wg.Wait()
	require.EqualValues(t, 40, good.Load())
	require.Equal(t, calls+1, w.op.Calls(oidctest.Token))
	require.Equal(t, 1, w.op.LiveGrants("alice"))
}

// The lock lives as long as the refresh does, however slow the provider.
func TestLockIsRenewedWhileItRuns(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	notes := &watchedNotes{Notes: oidc.NewNotes(bff.SystemClock{})}
	quick := func(i *instance) { i.c.Notes, i.c.LockFor = notes, 150*time.Millisecond }
	one, two := w.instance(quick), w.instance(quick)
	w.app.Handler = one
	d := w.device()
	d.signIn()
	w.clock.Advance(5 * time.Minute)
	calls := w.op.Calls(oidctest.Token)
	held := w.op.Hold(oidctest.Token)
	done := make(chan int, 2)
	for _, i := range []*instance{one, two} {
		tab := d.Tab()
		go func() {
			rec := newRecorder()
			i.ServeHTTP(rec, tab.Request(http.MethodGet, "/token", ""))
			done <- rec.Code
		}()
		if i == one {
			<-held.Arrived
		}
	}
	start := notes.extends.Load()
	eventually(t, func() bool { return notes.extends.Load() >= start+8 }) // 400 ms: beyond the lock's own life
	require.Equal(t, calls+1, w.op.Calls(oidctest.Token))
	held.Release()
	require.Equal(t, http.StatusOK, <-done)
	require.Equal(t, http.StatusOK, <-done)
	require.Equal(t, calls+1, w.op.Calls(oidctest.Token))
}

// An instance that vanished while it held the lock keeps others for a while only.
func TestLockOfTheVanished(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	notes := &watchedNotes{Notes: w.notes}
	w.app.Handler = w.instance(func(i *instance) { i.c.Notes = vanished{notes} })
	d := w.device()
	d.signIn()
	w.clock.Advance(5 * time.Minute)
	d.Get("/token") // takes the lock, fails, and never lets it go
	w.app.Handler = w.instance(func(i *instance) { i.c.Notes = notes })
	before := notes.claims.Load()
	done := make(chan int)
	tab := d.Tab()
	go func() {
		rec := newRecorder()
		w.app.ServeHTTP(rec, tab.Request(http.MethodGet, "/token", ""))
		done <- rec.Code
	}()
	eventually(t, func() bool { return notes.claims.Load() > before+1 })
	w.clock.Advance(5 * time.Second)
	require.Equal(t, http.StatusOK, <-done)
}

// vanished are the Notes of an instance that dies with the lock in its hand.
type vanished struct{ oidc.Notes }

func (v vanished) Claim(ctx context.Context, key, text string, ttl time.Duration) (bool, error) {
	if _, err := v.Notes.Claim(ctx, key, text, ttl); err != nil {
		return false, err
	}
	return false, errors.New("gone")
}

// R19: a refresh token that is dead ends the session, its cookie and its streams.
func TestR19_DeadRefreshTokenEndsTheSession(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d, other := w.device(), w.device()
	d.signIn()
	thief := d.Tab()
	w.op.EndGrants("alice")
	other.signIn()
	w.clock.Advance(5 * time.Minute)
	status, kind := problem(t, d.Get("/token"))
	require.Equal(t, http.StatusUnauthorized, status)
	require.Equal(t, "session-revoked", kind)
	require.Empty(t, d.Cookie("__Host-sid"), "the cookie is gone")
	require.Equal(t, http.StatusUnauthorized, thief.Get("/me").StatusCode)
	require.Equal(t, "alice", other.Get("/token").Text, "other sessions of the user live")
	var why []bff.Reason
	ctx, cancel := context.WithCancel(t.Context())
	for e, err := range w.app.m.Watch(ctx, bff.Filter{Types: []bff.EventType{bff.EventRevoked}}, 0) {
		require.NoError(t, err)
		why = append(why, e.Reason)
		break
	}
	cancel()
	require.Equal(t, []bff.Reason{bff.ReasonTokens}, why)
}

// A provider in trouble ends nothing.
func TestRefreshWithProviderInTrouble(t *testing.T) {
	for name, fault := range map[string]oidctest.Fault{
		"down": {}, "500": {Status: 500}, "503 with invalid_grant": {Status: 503, Error: "invalid_grant"},
		"wrong client": {Status: 401, Error: "invalid_client"}, "busy": {Status: 429}, "another error": {Status: 400, Error: "temporarily_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, oidctest.Options{})
			d := w.device()
			d.signIn()
			w.op.Fail(oidctest.Token, fault)
			w.clock.Advance(4*time.Minute + 45*time.Second)
			require.Equal(t, "alice", d.Get("/token").Text, "the token is good for a moment more")
			w.clock.Advance(15 * time.Second)
			status, kind := problem(t, d.Get("/token"))
			require.Equal(t, http.StatusServiceUnavailable, status)
			require.Equal(t, "provider-unavailable", kind)
			d.requireSignedIn(true)
			w.op.Heal(oidctest.Token)
			require.Equal(t, "alice", d.Get("/token").Text)
		})
	}
}

func TestSessionsWithoutTokens(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("/in", func(_ http.ResponseWriter, r *http.Request) {
		require.NoError(t, w.app.m.SignIn(r.Context(), bff.Identity{User: "dev"}))
		_, err := w.app.c.AccessToken(r.Context())
		require.ErrorIs(t, err, oidc.ErrNoToken)
		to, err := w.app.c.LogOut(r.Context())
		require.NoError(t, err)
		require.Empty(t, to)
		_, err = w.app.c.AccessToken(r.Context())
		require.ErrorIs(t, err, bff.ErrRevoked)
	})
	bfftest.NewBrowser(t, w.app.m.Handler(mux)).Post("/in")
}

// A logout that overtakes a refresh wins, and what the provider gave is revoked.
func TestLogoutOvertakesARefresh(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	d := w.device()
	d.signIn()
	w.clock.Advance(5 * time.Minute)
	held := w.op.Hold(oidctest.Token)
	tab, done := d.Tab(), make(chan int)
	go func() {
		rec := newRecorder()
		w.app.ServeHTTP(rec, tab.Request(http.MethodGet, "/token", ""))
		done <- rec.Code
	}()
	<-held.Arrived
	h := w.app.m.HandleOf(sid(t, d))
	require.NoError(t, w.app.m.InvalidateSession(t.Context(), h, bff.ReasonLogout))
	held.Release()
	require.Equal(t, http.StatusUnauthorized, <-done)
	require.Zero(t, w.op.LiveGrants("alice"))
	d.requireSignedIn(false)
}

// A store that fails while renewed tokens are stored is asked again.
func TestStoreStumblesWhileTokensAreStored(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	store := &stumbling{Store: failing(w)}
	w.app.Handler = w.instance(func(i *instance) { i.m.Store = store }).Handler
	d := w.device()
	d.signIn()
	w.clock.Advance(5 * time.Minute)
	store.stumbles.Store(2)
	require.Equal(t, "alice", d.Get("/token").Text)
	w.clock.Advance(5 * time.Minute)
	require.Equal(t, "alice", d.Get("/token").Text, "the new refresh token was stored")
}

type stumbling struct {
	*bfftest.Store
	stumbles atomic.Int64
}

func (s *stumbling) Replace(ctx context.Context, key string, old []byte, r bff.Record) error {
	if s.stumbles.Add(-1) >= 0 {
		return errors.New("down")
	}
	return s.Store.Replace(ctx, key, old, r)
}

// Notes that cannot be asked are a store that is down.
func TestNotesDown(t *testing.T) {
	w := newWorld(t, oidctest.Options{})
	notes := &watchedNotes{Notes: w.notes}
	w.app.Handler = w.instance(func(i *instance) { i.c.Notes = notes }).Handler
	d := w.device()
	d.signIn()
	w.clock.Advance(5 * time.Minute)
	down := errors.New("down")
	notes.err.Store(&down)
	status, kind := problem(t, d.Get("/token"))
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "store-unavailable", kind)
	token := w.op.LogoutToken(oidctest.Logout{Sub: "alice"})
	require.Equal(t, http.StatusServiceUnavailable, w.backchannel(token).StatusCode)
	notes.err.Store(nil)
	require.Equal(t, http.StatusOK, w.backchannel(token).StatusCode, "the same token may come again")
	d.requireSignedIn(false)
}
