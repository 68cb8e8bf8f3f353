// Package oidctest is an OpenID provider for tests: one line starts it, and it does
// what providers do, strictly.
//
//	op := oidctest.Run(t, oidctest.Options{})
//	// op.Issuer(), op.ClientID(), op.ClientSecret()
//
// It has discovery, keys, the authorization code flow with PKCE, state and nonce (all
// of them demanded), the iss parameter of RFC 9207, refresh tokens that are good
// once, userinfo, revocation, logout from both sides, and a sender of logout tokens,
// right ones and each kind of wrong one. A test moves its clock, takes it down, slows
// it, has it answer with errors, changes its keys, and edits what it signs.
//
// It keeps all in memory and knows no passwords: it is for nothing but tests and
// development.
package oidctest
