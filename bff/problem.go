package bff

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// retryAfter is in how many seconds a client may try again when the store is down.
const retryAfter = 1

// WriteError answers a request with an error of this package, as
// application/problem+json: 401 without a session, 503 with Retry-After when the
// store is down, 409 for conflicts and limits, and otherwise 500. It tells no more
// than the kind of error, and takes no cookie away.
func WriteError(w http.ResponseWriter, _ *http.Request, err error) {
	switch {
	case errors.Is(err, ErrStore):
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		problem(w, http.StatusServiceUnavailable, "store-unavailable", "Sessions cannot be looked up at the moment.")
	case errors.Is(err, ErrStepUp):
		problem(w, http.StatusUnauthorized, "step-up", "Sign in again to go on.")
	case errors.Is(err, ErrExpired):
		problem(w, http.StatusUnauthorized, "session-expired", "The session has expired.")
	case errors.Is(err, ErrRevoked):
		problem(w, http.StatusUnauthorized, "session-revoked", "The session was ended.")
	case errors.Is(err, ErrNoSession):
		problem(w, http.StatusUnauthorized, "no-session", "Nobody is signed in.")
	case errors.Is(err, ErrLimit):
		problem(w, http.StatusConflict, "too-many-sessions", "There are as many sessions as one user may have.")
	case errors.Is(err, ErrConflict):
		problem(w, http.StatusConflict, "conflict", "The session was changed at the same time.")
	default:
		problem(w, http.StatusInternalServerError, "internal", "The session could not be used.")
	}
}

// problem writes a problem of RFC 9457.
func problem(w http.ResponseWriter, status int, kind, detail string) {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"urn:coatcheck:problem:" + kind, http.StatusText(status), status, detail})
	if err != nil {
		panic(err) // three strings and a number
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Length")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}
