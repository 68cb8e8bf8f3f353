package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync/atomic"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/server"
	"coatcheck/metrics"
)

// web is the HTTP listener for figures, health checks and profiles. A nil web is
// none.
type web struct {
	srv  *http.Server
	ends atomic.Bool // not ready any more
}

// webAddr is where to serve HTTP; "" for nowhere. A port alone is on this machine.
func webAddr(cfg *config.Config) string {
	if cfg.MetricsAddr == "" || strings.Contains(cfg.MetricsAddr, ":") {
		return cfg.MetricsAddr
	}
	return net.JoinHostPort("127.0.0.1", cfg.MetricsAddr)
}

// startWeb serves HTTP where cfg says; nil when it does not say.
func startWeb(cfg *config.Config, srv *server.Server, log *slog.Logger) (*web, error) {
	addr := webAddr(cfg)
	if addr == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics-addr: %w", err)
	}
	w := &web{}
	w.srv = &http.Server{
		Handler:           w.routes(cfg, srv),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := w.srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the listener for metrics ended", "error", err)
		}
	}()
	log.Info("Serving metrics and health checks", "addr", ln.Addr().String())
	return w, nil
}

func (w *web) routes(cfg *config.Config, srv *server.Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, alive(srv), "ok", "the store does not answer")
	})
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, !w.ends.Load() && alive(srv), "ready", "shutting down, or the store does not answer")
	})
	mux.Handle("GET /metrics", metrics.Handler(srv.Snapshot))
	if cfg.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// alive says whether the store's lock can be had within two seconds.
func alive(srv *server.Server) bool {
	done := make(chan struct{})
	go func() {
		srv.Engine().Lock().Unlock()
		close(done)
	}()
	late := make(chan struct{})
	stop := engine.SystemClock{}.AfterFunc(2*time.Second, func() { close(late) })
	defer stop()
	select {
	case <-done:
		return true
	case <-late:
		return false
	}
}

func answer(rw http.ResponseWriter, ok bool, yes, no string) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	text := yes
	if !ok {
		rw.WriteHeader(http.StatusServiceUnavailable)
		text = no
	}
	// A peer that has gone needs no answer.
	_, _ = io.WriteString(rw, text+"\n")
}

// draining lets /readyz say no from now on.
func (w *web) draining() {
	if w != nil {
		w.ends.Store(true)
	}
}

func (w *web) close() {
	if w != nil {
		_ = w.srv.Close() // whoever still asks gets no answer
	}
}
