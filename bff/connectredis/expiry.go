package connectredis

import (
	"encoding/json"
	"fmt"
	"time"
)

// Cookie is the member "cookie" of a stored session, which Node insists on. The
// order of the fields is that of the JSON.
type Cookie struct {
	// OriginalMaxAge is the idle timeout in milliseconds; nil for a cookie that
	// ends with the browser.
	OriginalMaxAge *int64 `json:"originalMaxAge"`
	Partitioned    bool   `json:"partitioned,omitempty"`
	Priority       string `json:"priority,omitempty"`
	// Expires is when the session would end if nobody touched it after this was
	// written: a touch does not rewrite it. Whether a session lives says the
	// key's time to live alone.
	Expires  *Time  `json:"expires"`
	Secure   bool   `json:"secure,omitempty"`
	HTTPOnly bool   `json:"httpOnly,omitempty"`
	Domain   string `json:"domain,omitempty"`
	Path     string `json:"path,omitempty"`
	SameSite string `json:"sameSite,omitempty"` // "lax", "strict", "none"
}

// Time is a time as JavaScript's Date writes it: UTC, three decimals, "Z".
type Time time.Time

const dateLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + time.Time(t).UTC().Format(dateLayout) + `"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(b []byte) error {
	var in time.Time
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*t = Time(in)
	return nil
}

// SetCookie writes the member "cookie": c in full for a session that has none,
// and otherwise only its expiry, as the session's own originalMaxAge says; what
// else stands there is the business of whoever wrote it.
func (d *Document) SetCookie(c Cookie, now time.Time) error {
	have, ok := d.Get("cookie")
	old, err := Parse(have)
	if !ok || err != nil {
		if c.OriginalMaxAge != nil {
			c.Expires = expiry(now, *c.OriginalMaxAge)
		}
		val, err := Marshal(c)
		if err == nil {
			d.prepend("cookie", val)
		}
		return err
	}
	var age *int64
	if raw, ok := old.Get("originalMaxAge"); ok {
		var ms float64
		if err := json.Unmarshal(raw, &ms); err == nil && string(raw) != "null" {
			n := int64(ms)
			age = &n
		}
	}
	if age == nil {
		return nil
	}
	val, err := Marshal(expiry(now, *age))
	if err != nil {
		return fmt.Errorf("connectredis: %w", err)
	}
	old.Set("expires", val)
	d.Set("cookie", old.Bytes())
	return nil
}

func expiry(now time.Time, ms int64) *Time {
	t := Time(now.Add(time.Duration(ms) * time.Millisecond))
	return &t
}

// prepend sets a member and puts it first, where express-session has the cookie.
func (d *Document) prepend(name string, val json.RawMessage) {
	d.Delete(name)
	d.Set(name, val)
	last := len(d.members) - 1
	m := d.members[last]
	copy(d.members[1:], d.members[:last])
	d.members[0] = m
	d.index()
}

// MaxAge is the idle timeout that the session itself names, 0 for none.
func (d *Document) MaxAge() time.Duration {
	raw, ok := d.Lookup("cookie.originalMaxAge")
	if !ok {
		return 0
	}
	var ms float64
	if json.Unmarshal(raw, &ms) != nil || ms < 0 || ms > float64(1<<50) {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// TTL is how long connect-redis lets a session live that it stores at now, in
// whole seconds rounded up: until the cookie's expires, or for fallback without
// one (connect-redis' option ttl; its default is 24 hours). What is not above
// zero means that the key is deleted.
func (d *Document) TTL(now time.Time, fallback time.Duration) time.Duration {
	raw, ok := d.Lookup("cookie.expires")
	var at Time
	if !ok || string(raw) == "null" || at.UnmarshalJSON(raw) != nil {
		return fallback
	}
	left := time.Time(at).Sub(now)
	if over := left % time.Second; over > 0 {
		left += time.Second - over
	} else {
		left -= over // towards zero: ceil of a negative number
	}
	return left
}
