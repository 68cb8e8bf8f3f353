package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"

	"coatcheck/internal/config"
	"coatcheck/internal/server"
)

// banner says what starts and where to connect. Its line with the PID is one that
// harnesses for redis-server look for.
func banner(cfg *config.Config, log *slog.Logger, out io.Writer) {
	pid := os.Getpid()
	if cfg.LogFormat == "json" {
		log.Info(fmt.Sprintf("Coatcheck starts, PID: %d", pid), "version", server.Version,
			"redis_version", server.RedisVersion, "connect", connectLines(cfg))
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nCoatcheck %s, a session store that speaks Redis %s. PID: %d\n", server.Version, server.RedisVersion, pid)
	for _, line := range connectLines(cfg) {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	// An error in writing the log shows with its next line.
	_, _ = io.WriteString(out, b.String()+"\n")
}

// connectLines are ways to reach the server, each to be typed as it is.
func connectLines(cfg *config.Config) []string {
	password := ""
	if cfg.RequirePass != "" {
		password = " --askpass"
	}
	var lines []string
	if cfg.Port != 0 {
		lines = append(lines, "redis-cli"+hostFlag(cfg)+portFlag(cfg.Port)+password)
	}
	if cfg.TLSPort != 0 {
		lines = append(lines, "redis-cli --tls"+hostFlag(cfg)+portFlag(cfg.TLSPort)+password)
	}
	if cfg.UnixSocket != "" {
		lines = append(lines, "redis-cli -s "+cfg.Path(cfg.UnixSocket)+password)
	}
	if addr := webAddr(cfg); addr != "" {
		lines = append(lines, "curl http://"+reachable(addr)+"/metrics")
	}
	if len(lines) == 0 {
		lines = []string{"nowhere: there is neither a port, tls-port nor unixsocket"}
	}
	return lines
}

func hostFlag(cfg *config.Config) string {
	if host := localHost(cfg); host != "127.0.0.1" {
		return " -h " + host
	}
	return ""
}

func portFlag(port int) string {
	if port == 6379 {
		return ""
	}
	return " -p " + strconv.Itoa(port)
}

// localHost is the address by which this machine reaches the server's TCP
// listeners.
func localHost(cfg *config.Config) string {
	for _, bind := range cfg.Bind {
		switch host := strings.TrimPrefix(bind, "-"); host {
		case "", "*", "0.0.0.0", "127.0.0.1", "localhost":
			return "127.0.0.1"
		case "::", "::*", "::1":
			if len(cfg.Bind) == 1 {
				return "::1"
			}
		default:
			return host
		}
	}
	return "127.0.0.1"
}

// reachable is an address without a host seen from this machine.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err == nil && host == "" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}
