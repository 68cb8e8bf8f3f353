package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"coatcheck/bff/bffprom"
	"coatcheck/bff/server"
)

// drainWithin is how long requests may take to end once the program is told to.
const drainWithin = 10 * time.Second

// serve runs the server until stop.
func serve(cfg *server.Config, stop <-chan os.Signal, logs io.Writer) error {
	log := cfg.Logger(logs)
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	figures := bffprom.New()
	cfg.Manager.Logger, cfg.Manager.Metrics = log, figures
	srv, err := server.New(cfg)
	if err != nil {
		return err
	}
	figures.CountSessions(cfg.Manager)
	reg := prometheus.NewRegistry()
	reg.MustRegister(figures, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	failed := make(chan error, 2)
	public, err := listen(cfg.Addr, srv.Public(), cfg, log, failed)
	if err != nil {
		return fmt.Errorf("BFF_ADDR: %w", err)
	}
	defer func() { _ = public.Close() }() // after Shutdown there is nothing to lose
	var admin *http.Server
	if cfg.AdminAddr != "" {
		if admin, err = listen(cfg.AdminAddr, srv.Admin(promhttp.HandlerFor(reg, promhttp.HandlerOpts{})), nil, log, failed); err != nil {
			return fmt.Errorf("BFF_ADMIN_ADDR: %w", err)
		}
		defer func() { _ = admin.Close() }()
	}
	log.Info("Ready", "url", cfg.PublicURL.String())
	select {
	case err := <-failed:
		return err
	case sig := <-stop:
		log.Info("Shutting down", "signal", sig.String())
	}
	srv.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	if err := public.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// listen serves a handler at an address; by TLS when tlsOf has a certificate.
func listen(addr string, h http.Handler, tlsOf *server.Config, log *slog.Logger, failed chan<- error) (*http.Server, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	srv := &http.Server{
		Handler: h,
		// Slow senders hold a connection, and nothing else. Answers have no bound:
		// streams go on until their session ends.
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	if tlsOf != nil && tlsOf.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(tlsOf.TLSCert, tlsOf.TLSKey)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("BFF_TLS_CERT, BFF_TLS_KEY: %w", err), ln.Close())
		}
		srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}
		ln = tls.NewListener(ln, srv.TLSConfig)
	}
	log.Info("Serving", "addr", ln.Addr().String())
	go func() {
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	return srv, nil
}
