// Package connectredis speaks the formats of express-session and connect-redis:
// the signed cookie and the JSON that is stored, so that a Go program and
// unmodified Node applications work on the same sessions.
//
// It knows bytes only: no HTTP handlers, no store, nothing but the standard
// library.
package connectredis

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Errors of Verify. They never quote the cookie.
var (
	ErrUnsigned  = errors.New("connectredis: the cookie is not signed")
	ErrSignature = errors.New("connectredis: the cookie's signature fits no secret")
	ErrLength    = errors.New("connectredis: the session id is too long")
)

// MaxID is the longest session id that Verify lets pass, in bytes. Ids are
// opaque: whatever was signed is one.
const MaxID = 1024

// Sign returns "s:" + sid + "." + signature, which is what stands in the cookie
// before it is encoded for it. The signature is HMAC-SHA-256 in standard base64
// without padding (cookie-signature 1.0, sign).
func Sign(sid string, secret []byte) string {
	return "s:" + sid + "." + signature(sid, secret)
}

func signature(sid string, secret []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(sid))
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

// CookieValue is the value of a cookie that carries sid: Sign, encoded as
// encodeURIComponent does.
func CookieValue(sid string, secret []byte) string {
	return EncodeURIComponent(Sign(sid, secret))
}

// Verify returns the session id in a cookie's value, encoded or not, and which of
// the secrets signed it. It fails with ErrUnsigned, ErrSignature or ErrLength.
func Verify(value string, secrets ...[]byte) (sid string, signedBy int, err error) {
	if len(value) > 4*MaxID {
		return "", 0, ErrLength
	}
	signed, ok := strings.CutPrefix(decodeURIComponent(value), "s:")
	if !ok {
		return "", 0, ErrUnsigned
	}
	dot := strings.LastIndexByte(signed, '.')
	if dot < 0 {
		return "", 0, ErrSignature
	}
	sid, sig := signed[:dot], []byte(signed[dot+1:])
	if len(sid) > MaxID {
		return "", 0, ErrLength
	}
	for i, secret := range secrets {
		if hmac.Equal(sig, []byte(signature(sid, secret))) {
			return sid, i, nil
		}
	}
	return "", 0, ErrSignature
}

// FirstCookie is the value of the first cookie of that name in a request, as
// Node's parser sees it: a second one is not looked at, also when the first is
// nonsense (cookie 0.7, parse).
func FirstCookie(h http.Header, name string) (value string, ok bool) {
	for _, line := range h["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			key, val, found := strings.Cut(pair, "=")
			if !found || strings.TrimSpace(key) != name {
				continue
			}
			val = strings.TrimSpace(val)
			if len(val) >= 2 && val[0] == '"' && val[len(val)-1] == '"' {
				val = val[1 : len(val)-1]
			}
			return val, true
		}
	}
	return "", false
}

// EncodeURIComponent is JavaScript's function of that name, for a string in
// UTF-8.
func EncodeURIComponent(s string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; isUnreserved(c) {
			out.WriteByte(c)
		} else {
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return out.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.!~*'()", c) >= 0
}

// decodeURIComponent leaves alone what cannot be decoded, as Node's parser of
// cookies does.
func decodeURIComponent(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return out
}
