package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"coatcheck/engine"
	"coatcheck/internal/config"
	"coatcheck/resp"
)

// healthPatience is how long a health check waits for the server.
const healthPatience = 2 * time.Second

// checkHealth asks the server that runs with this configuration for a PONG.
func checkHealth(cfg *config.Config) error {
	conn, err := dialOwn(cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(engine.SystemClock{}.Now().Add(healthPatience)); err != nil {
		return err
	}
	replies := resp.NewDecoder(conn)
	if cfg.RequirePass != "" {
		if err := ask(conn, replies, "OK", "AUTH", cfg.RequirePass); err != nil {
			return err
		}
	}
	return ask(conn, replies, "PONG", "PING")
}

func ask(conn net.Conn, replies *resp.Decoder, want string, words ...string) error {
	if _, err := conn.Write(resp.AppendCommand(nil, words...)); err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	reply, err := replies.Decode()
	if err != nil {
		return fmt.Errorf("%s: %w", words[0], err)
	}
	if reply.Text != want {
		return fmt.Errorf("%s: the server answers %s", words[0], reply)
	}
	return nil
}

// dialOwn connects to where the configuration says that the server listens.
func dialOwn(cfg *config.Config) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: healthPatience}
	switch {
	case cfg.Port != 0:
		return dialer.Dial("tcp", net.JoinHostPort(localHost(cfg), strconv.Itoa(cfg.Port)))
	case cfg.UnixSocket != "":
		return dialer.Dial("unix", cfg.Path(cfg.UnixSocket))
	case cfg.TLSPort != 0:
		own, err := tls.LoadX509KeyPair(cfg.Path(cfg.TLSCertFile), cfg.Path(cfg.TLSKeyFile))
		if err != nil {
			return nil, err
		}
		// It speaks to itself on this machine, with its own certificate, whose
		// names are for others.
		return tls.DialWithDialer(dialer, "tcp", net.JoinHostPort(localHost(cfg), strconv.Itoa(cfg.TLSPort)),
			&tls.Config{Certificates: []tls.Certificate{own}, InsecureSkipVerify: true})
	}
	return nil, errors.New("the configuration has neither a port, tls-port nor unixsocket")
}
