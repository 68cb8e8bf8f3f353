package connectredis

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Errors about what Node would lose or damage.
var (
	ErrReserved = errors.New("connectredis: Node drops members of this name")
	ErrInteger  = errors.New("connectredis: Node damages integers beyond 2^53")
)

// reserved are the names that stand on express-session's Session object, on its
// prototype or on Object's: a member of such a name is gone after Node rewrote
// the session (express-session 1.19, session/session.js).
var reserved = map[string]bool{
	"id": true, "req": true,
	"touch": true, "resetMaxAge": true, "save": true, "reload": true, "destroy": true, "regenerate": true,
	"constructor": true, "hasOwnProperty": true, "isPrototypeOf": true, "propertyIsEnumerable": true,
	"toLocaleString": true, "toString": true, "valueOf": true, "__proto__": true,
	"__defineGetter__": true, "__defineSetter__": true, "__lookupGetter__": true, "__lookupSetter__": true,
}

// CheckName says whether a member of that name survives Node. It fails with
// ErrReserved.
func CheckName(name string) error {
	if reserved[name] {
		return fmt.Errorf("%w: %q", ErrReserved, name)
	}
	return nil
}

// maxSafe is the largest integer that JavaScript's numbers hold, with all below.
const maxSafe = 1<<53 - 1

// CheckValue says whether a JSON value survives Node. It fails with ErrInteger.
func CheckValue(val json.RawMessage) error {
	dec := json.NewDecoder(bytes.NewReader(val))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return nil // the end; the value is JSON
		}
		num, ok := tok.(json.Number)
		if !ok || bytes.ContainsAny([]byte(num), ".eE") {
			continue
		}
		if n, err := strconv.ParseInt(string(num), 10, 64); err != nil || n > maxSafe || n < -maxSafe {
			return ErrInteger
		}
	}
}
