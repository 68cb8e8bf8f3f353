package server

import (
	"crypto/sha256"
	"crypto/subtle"

	"coatcheck/engine/errs"
)

// defaultUser is the user of every connection until it authenticates as another.
const defaultUser = "default"

// passHash is the SHA-256 of the default user's password; off without one.
type passHash struct {
	on  bool
	sum [sha256.Size]byte
}

func (p *passHash) set(password string) {
	p.on = password != ""
	p.sum = sha256.Sum256([]byte(password))
}

// matches compares in constant time.
func (p *passHash) matches(password []byte) bool {
	sum := sha256.Sum256(password)
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

var (
	errWrongPass = &errs.Error{Code: "WRONGPASS", Text: "invalid username-password pair or user is disabled."}
	errNoPass    = &errs.Error{Code: "ERR", Text: "AUTH <password> called without any password configured for the default user. " +
		"Are you sure your configuration is correct?"}
)

// authenticate logs the client in. It fails with the same error for a wrong
// user and a wrong password.
func (c *Client) authenticate(user, password []byte) error {
	s := c.srv
	// The password is compared whatever the user, so that the time tells nothing.
	right := s.passHash.matches(password) || !s.passHash.on
	if string(user) != defaultUser || !right {
		return errWrongPass
	}
	c.authenticated, c.user = true, defaultUser
	c.in.Limits = s.proto
	return nil
}
