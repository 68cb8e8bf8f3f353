package bff

import (
	"encoding/json"
	"fmt"
	"time"

	"coatcheck/bff/connectredis"
)

// Codec turns a session's members into the bytes that are stored, and back.
type Codec interface {
	// Decode reads a stored value, which may come from another program.
	Decode(value []byte) (*connectredis.Document, error)
	// Encode writes doc, whose cookie is c for a session that has none yet. It
	// may change doc.
	Encode(doc *connectredis.Document, c connectredis.Cookie, now time.Time) ([]byte, error)
	// Check says why a member cannot be kept.
	Check(name string, val json.RawMessage) error
}

// ConnectRedis stores what express-session with connect-redis would, so that Node
// applications work on the same sessions.
type ConnectRedis struct{}

// Decode implements Codec.
func (ConnectRedis) Decode(value []byte) (*connectredis.Document, error) {
	return connectredis.Parse(value)
}

// Encode implements Codec: the member "cookie" is there, with a new expiry.
func (ConnectRedis) Encode(doc *connectredis.Document, c connectredis.Cookie, now time.Time) ([]byte, error) {
	if err := doc.SetCookie(c, now); err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

// Check implements Codec: names and integers that Node would lose are refused.
func (ConnectRedis) Check(name string, val json.RawMessage) error {
	if err := connectredis.CheckName(name); err != nil {
		return fmt.Errorf("%w: %w", ErrName, err)
	}
	return connectredis.CheckValue(val)
}

// JSON stores the members alone, for sessions that no Node application reads.
type JSON struct{}

// Decode implements Codec.
func (JSON) Decode(value []byte) (*connectredis.Document, error) { return connectredis.Parse(value) }

// Encode implements Codec.
func (JSON) Encode(doc *connectredis.Document, _ connectredis.Cookie, _ time.Time) ([]byte, error) {
	return doc.Bytes(), nil
}

// Check implements Codec.
func (JSON) Check(string, json.RawMessage) error { return nil }
