// Package embedded keeps sessions in a coatcheck server inside this process. The
// Manager works on the server's engine, without a protocol or a socket in between;
// redis-cli, Node and whoever else speaks the Redis protocol reach the same sessions
// where the server has an address.
//
// It adds no logic: sessions are package memstore's, the server is package
// coatcheck's.
package embedded

import (
	"context"
	"fmt"
	"strings"

	"coatcheck"
	"coatcheck/bff"
	"coatcheck/bff/memstore"
)

// Options configure a Store. The zero value is a server that only this process
// reaches, with sessions in database 0 that end with it.
type Options struct {
	// Server are the server's own options; its Clock is the sessions', too.
	Server coatcheck.Options
	// DB is the database of the sessions.
	DB int
	// Prefix is that of the keys which the index and the events are about, best
	// the Manager's; "": all keys.
	Prefix string
	// User and Events are as in memstore.Options.
	User   func(value []byte) string
	Events int
}

// Store is a memstore.Store on a server of its own.
type Store struct {
	*memstore.Store
	srv   *coatcheck.Server
	local bool
}

// Start starts a server and returns the store in it, with what the server read from
// its Dir. It fails as coatcheck.Start does, and for a DB that the server has not.
func Start(opts Options) (*Store, error) {
	databases := opts.Server.Databases
	if databases == 0 {
		databases = 16
	}
	if opts.DB < 0 || opts.DB >= databases {
		return nil, fmt.Errorf("embedded: there is no database %d among %d", opts.DB, databases)
	}
	// Not with a context of the caller: the data would go while requests use them.
	srv, err := coatcheck.Start(context.Background(), opts.Server)
	if err != nil {
		return nil, err
	}
	sessions := memstore.On(srv.Engine(), opts.DB, opts.Prefix, memstore.Options{User: opts.User, Events: opts.Events})
	return &Store{Store: sessions, srv: srv, local: isLocal(opts.Server)}, nil
}

// isLocal says that nobody else reaches the server, and nothing outlives it. Of the
// parameters only those about memory are sure not to change that.
func isLocal(o coatcheck.Options) bool {
	for name := range o.Config {
		if !strings.HasPrefix(strings.ToLower(name), "maxmemory") {
			return false
		}
	}
	return o.Addr == "" && o.Dir == ""
}

// Local says that the sessions end with the process and are its alone.
func (s *Store) Local() bool { return s.local }

// Server is the server: its Dial and Addr are for clients. Use Shutdown and Close of
// the Store in the place of its own.
func (s *Store) Server() *coatcheck.Server { return s.srv }

// Shutdown is coatcheck.Server.Shutdown. Nobody may use the store once it has begun.
func (s *Store) Shutdown(ctx context.Context) error {
	s.Store.Close()
	return s.srv.Shutdown(ctx)
}

// Close is Shutdown without waiting for clients.
func (s *Store) Close() {
	s.Store.Close()
	s.srv.Close()
}

// Opener has bff.FromEnv open a store for SESSION_STORE=embedded. It reads
//
//	EMBEDDED_ADDR       where Redis clients connect, "127.0.0.1:6379"; none by default
//	EMBEDDED_PASSWORD   what they must authenticate with
//	EMBEDDED_DIR        where the sessions are kept; in memory only by default
//	SESSION_MAX_MEMORY  in bytes; 0 is no bound. At the bound those that end first make room
//	SESSION_PREFIX      the sessions' prefix
//
// The Manager's Store has a Close method.
func Opener() bff.Opener {
	return bff.Opener{Name: "embedded", Open: func(env bff.Env) (bff.Store, error) {
		n, err := env.Int("SESSION_MAX_MEMORY", 0)
		if err != nil {
			return nil, err
		}
		return Start(Options{
			Prefix: env.String("SESSION_PREFIX", "myapp:"),
			Server: coatcheck.Options{
				Addr: env.String("EMBEDDED_ADDR", ""), Password: env.String("EMBEDDED_PASSWORD", ""), Dir: env.String("EMBEDDED_DIR", ""),
				MaxMemory: int64(n), Config: map[string]string{"maxmemory-policy": "volatile-ttl"},
			},
		})
	}}
}
