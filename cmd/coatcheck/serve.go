package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/internal/disk"
	"coatcheck/internal/instance"
	"coatcheck/internal/server"
)

// errHurry is why a server ended without having drained.
var errHurry = errors.New("ended by a second signal before all clients were served")

// serve runs a server until a signal or a client ends it.
func serve(cfg *config.Config, stdout io.Writer) error {
	log, out := newLogger(cfg, stdout)
	if err := writable(out, cfg); err != nil {
		return err
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	asked := make(chan struct{}, 1)

	banner(cfg, log, out)
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	srv, err := instance.Start(instance.Options{Config: cfg, Logger: log, FS: disk.OS{}, OnShutdown: func() {
		select {
		case asked <- struct{}{}:
		default:
		}
	}})
	if err != nil {
		return failed(cfg, log, err)
	}
	web, err := startWeb(cfg, srv, log)
	if err != nil {
		return errors.Join(failed(cfg, log, err), stop(srv, web, cfg, signals, log))
	}
	pidFile := writePidFile(cfg, log)
	log.Info("Server initialized")
	log.Info("Ready to accept connections", "port", cfg.Port)
	notifySystemd("READY=1", log)

	waitForEnd(srv, signals, asked, log)
	notifySystemd("STOPPING=1", log)
	err = stop(srv, web, cfg, signals, log)
	removePidFile(pidFile, log)
	if err == nil {
		log.Warn("Coatcheck is now ready to exit, bye bye...")
	}
	return err
}

// serviceDefaults are the parameters that a service has otherwise than a store
// inside a process: it keeps its data, at the save points that Redis has.
var serviceDefaults = []string{"save 3600 1 300 100 60 10000"}

// waitForEnd returns when a client has ended the server, which has saved then, or
// after a signal, when all is saved. A server that cannot save does not end by a
// signal: what it holds would be lost.
func waitForEnd(srv *server.Server, signals <-chan os.Signal, asked <-chan struct{}, log *slog.Logger) {
	for {
		select {
		case sig := <-signals:
			log.Warn("Received a signal, shutting down", "signal", sig.String())
			err := srv.SaveAtEnd()
			if err == nil {
				return
			}
			log.Error("Error trying to save the DB, can't exit. SHUTDOWN NOSAVE ends the server without saving", "error", err)
		case <-asked:
			log.Warn("A client asked to shut down")
			return
		}
	}
}

// writable finds out early that a log file cannot be written.
func writable(out io.Writer, cfg *config.Config) error {
	if cfg.LogFile == "" {
		return nil
	}
	if _, err := out.Write(nil); err != nil {
		return fmt.Errorf("can't open the log file: %w", err)
	}
	return nil
}

// failed tells the log why the server does not start, with the words that
// harnesses wait for when a port is taken.
func failed(cfg *config.Config, log *slog.Logger, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		log.Error("Cannot start, aborting", "error", err)
		return err
	}
	log.Error(fmt.Sprintf("Failed listening on port %d (tcp), aborting", cfg.Port), "error", err)
	return fmt.Errorf("%w: is another server running? --port chooses another one", err)
}

// stop serves clients to the end, as long as shutdown-timeout allows or until a
// second signal.
func stop(srv *server.Server, web *web, cfg *config.Config, signals <-chan os.Signal, log *slog.Logger) error {
	web.draining()
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Duration(cfg.ShutdownTimeout)*time.Second,
		fmt.Errorf("clients did not take their replies within shutdown-timeout (%d s)", cfg.ShutdownTimeout))
	defer cancel()
	ctx, hurry := context.WithCancelCause(ctx)
	defer hurry(nil)
	go hurryOn(ctx, signals, hurry)
	err := srv.Shutdown(ctx)
	srv.Engine().Close()
	web.close()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); errors.Is(cause, errHurry) {
		return cause
	} else if cause != nil { // as meant: the patience is limited
		log.Warn("some clients were closed early", "reason", cause)
		return nil
	}
	return err
}

// oneSignal is how long signals count as one: timeout(1), shells and process
// managers signal a program and its group, so that it hears twice.
const oneSignal = time.Second

// hurryOn calls hurry when another signal comes after the first.
func hurryOn(ctx context.Context, signals <-chan os.Signal, hurry context.CancelCauseFunc) {
	clock := engine.SystemClock{}
	first := clock.Now()
	for {
		select {
		case <-signals:
			if clock.Now().Sub(first) >= oneSignal {
				hurry(errHurry)
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// writePidFile writes the pidfile and returns its name, "" for none. A server that
// cannot write one serves all the same, as Redis does.
func writePidFile(cfg *config.Config, log *slog.Logger) string {
	if cfg.PidFile == "" {
		return ""
	}
	name := cfg.Path(cfg.PidFile)
	if err := os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
		log.Warn("there will be no pidfile", "error", err)
		return ""
	}
	return name
}

func removePidFile(name string, log *slog.Logger) {
	if name == "" {
		return
	}
	if err := os.Remove(name); err != nil {
		log.Warn("the pidfile stays", "error", err)
	}
}

// notifySystemd tells systemd of a change, where it runs us and wants to know.
func notifySystemd(state string, log *slog.Logger) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	conn, err := net.Dial("unixgram", socket)
	if err == nil {
		_, err = conn.Write([]byte(state))
		conn.Close()
	}
	if err != nil {
		log.Warn("systemd was not told", "state", state, "error", err)
	}
}
