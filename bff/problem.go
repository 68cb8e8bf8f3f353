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
		WriteProblem(w, http.StatusServiceUnavailable, "store-unavailable", "Sessions cannot be looked up at the moment.")
	case errors.Is(err, ErrStepUp):
		WriteProblem(w, http.StatusUnauthorized, "step-up", "Sign in again to go on.")
	case errors.Is(err, ErrExpired):
		WriteProblem(w, http.StatusUnauthorized, "session-expired", "The session has expired.")
	case errors.Is(err, ErrRevoked):
		WriteProblem(w, http.StatusUnauthorized, "session-revoked", "The session was ended.")
	case errors.Is(err, ErrNoSession):
		WriteProblem(w, http.StatusUnauthorized, "no-session", "Nobody is signed in.")
	case errors.Is(err, ErrLimit):
		WriteProblem(w, http.StatusConflict, "too-many-sessions", "There are as many sessions as one user may have.")
	case errors.Is(err, ErrConflict):
		WriteProblem(w, http.StatusConflict, "conflict", "The session was changed at the same time.")
	default:
		WriteProblem(w, http.StatusInternalServerError, "internal", "The session could not be used.")
	}
}

// WriteProblem answers with a problem of RFC 9457: kind is the last part of its type,
// detail says it in a sentence. Neither may have anything secret in it.
func WriteProblem(w http.ResponseWriter, status int, kind, detail string) {
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
