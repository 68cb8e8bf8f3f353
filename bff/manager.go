package bff

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Manager runs the sessions of an application. Make one with New, Compatible or
// FromEnv, set its fields, and use it; they must not change after the first use,
// and then it is safe for concurrent use.
type Manager struct {
	// Store keeps the sessions; nil: a map in this process.
	Store Store
	// Codec is how a session is stored; nil: ConnectRedis.
	Codec Codec
	// Secrets sign the cookies: the first signs, all of them verify. Without any,
	// each process makes one up, which only a local Store allows.
	Secrets [][]byte
	// Keys seal members; nil: Seal fails.
	Keys *Keyring
	// Prefix stands before ids in the store: "myapp:".
	Prefix string
	Cookie Cookie

	// IdleTimeout ends a session that nobody uses; it must be positive.
	IdleTimeout time.Duration
	// Lifetime ends a session however much it is used; 0: never.
	Lifetime time.Duration
	// TouchEvery is how much of the idle timeout may pass before a request
	// moves the deadline again; 0: each request does.
	TouchEvery time.Duration
	// Slides says which requests count as use of a session; nil: all. Polling
	// should not.
	Slides func(*http.Request) bool
	// RenewGrace is how long Renew lets requests with the old id through, which
	// were under way; 0: the old id is dead at once. SignIn never does.
	RenewGrace time.Duration

	// MaxPerUser bounds the sessions of one user; 0: no bound. AtLimit is what
	// happens to one more.
	MaxPerUser int
	AtLimit    LimitPolicy
	// OnConflict is what a write does that meets another's.
	OnConflict ConflictPolicy
	// Shared says that other programs make sessions in the Store, too. What
	// concerns one user then walks all sessions, unless the Store's index sees
	// what others write.
	Shared bool
	// UserPaths are where a stored session has its user's id, when SignIn did
	// not write it; nil: "passport.user" and "passport.user.id".
	UserPaths []string
	// Passport has SignIn write what Passport reads, {"passport":{"user":…}},
	// so that Node applications see the user signed in.
	Passport bool

	// StoreTimeout bounds each call of the Store.
	StoreTimeout time.Duration
	// RecheckEvery is how often the session of an open stream is looked up when
	// the Store does not tell of sessions that end.
	RecheckEvery time.Duration
	// TrustedProxies are whose X-Forwarded-For and X-Forwarded-Proto count.
	TrustedProxies []netip.Prefix
	// TrustedOrigins may send requests across origins that Protect guards:
	// "https://app.example.com".
	TrustedOrigins []string
	// Signals are what may be signs of a stolen session, and what to do then;
	// nil: DefaultSignals.
	Signals []Signal
	// OnSighting is told of each Signal that was seen; nil: only the log is.
	OnSighting func(Sighting)

	// Logger hears of sessions at level debug, and of trouble above; nil:
	// slog.Default. It never gets an id, a token, a cookie or a value.
	Logger *slog.Logger
	// Metrics is told of all that happens; nil: nobody.
	Metrics Metrics
	// Clock is the time; nil: the machine's.
	Clock Clock
	// ErrorHandler answers a request that failed for a reason of ours; nil:
	// WriteError.
	ErrorHandler func(http.ResponseWriter, *http.Request, error)

	ready   sync.Once
	wrong   error
	clock   Clock
	log     *slog.Logger
	metrics Metrics
	handles *handles
	grace   *Keyring // seals new ids under old ones
	live    *live
	watched *sightings
	csrf    *http.CrossOriginProtection
}

// LimitPolicy is what happens when a user has MaxPerUser sessions and signs in.
type LimitPolicy int

// The policies.
const (
	EvictOldest LimitPolicy = iota // the oldest session ends
	Refuse                         // SignIn fails with ErrLimit
)

// ConflictPolicy is what happens to a write that meets another's.
type ConflictPolicy int

// The policies.
const (
	// MergeKeys repeats the changed members on what is there now. When both
	// changed one member, the later write has it.
	MergeKeys ConflictPolicy = iota
	// Fail fails with ErrConflict.
	Fail
)

// New is a Manager with the safe defaults: a "__Host-" cookie, Secure, HttpOnly
// and SameSite=Strict, 15 minutes of idleness, 12 hours in all. It works as it is.
func New() *Manager {
	return &Manager{
		Prefix:       "myapp:",
		Cookie:       Cookie{Name: "__Host-sid", Path: "/", Secure: true, HTTPOnly: true, SameSite: http.SameSiteStrictMode},
		IdleTimeout:  15 * time.Minute,
		Lifetime:     12 * time.Hour,
		TouchEvery:   time.Minute,
		StoreTimeout: 250 * time.Millisecond,
		RecheckEvery: 5 * time.Second,
	}
}

// Compatible is a Manager that shares sessions with Node applications which use
// express-session and connect-redis: their cookie, their JSON, Passport's user.
// The secrets, the Prefix and the rest of the Cookie must be set as they are
// there.
func Compatible(secrets ...string) *Manager {
	m := New()
	m.Cookie = Cookie{Name: "connect.sid", Path: "/", Secure: true, HTTPOnly: true, Persistent: true, OnlyHTTPS: true}
	m.Prefix = "sess:"
	m.Shared, m.Passport = true, true
	for _, s := range secrets {
		m.Secrets = append(m.Secrets, []byte(s))
	}
	return m
}

// Check says what is wrong with the fields. Handler, Require and Protect panic
// with it: a program should not start like that.
func (m *Manager) Check() error {
	m.ready.Do(func() { m.wrong = m.start() })
	return m.wrong
}

// must is Check for those who cannot return an error.
func (m *Manager) must() {
	if err := m.Check(); err != nil {
		panic(err)
	}
}

func (m *Manager) start() error {
	if err := m.validate(); err != nil {
		return err
	}
	m.fill()
	secrets, err := m.secrets()
	if err != nil {
		return err
	}
	m.Secrets = secrets
	if m.handles, err = newHandles(secrets); err != nil {
		return err
	}
	if m.grace, err = graceKeys(secrets); err != nil {
		return err
	}
	m.csrf = http.NewCrossOriginProtection()
	for _, origin := range m.TrustedOrigins {
		if err := m.csrf.AddTrustedOrigin(origin); err != nil {
			return fmt.Errorf("bff: trusted origin: %w", err)
		}
	}
	m.live = newLive(m)
	m.watched = newSightings()
	if m.Signals == nil {
		m.Signals = DefaultSignals()
	}
	return nil
}

// fill puts defaults in the place of nil.
func (m *Manager) fill() {
	if m.clock = m.Clock; m.clock == nil {
		m.clock = SystemClock{}
	}
	if m.log = m.Logger; m.log == nil {
		m.log = slog.Default()
	}
	if m.metrics = m.Metrics; m.metrics == nil {
		m.metrics = noMetrics{}
	}
	if m.Store == nil {
		m.Store = newMapStore(m.clock)
	}
	if m.Codec == nil {
		m.Codec = ConnectRedis{}
	}
	if m.UserPaths == nil {
		m.UserPaths = []string{"passport.user", "passport.user.id"}
	}
	if m.ErrorHandler == nil {
		m.ErrorHandler = WriteError
	}
}

func (m *Manager) validate() error {
	if err := m.Cookie.Validate(); err != nil {
		return err
	}
	// The value: 32 letters of id and 43 of signature, some of them encoded.
	if room := maxCookie - len(m.Cookie.Name); room < 256 {
		return errors.New("bff: the cookie's name leaves no room for a value")
	}
	switch {
	case m.IdleTimeout <= 0:
		return errors.New("bff: IdleTimeout must be positive")
	case m.Lifetime < 0 || m.TouchEvery < 0 || m.RenewGrace < 0:
		return errors.New("bff: a negative duration")
	case m.TouchEvery >= m.IdleTimeout:
		return errors.New("bff: TouchEvery must be shorter than IdleTimeout, or sessions in use would expire")
	case m.Cookie.Persistent && m.IdleTimeout > maxExpiry:
		return errors.New("bff: browsers keep no cookie for more than 400 days")
	case m.StoreTimeout <= 0 || m.RecheckEvery <= 0:
		return errors.New("bff: StoreTimeout and RecheckEvery must be positive")
	case m.MaxPerUser < 0:
		return errors.New("bff: a negative MaxPerUser")
	}
	return nil
}

// secrets are the Manager's, or one of this process.
func (m *Manager) secrets() ([][]byte, error) {
	for _, s := range m.Secrets {
		if len(s) == 0 {
			return nil, errors.New("bff: an empty secret")
		}
	}
	if len(m.Secrets) > 0 {
		return m.Secrets, nil
	}
	if local, ok := m.Store.(interface{ Local() bool }); !ok || !local.Local() {
		return nil, errors.New("bff: sessions that outlive the process need Secrets")
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	return [][]byte{secret}, nil
}

func graceKeys(secrets [][]byte) (*Keyring, error) {
	ring := &Keyring{}
	for i, s := range secrets {
		gcm, err := newGCM(append([]byte("renewed "), s...))
		if err != nil {
			return nil, err
		}
		ring.keys = append(ring.keys, sealKey{fmt.Sprint(i), gcm})
	}
	return ring, nil
}

// newID is 192 bits of chance, as express-session writes them.
func newID() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// userOf is whose session a document is.
func (m *Manager) userOf(doc interface{ User(...string) string }, mt meta) string {
	if mt.Sub != "" {
		return mt.Sub
	}
	return doc.User(m.UserPaths...)
}

// id is the session id in what may be an id or a key.
func (m *Manager) id(idOrKey string) string { return strings.TrimPrefix(idOrKey, m.Prefix) }
