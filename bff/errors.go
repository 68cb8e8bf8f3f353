package bff

import "errors"

// What operations fail with; compare with errors.Is. None of their texts has an
// id, a cookie or a value in it.
var (
	ErrNoSession = errors.New("bff: no session")
	ErrExpired   = errors.New("bff: session expired") // by the idle or the absolute timeout
	ErrRevoked   = errors.New("bff: session revoked")
	ErrConflict  = errors.New("bff: concurrent change")
	ErrStore     = errors.New("bff: store unavailable") // wraps the cause
	ErrLimit     = errors.New("bff: too many sessions for user")
	// ErrName is for members that the session keeps for itself, or that a Node
	// application would lose.
	ErrName = errors.New("bff: no name for a member")
	// ErrSealed is for sealed members that no key opens, or without any key.
	ErrSealed = errors.New("bff: no key for sealed members")
	// ErrStepUp is for a session whose user must sign in again, see Signal.
	ErrStepUp = errors.New("bff: the user must sign in again")
	// ErrGap is told by Watch when events were lost.
	ErrGap = errors.New("bff: events were missed")
	// ErrTooLate is for a new session after the response has begun: its cookie
	// could not be sent.
	ErrTooLate = errors.New("bff: the response has begun, a cookie cannot be sent")
)
