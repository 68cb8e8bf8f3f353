// Package coatcheck is a session store inside a Go process: it speaks the Redis
// protocol on an address of your choice, or to this process alone.
//
//	srv, err := coatcheck.Start(ctx, coatcheck.Options{})
//	…
//	rdb := redis.NewClient(&redis.Options{Dialer: srv.Dial})
//
// Any number of servers may live in one process; they share nothing.
package coatcheck

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/instance"
	"coatcheck/internal/server"
)

// Options configure a Server. The zero value is an empty store without a
// password that only this process can reach.
type Options struct {
	// Addr is where to listen on TCP, "127.0.0.1:0" for a free port; "" for
	// nowhere: then Dial is the way in.
	Addr string
	// TLS, unless nil, is what Addr is served with; it needs a certificate.
	TLS *tls.Config
	// Password is what clients must authenticate with; "" for none.
	Password string
	// Databases is the number of databases for SELECT; 0 means 16.
	Databases int
	// MaxMemory bounds the data, in bytes; 0 is no bound. What happens at the
	// bound says Config's "maxmemory-policy"; by default writes are refused.
	MaxMemory int64
	// Dir is where the data are kept: Start reads them from there, SAVE and
	// BGSAVE write them, and so does Shutdown when Config has save points
	// ("save": "3600 1 300 100"). "" keeps them in memory only.
	Dir string
	// Clock tells the store's time; nil: the machine's. Tests put in their own.
	Clock engine.Clock
	// Logger hears of closed clients, attacks and the like; nil: nobody does.
	Logger *slog.Logger
	// Config sets parameters of redis.conf by name, such as
	// "maxmemory-policy": "volatile-ttl" or "tls-port": "6380". They win over
	// the fields above.
	Config map[string]string
}

// Server is a store with its clients.
type Server struct {
	srv      *server.Server
	password string
	forget   func() bool // lets go of Start's context
	end      sync.Once
	err      error // of the first Shutdown
}

// Start starts a server. When ctx ends, the server closes as by Close.
//
// It fails when an option is wrong, or the address cannot be listened on. It
// takes less than a millisecond and, until there is data, less than a megabyte.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	cfg, err := opts.load()
	if err != nil {
		return nil, fmt.Errorf("coatcheck: %w", err)
	}
	s := &Server{password: cfg.RequirePass}
	s.srv, err = instance.Start(instance.Options{
		Config: cfg, Clock: opts.Clock, Logger: opts.Logger, Addr: opts.Addr, TLS: opts.TLS, FS: opts.fs(),
	})
	if err != nil {
		return nil, fmt.Errorf("coatcheck: %w", err)
	}
	s.forget = context.AfterFunc(ctx, s.close)
	return s, nil
}

// fs is where the data are kept; nil: nowhere.
func (o Options) fs() disk.FS {
	if _, named := o.Config["dir"]; o.Dir == "" && !named {
		return nil
	}
	return disk.OS{}
}

// saved saves for the last time, where that is asked for.
func (s *Server) saved() error {
	if err := s.srv.SaveAtEnd(); err != nil {
		return fmt.Errorf("coatcheck: what came since the last save is lost: %w", err)
	}
	return nil
}

// load is the configuration that the options say.
func (o Options) load() (*config.Config, error) {
	flags := []string{"--port=0"}
	if o.Password != "" {
		flags = append(flags, "--requirepass="+o.Password)
	}
	if o.Databases != 0 {
		flags = append(flags, "--databases="+strconv.Itoa(o.Databases))
	}
	if o.Dir != "" {
		flags = append(flags, "--dir="+o.Dir)
	}
	if o.MaxMemory != 0 {
		flags = append(flags, "--maxmemory="+strconv.FormatInt(o.MaxMemory, 10))
	}
	for _, name := range slices.Sorted(maps.Keys(o.Config)) {
		flags = append(flags, "--"+name+"="+o.Config[name])
	}
	cfg, err := config.Load(config.Sources{Args: flags})
	if wrong := (*config.Error)(nil); errors.As(err, &wrong) {
		// The words for a command line would puzzle in a program.
		return nil, fmt.Errorf("option %s: %w", strings.TrimPrefix(wrong.Text, "--"), wrong.Err)
	}
	return cfg, err
}

// Addr is where TCP clients connect, "127.0.0.1:49152"; "" for a server without
// an address.
func (s *Server) Addr() string {
	if addr := s.srv.Addr(); addr != nil {
		return addr.String()
	}
	return ""
}

// Dial connects to the server in process: no socket, no port. It is what a
// client library's dialer option wants; network and addr are not looked at.
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return s.srv.Dial(ctx, network, addr)
}

// Password is what clients must authenticate with; "" for none.
func (s *Server) Password() string { return s.password }

// Engine is the store itself, for Go code that wants no protocol in between.
// The server closes it.
func (s *Server) Engine() *engine.Engine { return s.srv.Engine() }

// Shutdown stops accepting clients, lets the connected ones read the replies
// they are owed, and closes everything. When ctx ends first, what is left is
// closed at once and ctx's error returned. The data is gone afterwards, but for
// what was saved in Dir. Calling it again returns what the first call did.
func (s *Server) Shutdown(ctx context.Context) error {
	s.forget()
	s.end.Do(func() {
		s.err = errors.Join(s.saved(), s.srv.Shutdown(ctx))
		s.srv.Engine().Close()
	})
	return s.err
}

// Close is Shutdown without waiting for clients. It may be called again, and
// after Shutdown.
func (s *Server) Close() {
	s.forget()
	s.close()
}

func (s *Server) close() {
	s.end.Do(func() {
		s.err = s.saved()
		instance.Stop(s.srv)
		s.srv.Engine().Close()
	})
}
