// Package bff keeps web sessions: for a backend for a frontend, or any handler of
// net/http.
//
//	m := bff.New()
//	mux.Handle("POST /login", …)                    // m.SignIn(r.Context(), bff.Identity{User: "alice"})
//	mux.Handle("GET /me", m.Require(…))             // m.From(r.Context()).UserID()
//	http.ListenAndServeTLS(…, m.Handler(mux))
//
// What it promises: the id changes at a sign-in and the old one is dead; a session
// that has ended stays so, also for requests under way; two requests that change
// one session lose neither's change; reading writes nothing, and asks the store
// once; nothing is stored when a handler panics; streams close when their session
// ends. Idle and absolute timeouts count in the store.
//
// The package itself knows the standard library only. Stores live beside it:
// memstore, redisstore, embedded, scsstore. By default sessions are stored as
// express-session and connect-redis do, so that Node applications can share them.
package bff
