package bff

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"coatcheck/bff/connectredis"
)

// Keyring has the keys of sealed members: the first seals, all of them open. To
// change keys, put a new one in front, call Manager.Reseal once all instances
// know it, and take the old one away.
type Keyring struct{ keys []sealKey }

type sealKey struct {
	id  string
	gcm cipher.AEAD
}

// Key is a secret of a Keyring with its name.
type Key struct {
	ID     string // stored beside what it sealed; a date will do
	Secret []byte // 32 bytes or more of chance
}

// NewKeyring makes a Keyring. It fails when there is no key, two have one ID, or
// a secret is too short.
func NewKeyring(keys ...Key) (*Keyring, error) {
	ring := &Keyring{}
	for _, k := range keys {
		if k.ID == "" || ring.find(k.ID) != nil {
			return nil, fmt.Errorf("bff: key id %q is empty or used twice", k.ID)
		}
		if len(k.Secret) < 32 {
			return nil, fmt.Errorf("bff: key %q has less than 32 bytes", k.ID)
		}
		gcm, err := newGCM(k.Secret)
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, sealKey{k.ID, gcm})
	}
	if len(ring.keys) == 0 {
		return nil, ErrSealed
	}
	return ring, nil
}

func newGCM(secret []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "coatcheck bff sealed", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (k *Keyring) find(id string) *sealKey {
	if k == nil {
		return nil
	}
	for i := range k.keys {
		if k.keys[i].id == id {
			return &k.keys[i]
		}
	}
	return nil
}

// box is what is stored of sealed members: AES-256-GCM over the JSON object of
// them, bound to the session's key, so that it opens nowhere else.
type box struct {
	Key  string `json:"k"`
	Text string `json:"c"` // nonce and ciphertext, base64
}

// seal closes a box; key is the session's.
func (k *Keyring) seal(doc *connectredis.Document, key string) (*box, error) {
	if k == nil {
		return nil, ErrSealed
	}
	first := k.keys[0]
	text := first.gcm.Seal(nil, nil, doc.Bytes(), []byte(key))
	return &box{first.id, base64.RawStdEncoding.EncodeToString(text)}, nil
}

// open opens a box; nil is an empty one.
func (k *Keyring) open(b *box, key string) (*connectredis.Document, error) {
	if b == nil {
		return &connectredis.Document{}, nil
	}
	with := k.find(b.Key)
	if with == nil {
		return nil, ErrSealed
	}
	text, err := base64.RawStdEncoding.DecodeString(b.Text)
	if err != nil {
		return nil, ErrSealed
	}
	plain, err := with.gcm.Open(nil, nil, text, []byte(key))
	if err != nil {
		return nil, ErrSealed
	}
	return connectredis.Parse(plain)
}

// isCurrent says whether a box was closed with the first key.
func (k *Keyring) isCurrent(b *box) bool { return b == nil || k != nil && b.Key == k.keys[0].id }

// reseal moves a box to another session key, and to the first key of the ring,
// with changes to its members.
func (k *Keyring) reseal(b *box, from, to string, changes *changes) (*box, error) {
	doc, err := k.open(b, from)
	if err != nil {
		return nil, err
	}
	changes.apply(doc)
	if len(doc.Bytes()) <= len("{}") {
		return nil, nil
	}
	return k.seal(doc, to)
}

// changes are members to set or delete, in the order in which they were first
// named.
type changes struct {
	names []string
	vals  map[string]json.RawMessage // nil: delete
}

func (c *changes) put(name string, val json.RawMessage) {
	if c.vals == nil {
		c.vals = map[string]json.RawMessage{}
	}
	if _, again := c.vals[name]; !again {
		c.names = append(c.names, name)
	}
	c.vals[name] = val
}

func (c *changes) any() bool { return len(c.names) > 0 }

// apply repeats the changes on a document.
func (c *changes) apply(doc *connectredis.Document) {
	for _, name := range c.names {
		if val := c.vals[name]; val != nil {
			doc.Set(name, val)
		} else {
			doc.Delete(name)
		}
	}
}

func (c *changes) clone() changes {
	out := changes{}
	for _, name := range c.names {
		out.put(name, c.vals[name])
	}
	return out
}
