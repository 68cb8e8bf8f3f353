// Package oidc signs users of package bff in with an OpenID provider, and out again.
//
// The application is a confidential client: it asks for a code, with PKCE, state and
// nonce, and the tokens that it gets for it stay in a sealed member of the session.
// No handler, log line or error shows them. They are renewed when they are about to
// end, by one request of one instance at a time; when the provider renews them no
// more, the session ends.
//
//	c := &oidc.Client{Manager: m, Issuer: "https://id.example.com", ID: "app", Secret: "…",
//		RedirectURL: "https://app.example.com/bff/callback"}
//	mux.Handle("GET /bff/login", m.Handler(http.HandlerFunc(c.Login)))
//	mux.Handle("GET /bff/callback", m.Handler(http.HandlerFunc(c.Callback)))
//	mux.Handle("POST /bff/backchannel", http.HandlerFunc(c.Backchannel))
//
// Package server has these and the rest of a BFF put together.
package oidc
