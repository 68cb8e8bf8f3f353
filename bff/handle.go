package bff

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"sync"
)

// Handle names a session in lists, logs and URLs: a keyed hash of its id, which
// says nothing of the id and opens nothing. It is made with the first of the
// Manager's secrets; those made with older ones are still understood.
type Handle string

// String is the handle as text.
func (h Handle) String() string { return string(h) }

// handleBytes of a hash make a handle: 20 letters.
const handleBytes = 15

// handles makes handles and remembers some of them, so that a session can be
// found by a handle that was in a list a moment ago.
type handles struct {
	keys [][]byte // one for each secret

	mu        sync.Mutex
	now, then map[Handle]string // to ids; then is the generation before now
}

// maxLearned handles make a generation.
const maxLearned = 1 << 14

func newHandles(secrets [][]byte) (*handles, error) {
	h := &handles{now: map[Handle]string{}}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, "coatcheck bff handle", sha256.Size)
		if err != nil {
			return nil, err
		}
		h.keys = append(h.keys, key)
	}
	return h, nil
}

func hashID(key []byte, sid string) Handle {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(sid))
	return Handle(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:handleBytes]))
}

// of is the handle of an id.
func (h *handles) of(sid string) Handle { return hashID(h.keys[0], sid) }

// learned is of, remembered.
func (h *handles) learned(sid string) Handle {
	handle := h.of(sid)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.now) >= maxLearned {
		h.now, h.then = map[Handle]string{}, h.now
	}
	h.now[handle] = sid
	return handle
}

// recall is the id that a handle was made of, if it is remembered.
func (h *handles) recall(handle Handle) (sid string, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if sid, ok = h.now[handle]; !ok {
		sid, ok = h.then[handle]
	}
	return sid, ok
}

// fits says whether a handle was made of an id, with any of the secrets.
func (h *handles) fits(handle Handle, sid string) bool {
	for _, key := range h.keys {
		if hashID(key, sid) == handle {
			return true
		}
	}
	return false
}
