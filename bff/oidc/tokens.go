package oidc

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"coatcheck/bff"
)

// tokensName is the sealed member with the tokens.
const tokensName = "oidc"

// tokens are what the provider gave.
type tokens struct {
	Access  string `json:"at"`
	Refresh string `json:"rt,omitempty"`
	ID      string `json:"it,omitempty"`  // the hint for a logout
	Until   int64  `json:"exp,omitempty"` // of the access token, ms; 0: not known
	Scope   string `json:"scp,omitempty"`
}

// tokensOf are the tokens of an answer. What a renewal does not repeat stays.
func tokensOf(tok *oauth2.Token, have tokens) tokens {
	have.Access = tok.AccessToken
	if tok.RefreshToken != "" {
		have.Refresh = tok.RefreshToken
	}
	if raw, ok := tok.Extra("id_token").(string); ok && raw != "" {
		have.ID = raw
	}
	if scope, ok := tok.Extra("scope").(string); ok && scope != "" {
		have.Scope = scope
	}
	have.Until = 0
	if tok.ExpiresIn > 0 {
		have.Until = tok.ExpiresIn // seconds from now; see at
	}
	return have
}

// at makes Until a time: answers say in how many seconds, by whatever clock.
func (t tokens) at(now time.Time) tokens {
	if t.Until > 0 {
		t.Until = now.Add(time.Duration(t.Until) * time.Second).UnixMilli()
	}
	return t
}

// read are the tokens of a session.
func read(s *bff.Session) (tokens, error) {
	var t tokens
	ok, err := s.Open(tokensName, &t)
	if err == nil && !ok {
		err = ErrNoToken
	}
	return t, err
}

// lasts says whether the access token is good for d more.
func (c *Client) lasts(t tokens, d time.Duration) bool {
	return t.Until == 0 || c.clock.Now().Add(d).Before(time.UnixMilli(t.Until))
}

// AccessToken is the access token of the request's session, renewed when it is about
// to end: once, however many requests of however many instances ask. The request must
// be under Manager.Handler.
//
// It fails with ErrNoToken, with ErrTokenEnded, with ErrProvider when the token has
// ended and the provider does not answer, with the errors of package bff, and with
// bff.ErrNoSession when the provider renews it no more: then the session has ended.
func (c *Client) AccessToken(ctx context.Context) (string, error) {
	if err := c.Check(); err != nil {
		return "", err
	}
	s := c.Manager.From(ctx)
	if err := s.Err(); err != nil {
		return "", err
	}
	t, err := read(s)
	if err != nil {
		return "", err
	}
	if c.lasts(t, c.Ahead) {
		return t.Access, nil
	}
	if t.Refresh == "" {
		if c.lasts(t, 0) {
			return t.Access, nil
		}
		return "", ErrTokenEnded
	}
	renewed, err := c.renew(ctx, s)
	if err != nil && c.lasts(t, 0) && (errors.Is(err, ErrProvider) || errors.Is(err, errBusy)) {
		return t.Access, nil // it is good for a moment more
	}
	return renewed, err
}

// waitsAtMost is how long a request waits for others to renew its token.
const waitsAtMost = 20 * time.Second

// errBusy is ErrProvider for a renewal by others that goes on too long.
var errBusy = errors.Join(ErrProvider, errors.New("a renewal under way takes too long"))

// renew has the tokens of a session renewed, by this request or another.
func (c *Client) renew(ctx context.Context, s *bff.Session) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, waitsAtMost)
	defer cancel()
	h := s.Handle()
	done, err := c.board(ctx, h)
	if err != nil {
		return "", err
	}
	defer done()
	for {
		// Another may have renewed them while this one waited.
		if err := c.Manager.Reload(ctx); err != nil {
			return "", err
		}
		t, err := read(s)
		if err != nil {
			return "", err
		}
		if c.lasts(t, c.Ahead) {
			c.count("joined")
			return t.Access, nil
		}
		release, ok, err := c.lock(ctx, h)
		if err != nil {
			return "", storeFailed(err)
		}
		if ok {
			defer release()
			return c.renewLocked(ctx, s)
		}
		if err := pause(ctx, 25*time.Millisecond); err != nil {
			return "", errBusy
		}
	}
}

// board waits until no other request of this process renews the session's tokens, and
// takes its place.
func (c *Client) board(ctx context.Context, h bff.Handle) (done func(), err error) {
	for {
		c.mu.Lock()
		other, busy := c.flights[h]
		if !busy {
			mine := make(chan struct{})
			c.flights[h] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				delete(c.flights, h)
				c.mu.Unlock()
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, errBusy
		}
	}
}

// pause waits on the machine's clock: what is waited for is another process.
func pause(ctx context.Context, d time.Duration) error {
	over := make(chan struct{})
	stop := bff.SystemClock{}.AfterFunc(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lock takes the lock that all instances see, and keeps it until release.
func (c *Client) lock(ctx context.Context, h bff.Handle) (release func(), ok bool, err error) {
	key, mine := c.noteKey("renews", h.String()), rand.Text()
	ok, err = c.Notes.Claim(ctx, key, mine, c.LockFor)
	if err != nil || !ok {
		return nil, false, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pause(ctx, c.LockFor/3) == nil {
			if still, err := c.Notes.Extend(ctx, key, mine, c.LockFor); err == nil && !still {
				return // it went on for too long without a word; what is written compares
			}
		}
	}()
	return func() {
		cancel()
		<-ended
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Manager.StoreTimeout)
		defer cancel()
		_ = c.Notes.Release(undo, key, mine) // it ends by itself
	}, true, nil
}

// renewLocked renews the tokens. Nobody else does.
func (c *Client) renewLocked(ctx context.Context, s *bff.Session) (string, error) {
	if err := c.Manager.Reload(ctx); err != nil { // once more, now that the lock is ours
		return "", err
	}
	t, err := read(s)
	if err != nil {
		return "", err
	}
	if c.lasts(t, c.Ahead) {
		c.count("joined")
		return t.Access, nil
	}
	p, err := c.discover(ctx)
	if err != nil {
		c.count("failed")
		return "", err
	}
	// The refresh token is spent when the request arrives, whether the browser
	// waits for the answer or not.
	detached := context.WithoutCancel(ctx)
	tok, err := c.oauth(p).TokenSource(c.withHTTP(detached), &oauth2.Token{RefreshToken: t.Refresh}).Token()
	if err != nil {
		return "", c.renewFailed(detached, s, err)
	}
	next := tokensOf(tok, t).at(c.clock.Now())
	if err := c.keep(detached, next); err != nil {
		c.revoke(detached, next) // nobody could ever use them
		c.count("failed")
		return "", err
	}
	c.count("ok")
	return next.Access, nil
}

// keep stores renewed tokens. A store that does not answer is asked again: without
// them the session is lost.
func (c *Client) keep(ctx context.Context, t tokens) (err error) {
	for try := range 4 {
		if try > 0 {
			if pause(ctx, 50*time.Millisecond<<try) != nil {
				return err
			}
		}
		err = c.Manager.Update(ctx, func(s *bff.Session) error { return s.Seal(tokensName, t) })
		if !errors.Is(err, bff.ErrStore) && !errors.Is(err, bff.ErrConflict) {
			return err
		}
	}
	return err
}

// renewFailed is what follows from a provider's no: the session ends, when it is a no
// for good.
func (c *Client) renewFailed(ctx context.Context, s *bff.Session, err error) error {
	var re *oauth2.RetrieveError
	if !errors.As(err, &re) || re.ErrorCode != "invalid_grant" || re.Response.StatusCode >= http.StatusInternalServerError {
		c.count("failed")
		return c.providerFailed(ctx, "token refresh", err)
	}
	c.count("ended")
	h := s.Handle()
	c.Logger.LogAttrs(ctx, slog.LevelInfo, "session ended: its refresh token is good no more", slog.String("sid", h.String()))
	if err := c.Manager.InvalidateSession(ctx, h, bff.ReasonTokens); err != nil && !errors.Is(err, bff.ErrNoSession) {
		return err
	}
	if err := c.Manager.SignOut(ctx); err != nil { // the cookie goes, too
		return err
	}
	return bff.ErrRevoked
}

// count tells the metrics of a renewal.
func (c *Client) count(result string) {
	if c.Manager.Metrics != nil {
		c.Manager.Metrics.TokenRefresh(result)
	}
}
