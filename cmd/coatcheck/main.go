// Command coatcheck is the server: it reads flags, a redis.conf file and the
// environment as redis-server does, serves until it is told to stop, and checks
// its own configuration and health.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"coatcheck/internal/config"
	"coatcheck/internal/server"
)

func main() {
	// A terminal that went away must not end a server, nor must a reader of its
	// output.
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run is the program: it returns the exit status, 0 for all well.
func run(args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		switch args[0] {
		case "--help", "-h", "help":
			fmt.Fprint(stdout, usage)
			return 0
		case "--version", "-v", "version":
			// Harnesses look for the first number, or for v=.
			fmt.Fprintf(stdout, "Redis server v=%s as spoken by Coatcheck %s\n", server.RedisVersion, server.Version)
			return 0
		}
	}
	args, checkOnly := without(args, "--check-config")
	args, health := without(args, "--health")
	if len(args) > 0 && args[0] == "health" {
		args, health = args[1:], true
	}
	cfg, err := config.Load(config.Sources{Defaults: serviceDefaults, Args: args, Environ: env, Stdin: stdin})
	if err == nil {
		err = offered(cfg)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	switch {
	case checkOnly:
		for _, w := range cfg.Warnings {
			fmt.Fprintln(stdout, "warning:", w)
		}
		fmt.Fprintln(stdout, "the configuration is right")
		return 0
	case health:
		if err := checkHealth(cfg); err != nil {
			fmt.Fprintln(stderr, "unhealthy:", err)
			return 1
		}
		fmt.Fprintln(stdout, "healthy")
		return 0
	}
	if err := serve(cfg, stdout); err != nil {
		fmt.Fprintln(stderr, "coatcheck:", err)
		return 1
	}
	return 0
}

// without takes a word out of args and says whether it was there.
func without(args []string, word string) ([]string, bool) {
	at := slices.Index(args, word)
	if at < 0 {
		return args, false
	}
	return slices.Delete(slices.Clone(args), at, at+1), true
}

// offered refuses what the configuration may say and this program cannot do.
func offered(cfg *config.Config) error {
	if cfg.Daemonize {
		return errors.New("daemonize yes is not offered: a Go program cannot go on in a child after its threads have started.\n" +
			"Let systemd run it (deploy/coatcheck.service), a container, or your shell: coatcheck redis.conf &")
	}
	return nil
}
