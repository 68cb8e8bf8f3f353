// Package server is a backend for a frontend, ready to run: logins with an OpenID
// provider, the session's own routes, a list of devices, live events, APIs behind the
// session, and a small page that shows all of it. Command coatcheck-bff is it with
// listeners.
//
// Load reads its configuration and refuses what is unsafe by the name of a rule.
package server
