// Package server serves clients: connections and their state, the gates before
// a command, the transports, and the commands about connections and the server
// itself. It knows the engine and the command table, not what commands mean.
//
// # How a request goes
//
// A transport reads a client's bytes into its parser, takes the engine's lock,
// calls Server.turn, which takes commands from the parser, passes each through
// the gates and runs it, appending to a reply buffer, and after unlocking the
// transport writes that buffer. Loops do this for many clients at a time.
//
// Everything in Server, Client and Table is guarded by the engine's lock unless
// its comment says otherwise.
package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/pubsub"
	"coatcheck/resp"
)

// ErrClosed is returned by Dial and Listen after Shutdown.
var ErrClosed = errors.New("server: closed")

// Options say what a Server is made of.
type Options struct {
	Config *config.Config // required; the server's own from now on
	Engine *engine.Engine // required; the caller closes it after Shutdown
	Logger *slog.Logger   // nil: nothing is logged
	// Addr is a TCP address "host:port" to listen on besides those of Config;
	// its port 0 is any that is free. Empty for none.
	Addr string
	// TLS, unless nil, is what Addr is served with.
	TLS *tls.Config
	// Intercept, unless nil, is asked before every command, under the
	// engine's lock: it must not block or call the server.
	Intercept func(c ClientView, argv [][]byte) Verdict
	// GoroutinePerConn serves sockets by a goroutine pair each also where
	// loops are available.
	GoroutinePerConn bool
	// OnShutdown is called (in a goroutine of its own) when a client asked
	// for SHUTDOWN.
	OnShutdown func()
	// FS is where snapshots are kept, in Config's directory; nil: nowhere.
	FS disk.FS
	// Loads says that Load will be called: until then clients get -LOADING.
	Loads bool
}

// ClientView is what an Intercept may know of a client.
type ClientView struct {
	ID         int64
	Name, Addr string
	User       string
	DB         int
	Proto      int // 2 or 3
}

// Verdict is what an Intercept wants done with a command; the zero value runs it.
type Verdict struct {
	Err   error         // reply with this instead of running it
	Delay time.Duration // first wait so long by the machine's clock
	Drop  bool          // close the connection without a reply
}

// Server is one store with its clients. Several in a process share nothing.
type Server struct {
	eng   *engine.Engine
	cfg   *config.Config
	log   *slog.Logger
	clock engine.Clock

	runID   string
	started time.Time
	// now is when the running command began: the time that the last one ended.
	now time.Time
	// at is the time last read from the clock. It differs from now within a unit of
	// several commands, whose time stands still.
	at     time.Time
	within int         // such units that run, one in another
	began  time.Time   // when the batch did
	held   engine.Held // valid while a batch runs
	// buffers is what the engine was told of the clients' buffers, in bytes.
	buffers      int64
	clientMemory clientMemory
	keys         [engine.WarmKeys][]byte // of commands to come, while they are looked at
	table        *Table
	Stats        Stats
	admin
	scripts   scripts
	saves     saves
	appendLog appendLog
	repl      *replication
	syncs     sync.WaitGroup // snapshots for replicas

	clients  registry
	running  *Client // whose turn it is
	monitors []*Client
	pubsub   pubsub.Registry[*Client]
	tracking tracking
	pause    pause
	watches  watches
	spare    []*transaction
	blocked  *blocked
	users    users
	oversoft map[*Client]struct{} // clients over their soft output limit

	intercept    func(c ClientView, argv [][]byte) Verdict
	onShutdown   func()
	goroutines   bool
	proto        resp.Limits // of an authenticated client, from cfg
	protoUnauth  resp.Limits // of one that has not authenticated
	outputChecks int64       // replies longer than this look at the output limits

	addr      string // Options.Addr
	addrTLS   bool   // … is served with Options.TLS
	listening listening
	loops     loops
	conns     sync.WaitGroup  // goroutines that serve connections
	ending    context.Context // ends when nothing is waited for any more
	end       context.CancelFunc
	closed    bool
	cron      func() // stops the timer of the housekeeping
}

// New makes a server. It serves nobody before Listen or Dial.
func New(opts Options) (*Server, error) {
	if opts.Config == nil || opts.Engine == nil {
		return nil, errors.New("server: Config and Engine are required")
	}
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		eng: opts.Engine, cfg: opts.Config, log: log, clock: opts.Engine.Clock(),
		addr: opts.Addr, intercept: opts.Intercept, goroutines: opts.GoroutinePerConn, onShutdown: opts.OnShutdown,
		oversoft: map[*Client]struct{}{},
	}
	s.ending, s.end = context.WithCancel(context.Background())
	var id [20]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, fmt.Errorf("make a run id: %w", err)
	}
	s.runID = hex.EncodeToString(id[:])
	s.started = s.clock.Now()
	s.now, s.at = s.started, s.started
	s.saves = saves{fs: opts.FS, last: s.started, took: -1}
	if opts.Loads {
		s.saves.loading = &loading{started: s.started}
	}
	s.appendLog.took = -1
	s.appendLog.acks = map[*waiter]struct{}{}
	if opts.FS == nil && opts.Config.AOF.On {
		return nil, fmt.Errorf("server: appendonly: %w", errNoDirectory)
	}
	s.clients.init()
	s.scripts.srv = s
	if s.addrTLS = opts.TLS != nil; s.addrTLS {
		s.listening.tls.Store(opts.TLS)
	}
	s.table = newTable()
	if err := s.startUsers(rulesTable()); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if err := s.table.rename(opts.Config.Renames); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.held = s.eng.Lock()
	s.held.AddSink(&s.saves)
	s.ConfigChanged()
	s.blocked = newBlocked(s)
	s.repl = newReplication(s)
	s.startAdmin()
	s.startCron()
	s.held.Unlock()
	return s, nil
}

// ConfigChanged takes over what the server keeps a copy of, after a change of
// the configuration. The caller holds the engine's lock.
func (s *Server) ConfigChanged() {
	s.proto = resp.DefaultLimits
	s.proto.MaxBulk, s.proto.MaxBuffer = min(s.cfg.ProtoMaxBulkLen, engine.MaxValue), s.cfg.ClientQueryBufferLimit
	s.protoUnauth = s.proto
	s.protoUnauth.Unauthenticated = true
	s.limitsChanged()
	s.memoryChanged()
	s.clientMemoryChanged()
}

// Engine is the store that the server serves.
func (s *Server) Engine() *engine.Engine { return s.eng }

// Config is the configuration in force, guarded by the engine's lock.
func (s *Server) Config() *config.Config { return s.cfg }

// Table is the command table with each command's statistics.
func (s *Server) Table() *Table { return s.table }

// Dial connects in process: no socket, no port. The connection is served like
// any other. network and addr fit the Dialer options of clients; they are not
// looked at.
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	near, far := newPipe()
	if !s.serveConn(far, kindPipe) {
		return nil, ErrClosed
	}
	return near, nil
}

// Shutdown stops accepting, lets running commands finish, flushes what clients
// have not read yet, and closes all connections. When ctx ends first, what is
// left is closed at once and ctx's error returned. The engine stays open.
func (s *Server) Shutdown(ctx context.Context) error {
	s.StopScripts()
	h := s.eng.Lock()
	already := s.closed
	s.closed = true
	stopCron := s.cron
	s.cron = nil
	if !already {
		s.unpause()
		for c := range s.clients.all() {
			c.wake() // its turn sees that the server is closed
		}
	}
	h.Unlock()
	if stopCron != nil {
		stopCron()
	}
	s.stopAccepting()
	done := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
		s.end()
		h = s.eng.Lock()
		for c := range s.clients.all() {
			c.kill()
		}
		h.Unlock()
		<-done
	}
	s.end()
	s.stopLoops()
	s.scripts.end()
	if !already {
		if e := s.shutLog(); e != nil {
			err = errors.Join(err, fmt.Errorf("the append-only log ends without its last changes: %w", e))
		}
	}
	s.endReplication()
	s.detach(already)
	return err
}

// StopScripts ends the script that runs, and refuses others, so that none holds up the
// end. What it has written stays.
func (s *Server) StopScripts() { s.scripts.stopping.Store(true) }

// detach ends what the engine does for a server that has ended.
func (s *Server) detach(already bool) {
	if already {
		return
	}
	h := s.eng.Lock()
	defer h.Unlock()
	s.blocked.disarm()
	for _, sink := range []engine.Sink{&s.watches, &s.tracking, s.blocked, &s.notifier, s.sessions, s.policies} {
		h.RemoveSink(sink)
	}
	h.SetGuard(nil)
}
