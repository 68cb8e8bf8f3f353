// Package coatchecktest gives a test a session store of its own: a Coatcheck
// server that any Redis client can use, whose clock the test moves, which fails
// when it is told to, remembers what it was asked, and closes itself.
//
//	func TestLogin(t *testing.T) {
//		srv := coatchecktest.Run(t)
//		rdb := redis.NewClient(&redis.Options{Addr: srv.Addr()})
//		…
//		srv.Advance(15 * time.Minute) // the session has expired now
//	}
//
// Tests may run in parallel; their servers share nothing. All methods may be
// called from any goroutine; those that fail a test when something is wrong say
// so, and belong into the test's own goroutine.
package coatchecktest

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/instance"
	"coatcheck/internal/server"
)

// Server is the store of one test.
type Server struct {
	*Database // number 0

	t     testing.TB
	clock *fakeClock // nil: the machine's
	cfg   *config.Config
	log   *slog.Logger
	eng   *engine.Engine
	addr  string
	tls   *tls.Config

	mu      sync.Mutex
	running *server.Server // nil between Stop and Restart
	faults  []*Fault
	record  record
	events  events
}

type options struct {
	clock  *fakeClock
	flags  []string
	addr   string
	tls    *tls.Config
	logger *slog.Logger
}

// Option changes how Run starts a server.
type Option func(*options)

// RealClock lets the store's time be the machine's. Advance and SetTime fail then.
func RealClock() Option { return func(o *options) { o.clock = nil } }

// StartAt is what the store's clock shows at first, in milliseconds; without it,
// the machine's time.
func StartAt(t time.Time) Option { return func(o *options) { o.clock = newFakeClock(t) } }

// Password is what clients must authenticate with.
func Password(pw string) Option { return Config("requirepass", pw) }

// Config sets a parameter of redis.conf, such as "maxmemory", "10mb".
func Config(name, value string) Option {
	return func(o *options) { o.flags = append(o.flags, "--"+name+"="+value) }
}

// TLS serves the address with TLS; cfg needs a certificate.
func TLS(cfg *tls.Config) Option { return func(o *options) { o.tls = cfg } }

// PipeOnly opens no port: clients come by Dial. Tests with testing/synctest
// need it.
func PipeOnly() Option { return func(o *options) { o.addr = "" } }

// Logger hears what the server logs; without it, nobody does.
func Logger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// Run starts a server for t on a free port of 127.0.0.1, with a clock that stands
// still until the test moves it. It closes when t ends. It fails t when it cannot
// start.
func Run(t testing.TB, opts ...Option) *Server {
	t.Helper()
	o := options{clock: newFakeClock(engine.SystemClock{}.Now()), addr: "127.0.0.1:0"}
	for _, opt := range opts {
		opt(&o)
	}
	cfg, err := config.Load(config.Sources{Args: append([]string{"--port=0"}, o.flags...)})
	if err != nil {
		t.Fatalf("coatchecktest: %v", err)
	}
	s := &Server{t: t, clock: o.clock, cfg: cfg, log: o.logger, addr: o.addr, tls: o.tls}
	s.Database = &Database{s: s}
	var clock engine.Clock
	if o.clock != nil {
		clock = o.clock
	}
	s.eng = instance.NewEngine(instance.Options{Config: cfg, Clock: clock})
	s.watchEvents()
	s.start()
	t.Cleanup(s.close)
	return s
}

// start makes a server on the engine and the address.
func (s *Server) start() {
	s.t.Helper()
	srv, err := instance.Serve(s.eng, instance.Options{
		Config: s.cfg, Logger: s.log, Addr: s.addr, TLS: s.tls, Intercept: s.intercept,
	})
	if err != nil {
		s.t.Fatalf("coatchecktest: %v", err)
	}
	addr := srv.Addr()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = srv
	if addr != nil {
		s.addr = addr.String()
	}
}

func (s *Server) close() {
	s.Stop()
	s.eng.Close()
}

// Addr is where the server listens: "127.0.0.1:49152"; "" with PipeOnly. It stays
// the same through Stop and Restart.
func (s *Server) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Host and Port are the two halves of Addr.
func (s *Server) Host() string {
	host, _, _ := net.SplitHostPort(s.Addr())
	return host
}

// Port is the port of Addr.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr())
	return port
}

// Dial connects in process, without a socket. It fits the dialer options of
// client libraries, such as go-redis' Options.Dialer; network and addr are not
// looked at.
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.mu.Lock()
	in := s.running
	s.mu.Unlock()
	if in == nil {
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: errStopped}
	}
	return in.Dial(ctx, network, addr)
}

// Engine is the store itself.
func (s *Server) Engine() *engine.Engine { return s.eng }

// RequireAuth changes the password that clients must authenticate with; "" for
// none. Clients that are connected stay as they are.
func (s *Server) RequireAuth(password string) {
	s.t.Helper()
	s.SetConfig("requirepass", password)
}

// RequireUser makes clients authenticate as a user with all rights: the default one is
// off from now on. Clients that are connected stay as they are.
func (s *Server) RequireUser(name, password string) {
	s.t.Helper()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if running == nil {
		s.t.Fatal("coatchecktest: RequireUser while the server is stopped")
	}
	err := running.SetUser(name, "reset", "on", ">"+password, "~*", "&*", "+@all")
	if err == nil {
		err = running.SetUser("default", "off")
	}
	if err != nil {
		s.t.Fatalf("coatchecktest: %v", err)
	}
}

// SetConfig changes a parameter, as CONFIG SET does. It fails the test when the
// server would refuse.
func (s *Server) SetConfig(name, value string) {
	s.t.Helper()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	h := s.eng.Lock()
	err := s.cfg.Set([]string{name, value}, true)
	if err == nil && running != nil {
		running.ConfigChanged()
	}
	h.Unlock()
	if err != nil {
		s.t.Fatalf("coatchecktest: set %s: %v", name, err)
	}
}

// Stop stops serving: connections close, new ones are refused. The data stays,
// and so does the clock. It does nothing when already stopped.
func (s *Server) Stop() {
	s.mu.Lock()
	in := s.running
	s.running = nil
	s.mu.Unlock()
	if in != nil {
		instance.Stop(in)
	}
}

// Restart serves again, on the same address and with the same data. It fails
// the test when the address has been taken meanwhile.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.start()
}

// Now is the store's time.
func (s *Server) Now() time.Time { return s.eng.Clock().Now() }

// Advance moves the clock forwards. Keys that expire on the way do so each at
// its moment, with their expired events, before Advance returns.
func (s *Server) Advance(d time.Duration) {
	s.t.Helper()
	s.SetTime(s.Now().Add(d))
}

// SetTime sets the clock, forwards as Advance does, or back.
func (s *Server) SetTime(t time.Time) {
	s.t.Helper()
	if s.clock == nil {
		s.t.Fatalf("coatchecktest: a real clock cannot be set")
	}
	// Whoever has just had a reply may be here before its batch has let go of the lock and
	// has set the timer of what it wrote.
	s.eng.Lock().Unlock()
	s.clock.moveTo(t)
}
