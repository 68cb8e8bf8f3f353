package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"coatcheck/bff"
)

// A login under way is remembered by the browser alone, in a cookie of its own for
// each: sealed, bound to the cookie's name, which has the state in it. So a login
// ends in the browser where it began, whichever instance it comes back to, and
// visitors who never sign in cost the store nothing.

// loginLife is how long a login may take.
const loginLife = 10 * time.Minute

// maxLogins is how many logins of one browser may be under way: each is a cookie,
// and a browser's requests must not grow too long.
const maxLogins = 4

// transaction is a login under way.
type transaction struct {
	State    string     `json:"s"`
	Nonce    string     `json:"n"`
	Verifier string     `json:"v"`
	ReturnTo string     `json:"r"`
	Before   bff.Handle `json:"b,omitempty"` // the session that the browser had
	Until    int64      `json:"u"`           // ms
}

// boxes seal transactions with a key for each secret of the Manager.
type boxes struct{ gcms []cipher.AEAD }

func newBoxes(secrets [][]byte) (*boxes, error) {
	b := &boxes{}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, "coatcheck bff login", 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		gcm, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		b.gcms = append(b.gcms, gcm)
	}
	return b, nil
}

func (b *boxes) seal(name string, t transaction) (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b.gcms[0].Seal(nil, nil, text, []byte(name))), nil
}

var errTransaction = errors.New("oidc: no login of this browser is under way by that state")

func (b *boxes) open(name, text string) (t transaction, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return t, errTransaction
	}
	for _, gcm := range b.gcms {
		plain, err := gcm.Open(nil, nil, sealed, []byte(name))
		if err == nil && json.Unmarshal(plain, &t) == nil {
			return t, nil
		}
	}
	return t, errTransaction
}

// loginPrefix is how names of these cookies begin. Where cookies are Secure no other
// host of the domain can write one.
func (c *Client) loginPrefix() string {
	if c.Manager.Cookie.Secure {
		return "__Host-login-"
	}
	return "login-"
}

// loginName is the name of the cookie of a login. 16 letters of the state tell it
// from others; whether it is the right state is compared.
func (c *Client) loginName(state string) string { return c.loginPrefix() + state[:16] }

// setLogin is the cookie of a login, "" to take it away. It must come along when the
// provider sends the browser back: that is SameSite=Lax.
func (c *Client) setLogin(w http.ResponseWriter, name, value string) {
	age := int(loginLife / time.Second)
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: c.Manager.Cookie.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// makeRoom takes the oldest of a browser's logins away: browsers send older cookies
// first.
func (c *Client) makeRoom(w http.ResponseWriter, r *http.Request) {
	var names []string
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, c.loginPrefix()) {
			names = append(names, cookie.Name)
		}
	}
	for i := 0; i <= len(names)-maxLogins; i++ {
		c.setLogin(w, names[i], "")
	}
}

// takeLogin is the login that a state belongs to. Its cookie is gone with the answer:
// a login ends once.
func (c *Client) takeLogin(w http.ResponseWriter, r *http.Request, state string) (transaction, error) {
	if len(state) < 16 || len(state) > 64 || strings.ContainsFunc(state, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return transaction{}, errTransaction
	}
	name := c.loginName(state)
	cookie, err := r.Cookie(name)
	if err != nil {
		return transaction{}, errTransaction
	}
	c.setLogin(w, name, "")
	t, err := c.boxes.open(name, cookie.Value)
	if err != nil || !same(t.State, state) || !c.clock.Now().Before(time.UnixMilli(t.Until)) {
		return transaction{}, errTransaction
	}
	return t, nil
}
