// Package instance puts an engine and a server together from a configuration:
// what the embedding API, the test server and the binary have in common.
package instance

import (
	"context"
	"crypto/tls"
	"log/slog"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/server"
)

// Options say what an instance is made of. Config is required.
type Options struct {
	Config *config.Config
	// Addr is one more address to listen on, "127.0.0.1:0" for a free port;
	// "" for none.
	Addr string
	// TLS, unless nil, is what Addr is served with.
	TLS *tls.Config
	// Clock and Rand are the machine's own when nil.
	Clock engine.Clock
	Rand  engine.Rand
	// Logger hears of what operators should know; nil: nobody does.
	Logger *slog.Logger
	// Intercept and OnShutdown are as in server.Options.
	Intercept  func(c server.ClientView, argv [][]byte) server.Verdict
	OnShutdown func()
	// FS is where the data are kept, in Config's directory, and found at the
	// start; nil: nowhere.
	FS disk.FS
}

// NewEngine makes the empty store of an instance; Config, Clock and Rand count.
func NewEngine(opts Options) *engine.Engine {
	return engine.New(engine.Options{Databases: opts.Config.Databases, Clock: opts.Clock, Rand: opts.Rand})
}

// Serve makes a server on a store and listens where Config and Addr say, which
// may be nowhere: it is reached by Dial then. When it fails, the store stays open.
func Serve(eng *engine.Engine, opts Options) (*server.Server, error) {
	srv, err := server.New(server.Options{
		Config: opts.Config, Engine: eng, Logger: opts.Logger, Addr: opts.Addr, TLS: opts.TLS,
		Intercept: opts.Intercept, OnShutdown: opts.OnShutdown, FS: opts.FS, Loads: opts.FS != nil,
	})
	if err != nil {
		return nil, err
	}
	err = srv.Listen()
	if err == nil && opts.FS != nil {
		err = srv.Load(context.Background())
	}
	if err != nil {
		Stop(srv)
		return nil, err
	}
	return srv, nil
}

// Start is NewEngine and Serve. The store is closed again when that fails.
func Start(opts Options) (*server.Server, error) {
	eng := NewEngine(opts)
	srv, err := Serve(eng, opts)
	if err != nil {
		eng.Close()
		return nil, err
	}
	return srv, nil
}

// Stop ends serving at once. The store stays open.
func Stop(srv *server.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	// The only error is the context's own, which was meant.
	_ = srv.Shutdown(ctx)
}
