// Package repl speaks the replication protocol of Redis: it keeps the history that
// replicas read, and follows the history of a master. It knows the bytes and their
// order, not what they mean for a keyspace or for clients.
package repl

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/engine"
)

// How a link goes. It connects, introduces itself and asks the master to go on where
// the target's data end (PSYNC). The master does, or sends a snapshot first. Then
// comes a stream of commands without end, which the link cuts into units and hands to
// the target. A goroutine beside the reading one says every second how far the target
// has come. Whatever goes wrong ends the connection; the link waits a little, longer
// each time, and begins anew.

// Settings say where a link goes and how. They are asked for anew before each
// connection.
type Settings struct {
	Addr string // of the master, "host:port"
	// From is the local address to connect from; "" for any.
	From string
	TLS  *tls.Config // nil: without
	// User and Password are told the master, unless Password is empty; User may be.
	User, Password string
	// ListenPort and ListenIP are what the master is to tell others of us; 0 and ""
	// for what it sees itself.
	ListenPort int
	ListenIP   string
	// Timeout is how long the master may be silent, and a connection may take.
	Timeout time.Duration
	// MaxBulk is the longest string that a command may hold, in bytes; 0 for Redis'
	// own limit.
	MaxBulk int64
}

// Position is a place in a stream of commands.
type Position struct {
	ID     string // of the stream, 40 characters; "" for no place
	Offset int64  // how many bytes of it have been applied
	DB     int    // that it has selected there
}

// Target is what a link keeps equal to its master. Its methods are called one at a
// time, from the goroutine of Run.
type Target interface {
	// Settings are those for the next connection.
	Settings() Settings
	// Position is what the target's data are.
	Position() Position
	// Replace replaces all data by a snapshot, which it reads to its end. They are
	// those of the position then, whose DB is 0: a snapshot may tell another, which
	// Replace returns.
	Replace(ctx context.Context, at Position, s *Snapshot) (db int, err error)
	// Continue says that the master goes on at the target's position, in a stream
	// that is called id from there.
	Continue(id string) error
	// Apply repeats units in their order. They and their bytes are good until it
	// returns.
	Apply(units []Unit) error
	// Phase tells how far a connection has come. err is why the last one ended, for
	// PhaseConnect.
	Phase(p Phase, err error)
}

// Unit is an execution unit of the master: a command, or what is between MULTI and
// EXEC.
type Unit struct {
	// Steps are the commands that change something; there may be none.
	Steps []Step
	// Raw are the bytes of the stream. A position moves by their number.
	Raw []byte
	// DB is selected behind the unit.
	DB int
}

// Step is a command of a unit.
type Step struct {
	DB   int
	Argv [][]byte
}

// Phase is how far a connection has come, as ROLE tells it.
type Phase uint8

// The phases.
const (
	PhaseConnect    Phase = iota // between two connections
	PhaseConnecting              // the other side has not answered yet
	PhaseHandshake
	PhaseSync // a snapshot is being made, sent or loaded
	PhaseConnected
)

// String is ROLE's word.
func (p Phase) String() string {
	return [...]string{"connect", "connecting", "handshake", "sync", "connected"}[p]
}

// ErrProtocol is about a master that says what it should not.
var ErrProtocol = errors.New("repl: the master breaks the protocol")

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

// A link that fails waits from firstDelay to lastDelay, twice as long each time.
const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = 2 * time.Second
	// ackEvery is how often the master hears how far the target is.
	ackEvery = time.Second
)

// Link is a connection to a master that comes up again and again.
type Link struct {
	target Target
	log    *slog.Logger
	clock  engine.SystemClock
	heard  atomic.Int64 // when a byte came last, in milliseconds since the epoch
	// offset is how far the target is, for the goroutine that tells the master.
	offset atomic.Int64
}

// NewLink makes a link, which Run starts. A nil logger is told nothing.
func NewLink(target Target, log *slog.Logger) *Link {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Link{target: target, log: log}
}

// Heard is when the master was last heard of, by the machine's clock; the zero time
// for never. It may be called at any time.
func (l *Link) Heard() time.Time {
	if ms := l.heard.Load(); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

// Run keeps the target equal to its master until ctx ends.
func (l *Link) Run(ctx context.Context) {
	delay := firstDelay
	l.target.Phase(PhaseConnect, nil)
	for ctx.Err() == nil {
		streamed, err := l.once(ctx)
		if ctx.Err() != nil {
			return
		}
		l.target.Phase(PhaseConnect, err)
		if streamed {
			delay = firstDelay
		}
		if !l.sleep(ctx, delay) {
			return
		}
		delay = min(2*delay, lastDelay)
	}
}

// sleep says whether the time passed before ctx ended.
func (l *Link) sleep(ctx context.Context, d time.Duration) bool {
	over := make(chan struct{})
	stop := l.clock.AfterFunc(d, func() { close(over) })
	defer stop()
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}

// once is a connection from beginning to end. streamed: it came as far as commands.
func (l *Link) once(ctx context.Context) (streamed bool, err error) {
	set := l.target.Settings()
	l.target.Phase(PhaseConnecting, nil)
	c, err := l.dial(ctx, set)
	if err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer func() {
		stop()
		c.conn.Close()
	}()
	l.target.Phase(PhaseHandshake, nil)
	if err := c.introduce(set); err != nil {
		return false, err
	}
	at, full, err := c.psync(l.target.Position())
	if err != nil {
		return false, err
	}
	if full {
		l.target.Phase(PhaseSync, nil)
		if at.DB, err = l.replace(ctx, c, at); err != nil {
			return false, err
		}
		l.log.Info("the master's snapshot is loaded", "offset", at.Offset)
	} else if err := l.target.Continue(at.ID); err != nil {
		return false, err
	}
	l.offset.Store(at.Offset)
	l.target.Phase(PhaseConnected, nil)
	return true, l.follow(c, at.DB, set.MaxBulk)
}

// replace has the target take a snapshot over, while the master hears now and then
// that somebody is there.
func (l *Link) replace(ctx context.Context, c *connection, at Position) (db int, err error) {
	s, err := c.snapshot()
	if err != nil {
		return 0, err
	}
	end := l.beside(func() error { return c.write([]byte("\n")) }, nil)
	db, err = l.target.Replace(ctx, at, s)
	end()
	if err == nil {
		err = s.ended()
	}
	return db, err
}

// follow hands the stream to the target until it ends, which is always an error.
func (l *Link) follow(c *connection, db int, maxBulk int64) error {
	now := make(chan struct{}, 1)
	now <- struct{}{} // a master waits for it before it sends more
	end := l.beside(func() error { return c.ack(l.offset.Load()) }, now)
	defer end()
	s := newUnitReader(db, maxBulk)
	for {
		buf := s.buffer()
		n, err := c.in.Read(buf)
		if n > 0 {
			asked, err := s.wrote(buf, n, func(units []Unit) error {
				err := l.target.Apply(units)
				for _, u := range units {
					l.offset.Add(int64(len(u.Raw)))
				}
				return err
			})
			if err != nil {
				return err
			}
			if asked {
				select {
				case now <- struct{}{}:
				default: // it will be told anyway
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return errors.New("the master has closed the connection")
		}
		if err != nil {
			return fmt.Errorf("read from the master: %w", err)
		}
	}
}

// beside calls f every second, and whenever now says so, in a goroutine that end stops.
// An error of f ends it: the reading side will see what is wrong.
func (l *Link) beside(f func() error, now <-chan struct{}) (end func()) {
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := make(chan struct{}, 1)
		for {
			stop := l.clock.AfterFunc(ackEvery, func() { tick <- struct{}{} })
			select {
			case <-tick:
			case <-now:
				stop()
			case <-quit:
				stop()
				return
			}
			select { // a tick that came as well
			case <-tick:
			default:
			}
			if f() != nil {
				return
			}
		}
	})
	return func() {
		close(quit)
		wg.Wait()
	}
}
